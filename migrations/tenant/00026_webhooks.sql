-- Whom an organization tells of what happens in its books, and what became of each message.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE webhook_endpoint (
    id            uuid PRIMARY KEY,
    name          varchar(60) NOT NULL,
    url           varchar(500) NOT NULL,
    events        varchar(1000) NOT NULL CHECK (events <> ''), -- divided by spaces; * is all of them
    sealed        varchar(400) NOT NULL,                       -- the secret that signs
    former_sealed varchar(400) NOT NULL DEFAULT '',            -- the one before, which signs too until then
    former_until  timestamptz,
    failing_since timestamptz,                                 -- nothing arrived since
    disabled_at   timestamptz,
    disabled_for  varchar(7) NOT NULL DEFAULT '' CHECK (disabled_for::text IN ('', 'hand', 'gone', 'failing')),
    created_at    timestamptz NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    CHECK ((former_sealed = '') = (former_until IS NULL)),
    CHECK ((disabled_for = '') = (disabled_at IS NULL))
);

-- One message to one endpoint. It holds ids, never what stands in the books. The same event has the same id everywhere.
CREATE TABLE webhook_delivery (
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoint,
    id          uuid NOT NULL,
    event       varchar(40) NOT NULL,
    object      varchar(20) NOT NULL,
    object_id   uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    state       varchar(9) NOT NULL CHECK (state::text IN ('pending', 'delivered', 'failed')),
    tries       smallint NOT NULL DEFAULT 0 CHECK (tries >= 0),
    next_at     timestamptz,
    tried_at    timestamptz,
    status      smallint NOT NULL DEFAULT 0,    -- of HTTP; 0: no answer
    problem     varchar(40) NOT NULL DEFAULT '', -- why there was no answer
    answer      varchar(200) NOT NULL DEFAULT '',
    PRIMARY KEY (endpoint_id, id),
    CHECK ((state::text = 'pending') = (next_at IS NOT NULL))
);

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoint, webhook_delivery TO %I', tenant);
END $$;

-- +goose StatementEnd
