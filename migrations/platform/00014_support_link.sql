-- The link that ends support access, in plain SQL: found is a variable of PL/pgSQL's own, and the function failed on it.
-- +goose Up
-- +goose StatementBegin

CREATE OR REPLACE FUNCTION platform.end_support_by_link(link bytea, at timestamptz, OUT found uuid, OUT ended boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
    WITH meant AS (SELECT g.id FROM support_grant g WHERE g.end_hash = $1),
    done AS (
        UPDATE support_grant g SET ended_at = $2, ended_how = 'link', access_version = nextval('support_version')
         WHERE g.id = (SELECT m.id FROM meant m) AND g.granted AND g.ended_at IS NULL AND g.until_at > $2
        RETURNING 1)
    SELECT (SELECT m.id FROM meant m), EXISTS (SELECT FROM done);
$$;

-- +goose StatementEnd
