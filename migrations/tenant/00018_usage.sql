-- What customers used of what is metered.
-- +goose Up
-- +goose StatementBegin

-- The caller's own key makes each event count once, however often it is sent.
CREATE TABLE usage_event (
    subscription_id uuid NOT NULL REFERENCES subscription,
    key             varchar(100) NOT NULL,
    item_id         uuid NOT NULL, -- of subscription_item
    at              timestamptz NOT NULL,
    used_on         date NOT NULL, -- at, on the organization's calendar
    quantity        numeric(18, 6) NOT NULL CHECK (quantity >= 0),
    value           varchar(100) NOT NULL DEFAULT '', -- what "unique" counts
    PRIMARY KEY (subscription_id, key)
);
CREATE INDEX usage_event_item ON usage_event (item_id, used_on);

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON usage_event TO %I', tenant);
END $$;

-- +goose StatementEnd
