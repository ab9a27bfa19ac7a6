-- Files, how documents look, and what was mailed of them.
-- +goose Up
-- +goose StatementBegin

-- A file that belongs to something in the books. Its bytes are in pieces, so that neither a reader nor a writer holds
-- all of a large one.
CREATE TABLE file (
    id         uuid PRIMARY KEY,
    kind       varchar(12) NOT NULL CHECK (kind::text IN ('attachment', 'logo')),
    subject_id uuid, -- what it is attached to; none for the logo
    file_name  varchar(120) NOT NULL,
    media_type varchar(80) NOT NULL, -- by its content
    size       integer NOT NULL CHECK (size > 0),
    digest     varchar(64) NOT NULL, -- SHA-256, hexadecimal
    mailed     boolean NOT NULL DEFAULT false, -- it goes along when its document is mailed
    created_at timestamptz NOT NULL
);
CREATE INDEX file_subject ON file (subject_id, id);

CREATE TABLE file_piece (
    file_id  uuid NOT NULL REFERENCES file ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    bytes    bytea NOT NULL,
    PRIMARY KEY (file_id, position)
);

-- A mail to a customer: a document, a reminder of one, a statement. It is written before it is sent.
CREATE TABLE mailing (
    id          uuid PRIMARY KEY,
    kind        varchar(10) NOT NULL CHECK (kind::text IN ('document', 'reminder', 'statement')),
    state       varchar(8) NOT NULL CHECK (state::text IN ('queued', 'sent', 'failed')),
    customer_id uuid NOT NULL REFERENCES party,
    document_id uuid REFERENCES document ON DELETE CASCADE, -- none for a statement
    step_days   smallint, -- of a reminder: how many days after the due date, below zero before it
    from_date   date,     -- of a statement
    to_date     date,
    to_email    varchar(254) NOT NULL,
    message     varchar(2000) NOT NULL DEFAULT '', -- the sender's own words
    tries       smallint NOT NULL DEFAULT 0,
    problem     varchar(40) NOT NULL DEFAULT '',   -- the code of why it failed
    created_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    CHECK ((kind::text = 'statement') = (document_id IS NULL)),
    CHECK ((kind::text = 'reminder') = (step_days IS NOT NULL)),
    CHECK ((kind::text = 'statement') = (to_date IS NOT NULL)),
    CHECK ((state::text = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX mailing_document ON mailing (document_id, id);
-- Each step reminds once, however many look for what is due.
CREATE UNIQUE INDEX mailing_reminder ON mailing (document_id, step_days) WHERE kind::text = 'reminder';

-- How documents look and what they say, and when an open invoice is reminded of.
ALTER TABLE settings
    ADD COLUMN logo_id         uuid REFERENCES file,
    ADD COLUMN document_colour varchar(7) NOT NULL DEFAULT '',
    ADD COLUMN pay_to          varchar(500) NOT NULL DEFAULT '',
    ADD COLUMN document_foot   varchar(500) NOT NULL DEFAULT '',
    ADD COLUMN reply_to_email  varchar(254) NOT NULL DEFAULT '',
    ADD COLUMN reminder_days   varchar(60) NOT NULL DEFAULT '';

DO $$
DECLARE tenant text := current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON file, file_piece TO %I', tenant);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON mailing TO %I', tenant);
END $$;

-- +goose StatementEnd
