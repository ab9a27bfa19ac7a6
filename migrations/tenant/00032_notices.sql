-- Until when a member has read what they were to be told, and whether they put the list of first steps away.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE member ADD COLUMN notices_read_at timestamptz;
ALTER TABLE member ADD COLUMN first_steps_away boolean NOT NULL DEFAULT false;

-- +goose StatementEnd
