-- What one currency is worth in another on a day, and what the books made of it.
-- +goose Up
-- +goose StatementBegin

-- One unit of the first is so much of the second.
CREATE TABLE exchange_rate (
    unit       varchar(3) NOT NULL CHECK (unit ~ '^[A-Z]{3}$'),
    currency   varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    date       date NOT NULL,
    rate       numeric(24, 12) NOT NULL CHECK (rate > 0),
    source     varchar(10) NOT NULL CHECK (source::text IN ('manual', 'ecb')),
    entered_at timestamptz NOT NULL,
    PRIMARY KEY (unit, currency, date),
    CHECK (unit <> currency)
);

-- What one unit of the document's or payment's currency was worth in the base currency on its day. None: it is in the
-- base currency, or no rate was known.
ALTER TABLE document ADD COLUMN base_rate numeric(24, 12) CHECK (base_rate > 0);
ALTER TABLE payment ADD COLUMN base_rate numeric(24, 12) CHECK (base_rate > 0);

-- What foreign currency was worth at the end of a day: an entry, and the one that takes it back on the next day.
CREATE TABLE revaluation (
    id          uuid PRIMARY KEY,
    date        date NOT NULL,
    entry_id    uuid NOT NULL UNIQUE REFERENCES journal_entry,
    back_id     uuid NOT NULL UNIQUE REFERENCES journal_entry,
    amount      bigint NOT NULL, -- gained, or below zero lost, in the base currency
    created_at  timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE UNIQUE INDEX revaluation_date ON revaluation (date) WHERE replaced_at IS NULL;

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_source_kind_check,
    ADD CONSTRAINT journal_entry_source_kind_check
        CHECK (source_kind::text IN ('manual', 'reversal', 'invoice', 'payment', 'gateway', 'credit_note', 'write_off', 'currency'));

-- As before, and a rate that was not known may be written later, once.
CREATE OR REPLACE FUNCTION check_document_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    may_change text[] := ARRAY['settled', 'version', 'state', 'written_off', 'closed_at', 'closing_entry_id', 'accepted_by', 'base_rate'];
BEGIN
    IF OLD.state::text = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - may_change) <> (to_jsonb(OLD) - may_change)
       OR NEW.state <> OLD.state AND (OLD.state::text <> 'issued' OR NEW.state::text = 'draft')
       OR OLD.base_rate IS NOT NULL AND NEW.base_rate IS DISTINCT FROM OLD.base_rate THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON exchange_rate TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON revaluation TO %I', tenant);
    EXECUTE format('GRANT UPDATE (replaced_at) ON revaluation TO %I', tenant);
    EXECUTE format('GRANT UPDATE (base_rate) ON payment TO %I', tenant);
END $$;

-- +goose StatementEnd
