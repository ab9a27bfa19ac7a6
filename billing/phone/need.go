package phone

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNeeded stops a payment until the customer has shown that a number is theirs.
var ErrNeeded = fault.New(fault.Conflict, "phone.needed", "Verify your phone number first. Then you can pay.")

// Need is whether a document asks its customer for a verified number.
type Need struct {
	When     When
	Customer uuid.UUID
	Number   string // verified, in E164; "" for none
}

// Open says that a number is asked for and none was verified.
func (n Need) Open() bool { return n.When.rank() > 0 && n.Number == "" }

// First says that it is asked for before anything is paid.
func (n Need) First() bool { return n.Open() && n.When == Before }

// Last says that it is asked for once all is paid.
func (n Need) Last() bool { return n.Open() && n.When == After }

// NeedOf says what a document asks for.
func NeedOf(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (Need, error) {
	n, err := selectCustomer(ctx, tx, document)
	if err != nil {
		return n, err
	}
	rules, err := selectRules(ctx, tx)
	if err != nil {
		return n, err
	}
	lines, err := selectLines(ctx, tx, document)
	n.When = rules.moment(lines)
	return n, err
}

// NeedForProducts is NeedOf for what is about to be ordered by a customer.
func NeedForProducts(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, products []uuid.UUID) (Need, error) {
	n, err := selectNumber(ctx, tx, customer)
	if err != nil {
		return n, err
	}
	rules, err := selectRules(ctx, tx)
	if err != nil {
		return n, err
	}
	lines, err := selectProducts(ctx, tx, products)
	n.When = rules.moment(lines)
	return n, err
}

// Check lets a payment of a document be planned, or refuses it with ErrNeeded. Whoever comes from outside has to have a
// verified number where one is asked for before paying; members, their programs and our own jobs need none.
func Check(ctx context.Context, tx *tenant.Tx, document uuid.UUID) error {
	switch tx.Scope().Kind() {
	case tenant.Member, tenant.Token, tenant.Job, tenant.Operator, tenant.Support:
		return nil
	}
	n, err := NeedOf(ctx, tx, document)
	if err == nil && n.First() {
		err = ErrNeeded
	}
	return err
}
