-- The keys of the service itself, for what belongs to people and to the operator. Each is wrapped under the service's
-- key, which lies outside of the database; the first is made from that key and has no text here.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.service_key (
    version  integer PRIMARY KEY CHECK (version > 0),
    wrapped  bytea CHECK (length(wrapped) BETWEEN 44 AND 100),
    made_at  timestamptz NOT NULL,
    alone_at timestamptz, -- since when nothing older opens; the older ones are gone then
    CHECK ((version = 1) = (wrapped IS NULL))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON platform.service_key TO countinghouse_app;

-- +goose StatementEnd
