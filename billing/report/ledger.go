package report

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// MaxLines is how many lines of one account and currency GeneralLedger gives at most.
const MaxLines = 2000

// LedgerAccount is one account in one currency over a period. Closing is Opening + Debit - Credit.
type LedgerAccount struct {
	ID            ledger.AccountID
	Code, Name    string
	Kind          ledger.Kind
	Currency      money.Currency
	Opening       money.Amount // before the first day; a debit balance is positive
	Debit, Credit money.Amount // what was posted in the period, both without sign
	Closing       money.Amount
	Lines         []LedgerLine // the first MaxLines by date and number
	Truncated     bool         // there are more lines than Lines holds; the sums count them all
}

// LedgerLine is one line of an entry as its account sees it.
type LedgerLine struct {
	Entry       ledger.EntryID
	Number      int64
	Date        civil.Date
	Description string
	Memo        string
	Party       string       // the name of the customer or payee; empty for none
	Amount      money.Amount // a debit is positive, a credit negative
	Balance     money.Amount // of the account after this line
}

// GeneralLedger gives the accounts by code and then by currency: without an account all that have a balance or were
// posted to in the period, without their lines; or one account with its lines, in its base currency with nothing in it
// when it was never posted to. It fails with ledger.ErrDatesReversed, ledger.ErrAccountNotFound and ErrSumTooLarge.
func GeneralLedger(ctx context.Context, tx *tenant.Tx, period Period, account ledger.AccountID) ([]LedgerAccount, error) {
	if err := period.check(); err != nil {
		return nil, err
	}
	if account.IsZero() {
		return selectSums(ctx, tx, period)
	}
	rows, err := selectAccountLines(ctx, tx, period, account)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ledger.ErrAccountNotFound
	}
	accounts := []LedgerAccount{}
	for _, r := range rows {
		if len(accounts) == 0 || accounts[len(accounts)-1].Currency != r.Currency {
			a, err := r.account()
			if err != nil {
				return nil, err
			}
			a.Truncated = r.Count > MaxLines
			accounts = append(accounts, a)
		}
		if !r.hasLine() {
			continue
		}
		a := &accounts[len(accounts)-1]
		before := a.Opening
		if n := len(a.Lines); n > 0 {
			before = a.Lines[n-1].Balance
		}
		line, err := r.line(before)
		if err != nil {
			return nil, err
		}
		a.Lines = append(a.Lines, line)
	}
	return accounts, nil
}

// EachLedgerLine calls fn for every line of the period, by account code, currency, date and number, as they come from
// the database, so that a long ledger needs no memory. The account that fn is given has its sums and no lines. fn must
// use no transaction; its error ends the walk. Otherwise it fails as GeneralLedger does.
func EachLedgerLine(ctx context.Context, tx *tenant.Tx, period Period, fn func(account LedgerAccount, line LedgerLine) error) error {
	return walkLedger(ctx, tx, period, func(LedgerAccount) error { return nil }, fn)
}

// walkLedger also calls begin before the lines of each account, and for accounts that have an opening balance alone.
func walkLedger(ctx context.Context, tx *tenant.Tx, period Period, begin func(LedgerAccount) error,
	each func(LedgerAccount, LedgerLine) error) error {
	if err := period.check(); err != nil {
		return err
	}
	var account LedgerAccount
	var balance money.Amount
	return eachLine(ctx, tx, period, func(r lineRow) error {
		if account.ID != r.Account || account.Currency != r.Currency {
			var err error
			if account, err = r.account(); err != nil {
				return err
			}
			if err := begin(account); err != nil {
				return err
			}
			balance = account.Opening
		}
		if !r.hasLine() {
			return nil
		}
		line, err := r.line(balance)
		if err != nil {
			return err
		}
		balance = line.Balance
		return each(account, line)
	})
}
