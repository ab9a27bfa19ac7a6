package phone

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNeeded stops a payment until the customer has shown that a number is theirs.
var ErrNeeded = fault.New(fault.Conflict, "phone.needed", "Verify your phone number first. Then you go on where you were.")

// Need is whether a customer is asked for a verified number, for a document or altogether.
type Need struct {
	When     When
	Customer uuid.UUID
	Number   string // verified, in E164; "" for none
	Joined   bool   // they registered while a number was asked for
	asks     bool   // the organization asks for numbers at all
}

// Open says that a number is asked for and none was verified.
func (n Need) Open() bool { return n.When.rank() > 0 && n.Number == "" }

// First says that it is asked for before anything is paid.
func (n Need) First() bool { return n.Open() && n.When == Before }

// Last says that it is asked for once all is paid.
func (n Need) Last() bool { return n.Open() && n.When == After }

// Welcome says that a number can be verified, whether or not one is asked for by now: who comes early need not come back.
func (n Need) Welcome() bool { return n.Number == "" && (n.asks || n.Joined) }

// under is the need with what the rules make of the lines.
func (n Need) under(rules Rules, lines []line) Need {
	n.When, n.asks = rules.moment(lines), rules.asks()
	if n.Joined {
		n.When = Before
	}
	return n
}

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
	return n.under(rules, lines), err
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
	return n.under(rules, lines), err
}

// NeedOfCustomer is NeedOf for all that a customer has before them: what is in the cart, orders and quotes that wait, what is
// to be paid and what has been.
func NeedOfCustomer(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, cart []uuid.UUID) (Need, error) {
	n, err := selectNumber(ctx, tx, customer)
	if err != nil || n.Number != "" {
		return n, err
	}
	rules, err := selectRules(ctx, tx)
	if err != nil {
		return n, err
	}
	n = n.under(rules, nil)
	if n.First() || !rules.asks() {
		return n, nil
	}
	lines, err := selectPending(ctx, tx, customer)
	if err != nil {
		return n, err
	}
	if len(cart) > 0 {
		chosen, err := selectProducts(ctx, tx, cart)
		if err != nil {
			return n, err
		}
		lines = append(lines, chosen...)
	}
	n.When = Never
	for _, l := range lines {
		// What is paid asks for nothing before that, and what is not for nothing after it.
		if when := rules.of(l); when == After && l.Paid || when == Before && !l.Paid {
			n.When = stricter(n.When, when)
		}
	}
	return n, nil
}

// MarkJoined is for customers who register by themselves: where the organization asks that of them, nothing is ordered or
// paid by them until a number is verified, whatever it is.
func MarkJoined(ctx context.Context, tx *tenant.Tx, customer uuid.UUID) error {
	return updateJoined(ctx, tx, customer)
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

// CheckProducts is Check for products that no document holds, or none yet.
func CheckProducts(ctx context.Context, tx *tenant.Tx, customer uuid.UUID, products []uuid.UUID) error {
	n, err := NeedForProducts(ctx, tx, customer, products)
	if err == nil && n.First() {
		err = ErrNeeded
	}
	return err
}
