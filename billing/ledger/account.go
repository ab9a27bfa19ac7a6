package ledger

import (
	"context"
	"regexp"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about accounts.
var (
	ErrAccountNotFound  = fault.New(fault.NotFound, "account.not_found", "There is no such account.")
	ErrAccountChanged   = fault.New(fault.Conflict, "account.changed", "Someone else changed this account in the meantime. Look at it again, then repeat your change.")
	ErrAccountCodeTaken = fault.New(fault.Conflict, "account.code_taken", "Another account has this code.").At("code")
	ErrAccountCode      = fault.New(fault.Invalid, "account.code_malformed", "Use letters, digits, points and hyphens for the code, such as 4100, and begin it with a letter or digit.")
	ErrAccountKind      = fault.New(fault.Invalid, "account.kind_unknown", "An account is asset, liability, equity, income or expense.")
	ErrAccountNeeded    = fault.New(fault.Conflict, "account.needed", "The books post to this account by themselves. It cannot be archived.")
	ErrAccountNotEmpty  = fault.New(fault.Conflict, "account.not_empty", "This account has a balance. Move it to another account first.")
)

// Kind is what an account tells of: what one has, owes, put in, earns or spends.
type Kind string

// The five kinds.
const (
	KindAsset     Kind = "asset"
	KindLiability Kind = "liability"
	KindEquity    Kind = "equity"
	KindIncome    Kind = "income"
	KindExpense   Kind = "expense"
)

// Kinds gives all kinds in the order in which books list them.
func Kinds() []Kind {
	return []Kind{KindAsset, KindLiability, KindEquity, KindIncome, KindExpense}
}

// What the books themselves post to an account for. Each has one account at most.
const (
	Receivable = "receivable" // what customers owe
	Bank       = "bank"       // where payments arrive unless another account is named
	Income     = "income"     // what is sold, unless the product names another account
	Tax        = "tax"        // taxes charged, unless the rate names another account
	Equity     = "equity"     // what the owners put in
)

// AccountID names an account.
type AccountID = id.Of[Account]

// Account is one place in the books that amounts are posted to.
type Account struct {
	ID       AccountID `db:"id"`
	Code     string    `db:"code"`
	Name     string    `db:"name"`
	Kind     Kind      `db:"kind"`
	Purpose  string    `db:"purpose"` // what the books post to it for; empty for most
	Archived bool      `db:"archived"`
	Version  int       `db:"version"`
}

// AccountInput is what a new account is made of.
type AccountInput struct {
	Code, Name string
	Kind       Kind
}

// Programs for plain-text accounting read codes too, so they have a plain shape.
var codeShape = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]*$`)

const (
	codeLength        = 20
	accountNameLength = 120
)

func (in AccountInput) check() (AccountInput, error) {
	var faults fault.List
	var err error
	in.Code, err = text.Required("code", in.Code, codeLength)
	if err == nil && !codeShape.MatchString(in.Code) {
		err = ErrAccountCode
	}
	if !faults.Add("code", err) {
		return in, err
	}
	if in.Name, err = text.Required("name", in.Name, accountNameLength); !faults.Add("name", err) {
		return in, err
	}
	switch in.Kind {
	case KindAsset, KindLiability, KindEquity, KindIncome, KindExpense:
	default:
		faults = append(faults, ErrAccountKind.At("kind"))
	}
	return in, faults.Err()
}

// AddAccount adds an account to the chart. It fails with what is wrong with the input, or ErrAccountCodeTaken.
func AddAccount(ctx context.Context, tx *tenant.Tx, in AccountInput) (Account, error) {
	in, err := in.check()
	if err != nil {
		return Account{}, err
	}
	a, err := insertAccount(ctx, tx, id.New[Account](), in)
	if err != nil {
		return Account{}, err
	}
	return a, recordAccount(ctx, tx, "account.add", a)
}

// RenameAccount gives an account another name; code and kind stay, since entries rest on them. version is the one that
// the change was made on; 0 is any. It fails with what is wrong with the name, ErrAccountNotFound or ErrAccountChanged.
func RenameAccount(ctx context.Context, tx *tenant.Tx, account AccountID, version int, name string) (Account, error) {
	name, err := text.Required("name", name, accountNameLength)
	if err != nil {
		return Account{}, err
	}
	a, err := updateAccountName(ctx, tx, account, version, name)
	if err != nil {
		return Account{}, err
	}
	return a, recordAccount(ctx, tx, "account.rename", a)
}

// ArchiveAccount takes an account out of use: nothing more is posted to it, and what was stays. Archiving twice is fine.
// It fails with ErrAccountNotFound, ErrAccountChanged, ErrAccountNeeded for one that the books themselves post to, and
// ErrAccountNotEmpty for one with a balance in any currency.
func ArchiveAccount(ctx context.Context, tx *tenant.Tx, account AccountID, version int) (Account, error) {
	a, err := selectAccount(ctx, tx, account)
	if err != nil {
		return Account{}, err
	}
	if a.Purpose != "" {
		return Account{}, ErrAccountNeeded
	}
	// No posting may be under way while the balance is looked at.
	if err := lockJournal(ctx, tx); err != nil {
		return Account{}, err
	}
	empty, err := selectAccountEmpty(ctx, tx, account)
	if err != nil {
		return Account{}, err
	}
	if !empty {
		return Account{}, ErrAccountNotEmpty
	}
	if a, err = updateAccountArchived(ctx, tx, account, version, true); err != nil {
		return Account{}, err
	}
	return a, recordAccount(ctx, tx, "account.archive", a)
}

// RestoreAccount puts an archived account back into use. It fails with ErrAccountNotFound or ErrAccountChanged.
func RestoreAccount(ctx context.Context, tx *tenant.Tx, account AccountID, version int) (Account, error) {
	a, err := updateAccountArchived(ctx, tx, account, version, false)
	if err != nil {
		return Account{}, err
	}
	return a, recordAccount(ctx, tx, "account.restore", a)
}

func recordAccount(ctx context.Context, tx *tenant.Tx, action string, a Account) error {
	return tx.Record(ctx, tenant.Act{Action: action, Object: "account", ID: a.ID.UUID, Detail: a.Code + ", " + string(a.Kind)})
}

// Accounts gives the whole chart by code, the archived accounts too.
func Accounts(ctx context.Context, tx *tenant.Tx) ([]Account, error) {
	return selectAccounts(ctx, tx)
}

// AccountByID gives one account, archived or not; ErrAccountNotFound.
func AccountByID(ctx context.Context, tx *tenant.Tx, account AccountID) (Account, error) {
	return selectAccount(ctx, tx, account)
}

// AccountFor gives the account that the books themselves post to for a purpose: Receivable, Bank, Income, Tax, Equity.
// That it is missing is an internal error, since OpenChart made it and it cannot be archived.
func AccountFor(ctx context.Context, tx *tenant.Tx, purpose string) (Account, error) {
	return selectAccountFor(ctx, tx, purpose)
}
