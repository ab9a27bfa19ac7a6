-- What one payment settles, whose gain is told when its rate comes, and since when late fees are charged.
-- +goose Up
-- +goose StatementBegin

-- The part whose gain or loss on foreign currency nobody can tell yet, because a rate is not known.
ALTER TABLE payment_allocation ADD COLUMN unrealised bigint NOT NULL DEFAULT 0;
ALTER TABLE credit_allocation ADD COLUMN unrealised bigint NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN unrealised bigint NOT NULL DEFAULT 0; -- of money given back out of credit

UPDATE payment_allocation a SET unrealised = a.amount
  FROM payment y, document d, settings s
 WHERE y.id = a.payment_id AND d.id = a.document_id AND d.currency <> s.base_currency
   AND (y.base_rate IS NULL OR d.base_rate IS NULL);

-- As in 00013, for what gateways gave back since.
UPDATE payment y SET refund_of = c.payment_id
  FROM gateway_movement m
  JOIN gateway_movement c ON c.intent_id = m.intent_id AND c.kind::text = 'charge'
 WHERE m.payment_id = y.id AND m.kind::text IN ('refund', 'dispute', 'reinstated') AND c.payment_id <> y.id AND y.refund_of IS NULL;

ALTER TABLE settings ADD COLUMN late_fee_since date; -- what was due for a fee before is not charged

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT UPDATE (unrealised) ON payment TO %I', tenant);
END $$;

-- +goose StatementEnd
