-- Care of jobs and of what grows old: workers that ended, jobs to try again or to stop, rows past their time. What is
-- deleted is deleted by the owner in functions whose floors nobody can go below, by the database's own clock: so the
-- service's login has no right to delete it.
-- +goose Up
-- +goose StatementBegin

-- Which workers there are, by their sign of life.
CREATE TABLE jobs.worker (
    id      varchar(60) PRIMARY KEY,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- A worker's sign of life. Jobs of workers that gave none for so long are given back; their old runs can write nothing
-- in any organization any more (job_alive). River itself would wait for longer than the longest job may take.
CREATE FUNCTION jobs.beat(worker_id varchar, dead_after interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
DECLARE given bigint;
BEGIN
    INSERT INTO worker AS w (id, seen_at) VALUES (worker_id, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at;
    DELETE FROM worker w WHERE w.seen_at < clock_timestamp() - dead_after;
    UPDATE river_job j SET
        state = CASE WHEN j.metadata ? 'cancel_attempted_at' THEN 'cancelled'
            WHEN j.attempt >= j.max_attempts THEN 'discarded' ELSE 'available' END::river_job_state,
        finalized_at = CASE WHEN j.metadata ? 'cancel_attempted_at' OR j.attempt >= j.max_attempts THEN clock_timestamp() END,
        errors = array_append(j.errors, jsonb_build_object('at', to_json(clock_timestamp()), 'attempt', j.attempt,
            'error', 'its worker gave no sign of life', 'trace', ''))
     WHERE j.id IN (SELECT r.id FROM river_job r WHERE r.state = 'running'
            AND NOT EXISTS (SELECT FROM worker w WHERE w.id = r.attempted_by[array_upper(r.attempted_by, 1)])
            FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS given = ROW_COUNT;
    RETURN given;
END $$;

-- A worker that ends in good order.
CREATE FUNCTION jobs.leave(worker_id varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
    DELETE FROM worker WHERE id = worker_id;
END $$;

-- Tries a job again now. False: there is none, it runs, or it is done.
CREATE FUNCTION jobs.retry(job bigint, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
    UPDATE river_job SET state = 'available', max_attempts = greatest(max_attempts, attempt + 1), finalized_at = NULL,
        scheduled_at = at, metadata = metadata - 'cancel_attempted_at'
     WHERE id = job AND state IN ('retryable', 'scheduled', 'pending', 'discarded', 'cancelled');
    RETURN FOUND;
END $$;

-- Stops a job. One that runs can write nothing more in its organization, and is not tried again. False: there is none,
-- or it has ended.
CREATE FUNCTION jobs.cancel(job bigint, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
    UPDATE river_job SET state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
        finalized_at = CASE WHEN state = 'running' THEN finalized_at ELSE at END,
        metadata = jsonb_set(metadata, '{cancel_attempted_at}', to_jsonb(at))
     WHERE id = job AND state NOT IN ('completed', 'cancelled', 'discarded');
    RETURN FOUND;
END $$;

-- Rows are added in the order of time.
CREATE INDEX login_event_at ON platform.login_event USING brin (at);

-- Deletes what is past its time, at most so many rows of each kind. Logins are kept for as long as asked, but 90 days.
CREATE FUNCTION platform.clear_old(keep_logins interval, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE cleared bigint := 0; n bigint;
BEGIN
    DELETE FROM verification WHERE token_hash IN (
        SELECT token_hash FROM verification WHERE expires_at < now() - interval '30 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    -- Failures are forgotten after a day at the latest.
    DELETE FROM sign_in_budget WHERE subject IN (
        SELECT subject FROM sign_in_budget WHERE last_at < now() - interval '30 days' AND wait_until < now() LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM login_event WHERE id IN (
        SELECT id FROM login_event WHERE at < now() - greatest(keep_logins, interval '90 days') LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM session WHERE token_hash IN (
        SELECT token_hash FROM session
         WHERE least(ended_at, expires_at, last_seen_at + make_interval(secs => idle_seconds)) < now() - interval '30 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM pending_login WHERE token_hash IN (
        SELECT token_hash FROM pending_login WHERE expires_at < now() - interval '1 day' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM passkey_ceremony WHERE token_hash IN (
        SELECT token_hash FROM passkey_ceremony WHERE expires_at < now() - interval '1 day' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    -- A daily job is known by its finished one for a day.
    DELETE FROM jobs.river_job WHERE id IN (
        SELECT id FROM jobs.river_job WHERE state = 'completed' AND finalized_at < now() - interval '2 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM jobs.river_job WHERE id IN (
        SELECT id FROM jobs.river_job WHERE state IN ('cancelled', 'discarded') AND finalized_at < now() - interval '90 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    RETURN cleared;
END $$;

-- Deletes the answers that organizations kept for requests sent twice, when they are older than a day: of so many
-- organizations after one, by their ids. Gives the last of them; none: there are no more. One whose table is locked
-- waits for the next day.
CREATE FUNCTION platform.clear_idempotency_keys(after uuid, many integer) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp SET lock_timeout = '2s' AS $$
DECLARE here record; last uuid;
BEGIN
    FOR here IN SELECT o.id, o.schema_name FROM organization o
        WHERE o.id > after AND o.state::text = 'active' ORDER BY o.id LIMIT many LOOP
        BEGIN
            EXECUTE format('DELETE FROM %I.idempotency_key WHERE created_at < now() - interval ''24 hours''', here.schema_name);
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
        last := here.id;
    END LOOP;
    RETURN last;
END $$;

GRANT EXECUTE ON FUNCTION jobs.retry, jobs.cancel, platform.clear_old, platform.clear_idempotency_keys TO countinghouse_app;
GRANT EXECUTE ON FUNCTION jobs.beat, jobs.leave TO countinghouse_work;

-- +goose StatementEnd
