-- What is sold, to whom, and what has been paid.
-- +goose Up
-- +goose StatementBegin

-- Customers today; payees are parties too.
CREATE TABLE party (
    id          uuid PRIMARY KEY,
    external_id varchar(100) UNIQUE,
    name        varchar(200) NOT NULL,
    company     varchar(200) NOT NULL DEFAULT '',
    email       varchar(254) NOT NULL DEFAULT '',
    phone       varchar(40) NOT NULL DEFAULT '',
    street      varchar(200) NOT NULL DEFAULT '',
    city        varchar(100) NOT NULL DEFAULT '',
    region      varchar(100) NOT NULL DEFAULT '',
    postal_code varchar(20) NOT NULL DEFAULT '',
    country     varchar(2) NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    created_at  timestamptz NOT NULL,
    archived_at timestamptz,
    version     integer NOT NULL DEFAULT 1
);

CREATE TABLE product (
    id                uuid PRIMARY KEY,
    external_id       varchar(100) UNIQUE,
    name              varchar(200) NOT NULL,
    description       varchar(500) NOT NULL DEFAULT '',
    unit_price        numeric(18, 6) NOT NULL CHECK (unit_price >= 0),
    currency          varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    income_account_id uuid REFERENCES account, -- none: the account whose purpose is income
    created_at        timestamptz NOT NULL,
    archived_at       timestamptz,
    version           integer NOT NULL DEFAULT 1
);

CREATE TABLE tax_rate (
    id          uuid PRIMARY KEY,
    code        varchar(20) NOT NULL UNIQUE,
    name        varchar(60) NOT NULL,
    percent     numeric(9, 6) NOT NULL CHECK (percent BETWEEN 0 AND 100),
    compound    boolean NOT NULL, -- on the net amount and the taxes before it
    account_id  uuid NOT NULL REFERENCES account,
    archived_at timestamptz,
    version     integer NOT NULL DEFAULT 1
);

-- An invoice; quotes and credit notes are documents of the same shape. Amounts are minor units, as the one
-- calculator gave them.
CREATE TABLE document (
    id          uuid PRIMARY KEY,
    kind        varchar(12) NOT NULL CHECK (kind::text IN ('invoice')),
    state       varchar(8) NOT NULL CHECK (state::text IN ('draft', 'issued')),
    number      varchar(40),
    external_id varchar(100),
    customer_id uuid NOT NULL REFERENCES party,
    billed_to   jsonb, -- the customer's name and address as they were when it was issued
    issue_date  date NOT NULL,
    due_date    date NOT NULL CHECK (due_date >= issue_date),
    currency    varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reference   varchar(60) NOT NULL DEFAULT '',
    note        varchar(1000) NOT NULL DEFAULT '',
    net         bigint NOT NULL CHECK (net >= 0),
    tax         bigint NOT NULL CHECK (tax >= 0),
    total       bigint NOT NULL,
    settled     bigint NOT NULL DEFAULT 0,
    entry_id    uuid UNIQUE REFERENCES journal_entry,
    created_at  timestamptz NOT NULL,
    issued_at   timestamptz,
    version     integer NOT NULL DEFAULT 1,
    UNIQUE (kind, number),
    UNIQUE (kind, external_id),
    CHECK (total = net + tax),
    CHECK (settled BETWEEN 0 AND total),
    CHECK ((state::text = 'draft') = (number IS NULL)),
    CHECK ((state::text = 'draft') = (issued_at IS NULL)),
    CHECK ((state::text = 'draft') = (billed_to IS NULL)),
    CHECK (state::text <> 'draft' OR settled = 0)
);
CREATE INDEX document_customer ON document (customer_id, id);
CREATE INDEX document_open ON document (due_date, id) WHERE state::text = 'issued' AND settled < total;

CREATE TABLE document_line (
    document_id      uuid NOT NULL REFERENCES document ON DELETE CASCADE,
    line             smallint NOT NULL CHECK (line > 0),
    product_id       uuid REFERENCES product,
    description      varchar(500) NOT NULL,
    quantity         numeric(18, 6) NOT NULL CHECK (quantity > 0),
    unit_price       numeric(18, 6) NOT NULL CHECK (unit_price >= 0),
    discount_percent numeric(9, 6) NOT NULL CHECK (discount_percent BETWEEN 0 AND 100),
    account_id       uuid NOT NULL REFERENCES account,
    net              bigint NOT NULL CHECK (net >= 0),
    PRIMARY KEY (document_id, line)
);

-- What each rate came to on each line, with the rate as it was then.
CREATE TABLE document_tax (
    document_id uuid NOT NULL,
    line        smallint NOT NULL,
    position    smallint NOT NULL CHECK (position > 0),
    tax_rate_id uuid NOT NULL REFERENCES tax_rate,
    code        varchar(20) NOT NULL,
    name        varchar(60) NOT NULL,
    percent     numeric(9, 6) NOT NULL,
    compound    boolean NOT NULL,
    base        bigint NOT NULL CHECK (base >= 0),
    amount      bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (document_id, line, position),
    FOREIGN KEY (document_id, line) REFERENCES document_line ON DELETE CASCADE
);

-- What is issued has left the house: it may be settled, and is otherwise as it was.
CREATE FUNCTION check_document_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.state::text = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - 'settled' - 'version') <> (to_jsonb(OLD) - 'settled' - 'version') THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER document_change BEFORE UPDATE OR DELETE ON document
    FOR EACH ROW EXECUTE FUNCTION check_document_change();

CREATE FUNCTION check_document_part_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM document d WHERE d.id = (CASE TG_OP WHEN 'DELETE' THEN OLD.document_id ELSE NEW.document_id END)
        AND d.state::text <> 'draft';
    IF FOUND THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER document_line_change BEFORE INSERT OR UPDATE OR DELETE ON document_line
    FOR EACH ROW EXECUTE FUNCTION check_document_part_change();
CREATE TRIGGER document_tax_change BEFORE INSERT OR UPDATE OR DELETE ON document_tax
    FOR EACH ROW EXECUTE FUNCTION check_document_part_change();

CREATE TABLE payment (
    id          uuid PRIMARY KEY,
    external_id varchar(100) UNIQUE,
    customer_id uuid NOT NULL REFERENCES party,
    date        date NOT NULL,
    currency    varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount      bigint NOT NULL CHECK (amount > 0),
    method      varchar(20) NOT NULL,
    reference   varchar(100) NOT NULL DEFAULT '',
    account_id  uuid NOT NULL REFERENCES account, -- where the money went
    entry_id    uuid NOT NULL UNIQUE REFERENCES journal_entry,
    created_at  timestamptz NOT NULL
);
CREATE INDEX payment_customer ON payment (customer_id, id);

CREATE TABLE payment_allocation (
    payment_id  uuid NOT NULL REFERENCES payment,
    document_id uuid NOT NULL REFERENCES document,
    amount      bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (payment_id, document_id)
);
CREATE INDEX payment_allocation_document ON payment_allocation (document_id);

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON party, product, tax_rate, document TO %I', tenant);
    EXECUTE format('GRANT DELETE ON document TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON document_line, document_tax TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON payment, payment_allocation TO %I', tenant);
END $$;

-- +goose StatementEnd
