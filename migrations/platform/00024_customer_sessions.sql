-- How an organization's customers get in at its own host: their sessions and the links that they are mailed. The
-- people themselves are in the organization's own schema. Only hashes of sessions and links are kept.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.customer_session (
    token_hash      bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    organization_id uuid NOT NULL REFERENCES platform.organization,
    contact_id      uuid NOT NULL, -- in the organization's own schema: who it is, and of which customer
    customer_id     uuid NOT NULL,
    rights          smallint NOT NULL CHECK (rights BETWEEN 0 AND 255), -- the contact's, changed with them
    access_version  bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    idle_seconds    integer NOT NULL CHECK (idle_seconds > 0),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz
);
CREATE INDEX customer_session_contact ON platform.customer_session (organization_id, contact_id);

CREATE TABLE platform.contact_link (
    token_hash      bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    organization_id uuid NOT NULL REFERENCES platform.organization,
    kind            varchar(10) NOT NULL CHECK (kind::text IN ('invite', 'recover', 'sign_up')),
    email           varchar(254) NOT NULL,
    contact_id      uuid, -- none: nobody has the address; the row then only counts that it was asked for
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX contact_link_email ON platform.contact_link (organization_id, email);

GRANT SELECT ON platform.customer_session TO countinghouse_app;
GRANT UPDATE (last_seen_at) ON platform.customer_session TO countinghouse_app;

-- As session_alive, for a customer.
CREATE FUNCTION platform.customer_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT s.access_version INTO access_version FROM customer_session s
     WHERE s.token_hash = token AND s.organization_id = organization AND s.ended_at IS NULL AND s.expires_at > at
       AND s.last_seen_at + make_interval(secs => s.idle_seconds) > at;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- Whoever comes to an organization's own host is let as far as its door, while it is open.
CREATE FUNCTION platform.visitor_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT 1, o.policy_version INTO access_version, policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- Opens a session of a contact of this organization, and forgets those that are long over.
CREATE FUNCTION platform.open_customer_session(token bytea, contact uuid, customer uuid, contact_rights integer,
    at timestamptz, idle integer, expiry timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    DELETE FROM customer_session s WHERE s.organization_id = here AND s.contact_id = contact
       AND s.expires_at < at - interval '30 days';
    INSERT INTO customer_session (token_hash, organization_id, contact_id, customer_id, rights, created_at, last_seen_at, idle_seconds, expires_at)
    VALUES (token, here, contact, customer, contact_rights, at, at, idle, expiry);
END $$;

-- Ends the sessions of a contact of this organization, all or the one with that token, and says how many there were.
CREATE FUNCTION platform.end_customer_sessions(contact uuid, token bytea, at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE ended integer;
BEGIN
    UPDATE customer_session s SET ended_at = at, access_version = s.access_version + 1
     WHERE s.organization_id = platform.current_organization() AND s.contact_id = contact AND s.ended_at IS NULL
       AND (token IS NULL OR s.token_hash = token);
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;

-- What a contact of this organization may do, from their next request on.
CREATE FUNCTION platform.set_customer_rights(contact uuid, contact_rights integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE customer_session s SET rights = contact_rights, access_version = s.access_version + 1
     WHERE s.organization_id = platform.current_organization() AND s.contact_id = contact AND s.ended_at IS NULL;
END $$;

-- Keeps a link for an address of this organization, unless so many were asked for since then. Asking and counting are
-- one: callers that come at once wait for each other.
CREATE FUNCTION platform.open_contact_link(token bytea, link_kind varchar, address varchar, contact uuid, at timestamptz,
    expiry timestamptz, since timestamptz, most integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('contact_link ' || here || ' ' || address, 0));
    DELETE FROM contact_link l WHERE l.organization_id = here AND l.expires_at < at - interval '7 days';
    IF (SELECT count(*) FROM contact_link l WHERE l.organization_id = here AND l.email = address AND l.created_at > since) >= most THEN
        RETURN false;
    END IF;
    INSERT INTO contact_link (token_hash, organization_id, kind, email, contact_id, created_at, expires_at)
    VALUES (token, here, link_kind, address, contact, at, expiry);
    RETURN true;
END $$;

-- What an open link of this organization is for; no row: it is none, or no longer. With use it is good no more, and
-- neither is any other that the address was sent.
CREATE FUNCTION platform.take_contact_link(token bytea, at timestamptz, use boolean)
RETURNS TABLE (kind varchar, email varchar, contact_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    here  uuid := platform.current_organization();
    held  contact_link;
BEGIN
    SELECT * INTO held FROM contact_link l
     WHERE l.token_hash = token AND l.organization_id = here AND l.used_at IS NULL AND l.expires_at > at FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF use THEN
        UPDATE contact_link l SET used_at = at WHERE l.organization_id = here AND l.email = held.email AND l.used_at IS NULL;
    END IF;
    RETURN QUERY SELECT held.kind, held.email, held.contact_id;
END $$;

-- Ends the open links of a contact of this organization.
CREATE FUNCTION platform.end_contact_links(contact uuid, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE contact_link l SET used_at = at
     WHERE l.organization_id = platform.current_organization() AND l.contact_id = contact AND l.used_at IS NULL;
END $$;

-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.open_customer_session, platform.end_customer_sessions, platform.set_customer_rights,
    platform.open_contact_link, platform.take_contact_link, platform.end_contact_links TO PUBLIC;

-- +goose StatementEnd
