-- Exports and imports are files that come to be in the background, and go by themselves. People's data go when
-- their time is over.
-- +goose Up
-- +goose StatementBegin

-- A kept file is whole from its beginning. An export is queued, runs and is then ready; an import waits for a yes.
ALTER TABLE file
    ADD COLUMN state      varchar(9) NOT NULL DEFAULT 'kept'
        CHECK (state::text IN ('kept', 'queued', 'running', 'ready', 'failed', 'refused', 'cancelled')),
    ADD COLUMN holds      varchar(16) NOT NULL DEFAULT '', -- of an export: customers, journal, everything
    ADD COLUMN rows_done  integer NOT NULL DEFAULT 0,
    ADD COLUMN rows_all   integer NOT NULL DEFAULT 0,      -- about
    ADD COLUMN asked_by   uuid,
    ADD COLUMN problem    varchar(40) NOT NULL DEFAULT '', -- the code of why it failed
    ADD COLUMN moved_at   timestamptz, -- when it last got on
    ADD COLUMN expires_at timestamptz,
    DROP CONSTRAINT file_size_check,
    ADD CONSTRAINT file_size_check CHECK (size > 0 OR size = 0 AND kind::text = 'export');

-- How many years documents are kept, from the end of the year they are of; and what became of a person's data.
ALTER TABLE settings ADD COLUMN keep_years smallint NOT NULL DEFAULT 10 CHECK (keep_years BETWEEN 1 AND 30);
ALTER TABLE party
    ADD COLUMN erased_at   timestamptz, -- what need not be kept is gone
    ADD COLUMN erase_after date;        -- the rest goes after this day; none: nothing is left to go

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT UPDATE (state, size, digest, mailed, rows_done, rows_all, problem, moved_at, expires_at) ON file TO %I', tenant);
END $$;

-- +goose StatementEnd
