-- More that grows old, and invitations of people who have left for good.
-- +goose Up
-- +goose StatementBegin

-- Rows are added in the order of time.
CREATE INDEX entry_at ON platform.entry USING brin (at);

-- As before, and: codes that were sent to phones after a day, entries with the logins that they are of, invitations 90
-- days after their end, and answers to puzzles, which are good no more. Where a platform has no puzzles yet, there is
-- no table of them.
CREATE OR REPLACE FUNCTION platform.clear_old(keep_logins interval, most integer) RETURNS bigint
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
    DELETE FROM entry WHERE (organization_id, id) IN (
        SELECT organization_id, id FROM entry WHERE at < now() - greatest(keep_logins, interval '90 days') LIMIT most);
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
    -- What one number and one network are sent is counted over 24 hours.
    DELETE FROM phone_code WHERE token_hash IN (
        SELECT token_hash FROM phone_code WHERE created_at < now() - interval '24 hours' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM invitation WHERE token_hash IN (
        SELECT token_hash FROM invitation WHERE least(ended_at, expires_at) < now() - interval '90 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    IF to_regclass('platform.captcha_spent') IS NOT NULL THEN
        EXECUTE 'DELETE FROM platform.captcha_spent WHERE challenge IN (
            SELECT challenge FROM platform.captcha_spent WHERE expires_at < now() - interval ''1 day'' LIMIT $1)' USING most;
        GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    END IF;
    -- A daily job is known by its finished one for a day.
    DELETE FROM jobs.river_job WHERE id IN (
        SELECT id FROM jobs.river_job WHERE state = 'completed' AND finalized_at < now() - interval '2 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    DELETE FROM jobs.river_job WHERE id IN (
        SELECT id FROM jobs.river_job WHERE state IN ('cancelled', 'discarded') AND finalized_at < now() - interval '90 days' LIMIT most);
    GET DIAGNOSTICS n = ROW_COUNT; cleared := cleared + n;
    RETURN cleared;
END $$;

-- As before, and: invitations that the person sent open nothing, those that were sent to them are over, and their
-- address is in none.
CREATE OR REPLACE FUNCTION platform.erase_person(person uuid, pseudonym varchar, address varchar, at timestamptz) RETURNS void
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
    UPDATE invitation i SET ended_at = at, outcome = 'void' WHERE (i.invited_by = person OR i.email = before) AND i.ended_at IS NULL;
    UPDATE invitation i SET email = address WHERE i.email = before;
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

-- +goose StatementEnd
