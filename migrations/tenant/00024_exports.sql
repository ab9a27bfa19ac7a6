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

-- What is issued does not change, but for this: whom it was for goes when the customer's data are erased, and nothing
-- else with it.
CREATE FUNCTION check_document_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM party p WHERE p.id = NEW.customer_id AND p.erased_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER document_change ON document;
CREATE TRIGGER document_removal BEFORE DELETE ON document
    FOR EACH ROW EXECUTE FUNCTION check_document_change();
CREATE TRIGGER document_change BEFORE UPDATE ON document
    FOR EACH ROW WHEN (NEW.billed_to IS NULL OR NEW.billed_to <> '{"name": "Erased"}'::jsonb
        OR NEW.accepted_by <> '' OR NEW.note <> '' OR NEW.reference <> '' OR NEW.purchase_order <> ''
        OR to_jsonb(NEW) - ARRAY['billed_to', 'accepted_by', 'note', 'reference', 'purchase_order']
        <> to_jsonb(OLD) - ARRAY['billed_to', 'accepted_by', 'note', 'reference', 'purchase_order'])
    EXECUTE FUNCTION check_document_change();
CREATE TRIGGER document_erasure BEFORE UPDATE OF billed_to ON document
    FOR EACH ROW WHEN (NEW.billed_to = '{"name": "Erased"}'::jsonb)
    EXECUTE FUNCTION check_document_erasure();

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT UPDATE (state, size, digest, mailed, rows_done, rows_all, problem, moved_at, expires_at) ON file TO %I', tenant);
END $$;

-- +goose StatementEnd
