package web

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErasureBody says what goes besides.
type ErasureBody struct {
	Files bool `json:"files,omitempty" doc:"What is attached to their documents goes too"`
}

// ErasureView is what became of a customer's data.
type ErasureView struct {
	Done  bool    `json:"erased"`
	After *string `json:"rest_goes_after" doc:"What the law has the books keep goes after this day; null when nothing is left to go"`
}

type erasureOrder struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	ID             string `path:"id" maxLength:"36"`
	Body           ErasureBody
}

func (s *Server) registerErasureAPI() {
	const tag = "Customers"
	handle(s, operation{id: "export-customer-data", method: "GET", path: "/v1/customers/{id}/data", right: rightTo(authz.Export, authz.Customers), tag: tag, summary: "Fetch all that is kept of a customer's person",
		more: " It is a zip with person.json and the files that are attached to their documents."},
		func(ctx context.Context, c *call, in *ByID) (*huma.StreamResponse, error) {
			customer, err := pathID[billing.Customer](in.ID)
			if err != nil {
				return nil, err
			}
			if err := c.beginPerson(ctx, customer); err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				c.stream(ctx, humafiber.Unwrap(hc), attachmentAs("person.zip"), "application/zip", func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
					return takeout.WritePerson(ctx, run, customer.UUID, w)
				})
			}}, nil
		})
	handle(s, operation{id: "erase-customer-data", method: "POST", path: "/v1/customers/{id}/erase", right: rightTo(authz.Delete, authz.Customers), tag: tag, summary: "Erase a customer's personal data", status: http.StatusOK,
		more: " There is no way back. What the law has the books keep goes when its time is over."},
		func(ctx context.Context, c *call, in *erasureOrder) (*Versioned[ErasureView], error) {
			customer, err := pathID[billing.Customer](in.ID)
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				_, err := billing.EraseCustomer(ctx, tx, customer, in.Body.Files)
				return customer.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (ErasureView, int, error) {
				e, err := billing.ErasureOf(ctx, tx, billing.CustomerID{UUID: made})
				return erasureView(e), 0, err
			})
		})
}
