// Package plan is what organizations pay the platform for being here, what they may use for it, and what becomes of those
// who do not pay.
//
// One organization bills the others: each is a customer in its books, with a subscription to the product of its plan, so
// that a bill is an invoice like any other, is mailed, reminded of and paid like any other, and the platform's income is
// in its ledger. What follows for an organization, its limits and whether it may write, is on the platform's side, where
// each of its requests looks anyhow.
package plan

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about plans.
var (
	ErrCode      = fault.New(fault.Invalid, "plan.code", "Use up to 40 small letters, digits and single hyphens, beginning with a letter.").At("code")
	ErrPrices    = fault.New(fault.Invalid, "plan.prices", "Give a price for a month and one for a year, or nothing for both.").At("year_price")
	ErrPrice     = fault.New(fault.Invalid, "plan.price", "A price is not below nothing.")
	ErrTrial     = fault.New(fault.Invalid, "plan.trial", "A trial has 0 to 730 days.").At("trial_days")
	ErrLimit     = fault.New(fault.Invalid, "plan.limit", "A limit is 1 to 1,000,000, or left out for none.")
	ErrPlace     = fault.New(fault.Invalid, "plan.place", "Give a place from 0 to 1000.").At("place")
	ErrChanged   = fault.New(fault.Conflict, "plan.changed", "Somebody changed this plan meanwhile, or its code is taken. Look at it again, then repeat your change.")
	ErrNotFound  = fault.New(fault.NotFound, "plan.not_found", "There is no such plan.")
	ErrNoBiller  = fault.New(fault.Invalid, "plan.no_organization", "There is no active organization at this address.").At("slug")
	ErrNoAccount = fault.New(fault.Invalid, "plan.no_account", "There is no such organization or plan, or it is the one that bills the others.").At("slug")
	ErrState     = fault.New(fault.Invalid, "plan.state", "Suspend an organization, let it go on, or exempt it.").At("state")
	ErrCycle     = fault.New(fault.Invalid, "plan.cycle", "Pay by the month or by the year.").At("cycle")
	ErrNoChoice  = fault.New(fault.Invalid, "plan.no_choice", "Choose one of the plans of the list.").At("plan")
	ErrOwing     = fault.New(fault.Conflict, "plan.owing", "Pay what is open first. Then choose another plan.")
)

const (
	// Job is the kind of job by which the organization that bills sees to the accounts of the others.
	Job = "plans.tend"
	// SuspendAfterDays is how many days after the last reminder an organization that did not pay is suspended.
	SuspendAfterDays = 7
	// spared is for how long an organization that staff let go on is not suspended again.
	spared = SuspendAfterDays * 24 * time.Hour
)

var codeShape = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Cycle is how often a plan is paid.
type Cycle string

// The cycles.
const (
	Monthly Cycle = "month"
	Yearly  Cycle = "year"
)

// State is how an organization stands with the platform.
type State string

// The states. A suspended organization is read and exported, and not changed.
const (
	Trialing  State = "trialing"
	Active    State = "active"
	PastDue   State = "past_due"
	Suspended State = "suspended"
	Exempt    State = "exempt"
)

// Plan is what can be paid for. A limit of nothing is none.
type Plan struct {
	Code       string            `db:"code"`
	Name       string            `db:"name"`
	Currency   money.Currency    `db:"currency"`
	MonthPrice int64             `db:"month_price"` // minor units, without tax; nothing: a free plan
	YearPrice  int64             `db:"year_price"`
	Taxes      string            `db:"tax_codes"` // of the organization that bills, divided by spaces
	TrialDays  int               `db:"trial_days"`
	Members    int               `db:"members"`
	Invoices   int               `db:"invoices"` // issued in a calendar month
	StorageMB  int               `db:"storage_mb"`
	Place      int               `db:"place"`   // in lists
	Public     bool              `db:"public"`  // organizations choose it themselves
	Initial    bool              `db:"initial"` // new organizations begin with its trial
	Product    billing.ProductID `db:"product_id"`
	Version    int               `db:"version"`
}

// Price is what a cycle of it costs, without tax.
func (p Plan) Price(c Cycle) money.Amount {
	if c == Yearly {
		return money.Amount{Minor: p.YearPrice, Currency: p.Currency}
	}
	return money.Amount{Minor: p.MonthPrice, Currency: p.Currency}
}

// Free says that it costs nothing.
func (p Plan) Free() bool { return p.MonthPrice == 0 }

func (p Plan) check() (Plan, error) {
	var faults fault.List
	if len(p.Code) > 40 || !codeShape.MatchString(p.Code) {
		faults.Add("", ErrCode)
	}
	name, err := text.Required("name", p.Name, 100)
	if !faults.Add("", err) && err != nil {
		return p, err
	}
	p.Name = name
	if p.Currency.IsZero() {
		faults.Add("", money.ErrUnknownCurrency.At("currency"))
	}
	if p.MonthPrice < 0 || p.YearPrice < 0 {
		faults.Add("", ErrPrice.At("month_price"))
	} else if (p.MonthPrice == 0) != (p.YearPrice == 0) {
		faults.Add("", ErrPrices)
	}
	if p.TrialDays < 0 || p.TrialDays > 730 {
		faults.Add("", ErrTrial)
	}
	for field, n := range map[string]int{"members": p.Members, "invoices": p.Invoices, "storage_mb": p.StorageMB} {
		if n < 0 || n > 1_000_000 {
			faults.Add("", ErrLimit.At(field))
		}
	}
	if p.Place < 0 || p.Place > 1000 {
		faults.Add("", ErrPlace)
	}
	p.Taxes = strings.Join(strings.Fields(p.Taxes), " ")
	if len(p.Taxes) > 170 {
		faults.Add("", subscription.ErrTaxCodes.At("tax_codes"))
	}
	return p, faults.Err()
}

// Define keeps a plan: a new one with version 0, or all of one anew that the change was made on. What those on it pay
// stays as it was when they chose it; limits hold at once. It fails with all that is wrong with the plan, and ErrChanged.
func Define(ctx context.Context, tx *tenant.PlatformTx, p Plan) error {
	p, err := p.check()
	if err != nil {
		return err
	}
	return upsertPlan(ctx, tx, p)
}

// All lists every plan in its place.
func All(ctx context.Context, tx *tenant.PlatformTx) ([]Plan, error) { return selectPlans(ctx, tx) }

// SetBiller names the organization that bills the others; "" is none. Others that were billed by the one before become
// customers of this one with their next bill. It fails with ErrNoBiller.
func SetBiller(ctx context.Context, tx *tenant.PlatformTx, slug string) error {
	return callSetBiller(ctx, tx, slug)
}

// BillerSlug is the address of the organization that bills the others; "" for none.
func BillerSlug(ctx context.Context, tx *tenant.PlatformTx) (string, error) {
	return selectBiller(ctx, tx)
}

// Move puts an organization on a plan, with so many days of trial where it does not pay yet. It fails with ErrNoAccount.
func Move(ctx context.Context, tx *tenant.PlatformTx, slug, plan string, trialDays int) error {
	if trialDays < 0 || trialDays > 730 {
		return ErrTrial
	}
	return callMove(ctx, tx, slug, plan, trialDays)
}

// SetState suspends an organization by hand until it is set otherwise, lets it go on (Active) and spares it for a week
// whatever it owes, or exempts it from bills and limits. It holds from the next request on. It fails with ErrState and
// ErrNoAccount.
func SetState(ctx context.Context, tx *tenant.PlatformTx, slug string, state State) error {
	switch state {
	case Suspended, Active, Exempt:
		return callSetState(ctx, tx, slug, state)
	}
	return ErrState
}

// Standing is an organization's account as staff see it.
type Standing struct {
	Slug       string     `db:"slug"`
	Plan       string     `db:"plan"` // the name; "" for none
	State      State      `db:"state"`
	Held       bool       `db:"held"` // suspended by hand
	Since      time.Time  `db:"since"`
	TrialUntil *time.Time `db:"trial_until"`
}

// Standings lists accounts by address, after the one that is named.
func Standings(ctx context.Context, tx *tenant.PlatformTx, after string, limit int) ([]Standing, error) {
	return selectStandings(ctx, tx, after, limit)
}

// Account is how an organization stands.
type Account struct {
	Organization tenant.OrganizationID `db:"organization_id"`
	Plan         string                `db:"plan_code"` // a code; "" for none
	Cycle        Cycle                 `db:"cycle"`
	State        State                 `db:"state"`
	Held         bool                  `db:"held"`
	TrialUntil   *time.Time            `db:"trial_until"`
	SparedUntil  *time.Time            `db:"spared_until"`
	WantedPlan   string                `db:"wanted_plan"`
	WantedCycle  Cycle                 `db:"wanted_cycle"`
	NextPlan     string                `db:"next_plan"`
	NextCycle    Cycle                 `db:"next_cycle"`
	NextOn       civil.Date            `db:"next_on"`
	Customer     billing.CustomerID    `db:"customer_id"`
	Subscription subscription.ID       `db:"subscription_id"`
	Item         subscription.ItemID   `db:"item_id"`
}

// Use is how much of its limits an organization has used.
type Use struct {
	Members      int
	Invited      int // open invitations, which take room too
	Invoices     int // issued this month
	StorageBytes int64
}

// Mine is the organization's own account; ok is false where it has none.
func Mine(ctx context.Context, tx *tenant.Tx) (a Account, ok bool, err error) {
	return selectMine(ctx, tx)
}

// Choices are the plans to choose from, and the one that the organization has.
func Choices(ctx context.Context, tx *tenant.Tx) ([]Plan, error) { return selectChoices(ctx, tx) }

// Used counts what is used of the limits.
func Used(ctx context.Context, tx *tenant.Tx) (u Use, err error) {
	if u.Members, u.Invited, err = countPeople(ctx, tx); err != nil {
		return u, err
	}
	if u.Invoices, err = billing.InvoicesThisMonth(ctx, tx); err != nil {
		return u, err
	}
	u.StorageBytes, err = file.Stored(ctx, tx)
	return u, err
}

// Ask asks for a plan and cycle, which Carry carries out. A larger one holds from then on and costs what is left of the
// period, a smaller one, a free one, another cycle or currency come with the next period. It fails with ErrCycle,
// ErrNoChoice, tenant.ErrNobodyBills and, where a bill is overdue, ErrOwing.
func Ask(ctx context.Context, tx *tenant.Tx, code string, cycle Cycle) error {
	if cycle != Monthly && cycle != Yearly {
		return ErrCycle
	}
	a, ok, err := selectMine(ctx, tx)
	switch {
	case err != nil:
		return err
	case !ok:
		return tenant.ErrNobodyBills
	case a.State == PastDue || a.State == Suspended:
		return ErrOwing
	}
	if err := callWant(ctx, tx, code, cycle); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "plan.choose", Object: "plan", ID: uuid.Nil, Detail: code + ", by the " + string(cycle)})
}
