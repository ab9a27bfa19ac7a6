-- Passkeys (W3C Web Authentication), as a second factor and in place of the password.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.passkey (
    id            uuid PRIMARY KEY,
    person_id     uuid NOT NULL REFERENCES platform.person,
    credential_id bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
    name          varchar(100) NOT NULL,
    record        jsonb NOT NULL, -- public key, sign count and flags, as the library keeps them: no secret
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz
);
CREATE INDEX passkey_person ON platform.passkey (person_id);

-- A challenge that was handed out. Its row is deleted by whoever answers it: it is answered once.
CREATE TABLE platform.passkey_ceremony (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    varchar(12) NOT NULL CHECK (purpose::text IN ('add', 'second_step', 'sign_in')),
    person_id  uuid REFERENCES platform.person, -- none: whoever answers
    data       bytea NOT NULL CHECK (length(data) <= 65536),
    expires_at timestamptz NOT NULL
);
CREATE INDEX passkey_ceremony_expiry ON platform.passkey_ceremony (expires_at);

-- UPDATE of a ceremony is only for locking its row: FOR UPDATE asks for it.
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.passkey, platform.passkey_ceremony TO countinghouse_app;

-- +goose StatementEnd
