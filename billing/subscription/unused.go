package subscription

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Unused is what of a subscription was invoiced and is still to come, without tax.
type Unused struct {
	Days   int        // after today, of the current period
	Of     int        // days that the current period has
	From   civil.Date // the first of them
	Net    money.Amount
	period Period
	lines  []billing.InvoiceLineInput
	off    int64
}

// LookUnused works out what CancelGivingBack gives back today. Of the current period of D days, R come after today,
// which was still served. What each item in force costs for a period, less the coupon's percent that the period had,
// times R/D, is rounded half-up to the currency's smallest unit; so is the amount that a coupon took off the period, and
// it is taken off again. Credit for earlier changes that no invoice used up comes on top, with the taxes of the first item. What is metered,
// was charged once, or is of a period that was not invoiced is not given back.
func LookUnused(ctx context.Context, tx *tenant.Tx, s Subscription, today civil.Date) (u Unused, err error) {
	zero := money.Amount{Currency: s.Currency}
	u.Net = zero
	paid, ok, err := selectPaidPeriod(ctx, tx, s.ID, s.NextPeriod-1)
	if err != nil {
		return u, err
	}
	var items []Item
	if ok && s.State != Ended {
		end := s.Schedule.At(s.NextPeriod)
		u.period, u.From, u.Of = paid.Period, today.AddDays(1), s.Schedule.At(s.NextPeriod-1).DaysUntil(end)
		u.Days = max(min(u.From.DaysUntil(end), u.Of), 0)
		if items, err = selectInForce(ctx, tx, s, s.NextPeriod-1); err != nil {
			return u, err
		}
		days := ", " + u.From.String() + " – " + end.AddDays(-1).String()
		for _, i := range items {
			u.add(i, part(i, paid.Percent, u.Days, u.Of, s.Currency), line(i.Description, days))
		}
		taken := decimal.New(paid.Amount, 0).Mul(decimal.New(int64(u.Days), 0)).DivRound(decimal.New(int64(u.Of), 0), 0).IntPart()
		u.off = min(taken, u.Net.Minor)
	}
	if s.Credit.Sign() > 0 && s.State != Ended {
		first := Item{}
		if len(items) > 0 {
			first = items[0]
		}
		u.add(Item{Codes: first.Codes}, s.Credit.Minor, "Credit for earlier changes")
	}
	u.Net.Minor -= u.off
	return u, u.Net.CheckSize()
}

func (u *Unused) add(i Item, minor int64, description string) {
	if minor <= 0 {
		return
	}
	amount := money.Amount{Minor: minor, Currency: u.Net.Currency}
	u.Net.Minor += minor
	u.lines = append(u.lines, billing.InvoiceLineInput{ProductID: i.Product, Description: description, Quantity: decimal.New(1, 0),
		UnitPrice: amount.Decimal(), TaxCodes: i.TaxCodes()})
}

// CancelGivingBack ends a subscription today as Cancel does, and issues a credit note over what LookUnused says, with its
// taxes: it settles the period's invoice as far as that is open, and the rest is the customer's credit. The note is zero
// where there is nothing to give back. It fails as Cancel does, and with what keeps the note from being issued.
func CancelGivingBack(ctx context.Context, tx *tenant.Tx, subscription ID, version int) (Subscription, billing.CreditNoteID, error) {
	var note billing.CreditNoteID
	s, today, err := lock(ctx, tx, subscription, version)
	if err != nil {
		return s, note, err
	}
	u, err := LookUnused(ctx, tx, s, today)
	if err != nil {
		return s, note, err
	}
	if len(u.lines) > 0 && u.Net.Sign() > 0 { // the closing invoice must not use up the credit that the note gives back
		s.Credit.Minor = 0
		if err := updateSubscription(ctx, tx, s); err != nil {
			return s, note, err
		}
	}
	if s, err = Cancel(ctx, tx, subscription, 0, true); err != nil || len(u.lines) == 0 || u.Net.Sign() <= 0 {
		return s, note, err
	}
	note, err = giveBack(ctx, tx, s, u)
	return s, note, err
}

func giveBack(ctx context.Context, tx *tenant.Tx, s Subscription, u Unused) (billing.CreditNoteID, error) {
	off := money.Amount{Minor: u.off, Currency: s.Currency}
	draft, err := billing.DraftCreditNote(ctx, tx, billing.DocumentInput{CustomerID: s.Customer, Currency: s.Currency, Lines: u.lines,
		Discount: off.Decimal(), Reference: u.period.Number})
	if err != nil {
		return draft.ID, err
	}
	if _, err := billing.IssueCreditNote(ctx, tx, draft.ID, 0); err != nil || u.period.Document.IsZero() {
		return draft.ID, err
	}
	invoice, err := billing.InvoiceByID(ctx, tx, u.period.Document)
	if err != nil || invoice.State != billing.Issued || invoice.Open().IsZero() {
		return draft.ID, err
	}
	_, err = billing.ApplyCreditNote(ctx, tx, draft.ID, invoice.ID, money.Amount{})
	return draft.ID, err
}
