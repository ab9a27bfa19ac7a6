-- Security events: what looks like an attack, told to owners and to the operator.
-- +goose Up
-- +goose StatementBegin

-- What happens again within a window is one event that counts, so that an attacker cannot flood whoever reads.
CREATE TABLE platform.security_event (
    id              uuid PRIMARY KEY,
    kind            varchar(30) NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    severity        varchar(6) NOT NULL CHECK (severity::text IN ('low', 'medium', 'high')),
    subject         varchar(64) NOT NULL, -- the digest of what counts as one
    window_at       timestamptz NOT NULL, -- the beginning of the window
    at              timestamptz NOT NULL, -- the first time in it
    last_at         timestamptz NOT NULL,
    times           integer NOT NULL DEFAULT 1,
    organization_id uuid, -- none: it is about a person or a network, wherever they go
    person_id       uuid,
    network         inet,
    detail          varchar(300) NOT NULL, -- no person's data
    request_id      varchar(40) NOT NULL,
    mailed_at       timestamptz,
    posted_at       timestamptz, -- to the operator's webhook
    UNIQUE (kind, subject, window_at)
) WITH (fillfactor = 90);
CREATE INDEX security_event_organization ON platform.security_event (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX security_event_person ON platform.security_event (person_id, id) WHERE organization_id IS NULL AND person_id IS NOT NULL;

-- An organization without business of its own, whose only use is to be entered by nobody.
ALTER TABLE platform.organization ADD COLUMN canary boolean NOT NULL DEFAULT false;

-- How many accounts did a network try?
CREATE INDEX login_event_network ON platform.login_event (network, at) WHERE outcome::text = 'refused' AND network IS NOT NULL;

-- The events of the organization whose transaction this is, and those about its members' own accounts; of the
-- latter without the network, which is the person's own affair. Newest first, or the other way round before a page.
CREATE FUNCTION platform.list_security_events(after uuid, before uuid, most integer)
RETURNS TABLE (id uuid, kind varchar, severity varchar, at timestamptz, last_at timestamptz, times integer,
    person_id uuid, network text, detail varchar, request_id varchar)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    RETURN QUERY
    WITH mine AS (
        (SELECT e.*, host(e.network) AS shown FROM security_event e
          WHERE e.organization_id = here AND (after IS NULL OR e.id < after) AND (before IS NULL OR e.id > before)
          ORDER BY CASE WHEN before IS NULL THEN e.id END DESC, e.id LIMIT most)
        UNION ALL
        (SELECT e.*, NULL FROM membership m
           JOIN security_event e ON e.person_id = m.person_id AND e.organization_id IS NULL
          WHERE m.organization_id = here AND m.state::text = 'active'
            AND (after IS NULL OR e.id < after) AND (before IS NULL OR e.id > before)
          ORDER BY CASE WHEN before IS NULL THEN e.id END DESC, e.id LIMIT most)
    )
    SELECT e.id, e.kind, e.severity, e.at, e.last_at, e.times, e.person_id, e.shown, e.detail, e.request_id
      FROM mine e ORDER BY CASE WHEN before IS NULL THEN e.id END DESC, e.id LIMIT most;
END $$;

-- Events are added and counted, never taken back.
GRANT SELECT, INSERT, UPDATE (last_at, times, mailed_at, posted_at) ON platform.security_event TO countinghouse_app;
GRANT EXECUTE ON FUNCTION platform.list_security_events TO PUBLIC;

-- +goose StatementEnd
