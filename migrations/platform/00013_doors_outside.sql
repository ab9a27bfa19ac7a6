-- The ways into an organization for those who are not in it: whoever got a link to one invoice, and a payment
-- gateway that has something to tell. The address is the credential, and only its hash is kept.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.door (
    token_hash      bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    kind            varchar(8) NOT NULL CHECK (kind::text IN ('link', 'webhook')),
    organization_id uuid NOT NULL REFERENCES platform.organization,
    subject_id      uuid NOT NULL, -- in the organization's own schema: the invoice, the gateway's account
    access_version  bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz, -- none: until it is closed
    closed_at       timestamptz,
    CHECK ((kind::text = 'link') = (expires_at IS NOT NULL))
);
CREATE INDEX door_subject ON platform.door (organization_id, subject_id) WHERE closed_at IS NULL;

GRANT SELECT ON platform.door TO countinghouse_app;

CREATE FUNCTION platform.door_alive(token bytea, organization uuid, at timestamptz,
    OUT access_version bigint, OUT policy_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    SELECT d.access_version INTO access_version FROM door d
     WHERE d.token_hash = token AND d.organization_id = organization AND d.closed_at IS NULL
       AND (d.expires_at IS NULL OR d.expires_at > at);
    SELECT o.policy_version INTO policy_version FROM organization o
     WHERE o.id = organization AND o.state::text = 'active';
END $$;

-- Opens a door into this organization.
CREATE FUNCTION platform.open_door(token bytea, door_kind varchar, subject uuid, at timestamptz, expiry timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    INSERT INTO door (token_hash, kind, organization_id, subject_id, created_at, expires_at)
    VALUES (token, door_kind, platform.current_organization(), subject, at, expiry);
END $$;

-- Closes all doors of this organization to one thing, from the next request on, and says how many there were.
CREATE FUNCTION platform.close_doors(door_kind varchar, subject uuid, at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE closed integer;
BEGIN
    UPDATE door d SET closed_at = at, access_version = d.access_version + 1
     WHERE d.organization_id = platform.current_organization() AND d.subject_id = subject
       AND d.kind::text = door_kind AND d.closed_at IS NULL;
    GET DIAGNOSTICS closed = ROW_COUNT;
    RETURN closed;
END $$;

GRANT EXECUTE ON FUNCTION platform.open_door, platform.close_doors TO PUBLIC;

-- +goose StatementEnd
