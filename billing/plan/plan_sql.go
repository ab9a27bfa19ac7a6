package plan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

const planColumns = `code, name, currency, month_price, year_price, tax_codes, trial_days, coalesce(members, 0) AS members,
	coalesce(invoices, 0) AS invoices, coalesce(storage_mb, 0) AS storage_mb, place, public, initial,
	coalesce(product_id, '00000000-0000-0000-0000-000000000000') AS product_id, version`

const accountColumns = `organization_id, coalesce(plan_code, '') AS plan_code, cycle, state, held, trial_until, spared_until,
	coalesce(wanted_plan, '') AS wanted_plan, coalesce(wanted_cycle, '') AS wanted_cycle, coalesce(next_plan, '') AS next_plan,
	coalesce(next_cycle, '') AS next_cycle, next_on,
	coalesce(customer_id, '00000000-0000-0000-0000-000000000000') AS customer_id,
	coalesce(subscription_id, '00000000-0000-0000-0000-000000000000') AS subscription_id,
	coalesce(item_id, '00000000-0000-0000-0000-000000000000') AS item_id`

func upsertPlan(ctx context.Context, tx *tenant.PlatformTx, p Plan) error {
	if p.Initial {
		_, err := tx.Exec(ctx, `UPDATE platform.plan SET initial = false, version = version + 1, changed_at = $2 WHERE initial AND code <> $1`, p.Code, tx.Now())
		if err != nil {
			return fmt.Errorf("taking a plan from new organizations: %w", err)
		}
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO platform.plan AS was (code, name, currency, month_price, year_price, tax_codes, trial_days, members, invoices, storage_mb,
			place, public, initial, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, 0), nullif($9, 0), nullif($10, 0), $11, $12, $13, $14)
		ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, currency = EXCLUDED.currency, month_price = EXCLUDED.month_price,
			year_price = EXCLUDED.year_price, tax_codes = EXCLUDED.tax_codes, trial_days = EXCLUDED.trial_days, members = EXCLUDED.members,
			invoices = EXCLUDED.invoices, storage_mb = EXCLUDED.storage_mb, place = EXCLUDED.place, public = EXCLUDED.public,
			initial = EXCLUDED.initial, changed_at = EXCLUDED.changed_at, version = was.version + 1
		 WHERE was.version = $15`,
		p.Code, p.Name, p.Currency, p.MonthPrice, p.YearPrice, p.Taxes, p.TrialDays, p.Members, p.Invoices, p.StorageMB, p.Place, p.Public,
		p.Initial, tx.Now(), p.Version)
	if err != nil {
		return fmt.Errorf("keeping a plan: %w", err)
	}
	if n == 0 {
		return ErrChanged
	}
	return nil
}

func selectPlans(ctx context.Context, tx *tenant.PlatformTx) (all []Plan, err error) {
	if err = tx.Select(ctx, &all, `SELECT `+planColumns+` FROM platform.plan ORDER BY place, code`); err != nil {
		return nil, fmt.Errorf("listing plans: %w", err)
	}
	return all, nil
}

func callSetBiller(ctx context.Context, tx *tenant.PlatformTx, slug string) error {
	var done bool
	if err := tx.Get(ctx, &done, `SELECT platform.set_biller($1, $2)`, slug, tx.Now()); err != nil {
		return fmt.Errorf("naming the organization that bills the others: %w", err)
	}
	if !done {
		return ErrNoBiller
	}
	return nil
}

func selectBiller(ctx context.Context, tx *tenant.PlatformTx) (slug string, err error) {
	err = tx.Get(ctx, &slug, `SELECT slug FROM platform.organization WHERE bills_others`)
	if errors.Is(err, tenant.ErrNoRows) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("looking for the organization that bills the others: %w", err)
	}
	return slug, nil
}

func callMove(ctx context.Context, tx *tenant.PlatformTx, slug, plan string, trialDays int) error {
	var trial *time.Time
	if trialDays > 0 {
		trial = new(tx.Now().Add(time.Duration(trialDays) * 24 * time.Hour))
	}
	var done bool
	if err := tx.Get(ctx, &done, `SELECT platform.move_account($1, $2, $3, $4)`, slug, plan, trial, tx.Now()); err != nil {
		return fmt.Errorf("putting an organization on a plan: %w", err)
	}
	if !done {
		return ErrNoAccount
	}
	return nil
}

func callSetState(ctx context.Context, tx *tenant.PlatformTx, slug string, state State) error {
	var until *time.Time
	if state == Active {
		until = new(tx.Now().Add(spared))
	}
	var done bool
	if err := tx.Get(ctx, &done, `SELECT platform.set_account_state($1, $2, $3, $4)`, slug, string(state), until, tx.Now()); err != nil {
		return fmt.Errorf("changing how an organization stands: %w", err)
	}
	if !done {
		return ErrNoAccount
	}
	return nil
}

func selectStandings(ctx context.Context, tx *tenant.PlatformTx, after string, limit int) (all []Standing, err error) {
	err = tx.Select(ctx, &all, `
		SELECT o.slug, coalesce(p.name, '') AS plan, a.state, a.held, a.since, a.trial_until
		  FROM platform.plan_account a JOIN platform.organization o ON o.id = a.organization_id LEFT JOIN platform.plan p ON p.code = a.plan_code
		 WHERE o.slug > $1 AND o.state::text <> 'gone' ORDER BY o.slug LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing how organizations stand: %w", err)
	}
	return all, nil
}

func selectMine(ctx context.Context, tx *tenant.Tx) (a Account, ok bool, err error) {
	err = tx.Get(ctx, &a, `SELECT `+accountColumns+` FROM platform.my_account()`)
	if errors.Is(err, tenant.ErrNoRows) {
		return a, false, nil
	} else if err != nil {
		return a, false, fmt.Errorf("reading the plan: %w", err)
	}
	return a, true, nil
}

func selectChoices(ctx context.Context, tx *tenant.Tx) (all []Plan, err error) {
	if err = tx.Select(ctx, &all, `SELECT `+planColumns+` FROM platform.my_plans()`); err != nil {
		return nil, fmt.Errorf("listing the plans to choose from: %w", err)
	}
	return all, nil
}

func countPeople(ctx context.Context, tx *tenant.Tx) (members, invited int, err error) {
	if err = tx.Get(ctx, &members, `SELECT count(*) FROM member WHERE state::text = 'active'`); err != nil {
		return 0, 0, fmt.Errorf("counting members: %w", err)
	}
	err = tx.Get(ctx, &invited, `SELECT count(*) FROM platform.list_invitations() WHERE kind::text = 'join' AND expires_at > $1`, tx.Now())
	if err != nil {
		return 0, 0, fmt.Errorf("counting invitations: %w", err)
	}
	return members, invited, nil
}

func callWant(ctx context.Context, tx *tenant.Tx, code string, cycle Cycle) error {
	var done bool
	if err := tx.Get(ctx, &done, `SELECT platform.want_plan($1, $2)`, code, string(cycle)); err != nil {
		return fmt.Errorf("asking for a plan: %w", err)
	}
	if !done {
		return ErrNoChoice
	}
	return nil
}

func enqueueTend(ctx context.Context, tx *tenant.PlatformTx) error {
	if _, err := tx.Exec(ctx, `SELECT jobs.enqueue_biller($1, $2)`, Job, tx.Now()); err != nil {
		return fmt.Errorf("queueing a look at the accounts: %w", err)
	}
	return nil
}

// What follows is for the organization that bills alone.

// due is an organization whose account is to be seen to.
type due struct {
	Organization tenant.OrganizationID `db:"organization_id"`
	Name         string                `db:"name"`
	Email        string                `db:"email"` // of the owner who has been there longest
}

const dueColumns = `SELECT a.organization_id, o.name, coalesce((SELECT p.email FROM platform.membership m JOIN platform.person p ON p.id = m.person_id
	  WHERE m.organization_id = o.id AND m.role::text = 'owner' AND m.state::text = 'active' ORDER BY p.created_at, p.id LIMIT 1), '') AS email
  FROM platform.plan_account a JOIN platform.organization o ON o.id = a.organization_id LEFT JOIN platform.plan p ON p.code = a.plan_code`

// selectDue lists accounts that are to be seen to whatever was paid.
func selectDue(ctx context.Context, tx *tenant.PlatformTx, after tenant.OrganizationID, limit int) (all []due, err error) {
	err = tx.Select(ctx, &all, dueColumns+`
		 WHERE a.organization_id > $1 AND NOT o.bills_others AND o.state::text IN ('active', 'suspended')
		   AND NOT EXISTS (SELECT FROM platform.sample s WHERE s.slug = o.slug) AND (a.wanted_plan IS NOT NULL
		    OR a.next_on <= ($2::timestamptz + interval '1 day')::date
		    OR a.state::text = 'exempt' AND a.subscription_id IS NOT NULL
		    OR a.state::text <> 'exempt' AND a.subscription_id IS NULL AND p.month_price > 0
		    OR a.state::text = 'trialing' AND a.trial_until <= $2
		    OR a.state::text IN ('past_due', 'suspended'))
		 ORDER BY a.organization_id LIMIT $3`, after, tx.Now(), limit)
	if err != nil {
		return nil, fmt.Errorf("looking for accounts that are due: %w", err)
	}
	return all, nil
}

func selectDueByCustomers(ctx context.Context, tx *tenant.PlatformTx, customers string) (all []due, err error) {
	err = tx.Select(ctx, &all, dueColumns+`
		 WHERE a.customer_id IN (SELECT x::uuid FROM jsonb_array_elements_text($1) x) AND a.state::text IN ('trialing', 'active')
		 ORDER BY a.organization_id`, customers)
	if err != nil {
		return nil, fmt.Errorf("looking for accounts that are behind: %w", err)
	}
	return all, nil
}

func selectDueByID(ctx context.Context, tx *tenant.PlatformTx, organization tenant.OrganizationID) (d due, err error) {
	if err = tx.Get(ctx, &d, dueColumns+` WHERE a.organization_id = $1`, organization); err != nil {
		return d, fmt.Errorf("reading an account: %w", err)
	}
	return d, nil
}

func lockAccount(ctx context.Context, tx *tenant.Tx, organization tenant.OrganizationID) (a Account, ok bool, err error) {
	err = tx.Get(ctx, &a, `SELECT `+accountColumns+` FROM platform.lock_account($1)`, organization)
	if errors.Is(err, tenant.ErrNoRows) {
		return a, false, nil
	} else if err != nil {
		return a, false, fmt.Errorf("locking an account: %w", err)
	}
	return a, true, nil
}

func keepAccount(ctx context.Context, tx *tenant.Tx, a Account, carried bool) error {
	_, err := tx.Exec(ctx, `SELECT platform.keep_account($1, nullif($2::varchar, ''), $3, $4, $5, $6, nullif($7::varchar, ''), nullif($8::varchar, ''), $9, $10, $11, $12, $13)`,
		a.Organization, a.Plan, string(a.Cycle), string(a.State), tx.Now(), a.TrialUntil, a.NextPlan, string(a.NextCycle), a.NextOn,
		orNull(a.Customer.UUID), orNull(a.Subscription.UUID), orNull(a.Item.UUID), carried)
	if err != nil {
		return fmt.Errorf("keeping an account: %w", err)
	}
	return nil
}

func selectAllPlans(ctx context.Context, tx *tenant.Tx) (map[string]Plan, error) {
	var rows []Plan
	if err := tx.Select(ctx, &rows, `SELECT `+planColumns+` FROM platform.all_plans()`); err != nil {
		return nil, fmt.Errorf("reading the plans: %w", err)
	}
	all := map[string]Plan{}
	for _, p := range rows {
		all[p.Code] = p
	}
	return all, nil
}

func keepProduct(ctx context.Context, tx *tenant.Tx, p Plan) error {
	if _, err := tx.Exec(ctx, `SELECT platform.keep_plan_product($1, $2)`, p.Code, p.Product); err != nil {
		return fmt.Errorf("keeping the product of a plan: %w", err)
	}
	return nil
}

// owing is whether anything of a customer is overdue, and whether it is so for long after the last reminder. Where nobody
// reminds, the time that reminders take passes too. What people took into their own hands suspends nobody.
const owingSQL = `
	SELECT count(*) > 0 AS overdue,
	       coalesce(bool_or(CASE WHEN c.state::text = 'stopped' THEN c.reason <> 'by hand' AND c.changed_at <= $2::timestamptz - make_interval(days => $3)
	                             WHEN c.document_id IS NULL THEN d.due_date + 7 + $3 <= (SELECT ($2::timestamptz AT TIME ZONE s.time_zone)::date FROM settings s)
	                             ELSE false END), false) AS long
	  FROM document d LEFT JOIN collection c ON c.document_id = d.id
	 WHERE d.customer_id = $1 AND d.kind::text = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total
	   AND d.due_date < (SELECT ($2::timestamptz AT TIME ZONE s.time_zone)::date FROM settings s)`

func selectOwing(ctx context.Context, tx *tenant.Tx, a Account) (overdue, long bool, err error) {
	var row struct{ Overdue, Long bool }
	if err := tx.Get(ctx, &row, owingSQL, a.Customer, tx.Now(), SuspendAfterDays); err != nil {
		return false, false, fmt.Errorf("looking whether bills are overdue: %w", err)
	}
	return row.Overdue, row.Long, nil
}

func selectOverdueCustomers(ctx context.Context, tx *tenant.Tx) (customers []uuid.UUID, err error) {
	err = tx.Select(ctx, &customers, `
		SELECT DISTINCT d.customer_id FROM document d
		 WHERE d.kind::text = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total
		   AND d.due_date < (SELECT ($1::timestamptz AT TIME ZONE s.time_zone)::date FROM settings s)`, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("looking for bills that are overdue: %w", err)
	}
	return customers, nil
}

// selectPaidUp lists those of the accounts that are behind of whom nothing is overdue any more.
func selectPaidUp(ctx context.Context, tx *tenant.Tx) (organizations []tenant.OrganizationID, err error) {
	err = tx.Select(ctx, &organizations, `
		SELECT o.organization_id FROM platform.owing_accounts() o
		 WHERE NOT EXISTS (SELECT FROM document d WHERE d.customer_id = o.customer_id AND d.kind::text = 'invoice' AND d.state::text = 'issued'
		       AND d.settled < d.total AND d.due_date < (SELECT ($1::timestamptz AT TIME ZONE s.time_zone)::date FROM settings s))
		 ORDER BY o.organization_id`, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("looking for accounts that were paid: %w", err)
	}
	return organizations, nil
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
