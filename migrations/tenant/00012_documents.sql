-- Quotes and credit notes beside invoices, and what was still missing on all three.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE document
    ADD COLUMN purchase_order   varchar(60) NOT NULL DEFAULT '', -- the customer's
    ADD COLUMN language         varchar(2) NOT NULL DEFAULT 'en' CHECK (language::text IN ('en', 'fr')),
    ADD COLUMN prices_with_tax  boolean NOT NULL DEFAULT false,
    ADD COLUMN discount_percent numeric(9, 6) NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    ADD COLUMN discount         bigint NOT NULL DEFAULT 0 CHECK (discount >= 0), -- on the whole: what its lines' shares come to
    ADD COLUMN origin_id        uuid REFERENCES document, -- what it credits, was accepted as, or is a fee for
    ADD COLUMN fee_step         smallint NOT NULL DEFAULT 0 CHECK (fee_step >= 0), -- which fee for the same invoice
    ADD COLUMN written_off      bigint NOT NULL DEFAULT 0, -- the part of what is settled that nobody paid
    ADD COLUMN closed_at        timestamptz, -- when it was voided, written off, accepted or declined
    ADD COLUMN closing_entry_id uuid REFERENCES journal_entry,
    ADD COLUMN accepted_by      varchar(200) NOT NULL DEFAULT '',
    DROP CONSTRAINT document_kind_check,
    DROP CONSTRAINT document_state_check,
    ADD CONSTRAINT document_kind_check CHECK (kind::text IN ('invoice', 'credit_note', 'quote')),
    ADD CONSTRAINT document_state_check CHECK (state::text IN ('draft', 'issued', 'void', 'accepted', 'declined')),
    ADD CONSTRAINT document_written_off_check CHECK (written_off BETWEEN 0 AND settled),
    ADD CONSTRAINT document_void_check CHECK (state::text <> 'void' OR settled = 0),
    ADD CONSTRAINT document_quote_check CHECK (CASE WHEN kind::text = 'quote' THEN settled = 0 AND entry_id IS NULL
        ELSE state::text NOT IN ('accepted', 'declined') END);

CREATE INDEX document_origin ON document (origin_id) WHERE origin_id IS NOT NULL;
-- A quote becomes an invoice once, and each step of late fees is charged once, however many try at the same time.
CREATE UNIQUE INDEX document_once ON document (origin_id, fee_step) WHERE kind::text = 'invoice' AND origin_id IS NOT NULL;

ALTER TABLE document_line
    ADD COLUMN discount_share bigint NOT NULL DEFAULT 0 CHECK (discount_share >= 0); -- of the discount on the whole

-- What of a credit note settles which invoice.
CREATE TABLE credit_allocation (
    credit_note_id uuid NOT NULL REFERENCES document,
    document_id    uuid NOT NULL REFERENCES document,
    amount         bigint NOT NULL CHECK (amount > 0),
    date           date NOT NULL,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (credit_note_id, document_id)
);
CREATE INDEX credit_allocation_document ON credit_allocation (document_id);

ALTER TABLE party
    ADD COLUMN language           varchar(2) NOT NULL DEFAULT '' CHECK (language::text IN ('', 'en', 'fr')),
    ADD COLUMN tax_number         varchar(40) NOT NULL DEFAULT '',
    ADD COLUMN payment_terms_days smallint CHECK (payment_terms_days BETWEEN 0 AND 365); -- none: the organization's

ALTER TABLE settings
    ADD COLUMN invoice_numbering     varchar(40) NOT NULL DEFAULT '', -- none: invoice_prefix and four digits
    ADD COLUMN quote_numbering       varchar(40) NOT NULL DEFAULT 'QUO-{0000}',
    ADD COLUMN credit_note_numbering varchar(40) NOT NULL DEFAULT 'CN-{0000}',
    ADD COLUMN quote_days            smallint NOT NULL DEFAULT 30 CHECK (quote_days BETWEEN 0 AND 365), -- for which a quote stands
    ADD COLUMN late_fee_percent      numeric(9, 6) NOT NULL DEFAULT 0 CHECK (late_fee_percent BETWEEN 0 AND 100),
    ADD COLUMN late_fee              bigint NOT NULL DEFAULT 0 CHECK (late_fee >= 0), -- in the base currency
    ADD COLUMN late_fee_days         smallint NOT NULL DEFAULT 14 CHECK (late_fee_days BETWEEN 1 AND 365), -- after the due date
    ADD COLUMN late_fee_monthly      boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT settings_late_fee_one_check CHECK (late_fee = 0 OR late_fee_percent = 0);

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_source_kind_check,
    ADD CONSTRAINT journal_entry_source_kind_check
        CHECK (source_kind::text IN ('manual', 'reversal', 'invoice', 'payment', 'gateway', 'credit_note', 'write_off'));

-- What is issued has left the house: it may be settled and closed, and is otherwise as it was.
CREATE OR REPLACE FUNCTION check_document_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    may_change text[] := ARRAY['settled', 'version', 'state', 'written_off', 'closed_at', 'closing_entry_id', 'accepted_by'];
BEGIN
    IF OLD.state::text = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - may_change) <> (to_jsonb(OLD) - may_change)
       OR NEW.state <> OLD.state AND (OLD.state::text <> 'issued' OR NEW.state::text = 'draft') THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON credit_allocation TO %I', tenant);
END $$;

-- +goose StatementEnd
