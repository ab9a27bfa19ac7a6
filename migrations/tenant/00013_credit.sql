-- Credit: what of an invoice was taken back, and money that belongs to no invoice yet.
-- +goose Up
-- +goose StatementBegin

-- Which line of its invoice a credit note's line takes back, so that no more is taken back than was there.
ALTER TABLE document_line ADD COLUMN origin_line smallint CHECK (origin_line > 0);

-- Of money given back: the payment that it was taken from.
ALTER TABLE payment ADD COLUMN refund_of uuid REFERENCES payment;
CREATE INDEX payment_refund_of ON payment (refund_of) WHERE refund_of IS NOT NULL;

-- When a payment began to settle a document, where that was after the payment.
ALTER TABLE payment_allocation ADD COLUMN date date;

-- What gateways gave back before belongs to the charge.
UPDATE payment y SET refund_of = c.payment_id
  FROM gateway_movement m
  JOIN gateway_movement c ON c.intent_id = m.intent_id AND c.kind::text = 'charge'
 WHERE m.payment_id = y.id AND m.kind::text IN ('refund', 'dispute', 'reinstated') AND c.payment_id <> y.id;

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT UPDATE, DELETE ON payment_allocation TO %I', tenant);
END $$;

-- +goose StatementEnd
