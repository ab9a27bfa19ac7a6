-- Who decides what the gate asks: the operator's settings for all, and each organization's own rules of entry.
-- +goose Up
-- +goose StatementBegin

-- Every change of a setting is a row, and the last one of a name is in force: what was set, when and by whom is
-- never lost, and two who change settings at once meet in the version.
CREATE TABLE platform.setting (
    version   bigint PRIMARY KEY CHECK (version > 0),
    name      varchar(60) NOT NULL CHECK (name ~ '^[a-z_]+(\.[a-z_]+)+$'),
    value     varchar(400), -- none: the default; of a secret, only that it was set
    at        timestamptz NOT NULL,
    person_id uuid REFERENCES platform.person -- none: the operator's command line
);
CREATE INDEX setting_name ON platform.setting (name, version DESC);

-- The secrets among them, sealed. What is replaced is gone.
CREATE TABLE platform.setting_secret (
    name   varchar(60) PRIMARY KEY,
    sealed bytea NOT NULL CHECK (length(sealed) BETWEEN 1 AND 1000)
);

-- A solved CAPTCHA is good once: its row is made by whoever brings it first.
CREATE TABLE platform.captcha_spent (
    challenge  bytea PRIMARY KEY CHECK (length(challenge) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX captcha_spent_expiry ON platform.captcha_spent (expires_at);

-- What is known of a password without knowing it, from when it was set: how long it is at least (12, 15 or 20
-- characters) and its strength. Those from before are held for what every password has to be.
ALTER TABLE platform.credential
    ADD COLUMN change_next  boolean NOT NULL DEFAULT false, -- at the next login, before anything else
    ADD COLUMN age_exempt   boolean NOT NULL DEFAULT false,
    ADD COLUMN length_class smallint NOT NULL DEFAULT 12 CHECK (length_class IN (12, 15, 20)),
    ADD COLUMN score        smallint NOT NULL DEFAULT 2 CHECK (score BETWEEN 2 AND 4);

ALTER TABLE platform.pending_login
    ADD COLUMN purpose varchar(12) NOT NULL DEFAULT 'second_step' CHECK (purpose::text IN ('second_step', 'change'));

-- The longest time without use since the person last showed who they are: an organization that admits a shorter one
-- than the session does must not be entered after a stroll over other pages.
ALTER TABLE platform.session ADD COLUMN idle_gap_seconds integer NOT NULL DEFAULT 0;

-- What an organization asks of who enters it; its own settings hold the same. No row: nothing beyond the platform.
CREATE TABLE platform.entry_rule (
    organization_id uuid PRIMARY KEY REFERENCES platform.organization,
    second_factor   boolean NOT NULL,
    password_length smallint NOT NULL CHECK (password_length IN (12, 15, 20)),
    password_score  smallint NOT NULL CHECK (password_score BETWEEN 2 AND 4),
    password_days   integer NOT NULL CHECK (password_days BETWEEN 0 AND 3650),  -- 0: for ever
    idle_minutes    integer NOT NULL CHECK (idle_minutes BETWEEN 0 AND 1440),   -- 0: as the session
    session_hours   integer NOT NULL CHECK (session_hours BETWEEN 0 AND 720),   -- 0: as the session
    portal_captcha  boolean NOT NULL
);

-- Of whom an organization asks neither second factor nor password rules.
ALTER TABLE platform.membership ADD COLUMN entry_exempt boolean NOT NULL DEFAULT false;

CREATE FUNCTION platform.has_second_factor(person uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM totp t WHERE t.person_id = person AND t.confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM passkey k WHERE k.person_id = person);
END $$;

-- Whoever changes a second factor or a password is let in anew, everywhere: a rule may turn on it.
CREATE FUNCTION platform.decide_person_anew() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE person uuid := coalesce(NEW.person_id, OLD.person_id);
BEGIN
    UPDATE session s SET access_version = s.access_version + 1 WHERE s.person_id = person AND s.ended_at IS NULL;
    UPDATE api_token t SET access_version = t.access_version + 1 WHERE t.person_id = person AND t.revoked_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER totp_decides AFTER UPDATE OF confirmed_at OR DELETE ON platform.totp
    FOR EACH ROW EXECUTE FUNCTION platform.decide_person_anew();
CREATE TRIGGER passkey_decides AFTER DELETE ON platform.passkey
    FOR EACH ROW EXECUTE FUNCTION platform.decide_person_anew();
CREATE TRIGGER credential_decides AFTER UPDATE OF secret ON platform.credential
    FOR EACH ROW EXECUTE FUNCTION platform.decide_person_anew();

-- Sets what this organization asks; everyone in it is decided anew from the next request on.
CREATE FUNCTION platform.set_entry_rule(second_factor boolean, password_length integer, password_score integer,
    password_days integer, idle_minutes integer, session_hours integer, portal_captcha boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    DELETE FROM entry_rule r WHERE r.organization_id = here;
    INSERT INTO entry_rule VALUES (here, second_factor, password_length, password_score, password_days,
        idle_minutes, session_hours, portal_captcha);
    UPDATE organization o SET policy_version = o.policy_version + 1 WHERE o.id = here;
END $$;

-- Exempts a member of this organization from its rules, or no longer. False: there is no such member.
CREATE FUNCTION platform.set_entry_exempt(person uuid, exempt boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE membership m SET entry_exempt = exempt WHERE m.organization_id = here AND m.person_id = person;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE organization o SET policy_version = o.policy_version + 1 WHERE o.id = here;
    RETURN true;
END $$;

-- How the active members of this organization stand to what it may ask.
CREATE FUNCTION platform.entry_standing()
RETURNS TABLE (person_id uuid, second_factor boolean, password_length smallint, password_score smallint,
    password_since timestamptz, exempt boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT m.person_id, platform.has_second_factor(m.person_id), c.length_class, c.score,
        coalesce(c.changed_at, c.created_at), m.entry_exempt
      FROM membership m LEFT JOIN credential c ON c.person_id = m.person_id AND c.kind::text = 'password'
     WHERE m.organization_id = platform.current_organization() AND m.state::text = 'active';
END $$;

-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.set_entry_rule, platform.set_entry_exempt, platform.entry_standing TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.has_second_factor TO countinghouse_app;

GRANT SELECT, INSERT ON platform.setting TO countinghouse_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.setting_secret TO countinghouse_app;
GRANT SELECT, INSERT, DELETE ON platform.captcha_spent TO countinghouse_app;
GRANT SELECT ON platform.entry_rule TO countinghouse_app;

-- +goose StatementEnd
