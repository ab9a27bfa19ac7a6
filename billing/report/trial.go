package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// TrialBalanceRow is one account in one currency. Closing is Opening + Debit - Credit.
type TrialBalanceRow struct {
	Account                         ledger.AccountID
	Code, Name                      string
	Kind                            ledger.Kind
	Currency                        money.Currency
	Opening, Debit, Credit, Closing money.Amount
}

// TrialBalanceTotal adds up the rows of one currency. In books that are right Opening and Closing are zero, Debit equals
// Credit, and ClosingDebit (the sum of debit balances) equals ClosingCredit (the sum of credit balances, without sign).
type TrialBalanceTotal struct {
	Currency                        money.Currency
	Opening, Debit, Credit, Closing money.Amount
	ClosingDebit, ClosingCredit     money.Amount
}

// TrialBalance is what every account came to over a period: rows by code and currency, totals by currency.
type TrialBalance struct {
	Period Period
	Rows   []TrialBalanceRow
	Totals []TrialBalanceTotal
}

// TrialBalanceOf gives all accounts that have a balance or were posted to in the period. It fails with
// ledger.ErrDatesReversed and ErrSumTooLarge.
func TrialBalanceOf(ctx context.Context, tx *tenant.Tx, period Period) (TrialBalance, error) {
	if err := period.check(); err != nil {
		return TrialBalance{}, err
	}
	accounts, err := selectSums(ctx, tx, period)
	if err != nil {
		return TrialBalance{}, err
	}
	b := TrialBalance{Period: period, Rows: make([]TrialBalanceRow, len(accounts)), Totals: []TrialBalanceTotal{}}
	for i, a := range accounts {
		b.Rows[i] = TrialBalanceRow{
			Account: a.ID, Code: a.Code, Name: a.Name, Kind: a.Kind, Currency: a.Currency,
			Opening: a.Opening, Debit: a.Debit, Credit: a.Credit, Closing: a.Closing,
		}
		if err := b.total(a.Currency).add(b.Rows[i]); err != nil {
			return TrialBalance{}, err
		}
	}
	slices.SortFunc(b.Totals, func(x, y TrialBalanceTotal) int { return cmp.Compare(x.Currency.Code(), y.Currency.Code()) })
	return b, nil
}

// total finds the total of a currency, or begins one.
func (b *TrialBalance) total(c money.Currency) *TrialBalanceTotal {
	i := slices.IndexFunc(b.Totals, func(t TrialBalanceTotal) bool { return t.Currency == c })
	if i < 0 {
		zero := money.Amount{Currency: c}
		i = len(b.Totals)
		b.Totals = append(b.Totals, TrialBalanceTotal{c, zero, zero, zero, zero, zero, zero})
	}
	return &b.Totals[i]
}

func (t *TrialBalanceTotal) add(r TrialBalanceRow) (err error) {
	for _, column := range []struct {
		sum *money.Amount
		by  money.Amount
	}{{&t.Opening, r.Opening}, {&t.Debit, r.Debit}, {&t.Credit, r.Credit}, {&t.Closing, r.Closing}} {
		if *column.sum, err = add(*column.sum, column.by); err != nil {
			return err
		}
	}
	if r.Closing.Sign() < 0 {
		t.ClosingCredit, err = sub(t.ClosingCredit, r.Closing)
	} else {
		t.ClosingDebit, err = add(t.ClosingDebit, r.Closing)
	}
	return err
}
