-- Whoever has a customer's data erased leaves nothing behind at the platform either: sessions, codes for phone numbers, and
-- the links that their people were mailed.
-- +goose Up
-- +goose StatementBegin

-- Forgets the sessions and codes of a customer of this organization; they are signed out with it.
CREATE FUNCTION platform.forget_customer(customer uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    DELETE FROM customer_session s WHERE s.organization_id = here AND s.customer_id = customer;
    DELETE FROM customer_code c WHERE c.organization_id = here AND c.customer_id = customer;
END $$;

-- Forgets the links that one of a customer's people was sent, by this organization.
CREATE FUNCTION platform.forget_contact(contact uuid, address varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    DELETE FROM contact_link l WHERE l.organization_id = platform.current_organization()
       AND (l.contact_id = contact OR l.email = address);
END $$;

-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.forget_customer, platform.forget_contact TO PUBLIC;

-- +goose StatementEnd
