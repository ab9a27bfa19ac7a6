-- A year is closed by an entry that moves its income and expenses to the result brought forward.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_source_kind_check,
    ADD CONSTRAINT journal_entry_source_kind_check
        CHECK (source_kind::text IN ('manual', 'reversal', 'invoice', 'payment', 'gateway', 'credit_note', 'write_off', 'currency', 'closing'));

-- The account that the chart has for it. Where it is gone or has another use, closing opens one.
UPDATE account SET purpose = 'retained'
 WHERE code = '3200' AND kind::text = 'equity' AND purpose IS NULL AND archived_at IS NULL;

-- +goose StatementEnd
