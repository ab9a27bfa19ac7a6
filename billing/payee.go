package billing

import (
	"context"
	"strconv"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about payees.
var (
	ErrPayeeNotFound  = fault.New(fault.NotFound, "payee.not_found", "There is no such payee.")
	ErrPayeeChanged   = fault.New(fault.Conflict, "payee.changed", "Someone else changed this payee in the meantime. Look at it again, then repeat your change.")
	ErrPayeeArchived  = fault.New(fault.Conflict, "payee.archived", "This payee is archived. Restore it first.")
	ErrPayeeUnknown   = fault.New(fault.Invalid, "payee.unknown", "Choose one of your payees.").At("payee_id")
	ErrExpenseAccount = fault.New(fault.Invalid, "expense_account.missing", "Choose an account that this is a cost on.")
	ErrPayeeAccount   = fault.New(fault.Invalid, "payee.expense_account", "Choose an account that is there and not archived, or none.").At("expense_account_id")
)

// PayeeID names a payee. Who is a customer too has one id as both.
type PayeeID = CustomerID

// Payee is someone who is bought from. TermsDays and Language of the Customer in it are those that they have as a customer.
type Payee struct {
	Customer
	PayeeTermsDays *int             `db:"payee_terms_days"`   // none: those of the organization
	ExpenseAccount ledger.AccountID `db:"expense_account_id"` // what is usually bought from them; none for most
	IsCustomer     bool             `db:"is_customer"`        // they are sold to, too
}

// PayeeInput is what is written about a payee: as of a customer, but that the terms are theirs and that they have no
// language.
type PayeeInput struct {
	CustomerInput
	ExpenseAccount ledger.AccountID
}

// PayeeFilter narrows a list of payees as CustomerFilter does one of customers.
type PayeeFilter = CustomerFilter

// AddPayee keeps a new payee. It fails with what is wrong with the input, ErrPayeeAccount or ErrCustomerExternal.
func AddPayee(ctx context.Context, tx *tenant.Tx, in PayeeInput) (p Payee, err error) {
	if in.CustomerInput, err = in.check(); err != nil {
		return p, err
	}
	if p, err = insertPayee(ctx, tx, id.New[Customer](), in); err != nil {
		return p, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "payee.add", Object: "payee", ID: p.ID.UUID})
}

// ChangePayee writes all of a payee anew; of one who is a customer too, name and address change there as well. version is
// the one that the change was made on; 0 is any. It fails with what is wrong with the input, ErrPayeeNotFound,
// ErrPayeeChanged, ErrPayeeAccount or ErrCustomerExternal.
func ChangePayee(ctx context.Context, tx *tenant.Tx, payee PayeeID, version int, in PayeeInput) (p Payee, err error) {
	if in.CustomerInput, err = in.check(); err != nil {
		return p, err
	}
	was, err := lockPayee(ctx, tx, payee)
	if err != nil {
		return p, err
	}
	if p, err = updatePayee(ctx, tx, payee, version, in); err != nil {
		return p, err
	}
	changes := customerChanges(was.Customer, p.Customer)
	changes = append(changes, tenant.Change{Field: "payee_terms_days", Before: was.payeeTerms(), After: p.payeeTerms()},
		tenant.Change{Field: "expense_account_id", Before: was.ExpenseAccount.String(), After: p.ExpenseAccount.String()})
	return p, tx.Record(ctx, tenant.Act{Action: "payee.change", Object: "payee", ID: p.ID.UUID, Changes: changes})
}

func (p Payee) payeeTerms() string {
	if p.PayeeTermsDays == nil {
		return ""
	}
	return strconv.Itoa(*p.PayeeTermsDays)
}

// BuyFromCustomer makes a customer a payee too. Doing so twice is fine. It fails with ErrCustomerNotFound.
func BuyFromCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID) (Payee, error) {
	if _, err := lockCustomer(ctx, tx, customer); err != nil {
		return Payee{}, err
	}
	p, err := updateSides(ctx, tx, customer)
	if err != nil {
		return Payee{}, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "payee.add", Object: "payee", ID: p.ID.UUID, Detail: "a customer before"})
}

// SellToPayee makes a payee a customer too. Doing so twice is fine. It fails with ErrPayeeNotFound.
func SellToPayee(ctx context.Context, tx *tenant.Tx, payee PayeeID) (Payee, error) {
	if _, err := lockPayee(ctx, tx, payee); err != nil {
		return Payee{}, err
	}
	p, err := updateSides(ctx, tx, payee)
	if err != nil {
		return Payee{}, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "customer.add", Object: "customer", ID: p.ID.UUID, Detail: "a payee before"})
}

// ArchivePayee takes a payee off the lists, those of customers too; their bills stay. Archiving twice is fine. It fails
// with ErrPayeeNotFound or ErrPayeeChanged.
func ArchivePayee(ctx context.Context, tx *tenant.Tx, payee PayeeID, version int) (Payee, error) {
	p, err := setPayeeArchived(ctx, tx, payee, version, true)
	if err != nil {
		return p, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "payee.archive", Object: "payee", ID: p.ID.UUID})
}

// RestorePayee puts an archived payee back on the lists, with the errors of ArchivePayee.
func RestorePayee(ctx context.Context, tx *tenant.Tx, payee PayeeID, version int) (Payee, error) {
	p, err := setPayeeArchived(ctx, tx, payee, version, false)
	if err != nil {
		return p, err
	}
	return p, tx.Record(ctx, tenant.Act{Action: "payee.restore", Object: "payee", ID: p.ID.UUID})
}

// PayeeByID gives one payee, archived or not; ErrPayeeNotFound.
func PayeeByID(ctx context.Context, tx *tenant.Tx, payee PayeeID) (Payee, error) {
	return selectPayee(ctx, tx, payee)
}

// Payees lists payees by name.
func Payees(ctx context.Context, tx *tenant.Tx, filter PayeeFilter, q cursor.Query) (cursor.Page[Payee], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Payee]{}, err
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return cursor.Page[Payee]{}, err
	}
	rows, err := selectPayees(ctx, tx, filter, q)
	if err != nil {
		return cursor.Page[Payee]{}, err
	}
	return cursor.Cut(q, rows), nil
}
