-- A number that is asked for when customers register, and what holds an order for a person's review.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE settings
    ADD COLUMN phone_join       boolean NOT NULL DEFAULT false, -- whoever registers by themselves verifies a number first
    -- More than so many within the hours hold an order. 0: not looked at.
    ADD COLUMN review_hours     smallint NOT NULL DEFAULT 24 CHECK (review_hours BETWEEN 1 AND 168),
    ADD COLUMN review_orders    smallint NOT NULL DEFAULT 0 CHECK (review_orders BETWEEN 0 AND 1000),
    ADD COLUMN review_cards     smallint NOT NULL DEFAULT 0 CHECK (review_cards BETWEEN 0 AND 1000),
    ADD COLUMN review_addresses smallint NOT NULL DEFAULT 0 CHECK (review_addresses BETWEEN 0 AND 1000),
    ADD COLUMN review_countries smallint NOT NULL DEFAULT 0 CHECK (review_countries BETWEEN 0 AND 1000),
    ADD COLUMN review_version   integer NOT NULL DEFAULT 1;

ALTER TABLE party
    ADD COLUMN phone_asked boolean NOT NULL DEFAULT false; -- they registered while a number was asked for

-- Where an order came from, by which others of the same network are found.
ALTER TABLE document
    ADD COLUMN ordered_network varchar(43) NOT NULL DEFAULT '', -- an IPv4 address or an IPv6 /64; empty: not known, or erased
    ADD COLUMN ordered_country varchar(2) NOT NULL DEFAULT '';  -- of that network

-- As before, and where an order came from can be erased.
CREATE OR REPLACE FUNCTION check_document_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    may_change text[] := ARRAY['settled', 'version', 'state', 'written_off', 'closed_at', 'closing_entry_id', 'accepted_by', 'base_rate', 'held_for'];
    may_empty  text[] := ARRAY['ordered_network', 'ordered_country'];
BEGIN
    IF OLD.state::text = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - may_change - may_empty) <> (to_jsonb(OLD) - may_change - may_empty)
       OR NEW.ordered_network NOT IN (OLD.ordered_network, '') OR NEW.ordered_country NOT IN (OLD.ordered_country, '')
       OR NEW.state <> OLD.state AND (OLD.state::text <> 'issued' OR NEW.state::text = 'draft')
          AND (OLD.state::text NOT IN ('placed', 'held') OR NEW.state::text NOT IN ('placed', 'held', 'refused', 'done'))
       OR OLD.base_rate IS NOT NULL AND NEW.base_rate IS DISTINCT FROM OLD.base_rate THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

-- +goose StatementEnd
