-- Roles of an organization's own, invitations, and a last owner whom nobody can take away.
-- +goose Up
-- +goose StatementBegin

-- The index of every tenant's own table of roles, changed in the same transaction (set_role): what a role may do
-- is read together with who holds it, as they enter.
CREATE TABLE platform.own_role (
    organization_id uuid NOT NULL REFERENCES platform.organization,
    role            varchar(40) NOT NULL CHECK (role ~ '^own:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    rights          varchar(1000) NOT NULL,
    PRIMARY KEY (organization_id, role)
);

-- A mailed link by which somebody joins an organization, or takes it over from its owner.
CREATE TABLE platform.invitation (
    token_hash      bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    id              uuid NOT NULL UNIQUE,
    organization_id uuid NOT NULL REFERENCES platform.organization,
    kind            varchar(10) NOT NULL CHECK (kind::text IN ('join', 'handover')),
    email           varchar(254) NOT NULL,
    role            varchar(40) NOT NULL,
    role_title      varchar(60) NOT NULL, -- as it was called then, for who is invited
    invited_by      uuid NOT NULL REFERENCES platform.person, -- whoever sent it last
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    outcome         varchar(10) CHECK (outcome::text IN ('accepted', 'revoked', 'void', 'expired')),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX invitation_open ON platform.invitation (organization_id, kind, email) WHERE ended_at IS NULL;
CREATE INDEX invitation_organization ON platform.invitation (organization_id, id);

GRANT SELECT ON platform.own_role, platform.invitation TO countinghouse_app;

-- Is this invitation open at this moment? As session_alive: no row is no.
CREATE FUNCTION platform.invitation_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT 1 INTO access_version FROM invitation i
     WHERE i.token_hash = token AND i.organization_id = organization AND i.ended_at IS NULL AND i.expires_at > at;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- Lets changes of rights in one organization follow each other: each sees what the one before left, and the
-- version tells the caller whether what they may do was decided before it.
CREATE FUNCTION platform.lock_rights() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE version bigint;
BEGIN
    SELECT o.policy_version INTO version FROM organization o
     WHERE o.id = platform.current_organization() FOR NO KEY UPDATE;
    RETURN version;
END $$;

CREATE FUNCTION platform.check_owner(here uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM FROM membership m
      WHERE m.organization_id = here AND m.role::text = 'owner' AND m.state::text = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an organization keeps an owner' USING ERRCODE = '23514', CONSTRAINT = 'last_owner';
    END IF;
END $$;

-- As before, and: the organization's row is taken first, so that two who change members at once follow each other;
-- a role of its own must be there; an owner stays.
CREATE OR REPLACE FUNCTION platform.set_member(person uuid, new_role varchar, new_state varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
    IF new_role LIKE 'own:%' THEN
        PERFORM FROM own_role o WHERE o.organization_id = here AND o.role = new_role;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no such role' USING ERRCODE = '23503', CONSTRAINT = 'membership_role';
        END IF;
    END IF;
    INSERT INTO membership (organization_id, person_id, role, state) VALUES (here, person, new_role, new_state)
    ON CONFLICT (organization_id, person_id) DO UPDATE SET role = EXCLUDED.role, state = EXCLUDED.state;
    PERFORM platform.check_owner(here);
    UPDATE session SET access_version = access_version + 1 WHERE person_id = person AND ended_at IS NULL;
    UPDATE api_token SET access_version = access_version + 1
     WHERE person_id = person AND organization_id = here AND revoked_at IS NULL;
END $$;

-- Ends a membership and the tokens that were made under it: should the person be invited again, they begin anew.
CREATE FUNCTION platform.remove_member(person uuid, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
    DELETE FROM membership WHERE organization_id = here AND person_id = person;
    PERFORM platform.check_owner(here);
    UPDATE session SET access_version = access_version + 1 WHERE person_id = person AND ended_at IS NULL;
    UPDATE api_token SET revoked_at = at, access_version = access_version + 1
     WHERE person_id = person AND organization_id = here AND revoked_at IS NULL;
END $$;

CREATE FUNCTION platform.set_role(changed varchar, new_rights varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
    INSERT INTO own_role (organization_id, role, rights) VALUES (here, changed, new_rights)
    ON CONFLICT (organization_id, role) DO UPDATE SET rights = EXCLUDED.rights;
END $$;

CREATE FUNCTION platform.drop_role(dropped varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
    PERFORM FROM membership m WHERE m.organization_id = here AND m.role = dropped;
    IF FOUND THEN
        RAISE EXCEPTION 'the role is in use' USING ERRCODE = '23503', CONSTRAINT = 'role_in_use';
    END IF;
    DELETE FROM own_role WHERE organization_id = here AND role = dropped;
END $$;

CREATE FUNCTION platform.add_invitation(token bytea, new_id uuid, new_kind varchar, address varchar, new_role varchar,
    title varchar, person uuid, at timestamptz, expiry timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE invitation SET ended_at = expires_at, outcome = 'expired'
     WHERE organization_id = here AND kind = new_kind AND email = address AND ended_at IS NULL AND expires_at <= at;
    INSERT INTO invitation (token_hash, id, organization_id, kind, email, role, role_title, invited_by, created_at,
        sent_at, expires_at)
    VALUES (token, new_id, here, new_kind, address, new_role, title, person, at, at, expiry);
END $$;

-- A new link for an invitation that is not over; the one before is good no more. False: there is none.
CREATE FUNCTION platform.renew_invitation(wanted uuid, token bytea, person uuid, at timestamptz, expiry timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE invitation SET token_hash = token, invited_by = person, sent_at = at, expires_at = expiry
     WHERE id = wanted AND organization_id = platform.current_organization() AND ended_at IS NULL;
    RETURN FOUND;
END $$;

-- False: there is no such invitation, or it is over already.
CREATE FUNCTION platform.end_invitation(wanted uuid, how varchar, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE invitation SET ended_at = at, outcome = how
     WHERE id = wanted AND organization_id = platform.current_organization() AND ended_at IS NULL;
    RETURN FOUND;
END $$;

-- Uses an invitation up. Of two who do at once, one gets no row.
CREATE FUNCTION platform.use_invitation(token bytea, at timestamptz)
RETURNS TABLE (id uuid, kind varchar, email varchar, role varchar, invited_by uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY UPDATE invitation i SET ended_at = at, outcome = 'accepted'
     WHERE i.token_hash = token AND i.organization_id = platform.current_organization()
       AND i.ended_at IS NULL AND i.expires_at > at
    RETURNING i.id, i.kind, i.email, i.role, i.invited_by;
END $$;

-- The organization's invitations that are not over, newest first, without anything that would open a door.
CREATE FUNCTION platform.list_invitations()
RETURNS TABLE (id uuid, kind varchar, email varchar, role varchar, role_title varchar, invited_by uuid,
    created_at timestamptz, sent_at timestamptz, expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT i.id, i.kind, i.email, i.role, i.role_title, i.invited_by, i.created_at, i.sent_at, i.expires_at
      FROM invitation i WHERE i.organization_id = platform.current_organization() AND i.ended_at IS NULL
     ORDER BY i.id DESC;
END $$;

-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.lock_rights, platform.remove_member, platform.set_role, platform.drop_role,
    platform.add_invitation, platform.renew_invitation, platform.end_invitation, platform.use_invitation,
    platform.list_invitations TO PUBLIC;

-- +goose StatementEnd
