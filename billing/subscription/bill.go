package subscription

import (
	"context"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// atOnce bounds how many subscriptions that are due are looked up in one transaction.
const atOnce = 200

// Do runs fn in one transaction of one organization. It may run fn twice.
type Do func(ctx context.Context, fn func(tx *tenant.Tx) error) error

// In enters one organization with a scope.
func In(db *tenant.DB, s tenant.Scope) Do {
	return func(ctx context.Context, fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, db, s, fn) }
}

// Biller makes the invoices of subscriptions. It is safe for use by many goroutines.
type Biller struct {
	// Charge performs a charge that was planned with an invoice, once that is kept. What becomes of it is the invoice's
	// matter: an error is told and keeps nothing else.
	Charge func(ctx context.Context, do Do, charge billing.IntentID) error

	step func(name string) // tests end the process here
}

func (b *Biller) at(name string) {
	if b.step != nil {
		b.step(name)
	}
}

// Run makes all invoices of an organization that are due, each in its own transaction and each subscription's in their
// order. Several may do so at once. What keeps one subscription does not keep the others: a fault is kept with it, for
// people to see; any other error is returned when all are done.
func (b *Biller) Run(ctx context.Context, do Do) error {
	var all error
	var after ID
	for {
		var due []ID
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			due, err = selectDue(ctx, tx, after, atOnce)
			return err
		})
		if err != nil {
			return errors.Join(all, err)
		}
		for _, s := range due {
			if ctx.Err() != nil {
				return errors.Join(all, ctx.Err())
			}
			if err := b.billOne(ctx, do, s); err != nil {
				all = errors.Join(all, fmt.Errorf("billing the subscription %s: %w", s, err))
			}
			after = s
		}
		if len(due) < atOnce {
			return all
		}
	}
}

// billOne makes all invoices of one subscription that are due.
func (b *Biller) billOne(ctx context.Context, do Do, subscription ID) error {
	for {
		var charge billing.IntentID
		var more bool
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			charge, more, err = b.bill(ctx, tx, subscription)
			return err
		})
		if code, ok := codeOf(err); ok {
			return do(ctx, func(tx *tenant.Tx) error { return updateProblem(ctx, tx, subscription, code) })
		}
		if err != nil || !more {
			return err
		}
		b.at("committed")
		if !charge.IsZero() && b.Charge != nil {
			if err := b.Charge(ctx, do, charge); err != nil {
				if _, ok := codeOf(err); !ok {
					return err
				}
			}
		}
	}
}

// codeOf is the code of a fault; ok is false for what is none.
func codeOf(err error) (code string, ok bool) {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Unavailable {
		return "", false
	}
	return f.Code, true
}

// bill makes the invoice of the next period, if it has begun; more is false if it has not, or another has it in hand.
func (b *Biller) bill(ctx context.Context, tx *tenant.Tx, subscription ID) (charge billing.IntentID, more bool, err error) {
	s, ok, err := lockDue(ctx, tx, subscription)
	if err != nil || !ok {
		return charge, false, err
	}
	b.at("locked")
	s.Problem = ""
	if s.CancelAtEnd {
		return charge, true, b.end(ctx, tx, &s, s.NextOn, s.NextOn)
	}
	items, err := selectCharged(ctx, tx, s, s.NextOn)
	if err != nil {
		return charge, false, err
	}
	percent := s.Coupon.Percent
	p := Period{Period: s.NextPeriod, From: s.NextOn, To: s.Schedule.At(s.NextPeriod + 1).AddDays(-1)}
	if p.Document, err = b.invoice(ctx, tx, &s, items, p.From, p.From); err != nil {
		return charge, false, err
	}
	if err := insertPeriod(ctx, tx, s.ID, p, percent, s.tookOff); err != nil {
		return charge, false, err
	}
	b.at("kept")
	if s.Coupon.Left == 1 {
		s.Coupon = Coupon{}
	} else if s.Coupon.Left > 1 {
		s.Coupon.Left--
	}
	s.State, s.usageFrom, s.NextPeriod, s.NextOn = Active, p.From, s.NextPeriod+1, p.To.AddDays(1)
	if !p.Document.IsZero() {
		if charge, err = deliver(ctx, tx, &s, p.Document); err != nil {
			return charge, false, err
		}
	}
	if err := updateSubscription(ctx, tx, s); err != nil {
		return charge, false, err
	}
	b.at("moved")
	return charge, true, nil
}

// end makes the last invoice, of what was used until before a day and of what was to come once, and ends the
// subscription. Nothing of what was paid in advance is given back.
func (b *Biller) end(ctx context.Context, tx *tenant.Tx, s *Subscription, on, until civil.Date) error {
	charged, err := selectCharged(ctx, tx, *s, until)
	if err != nil {
		return err
	}
	var items []Item
	for _, i := range charged {
		if i.Once || i.Metered != Flat {
			items = append(items, i)
		}
	}
	percent := s.Coupon.Percent
	p := Period{Period: s.NextPeriod, From: on, To: on, Closing: true}
	if p.Document, err = b.invoice(ctx, tx, s, items, on, until); err != nil {
		return err
	}
	if err := insertPeriod(ctx, tx, s.ID, p, percent, s.tookOff); err != nil {
		return err
	}
	if !p.Document.IsZero() {
		if _, err := deliver(ctx, tx, s, p.Document); err != nil {
			return err
		}
	}
	s.State, s.EndedOn, s.NextOn, s.CancelAtEnd = Ended, on, civil.Date{}, false
	if err := updateSubscription(ctx, tx, *s); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "subscription.end", Object: "subscription", ID: s.ID.UUID})
}

// invoice issues an invoice of items on a day, less coupon and credit; the zero id when there is nothing to charge. What
// was used was so before the day until. What is taken off the credit is taken off s.
func (b *Biller) invoice(ctx context.Context, tx *tenant.Tx, s *Subscription, items []Item, on, until civil.Date) (none billing.InvoiceID, err error) {
	in, once, err := s.write(ctx, tx, items, on, until)
	if err != nil || len(in.Lines) == 0 {
		return none, err
	}
	draft, err := billing.DraftInvoice(ctx, tx, in)
	if err != nil {
		return none, err
	}
	b.at("drafted")
	issued, err := billing.IssueInvoice(ctx, tx, draft.ID, 0)
	if err != nil {
		return none, err
	}
	b.at("issued")
	if once {
		err = markOnce(ctx, tx, s.ID, issued.ID)
	}
	return issued.ID, err
}

// write puts items on an invoice. A coupon in percent is each line's discount, but not of what comes once; one of an
// amount, and then the credit, are the discount on the whole, as far as the lines reach.
func (s *Subscription) write(ctx context.Context, tx *tenant.Tx, items []Item, on, until civil.Date) (in billing.InvoiceInput, once bool, err error) {
	in = billing.InvoiceInput{CustomerID: s.Customer, IssueDate: on, Currency: s.Currency}
	for _, i := range items {
		line := billing.InvoiceLineInput{ProductID: i.Product, Description: i.Description, Quantity: i.Quantity, UnitPrice: i.UnitPrice, TaxCodes: i.TaxCodes()}
		from, to := on, s.Schedule.At(s.NextPeriod+1).AddDays(-1)
		switch {
		case i.Once:
			once = true
			in.Lines = append(in.Lines, line)
			continue
		case i.Metered != Flat:
			if i.Used.IsZero() {
				continue
			}
			line.Quantity, from, to = i.Used, s.usageFrom, until.AddDays(-1)
		}
		line.Description += ", " + from.String() + " – " + to.String()
		line.DiscountPercent = s.Coupon.Percent
		in.Lines = append(in.Lines, line)
	}
	if len(in.Lines) == 0 || s.Coupon.Amount.IsZero() && s.Credit.IsZero() {
		return in, once, nil
	}
	figures, err := billing.PreviewInvoice(ctx, tx, in)
	if err != nil {
		return in, once, err
	}
	in.Discount = s.takeOff(figures.Net)
	return in, once, nil
}

// takeOff says how much is taken off what lines come to, and takes it off the credit.
func (s *Subscription) takeOff(net money.Amount) decimal.Decimal {
	off := min(minor(s.Coupon.Amount, s.Currency), net.Minor)
	s.tookOff = off
	used := min(s.Credit.Minor, net.Minor-off)
	s.Credit.Minor -= used
	return money.Amount{Minor: off + used, Currency: s.Currency}.Decimal()
}

// deliver queues an invoice to be mailed and plans its charge, as the subscription says. What cannot be done is kept as
// its problem; the invoice stands.
func deliver(ctx context.Context, tx *tenant.Tx, s *Subscription, invoice billing.InvoiceID) (charge billing.IntentID, err error) {
	if s.Send {
		_, err := billing.MailInvoice(ctx, tx, invoice, billing.MailInput{})
		if code, ok := codeOf(err); ok {
			s.Problem = code
		} else if err != nil {
			return charge, err
		}
	}
	if !s.Collect {
		return charge, nil
	}
	issued, err := billing.InvoiceByID(ctx, tx, invoice)
	if err != nil || issued.Open().IsZero() {
		return charge, err
	}
	card, err := billing.CardToCharge(ctx, tx, s.Customer)
	if err != nil || card.IsZero() {
		return charge, err
	}
	i, err := billing.PlanCharge(ctx, tx, billing.ChargeInput{InvoiceID: invoice, MethodID: card})
	if code, ok := codeOf(err); ok {
		s.Problem = code
		return charge, nil
	}
	return i.ID, err
}

// Next works out what the next invoice would come to as things stand today; ok is false where none is to come.
func Next(ctx context.Context, tx *tenant.Tx, s Subscription) (figures tax.Result, ok bool, err error) {
	if s.State == Ended || s.State == Paused || s.CancelAtEnd {
		return figures, false, nil
	}
	items, err := selectCharged(ctx, tx, s, s.NextOn)
	if err != nil {
		return figures, false, err
	}
	in, _, err := s.write(ctx, tx, items, s.NextOn, s.NextOn)
	if err != nil || len(in.Lines) == 0 {
		return figures, false, err
	}
	figures, err = billing.PreviewInvoice(ctx, tx, in)
	if _, isFault := codeOf(err); isFault {
		return figures, false, nil // a tax that was archived meanwhile: the job says so when it comes to it
	}
	return figures, err == nil, err
}
