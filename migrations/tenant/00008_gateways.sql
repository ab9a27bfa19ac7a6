-- Money that comes through payment gateways: with which, by what, and what became of each order.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE gateway_account (
    id           uuid PRIMARY KEY,
    kind         varchar(10) NOT NULL CHECK (kind::text IN ('stripe', 'practice', 'transfer')),
    name         varchar(60) NOT NULL,
    sealed       varchar(4000) NOT NULL DEFAULT '', -- its credentials; none for transfers
    hint         varchar(12) NOT NULL DEFAULT '',   -- the last characters of its key
    instructions varchar(1000) NOT NULL DEFAULT '', -- how to send a transfer
    account_id   uuid NOT NULL REFERENCES account,  -- where the money is meanwhile
    created_at   timestamptz NOT NULL,
    archived_at  timestamptz,
    version      integer NOT NULL DEFAULT 1,
    CHECK ((kind::text = 'transfer') = (sealed = ''))
);

-- What a customer left to be charged. Secrets are sealed; what lists show is not.
CREATE TABLE payment_method (
    id                 uuid PRIMARY KEY,
    customer_id        uuid NOT NULL REFERENCES party,
    gateway_account_id uuid REFERENCES gateway_account, -- none: a bank account that is paid into or from by hand
    kind               varchar(10) NOT NULL CHECK (kind::text IN ('token', 'iban', 'us_bank', 'card')),
    brand              varchar(20) NOT NULL,
    last_four          varchar(4) NOT NULL,
    expires            varchar(7) NOT NULL DEFAULT '', -- YYYY-MM
    sealed             varchar(400) NOT NULL,
    automatic          boolean NOT NULL DEFAULT false, -- it may be charged for what is due
    created_at         timestamptz NOT NULL,
    archived_at        timestamptz,
    version            integer NOT NULL DEFAULT 1
);
CREATE INDEX payment_method_customer ON payment_method (customer_id) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX payment_method_automatic ON payment_method (customer_id) WHERE automatic AND archived_at IS NULL;

-- An order to a gateway, written before it is given. Its id is the key that the gateway knows it by.
CREATE TABLE payment_intent (
    id                 uuid PRIMARY KEY,
    kind               varchar(8) NOT NULL CHECK (kind::text IN ('charge', 'page', 'refund')),
    state              varchar(10) NOT NULL CHECK (state::text IN
                           ('ready', 'called', 'unknown', 'waiting', 'succeeded', 'declined', 'failed')),
    gateway_account_id uuid NOT NULL REFERENCES gateway_account,
    customer_id        uuid NOT NULL REFERENCES party,
    document_id        uuid NOT NULL REFERENCES document,
    method_id          uuid REFERENCES payment_method,
    charge_id          uuid REFERENCES payment_intent, -- of a refund: what is given back
    currency           varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount             bigint NOT NULL CHECK (amount > 0),
    ref                varchar(100) NOT NULL DEFAULT '', -- the gateway's name for it
    reason             varchar(60) NOT NULL DEFAULT '',
    keep               boolean NOT NULL DEFAULT false, -- the customer lets the card be charged again
    created_at         timestamptz NOT NULL,
    called_at          timestamptz,
    settled_at         timestamptz,
    CHECK ((kind::text = 'refund') = (charge_id IS NOT NULL)),
    CHECK ((settled_at IS NOT NULL) = (state::text IN ('succeeded', 'declined', 'failed')))
);
-- One charge of an invoice at a time: two servers that begin one at once begin one. Refunds stand for themselves;
-- they are in the index so that what is still open is found by it.
CREATE UNIQUE INDEX payment_intent_live ON payment_intent
    ((CASE WHEN kind::text = 'refund' THEN id ELSE document_id END)) WHERE settled_at IS NULL;
CREATE INDEX payment_intent_document ON payment_intent (document_id, id);

-- What a gateway moved, each movement once whatever and how often it is told of. Posted in the same transaction.
CREATE TABLE gateway_movement (
    gateway_account_id uuid NOT NULL REFERENCES gateway_account,
    kind               varchar(12) NOT NULL CHECK (kind::text IN ('charge', 'fee', 'refund', 'dispute', 'reinstated')),
    ref                varchar(100) NOT NULL,
    intent_id          uuid NOT NULL REFERENCES payment_intent, -- the charge, for what follows from it too
    currency           varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount             bigint NOT NULL CHECK (amount <> 0), -- what the gateway owes us more or, below zero, less
    payment_id         uuid REFERENCES payment,
    entry_id           uuid NOT NULL REFERENCES journal_entry,
    at                 timestamptz NOT NULL,
    PRIMARY KEY (gateway_account_id, kind, ref)
);
CREATE INDEX gateway_movement_intent ON gateway_movement (intent_id);

-- How far the collection of an overdue invoice has come. No row: it has not begun.
CREATE TABLE collection (
    document_id uuid PRIMARY KEY REFERENCES document,
    state       varchar(8) NOT NULL CHECK (state::text IN ('running', 'stopped', 'done')),
    step        smallint NOT NULL DEFAULT 0 CHECK (step >= 0),
    next_on     date,
    reason      varchar(60) NOT NULL DEFAULT '',
    changed_at  timestamptz NOT NULL,
    CHECK ((state::text = 'running') = (next_on IS NOT NULL))
);

-- Money given back is a payment below zero: what an invoice is settled by stays the sum of its payments.
ALTER TABLE payment DROP CONSTRAINT payment_amount_check,
    ADD CONSTRAINT payment_amount_check CHECK (amount <> 0);
ALTER TABLE payment_allocation DROP CONSTRAINT payment_allocation_amount_check,
    ADD CONSTRAINT payment_allocation_amount_check CHECK (amount <> 0);

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_source_kind_check,
    ADD CONSTRAINT journal_entry_source_kind_check
        CHECK (source_kind::text IN ('manual', 'reversal', 'invoice', 'payment', 'gateway'));

-- Whether what is overdue is charged and reminded of by itself.
ALTER TABLE settings ADD COLUMN collect_automatically boolean NOT NULL DEFAULT false;

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON gateway_account, payment_method, payment_intent, collection TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON gateway_movement TO %I', tenant);
END $$;

-- +goose StatementEnd
