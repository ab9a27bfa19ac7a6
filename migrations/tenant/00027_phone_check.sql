-- When a customer has to show that a phone number is theirs, and how they do so.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE settings
    ADD COLUMN phone_check       varchar(6) NOT NULL DEFAULT 'never' CHECK (phone_check::text IN ('never', 'before', 'after')),
    ADD COLUMN phone_types       varchar(800) NOT NULL DEFAULT '', -- a line for each type of product: its name, a colon, and when
    ADD COLUMN phone_filter      varchar(200) NOT NULL DEFAULT '', -- a regular expression over a number's digits
    ADD COLUMN phone_text        varchar(140) NOT NULL DEFAULT '%code% is your code. It is good for one number and one time.',
    ADD COLUMN phone_ways        varchar(10) NOT NULL DEFAULT 'text call' CHECK (phone_ways::text IN ('text', 'call', 'text call', 'call text')),
    ADD COLUMN phone_minutes     smallint NOT NULL DEFAULT 10 CHECK (phone_minutes BETWEEN 1 AND 60),
    ADD COLUMN phone_tries       smallint NOT NULL DEFAULT 5 CHECK (phone_tries BETWEEN 1 AND 10),
    ADD COLUMN phone_delay       smallint NOT NULL DEFAULT 60 CHECK (phone_delay BETWEEN 30 AND 3600), -- seconds
    ADD COLUMN phone_number_day  smallint NOT NULL DEFAULT 5 CHECK (phone_number_day BETWEEN 1 AND 20),
    ADD COLUMN phone_network_day smallint NOT NULL DEFAULT 20 CHECK (phone_network_day BETWEEN 1 AND 1000),
    ADD COLUMN phone_denied      varchar(800) NOT NULL DEFAULT '', -- countries, divided by spaces
    ADD COLUMN phone_kinds       varchar(40) NOT NULL DEFAULT '',  -- kinds of number that are denied
    ADD COLUMN phone_version     integer NOT NULL DEFAULT 1;

ALTER TABLE product
    ADD COLUMN IF NOT EXISTS product_type varchar(30) NOT NULL DEFAULT '', -- the shop's, which may have come first
    ADD COLUMN phone_check varchar(6) NOT NULL DEFAULT '' CHECK (phone_check::text IN ('', 'never', 'before', 'after')); -- none: as its type

ALTER TABLE party
    ADD COLUMN verified_phone    varchar(16) NOT NULL DEFAULT '', -- E.164
    ADD COLUMN phone_verified_at timestamptz,
    ADD CONSTRAINT party_verified_phone_check CHECK ((verified_phone = '') = (phone_verified_at IS NULL));

-- +goose StatementEnd
