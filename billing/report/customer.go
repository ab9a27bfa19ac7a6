package report

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// CustomerBalance is what one customer owes in one currency. Customer is zero for what was posted by hand to the account
// of what customers owe without saying whom it is about, so that the list always adds up to that account.
type CustomerBalance struct {
	Customer uuid.UUID
	Name     string
	Currency money.Currency
	Owed     money.Amount // by the ledger; negative when the customer has something coming
	Overdue  money.Amount // the open part of invoices whose due date has passed
	Invoices int          // how many invoices are open
}

// CustomerBalances gives all that are not zero at the end of a day, by name and currency; without a day at the end of
// today. It fails with ErrSumTooLarge.
func CustomerBalances(ctx context.Context, tx *tenant.Tx, asOf civil.Date) ([]CustomerBalance, error) {
	if asOf.IsZero() {
		var err error
		if asOf, err = ledger.Today(ctx, tx); err != nil {
			return nil, err
		}
	}
	return selectCustomerBalances(ctx, tx, asOf)
}
