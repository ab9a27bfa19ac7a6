-- Which organizations could not be brought to a version, and why: they stay on theirs, and are served.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.migration_failure (
    schema_name varchar(63) PRIMARY KEY,
    version     bigint NOT NULL,       -- the migration that failed
    sqlstate    varchar(5) NOT NULL,   -- of the database's refusal; empty: it could not be reached
    reason      varchar(300) NOT NULL, -- in the database's words, which name objects and no data
    failed_at   timestamptz NOT NULL
);
GRANT SELECT ON platform.migration_failure TO countinghouse_app;

-- +goose StatementEnd
