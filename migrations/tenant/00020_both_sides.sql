-- What is bought stands beside what is sold: bills share the documents' shape, and a party may be
-- customer, payee or both. Orders and what was exported find their place too.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE party
    ADD COLUMN is_customer boolean NOT NULL DEFAULT true,
    ADD COLUMN is_payee    boolean NOT NULL DEFAULT false;

-- The other side of a document or payment is customer_id in both directions: the name is older than bills.
ALTER TABLE payment
    ADD COLUMN direction varchar(3) NOT NULL DEFAULT 'in' CHECK (direction::text IN ('in', 'out'));

-- A recurring bill is the draft that its bills are copied from.
ALTER TABLE document
    DROP CONSTRAINT document_kind_check,
    DROP CONSTRAINT document_state_check,
    ADD CONSTRAINT document_kind_check
        CHECK (kind::text IN ('invoice', 'credit_note', 'quote', 'order', 'bill', 'payee_credit', 'recurring')),
    ADD CONSTRAINT document_state_check
        CHECK (state::text IN ('draft', 'issued', 'void', 'accepted', 'declined', 'placed', 'held', 'refused', 'done'));

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_source_kind_check,
    ADD CONSTRAINT journal_entry_source_kind_check
        CHECK (source_kind::text IN ('manual', 'reversal', 'invoice', 'payment', 'gateway', 'credit_note', 'write_off', 'currency', 'closing',
                                     'bill', 'payee_credit', 'bill_payment', 'bank', 'late_fee'));

ALTER TABLE file DROP CONSTRAINT file_kind_check,
    ADD CONSTRAINT file_kind_check CHECK (kind::text IN ('attachment', 'logo', 'export', 'import'));

-- A revaluation is found by its date; these two indexes served no query.
ALTER TABLE revaluation
    DROP CONSTRAINT revaluation_entry_id_key,
    DROP CONSTRAINT revaluation_back_id_key;

-- +goose StatementEnd
