-- Who founded an organization, and from which network, for two days: so that nobody can take all that is ready, or have the
-- service make schemas without end.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE platform.organization
    ADD COLUMN founder_id      uuid,
    ADD COLUMN founder_network varchar(45) NOT NULL DEFAULT '';

-- Of the last hours: what is ready follows the rate of sign-ups, and what one may still found follows one's own.
CREATE INDEX organization_claimed ON platform.organization (claimed_at) WHERE claimed_at IS NOT NULL;

-- claim_organization within bounds: most_person and most_network are how many a person and a network may found in 24 hours;
-- 0 is no bound. Those of one person, and those of one network, come one after the other, so that parallel ones cannot pass.
CREATE FUNCTION platform.found_organization(new_slug varchar, new_name varchar, at timestamptz, founder uuid, network varchar,
    most_person integer, most_network integer, OUT id uuid, OUT schema_name varchar)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    IF most_person > 0 AND founder IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('platform.founder.' || founder::text, 0));
        IF (SELECT count(*) FROM organization o WHERE o.claimed_at > at - interval '24 hours' AND o.founder_id = founder) >= most_person THEN
            RAISE EXCEPTION 'this person founded enough for a day' USING ERRCODE = 'PF001';
        END IF;
    END IF;
    IF most_network > 0 AND network <> '' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('platform.network.' || network, 0));
        IF (SELECT count(*) FROM organization o WHERE o.claimed_at > at - interval '24 hours' AND o.founder_network = network) >= most_network THEN
            RAISE EXCEPTION 'enough was founded from this network for a day' USING ERRCODE = 'PF002';
        END IF;
    END IF;
    UPDATE organization o SET slug = new_slug, name = new_name, state = 'active', claimed_at = at, founder_id = founder, founder_network = network
     WHERE o.id = (SELECT r.id FROM organization r JOIN compartment c ON c.id = r.compartment_id
                    WHERE c.login = session_user AND r.state::text = 'ready'
                    ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
    RETURNING o.id, o.schema_name INTO id, schema_name;
    IF id IS NOT NULL THEN
        INSERT INTO plan_account (organization_id, plan_code, state, since, trial_until)
        SELECT found_organization.id, p.code, CASE WHEN p.trial_days > 0 THEN 'trialing' ELSE 'active' END, at,
               CASE WHEN p.trial_days > 0 THEN at + make_interval(days => p.trial_days) END
          FROM plan p WHERE p.initial;
    END IF;
END $$;

-- Forgets who founded what two days ago, and gives how many those were.
CREATE FUNCTION platform.forget_founders(at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE n bigint;
BEGIN
    UPDATE organization o SET founder_id = NULL, founder_network = ''
     WHERE o.claimed_at < at - interval '2 days' AND (o.founder_id IS NOT NULL OR o.founder_network <> '');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

REVOKE EXECUTE ON FUNCTION platform.found_organization, platform.forget_founders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.forget_founders TO countinghouse_app;

-- +goose StatementEnd
