-- Who there is: compartments, organizations, people, and who belongs where.
-- +goose Up
-- +goose StatementBegin

-- Functions are for those who are granted them, not for everyone.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- A grant to every tenant role would make this one access list grow with the number of tenants, and be read
-- from end to end at every check. PUBLIC here is our own roles alone: nobody else may connect to the database.
GRANT USAGE ON SCHEMA platform TO PUBLIC;

CREATE TABLE platform.compartment (
    id         smallint PRIMARY KEY,
    login      varchar(63) NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE platform.organization (
    id             uuid PRIMARY KEY,
    compartment_id smallint NOT NULL REFERENCES platform.compartment,
    schema_name    varchar(63) NOT NULL UNIQUE CHECK (schema_name ~ '^t_[0-9a-f]{20}$'),
    slug           varchar(40) UNIQUE CHECK (slug ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'),
    name           varchar(200),
    state          varchar(10) NOT NULL CHECK (state::text IN ('ready', 'active', 'suspended')),
    -- Bumped by everything that changes what any caller of this organization may do.
    policy_version bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    claimed_at     timestamptz,
    CHECK ((state::text = 'ready') = (slug IS NULL)),
    CHECK ((slug IS NULL) = (name IS NULL))
);
CREATE INDEX organization_ready ON platform.organization (compartment_id, id) WHERE state::text = 'ready';

CREATE TABLE platform.person (
    id         uuid PRIMARY KEY,
    email      varchar(254) NOT NULL UNIQUE, -- normalized by identity
    name       varchar(200) NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE platform.credential (
    id         uuid PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES platform.person,
    kind       varchar(10) NOT NULL CHECK (kind::text IN ('password')),
    secret     varchar(300) NOT NULL, -- a PHC string
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX credential_password ON platform.credential (person_id) WHERE kind::text = 'password';

-- What a mailed link proves: that its bearer reads the mail of an address.
CREATE TABLE platform.verification (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    varchar(12) NOT NULL CHECK (purpose::text IN ('sign_up')),
    email      varchar(254) NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX verification_email ON platform.verification (email, created_at);

-- The index of every tenant's own table of members, changed in the same transaction (set_member).
CREATE TABLE platform.membership (
    organization_id uuid NOT NULL REFERENCES platform.organization,
    person_id       uuid NOT NULL REFERENCES platform.person,
    role            varchar(40) NOT NULL,
    state           varchar(10) NOT NULL CHECK (state::text IN ('active', 'denied')),
    PRIMARY KEY (organization_id, person_id)
);
CREATE INDEX membership_person ON platform.membership (person_id);

CREATE TABLE platform.session (
    token_hash       bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    id               uuid NOT NULL UNIQUE,
    person_id        uuid NOT NULL REFERENCES platform.person,
    -- Bumped by everything that changes what the session may do.
    access_version   bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    authenticated_at timestamptz NOT NULL,
    last_seen_at     timestamptz NOT NULL,
    idle_seconds     integer NOT NULL CHECK (idle_seconds > 0),
    expires_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    network          inet,
    user_agent       varchar(300) NOT NULL DEFAULT ''
) WITH (fillfactor = 80); -- last_seen_at changes often: leave room to do it in place
CREATE INDEX session_person ON platform.session (person_id) WHERE ended_at IS NULL;

CREATE TABLE platform.api_token (
    token_hash      bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    id              uuid NOT NULL UNIQUE,
    organization_id uuid NOT NULL REFERENCES platform.organization,
    person_id       uuid NOT NULL REFERENCES platform.person, -- it never may more than they may today
    name            varchar(100) NOT NULL,
    hint            varchar(12) NOT NULL, -- the first characters, to tell one from another
    scopes          varchar(60)[] NOT NULL, -- "module:read", "module:write"; "*:read", "*:write"
    access_version  bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    last_used_at    timestamptz,
    revoked_at      timestamptz
) WITH (fillfactor = 80);
CREATE INDEX api_token_organization ON platform.api_token (organization_id, id);
CREATE INDEX api_token_person ON platform.api_token (person_id) WHERE revoked_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON platform.person, platform.credential, platform.verification,
    platform.session TO countinghouse_app;
GRANT SELECT ON platform.compartment, platform.organization, platform.membership, platform.api_token TO countinghouse_app;
GRANT UPDATE (last_used_at) ON platform.api_token TO countinghouse_app;

-- +goose StatementEnd
