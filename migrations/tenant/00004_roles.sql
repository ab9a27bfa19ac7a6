-- Roles of the organization's own.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE role (
    id         uuid PRIMARY KEY,
    name       varchar(60) NOT NULL,
    rights     varchar(1000) NOT NULL, -- "invoices:rcw customers:r", or "*"
    created_at timestamptz NOT NULL,
    version    integer NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX role_name ON role (lower(name));

-- Who was removed stays, so that what they did keeps its name.
ALTER TABLE member DROP CONSTRAINT member_state_check;
ALTER TABLE member ADD CONSTRAINT member_state_check CHECK (state::text IN ('active', 'denied', 'removed'));

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON role TO %I', current_schema());
END $$;

-- +goose StatementEnd
