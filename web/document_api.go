package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// DocumentView is what a quote and a credit note have in common, as a program reads it.
type DocumentView struct {
	ID              string              `json:"id"`
	State           string              `json:"state"`
	Standing        string              `json:"standing"`
	Number          string              `json:"number,omitempty"`
	ExternalID      string              `json:"external_id,omitempty"`
	Customer        InvoiceCustomerView `json:"customer"`
	IssueDate       string              `json:"issue_date"`
	Reference       string              `json:"reference,omitempty"`
	PurchaseOrder   string              `json:"purchase_order,omitempty"`
	Language        string              `json:"language"`
	Note            string              `json:"note,omitempty"`
	PricesWithTax   bool                `json:"prices_with_tax,omitempty" doc:"Not in lists"`
	DiscountPercent string              `json:"discount_percent,omitempty" doc:"Not in lists"`
	Discount        *Money              `json:"discount,omitempty" doc:"What was taken off the whole; not in lists"`
	Net             Money               `json:"net"`
	Tax             Money               `json:"tax"`
	Total           Money               `json:"total"`
	EntryID         string              `json:"journal_entry_id,omitempty"`
	CreatedAt       time.Time           `json:"created_at"`
	Lines           []InvoiceLineView   `json:"lines,omitempty" doc:"Not in lists"`
}

func viewDocumentHead(document uuid.UUID, h billing.DocumentHead, standing billing.Standing) DocumentView {
	return DocumentView{ID: document.String(), State: h.State, Standing: string(standing), Number: h.Number, ExternalID: h.ExternalID,
		Customer: InvoiceCustomerView{h.Customer.ID.String(), h.Customer.Name}, IssueDate: h.IssueDate.String(), Reference: h.Reference,
		PurchaseOrder: h.PurchaseOrder, Language: string(h.Language), Note: h.Note, Net: moneyOf(h.Net), Tax: moneyOf(h.Tax), Total: moneyOf(h.Total),
		EntryID: idText(h.Entry), CreatedAt: h.CreatedAt}
}

func (v DocumentView) with(b billing.DocumentBody) DocumentView {
	v.PricesWithTax, v.DiscountPercent, v.Discount, v.Lines = b.PricesWithTax, percentText(b.DiscountPercent), moneyOrNone(b.Discount), viewLines(b)
	return v
}

// CreditAppliedView is what of a credit note settles an invoice.
type CreditAppliedView struct {
	CreditNoteID string `json:"credit_note_id"`
	InvoiceID    string `json:"invoice_id"`
	Number       string `json:"number" doc:"Of the other of the two"`
	Date         string `json:"date"`
	Amount       Money  `json:"amount"`
}

func viewCredits(all []billing.CreditApplied) (views []CreditAppliedView) {
	for _, c := range all {
		views = append(views, CreditAppliedView{c.CreditNote.String(), c.Invoice.String(), c.Number, c.Date.String(), moneyOf(c.Amount)})
	}
	return views
}

// registerDraftAPI puts what drafts of one kind have in common on the router: writing, revising, issuing, discarding.
func registerDraftAPI[E, T any](s *Server, d desk, one, tag string, read func(context.Context, *tenant.Tx, id.Of[E]) (T, int, error)) {
	handle(s, operation{id: "draft-" + one, method: "POST", path: "/v1/" + d.path, right: rightTo(authz.Create, authz.Invoices), tag: tag, summary: "Write a draft", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[InvoiceBody]) (*Versioned[T], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, _, err := d.draft(ctx, tx, input)
				return made, err
			}, func(tx *tenant.Tx, made uuid.UUID) (T, int, error) { return read(ctx, tx, id.Of[E]{UUID: made}) })
		})
	handle(s, operation{id: "get-" + one, method: "GET", path: "/v1/" + d.path + "/{id}", right: rightTo(authz.Read, authz.Invoices), tag: tag, summary: "Read one"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[T], error) {
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i id.Of[E], _ int) (T, int, error) { return read(ctx, tx, i) })
		})
	handle(s, operation{id: "revise-" + one, method: "PUT", path: "/v1/" + d.path + "/{id}", right: rightTo(authz.Change, authz.Invoices), tag: tag, summary: "Write a draft anew"},
		func(ctx context.Context, c *call, in *Change[InvoiceBody]) (*Versioned[T], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i id.Of[E], version int) (v T, now int, err error) {
				if _, err := d.revise(ctx, tx, i.UUID, version, input); err != nil {
					return v, 0, err
				}
				return read(ctx, tx, i)
			})
		})
	handle(s, operation{id: "discard-" + one, method: "DELETE", path: "/v1/" + d.path + "/{id}", right: rightTo(authz.Delete, authz.Invoices), tag: tag, summary: "Discard a draft", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			i, err := pathID[E](in.ID)
			if err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return d.discard(ctx, tx, i.UUID, version) })
		})
	registerActAPI(s, d.path, one, tag, "issue", "Issue a draft: it gets its number", rightTo(authz.Approve, authz.Invoices), read,
		func(ctx context.Context, tx *tenant.Tx, i id.Of[E], version int) error {
			_, err := d.issue(ctx, tx, i.UUID, version)
			return err
		})
}

// registerActAPI puts one act on one document on the router.
func registerActAPI[E, T any](s *Server, path, one, tag, act, summary string, right authz.Right, read func(context.Context, *tenant.Tx, id.Of[E]) (T, int, error),
	do func(context.Context, *tenant.Tx, id.Of[E], int) error) {
	handle(s, operation{id: act + "-" + one, method: "POST", path: "/v1/" + path + "/{id}/" + act, right: right, tag: tag, summary: summary},
		func(ctx context.Context, c *call, in *Act) (*Versioned[T], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i id.Of[E], version int) (v T, now int, err error) {
				if err := do(ctx, tx, i, version); err != nil {
					return v, 0, err
				}
				return read(ctx, tx, i)
			})
		})
}
