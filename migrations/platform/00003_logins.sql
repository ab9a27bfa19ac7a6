-- Who signed in or tried to, how often someone may try, and from which browsers people came before.
-- +goose Up
-- +goose StatementBegin

-- A row for each time that someone signed in or was refused. It is never changed: the service may add to it alone.
-- An address is kept as a keyed digest, so that one that nobody has leaves nothing personal behind.
CREATE TABLE platform.login_event (
    id         uuid PRIMARY KEY,
    person_id  uuid REFERENCES platform.person, -- none: nobody has the address
    email_hash bytea NOT NULL CHECK (length(email_hash) = 32),
    at         timestamptz NOT NULL,
    network    inet,
    user_agent varchar(300) NOT NULL DEFAULT '',
    method     varchar(20) NOT NULL CHECK (method ~ '^[a-z_]+$'),  -- password, sign_up, recovery, ...
    outcome    varchar(20) NOT NULL CHECK (outcome ~ '^[a-z_]+$'), -- success, refused, ...
    session_id uuid -- the session that it opened, or that it is about
);
CREATE INDEX login_event_person ON platform.login_event (person_id, at DESC) WHERE person_id IS NOT NULL;

-- How often one subject failed: an account, a network, a device. One row each, so that tries made at once wait for
-- each other here and not one of them is free.
CREATE TABLE platform.sign_in_budget (
    subject    bytea PRIMARY KEY CHECK (length(subject) = 32),
    failures   integer NOT NULL CHECK (failures >= 0),
    wait_until timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    told_at    timestamptz -- when the owner was last told
) WITH (fillfactor = 80);

-- A browser that a person signed in with before. Whoever holds its token has tries of their own.
CREATE TABLE platform.device (
    token_hash   bytea NOT NULL CHECK (length(token_hash) = 32),
    person_id    uuid NOT NULL REFERENCES platform.person,
    created_at   timestamptz NOT NULL,
    forgotten_at timestamptz,
    PRIMARY KEY (token_hash, person_id)
);
CREATE INDEX device_person ON platform.device (person_id);

ALTER TABLE platform.credential
    ADD COLUMN must_change boolean NOT NULL DEFAULT false,
    ADD COLUMN changed_at  timestamptz; -- none: never since it was made

-- The passwords that a person had before.
CREATE TABLE platform.former_password (
    id        uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES platform.person,
    secret    varchar(300) NOT NULL, -- a PHC string
    ended_at  timestamptz NOT NULL
);
CREATE INDEX former_password_person ON platform.former_password (person_id, ended_at DESC);

ALTER TABLE platform.verification DROP CONSTRAINT verification_purpose_check;
ALTER TABLE platform.verification ADD CONSTRAINT verification_purpose_check
    CHECK (purpose::text IN ('sign_up', 'recovery'));

-- Ends all API tokens of a person, in every organization: when they say that a login was not theirs. A function and
-- no UPDATE grant on the table, so that the service can end a token but never bring one back.
CREATE FUNCTION platform.revoke_person_tokens(person uuid, at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE ended integer;
BEGIN
    UPDATE api_token t SET revoked_at = at, access_version = t.access_version + 1
     WHERE t.person_id = person AND t.revoked_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;

GRANT SELECT, INSERT ON platform.login_event TO countinghouse_app;
GRANT SELECT, INSERT, UPDATE ON platform.sign_in_budget, platform.device TO countinghouse_app;
-- Those beyond what the policy compares with are of no use to anyone but a thief.
GRANT SELECT, INSERT, DELETE ON platform.former_password TO countinghouse_app;
GRANT EXECUTE ON FUNCTION platform.revoke_person_tokens TO countinghouse_app;

-- +goose StatementEnd
