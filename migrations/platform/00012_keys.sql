-- How an organization's key is renewed, and how an organization ends.
-- +goose Up
-- +goose StatementBegin

-- Closing: shut, and its end may still be taken back. Gone: its books and its key are no more.
ALTER TABLE platform.organization DROP CONSTRAINT organization_state_check,
    ADD CONSTRAINT organization_state_check CHECK (state::text IN ('ready', 'active', 'suspended', 'closing', 'gone'));

-- The rotation of an organization's key: the one under way, or the last one. Whoever works on it holds the lease.
CREATE TABLE platform.key_rotation (
    organization_id uuid PRIMARY KEY REFERENCES platform.organization,
    state           varchar(8) NOT NULL CHECK (state::text IN ('running', 'settling', 'done')),
    key_version     integer NOT NULL DEFAULT 0,        -- that all is to be sealed by; 0: not made yet
    at_column       varchar(130) NOT NULL DEFAULT '',  -- how far the walk has come: table.column
    at_row          uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    rewrapped       bigint NOT NULL DEFAULT 0,
    unreadable      bigint NOT NULL DEFAULT 0,         -- values that open under no version: altered, or moved
    began_at        timestamptz NOT NULL,
    rotated_at      timestamptz,
    finished_at     timestamptz,
    lease           uuid NOT NULL,
    leased_until    timestamptz NOT NULL,
    CHECK ((state::text = 'done') = (finished_at IS NOT NULL)),
    CHECK ((key_version = 0) = (rotated_at IS NULL))
);

-- The end of an organization. The row goes when the end is taken back, and stays when it has come.
CREATE TABLE platform.closure (
    organization_id uuid PRIMARY KEY REFERENCES platform.organization,
    slug            varchar(40) NOT NULL,
    asked_at        timestamptz NOT NULL,
    due_at          timestamptz NOT NULL CHECK (due_at >= asked_at),
    key_gone_at     timestamptz, -- from here on nothing is taken back
    books_gone_at   timestamptz,
    certificate     varchar(8000),
    CHECK (books_gone_at IS NULL OR key_gone_at IS NOT NULL)
);

GRANT SELECT, INSERT, UPDATE ON platform.key_rotation TO countinghouse_app;
GRANT SELECT ON platform.closure TO countinghouse_app;

-- +goose StatementEnd
