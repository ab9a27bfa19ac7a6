package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Statement is one customer's account in one currency over a period: what the account of what customers owe says of
// them, line by line. Closing is Opening and the lines' amounts.
type Statement struct {
	Currency money.Currency
	Opening  money.Amount
	Lines    []StatementLine
	Closing  money.Amount
	Overdue  money.Amount // open on invoices whose due date has passed at the end of the period
}

// StatementLine is one thing that happened. Amount is what the customer owes more by it; below zero it is less.
type StatementLine struct {
	Date        civil.Date
	Source      ledger.SourceKind
	Numbers     string // of the documents that it is about; empty for none
	Description string // of its entry
	Entry       ledger.EntryID
	Number      int64 // of the entry
	Amount      money.Amount
	Balance     money.Amount
}

// ErrStatementTooLong says that a statement has more lines than one can show.
var ErrStatementTooLong = fault.New(fault.Conflict, "statement.too_long", "This statement has more than 5,000 lines. Choose a shorter period.")

// StatementLines is the most lines that a statement has; asking for more fails with ErrStatementTooLong.
const StatementLines = 5000

// StatementOf gives a customer's statement, a part for each currency in which anything was ever owed. Without From it
// begins with the first entry; without To it ends today.
func StatementOf(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, period Period) ([]Statement, error) {
	if err := period.check(); err != nil {
		return nil, err
	}
	if period.To.IsZero() {
		today, err := ledger.Today(ctx, tx)
		if err != nil {
			return nil, err
		}
		period.To = today
	}
	rows, err := selectStatement(ctx, tx, customer, period)
	if err != nil {
		return nil, err
	}
	if len(rows) > StatementLines {
		return nil, ErrStatementTooLong
	}
	balances, err := selectCustomerBalances(ctx, tx, period.To)
	if err != nil {
		return nil, err
	}
	var parts []Statement
	for _, r := range rows {
		if len(parts) == 0 || parts[len(parts)-1].Currency != r.Currency {
			opening := money.Amount{Minor: r.Opening, Currency: r.Currency}
			parts = append(parts, Statement{Currency: r.Currency, Opening: opening, Closing: opening, Overdue: overdueOf(balances, customer, r.Currency)})
		}
		part := &parts[len(parts)-1]
		if r.Minor == 0 {
			continue // nothing in the period
		}
		line := StatementLine{Date: r.Date, Source: r.Source, Numbers: r.Numbers, Description: r.Description, Entry: r.Entry, Number: r.Number,
			Amount: money.Amount{Minor: r.Minor, Currency: r.Currency}}
		if part.Closing, err = add(part.Closing, line.Amount); err != nil {
			return nil, err
		}
		line.Balance = part.Closing
		part.Lines = append(part.Lines, line)
	}
	return parts, nil
}

func overdueOf(balances []CustomerBalance, customer uuid.UUID, currency money.Currency) money.Amount {
	for _, b := range balances {
		if b.Customer == customer && b.Currency == currency {
			return b.Overdue
		}
	}
	return money.Amount{Currency: currency}
}
