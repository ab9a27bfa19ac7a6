package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrBasisUnknown refuses a basis that there is not.
var ErrBasisUnknown = fault.New(fault.Invalid, "report.basis_unknown", "Ask for accrual or cash.").At("basis")

// Basis is when a tax counts: on the day of its document, or as the document is paid.
type Basis string

// The bases. Accrual counts a document on the day that it is posted: its issue date, or the first open day if that was
// in a closed period, so that a period that is closed stays as it was reported. Cash counts the part of a document's
// taxes that is in each payment, by the payment's day; the parts add up to the whole.
const (
	Accrual Basis = "accrual"
	Cash    Basis = "cash"
)

// TaxRow is what one rate comes to over a period in one currency: invoices less credit notes or, for Input, the
// recoverable taxes of bills less payees' credits, which are taken off what is to be remitted.
type TaxRow struct {
	Rate      tax.RateID
	Code      string
	Name      string
	Kind      tax.Kind
	Percent   decimal.Decimal
	Base      money.Amount
	Tax       money.Amount
	Documents int
	Input     bool
}

// TaxSum is the sum of a currency's rows. Posted is what the accounts for taxes moved in the period, where credits are
// positive, and Other what of it comes from no document; both are nothing on a cash basis.
type TaxSum struct {
	Tax    money.Amount // to remit: charged less recovered
	Posted money.Amount
	Other  money.Amount
}

// TaxReport is the taxes of a period. Remit is all of them in the base currency, those of foreign documents at the rates of
// the documents; Unrated are those without a rate, which are not in it.
type TaxReport struct {
	Basis   Basis
	Rows    []TaxRow // by code, percent and currency
	Sums    []TaxSum // one for each currency
	Remit   money.Amount
	Unrated int
}

// Foreign says whether any of the taxes are in another currency than the base.
func (r TaxReport) Foreign() bool {
	return slices.ContainsFunc(r.Sums, func(s TaxSum) bool { return s.Tax.Currency != r.Remit.Currency })
}

// TaxesOf gives the taxes of a period to remit. It fails with ledger.ErrDatesReversed, ErrBasisUnknown and ErrSumTooLarge.
func TaxesOf(ctx context.Context, tx *tenant.Tx, basis Basis, period Period) (TaxReport, error) {
	r := TaxReport{Basis: basis, Rows: []TaxRow{}, Sums: []TaxSum{}}
	if err := period.check(); err != nil {
		return r, err
	}
	if basis != Accrual && basis != Cash {
		return r, ErrBasisUnknown
	}
	if err := tenant.PlanPlainly(ctx, tx); err != nil {
		return r, err
	}
	sums, err := selectTaxes(ctx, tx, basis, period)
	if err != nil {
		return r, err
	}
	rated := map[rateOf]money.Amount{}
	for _, s := range sums {
		if err := r.take(s, rated); err != nil {
			return r, err
		}
	}
	if err := r.convert(ctx, tx, period, rated); err != nil {
		return r, err
	}
	if basis == Cash {
		return r, nil
	}
	posted, err := selectTaxPosted(ctx, tx, period)
	if err != nil {
		return r, err
	}
	for _, p := range posted {
		s := r.sum(p.Currency)
		s.Posted = p
		if s.Other, err = sub(p, s.Tax); err != nil {
			return r, err
		}
	}
	return r, nil
}

// rateOf is a currency, and a rate into the base currency as text; none known is empty.
type rateOf struct {
	currency money.Currency
	rate     string
}

// take adds a sum to its row, to what its currency comes to, and to what converts as it does.
func (r *TaxReport) take(s taxSum, rated map[rateOf]money.Amount) (err error) {
	last := len(r.Rows) - 1
	if last >= 0 && r.Rows[last].is(s.TaxRow) {
		row := &r.Rows[last]
		row.Documents += s.Documents
		if row.Base, err = add(row.Base, s.Base); err != nil {
			return err
		}
		if row.Tax, err = add(row.Tax, s.Tax); err != nil {
			return err
		}
	} else {
		r.Rows = append(r.Rows, s.TaxRow)
	}
	owed := s.Tax
	if s.Input {
		if owed, err = owed.Neg(); err != nil {
			return err
		}
	}
	of := rateOf{currency: owed.Currency}
	if s.BaseRate != nil {
		of.rate = s.BaseRate.String()
	}
	before, ok := rated[of]
	if !ok {
		before = money.Amount{Currency: owed.Currency}
	}
	if rated[of], err = add(before, owed); err != nil {
		return err
	}
	return r.count(owed)
}

// is says whether two rows are of one tax.
func (row TaxRow) is(other TaxRow) bool {
	return row.Rate == other.Rate && row.Percent.Equal(other.Percent) && row.Input == other.Input && row.Tax.Currency == other.Tax.Currency
}

// convert works out what is to be remitted in the base currency: the taxes at one rate are rounded together.
func (r *TaxReport) convert(ctx context.Context, tx *tenant.Tx, period Period, rated map[rateOf]money.Amount) error {
	base, err := selectBaseCurrency(ctx, tx)
	if err != nil {
		return err
	}
	r.Remit.Currency = base
	unrated := false
	for of, a := range rated {
		if a.Currency != base {
			if of.rate == "" {
				unrated = true
				continue
			}
			rate, err := decimal.NewFromString(of.rate)
			if err != nil {
				return fmt.Errorf("reading a rate: %w", err)
			}
			if a, err = money.FromDecimal(a.Decimal().Mul(rate), base); err != nil {
				return summing(err)
			}
		}
		if r.Remit, err = add(r.Remit, a); err != nil {
			return err
		}
	}
	if unrated {
		r.Unrated, err = countTaxUnrated(ctx, tx, r.Basis, period, base)
	}
	return err
}

func (r *TaxReport) count(a money.Amount) error {
	s := r.sum(a.Currency)
	var err error
	if s.Tax, err = add(s.Tax, a); err != nil {
		return err
	}
	s.Other, err = sub(s.Posted, s.Tax)
	if r.Basis == Cash {
		s.Other = money.Amount{Currency: a.Currency}
	}
	return err
}

// sum is that of a currency, begun when there is none.
func (r *TaxReport) sum(c money.Currency) *TaxSum {
	i := slices.IndexFunc(r.Sums, func(s TaxSum) bool { return s.Tax.Currency == c })
	if i < 0 {
		none := money.Amount{Currency: c}
		r.Sums, i = append(r.Sums, TaxSum{none, none, none}), len(r.Sums)
	}
	return &r.Sums[i]
}

// TaxFilter narrows documents to those with a rate, at one percent.
type TaxFilter struct {
	Rate    tax.RateID
	Percent decimal.Decimal
	Input   bool // of what is bought
}

// TaxDocument is what one document has to do with a row of the report. On a cash basis Date is that of the last payment
// in the period, and there is no entry.
type TaxDocument struct {
	ID          uuid.UUID
	Kind        string // "invoice", "credit_note", "bill", "payee_credit"
	Number      string
	Customer    string
	Date        civil.Date
	Base        money.Amount
	Tax         money.Amount
	Entry       ledger.EntryID
	EntryNumber int64
}

// TaxDocuments gives the documents behind a row of the report by date, at most MaxLines; their figures add up to the row's.
// It fails as TaxesOf does.
func TaxDocuments(ctx context.Context, tx *tenant.Tx, basis Basis, period Period, filter TaxFilter) ([]TaxDocument, error) {
	if err := period.check(); err != nil {
		return nil, err
	}
	if basis != Accrual && basis != Cash {
		return nil, ErrBasisUnknown
	}
	return selectTaxDocuments(ctx, tx, basis, period, filter)
}
