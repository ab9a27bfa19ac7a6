-- Rates whose percent changes on a day, rates of nothing with their reason, and codes that stand for several rates.
-- +goose Up
-- +goose StatementBegin

-- The percent of tax_rate is that of the beginning; each row here takes its place from a day on.
CREATE TABLE tax_percent (
    tax_rate_id uuid NOT NULL REFERENCES tax_rate,
    since       date NOT NULL,
    percent     numeric(9, 6) NOT NULL CHECK (percent BETWEEN 0 AND 100),
    PRIMARY KEY (tax_rate_id, since)
);

-- A group is a code like that of a rate, so that lines name either; what it stands for is in tax_group_rate.
ALTER TABLE tax_rate
    ADD COLUMN kind varchar(15) NOT NULL DEFAULT 'standard'
        CHECK (kind::text IN ('standard', 'zero', 'exempt', 'reverse_charge', 'group')),
    ADD COLUMN reason varchar(200) NOT NULL DEFAULT '',      -- printed: why no tax is due
    ADD COLUMN registration varchar(40) NOT NULL DEFAULT '', -- printed: the organization's number for this tax
    ADD CONSTRAINT tax_rate_kind_percent_check CHECK (kind::text = 'standard' OR percent = 0);

CREATE TABLE tax_group_rate (
    group_id    uuid NOT NULL REFERENCES tax_rate,
    position    smallint NOT NULL CHECK (position > 0),
    tax_rate_id uuid NOT NULL REFERENCES tax_rate,
    PRIMARY KEY (group_id, position)
);

-- As the rate was when the line was written.
ALTER TABLE document_tax
    ADD COLUMN kind varchar(15) NOT NULL DEFAULT 'standard'
        CHECK (kind::text IN ('standard', 'zero', 'exempt', 'reverse_charge')),
    ADD COLUMN reason varchar(200) NOT NULL DEFAULT '',
    ADD COLUMN registration varchar(40) NOT NULL DEFAULT '';

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tax_percent TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON tax_group_rate TO %I', tenant);
END $$;

-- +goose StatementEnd
