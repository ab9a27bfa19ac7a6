-- Codes that show a customer's phone number to be theirs, before they pay. What was sent and guessed is counted here, for
-- all replicas, and for all organizations where it concerns a number: whoever has it may never have heard of any of them.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.customer_code (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES platform.organization,
    customer_id     uuid NOT NULL, -- in the organization's own schema
    number          varchar(16) NOT NULL, -- E.164
    network         varchar(43) NOT NULL, -- it was asked for from: an IPv4 address or an IPv6 /64; empty: not known
    code_hash       bytea NOT NULL CHECK (length(code_hash) = 32), -- keyed
    tries           smallint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX customer_code_customer ON platform.customer_code (organization_id, customer_id, created_at);
CREATE INDEX customer_code_number ON platform.customer_code (number, created_at);
CREATE INDEX customer_code_network ON platform.customer_code (organization_id, network, created_at);

-- Keeps a new code of a customer of this organization, which ends those before it. Anything but the empty text says why
-- not: soon, number, network or customer. The locks let one transaction at a time count, always in this order.
CREATE FUNCTION platform.begin_customer_code(code uuid, customer uuid, to_number varchar, from_address varchar, hash bytea, at timestamptz,
    lifetime integer, delay integer, number_day integer, network_day integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    here  uuid := platform.current_organization();
    home  varchar := '';
    day   timestamptz := at - interval '1 day';
    mine  integer;
    total integer;
    last  timestamptz;
    own   timestamptz;
BEGIN
    IF here IS NULL THEN
        RAISE EXCEPTION 'not in an organization' USING ERRCODE = '42501';
    END IF;
    IF from_address <> '' THEN
        home := CASE WHEN family(from_address::inet) = 6 THEN network(set_masklen(from_address::inet, 64))::text ELSE host(from_address::inet) END;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('customer code to ' || to_number, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('customer code from ' || here || ' ' || home, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('customer code of ' || here || ' ' || customer, 0));
    DELETE FROM customer_code c WHERE c.organization_id = here AND c.created_at < at - interval '2 days';
    SELECT count(*) FILTER (WHERE c.organization_id = here), count(*), max(c.created_at) INTO mine, total, last
      FROM customer_code c WHERE c.number = to_number AND c.created_at > day;
    IF mine >= number_day OR total >= 20 THEN
        RETURN 'number';
    END IF;
    IF home <> '' AND (SELECT count(*) FROM customer_code c
        WHERE c.organization_id = here AND c.network = home AND c.created_at > day) >= network_day THEN
        RETURN 'network';
    END IF;
    SELECT count(*), max(c.created_at) INTO mine, own FROM customer_code c
     WHERE c.organization_id = here AND c.customer_id = customer AND c.created_at > day;
    IF mine >= 2 * number_day THEN
        RETURN 'customer';
    END IF;
    IF greatest(last, own) > at - make_interval(secs => delay) THEN
        RETURN 'soon';
    END IF;
    UPDATE customer_code c SET expires_at = at
     WHERE c.organization_id = here AND c.customer_id = customer AND c.used_at IS NULL AND c.expires_at > at;
    INSERT INTO customer_code (id, organization_id, customer_id, number, network, code_hash, created_at, expires_at)
    VALUES (code, here, customer, to_number, home, hash, at, at + make_interval(secs => lifetime));
    RETURN '';
END $$;

-- Counts a try at the code that this customer has, before it is looked at. No row: there is none, or none with a try left.
CREATE FUNCTION platform.try_customer_code(customer uuid, at timestamptz, most integer)
RETURNS TABLE (id uuid, number varchar, code_hash bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
    UPDATE customer_code c SET tries = c.tries + 1
     WHERE c.organization_id = platform.current_organization() AND c.customer_id = customer
       AND c.used_at IS NULL AND c.expires_at > at AND c.tries < most
    RETURNING c.id, c.number, c.code_hash;
$$;

-- Uses a code up; false when another was faster.
CREATE FUNCTION platform.use_customer_code(code uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE customer_code c SET used_at = at
     WHERE c.id = code AND c.organization_id = platform.current_organization() AND c.used_at IS NULL AND c.expires_at > at;
    RETURN FOUND;
END $$;

GRANT EXECUTE ON FUNCTION platform.begin_customer_code, platform.try_customer_code, platform.use_customer_code TO PUBLIC;

-- +goose StatementEnd
