-- What a coupon took off a period as an amount, so that what is given back of the period is less by its part.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE subscription_period ADD COLUMN coupon_amount bigint NOT NULL DEFAULT 0 CHECK (coupon_amount >= 0);

-- +goose StatementEnd
