package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// RecurringBillBody is what a program writes of a bill that comes again and again.
type RecurringBillBody struct {
	BillBody
	Every  int    `json:"every" doc:"1 to 365" example:"1"`
	Unit   string `json:"unit" enum:"day,week,month,year"`
	Until  string `json:"until,omitempty" doc:"The last day that may have a bill" maxLength:"10" example:"2027-12-31"`
	Enters bool   `json:"enters,omitempty" doc:"Each bill is entered at once; else it is a draft"`
}

// RecurringBillView is a recurring bill as a program reads it.
type RecurringBillView struct {
	BillView
	Every   int     `json:"every"`
	Unit    string  `json:"unit"`
	Next    *string `json:"next_on" doc:"The day of the next bill; null when there is no more"`
	Until   *string `json:"until"`
	Enters  bool    `json:"enters"`
	Problem string  `json:"problem,omitempty" doc:"The code of why the next bill was not made; it is tried again"`
}

func (b RecurringBillBody) input() (in payables.RecurringInput, err error) {
	var faults fault.List
	in = payables.RecurringInput{Unit: b.Unit, Every: b.Every, Enters: b.Enters}
	in.BillInput, err = b.BillBody.input()
	faults.Add("", err) // all that is read here fails with faults alone
	in.Until, err = bodyDate("until", b.Until)
	faults.Add("", err)
	return in, faults.Err()
}

func viewRecurringHead(h billing.PurchaseHead) RecurringBillView {
	r := h.Repeat
	return RecurringBillView{BillView: viewBillHead(billing.Recurring, h), Every: r.Every, Unit: r.Unit, Next: dateText(r.On), Until: dateText(r.Until), Enters: r.Enters, Problem: r.Problem}
}

func readRecurring(ctx context.Context, tx *tenant.Tx, i payables.BillID) (RecurringBillView, int, error) {
	b, err := billing.PurchaseByID(ctx, tx, billing.Recurring, i)
	v := viewRecurringHead(b.PurchaseHead)
	v.BillView = viewBill(billing.Recurring, b)
	return v, b.Version, err
}

func (s *Server) registerRecurringBillAPI() {
	const tag, path = "Recurring bills", "/v1/recurring-bills"
	handle(s, operation{id: "list-recurring-bills", method: "GET", path: path, right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "List recurring bills, newest first, without their lines"},
		func(ctx context.Context, c *call, in *billListInput) (*Body[List[RecurringBillView]], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.PurchaseHead], error) {
				return billing.Purchases(ctx, tx, billing.Recurring, filter, q)
			}, viewRecurringHead)
		})
	handle(s, operation{id: "add-recurring-bill", method: "POST", path: path, right: rightTo(authz.Create, authz.Bills), tag: tag, summary: "Add a recurring bill", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[RecurringBillBody]) (*Versioned[RecurringBillView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				if input.Enters {
					if err := s.mayEnter(tx); err != nil {
						return uuid.Nil, err
					}
				}
				made, err := payables.DraftRecurring(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (RecurringBillView, int, error) {
				return readRecurring(ctx, tx, payables.BillID{UUID: made})
			})
		})
	handle(s, operation{id: "get-recurring-bill", method: "GET", path: path + "/{id}", right: rightTo(authz.Read, authz.Bills), tag: tag, summary: "Read a recurring bill"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[RecurringBillView], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i payables.BillID, _ int) (RecurringBillView, int, error) {
				return readRecurring(ctx, tx, i)
			})
		})
	handle(s, operation{id: "change-recurring-bill", method: "PUT", path: path + "/{id}", right: rightTo(authz.Change, authz.Bills), tag: tag, summary: "Write a recurring bill anew, for the bills that are still to be made"},
		func(ctx context.Context, c *call, in *Change[RecurringBillBody]) (*Versioned[RecurringBillView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i payables.BillID, version int) (v RecurringBillView, now int, err error) {
				if input.Enters {
					if err := s.mayEnter(tx); err != nil {
						return v, 0, err
					}
				}
				if _, err := payables.ReviseRecurring(ctx, tx, i, version, input); err != nil {
					return v, 0, err
				}
				return readRecurring(ctx, tx, i)
			})
		})
	registerActAPI(s, "recurring-bills", "recurring-bill", tag, "stop", "Stop a recurring bill: it makes no more", rightTo(authz.Change, authz.Bills), readRecurring,
		func(ctx context.Context, tx *tenant.Tx, i payables.BillID, _ int) error {
			_, err := payables.StopRecurring(ctx, tx, i)
			return err
		})
	s.registerDiscardAPI(recurringBillDesk(), "recurring-bill", tag)
}

// mayEnter refuses a recurring bill that enters its bills to whom may not enter bills.
func (s *Server) mayEnter(tx *tenant.Tx) error {
	right := rightTo(authz.Approve, authz.Bills)
	if !s.Policy.May(tx.Scope(), right).Allowed {
		return authz.Forbidden(right)
	}
	return nil
}
