-- Phone numbers, entries into organizations, tokens that rotate, and people who leave for good.
-- +goose Up
-- +goose StatementBegin

-- The number that a person has shown to be theirs. Two people may share one.
CREATE TABLE platform.phone (
    person_id   uuid PRIMARY KEY REFERENCES platform.person,
    number      varchar(16) NOT NULL CHECK (number ~ '^\+[1-9][0-9]{6,14}$'), -- E.164
    verified_at timestamptz NOT NULL
);

-- A code that was sent to a number, or would have been: of an address that nobody has, or that has no number, the
-- row is the same and its code is told to nobody.
CREATE TABLE platform.phone_code (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    varchar(12) NOT NULL CHECK (purpose::text IN ('verify', 'recovery')),
    person_id  uuid REFERENCES platform.person,
    number     varchar(16) CHECK (number ~ '^\+[1-9][0-9]{6,14}$'), -- none: nothing was sent
    network    varchar(43) NOT NULL, -- who asked for it: one address, or the /64 of one; empty when it is not known
    code_hash  bytea NOT NULL CHECK (length(code_hash) = 32), -- keyed: a short code would be found by trying
    link_hash  bytea CHECK (length(link_hash) = 32),          -- the link for which a recovery's code is exchanged
    tries      integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX phone_code_number ON platform.phone_code (number, created_at) WHERE number IS NOT NULL;
CREATE INDEX phone_code_network ON platform.phone_code (network, created_at) WHERE network::text <> '';
CREATE INDEX phone_code_person ON platform.phone_code (person_id) WHERE person_id IS NOT NULL;

-- Which session entered which organization, for its owners. One row each, when it first does.
CREATE TABLE platform.entry (
    organization_id uuid NOT NULL REFERENCES platform.organization,
    id              uuid NOT NULL, -- the session's
    person_id       uuid NOT NULL REFERENCES platform.person,
    at              timestamptz NOT NULL,
    network         inet,
    user_agent      varchar(300) NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX entry_person ON platform.entry (person_id);

ALTER TABLE platform.person ADD COLUMN erased_at timestamptz;

ALTER TABLE platform.passkey_ceremony DROP CONSTRAINT passkey_ceremony_purpose_check;
ALTER TABLE platform.passkey_ceremony ADD CONSTRAINT passkey_ceremony_purpose_check
    CHECK (purpose::text IN ('add', 'second_step', 'sign_in', 'prove'));

-- A token that was rotated has two secrets until the overlap ends. It is one token: revoking it ends both.
ALTER TABLE platform.api_token
    ADD COLUMN rotated_at     timestamptz,
    ADD COLUMN former_hash    bytea UNIQUE CHECK (length(former_hash) = 32),
    ADD COLUMN former_until   timestamptz,
    ADD COLUMN former_used_at timestamptz,
    ADD CONSTRAINT api_token_former CHECK ((former_hash IS NULL) = (former_until IS NULL));

CREATE OR REPLACE FUNCTION platform.token_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT t.access_version INTO access_version FROM api_token t
     WHERE t.token_hash = token AND t.organization_id = organization AND t.revoked_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > at);
    IF NOT FOUND THEN
        SELECT t.access_version INTO access_version FROM api_token t
         WHERE t.former_hash = token AND t.former_until > at AND t.organization_id = organization
           AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > at);
    END IF;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- A person in an organization that they belong to or did, for what is held of them there: also where they were
-- denied, and where the organization is suspended.
CREATE FUNCTION platform.self_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT s.access_version INTO access_version FROM session s
      JOIN membership m ON m.organization_id = organization AND m.person_id = s.person_id
     WHERE s.token_hash = token AND s.ended_at IS NULL AND s.expires_at > at
       AND s.last_seen_at + make_interval(secs => s.idle_seconds) > at;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text IN ('active', 'suspended');
END $$;

-- Gives a token of this organization a new secret. The present one stays good until the overlap ends; the one
-- before that ends now. Only its maker may: the token acts with their rights. False: there is no such token of
-- theirs, or it has ended.
CREATE FUNCTION platform.rotate_api_token(wanted uuid, person uuid, token bytea, token_hint varchar, at timestamptz,
    overlap_until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    IF overlap_until > at + interval '7 days' THEN
        RAISE EXCEPTION 'an overlap of more than seven days' USING ERRCODE = '22023';
    END IF;
    UPDATE api_token t SET token_hash = token, hint = token_hint, rotated_at = at, last_used_at = NULL,
           former_hash = CASE WHEN overlap_until > at THEN t.token_hash END,
           former_until = CASE WHEN overlap_until > at THEN overlap_until END,
           former_used_at = t.last_used_at, access_version = t.access_version + 1
     WHERE t.id = wanted AND t.organization_id = platform.current_organization() AND t.person_id = person
       AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > at);
    RETURN FOUND;
END $$;

-- The same list with what rotation added.
DROP FUNCTION platform.list_api_tokens();
CREATE FUNCTION platform.list_api_tokens()
RETURNS TABLE (id uuid, person_id uuid, name varchar, hint varchar, scopes varchar[], created_at timestamptz,
    expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz, rotated_at timestamptz,
    former_until timestamptz, former_used_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT t.id, t.person_id, t.name, t.hint, t.scopes, t.created_at, t.expires_at,
        t.last_used_at, t.revoked_at, t.rotated_at, t.former_until, t.former_used_at
      FROM api_token t WHERE t.organization_id = platform.current_organization() ORDER BY t.id DESC;
END $$;

-- Who entered this organization, newest first, or, from newer_than on, oldest first.
CREATE FUNCTION platform.list_entries(older_than uuid, newer_than uuid, most integer)
RETURNS TABLE (id uuid, person_id uuid, at timestamptz, network varchar, user_agent varchar)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    IF newer_than IS NULL THEN
        RETURN QUERY SELECT e.id, e.person_id, e.at, coalesce(host(e.network), '')::varchar, e.user_agent
          FROM entry e WHERE e.organization_id = here AND (older_than IS NULL OR e.id < older_than)
          ORDER BY e.id DESC LIMIT most;
    ELSE
        RETURN QUERY SELECT e.id, e.person_id, e.at, coalesce(host(e.network), '')::varchar, e.user_agent
          FROM entry e WHERE e.organization_id = here AND e.id > newer_than
          ORDER BY e.id LIMIT most;
    END IF;
END $$;

-- What guards the accounts of this organization's members. Nothing of what they do elsewhere.
CREATE FUNCTION platform.list_member_factors()
RETURNS TABLE (person_id uuid, app boolean, passkeys integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT m.person_id,
        EXISTS (SELECT FROM totp t WHERE t.person_id = m.person_id AND t.confirmed_at IS NOT NULL),
        (SELECT count(*) FROM passkey k WHERE k.person_id = m.person_id)::integer
      FROM membership m WHERE m.organization_id = platform.current_organization() AND m.state::text = 'active';
END $$;

GRANT EXECUTE ON FUNCTION platform.rotate_api_token, platform.list_api_tokens, platform.list_entries,
    platform.list_member_factors TO PUBLIC;

-- Erases a person: what let them in, where they were, what they were called. The row itself stays, under the
-- pseudonym, because what they did in the books names it. One function and no DELETE grants, so that the service
-- can erase a person as a whole and doctor nothing of their history. It refuses who still belongs somewhere.
CREATE FUNCTION platform.erase_person(person uuid, pseudonym varchar, address varchar, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE before varchar;
BEGIN
    SELECT p.email INTO before FROM person p WHERE p.id = person FOR UPDATE;
    PERFORM FROM membership m WHERE m.person_id = person AND m.state::text = 'active';
    IF FOUND THEN
        RAISE EXCEPTION 'still a member somewhere' USING ERRCODE = '55000';
    END IF;
    PERFORM set_staff(f.person_id, f.role, f.rights, 'denied', at) FROM staff f WHERE f.person_id = person AND f.state::text = 'active';
    UPDATE api_token t SET revoked_at = coalesce(t.revoked_at, at), former_hash = NULL, former_until = NULL,
           access_version = t.access_version + 1 WHERE t.person_id = person;
    DELETE FROM session s WHERE s.person_id = person;
    DELETE FROM pending_login l WHERE l.person_id = person;
    DELETE FROM passkey_ceremony c WHERE c.person_id = person;
    DELETE FROM passkey k WHERE k.person_id = person;
    DELETE FROM totp t WHERE t.person_id = person;
    DELETE FROM recovery_code r WHERE r.person_id = person;
    DELETE FROM former_password f WHERE f.person_id = person;
    DELETE FROM credential c WHERE c.person_id = person;
    DELETE FROM device d WHERE d.person_id = person;
    DELETE FROM phone_code c WHERE c.person_id = person;
    DELETE FROM phone p WHERE p.person_id = person;
    DELETE FROM login_event e WHERE e.person_id = person;
    DELETE FROM entry e WHERE e.person_id = person;
    DELETE FROM verification v WHERE v.email = before;
    UPDATE person p SET name = pseudonym, email = address, erased_at = at WHERE p.id = person;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON platform.phone, platform.phone_code TO countinghouse_app;
GRANT SELECT, INSERT ON platform.entry TO countinghouse_app;
GRANT UPDATE (former_used_at) ON platform.api_token TO countinghouse_app;
GRANT EXECUTE ON FUNCTION platform.erase_person TO countinghouse_app;

-- +goose StatementEnd
