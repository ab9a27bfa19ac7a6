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

// keepLate gives documents that were issued when no rate was known the rate of their day, where there is one now.
func keepLate(ctx context.Context, tx *tenant.Tx) error {
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

// Settlement is an amount of a payment that settles a document or, below zero, no longer does. It has been kept already:
// what is settled of the document counts it.
type Settlement struct {
	Payment  uuid.UUID
	Document uuid.UUID
	Amount   int64 // in minor units of the document's currency
	Date     civil.Date
}

// Realise posts what a settlement gains or loses: the amount at the payment's rate, less what it was worth at the
// document's. Over all settlements of a document this is exactly what its payments were worth less what the document
// was. It keeps the payment's rate. In the base currency, and where no rate is known, there is nothing to post.
func Realise(ctx context.Context, tx *tenant.Tx, s Settlement) error {
	f, err := selectSettled(ctx, tx, s)
	if errors.Is(err, tenant.ErrNoRows) || err == nil && s.Amount == 0 {
		return nil
	} else if err != nil {
		return err
	}
	if f.DocumentRate == nil {
		if f.DocumentRate, err = known(ctx, tx, f.Currency, f.Base, f.IssueDate); err != nil {
			return err
		}
		if f.DocumentRate != nil {
			if err := updateDocumentRate(ctx, tx, s.Document, *f.DocumentRate); err != nil {
				return err
			}
		}
	}
	if f.PaymentRate == nil {
		if f.PaymentRate, err = known(ctx, tx, f.Currency, f.Base, f.PaymentDate); err != nil {
			return err
		}
		if f.PaymentRate != nil {
			if err := updatePaymentRate(ctx, tx, s.Payment, *f.PaymentRate); err != nil {
				return err
			}
		}
	}
	if f.DocumentRate == nil || f.PaymentRate == nil {
		return nil
	}
	gained, err := f.gain(s.Amount)
	if err != nil || gained.IsZero() {
		return err
	}
	return postGain(ctx, tx, s, f, gained)
}

// gain is what an amount is worth at the payment's rate, less what of the document's worth it settles: the document's
// worth is shared out by what is settled before and after, so that its parts add up to it.
func (f settled) gain(amount int64) (money.Amount, error) {
	paid, err := f.worth(amount, *f.PaymentRate)
	if err != nil {
		return paid, err
	}
	after, err := f.worth(f.Settled, *f.DocumentRate)
	if err != nil {
		return after, err
	}
	before, err := f.worth(f.Settled-amount, *f.DocumentRate)
	if err != nil {
		return before, err
	}
	settled, err := after.Sub(before)
	if err != nil {
		return settled, err
	}
	return paid.Sub(settled)
}

func (f settled) worth(minor int64, rate decimal.Decimal) (money.Amount, error) {
	return Convert(money.Amount{Minor: minor, Currency: f.Currency}, rate, f.Base)
}

func postGain(ctx context.Context, tx *tenant.Tx, s Settlement, f settled, gained money.Amount) error {
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
	memo := fmt.Sprintf("%s %s, issued at %s, settled at %s", money.Amount{Minor: s.Amount, Currency: f.Currency}, f.Currency, f.DocumentRate, f.PaymentRate)
	_, err = ledger.Post(ctx, tx, ledger.Posting{
		Date: s.Date, Description: fmt.Sprintf("Currency %s on %s", word, f.Number), Source: ledger.SourceCurrency, SourceID: s.Payment,
		Lines: []ledger.Line{{Account: a.adjustment, Amount: gained, Memo: memo}, {Account: a.gain, Amount: against, Memo: memo}}, Automatic: true,
	})
	return err
}
