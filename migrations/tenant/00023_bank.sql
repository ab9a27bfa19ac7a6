-- The bank: what its files say beside what the books say, and what belongs to what.
-- +goose Up
-- +goose StatementBegin

-- An account with a currency here is one at a bank. What the bank's lines come to is added to the balance before the
-- first of them.
ALTER TABLE account
    ADD COLUMN bank_currency  varchar(3) CHECK (bank_currency ~ '^[A-Z]{3}$'),
    ADD COLUMN bank_name      varchar(80) NOT NULL DEFAULT '',
    ADD COLUMN bank_last_four varchar(4) NOT NULL DEFAULT '',
    ADD COLUMN bank_mapping   varchar(120) NOT NULL DEFAULT '', -- how its CSV files are read
    ADD COLUMN bank_since     date,
    ADD COLUMN bank_opening   bigint NOT NULL DEFAULT 0,
    ADD COLUMN bank_stated    bigint, -- the newest balance that a file told of
    ADD COLUMN bank_stated_on date,
    ADD CHECK (bank_currency IS NULL OR kind::text = 'asset'),
    ADD CHECK ((bank_stated IS NULL) = (bank_stated_on IS NULL));

-- What the account is reconciled with: its lines come to the closing balance.
CREATE TABLE bank_statement (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES account,
    ends_on     date NOT NULL,
    opening     bigint NOT NULL,
    closing     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    finished_by uuid,
    version     integer NOT NULL DEFAULT 1
);

-- A line of a bank's file. It never changes; what it is matched with does. fingerprint is a digest of what makes it
-- that line and no other, so that no file brings it twice.
CREATE TABLE bank_line (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES account,
    fingerprint  uuid NOT NULL,
    date         date NOT NULL,
    amount       bigint NOT NULL CHECK (amount <> 0),
    memo         varchar(240) NOT NULL DEFAULT '',
    party_name   varchar(80) NOT NULL DEFAULT '',
    reference    varchar(50) NOT NULL DEFAULT '',
    how          varchar(8) CHECK (how::text IN ('payment', 'entry', 'booked', 'transfer', 'excluded')),
    entry_id     uuid REFERENCES journal_entry,
    rule_id      uuid, -- the rule that booked it; it may be gone
    statement_id uuid REFERENCES bank_statement,
    added_at     timestamptz NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    UNIQUE (account_id, fingerprint),
    CHECK ((entry_id IS NULL) = (how IS NULL OR how::text = 'excluded')),
    CHECK (statement_id IS NULL OR entry_id IS NOT NULL)
);

CREATE TABLE bank_rule (
    id          uuid PRIMARY KEY,
    position    integer NOT NULL,
    account_id  uuid REFERENCES account, -- of this bank account alone, or of all
    words       varchar(80) NOT NULL,
    way         varchar(8) NOT NULL CHECK (way::text IN ('contains', 'starts', 'equals')),
    direction   varchar(3) NOT NULL DEFAULT '' CHECK (direction::text IN ('', 'in', 'out')),
    least       numeric(18, 4) CHECK (least >= 0),
    most        numeric(18, 4) CHECK (most >= least),
    book_to     uuid NOT NULL REFERENCES account,
    description varchar(120) NOT NULL DEFAULT '',
    automatic   boolean NOT NULL DEFAULT false,
    version     integer NOT NULL DEFAULT 1
);

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON bank_statement, bank_rule TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE (how, entry_id, rule_id, statement_id, version) ON bank_line TO %I', tenant);
END $$;

-- +goose StatementEnd
