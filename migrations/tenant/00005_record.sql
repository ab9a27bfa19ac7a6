-- What the record tells of a change, under which grant it was made, and the chain that seals record and journal.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE audit_log
    ADD COLUMN grant_id uuid, -- the support grant under which it was done
    -- What was changed: a line "field: value" for each field, the same fields in the same order on both sides. A
    -- person's data stand there as "field~ digest", and in audit_private as they were.
    ADD COLUMN before   varchar(2000) NOT NULL DEFAULT '',
    ADD COLUMN after    varchar(2000) NOT NULL DEFAULT '';

-- What was done to one thing; what was done under one grant.
CREATE INDEX audit_log_object ON audit_log (object_id, id) WHERE object_id IS NOT NULL;
CREATE INDEX audit_log_grant ON audit_log (grant_id, id) WHERE grant_id IS NOT NULL;

-- A person's data in the record, apart from it: a row may be deleted for good, and what is sealed stays provable,
-- since it holds only their digest with this salt. No row is ever changed.
CREATE TABLE audit_private (
    audit_id uuid NOT NULL REFERENCES audit_log,
    field    varchar(40) NOT NULL,
    salt     uuid NOT NULL, -- random
    before   varchar(200) NOT NULL,
    after    varchar(200) NOT NULL,
    PRIMARY KEY (audit_id, field)
);

-- The chain: each seal holds the hash of the one before it and of the row that it seals. Rows are sealed after they
-- are committed, in the order in which the sealer finds them: what it has not sealed is what has no seal, because
-- ids are not in the order of commits.
CREATE TABLE seal (
    seq       bigint PRIMARY KEY CHECK (seq > 0),
    shape     smallint NOT NULL, -- how the row is written for its hash: 1 a row of the record, 2 a journal entry with its lines
    row_id    uuid NOT NULL UNIQUE,
    sealed_at timestamptz NOT NULL,
    hash      varchar(64) NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$') -- SHA-256
);

ALTER TABLE settings ADD COLUMN mail_chain_head boolean NOT NULL DEFAULT false; -- to the owners, daily

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON audit_private TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON seal TO %I', tenant);
END $$;

-- +goose StatementEnd
