package shop

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why an order waits for a number.
const (
	waitsForNumber = "Verify your phone number. Then it goes on by itself."
	waitsForLast   = "Verify your phone number, as your last order asked for. Then it goes on by itself."
)

// AskForNumber is the check that lets an order wait until its customer has a verified number, where one is asked for before
// what is ordered is paid. Where it is asked for afterwards, the first order goes on and the next one waits.
func AskForNumber(ctx context.Context, tx *tenant.Tx, a Asked) (Verdict, error) {
	products := make([]uuid.UUID, len(a.Products))
	for i, p := range a.Products {
		products[i] = p.ID.UUID
	}
	need, err := phone.NeedForProducts(ctx, tx, a.Customer.ID.UUID, products)
	switch {
	case err != nil || !need.Open():
		return Verdict{}, err
	case need.First():
		return Verdict{Wait: []string{waitsForNumber}}, nil
	}
	done, err := billing.Orders(ctx, tx, billing.OrderFilter{CustomerID: a.Customer.ID, State: billing.OrderDone}, cursor.Query{Limit: 1})
	if err != nil || len(done.Items) == 0 {
		return Verdict{}, err
	}
	return Verdict{Wait: []string{waitsForLast}}, nil
}

// Waiting lists the orders of a customer that wait for something that the customer has to do, 100 at most.
func Waiting(ctx context.Context, tx *tenant.Tx, customer billing.CustomerID) ([]billing.OrderID, error) {
	found, err := billing.Orders(ctx, tx, billing.OrderFilter{CustomerID: customer, State: billing.OrderPlaced}, cursor.Query{Limit: cursor.Max})
	all := make([]billing.OrderID, len(found.Items))
	for i, o := range found.Items {
		all[i] = o.ID
	}
	return all, err
}
