-- What became of proving each organization's books, and up to which end its chain was proved. It stands on the platform's
-- side, so that whoever makes a tenant's chain anew as a whole is found out by the next proof.
-- +goose Up
-- +goose StatementBegin

CREATE TABLE platform.proof (
    organization_id uuid PRIMARY KEY REFERENCES platform.organization,
    proved_at       timestamptz NOT NULL,
    whole_at        timestamptz, -- when all agreed last
    found           integer NOT NULL CHECK (found >= 0),
    findings        varchar(12000) NOT NULL, -- JSON: the first of what does not agree, without a person's data
    entries         bigint NOT NULL,
    seals           bigint NOT NULL,
    head            varchar(64) NOT NULL CHECK (head ~ '^([0-9a-f]{64})?$')
) WITH (fillfactor = 80);

CREATE FUNCTION platform.keep_proof(at timestamptz, whole timestamptz, count integer, list varchar, entry_count bigint, seal_count bigint, chain_head varchar)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    INSERT INTO proof AS p (organization_id, proved_at, whole_at, found, findings, entries, seals, head)
    VALUES (platform.current_organization(), at, whole, count, list, entry_count, seal_count, chain_head)
    ON CONFLICT (organization_id) DO UPDATE SET proved_at = EXCLUDED.proved_at, whole_at = EXCLUDED.whole_at, found = EXCLUDED.found,
        findings = EXCLUDED.findings, entries = EXCLUDED.entries, seals = EXCLUDED.seals, head = EXCLUDED.head;
END $$;

CREATE FUNCTION platform.read_proof()
RETURNS TABLE (proved_at timestamptz, whole_at timestamptz, found integer, findings varchar, entries bigint, seals bigint, head varchar)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT p.proved_at, p.whole_at, p.found, p.findings, p.entries, p.seals, p.head
      FROM proof p WHERE p.organization_id = platform.current_organization();
END $$;

-- The operator's figures count them.
GRANT SELECT ON platform.proof TO countinghouse_app;
GRANT EXECUTE ON FUNCTION platform.keep_proof, platform.read_proof TO PUBLIC;

-- +goose StatementEnd
