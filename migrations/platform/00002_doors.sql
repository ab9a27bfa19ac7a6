-- The doors between a tenant's transaction and the platform. Each takes the organization from the role that
-- the transaction entered, never from an argument; each runs as the owner with a fixed search path.
-- +goose Up
-- +goose StatementBegin

-- Is this credential good at this moment for this organization, and which versions of its rights are in
-- force? No row: it is not. Reads one row of each table by its key.
CREATE FUNCTION platform.session_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT s.access_version INTO access_version FROM session s
     WHERE s.token_hash = token AND s.ended_at IS NULL AND s.expires_at > at
       AND s.last_seen_at + make_interval(secs => s.idle_seconds) > at;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

CREATE FUNCTION platform.token_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT t.access_version INTO access_version FROM api_token t
     WHERE t.token_hash = token AND t.organization_id = organization AND t.revoked_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > at);
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- The operator's command line has no credential of its own: only the organization's state is asked.
CREATE FUNCTION platform.organization_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT 1, o.policy_version INTO access_version, policy_version FROM organization o
     WHERE o.id = organization AND o.state::text IN ('active', 'suspended');
END $$;

-- Gives a ready schema of the caller's compartment to a new organization: one row changes. No row: none is
-- ready there.
CREATE FUNCTION platform.claim_organization(new_slug varchar, new_name varchar, at timestamptz,
    OUT id uuid, OUT schema_name varchar)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE organization o SET slug = new_slug, name = new_name, state = 'active', claimed_at = at
     WHERE o.id = (SELECT r.id FROM organization r JOIN compartment c ON c.id = r.compartment_id
                    WHERE c.login = session_user AND r.state::text = 'ready'
                    ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
    RETURNING o.id, o.schema_name INTO id, schema_name;
END $$;

-- The organization whose role this transaction entered.
CREATE FUNCTION platform.current_organization() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE found uuid;
BEGIN
    SELECT o.id INTO found FROM organization o WHERE o.schema_name = current_setting('role');
    IF found IS NULL THEN
        RAISE EXCEPTION 'this transaction is in no organization' USING ERRCODE = '42501';
    END IF;
    RETURN found;
END $$;

-- Adds a member or changes what they may do; every credential of theirs is decided anew from the next
-- request on.
CREATE FUNCTION platform.set_member(person uuid, new_role varchar, new_state varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    INSERT INTO membership (organization_id, person_id, role, state) VALUES (here, person, new_role, new_state)
    ON CONFLICT (organization_id, person_id) DO UPDATE SET role = EXCLUDED.role, state = EXCLUDED.state;
    UPDATE session SET access_version = access_version + 1 WHERE person_id = person AND ended_at IS NULL;
    UPDATE api_token SET access_version = access_version + 1
     WHERE person_id = person AND organization_id = here AND revoked_at IS NULL;
    -- A session or token that is made in this very moment is not seen above: let everyone be decided anew.
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
END $$;

-- The name people read may change; the address (slug) does not.
CREATE FUNCTION platform.rename_organization(new_name varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE organization SET name = new_name, policy_version = policy_version + 1
     WHERE id = platform.current_organization();
END $$;

-- Keeps a new API token of an active member of this organization.
CREATE FUNCTION platform.add_api_token(token bytea, token_id uuid, person uuid, token_name varchar,
    token_hint varchar, token_scopes varchar[], at timestamptz, expiry timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    PERFORM FROM membership m
      WHERE m.organization_id = here AND m.person_id = person AND m.state::text = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not an active member' USING ERRCODE = '42501';
    END IF;
    INSERT INTO api_token (token_hash, id, organization_id, person_id, name, hint, scopes, created_at, expires_at)
    VALUES (token, token_id, here, person, token_name, token_hint, token_scopes, at, expiry);
END $$;

-- Ends a token of this organization. False: there is no such token, or it has ended already.
CREATE FUNCTION platform.revoke_api_token(wanted uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE api_token t SET revoked_at = at, access_version = t.access_version + 1
     WHERE t.id = wanted AND t.organization_id = platform.current_organization() AND t.revoked_at IS NULL;
    RETURN FOUND;
END $$;

-- The tokens of this organization, newest first, without anything that would open a door.
CREATE FUNCTION platform.list_api_tokens()
RETURNS TABLE (id uuid, person_id uuid, name varchar, hint varchar, scopes varchar[], created_at timestamptz,
    expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT t.id, t.person_id, t.name, t.hint, t.scopes, t.created_at, t.expires_at,
        t.last_used_at, t.revoked_at
      FROM api_token t WHERE t.organization_id = platform.current_organization() ORDER BY t.id DESC;
END $$;

-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.set_member, platform.rename_organization, platform.add_api_token,
    platform.revoke_api_token, platform.list_api_tokens TO PUBLIC;

-- +goose StatementEnd
