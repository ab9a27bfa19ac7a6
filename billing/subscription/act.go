package subscription

import (
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// ChangeInput is what becomes of an item.
type ChangeInput struct {
	Item   ItemID // zero: a new one, which the rest describes
	Remove bool
	ItemInput
	Now        bool // in the current period, for the days that are left of it; otherwise from the next on
	InvoiceNow bool // what a change now costs is invoiced right away and not with the next period
}

func lock(ctx context.Context, tx *tenant.Tx, subscription ID, version int) (Subscription, civil.Date, error) {
	s, err := lockSubscription(ctx, tx, subscription)
	switch {
	case err != nil:
		return s, civil.Date{}, err
	case version != 0 && version != s.Version:
		return s, civil.Date{}, ErrChanged
	case s.State == Ended:
		return s, civil.Date{}, ErrEnded
	}
	settings, err := billing.LoadSettings(ctx, tx)
	return s, settings.Today(tx), err
}

func keep(ctx context.Context, tx *tenant.Tx, s Subscription, act, detail string) (Subscription, error) {
	if err := updateSubscription(ctx, tx, s); err != nil {
		return s, err
	}
	if err := tx.Record(ctx, tenant.Act{Action: "subscription." + act, Object: "subscription", ID: s.ID.UUID, Detail: detail}); err != nil {
		return s, err
	}
	return ByID(ctx, tx, s.ID)
}

// ChangeItem adds, changes or removes an item. An item that is there keeps its text, product, taxes and measure; its
// quantity and price change.
//
// A change now is prorated by days. Of the current period of D days, R are left, today among them. What the item costs
// anew for a period, times R/D, less what it cost before, times R/D, each rounded half-up to the currency's smallest
// unit and less the coupon's percent that the period had, is a line of the next invoice, or of an invoice right away.
// Where the customer gets money back, it is kept as credit and taken off the next invoices, because no line of an invoice
// is below zero. What is metered is not prorated: its new price is for all that the period uses. It fails with
// ErrNotFound, ErrItemNotFound, ErrChanged, ErrEnded, ErrLastItem, ErrTooManyItems, for a change now of one whose
// invoice is due with ErrBehind, and with what is wrong with the item.
func ChangeItem(ctx context.Context, tx *tenant.Tx, subscription ID, version int, in ChangeInput) (Subscription, error) {
	s, today, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, err
	}
	period := s.NextPeriod
	paid, invoiced, err := selectPaidPeriod(ctx, tx, s.ID, period-1)
	if err != nil {
		return s, err
	}
	now := in.Now && s.State == Active && invoiced // what was not invoiced is not prorated
	if in.Now && s.State == Active && !today.Before(s.NextOn) {
		return s, ErrBehind
	}
	if now {
		period--
	}
	was, is, err := revise(ctx, tx, s, in, period)
	if err != nil {
		return s, err
	}
	if is.Metered != Flat && in.Remove {
		now, period = false, s.NextPeriod // what was used is still to be charged
	}
	if err := replace(ctx, tx, s, in, is, period); err != nil {
		return s, err
	}
	if now && is.Metered == Flat {
		if err := prorate(ctx, tx, &s, proration{was, is, paid.Percent, today}, in.InvoiceNow); err != nil {
			return s, err
		}
	}
	return keep(ctx, tx, s, "change", fmt.Sprintf("%s of %s to %s of %s from period %d", was.Quantity, was.UnitPrice, is.Quantity, is.UnitPrice, period))
}

// revise works out what an item was in a period and what it is to be.
func revise(ctx context.Context, tx *tenant.Tx, s Subscription, in ChangeInput, period int) (was, is Item, err error) {
	if in.Item.IsZero() {
		checked, err := checkItems(ctx, tx, s.Currency, []ItemInput{in.ItemInput})
		if err != nil {
			return was, is, atItem(err)
		}
		return was, newItem(checked[0], period), nil
	}
	if was, err = selectRevision(ctx, tx, s, in.Item, period); err != nil {
		return was, is, err
	}
	is = was
	is.Row, is.FromPeriod, is.ToPeriod, is.Quantity, is.UnitPrice = id.New[Item]().UUID, period, nil, in.Quantity, in.UnitPrice
	if in.Remove {
		is.Quantity, is.UnitPrice = decimal.Zero, decimal.Zero
		return was, is, nil
	}
	checked, err := checkItems(ctx, tx, s.Currency, []ItemInput{{ProductID: is.Product, Description: is.Description, Quantity: is.Quantity,
		UnitPrice: is.UnitPrice, Metered: is.Metered, TaxCodes: is.TaxCodes()}})
	if err != nil {
		return was, is, atItem(err)
	}
	is.Quantity = checked[0].Quantity
	return was, is, nil
}

// replace lets an item be something else from a period on, whatever was planned for it from then.
func replace(ctx context.Context, tx *tenant.Tx, s Subscription, in ChangeInput, is Item, period int) error {
	if !in.Item.IsZero() {
		if err := endRevisions(ctx, tx, s, in.Item, period); err != nil {
			return err
		}
	}
	if !in.Remove {
		if err := insertItem(ctx, tx, s.ID, is); err != nil {
			return err
		}
	}
	count, err := countItems(ctx, tx, s)
	switch {
	case err != nil:
		return err
	case count == 0:
		return ErrLastItem
	case count > maxItems:
		return ErrTooManyItems
	}
	return nil
}

// proration is a change within a period that was invoiced less so many percent.
type proration struct {
	was, is Item
	percent decimal.Decimal
	today   civil.Date
}

func prorate(ctx context.Context, tx *tenant.Tx, s *Subscription, p proration, right bool) error {
	is, today := p.is, p.today
	days, left := s.Schedule.At(s.NextPeriod-1).DaysUntil(s.NextOn), today.DaysUntil(s.NextOn)
	due := part(is, p.percent, left, days, s.Currency) - part(p.was, p.percent, left, days, s.Currency)
	if due < 0 {
		s.Credit.Minor -= due
		return s.Credit.CheckSize()
	}
	if due == 0 {
		return nil
	}
	more := fmt.Sprintf(", %s × %s, %s – %s", is.Quantity, is.UnitPrice, today, s.NextOn.AddDays(-1))
	once := Item{Row: id.New[Item]().UUID, Item: is.Item, FromPeriod: s.NextPeriod, Product: is.Product, Description: line(is.Description, more),
		Quantity: decimal.New(1, 0), UnitPrice: money.Amount{Minor: due, Currency: s.Currency}.Decimal(), Codes: is.Codes, Once: true}
	if err := insertItem(ctx, tx, s.ID, once); err != nil || !right {
		return err
	}
	return invoiceOnce(ctx, tx, s, today)
}

// part is what an item costs for some of a period's days, in minor units.
func part(i Item, couponPercent decimal.Decimal, left, days int, c money.Currency) int64 {
	hundred := decimal.New(100, 0)
	whole := i.Quantity.Mul(i.UnitPrice).Mul(hundred.Sub(couponPercent)).Mul(decimal.New(int64(left), 0))
	return whole.Shift(int32(c.Digits())).DivRound(hundred.Mul(decimal.New(int64(days), 0)), 0).IntPart()
}

// invoiceOnce makes an invoice of what comes once. The coupon counts for periods alone.
func invoiceOnce(ctx context.Context, tx *tenant.Tx, s *Subscription, today civil.Date) error {
	charged, err := selectCharged(ctx, tx, *s, s.usageFrom)
	if err != nil {
		return err
	}
	var items []Item
	for _, i := range charged {
		if i.Once {
			items = append(items, i)
		}
	}
	plain := *s
	plain.Coupon = Coupon{}
	invoice, err := new(Biller).invoice(ctx, tx, &plain, items, today, today)
	if err != nil {
		return err
	}
	s.Credit = plain.Credit
	_, err = deliver(ctx, tx, s, invoice) // a planned charge that nobody performs is taken up by the sweep
	return err
}

// atItem lets faults point at the fields of the one item.
func atItem(err error) error {
	return renameFields(err, func(field string) string {
		return strings.TrimPrefix(strings.TrimPrefix(field, "items[0]."), "items[0]")
	})
}

// ReplaceItem puts another thing in the place of an item: from the next period on, or now, prorated by days as ChangeItem
// does for one item. It fails as ChangeItem does.
func ReplaceItem(ctx context.Context, tx *tenant.Tx, subscription ID, item ItemID, in ItemInput, now bool) (Subscription, ItemID, error) {
	var made ItemID
	s, today, err := lock(ctx, tx, subscription, 0)
	if err != nil {
		return s, made, err
	}
	period := s.NextPeriod
	paid, invoiced, err := selectPaidPeriod(ctx, tx, s.ID, period-1)
	if err != nil {
		return s, made, err
	}
	if now && s.State == Active && !today.Before(s.NextOn) {
		return s, made, ErrBehind
	}
	now = now && s.State == Active && invoiced
	if now {
		period--
	}
	was, err := selectRevision(ctx, tx, s, item, period)
	if err != nil {
		return s, made, err
	}
	checked, err := checkItems(ctx, tx, s.Currency, []ItemInput{in})
	if err != nil {
		return s, made, atItem(err)
	}
	is := newItem(checked[0], period)
	if err := insertItem(ctx, tx, s.ID, is); err != nil {
		return s, made, err
	}
	if err := endRevisions(ctx, tx, s, item, period); err != nil {
		return s, made, err
	}
	if now && was.Metered == Flat && is.Metered == Flat {
		if err := prorate(ctx, tx, &s, proration{was, is, paid.Percent, today}, true); err != nil {
			return s, made, err
		}
	}
	s, err = keep(ctx, tx, s, "change", fmt.Sprintf("%s of %s to %s of %s from period %d", was.Quantity, was.UnitPrice, is.Quantity, is.UnitPrice, period))
	return s, is.Item, err
}

// Pause keeps a subscription from being billed. What was invoiced stays. It fails with ErrNotFound, ErrChanged, ErrEnded
// and ErrPaused.
func Pause(ctx context.Context, tx *tenant.Tx, subscription ID, version int) (Subscription, error) {
	s, _, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, err
	}
	if s.State == Paused {
		return s, ErrPaused
	}
	s.State = Paused
	return keep(ctx, tx, s, "pause", "")
}

// Resume lets a paused subscription be billed again, from the first period on that begins today or later. It fails with
// ErrNotFound, ErrChanged, ErrEnded and ErrNotPaused.
func Resume(ctx context.Context, tx *tenant.Tx, subscription ID, version int) (Subscription, error) {
	s, today, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, err
	}
	if s.State != Paused {
		return s, ErrNotPaused
	}
	s.State = Active
	if s.NextPeriod == 0 {
		s.State = Trialing
	}
	s.NextPeriod = s.Schedule.From(s.NextPeriod, today)
	s.NextOn = s.Schedule.At(s.NextPeriod)
	return keep(ctx, tx, s, "resume", "")
}

// Cancel ends a subscription: now, or when the current period ends. What was used until then is still invoiced; nothing
// that was paid in advance is given back (CancelGivingBack does). A paused one ends now, and one without an invoice so far ends without any. It
// fails with ErrNotFound, ErrChanged, ErrEnded and ErrBehind, and with what keeps the last invoice from being issued.
func Cancel(ctx context.Context, tx *tenant.Tx, subscription ID, version int, now bool) (Subscription, error) {
	s, today, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, err
	}
	if !now && s.State != Paused {
		s.CancelAtEnd = true
		return keep(ctx, tx, s, "cancel", "at the end of the period")
	}
	if s.State == Active && !today.Before(s.NextOn) {
		return s, ErrBehind
	}
	if err := new(Biller).end(ctx, tx, &s, today, today.AddDays(1)); err != nil {
		return s, err
	}
	return ByID(ctx, tx, s.ID)
}

// Keep takes back a cancellation at the end. It fails with ErrNotFound, ErrChanged and ErrEnded.
func Keep(ctx context.Context, tx *tenant.Tx, subscription ID, version int) (Subscription, error) {
	s, _, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, err
	}
	s.CancelAtEnd = false
	return keep(ctx, tx, s, "keep", "")
}

// Options are what may be changed of a subscription besides its items.
type Options struct {
	Coupon        Coupon
	Collect, Send bool
}

// ChangeOptions sets coupon, collecting and mailing anew, from the next invoice on. It fails with ErrNotFound,
// ErrChanged, ErrEnded and what is wrong with the coupon.
func ChangeOptions(ctx context.Context, tx *tenant.Tx, subscription ID, version int, o Options) (Subscription, error) {
	s, _, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, err
	}
	if err := o.Coupon.check(s.Currency); err != nil {
		return s, err
	}
	if o.Coupon.IsZero() {
		o.Coupon.Left = 0
	}
	s.Coupon, s.Collect, s.Send = o.Coupon, o.Collect, o.Send
	return keep(ctx, tx, s, "change", "coupon, collecting, mail")
}

// line is a text with what follows it, cut to what an item's text may have.
func line(text, more string) string {
	runes := []rune(text)
	if most := itemLength - len([]rune(more)); len(runes) > most {
		runes = runes[:most]
	}
	return strings.TrimSpace(string(runes)) + more
}
