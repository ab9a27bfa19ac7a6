package currency

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// KeepDocumentRate gives a document the rate of its day into the base currency, where it is in another one and a rate is
// known. A credit note has the rate of what it credits, so that crediting gains and loses nothing.
func KeepDocumentRate(ctx context.Context, tx *tenant.Tx, document uuid.UUID) error {
	d, err := selectForeign(ctx, tx, document)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	if d.Rate != nil {
		return nil
	}
	rate := d.Origin
	if rate == nil {
		if rate, err = known(ctx, tx, d.Currency, d.Base, d.Date); err != nil || rate == nil {
			return err
		}
	}
	return updateDocumentRate(ctx, tx, document, *rate)
}

// keepLate gives documents that were issued when no rate was known the rate of their day, where there is one now, and
// tells the gains that could not be told without it.
func keepLate(ctx context.Context, tx *tenant.Tx) error {
	if err := rateLate(ctx, tx); err != nil {
		return err
	}
	return realiseLate(ctx, tx)
}

func rateLate(ctx context.Context, tx *tenant.Tx) error {
	late, err := selectUnrated(ctx, tx)
	if err != nil || len(late) == 0 {
		return err
	}
	currencies := []money.Currency{late[0].Base}
	for _, d := range late {
		if !slices.Contains(currencies, d.Currency) {
			currencies = append(currencies, d.Currency)
		}
	}
	// They come by date.
	all, err := selectRatesOf(ctx, tx, currencies, late[0].Date, late[len(late)-1].Date)
	if err != nil {
		return err
	}
	for _, d := range late {
		quote, err := all.quote(d.Currency, d.Base, d.Date)
		if errors.Is(err, ErrNoRate) {
			continue
		} else if err != nil {
			return err
		}
		if err := updateDocumentRates(ctx, tx, d, quote.Rate); err != nil {
			return err
		}
	}
	return nil
}

// known is a rate of a day, or nil if there is none.
func known(ctx context.Context, tx *tenant.Tx, from, to money.Currency, day civil.Date) (*decimal.Decimal, error) {
	quote, err := QuoteOn(ctx, tx, from, to, day)
	if errors.Is(err, ErrNoRate) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &quote.Rate, nil
}

// Settlement is an amount of a payment, or of a credit note, that settles a document or, below zero, no longer does. It has
// been kept already: what is settled of the document counts it.
type Settlement struct {
	Payment    uuid.UUID
	CreditNote uuid.UUID // in place of a payment
	Document   uuid.UUID
	Amount     int64 // in minor units of the document's currency
	Date       civil.Date
}

// Realise posts what a settlement gains or loses: the amount at the payment's rate, less what it was worth at the
// document's, and of a bill the other way round. Over all settlements of a document this is exactly what its payments
// were worth less what the document was. It keeps the payment's rate. In the base currency there is nothing to post.
// Where a rate is not known the amount is kept as one whose gain is still to be told, and that is done when the rate
// comes (keepLate): money that came is booked on its day whether or not anybody has entered a rate.
func Realise(ctx context.Context, tx *tenant.Tx, s Settlement) error {
	f, err := selectSettled(ctx, tx, s)
	if errors.Is(err, tenant.ErrNoRows) || err == nil && s.Amount == 0 {
		return nil
	} else if err != nil {
		return err
	}
	if f.DocumentRate, err = keepRate(ctx, tx, f.DocumentRate, f.Currency, f.Base, f.IssueDate, updateDocumentRate, s.Document); err != nil {
		return err
	}
	from, keep := s.Payment, updatePaymentRate
	if s.CreditNote != uuid.Nil {
		from, keep = s.CreditNote, updateDocumentRate
	}
	if f.PaymentRate, err = keepRate(ctx, tx, f.PaymentRate, f.Currency, f.Base, f.PaymentDate, keep, from); err != nil {
		return err
	}
	if f.DocumentRate == nil || f.PaymentRate == nil {
		return addUnrealised(ctx, tx, s)
	}
	gained, err := f.gain(s.Amount)
	if err != nil || gained.IsZero() {
		return err
	}
	memo := fmt.Sprintf("%s %s, issued at %s, settled at %s", money.Amount{Minor: s.Amount, Currency: f.Currency}, f.Currency, f.DocumentRate, f.PaymentRate)
	return postGain(ctx, tx, from, s.Date, f.Number, memo, gained)
}

// keepRate gives a rate that is known already, or looks it up and keeps it; nil where there is none.
func keepRate(ctx context.Context, tx *tenant.Tx, rate *decimal.Decimal, from, to money.Currency, day civil.Date,
	keep func(context.Context, *tenant.Tx, uuid.UUID, decimal.Decimal) error, of uuid.UUID) (*decimal.Decimal, error) {
	if rate != nil {
		return rate, nil
	}
	rate, err := known(ctx, tx, from, to, day)
	if err != nil || rate == nil {
		return nil, err
	}
	return rate, keep(ctx, tx, of, *rate)
}

// KeepPaymentRate gives a payment the rate of its day, where it is in a foreign currency and a rate is known. What of it
// settles a document later does so at that rate.
func KeepPaymentRate(ctx context.Context, tx *tenant.Tx, payment uuid.UUID) error {
	p, err := selectForeignPayment(ctx, tx, payment)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	_, err = keepRate(ctx, tx, p.Rate, p.Currency, p.Base, p.Date, updatePaymentRate, payment)
	return err
}

// RealiseRefund posts what credit that is given back gained or lost while it was there: what it was worth when it came,
// less what it is worth when it goes. Of what was paid a payee in advance and comes back it is the other way round. A rate that is not known is treated as Realise does.
func RealiseRefund(ctx context.Context, tx *tenant.Tx, refund, origin uuid.UUID, minor int64, on civil.Date) error {
	went, err := selectForeignPayment(ctx, tx, refund)
	if errors.Is(err, tenant.ErrNoRows) || err == nil && minor == 0 {
		return nil
	} else if err != nil {
		return err
	}
	came, err := selectForeignPayment(ctx, tx, origin)
	if err != nil {
		return err
	}
	if went.Rate, err = keepRate(ctx, tx, went.Rate, went.Currency, went.Base, went.Date, updatePaymentRate, refund); err != nil {
		return err
	}
	if came.Rate, err = keepRate(ctx, tx, came.Rate, came.Currency, came.Base, came.Date, updatePaymentRate, origin); err != nil {
		return err
	}
	if went.Rate == nil || came.Rate == nil {
		return addUnrealisedRefund(ctx, tx, refund, minor)
	}
	amount := money.Amount{Minor: minor, Currency: went.Currency}
	before, err := Convert(amount, *came.Rate, went.Base)
	if err != nil {
		return err
	}
	after, err := Convert(amount, *went.Rate, went.Base)
	if err != nil {
		return err
	}
	what, memo := "credit given back", fmt.Sprintf("%s %s, received at %s, given back at %s", amount, amount.Currency, came.Rate, went.Rate)
	if went.Bought {
		before, after = after, before
		what, memo = "money back", fmt.Sprintf("%s %s, paid at %s, came back at %s", amount, amount.Currency, came.Rate, went.Rate)
	}
	gained, err := before.Sub(after)
	if err != nil || gained.IsZero() {
		return err
	}
	return postGain(ctx, tx, refund, on, what, memo, gained)
}

// realiseLate tells the gains that could not be told before, where both rates are known now, on the days on which they
// would have been.
func realiseLate(ctx context.Context, tx *tenant.Tx) error {
	late, err := selectUnrealised(ctx, tx)
	if err != nil || len(late) == 0 {
		return err
	}
	currencies, first, last := []money.Currency{late[0].Base}, late[0].PaymentDate, late[0].PaymentDate
	for _, u := range late {
		if !slices.Contains(currencies, u.Currency) {
			currencies = append(currencies, u.Currency)
		}
		for _, day := range []civil.Date{u.PaymentDate, u.IssueDate} {
			if day.Before(first) {
				first = day
			}
			if day.After(last) {
				last = day
			}
		}
	}
	all, err := selectRatesOf(ctx, tx, currencies, first, last)
	if err != nil {
		return err
	}
	for _, u := range late {
		if told, err := u.tellable(all); err != nil {
			return err
		} else if !told {
			continue
		}
		if u.Document == uuid.Nil {
			if err := clearUnrealisedRefund(ctx, tx, u.Payment); err != nil {
				return err
			}
			if err := RealiseRefund(ctx, tx, u.Payment, u.Origin, u.Amount, u.Date); err != nil {
				return err
			}
			continue
		}
		s := Settlement{Payment: u.Payment, CreditNote: u.CreditNote, Document: u.Document, Amount: u.Amount, Date: u.Date}
		if err := clearUnrealised(ctx, tx, s); err != nil {
			return err
		}
		if err := Realise(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}

// tellable says whether both rates are known.
func (u unrealised) tellable(all rates) (bool, error) {
	for _, side := range []struct {
		rate *decimal.Decimal
		day  civil.Date
	}{{u.PaymentRate, u.PaymentDate}, {u.DocumentRate, u.IssueDate}} {
		if side.rate != nil {
			continue
		}
		if _, err := all.quote(u.Currency, u.Base, side.day); errors.Is(err, ErrNoRate) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// gain is what an amount is worth at the payment's rate, less what of the document's worth it settles: the document's
// worth is shared out by what is settled before and after, so that its parts add up to it. A credit note's worth is
// shared out in the same way, whether it is what settles or what is given back.
func (f settled) gain(amount int64) (money.Amount, error) {
	if f.Kind == "credit_note" || f.Kind == "payee_credit" { // given back: the amount is below zero, and what is settled of the note grew by it
		paid, err := f.worth(amount, *f.PaymentRate)
		if err != nil {
			return paid, err
		}
		used, err := f.between(f.Settled+amount, f.Settled, *f.DocumentRate)
		if err != nil {
			return used, err
		}
		gained, err := paid.Add(used)
		if err != nil || !f.Bought {
			return gained, err
		}
		return gained.Neg() // it came back to us
	}
	settled, err := f.between(f.Settled-amount, f.Settled, *f.DocumentRate)
	if err != nil {
		return settled, err
	}
	var paid money.Amount
	if f.OfNote {
		paid, err = f.between(f.Used-amount, f.Used, *f.PaymentRate)
	} else {
		paid, err = f.worth(amount, *f.PaymentRate)
	}
	if err != nil {
		return paid, err
	}
	if f.Bought {
		return settled.Sub(paid)
	}
	return paid.Sub(settled)
}

// between is what the part of a whole from one amount to another is worth.
func (f settled) between(from, to int64, rate decimal.Decimal) (money.Amount, error) {
	before, err := f.worth(from, rate)
	if err != nil {
		return before, err
	}
	after, err := f.worth(to, rate)
	if err != nil {
		return after, err
	}
	return after.Sub(before)
}

func (f settled) worth(minor int64, rate decimal.Decimal) (money.Amount, error) {
	return Convert(money.Amount{Minor: minor, Currency: f.Currency}, rate, f.Base)
}

func postGain(ctx context.Context, tx *tenant.Tx, source uuid.UUID, on civil.Date, what, memo string, gained money.Amount) error {
	a, err := openAccounts(ctx, tx, true)
	if err != nil {
		return err
	}
	against, err := gained.Neg()
	if err != nil {
		return err
	}
	word := "gain"
	if gained.Sign() < 0 {
		word = "loss"
	}
	_, err = ledger.Post(ctx, tx, ledger.Posting{
		Date: on, Description: fmt.Sprintf("Currency %s on %s", word, what), Source: ledger.SourceCurrency, SourceID: source,
		Lines: []ledger.Line{{Account: a.adjustment, Amount: gained, Memo: memo}, {Account: a.gain, Amount: against, Memo: memo}}, Automatic: true,
	})
	return err
}

// Gain is what the settlements of a payment have gained or, below zero, lost so far, in the base currency. Waiting says
// that more is told once a rate is known.
type Gain struct {
	Amount  money.Amount
	Waiting bool
}

// GainOf gives what a payment has gained; nothing in the base currency.
func GainOf(ctx context.Context, tx *tenant.Tx, payment uuid.UUID) (Gain, error) {
	return selectGain(ctx, tx, payment)
}
