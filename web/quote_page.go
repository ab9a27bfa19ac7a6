package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerQuotePages() {
	s.member("GET", "/quotes", rightTo(authz.Read, authz.Invoices), showQuotes)
	s.member("GET", "/quotes.csv", rightTo(authz.Export, authz.Invoices), sendQuotesCSV)
	s.registerDesk(quoteDesk)
	s.member("GET", "/quotes/:id", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showQuote(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/quotes/:id/pdf", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showPDF(v, quotePaper) })
	s.member("POST", "/quotes/:id/accept", rightTo(authz.Change, authz.Invoices), func(v *visit) error {
		return sendQuoteAct(v, "Accepted", func(tx *tenant.Tx, q billing.QuoteID, version int) (string, error) {
			_, err := billing.AcceptQuote(v.ctx, tx, q, version, "")
			return v.at("quotes", q.String()), err
		})
	})
	s.member("POST", "/quotes/:id/decline", rightTo(authz.Change, authz.Invoices), func(v *visit) error {
		return sendQuoteAct(v, "Declined", func(tx *tenant.Tx, q billing.QuoteID, version int) (string, error) {
			_, err := billing.DeclineQuote(v.ctx, tx, q, version)
			return v.at("quotes", q.String()), err
		})
	})
	s.member("POST", "/quotes/:id/invoice", rightTo(authz.Create, authz.Invoices), func(v *visit) error {
		return sendQuoteAct(v, "It is a draft invoice now", func(tx *tenant.Tx, q billing.QuoteID, version int) (string, error) {
			made, err := billing.InvoiceQuote(v.ctx, tx, q, version)
			return v.at("invoices", made.ID.String()), err
		})
	})
	s.member("POST", "/quotes/:id/link", rightTo(authz.Change, authz.Invoices), makeQuoteLink)
}

func showQuotes(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "documents", func(tx *tenant.Tx) (any, error) {
		data, err := documentList(v, tx, "Quotes", "quotes")
		if err != nil {
			return nil, err
		}
		data.Say, data.New = "What you offer. An accepted quote becomes an invoice with one click.", "New quote"
		data.Empty = page.Empty{Icon: "handshake", Title: "No quotes yet", Say: "Write the first one, and let the customer accept it by a link."}
		counts, err := billing.QuoteCounts(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Tabs = documentTabs(v, "quotes", "Quotes by state", counts, standingTab{"Drafts", billing.StandingDraft}, standingTab{"Sent", billing.StandingSent},
			standingTab{"Accepted", billing.StandingAccepted}, standingTab{"Invoiced", billing.StandingInvoiced},
			standingTab{"Declined", billing.StandingDeclined}, standingTab{"Expired", billing.StandingExpired})
		filter, err := v.quoteFilter(tx)
		if err != nil {
			return nil, err
		}
		found, err := billing.Quotes(v.ctx, tx, filter, q)
		if err != nil {
			return nil, err
		}
		for _, h := range found.Items {
			data.Table.Rows = append(data.Table.Rows, page.DocumentRow{URL: v.at("quotes", h.ID.String()), Number: h.Number, Customer: h.Customer,
				Issued: h.IssueDate, Until: h.DueDate, Standing: h.Standing(h.Today), Total: h.Total})
		}
		data.Table.Until = "Valid until"
		if v.may(rightTo(authz.Export, authz.Invoices)) {
			data.CSV = v.kept("quotes.csv", invoiceFields)
		}
		data.Table.Column, err = documentColumn(v, tx, data.Table.Rows)
		data.Pager = pager(v, q, found, func(h billing.QuoteHead) uuid.UUID { return h.ID.UUID }, "")
		return data, err
	})
}

// quoteFilter reads what the address leaves of the list.
func (v *visit) quoteFilter(tx *tenant.Tx) (f billing.QuoteFilter, err error) {
	f = billing.QuoteFilter{Standing: billing.Standing(v.query("standing")), Search: v.find("", "").Search}
	if f.CustomerID, err = bodyID[billing.Customer]("customer", v.query("customer")); err != nil {
		return f, err
	}
	f.From, f.To, err = v.listDays(tx)
	return f, err
}

// sendQuotesCSV gives exactly the quotes that the address leaves of the list.
func sendQuotesCSV(v *visit) error {
	var filter billing.QuoteFilter
	return sendListFile(v, listFile[billing.QuoteHead]{
		name: "quotes.csv", object: "quote",
		head:   []any{"number", "state", "customer", "company", "order_number", "reference", "issued", "valid_until", "currency", "net", "tax", "total"},
		narrow: func(tx *tenant.Tx) (err error) { filter, err = v.quoteFilter(tx); return err },
		read: func(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.QuoteHead], error) {
			return billing.Quotes(ctx, tx, filter, q)
		},
		id: func(h billing.QuoteHead) uuid.UUID { return h.ID.UUID },
		row: func(h billing.QuoteHead) []any {
			return []any{h.Number, string(h.Standing(h.Today)), h.Customer.Name, h.Customer.Company, h.PurchaseOrder, h.Reference,
				h.IssueDate, h.DueDate, h.Currency.Code(), h.Net, h.Tax, h.Total}
		},
	})
}

func showQuote(v *visit, status int, form page.Form) error {
	quote, err := idParam[billing.Quote](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "quote", func(tx *tenant.Tx) (any, error) {
		data := page.Quote{Form: form, LinkKey: newFormKey()}
		var err error
		if data.Quote, err = billing.QuoteByID(v.ctx, tx, quote); err != nil {
			return nil, err
		}
		title := data.Quote.Number
		if title == "" {
			title = "Draft quote"
		}
		if data.Shell, err = v.frame(tx, title, "quotes"); err != nil {
			return nil, err
		}
		data.Linkable = data.Standing() == billing.StandingSent && v.may(rightTo(authz.Change, authz.Invoices))
		data.Acts = quoteActs(v, data.Quote)
		if data.Mails, err = mailsOf(v, tx, "quotes", quote.UUID); err != nil {
			return nil, err
		}
		data.Settings, err = billing.LoadSettings(v.ctx, tx)
		return data, err
	})
}

func quoteActs(v *visit, q billing.Quote) (acts []page.Act) {
	standing := q.Standing(q.Today)
	act := func(path, label, icon, class, ask, does string) {
		acts = append(acts, page.Act{URL: v.at("quotes", q.ID.String(), path), Label: label, Icon: icon, Class: class, Ask: ask, Does: does,
			Key: newFormKey(), Version: q.Version})
	}
	if standing == billing.StandingDraft {
		return draftActs(v, quoteDesk(), q.ID.UUID, q.Version, "It gets its number and does not change any more. Nothing is posted.")
	}
	if standing == billing.StandingSent && v.may(rightTo(authz.Change, authz.Invoices)) {
		act("decline", "Declined", "ban", "", "The customer does not want it. It does not become an invoice any more.", "They declined it")
		act("accept", "Accepted", "check", "", "The customer agreed in another way than by the link.", "They accepted it")
	}
	if (standing == billing.StandingSent || standing == billing.StandingAccepted) && v.may(rightTo(authz.Create, authz.Invoices)) {
		act("invoice", "Make the invoice", "file-text", "btn-primary", "", "Make the invoice")
	}
	return acts
}

// sendQuoteAct does something to a quote, and leads to where it says.
func sendQuoteAct(v *visit, done string, do func(tx *tenant.Tx, q billing.QuoteID, version int) (string, error)) error {
	quote, err := idParam[billing.Quote](v, "id")
	if err != nil {
		return err
	}
	to := v.at("quotes", quote.String()) // for a form that came twice
	return v.act(func(tx *tenant.Tx, version int) error {
		way, err := do(tx, quote, version)
		to = way
		return err
	}, func() string {
		say(v.c, done)
		return to
	}, func(form page.Form) error { return showQuote(v, http.StatusUnprocessableEntity, form) })
}

// quoteLink opens a link to a quote that can be accepted.
func (s *Server) quoteLink(ctx context.Context, tx *tenant.Tx, quote billing.QuoteID) (billing.Quote, string, error) {
	q, err := billing.LinkQuote(ctx, tx, quote)
	if err != nil {
		return q, "", err
	}
	secret, err := tx.OpenLink(ctx, quote.UUID, tx.Now().AddDate(0, 0, civil.Of(tx.Now(), tx.Now().Location()).DaysUntil(q.DueDate)+1+billing.OfferDays))
	return q, OfferAddress(s.Origin, secret), err
}

// makeQuoteLink answers with the link itself, because only its hash is kept.
func makeQuoteLink(v *visit) error {
	quote, err := idParam[billing.Quote](v, "id")
	if err != nil {
		return err
	}
	if err := v.checkForm(); err != nil {
		return err
	}
	return v.show(http.StatusCreated, "quote-link", func(tx *tenant.Tx) (any, error) {
		q, link, err := v.server.quoteLink(v.ctx, tx, quote)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Link to accept "+q.Number, "quotes")
		return page.QuoteLink{Shell: shell, Quote: q, Link: link}, err
	})
}

func quotePaper(ctx context.Context, tx *tenant.Tx, document uuid.UUID, settings billing.Settings) (invoicepdf.Document, error) {
	quote, err := billing.QuoteByID(ctx, tx, billing.QuoteID{UUID: document})
	return billing.PaperQuote(quote, settings), err
}
