-- The people of a customer, who get in at the organization's own host; and what is sold there.
-- +goose Up
-- +goose StatementBegin

-- Its widest row stays below 2,000 bytes, so that it needs no TOAST.
CREATE TABLE contact (
    id            uuid PRIMARY KEY,
    party_id      uuid NOT NULL REFERENCES party,
    name          varchar(100) NOT NULL DEFAULT '',
    email         varchar(254) NOT NULL, -- normalized; where letters go and what they sign in with
    password_hash varchar(100), -- a PHC string; none: invited, and not come yet
    rights        smallint NOT NULL CHECK (rights BETWEEN 0 AND 255), -- a bit for each function, as billing/contact names them
    created_at    timestamptz NOT NULL,
    seen_at       timestamptz, -- when they last signed in
    removed_at    timestamptz,
    version       integer NOT NULL DEFAULT 1
);
-- One address gets in once. Who was removed may be invited again, as someone new.
CREATE UNIQUE INDEX contact_email ON contact (lower(email)) WHERE removed_at IS NULL;

ALTER TABLE settings
    ADD COLUMN portal_sign_up boolean NOT NULL DEFAULT false, -- customers may register by themselves
    ADD COLUMN shop_open      boolean NOT NULL DEFAULT false,
    ADD COLUMN portal_version integer NOT NULL DEFAULT 1;

ALTER TABLE product
    ADD COLUMN in_shop         boolean NOT NULL DEFAULT false,
    ADD COLUMN product_type    varchar(30) NOT NULL DEFAULT '',
    ADD COLUMN recurring_unit  varchar(5) NOT NULL DEFAULT '' CHECK (recurring_unit::text IN ('', 'day', 'week', 'month', 'year')), -- none: sold once
    ADD COLUMN recurring_every smallint NOT NULL DEFAULT 1 CHECK (recurring_every BETWEEN 1 AND 365),
    ADD COLUMN tax_codes       varchar(170) NOT NULL DEFAULT ''; -- what is added in the shop, divided by spaces

-- Who ordered, and why an order waits for a person or was refused.
ALTER TABLE document
    ADD COLUMN contact_id uuid REFERENCES contact,
    ADD COLUMN held_for   varchar(400) NOT NULL DEFAULT '';

-- What is issued has left the house: it may be settled and closed, and is otherwise as it was. An order that is placed or
-- held is done or refused once.
CREATE OR REPLACE FUNCTION check_document_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    may_change text[] := ARRAY['settled', 'version', 'state', 'written_off', 'closed_at', 'closing_entry_id', 'accepted_by', 'base_rate', 'held_for'];
BEGIN
    IF OLD.state::text = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - may_change) <> (to_jsonb(OLD) - may_change)
       OR NEW.state <> OLD.state AND (OLD.state::text <> 'issued' OR NEW.state::text = 'draft')
          AND (OLD.state::text NOT IN ('placed', 'held') OR NEW.state::text NOT IN ('placed', 'held', 'refused', 'done'))
       OR OLD.base_rate IS NOT NULL AND NEW.base_rate IS DISTINCT FROM OLD.base_rate THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON contact TO %I', tenant);
END $$;

-- +goose StatementEnd
