-- Who runs the platform, and when an organization let one of them in.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.staff (
    person_id  uuid PRIMARY KEY REFERENCES platform.person,
    role       varchar(20) NOT NULL CHECK (role::text IN ('administrator', 'support')),
    rights     varchar(60)[], -- "visits:read", "visits:write"; none: all that the role may
    state      varchar(10) NOT NULL CHECK (state::text IN ('active', 'denied')),
    added_at   timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);

-- What staff did outside any organization. Rows are added and read, never changed.
CREATE TABLE platform.staff_log (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_id    uuid REFERENCES platform.person, -- none: the operator's command line
    action      varchar(40) NOT NULL,
    object_kind varchar(20) NOT NULL,
    object_id   uuid,
    request_id  varchar(40) NOT NULL,
    network     varchar(45) NOT NULL,
    detail      varchar(400) NOT NULL -- no person's data
);

-- Every change of a grant takes the next number, so that no two states of any two grants share one.
CREATE SEQUENCE platform.support_version;

CREATE TABLE platform.support_grant (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES platform.organization,
    staff_id        uuid REFERENCES platform.staff, -- none: an invitation that nobody took up yet
    asked_by        uuid NOT NULL REFERENCES platform.person, -- the support person, or the owner who invited
    asked_at        timestamptz NOT NULL,
    reason          varchar(400) NOT NULL,
    ticket          varchar(60) NOT NULL,
    scopes          varchar(60)[] NOT NULL, -- "invoices:read", "invoices:write"
    masked          boolean NOT NULL,
    minutes         integer NOT NULL CHECK (minutes BETWEEN 15 AND 10080), -- 7 days
    granted         boolean, -- none: nobody has decided
    decided_by      uuid REFERENCES platform.person,
    decided_at      timestamptz,
    until_at        timestamptz,
    ended_at        timestamptz, -- before until_at
    ended_by        uuid REFERENCES platform.person,
    ended_how       varchar(10) CHECK (ended_how::text IN ('owner', 'support', 'link', 'staff')),
    end_hash        bytea UNIQUE CHECK (length(end_hash) = 32),
    access_version  bigint NOT NULL DEFAULT nextval('platform.support_version'),
    receipt_at      timestamptz,
    receipt_rows    integer,
    receipt_digest  bytea CHECK (length(receipt_digest) = 32),
    mailed_at       timestamptz,
    -- Nobody lets themselves in.
    CHECK (decided_by IS NULL OR staff_id IS NULL OR decided_by <> staff_id),
    CHECK ((granted IS NULL) = (decided_at IS NULL) AND (granted IS TRUE) = (until_at IS NOT NULL)),
    CHECK (until_at IS NULL OR until_at > decided_at AND until_at <= decided_at + interval '7 days'),
    CHECK ((ended_at IS NULL) = (ended_how IS NULL))
);
CREATE INDEX support_grant_organization ON platform.support_grant (organization_id, id);
CREATE INDEX support_grant_staff ON platform.support_grant (staff_id, id);
-- One asks once until it is decided.
CREATE UNIQUE INDEX support_grant_waiting ON platform.support_grant (organization_id, staff_id) WHERE granted IS NULL AND ended_at IS NULL;
CREATE INDEX support_grant_owed ON platform.support_grant (until_at) WHERE granted AND mailed_at IS NULL;

-- As session_alive, for a support person in an organization that let them in. It holds the grant's row until the
-- transaction ends: whoever ends the grant waits for it, and afterwards nothing done under it can be committed.
CREATE FUNCTION platform.support_alive(token bytea, organization uuid, at timestamptz,
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
       AND g.organization_id = organization AND g.granted AND g.ended_at IS NULL AND g.until_at > at
     ORDER BY g.access_version DESC LIMIT 1
       FOR SHARE OF g;
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- Adds someone to the staff or changes what they may do. Whatever they were let in to ends: it was given to who they
-- were before.
CREATE FUNCTION platform.set_staff(person uuid, new_role varchar, new_rights varchar[], new_state varchar, at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    INSERT INTO staff AS f (person_id, role, rights, state, added_at, changed_at)
    VALUES (person, new_role, new_rights, new_state, at, at)
    ON CONFLICT (person_id) DO UPDATE SET role = EXCLUDED.role, rights = EXCLUDED.rights, state = EXCLUDED.state, changed_at = at;
    UPDATE support_grant g SET ended_at = at, ended_how = 'staff', access_version = nextval('support_version')
     WHERE g.staff_id = person AND g.ended_at IS NULL AND (g.granted IS NULL OR g.granted AND g.until_at > at);
END $$;

-- A support person asks an organization to be let in. No organization: there is none at that address.
CREATE FUNCTION platform.request_support(grant_id uuid, address varchar, staff_person uuid, new_reason varchar, new_ticket varchar,
    new_scopes varchar[], new_masked boolean, new_minutes integer, at timestamptz, OUT organization uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT o.id INTO organization FROM organization o WHERE o.slug = address AND o.state::text = 'active';
    IF organization IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO support_grant (id, organization_id, staff_id, asked_by, asked_at, reason, ticket, scopes, masked, minutes)
    VALUES (grant_id, organization, staff_person, staff_person, at, new_reason, new_ticket, new_scopes, new_masked, new_minutes);
END $$;

-- A support person takes up an invitation: the first who does. Not whoever sent it.
CREATE FUNCTION platform.take_support(wanted uuid, staff_person uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE support_grant g SET staff_id = staff_person, access_version = nextval('support_version')
     WHERE g.id = wanted AND g.staff_id IS NULL AND g.decided_by <> staff_person AND g.granted AND g.ended_at IS NULL
       AND g.until_at > at
       AND EXISTS (SELECT FROM staff f WHERE f.person_id = staff_person AND f.state::text = 'active');
    RETURN FOUND;
END $$;

-- A support person leaves, or takes a request back.
CREATE FUNCTION platform.leave_support(wanted uuid, staff_person uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE support_grant g SET ended_at = at, ended_by = staff_person, ended_how = 'support', access_version = nextval('support_version')
     WHERE g.id = wanted AND g.staff_id = staff_person AND g.ended_at IS NULL AND (g.granted IS NULL OR g.granted AND g.until_at > at);
    RETURN FOUND;
END $$;

-- Whoever holds the mailed link ends what it is for. Null: there is no such link.
CREATE FUNCTION platform.end_support_by_link(link bytea, at timestamptz, OUT found uuid, OUT ended boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT g.id INTO found FROM support_grant g WHERE g.end_hash = link;
    UPDATE support_grant g SET ended_at = at, ended_how = 'link', access_version = nextval('support_version')
     WHERE g.id = found AND g.granted AND g.ended_at IS NULL AND g.until_at > at;
    ended := FOUND;
END $$;

-- The organization lets someone in who asked, or refuses. False: it was decided, taken back or asked too long ago,
-- or they would let themselves in.
CREATE FUNCTION platform.decide_support(wanted uuid, person uuid, yes boolean, new_scopes varchar[], new_masked boolean,
    new_minutes integer, link bytea, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE support_grant g SET granted = yes, decided_by = person, decided_at = at,
           scopes = CASE WHEN yes THEN new_scopes ELSE g.scopes END, masked = CASE WHEN yes THEN new_masked ELSE g.masked END,
           minutes = CASE WHEN yes THEN new_minutes ELSE g.minutes END,
           until_at = CASE WHEN yes THEN at + make_interval(mins => new_minutes) END,
           end_hash = CASE WHEN yes THEN link END, access_version = nextval('support_version')
     WHERE g.id = wanted AND g.organization_id = platform.current_organization() AND g.granted IS NULL AND g.ended_at IS NULL
       AND g.staff_id <> person AND g.asked_at > at - interval '7 days';
    RETURN FOUND;
END $$;

-- The organization lets in whichever support person takes it up.
CREATE FUNCTION platform.invite_support(grant_id uuid, person uuid, new_reason varchar, new_scopes varchar[], new_masked boolean,
    new_minutes integer, link bytea, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    INSERT INTO support_grant (id, organization_id, asked_by, asked_at, reason, ticket, scopes, masked, minutes, granted, decided_by,
        decided_at, until_at, end_hash)
    VALUES (grant_id, platform.current_organization(), person, at, new_reason, '', new_scopes, new_masked, new_minutes, true, person,
        at, at + make_interval(mins => new_minutes), link);
END $$;

-- The organization ends what it gave. False: there is no such thing, or it is over.
CREATE FUNCTION platform.end_support(wanted uuid, person uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE support_grant g SET ended_at = at, ended_by = person, ended_how = 'owner', access_version = nextval('support_version')
     WHERE g.id = wanted AND g.organization_id = platform.current_organization() AND g.granted AND g.ended_at IS NULL AND g.until_at > at;
    RETURN FOUND;
END $$;

-- What this organization was asked and gave, newest first.
CREATE FUNCTION platform.list_support()
RETURNS TABLE (id uuid, staff_id uuid, staff_name varchar, asked_by uuid, asked_at timestamptz, reason varchar, ticket varchar,
    scopes varchar[], masked boolean, minutes integer, granted boolean, decided_by uuid, decided_at timestamptz, until_at timestamptz,
    ended_at timestamptz, ended_by uuid, ended_how varchar, receipt_at timestamptz, receipt_rows integer, receipt_digest bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT g.id, g.staff_id, coalesce(p.name, '')::varchar, g.asked_by, g.asked_at, g.reason, g.ticket, g.scopes, g.masked,
        g.minutes, g.granted, g.decided_by, g.decided_at, g.until_at, g.ended_at, g.ended_by, g.ended_how, g.receipt_at,
        g.receipt_rows, g.receipt_digest
      FROM support_grant g LEFT JOIN person p ON p.id = g.staff_id
     WHERE g.organization_id = platform.current_organization() ORDER BY g.id DESC;
END $$;

-- Keeps what the receipt of an ended visit of this organization says. It is written once.
CREATE FUNCTION platform.keep_support_receipt(wanted uuid, row_count integer, digest bytea, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE support_grant g SET receipt_at = at, receipt_rows = row_count, receipt_digest = digest
     WHERE g.id = wanted AND g.organization_id = platform.current_organization() AND g.granted AND g.receipt_at IS NULL
       AND (g.ended_at IS NOT NULL OR g.until_at <= at);
    RETURN FOUND;
END $$;

GRANT SELECT ON platform.staff, platform.support_grant TO countinghouse_app;
-- That a receipt went out is all that the service itself may write on a grant: consent comes from an organization alone.
GRANT UPDATE (mailed_at) ON platform.support_grant TO countinghouse_app;
GRANT SELECT, INSERT ON platform.staff_log TO countinghouse_app;
GRANT EXECUTE ON FUNCTION platform.set_staff, platform.request_support, platform.take_support, platform.leave_support,
    platform.end_support_by_link TO countinghouse_app;
-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.decide_support, platform.invite_support, platform.end_support, platform.list_support,
    platform.keep_support_receipt TO PUBLIC;

-- +goose StatementEnd
