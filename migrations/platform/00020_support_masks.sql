-- Which of people's data a support grant masks, and a receipt that closes what it is for.
-- +goose Up
-- +goose StatementBegin

-- The groups of people's data that are masked, as tenant.MaskGroups names them. None: all of them, where masked says so.
ALTER TABLE platform.support_grant ADD COLUMN masks varchar(100) CHECK (masks::text ~ '^[a-z]+( [a-z]+)*$');

-- As before; and a grant that has its receipt opens nothing, by whatever clock it was written.
CREATE OR REPLACE FUNCTION platform.support_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT g.access_version INTO access_version
      FROM session s
      JOIN staff f ON f.person_id = s.person_id
      JOIN support_grant g ON g.staff_id = f.person_id
     WHERE s.token_hash = token AND s.ended_at IS NULL AND s.expires_at > at
       AND s.last_seen_at + make_interval(secs => s.idle_seconds) > at
       AND f.state::text = 'active'
       AND (EXISTS (SELECT FROM totp t WHERE t.person_id = f.person_id AND t.confirmed_at IS NOT NULL)
         OR EXISTS (SELECT FROM passkey k WHERE k.person_id = f.person_id))
       AND g.organization_id = organization AND g.granted AND g.ended_at IS NULL AND g.until_at > at AND g.receipt_at IS NULL
     ORDER BY g.access_version DESC LIMIT 1
       FOR SHARE OF g;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- Holds a visit that is over until its receipt is written: it waits for what is under way in it, and what comes after
-- finds the receipt. False: it is not over, or has its receipt.
CREATE FUNCTION platform.close_support(wanted uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM FROM support_grant g
      WHERE g.id = wanted AND g.organization_id = platform.current_organization() AND g.granted AND g.receipt_at IS NULL
        AND (g.ended_at IS NOT NULL OR g.until_at <= at)
        FOR UPDATE;
    RETURN FOUND;
END $$;

-- A support person asks, as before; masks may be null.
CREATE FUNCTION platform.request_support(grant_id uuid, address varchar, staff_person uuid, new_reason varchar, new_ticket varchar,
    new_scopes varchar[], new_masked boolean, new_masks varchar, new_minutes integer, at timestamptz, OUT organization uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT o.id INTO organization FROM organization o WHERE o.slug = address AND o.state::text = 'active';
    IF organization IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO support_grant (id, organization_id, staff_id, asked_by, asked_at, reason, ticket, scopes, masked, masks, minutes)
    VALUES (grant_id, organization, staff_person, staff_person, at, new_reason, new_ticket, new_scopes, new_masked, new_masks, new_minutes);
END $$;

-- The organization decides, as before; masks may be null.
CREATE FUNCTION platform.decide_support(wanted uuid, person uuid, yes boolean, new_scopes varchar[], new_masked boolean,
    new_masks varchar, new_minutes integer, link bytea, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE support_grant g SET granted = yes, decided_by = person, decided_at = at,
           scopes = CASE WHEN yes THEN new_scopes ELSE g.scopes END, masked = CASE WHEN yes THEN new_masked ELSE g.masked END,
           masks = CASE WHEN yes THEN new_masks ELSE g.masks END,
           minutes = CASE WHEN yes THEN new_minutes ELSE g.minutes END,
           until_at = CASE WHEN yes THEN at + make_interval(mins => new_minutes) END,
           end_hash = CASE WHEN yes THEN link END, access_version = nextval('support_version')
     WHERE g.id = wanted AND g.organization_id = platform.current_organization() AND g.granted IS NULL AND g.ended_at IS NULL
       AND g.staff_id <> person AND g.asked_at > at - interval '7 days';
    RETURN FOUND;
END $$;

-- For processes of the version before, which know of no groups: what they mask is all.
CREATE OR REPLACE FUNCTION platform.decide_support(wanted uuid, person uuid, yes boolean, new_scopes varchar[], new_masked boolean,
    new_minutes integer, link bytea, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN platform.decide_support(wanted, person, yes, new_scopes, new_masked, NULL::varchar, new_minutes, link, at);
END $$;

-- The organization lets in whichever support person takes it up, as before; masks may be null.
CREATE FUNCTION platform.invite_support(grant_id uuid, person uuid, new_reason varchar, new_scopes varchar[], new_masked boolean,
    new_masks varchar, new_minutes integer, link bytea, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    INSERT INTO support_grant (id, organization_id, asked_by, asked_at, reason, ticket, scopes, masked, masks, minutes, granted, decided_by,
        decided_at, until_at, end_hash)
    VALUES (grant_id, platform.current_organization(), person, at, new_reason, '', new_scopes, new_masked, new_masks, new_minutes, true, person,
        at, at + make_interval(mins => new_minutes), link);
END $$;

-- What this organization was asked and gave, newest first, and what is masked.
CREATE FUNCTION platform.list_support_masks()
RETURNS TABLE (id uuid, staff_id uuid, staff_name varchar, asked_by uuid, asked_at timestamptz, reason varchar, ticket varchar,
    scopes varchar[], masked boolean, masks varchar, minutes integer, granted boolean, decided_by uuid, decided_at timestamptz,
    until_at timestamptz, ended_at timestamptz, ended_by uuid, ended_how varchar, receipt_at timestamptz, receipt_rows integer,
    receipt_digest bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT g.id, g.staff_id, coalesce(p.name, '')::varchar, g.asked_by, g.asked_at, g.reason, g.ticket, g.scopes, g.masked,
        g.masks, g.minutes, g.granted, g.decided_by, g.decided_at, g.until_at, g.ended_at, g.ended_by, g.ended_how, g.receipt_at,
        g.receipt_rows, g.receipt_digest
      FROM support_grant g LEFT JOIN person p ON p.id = g.staff_id
     WHERE g.organization_id = platform.current_organization() ORDER BY g.id DESC;
END $$;

GRANT EXECUTE ON FUNCTION platform.request_support(uuid, varchar, uuid, varchar, varchar, varchar[], boolean, varchar, integer, timestamptz)
    TO countinghouse_app;
GRANT EXECUTE ON FUNCTION platform.decide_support(uuid, uuid, boolean, varchar[], boolean, varchar, integer, bytea, timestamptz),
    platform.invite_support(uuid, uuid, varchar, varchar[], boolean, varchar, integer, bytea, timestamptz),
    platform.list_support_masks, platform.close_support TO PUBLIC;

-- +goose StatementEnd
