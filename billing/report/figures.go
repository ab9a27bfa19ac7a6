package report

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// shownMonths is how many months of income and expenses the overview has.
const shownMonths = 12

// OwedFigure is what customers owe in one currency.
type OwedFigure struct {
	Total           money.Amount // by the ledger
	Overdue         money.Amount // the open part of invoices whose due date has passed
	Invoices        int          // how many are open
	OverdueInvoices int
}

// Month is what came in and went out in a calendar month, in the base currency.
type Month struct {
	First            civil.Date
	Income, Expenses money.Amount
}

// Figures is what the overview shows, as of today. Owed and Cash have one amount for each currency, the base currency
// first and always; Owing has those in which anything is owed; Months are the last twelve, this one last.
type Figures struct {
	Owed   []OwedFigure
	Owing  []OwedFigure   // what payees are owed; its Invoices are bills
	Cash   []money.Amount // on the bank account and the asset accounts whose codes begin with its first two characters
	Months []Month
}

// FiguresOf gives the figures of the overview. It fails with ErrSumTooLarge.
func FiguresOf(ctx context.Context, tx *tenant.Tx) (Figures, error) {
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return Figures{}, err
	}
	base, err := selectBaseCurrency(ctx, tx)
	if err != nil {
		return Figures{}, err
	}
	var f Figures
	if f.Owed, err = selectOwed(ctx, tx, today, base); err != nil {
		return Figures{}, err
	}
	if f.Owing, err = selectOwing(ctx, tx, today, base); err != nil {
		return Figures{}, err
	}
	if f.Cash, err = selectCash(ctx, tx, today, base); err != nil {
		return Figures{}, err
	}
	first := civil.On(today.Year(), today.Month()-(shownMonths-1), 1)
	found, err := selectMonths(ctx, tx, first, today, base)
	if err != nil {
		return Figures{}, err
	}
	f.Months = make([]Month, shownMonths)
	for i := range f.Months {
		day := civil.On(first.Year(), first.Month()+time.Month(i), 1)
		zero := money.Amount{Currency: base}
		f.Months[i] = Month{First: day, Income: zero, Expenses: zero}
		if m, ok := found[day]; ok {
			f.Months[i] = m
		}
	}
	return f, nil
}
