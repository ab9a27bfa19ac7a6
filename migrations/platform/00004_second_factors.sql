-- Second factors: an authenticator app, recovery codes, and the door between a password and a session.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.totp (
    person_id     uuid PRIMARY KEY REFERENCES platform.person,
    sealed        bytea NOT NULL CHECK (length(sealed) BETWEEN 1 AND 200), -- bound to the person
    created_at    timestamptz NOT NULL,
    confirmed_at  timestamptz, -- by a first code; until then it opens nothing and stops nobody
    -- A code is good once: neither its step nor an earlier one is taken again.
    last_step     bigint NOT NULL DEFAULT 0,
    -- Wrong codes in a row, and until when none is looked at. A recovery code gets in all the same.
    failed        integer NOT NULL DEFAULT 0,
    blocked_until timestamptz
);

CREATE TABLE platform.recovery_code (
    person_id  uuid NOT NULL REFERENCES platform.person,
    code_hash  bytea NOT NULL CHECK (length(code_hash) = 32),
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (person_id, code_hash)
);

-- Who has given the first factor and owes the second.
CREATE TABLE platform.pending_login (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    person_id  uuid NOT NULL REFERENCES platform.person,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    used_at    timestamptz
);
CREATE INDEX pending_login_person ON platform.pending_login (person_id);

-- Wrong answers to "is it still you?" since the last right one.
ALTER TABLE platform.session ADD COLUMN proof_tries integer NOT NULL DEFAULT 0;

-- What was turned off is gone: a secret that opens nothing any more is kept nowhere.
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.totp, platform.recovery_code, platform.pending_login TO countinghouse_app;

-- +goose StatementEnd
