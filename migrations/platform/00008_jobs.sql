-- Background jobs: River's tables (github.com/riverqueue/river v0.41.0, its migrations 1 to 7 put together) in a
-- schema of their own, and the doors to them. A worker has a login of its own, which sees nothing but these tables.
-- +goose Up
-- +goose StatementBegin

CREATE SCHEMA jobs;
-- As for schema platform: PUBLIC is our own roles alone, and what they may do here is granted one by one.
GRANT USAGE ON SCHEMA jobs TO PUBLIC;

CREATE TYPE jobs.river_job_state AS ENUM (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');

CREATE TABLE jobs.river_migration (
    line       text NOT NULL,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT line_length CHECK (char_length(line) > 0 AND char_length(line) < 128),
    CONSTRAINT version_gte_1 CHECK (version >= 1),
    PRIMARY KEY (line, version)
);
-- What River's own tool would have written, so that it can tell what is missing.
INSERT INTO jobs.river_migration (line, version) SELECT 'main', v FROM generate_series(1, 7) v;

CREATE TABLE jobs.river_job (
    id            bigserial PRIMARY KEY,
    state         jobs.river_job_state NOT NULL DEFAULT 'available',
    attempt       smallint NOT NULL DEFAULT 0,
    max_attempts  smallint NOT NULL DEFAULT 25,
    attempted_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finalized_at  timestamptz,
    scheduled_at  timestamptz NOT NULL DEFAULT now(),
    priority      smallint NOT NULL DEFAULT 1,
    args          jsonb NOT NULL,
    attempted_by  text[],
    errors        jsonb[],
    kind          text NOT NULL,
    metadata      jsonb NOT NULL DEFAULT '{}', -- the stamp: organization, person, ceiling
    queue         text NOT NULL DEFAULT 'default',
    tags          varchar(255)[] NOT NULL DEFAULT '{}',
    unique_key    bytea,
    unique_states bit(8),
    CONSTRAINT finalized_or_finalized_at_null CHECK (
        (finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded')) OR
        (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))),
    CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4),
    CONSTRAINT queue_length CHECK (char_length(queue) > 0 AND char_length(queue) < 128),
    CONSTRAINT kind_length CHECK (char_length(kind) > 0 AND char_length(kind) < 128)
);

CREATE FUNCTION jobs.river_job_state_in_bitmask(bitmask bit(8), state jobs.river_job_state) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE state
        WHEN 'available' THEN get_bit(bitmask, 7)
        WHEN 'cancelled' THEN get_bit(bitmask, 6)
        WHEN 'completed' THEN get_bit(bitmask, 5)
        WHEN 'discarded' THEN get_bit(bitmask, 4)
        WHEN 'pending'   THEN get_bit(bitmask, 3)
        WHEN 'retryable' THEN get_bit(bitmask, 2)
        WHEN 'running'   THEN get_bit(bitmask, 1)
        WHEN 'scheduled' THEN get_bit(bitmask, 0)
        ELSE 0
    END = 1;
$$;

CREATE INDEX river_job_kind ON jobs.river_job (kind);
CREATE INDEX river_job_state_and_finalized_at_index ON jobs.river_job (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX river_job_prioritized_fetching_index ON jobs.river_job (state, queue, priority, scheduled_at, id);
CREATE INDEX river_job_args_index ON jobs.river_job USING gin (args);
CREATE INDEX river_job_metadata_index ON jobs.river_job USING gin (metadata);
CREATE UNIQUE INDEX river_job_unique_idx ON jobs.river_job (unique_key)
    WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL AND jobs.river_job_state_in_bitmask(unique_states, state);

CREATE UNLOGGED TABLE jobs.river_leader (
    elected_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    leader_id  text NOT NULL,
    name       text PRIMARY KEY DEFAULT 'default',
    CONSTRAINT leader_id_length CHECK (char_length(leader_id) > 0 AND char_length(leader_id) < 128),
    CONSTRAINT name_length CHECK (name = 'default')
);

CREATE TABLE jobs.river_queue (
    name       text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    metadata   jsonb NOT NULL DEFAULT '{}',
    paused_at  timestamptz,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE jobs.river_notification (
    id         bigserial PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    payload    text NOT NULL,
    topic      text NOT NULL,
    CONSTRAINT topic_length CHECK (length(topic) > 0 AND length(topic) < 128)
);
CREATE INDEX river_notification_created_at_idx ON jobs.river_notification (created_at);
CREATE INDEX river_notification_topic_id_idx ON jobs.river_notification (topic, id);

-- A keyed job stands once while it is not finished: scheduled, running, retryable, pending or available.
CREATE FUNCTION jobs.put(organization uuid, person uuid, ceiling jsonb, kind text, args jsonb, run_at timestamptz,
    key text, priority smallint, at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
DECLARE made bigint;
BEGIN
    IF length(args::text) > 2000 OR length(key) > 200 THEN
        RAISE EXCEPTION 'a job holds ids, not data' USING ERRCODE = '22001';
    END IF;
    INSERT INTO river_job (state, max_attempts, created_at, scheduled_at, priority, args, kind, metadata, queue, unique_key, unique_states)
    VALUES (CASE WHEN run_at > at THEN 'scheduled' ELSE 'available' END::river_job_state, 20, at, run_at, priority, args, kind,
        jsonb_strip_nulls(jsonb_build_object('organization', organization, 'person', person, 'ceiling', ceiling)),
        CASE WHEN organization IS NULL THEN 'platform' ELSE 'organization' END,
        CASE WHEN key <> '' THEN sha256(convert_to(concat_ws('/', coalesce(organization::text, ''), kind, key), 'UTF8')) END,
        CASE WHEN key <> '' THEN B'11110001' END)
    ON CONFLICT (unique_key)
       WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL AND jobs.river_job_state_in_bitmask(unique_states, state)
       DO NOTHING
    RETURNING id INTO made;
    RETURN made;
END $$;

-- The door for tenants: the organization is that of the transaction's role and no other, and a job is done on behalf
-- of an active member of it or of nobody. No number: the same job is there already.
CREATE FUNCTION jobs.enqueue(kind text, args jsonb, run_at timestamptz, key text, person uuid, ceiling jsonb, at timestamptz)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    IF kind LIKE 'platform.%' THEN
        RAISE EXCEPTION 'this kind of job is the platform''s own' USING ERRCODE = '42501';
    END IF;
    IF person IS NOT NULL AND NOT EXISTS (SELECT FROM membership m
        WHERE m.organization_id = here AND m.person_id = person AND m.state::text = 'active') THEN
        RAISE EXCEPTION 'not an active member' USING ERRCODE = '42501';
    END IF;
    RETURN jobs.put(here, person, ceiling, kind, args, run_at, key, 1::smallint, at);
END $$;

-- The platform's own jobs, in no organization.
CREATE FUNCTION jobs.enqueue_platform(kind text, args jsonb, run_at timestamptz, key text, at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
    IF kind NOT LIKE 'platform.%' THEN
        RAISE EXCEPTION 'the platform''s own kinds begin with platform.' USING ERRCODE = '22023';
    END IF;
    RETURN jobs.put(NULL, NULL, NULL, kind, args, run_at, key, 1::smallint, at);
END $$;

-- One job of a kind for each active organization that has none waiting, spread over a time, after everyone else's.
CREATE FUNCTION jobs.enqueue_each(kind text, spread interval, at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE made bigint;
BEGIN
    IF kind LIKE 'platform.%' THEN
        RAISE EXCEPTION 'this kind of job is the platform''s own' USING ERRCODE = '22023';
    END IF;
    SELECT count(jobs.put(o.id, NULL, NULL, kind, '{}', at + random() * spread, 'each', 4::smallint, at)) INTO made
      FROM organization o WHERE o.state::text = 'active';
    RETURN made;
END $$;

-- Is this run of a job still the one that counts? The token is the job's number in eight bytes; the version is the
-- run's: a job that was given to another worker, cancelled or finished lets its old run write nothing more.
CREATE FUNCTION platform.job_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT j.attempt INTO access_version FROM jobs.river_job j
     WHERE j.id = ('x' || encode(substr(token, 1, 8), 'hex'))::bit(64)::bigint AND j.state = 'running'
       AND j.metadata->>'organization' = organization::text AND NOT j.metadata ? 'cancel_attempted_at';
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- It reads nothing. Whoever may not run it sees the index's condition in another form than whoever may, and each
-- backend keeps the form that it saw first: then ON CONFLICT would not find the index.
GRANT EXECUTE ON FUNCTION jobs.river_job_state_in_bitmask TO PUBLIC;
-- It checks for itself whose transaction it is in, so every tenant role may call it.
GRANT EXECUTE ON FUNCTION jobs.enqueue TO PUBLIC;
GRANT EXECUTE ON FUNCTION jobs.enqueue_platform, jobs.enqueue_each TO countinghouse_app;
GRANT SELECT ON jobs.river_job TO countinghouse_app;

GRANT SELECT, INSERT, UPDATE ON jobs.river_job TO countinghouse_work;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.river_leader, jobs.river_queue, jobs.river_notification TO countinghouse_work;
GRANT USAGE ON SEQUENCE jobs.river_job_id_seq, jobs.river_notification_id_seq TO countinghouse_work;

-- +goose StatementEnd
