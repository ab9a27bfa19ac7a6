-- An organization's own gateways for text messages and calls, by which customers are sent codes. They are kept with its other
-- gateways: they have what those have, but no money and so no account in the books.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE gateway_account
    ALTER account_id DROP NOT NULL,
    DROP CONSTRAINT gateway_account_kind_check,
    DROP CONSTRAINT gateway_account_check,
    ADD COLUMN api_url     varchar(200) NOT NULL DEFAULT '',
    ADD COLUMN api_login   varchar(60) NOT NULL DEFAULT '', -- whose secret is sealed
    ADD COLUMN sender      varchar(16) NOT NULL DEFAULT '', -- a number in E.164, or a name
    ADD COLUMN sends       varchar(9) NOT NULL DEFAULT '' CHECK (sends::text IN ('', 'text', 'call', 'text call')),
    ADD COLUMN turn        smallint NOT NULL DEFAULT 0,     -- the least is tried first
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN trouble     varchar(30) NOT NULL DEFAULT '', -- how the last try went, where it did not go well
    ADD COLUMN trouble_at  timestamptz,
    ADD CONSTRAINT gateway_account_kind_check CHECK (kind::text IN ('stripe', 'practice', 'transfer', 'twilio', 'vonage')),
    ADD CONSTRAINT gateway_account_check CHECK (sealed = '' OR kind::text <> 'transfer'),
    ADD CONSTRAINT gateway_account_sealed_check CHECK (sealed <> '' OR kind::text = 'transfer' OR account_id IS NULL AND archived_at IS NOT NULL),
    ADD CONSTRAINT gateway_account_account_check CHECK ((account_id IS NULL) = (kind::text IN ('twilio', 'vonage'))),
    ADD CONSTRAINT gateway_account_text_check CHECK ((sends = '') = (account_id IS NOT NULL)),
    ADD CONSTRAINT gateway_account_trouble_check CHECK ((trouble = '') = (trouble_at IS NULL));

-- +goose StatementEnd
