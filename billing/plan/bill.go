package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// atOnce bounds how many accounts are looked up in one transaction.
const atOnce = 200

// billsShown are the bills that an organization is shown.
const billsShown = 24

// Tend sees to all accounts that are due, in the organization that bills the others: customers and subscriptions are
// made, plans that were asked for begin, those who did not pay are suspended and those who did go on. Several may do so
// at once. What keeps one account does not keep the others; all errors are returned in the end.
func Tend(ctx context.Context, db *tenant.DB, biller tenant.Scope) error {
	var all error
	for after := (tenant.OrganizationID{}); ; {
		var found []due
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) (err error) {
			found, err = selectDue(ctx, tx, after, atOnce)
			return err
		})
		if err != nil {
			return errors.Join(all, err)
		}
		all = errors.Join(all, carryEach(ctx, db, biller, found))
		if len(found) < atOnce {
			break
		}
		after = found[atOnce-1].Organization
	}
	behind, err := findBehind(ctx, db, biller)
	return errors.Join(all, err, carryEach(ctx, db, biller, behind))
}

// Enqueue queues Job for the organization that bills the others, if there is one.
func Enqueue(ctx context.Context, tx *tenant.PlatformTx) error { return enqueueTend(ctx, tx) }

// findBehind gives the accounts that were in order and of which a bill is overdue.
func findBehind(ctx context.Context, db *tenant.DB, biller tenant.Scope) (found []due, err error) {
	var customers []uuid.UUID
	err = tenant.Do(ctx, db, biller, func(tx *tenant.Tx) (err error) {
		customers, err = selectOverdueCustomers(ctx, tx)
		return err
	})
	if err != nil || len(customers) == 0 {
		return nil, err
	}
	ids, err := json.Marshal(customers)
	if err != nil {
		return nil, fmt.Errorf("writing an argument: %w", err)
	}
	err = tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) (err error) {
		found, err = selectDueByCustomers(ctx, tx, string(ids))
		return err
	})
	return found, err
}

func carryEach(ctx context.Context, db *tenant.DB, biller tenant.Scope, found []due) (all error) {
	for _, d := range found {
		if ctx.Err() != nil {
			return errors.Join(all, ctx.Err())
		}
		err := tenant.Do(ctx, db, biller, func(tx *tenant.Tx) error { return carry(ctx, tx, d) })
		switch {
		case errors.Is(err, tenant.ErrStale):
			return errors.Join(all, err) // the caller enters anew
		case errors.Is(err, subscription.ErrBehind): // its invoice is being made: next time
		case err != nil:
			all = errors.Join(all, fmt.Errorf("seeing to the account of %s: %w", d.Organization, err))
		}
	}
	return all
}

// Carry sees to one account, at once and not with the others: after Ask. biller is a scope of the organization that
// bills, such as EnterPayer's.
func Carry(ctx context.Context, db *tenant.DB, biller tenant.Scope, organization tenant.OrganizationID) error {
	var d due
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) (err error) {
		d, err = selectDueByID(ctx, tx, organization)
		return err
	})
	if err != nil {
		return err
	}
	return tenant.Do(ctx, db, biller, func(tx *tenant.Tx) error { return carry(ctx, tx, d) })
}

// Settle lets those go on whose last overdue bill was paid in this transaction of the organization that bills.
func Settle(ctx context.Context, tx *tenant.Tx) error {
	paid, err := selectPaidUp(ctx, tx)
	if err != nil {
		return err
	}
	for _, organization := range paid {
		a, ok, err := lockAccount(ctx, tx, organization)
		if err != nil {
			return err
		}
		if !ok || a.State != PastDue && a.State != Suspended || a.Held {
			continue
		}
		b := book{tx: tx, a: a}
		if err := b.judge(ctx); err != nil {
			return err
		}
		if err := b.keep(ctx, a, false); err != nil {
			return err
		}
	}
	return nil
}

// book is one account while it is seen to.
type book struct {
	tx    *tenant.Tx
	a     Account
	plans map[string]Plan
	today civil.Date
	to    due
}

// carry does all there is to do about one account.
func carry(ctx context.Context, tx *tenant.Tx, d due) error {
	a, ok, err := lockAccount(ctx, tx, d.Organization)
	if err != nil || !ok {
		return err
	}
	b := &book{tx: tx, a: a, to: d}
	if b.plans, err = selectAllPlans(ctx, tx); err != nil {
		return err
	}
	settings, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return err
	}
	b.today = settings.Today(tx)
	if a.State == Exempt {
		if err := b.leave(ctx); err != nil {
			return err
		}
		return b.keep(ctx, a, true)
	}
	if !b.a.NextOn.IsZero() && !b.today.Before(b.a.NextOn) {
		if err := b.turn(ctx); err != nil {
			return err
		}
	}
	if b.a.WantedPlan != "" {
		if err := b.change(ctx, b.plans[b.a.WantedPlan], b.a.WantedCycle); err != nil {
			return err
		}
	}
	if b.a.Subscription.IsZero() && b.a.Plan != "" && !b.plans[b.a.Plan].Free() {
		if err := b.start(ctx, b.plans[b.a.Plan], b.a.Cycle, b.today, b.trialLeft(settings)); err != nil {
			return err
		}
	}
	if err := b.judge(ctx); err != nil {
		return err
	}
	return b.keep(ctx, a, true)
}

// keep writes the account where it is otherwise than it was. carried says that what was asked for is done.
func (b *book) keep(ctx context.Context, was Account, carried bool) error {
	if carried {
		b.a.WantedPlan, b.a.WantedCycle = "", ""
	}
	if b.a == was {
		return nil
	}
	if err := keepAccount(ctx, b.tx, b.a, carried); err != nil {
		return err
	}
	if b.a.State == was.State && b.a.Plan == was.Plan && b.a.NextPlan == was.NextPlan {
		return nil
	}
	return b.tx.Record(ctx, tenant.Act{Action: "plan_account.keep", Object: "plan_account", ID: b.a.Organization.UUID,
		Detail: fmt.Sprintf("%s %s to %s %s", was.Plan, was.State, b.a.Plan, b.a.State)})
}

// trialLeft is how many days of a trial are left.
func (b *book) trialLeft(settings billing.Settings) int {
	if b.a.TrialUntil == nil || !b.a.TrialUntil.After(b.tx.Now()) {
		return 0
	}
	return max(b.today.DaysUntil(civil.Of(*b.a.TrialUntil, settings.Zone())), 0)
}

// turn begins what was planned for this period.
func (b *book) turn(ctx context.Context) error {
	b.a.Plan, b.a.Cycle = b.a.NextPlan, b.a.NextCycle
	b.a.NextPlan, b.a.NextCycle, b.a.NextOn = "", "", civil.Date{}
	if b.plans[b.a.Plan].Free() {
		return b.leave(ctx)
	}
	return nil
}

// leave ends what is billed now. What was paid in advance is kept.
func (b *book) leave(ctx context.Context) error {
	if b.a.Subscription.IsZero() {
		return nil
	}
	_, err := subscription.Cancel(ctx, b.tx, b.a.Subscription, 0, true)
	if err != nil && !errors.Is(err, subscription.ErrEnded) {
		return err
	}
	b.a.Subscription, b.a.Item = subscription.ID{}, subscription.ItemID{}
	return nil
}

// change puts the account on another plan or cycle, or plans it for the next period.
func (b *book) change(ctx context.Context, to Plan, cycle Cycle) error {
	if to.Code == "" || to.Code == b.a.Plan && cycle == b.a.Cycle && b.a.NextPlan == "" {
		return nil
	}
	now := func() { b.a.Plan, b.a.Cycle = to.Code, cycle }
	if b.a.Subscription.IsZero() { // free, or not begun: the subscription is made after this
		now()
		return nil
	}
	s, err := subscription.ByID(ctx, b.tx, b.a.Subscription)
	if err != nil {
		return err
	}
	then := func(on civil.Date) { b.a.NextPlan, b.a.NextCycle, b.a.NextOn = to.Code, cycle, on }
	switch {
	case s.State == subscription.Ended:
		b.a.Subscription, b.a.Item = subscription.ID{}, subscription.ItemID{}
		b.a.NextPlan, b.a.NextCycle, b.a.NextOn = "", "", civil.Date{}
		now()
		return nil
	case s.State == subscription.Trialing: // a trial, or the one that was planned for the next period
		return b.restart(ctx, s, to, cycle)
	}
	if s.CancelAtEnd {
		if s, err = subscription.Keep(ctx, b.tx, s.ID, 0); err != nil {
			return err
		}
	}
	switch {
	case to.Free():
		then(s.NextOn)
		_, err = subscription.Cancel(ctx, b.tx, s.ID, 0, false)
		return err
	case cycle != b.a.Cycle || to.Currency != s.Currency:
		then(s.NextOn)
		if _, err := subscription.Cancel(ctx, b.tx, s.ID, 0, false); err != nil {
			return err
		}
		return b.start(ctx, to, cycle, s.NextOn, 0)
	}
	right := to.Code == b.a.Plan || to.Price(cycle).Minor > b.plans[b.a.Plan].Price(cycle).Minor
	if to.Code == b.a.Plan { // what was planned for the next period is not to be
		right = false
	}
	item, err := b.item(ctx, to, cycle)
	if err != nil {
		return err
	}
	if _, b.a.Item, err = subscription.ReplaceItem(ctx, b.tx, s.ID, b.a.Item, item, right); err != nil {
		return err
	}
	if right || to.Code == b.a.Plan {
		now()
		b.a.NextPlan, b.a.NextCycle, b.a.NextOn = "", "", civil.Date{}
		return nil
	}
	then(s.NextOn)
	return nil
}

// restart makes a subscription anew that has not begun.
func (b *book) restart(ctx context.Context, s subscription.Subscription, to Plan, cycle Cycle) error {
	if err := b.leave(ctx); err != nil {
		return err
	}
	if b.a.NextPlan != "" {
		b.a.NextPlan, b.a.NextCycle = to.Code, cycle
	} else {
		b.a.Plan, b.a.Cycle = to.Code, cycle
	}
	if to.Free() {
		return nil
	}
	return b.start(ctx, to, cycle, s.NextOn, 0)
}

func (b *book) item(ctx context.Context, p Plan, cycle Cycle) (in subscription.ItemInput, err error) {
	price := decimal.New(p.Price(cycle).Minor, -int32(p.Currency.Digits()))
	if p.Product.IsZero() {
		made, err := billing.AddProduct(ctx, b.tx, billing.ProductInput{Name: p.Name, UnitPrice: decimal.New(p.MonthPrice, -int32(p.Currency.Digits())), Currency: p.Currency})
		if err != nil {
			return in, err
		}
		p.Product = made.ID
		if err := keepProduct(ctx, b.tx, p); err != nil {
			return in, err
		}
		b.plans[p.Code] = p
	}
	item := subscription.Item{Codes: p.Taxes}
	return subscription.ItemInput{ProductID: p.Product, Description: p.Name, Quantity: decimal.New(1, 0), UnitPrice: price, TaxCodes: item.TaxCodes()}, nil
}

// start makes the organization a customer, where it is none, and begins to bill it on a day, after what is left of a trial.
func (b *book) start(ctx context.Context, p Plan, cycle Cycle, on civil.Date, trialDays int) error {
	if b.a.Customer.IsZero() {
		c, err := billing.AddCustomer(ctx, b.tx, billing.CustomerInput{Name: b.to.Name, Email: b.to.Email})
		if err != nil {
			return err
		}
		b.a.Customer = c.ID
	}
	item, err := b.item(ctx, p, cycle)
	if err != nil {
		return err
	}
	unit := subscription.Month
	if cycle == Yearly {
		unit = subscription.Year
	}
	s, err := subscription.Start(ctx, b.tx, subscription.Input{CustomerID: b.a.Customer, Unit: unit, Every: 1, StartsOn: on, TrialDays: trialDays,
		Currency: p.Currency, Collect: true, Send: true, Items: []subscription.ItemInput{item}})
	if err != nil {
		return err
	}
	b.a.Subscription, b.a.Item = s.ID, s.Items[0].Item
	return nil
}

// judge says how the account stands: by what is overdue of it, unless people have said otherwise.
func (b *book) judge(ctx context.Context) error {
	if b.a.Held || b.a.State == Exempt {
		return nil
	}
	overdue, long := false, false
	if !b.a.Customer.IsZero() {
		var err error
		if overdue, long, err = selectOwing(ctx, b.tx, b.a); err != nil {
			return err
		}
	}
	isSpared := b.a.SparedUntil != nil && b.a.SparedUntil.After(b.tx.Now())
	switch {
	case overdue && (long || b.a.State == Suspended) && !isSpared:
		b.a.State = Suspended
	case overdue:
		b.a.State = PastDue
	case b.a.TrialUntil != nil && b.a.TrialUntil.After(b.tx.Now()):
		b.a.State = Trialing
	default:
		b.a.State = Active
	}
	return nil
}

// Bills are the bills of the organization for which a scope of EnterPayer was minted, the newest first.
func Bills(ctx context.Context, tx *tenant.Tx) ([]billing.InvoiceHead, []billing.PaymentMethod, error) {
	customer := billing.CustomerID{UUID: tx.Scope().Subject()}
	if customer.IsZero() {
		return nil, nil, nil
	}
	page, err := billing.Invoices(ctx, tx, billing.InvoiceFilter{CustomerID: customer}, cursor.Query{Limit: billsShown})
	if err != nil {
		return nil, nil, err
	}
	bills := slices.DeleteFunc(page.Items, func(i billing.InvoiceHead) bool { return i.State == billing.Draft })
	methods, err := billing.PaymentMethods(ctx, tx, customer)
	return bills, methods, err
}

// ErrNoBill says that a bill is not one's own.
var ErrNoBill = fault.New(fault.NotFound, "plan.no_bill", "There is no such bill.")

// OpenBill gives the secret of a link by which a bill of one's own is paid; ErrNoBill.
func OpenBill(ctx context.Context, tx *tenant.Tx, invoice billing.InvoiceID) (string, error) {
	i, err := billing.InvoiceByID(ctx, tx, invoice)
	if errors.Is(err, billing.ErrInvoiceNotFound) || err == nil && (i.Customer.ID.UUID != tx.Scope().Subject() || i.State == billing.Draft) {
		return "", ErrNoBill
	} else if err != nil {
		return "", err
	}
	secret, err := tx.OpenLink(ctx, invoice.UUID, tx.Now().Add(billing.PayLinkLifetime))
	if err != nil {
		return "", err
	}
	return secret, tx.Record(ctx, tenant.Act{Action: "invoice.link", Object: "invoice", ID: invoice.UUID})
}
