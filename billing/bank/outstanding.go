package bank

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// Outstanding explains on the evening of a day what lies between the books and the bank:
//
//	Book + Opening − Entries + Lines = Bank
//
// Opening is by how much the bank's balance before its first line is more than what the books had then.
type Outstanding struct {
	Account Account
	Date    civil.Date
	Book    money.Amount
	Opening money.Amount
	Entries []OutstandingEntry // booked, and not at the bank yet
	Lines   []Line             // at the bank, and not booked yet
	Booked  money.Amount       // what Entries come to
	Unseen  money.Amount       // what Lines come to
	Bank    money.Amount
}

// OutstandingEntry is an entry that no line belongs to.
type OutstandingEntry struct {
	ID     ledger.EntryID `db:"id"`
	Number int64          `db:"number"`
	Date   civil.Date     `db:"date"`
	Say    string         `db:"description"`
	Minor  int64          `db:"amount"`
	Amount money.Amount   `db:"-"`
}

// OutstandingOn explains the difference between an account's books and its bank on the evening of a day; a zero day is
// today. An entry and the one that undoes it, both outstanding, are left out: together they are nothing. It fails with
// ErrAccountNotFound.
func OutstandingOn(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, day civil.Date) (Outstanding, error) {
	o := Outstanding{Date: day}
	var err error
	if o.Account, err = selectAccount(ctx, tx, account); err != nil {
		return o, err
	}
	if day.IsZero() {
		if o.Date, err = ledger.Today(ctx, tx); err != nil {
			return o, err
		}
	}
	sums, err := selectBalances(ctx, tx, o.Account, o.Date)
	if err != nil {
		return o, err
	}
	c := o.Account.Currency
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: c} }
	o.Book, o.Opening, o.Bank = amount(sums.Book), amount(o.Account.Opening.Minor-sums.Before), amount(o.Account.Opening.Minor+sums.Lines)
	if o.Entries, err = selectOutstandingEntries(ctx, tx, o.Account, o.Date); err != nil {
		return o, err
	}
	o.Booked, o.Unseen = amount(0), amount(0)
	for i := range o.Entries {
		o.Entries[i].Amount = amount(o.Entries[i].Minor)
		if o.Booked, err = o.Booked.Add(o.Entries[i].Amount); err != nil {
			return o, err
		}
	}
	if o.Lines, err = selectOutstandingLines(ctx, tx, account, o.Date); err != nil {
		return o, err
	}
	for _, l := range o.Lines {
		if o.Unseen, err = o.Unseen.Add(l.Amount); err != nil {
			return o, err
		}
	}
	return o, nil
}
