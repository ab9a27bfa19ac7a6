package bank

import (
	"context"
	"strings"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about bank accounts.
var (
	ErrAccountNotFound = fault.New(fault.NotFound, "bank_account.not_found", "There is no such bank account.")
	ErrAccountChanged  = fault.New(fault.Conflict, "bank_account.changed", "Someone else changed this account in the meantime. Look at it again, then repeat your change.")
	ErrAccountKind     = fault.New(fault.Invalid, "bank_account.kind", "Choose an account of assets that is in use, and that the books need for nothing else.").At("account_id")
	ErrAccountTaken    = fault.New(fault.Conflict, "bank_account.taken", "This account is a bank account already.").At("account_id")
	ErrLastFour        = fault.New(fault.Invalid, "bank_account.last_four", "Give the last four letters or digits of the account's number, or nothing.").At("last_four")
	ErrOpeningFixed    = fault.New(fault.Conflict, "bank_account.opening_fixed", "A statement was finished on this balance. Reopen it first.").At("opening")
)

const bankNameLength = 80

// Account is a ledger account that is one at a bank, with what both say of it.
type Account struct {
	ID       ledger.AccountID
	Code     string
	Name     string
	Archived bool
	Currency money.Currency
	BankName string
	LastFour string // of its number; empty where nobody said
	Since    civil.Date
	Opening  money.Amount // at the bank before Since
	Stated   *Balance     // the newest balance that a file told of
	Book     money.Amount // in the books now
	Bank     money.Amount // Opening and all lines
	AtStated money.Amount // Opening and the lines up to the day of Stated
	Lines    int
	ToLookAt int // lines that are not matched
	// Reconciled is the last day of the newest finished statement; none before the first.
	Reconciled civil.Date
	Mapping    *Mapping // how its CSV files are read; nil until one was
	Version    int
}

// Gap is by how much the lines differ from what the bank's newest file said: lines are missing, or the opening balance is
// wrong. It is nothing where no file told of a balance.
func (a Account) Gap() (money.Amount, error) {
	if a.Stated == nil {
		return money.Amount{Currency: a.Currency}, nil
	}
	return a.Stated.Amount.Sub(a.AtStated)
}

// Details are what people write about a bank account.
type Details struct {
	BankName string
	LastFour string
	Opening  *money.Amount // nil leaves it
}

func (d Details) check(c money.Currency) (Details, error) {
	var faults fault.List
	var err error
	if d.BankName, err = text.Line("bank_name", d.BankName, bankNameLength); !faults.Add("bank_name", err) {
		return d, err
	}
	d.LastFour = strings.ToUpper(strings.TrimSpace(d.LastFour))
	if d.LastFour != "" && (len(d.LastFour) != 4 || strings.Trim(d.LastFour, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		faults = append(faults, ErrLastFour)
	}
	if d.Opening != nil {
		switch {
		case d.Opening.Currency != c:
			faults = append(faults, ErrOtherMoney.Sayf("Give the balance in %s.", c).At("opening"))
		default:
			if err := d.Opening.CheckSize(); !faults.Add("opening", err) {
				return d, err
			}
		}
	}
	return d, faults.Err()
}

// OpenAccount says that an account of the books is one at a bank, in a currency. It fails with ErrAccountKind,
// ErrAccountTaken and what is wrong with the details.
func OpenAccount(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, currency money.Currency, d Details) (Account, error) {
	if currency.IsZero() {
		return Account{}, money.ErrUnknownCurrency.At("currency")
	}
	d, err := d.check(currency)
	if err != nil {
		return Account{}, err
	}
	if err := updateOpened(ctx, tx, account, currency, d); err != nil {
		return Account{}, err
	}
	a, err := selectAccount(ctx, tx, account)
	if err != nil {
		return a, err
	}
	return a, recordAccount(ctx, tx, "bank.open", a)
}

// ChangeAccount changes the details. The opening balance stays while a finished statement rests on it. version is the one that
// the change was made on; 0 is any. It fails with ErrAccountNotFound, ErrAccountChanged, ErrOpeningFixed and what is wrong with
// the details.
func ChangeAccount(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, version int, d Details) (Account, error) {
	a, err := lockAccount(ctx, tx, account)
	if err != nil {
		return a, err
	}
	if version != 0 && version != a.Version {
		return a, ErrAccountChanged
	}
	if d, err = d.check(a.Currency); err != nil {
		return a, err
	}
	if d.Opening != nil && *d.Opening != a.Opening {
		begun, err := selectBegun(ctx, tx, account)
		if err != nil {
			return a, err
		}
		if begun {
			return a, ErrOpeningFixed
		}
		a.Opening = *d.Opening
	}
	a.BankName, a.LastFour = d.BankName, d.LastFour
	if err := updateDetails(ctx, tx, a); err != nil {
		return a, err
	}
	if a, err = selectAccount(ctx, tx, account); err != nil {
		return a, err
	}
	return a, recordAccount(ctx, tx, "bank.change", a)
}

func recordAccount(ctx context.Context, tx *tenant.Tx, action string, a Account) error {
	return tx.Record(ctx, tenant.Act{Action: action, Object: "bank", ID: a.ID.UUID, Detail: a.Code + ", " + a.Currency.Code()})
}

// Accounts gives all bank accounts by code.
func Accounts(ctx context.Context, tx *tenant.Tx) ([]Account, error) { return selectAccounts(ctx, tx) }

// AccountByID gives one bank account; ErrAccountNotFound.
func AccountByID(ctx context.Context, tx *tenant.Tx, account ledger.AccountID) (Account, error) {
	return selectAccount(ctx, tx, account)
}
