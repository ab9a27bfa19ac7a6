-- What payees are like, which taxes come back, and bills that repeat.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE party
    ADD COLUMN payee_terms_days   smallint CHECK (payee_terms_days BETWEEN 0 AND 365), -- none: the organization's
    ADD COLUMN expense_account_id uuid REFERENCES account; -- what is usually bought from them

-- What a tax on a bill comes to is owed back by the tax office, or is part of the cost.
ALTER TABLE tax_rate
    ADD COLUMN recoverable      boolean NOT NULL DEFAULT true,
    ADD COLUMN input_account_id uuid REFERENCES account; -- none: that of what is charged

-- As the rate was when the line was written.
ALTER TABLE document_tax ADD COLUMN recoverable boolean NOT NULL DEFAULT true;

-- A recurring bill: from issue_date on, every so many units. repeat_on is the day of the next; none: there is no more.
ALTER TABLE document
    ADD COLUMN repeat_unit   varchar(5) CHECK (repeat_unit::text IN ('day', 'week', 'month', 'year')),
    ADD COLUMN repeat_every  smallint CHECK (repeat_every BETWEEN 1 AND 365),
    ADD COLUMN repeat_on     date,
    ADD COLUMN repeat_until  date,
    ADD COLUMN repeat_enters boolean NOT NULL DEFAULT false, -- else each is a draft
    ADD COLUMN repeat_problem varchar(40) NOT NULL DEFAULT '', -- the code of why the next was not made
    ADD CONSTRAINT document_repeat_check CHECK ((repeat_unit IS NULL) = (repeat_every IS NULL) AND (repeat_on IS NULL OR repeat_unit IS NOT NULL)
        AND (repeat_unit IS NULL OR kind::text = 'recurring'));

-- The chart has had this account from the beginning; now the books post to it themselves.
UPDATE account SET purpose = 'payable'
 WHERE code = '2100' AND name = 'Owed to suppliers' AND kind::text = 'liability' AND purpose IS NULL AND archived_at IS NULL;

-- +goose StatementEnd
