-- What the organization asks of who enters it. The platform keeps a copy, by platform.set_entry_rule.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE settings
    ADD COLUMN entry_second_factor   boolean NOT NULL DEFAULT false,
    ADD COLUMN entry_password_length smallint NOT NULL DEFAULT 12 CHECK (entry_password_length IN (12, 15, 20)),
    ADD COLUMN entry_password_score  smallint NOT NULL DEFAULT 2 CHECK (entry_password_score BETWEEN 2 AND 4),
    ADD COLUMN entry_password_days   integer NOT NULL DEFAULT 0 CHECK (entry_password_days BETWEEN 0 AND 3650),
    ADD COLUMN entry_idle_minutes    integer NOT NULL DEFAULT 0 CHECK (entry_idle_minutes BETWEEN 0 AND 1440),
    ADD COLUMN entry_session_hours   integer NOT NULL DEFAULT 0 CHECK (entry_session_hours BETWEEN 0 AND 720),
    ADD COLUMN portal_captcha        boolean NOT NULL DEFAULT false,
    ADD COLUMN entry_version         integer NOT NULL DEFAULT 1;

-- Of whom neither second factor nor password rules are asked.
ALTER TABLE member ADD COLUMN entry_exempt boolean NOT NULL DEFAULT false;

-- +goose StatementEnd
