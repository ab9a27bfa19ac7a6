-- What every organization has before its books: its settings, its people, its numbers, its record.
-- +goose Up
-- +goose StatementBegin

-- One row.
CREATE TABLE settings (
    only_row             boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name                 varchar(200) NOT NULL,
    base_currency        varchar(3) NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    time_zone            varchar(64) NOT NULL, -- IANA
    country              varchar(2) NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    street               varchar(200) NOT NULL DEFAULT '',
    city                 varchar(100) NOT NULL DEFAULT '',
    region               varchar(100) NOT NULL DEFAULT '',
    postal_code          varchar(20) NOT NULL DEFAULT '',
    tax_number           varchar(40) NOT NULL DEFAULT '',
    invoice_prefix       varchar(12) NOT NULL DEFAULT 'INV-',
    payment_terms_days   smallint NOT NULL DEFAULT 30 CHECK (payment_terms_days BETWEEN 0 AND 365),
    tax_rounding         varchar(10) NOT NULL DEFAULT 'line' CHECK (tax_rounding::text IN ('line', 'document')),
    books_closed_through date,
    version              integer NOT NULL DEFAULT 1
);

CREATE TABLE member (
    person_id uuid PRIMARY KEY,
    name      varchar(200) NOT NULL,
    email     varchar(254) NOT NULL,
    role      varchar(40) NOT NULL,
    state     varchar(10) NOT NULL CHECK (state::text IN ('active', 'denied')),
    joined_at timestamptz NOT NULL
);

-- Gapless numbers: the row is locked from the moment a number is taken until its document commits.
CREATE TABLE counter (
    name  varchar(40) PRIMARY KEY,
    value bigint NOT NULL CHECK (value >= 0)
);

-- Who did what. Rows are added and read, never changed.
CREATE TABLE audit_log (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_kind  varchar(10) NOT NULL,
    actor_id    uuid, -- a person; none for the operator
    action      varchar(40) NOT NULL,
    object_kind varchar(20) NOT NULL,
    object_id   uuid,
    request_id  varchar(40) NOT NULL,
    network     varchar(45) NOT NULL,
    detail      varchar(400) NOT NULL -- figures and numbers, no person's data
);

-- What a creating request was answered, so that the same request sent again is not done again.
CREATE TABLE idempotency_key (
    key         varchar(100) PRIMARY KEY,
    request_mac bytea NOT NULL,
    status      smallint NOT NULL,
    resource_id uuid NOT NULL,
    created_at  timestamptz NOT NULL
);

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON settings, member, counter, idempotency_key TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON audit_log TO %I', tenant);
END $$;

-- +goose StatementEnd
