package web

import (
	"context"
	"net/http"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// SalesQuoteView is a quote as a program reads it.
type SalesQuoteView struct {
	DocumentView
	ValidUntil    string `json:"valid_until"`
	AcceptedBy    string `json:"accepted_by,omitempty" doc:"As the customer signed"`
	InvoiceID     string `json:"invoice_id,omitempty" doc:"What it became"`
	InvoiceNumber string `json:"invoice_number,omitempty"`
}

func viewSalesQuoteHead(h billing.QuoteHead) SalesQuoteView {
	return SalesQuoteView{DocumentView: viewDocumentHead(h.ID.UUID, h.DocumentHead, h.Standing(h.Today)), ValidUntil: h.DueDate.String(),
		AcceptedBy: h.AcceptedBy, InvoiceID: idText(h.Invoice), InvoiceNumber: h.InvoiceNumber}
}

func viewSalesQuote(q billing.Quote) SalesQuoteView {
	v := viewSalesQuoteHead(q.QuoteHead)
	v.DocumentView = v.DocumentView.with(q.DocumentBody)
	return v
}

// QuoteLinkView is a link by which a customer answers a quote.
type QuoteLinkView struct {
	URL string `json:"url" doc:"Shown this once; whoever has it sees the quote and can accept or decline it"`
}

type quoteListInput struct {
	PageInput
	Standing   string `query:"standing" doc:"draft, sent, accepted, invoiced, declined or expired" maxLength:"20"`
	CustomerID string `query:"customer_id" maxLength:"36"`
	Search     string `query:"search" doc:"Words of number, external id, reference or customer" maxLength:"200"`
}

func (s *Server) registerQuoteAPI() {
	const tag = "Quotes"
	one := func(ctx context.Context, tx *tenant.Tx, i billing.QuoteID) (SalesQuoteView, int, error) {
		v, err := billing.QuoteByID(ctx, tx, i)
		return viewSalesQuote(v), v.Version, err
	}
	handle(s, operation{id: "list-quotes", method: "GET", path: "/v1/quotes", right: rightTo(authz.Read, authz.Invoices), tag: tag, summary: "List quotes, newest first, without their lines"},
		func(ctx context.Context, c *call, in *quoteListInput) (*Body[List[SalesQuoteView]], error) {
			filter := billing.QuoteFilter{Standing: billing.Standing(in.Standing), Search: in.Search}
			var err error
			if filter.CustomerID, err = bodyID[billing.Customer]("customer_id", in.CustomerID); err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.QuoteHead], error) {
				return billing.Quotes(ctx, tx, filter, q)
			}, viewSalesQuoteHead)
		})
	registerDraftAPI(s, quoteDesk(), "quote", tag, one)
	registerActAPI(s, "quotes", "quote", tag, "accept", "Keep that the customer agreed", rightTo(authz.Change, authz.Invoices), one,
		func(ctx context.Context, tx *tenant.Tx, i billing.QuoteID, version int) error {
			_, err := billing.AcceptQuote(ctx, tx, i, version, "")
			return err
		})
	registerActAPI(s, "quotes", "quote", tag, "decline", "Keep that the customer did not agree", rightTo(authz.Change, authz.Invoices), one,
		func(ctx context.Context, tx *tenant.Tx, i billing.QuoteID, version int) error {
			_, err := billing.DeclineQuote(ctx, tx, i, version)
			return err
		})
	handle(s, operation{id: "invoice-quote", method: "POST", path: "/v1/quotes/{id}/invoice", right: rightTo(authz.Create, authz.Invoices), tag: tag, summary: "Make the draft of an invoice out of a quote, once"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[InvoiceView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.QuoteID, version int) (InvoiceView, int, error) {
				v, err := billing.InvoiceQuote(ctx, tx, i, version)
				return viewInvoice(v), v.Version, err
			})
		})
	handle(s, operation{id: "link-quote", method: "POST", path: "/v1/quotes/{id}/link", right: rightTo(authz.Change, authz.Invoices), tag: tag, summary: "Open a link by which the customer answers a quote", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *ByID) (*Body[QuoteLinkView], error) {
			quote, err := pathID[billing.Quote](in.ID)
			if err != nil {
				return nil, err
			}
			out := &Body[QuoteLinkView]{}
			return out, c.do(ctx, func(tx *tenant.Tx) (err error) {
				_, out.Body.URL, err = c.server.quoteLink(ctx, tx, quote)
				return err
			})
		})
}
