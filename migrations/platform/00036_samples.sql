-- Organizations that people look around in: one to a person, marked as a sample, ended by leaving it or by itself. A row is
-- there before its organization, under the address that this will have, so that none is ever there unmarked.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.sample (
    slug      varchar(40) PRIMARY KEY, -- of the organization, also when that is gone
    person_id uuid NOT NULL,           -- whose it is, also when their account is gone
    made_at   timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    filled    smallint NOT NULL DEFAULT 0 CHECK (filled BETWEEN 0 AND 100), -- percent
    back      varchar(300) NOT NULL,   -- the path that its person came from
    ended_at  timestamptz
);
CREATE UNIQUE INDEX sample_person ON platform.sample (person_id) WHERE ended_at IS NULL;

GRANT SELECT, INSERT, DELETE, UPDATE (filled, back, ended_at) ON platform.sample TO countinghouse_app;

-- +goose StatementEnd
