-- The ledger. The database itself refuses an entry that does not balance, that has fewer than two lines, that
-- falls in a closed period, or that is added to after its own transaction; and nobody may change or delete one.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE account (
    id          uuid PRIMARY KEY,
    code        varchar(20) NOT NULL UNIQUE,
    name        varchar(120) NOT NULL,
    kind        varchar(10) NOT NULL CHECK (kind::text IN ('asset', 'liability', 'equity', 'income', 'expense')),
    purpose     varchar(20) UNIQUE, -- what the books themselves post to it for: receivable, bank, income, tax
    archived_at timestamptz,
    version     integer NOT NULL DEFAULT 1
);

CREATE TABLE journal_entry (
    id          uuid PRIMARY KEY,
    number      bigint NOT NULL UNIQUE,
    date        date NOT NULL,
    description varchar(300) NOT NULL,
    source_kind varchar(12) NOT NULL CHECK (source_kind::text IN ('manual', 'reversal', 'invoice', 'payment')),
    source_id   uuid,
    reverses_id uuid UNIQUE REFERENCES journal_entry,
    posted_at   timestamptz NOT NULL,
    posted_by   uuid,
    -- The transaction that wrote it. No tenant role may set this: it is how a line knows its own entry.
    posted_in   xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX journal_entry_date ON journal_entry (date, number);

-- Debits are positive, credits negative, in minor units of the line's currency.
--
-- There is no foreign key to the entry, since the trigger below proves more than one would; nor to the
-- account, since its row lock would make every posting to the same account queue there, and no tenant role
-- may delete an account.
CREATE TABLE journal_line (
    entry_id   uuid NOT NULL,
    line       smallint NOT NULL CHECK (line > 0),
    account_id uuid NOT NULL,
    party_id   uuid,
    currency   varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount     bigint NOT NULL CHECK (amount <> 0),
    memo       varchar(300) NOT NULL DEFAULT '',
    PRIMARY KEY (entry_id, line)
);
CREATE INDEX journal_line_account ON journal_line (account_id, entry_id);

-- Closing takes the same lock alone, so that no entry slips in while the books are being closed.
CREATE FUNCTION check_entry_period() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE closed date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(TG_TABLE_SCHEMA || '.period', 0));
    SELECT books_closed_through INTO closed FROM settings;
    IF NEW.date <= closed THEN
        RAISE EXCEPTION 'the books are closed through %', closed USING ERRCODE = 'LG003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_period BEFORE INSERT ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION check_entry_period();

CREATE FUNCTION check_period_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_SCHEMA || '.period', 0));
    RETURN NEW;
END $$;
CREATE TRIGGER settings_period BEFORE UPDATE OF books_closed_through ON settings
    FOR EACH ROW EXECUTE FUNCTION check_period_change();

CREATE FUNCTION check_line_entry() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM journal_entry e WHERE e.id = NEW.entry_id AND e.posted_in = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a line enters only with its entry' USING ERRCODE = 'LG004';
    END IF;
    PERFORM FROM account a WHERE a.id = NEW.account_id AND a.archived_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such account in use' USING ERRCODE = 'LG005';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER line_entry BEFORE INSERT ON journal_line
    FOR EACH ROW EXECUTE FUNCTION check_line_entry();

-- At commit. Both tables have the check, since a session may ask for the deferred checks early and then
-- write on.
CREATE FUNCTION check_entry_lines() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (SELECT count(*) FROM journal_line l WHERE l.entry_id = NEW.id) < 2 THEN
        RAISE EXCEPTION 'an entry has two lines or more' USING ERRCODE = 'LG002';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_lines AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_entry_lines();

CREATE FUNCTION check_line_balance() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (SELECT sum(l.amount) FROM journal_line l WHERE l.entry_id = NEW.entry_id AND l.currency = NEW.currency) <> 0 THEN
        RAISE EXCEPTION 'the lines of an entry add up to zero' USING ERRCODE = 'LG001';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER line_balance AFTER INSERT ON journal_line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_line_balance();

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON account TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT (id, number, date, description, source_kind, source_id, reverses_id,
        posted_at, posted_by) ON journal_entry TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT ON journal_line TO %I', tenant);
END $$;

-- +goose StatementEnd
