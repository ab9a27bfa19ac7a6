-- The tax, or group of taxes, that is in what a rule books: its code, or nothing.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE bank_rule ADD COLUMN tax_code varchar(20) NOT NULL DEFAULT '';

-- +goose StatementEnd
