-- The platform's own plans: what organizations pay for being here, what they may use for it, and how they stand. The
-- bills themselves are invoices of one organization, the one that bills the others, made as any other invoice.
-- +goose Up
-- +goose StatementBegin

ALTER TABLE platform.organization
    ADD COLUMN read_only    boolean NOT NULL DEFAULT false, -- suspended for a bill or by hand: what is there stays readable
    ADD COLUMN limited      boolean NOT NULL DEFAULT false, -- its plan has limits, which are to be asked for
    ADD COLUMN bills_others boolean NOT NULL DEFAULT false; -- the platform's own
CREATE UNIQUE INDEX organization_bills_others ON platform.organization (bills_others) WHERE bills_others;

CREATE TABLE platform.plan (
    code        varchar(40) PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'),
    name        varchar(100) NOT NULL,
    currency    varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    month_price bigint NOT NULL CHECK (month_price >= 0), -- minor units without tax
    year_price  bigint NOT NULL CHECK (year_price >= 0),
    tax_codes   varchar(170) NOT NULL, -- of the organization that bills, divided by spaces
    trial_days  smallint NOT NULL CHECK (trial_days BETWEEN 0 AND 730),
    members     integer CHECK (members > 0),    -- none: no limit
    invoices    integer CHECK (invoices > 0),   -- issued in a calendar month
    storage_mb  integer CHECK (storage_mb > 0), -- of attached files, 1,000,000 bytes each
    place       smallint NOT NULL,              -- in lists
    public      boolean NOT NULL,               -- organizations choose it themselves
    initial     boolean NOT NULL,               -- a new organization begins with its trial
    product_id  uuid,                           -- in the books of the organization that bills
    changed_at  timestamptz NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    CHECK ((month_price = 0) = (year_price = 0))
);
CREATE UNIQUE INDEX plan_initial ON platform.plan (initial) WHERE initial;

-- How an organization stands. Without a row it was here before there were plans: nothing is limited and nothing charged.
CREATE TABLE platform.plan_account (
    organization_id uuid PRIMARY KEY REFERENCES platform.organization,
    plan_code       varchar(40) REFERENCES platform.plan, -- none: it was only suspended or exempted by hand
    cycle           varchar(5) NOT NULL DEFAULT 'month' CHECK (cycle::text IN ('month', 'year')),
    state           varchar(9) NOT NULL CHECK (state::text IN ('trialing', 'active', 'past_due', 'suspended', 'exempt')),
    since           timestamptz NOT NULL,  -- of the state
    held            boolean NOT NULL DEFAULT false, -- suspended by hand: a payment does not end it
    spared_until    timestamptz,           -- reactivated by hand: not suspended again before
    trial_until     timestamptz,
    wanted_plan     varchar(40) REFERENCES platform.plan, -- asked for and not yet carried out
    wanted_cycle    varchar(5) CHECK (wanted_cycle::text IN ('month', 'year')),
    next_plan       varchar(40) REFERENCES platform.plan, -- with the next period
    next_cycle      varchar(5) CHECK (next_cycle::text IN ('month', 'year')),
    next_on         date,
    customer_id     uuid,                  -- these three in the books of the organization that bills
    subscription_id uuid,
    item_id         uuid,
    CHECK (plan_code IS NOT NULL OR state::text IN ('suspended', 'exempt')),
    CHECK ((wanted_plan IS NULL) = (wanted_cycle IS NULL)),
    CHECK ((next_plan IS NULL) = (next_on IS NULL)),
    CHECK ((next_plan IS NULL) = (next_cycle IS NULL))
);
CREATE INDEX plan_account_customer ON platform.plan_account (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX plan_account_owing ON platform.plan_account (organization_id) WHERE state::text IN ('past_due', 'suspended');

GRANT SELECT ON platform.plan, platform.plan_account TO countinghouse_app;
GRANT INSERT, UPDATE ON platform.plan TO countinghouse_app;

-- Takes what follows from how an organization stands into its own row, where every request looks.
CREATE FUNCTION platform.follow_account(here uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE shut boolean; bounded boolean;
BEGIN
    SELECT a.state::text = 'suspended', a.state::text <> 'exempt' AND num_nonnulls(p.members, p.invoices, p.storage_mb) > 0
      INTO shut, bounded FROM plan_account a LEFT JOIN plan p ON p.code = a.plan_code WHERE a.organization_id = here;
    UPDATE organization SET read_only = coalesce(shut, false), limited = coalesce(bounded, false), policy_version = policy_version + 1
     WHERE id = here AND (read_only, limited) IS DISTINCT FROM (coalesce(shut, false), coalesce(bounded, false));
END $$;

CREATE FUNCTION platform.account_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM platform.follow_account(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER plan_account_changed AFTER INSERT OR UPDATE ON platform.plan_account
    FOR EACH ROW EXECUTE FUNCTION platform.account_changed();

CREATE FUNCTION platform.plan_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    IF (OLD.members, OLD.invoices, OLD.storage_mb) IS DISTINCT FROM (NEW.members, NEW.invoices, NEW.storage_mb) THEN
        PERFORM FROM organization o JOIN plan_account a ON a.organization_id = o.id
          WHERE a.plan_code = NEW.code ORDER BY o.id FOR NO KEY UPDATE OF o;
        PERFORM platform.follow_account(a.organization_id) FROM plan_account a WHERE a.plan_code = NEW.code;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER plan_changed AFTER UPDATE ON platform.plan FOR EACH ROW EXECUTE FUNCTION platform.plan_changed();

-- As before; and a new organization begins with the trial of the plan that is there for that, where there is one.
CREATE OR REPLACE FUNCTION platform.claim_organization(new_slug varchar, new_name varchar, at timestamptz,
    OUT id uuid, OUT schema_name varchar)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    UPDATE organization o SET slug = new_slug, name = new_name, state = 'active', claimed_at = at
     WHERE o.id = (SELECT r.id FROM organization r JOIN compartment c ON c.id = r.compartment_id
                    WHERE c.login = session_user AND r.state::text = 'ready'
                    ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
    RETURNING o.id, o.schema_name INTO id, schema_name;
    IF id IS NOT NULL THEN
        INSERT INTO plan_account (organization_id, plan_code, state, since, trial_until)
        SELECT claim_organization.id, p.code, CASE WHEN p.trial_days > 0 THEN 'trialing' ELSE 'active' END, at,
               CASE WHEN p.trial_days > 0 THEN at + make_interval(days => p.trial_days) END
          FROM plan p WHERE p.initial;
    END IF;
END $$;

-- The caller's own limit of one kind; none: no limit. Whoever asks comes one after the other until their transaction
-- ends, so that what they count under it stays true.
CREATE FUNCTION platform.plan_limit(kind text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE most integer;
BEGIN
    SELECT CASE kind WHEN 'members' THEN p.members WHEN 'invoices' THEN p.invoices WHEN 'storage_mb' THEN p.storage_mb END
      INTO most FROM plan_account a JOIN plan p ON p.code = a.plan_code
     WHERE a.organization_id = platform.current_organization() AND a.state::text <> 'exempt'
       FOR NO KEY UPDATE OF a;
    RETURN most;
END $$;

-- Refuses one more than the plan has room for: who is in, and who is invited to come in. The caller holds the
-- organization's row, so that of two at once the second counts the first.
CREATE FUNCTION platform.check_room(here uuid, at timestamptz, invited boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE most integer; taken integer;
BEGIN
    SELECT p.members INTO most FROM plan_account a JOIN plan p ON p.code = a.plan_code
     WHERE a.organization_id = here AND a.state::text <> 'exempt';
    SELECT count(*) INTO taken FROM membership m WHERE m.organization_id = here AND m.state::text = 'active';
    IF invited THEN
        SELECT taken + count(*) INTO taken FROM invitation i
         WHERE i.organization_id = here AND i.kind::text = 'join' AND i.ended_at IS NULL AND i.expires_at > at;
    END IF;
    IF taken > most THEN
        RAISE EXCEPTION 'the plan has no room' USING ERRCODE = '23514', CONSTRAINT = 'plan_members';
    END IF;
END $$;

-- As before; and who comes in anew finds room under the plan.
CREATE OR REPLACE FUNCTION platform.set_member(person uuid, new_role varchar, new_state varchar) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization(); was_in boolean;
BEGIN
    UPDATE organization SET policy_version = policy_version + 1 WHERE id = here;
    IF new_role LIKE 'own:%' THEN
        PERFORM FROM own_role o WHERE o.organization_id = here AND o.role = new_role;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no such role' USING ERRCODE = '23503', CONSTRAINT = 'membership_role';
        END IF;
    END IF;
    was_in := EXISTS (SELECT FROM membership m WHERE m.organization_id = here AND m.person_id = person AND m.state::text = 'active');
    INSERT INTO membership (organization_id, person_id, role, state) VALUES (here, person, new_role, new_state)
    ON CONFLICT (organization_id, person_id) DO UPDATE SET role = EXCLUDED.role, state = EXCLUDED.state;
    IF new_state = 'active' AND NOT was_in THEN
        PERFORM platform.check_room(here, now(), false);
    END IF;
    PERFORM platform.check_owner(here);
    UPDATE session SET access_version = access_version + 1 WHERE person_id = person AND ended_at IS NULL;
    UPDATE api_token SET access_version = access_version + 1
     WHERE person_id = person AND organization_id = here AND revoked_at IS NULL;
END $$;

-- As before; and who is invited finds room under the plan. Who has to wait for the organization's row sees what the one
-- before left: each statement reads anew.
CREATE OR REPLACE FUNCTION platform.add_invitation(token bytea, new_id uuid, new_kind varchar, address varchar, new_role varchar,
    title varchar, person uuid, at timestamptz, expiry timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    PERFORM FROM organization o WHERE o.id = here FOR NO KEY UPDATE;
    UPDATE invitation SET ended_at = expires_at, outcome = 'expired'
     WHERE organization_id = here AND kind = new_kind AND email = address AND ended_at IS NULL AND expires_at <= at;
    INSERT INTO invitation (token_hash, id, organization_id, kind, email, role, role_title, invited_by, created_at,
        sent_at, expires_at)
    VALUES (token, new_id, here, new_kind, address, new_role, title, person, at, at, expiry);
    IF new_kind = 'join' THEN
        PERFORM platform.check_room(here, at, true);
    END IF;
END $$;

-- What an organization may know of its own account: one row, or none.
CREATE FUNCTION platform.my_account() RETURNS SETOF platform.plan_account
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT a.* FROM plan_account a WHERE a.organization_id = platform.current_organization();
END $$;

-- The plans that an organization may choose from, and its own.
CREATE FUNCTION platform.my_plans() RETURNS SETOF platform.plan
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT p.* FROM plan p
      WHERE p.public OR p.code IN (SELECT unnest(ARRAY[a.plan_code, a.next_plan, a.wanted_plan]) FROM plan_account a
                                    WHERE a.organization_id = platform.current_organization())
      ORDER BY p.place, p.code;
END $$;

-- Asks for another plan, which the organization that bills then carries out. False: there is no such choice.
CREATE FUNCTION platform.want_plan(code varchar, new_cycle varchar) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid := platform.current_organization();
BEGIN
    PERFORM FROM organization o WHERE o.id = here FOR NO KEY UPDATE;
    UPDATE plan_account a SET wanted_plan = p.code, wanted_cycle = new_cycle
      FROM plan p WHERE p.code = want_plan.code AND a.organization_id = here AND a.state::text <> 'exempt'
       AND (p.public OR p.code = a.plan_code);
    RETURN FOUND;
END $$;

-- The organization that bills, and only it, sees and keeps the accounts of all.
CREATE FUNCTION platform.must_bill() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM FROM organization o WHERE o.id = platform.current_organization() AND o.bills_others;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this organization bills no others' USING ERRCODE = '42501';
    END IF;
END $$;

-- One account, held until the transaction ends; the organization's row first, as everywhere.
CREATE FUNCTION platform.lock_account(organization uuid) RETURNS SETOF platform.plan_account
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM platform.must_bill();
    PERFORM FROM organization o WHERE o.id = organization FOR NO KEY UPDATE;
    RETURN QUERY SELECT a.* FROM plan_account a WHERE a.organization_id = organization FOR NO KEY UPDATE;
END $$;

-- Keeps how an account stands, whole. What was asked for stays asked for until it was carried out.
CREATE FUNCTION platform.keep_account(organization uuid, new_plan varchar, new_cycle varchar, new_state varchar, at timestamptz,
    trial timestamptz, to_plan varchar, to_cycle varchar, to_on date, customer uuid, subscription uuid, item uuid,
    carried boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM platform.must_bill();
    UPDATE plan_account a SET plan_code = new_plan, cycle = new_cycle, since = CASE WHEN a.state = new_state THEN a.since ELSE at END, state = new_state,
           trial_until = trial, wanted_plan = CASE WHEN carried THEN NULL ELSE a.wanted_plan END,
           wanted_cycle = CASE WHEN carried THEN NULL ELSE a.wanted_cycle END, next_plan = to_plan, next_cycle = to_cycle, next_on = to_on,
           customer_id = customer, subscription_id = subscription, item_id = item,
           spared_until = CASE WHEN new_state = 'active' THEN NULL ELSE a.spared_until END
     WHERE a.organization_id = organization;
END $$;

CREATE FUNCTION platform.keep_plan_product(of_plan varchar, product uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM platform.must_bill();
    UPDATE platform.plan SET product_id = product WHERE code = of_plan;
END $$;

-- All plans.
CREATE FUNCTION platform.all_plans() RETURNS SETOF platform.plan
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM platform.must_bill();
    RETURN QUERY SELECT p.* FROM plan p ORDER BY p.place, p.code;
END $$;

-- Whose bills may have been paid in this transaction: those that are behind.
CREATE FUNCTION platform.owing_accounts() RETURNS TABLE (organization_id uuid, customer_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM platform.must_bill();
    RETURN QUERY SELECT a.organization_id, a.customer_id FROM plan_account a
      WHERE a.state::text IN ('past_due', 'suspended') AND NOT a.held AND a.customer_id IS NOT NULL;
END $$;

-- A job of the organization that bills, which there may be none of.
CREATE FUNCTION jobs.enqueue_biller(kind text, at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE made bigint;
BEGIN
    IF kind LIKE 'platform.%' THEN
        RAISE EXCEPTION 'this kind of job is the platform''s own' USING ERRCODE = '22023';
    END IF;
    SELECT jobs.put(o.id, NULL, NULL, kind, '{}', at, 'each', 1::smallint, at) INTO made
      FROM organization o WHERE o.bills_others AND o.state::text = 'active';
    RETURN made;
END $$;
GRANT EXECUTE ON FUNCTION jobs.enqueue_biller TO countinghouse_app;

-- Names the organization that bills the others; '' is none. What others have in the books of the one before is theirs no more.
-- False: there is no such organization.
CREATE FUNCTION platform.set_biller(address varchar, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE chosen uuid; before uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('platform.set_biller', 0));
    SELECT o.id INTO before FROM organization o WHERE o.bills_others;
    SELECT o.id INTO chosen FROM organization o WHERE o.slug = address AND o.state::text = 'active';
    IF chosen IS NULL AND address <> '' THEN
        RETURN false;
    END IF;
    IF chosen IS NOT DISTINCT FROM before THEN
        RETURN true;
    END IF;
    UPDATE organization SET bills_others = false, policy_version = policy_version + 1 WHERE id = before;
    UPDATE organization SET bills_others = true, policy_version = policy_version + 1 WHERE id = chosen;
    UPDATE plan SET product_id = NULL;
    UPDATE plan_account SET customer_id = NULL, subscription_id = NULL, item_id = NULL WHERE customer_id IS NOT NULL;
    UPDATE plan_account SET state = 'exempt', since = at, wanted_plan = NULL, wanted_cycle = NULL, next_plan = NULL, next_cycle = NULL,
           next_on = NULL, trial_until = NULL, held = false WHERE organization_id = chosen;
    RETURN true;
END $$;

-- Staff put an organization on a plan; where it pays for another, the organization that bills carries the change out.
-- False: there is no such organization or plan.
CREATE FUNCTION platform.move_account(address varchar, new_plan varchar, trial timestamptz, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid; begun varchar := CASE WHEN trial > at THEN 'trialing' ELSE 'active' END;
BEGIN
    SELECT o.id INTO here FROM organization o WHERE o.slug = address AND NOT o.bills_others FOR NO KEY UPDATE;
    IF here IS NULL OR NOT EXISTS (SELECT FROM plan p WHERE p.code = new_plan) THEN
        RETURN false;
    END IF;
    INSERT INTO plan_account AS a (organization_id, plan_code, state, since, trial_until) VALUES (here, new_plan, begun, at, trial)
    ON CONFLICT (organization_id) DO UPDATE SET held = false, since = at,
        state = CASE WHEN a.subscription_id IS NULL OR a.state::text IN ('exempt', 'suspended') THEN begun ELSE a.state END,
        trial_until = CASE WHEN a.subscription_id IS NULL THEN trial ELSE a.trial_until END,
        plan_code = CASE WHEN a.subscription_id IS NULL THEN new_plan ELSE a.plan_code END,
        wanted_plan = CASE WHEN a.subscription_id IS NOT NULL THEN new_plan END,
        wanted_cycle = CASE WHEN a.subscription_id IS NOT NULL THEN a.cycle END;
    RETURN true;
END $$;

-- Staff exempt an organization from all bills and limits, suspend it, or let it go on until a moment whatever it owes.
-- False: there is no such organization.
CREATE FUNCTION platform.set_account_state(address varchar, new_state varchar, spared timestamptz, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE here uuid;
BEGIN
    SELECT o.id INTO here FROM organization o WHERE o.slug = address AND NOT o.bills_others FOR NO KEY UPDATE;
    IF here IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO plan_account AS a (organization_id, state, since, held)
    VALUES (here, CASE WHEN new_state = 'suspended' THEN new_state ELSE 'exempt' END, at, new_state = 'suspended')
    ON CONFLICT (organization_id) DO UPDATE SET since = at, held = (new_state = 'suspended'), spared_until = spared,
        state = CASE WHEN new_state <> 'active' THEN new_state WHEN a.plan_code IS NULL THEN 'exempt'
                     WHEN a.trial_until > at THEN 'trialing' ELSE 'active' END,
        wanted_plan = NULL, wanted_cycle = NULL;
    RETURN true;
END $$;

GRANT EXECUTE ON FUNCTION platform.set_biller, platform.move_account, platform.set_account_state TO countinghouse_app;
-- These check for themselves whose transaction they are in, so every tenant role may call them.
GRANT EXECUTE ON FUNCTION platform.plan_limit, platform.my_account, platform.my_plans, platform.want_plan, platform.lock_account,
    platform.keep_account, platform.keep_plan_product, platform.all_plans, platform.owing_accounts TO PUBLIC;

-- +goose StatementEnd
