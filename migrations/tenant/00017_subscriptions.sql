-- What is billed again and again: to whom, how often, for what, and which period has which invoice.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE subscription (
    id             uuid PRIMARY KEY,
    customer_id    uuid NOT NULL REFERENCES party,
    state          varchar(8) NOT NULL CHECK (state::text IN ('trialing', 'active', 'paused', 'ended')),
    unit           varchar(5) NOT NULL CHECK (unit::text IN ('day', 'week', 'month', 'year')),
    every          smallint NOT NULL CHECK (every BETWEEN 1 AND 365),
    anchor         date NOT NULL,            -- the first day of period 0; all others are counted from it
    month_end      boolean NOT NULL,         -- periods begin on the last day of a month
    started_on     date NOT NULL,            -- before the anchor: a trial
    next_period    integer NOT NULL CHECK (next_period >= 0),
    next_on        date,                     -- when the next period begins and is invoiced
    usage_from     date NOT NULL,            -- usage before this day has been invoiced, or never will be
    cancel_at_end  boolean NOT NULL DEFAULT false,
    ended_on       date,
    currency       varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    coupon_percent numeric(9, 6) NOT NULL DEFAULT 0 CHECK (coupon_percent BETWEEN 0 AND 100),
    coupon_amount  bigint NOT NULL DEFAULT 0 CHECK (coupon_amount >= 0),
    coupon_left    smallint NOT NULL DEFAULT 0 CHECK (coupon_left >= 0), -- periods; 0 with a coupon: for good
    credit         bigint NOT NULL DEFAULT 0 CHECK (credit >= 0),        -- to be taken off the next invoices
    collect        boolean NOT NULL,
    send           boolean NOT NULL,
    problem        varchar(60) NOT NULL DEFAULT '', -- the code of why the last invoice could not be made, sent or charged
    created_at     timestamptz NOT NULL,
    version        integer NOT NULL DEFAULT 1,
    CHECK ((state::text = 'ended') = (next_on IS NULL)),
    CHECK ((state::text = 'ended') = (ended_on IS NOT NULL))
);
CREATE INDEX subscription_due ON subscription (next_on) WHERE state::text IN ('trialing', 'active');

-- What a subscription is for. Each change makes a row of its own, from a period on. A row for once is a line of the next
-- invoice alone.
CREATE TABLE subscription_item (
    id              uuid PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES subscription,
    item_id         uuid NOT NULL, -- the same for all rows of one thing
    from_period     integer NOT NULL,
    to_period       integer,
    product_id      uuid REFERENCES product,
    description     varchar(250) NOT NULL,
    quantity        numeric(18, 6) NOT NULL CHECK (quantity >= 0), -- 0: metered
    unit_price      numeric(18, 6) NOT NULL CHECK (unit_price >= 0),
    tax_codes       varchar(170) NOT NULL, -- divided by spaces
    metered         varchar(6) NOT NULL CHECK (metered::text IN ('', 'sum', 'max', 'last', 'unique')),
    once            boolean NOT NULL DEFAULT false,
    document_id     uuid REFERENCES document, -- for once: the invoice that it came on
    CHECK (to_period >= from_period),
    CHECK (once OR document_id IS NULL)
);
CREATE INDEX subscription_item_subscription ON subscription_item (subscription_id);

-- One row, and so one invoice at most, for each period: written in the same transaction as the invoice.
CREATE TABLE subscription_period (
    subscription_id uuid NOT NULL REFERENCES subscription,
    period          integer NOT NULL CHECK (period >= 0),
    from_date       date NOT NULL,
    to_date         date NOT NULL, -- the last day
    coupon_percent  numeric(9, 6) NOT NULL, -- that was taken off
    document_id     uuid REFERENCES document, -- none: there was nothing to charge
    closing         boolean NOT NULL DEFAULT false, -- the last: what was still to be charged
    PRIMARY KEY (subscription_id, period)
);

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON subscription TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_item TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON subscription_period TO %I', tenant);
END $$;

-- +goose StatementEnd
