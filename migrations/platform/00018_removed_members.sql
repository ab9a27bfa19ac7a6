-- Who was removed from an organization still has a name there, beside what they did: the platform's index keeps where,
-- so that a person who erases themselves, or asks what is held of them, finds every place.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE platform.membership DROP CONSTRAINT membership_state_check;
ALTER TABLE platform.membership ADD CONSTRAINT membership_state_check CHECK (state::text IN ('active', 'denied', 'removed'));

-- Ends a membership and the tokens that were made under it: should the person be invited again, they begin anew. The
-- row says where they were and opens nothing; its role is none, so that one of the organization's own can be deleted.
CREATE OR REPLACE FUNCTION platform.remove_member(person uuid, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
    UPDATE membership SET state = 'removed', role = 'removed', entry_exempt = false WHERE organization_id = here AND person_id = person;
    PERFORM platform.check_owner(here);
    UPDATE session SET access_version = access_version + 1 WHERE person_id = person AND ended_at IS NULL;
    UPDATE api_token SET revoked_at = at, access_version = access_version + 1
     WHERE person_id = person AND organization_id = here AND revoked_at IS NULL;
END $$;

-- +goose StatementEnd
