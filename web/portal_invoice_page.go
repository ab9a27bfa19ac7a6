package web

import (
	"bytes"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// portalPayLifetime is how long one stays on the pay page after choosing to pay.
const portalPayLifetime = 24 * time.Hour

func (s *Server) registerPortalInvoices() {
	s.customer("GET", "/invoices", contact.Invoices, showPortalInvoices)
	s.customer("GET", "/invoices/:id", contact.Invoices, showPortalInvoice)
	s.customer("GET", "/invoices/:id/pdf", contact.Invoices, showPortalPDF)
	s.customer("GET", "/quotes", contact.Invoices, showPortalQuotes)
	s.customer("GET", "/quotes/:id", contact.Invoices, func(g *guest) error { return showPortalQuote(g, http.StatusOK, page.Form{}) })
	s.customer("POST", "/quotes/:id/accept", contact.Order, func(g *guest) error { return sendPortalQuote(g, true) })
	s.customer("POST", "/quotes/:id/decline", contact.Order, func(g *guest) error { return sendPortalQuote(g, false) })
	s.customer("GET", "/statement", contact.Invoices, showPortalStatement)
	s.customer("GET", "/statement.pdf", contact.Invoices, showPortalStatementPDF)
	if s.Till == nil {
		return
	}
	s.customer("POST", "/invoices/:id/pay", contact.Pay, sendPortalPay)
	pay := func(show func(c *fiberCtx) error) func(g *guest) error {
		return func(g *guest) error { return show(g.c) }
	}
	s.portalPublic("GET", payPath+":secret", pay(s.showPay))
	s.portalPublic("POST", payPath+":secret", pay(s.sendPay))
	s.portalPublic("GET", payPath+":secret/back", pay(s.showPaid))
}

// ways leads to the parts of a list before and after.
func guestPage(g *guest) (cursor.Query, error) {
	return PageInput{StartingAfter: g.c.Query("starting_after"), EndingBefore: g.c.Query("ending_before")}.query()
}

// ownInvoice is one that has left the house, of the guest's own customer; billing.ErrInvoiceNotFound for every other.
func ownInvoice(g *guest, tx *tenant.Tx) (billing.Invoice, error) {
	wanted, err := pathOf[billing.Invoice](g, "id")
	if err != nil {
		return billing.Invoice{}, err
	}
	i, err := billing.InvoiceByID(g.ctx, tx, wanted)
	if err == nil && (i.Customer.ID != customerOf(tx) || i.State == billing.Draft) {
		return billing.Invoice{}, billing.ErrInvoiceNotFound
	}
	return i, err
}

func showPortalInvoices(g *guest) error {
	q, err := guestPage(g)
	if err != nil {
		return err
	}
	return g.show(http.StatusOK, "portal-invoices", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Invoices", "invoices")
		if err != nil {
			return nil, err
		}
		found, err := billing.Invoices(g.ctx, tx, billing.InvoiceFilter{CustomerID: customerOf(tx), Standing: billing.StandingSentOut}, q)
		return page.PortalInvoices{Portal: frame, Items: found.Items,
			Pager: pagerOf(g.c, q, found, func(i billing.InvoiceHead) uuid.UUID { return i.ID.UUID }, "")}, err
	})
}

func showPortalInvoice(g *guest) error {
	return g.show(http.StatusOK, "portal-invoice", func(tx *tenant.Tx) (any, error) {
		i, err := ownInvoice(g, tx)
		if err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(g.ctx, tx)
		if err != nil {
			return nil, err
		}
		frame, err := g.frame(tx, "Invoice "+i.Number, "invoices")
		if err != nil {
			return nil, err
		}
		need, err := phone.NeedOf(g.ctx, tx, i.ID.UUID)
		return page.PortalInvoice{Portal: frame, Invoice: i, Settings: settings, Need: need,
			Payable: g.server.Till != nil && g.may(tx, contact.Pay) && i.State == billing.Issued && !i.Open().IsZero()}, err
	})
}

func showPortalPDF(g *guest) error {
	var document invoicepdf.Document
	err := g.run(func(tx *tenant.Tx) error {
		i, err := ownInvoice(g, tx)
		if err != nil {
			return err
		}
		document, err = billing.PaperOf(g.ctx, tx, i)
		return err
	})
	if err != nil {
		return err
	}
	var paper bytes.Buffer
	if err := invoicepdf.Write(&paper, document); err != nil {
		return err
	}
	return g.sendPDF(invoicepdf.FileName(document.Number), paper.Bytes())
}

func (g *guest) sendPDF(name string, paper []byte) error {
	g.c.Set("Content-Type", "application/pdf")
	g.c.Set("Content-Disposition", inlineAs(name))
	return g.c.Send(paper)
}

// sendPortalPay leads to the pay page of an invoice.
func sendPortalPay(g *guest) error {
	if _, err := readForm(g.c); err != nil {
		return err
	}
	var secret string
	err := g.run(func(tx *tenant.Tx) error {
		i, err := ownInvoice(g, tx)
		switch {
		case err != nil:
			return err
		case i.State == billing.Void:
			return billing.ErrVoidDocument
		}
		if secret, err = tx.OpenLink(g.ctx, i.ID.UUID, tx.Now().Add(portalPayLifetime)); err != nil {
			return err
		}
		return tx.Record(g.ctx, tenant.Act{Action: "invoice.link", Object: "invoice", ID: i.ID.UUID})
	})
	if err != nil {
		return err
	}
	return g.goTo(payPath+secret, "")
}

func ownQuote(g *guest, tx *tenant.Tx) (billing.Quote, error) {
	wanted, err := pathOf[billing.Quote](g, "id")
	if err != nil {
		return billing.Quote{}, err
	}
	q, err := billing.QuoteByID(g.ctx, tx, wanted)
	if err == nil && (q.Customer.ID != customerOf(tx) || q.State == billing.Draft) {
		return billing.Quote{}, billing.ErrQuoteNotFound
	}
	return q, err
}

func showPortalQuotes(g *guest) error {
	q, err := guestPage(g)
	if err != nil {
		return err
	}
	return g.show(http.StatusOK, "portal-quotes", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Quotes", "quotes")
		if err != nil {
			return nil, err
		}
		found, err := billing.Quotes(g.ctx, tx, billing.QuoteFilter{CustomerID: customerOf(tx), Standing: billing.StandingSentOut}, q)
		return page.PortalQuotes{Portal: frame, Items: found.Items,
			Pager: pagerOf(g.c, q, found, func(q billing.QuoteHead) uuid.UUID { return q.ID.UUID }, "")}, err
	})
}

func showPortalQuote(g *guest, status int, form page.Form) error {
	return g.show(status, "portal-quote", func(tx *tenant.Tx) (any, error) {
		q, err := ownQuote(g, tx)
		if err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(g.ctx, tx)
		if err != nil {
			return nil, err
		}
		frame, err := g.frame(tx, "Quote "+q.Number, "quotes")
		if err != nil {
			return nil, err
		}
		need, err := phone.NeedOf(g.ctx, tx, q.ID.UUID)
		return page.PortalQuote{Portal: frame, Form: keyed(form), Quote: q, Settings: settings, Need: need,
			Decides: g.may(tx, contact.Order) && q.Standing(q.Today) == billing.StandingSent}, err
	})
}

// sendPortalQuote keeps the answer, under the name of who gave it.
func sendPortalQuote(g *guest, accept bool) error {
	return g.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		q, err := ownQuote(g, tx)
		if err != nil {
			return uuid.Nil, err
		}
		if !accept {
			_, err = billing.DeclineQuote(g.ctx, tx, q.ID, 0)
			return q.ID.UUID, err
		}
		if err := phone.Check(g.ctx, tx, q.ID.UUID); err != nil {
			return uuid.Nil, err
		}
		me, err := contact.Current(g.ctx, tx)
		if err != nil {
			return uuid.Nil, err
		}
		by := me.Name
		if by == "" {
			by = me.Email
		}
		_, err = billing.AcceptQuote(g.ctx, tx, q.ID, 0, by)
		return q.ID.UUID, err
	}, func(made uuid.UUID) error {
		say := "Declined"
		if accept {
			say = "Accepted"
		}
		return g.goTo("/quotes/"+made.String(), say)
	}, func(form page.Form) error { return showPortalQuote(g, http.StatusUnprocessableEntity, form) })
}

// guestPeriod reads the days of the address; left out, from the first of the month before last to today.
func guestPeriod(g *guest, tx *tenant.Tx) (p report.Period, err error) {
	if p.From, err = bodyDate("from", g.c.Query("from")); err != nil {
		return p, err
	}
	if p.To, err = bodyDate("to", g.c.Query("to")); err != nil {
		return p, err
	}
	today, err := billing.Today(g.ctx, tx)
	if p.To.IsZero() {
		p.To = today
	}
	if p.From.IsZero() {
		p.From = civil.On(p.To.Year(), p.To.Month()-2, 1)
	}
	return p, err
}

func showPortalStatement(g *guest) error {
	return g.show(http.StatusOK, "portal-statement", func(tx *tenant.Tx) (any, error) {
		period, err := guestPeriod(g, tx)
		if err != nil {
			return nil, err
		}
		frame, err := g.frame(tx, "Statement", "statement")
		if err != nil {
			return nil, err
		}
		data := page.PortalStatement{Portal: frame, From: period.From, To: period.To, PDF: "/statement.pdf?from=" + period.From.String() + "&to=" + period.To.String()}
		data.Parts, err = report.StatementOf(g.ctx, tx, customerOf(tx).UUID, period)
		return data, err
	})
}

func showPortalStatementPDF(g *guest) error {
	var paper invoicepdf.Statement
	err := g.run(func(tx *tenant.Tx) error {
		period, err := guestPeriod(g, tx)
		if err != nil {
			return err
		}
		paper, err = billing.StatementPaperOf(g.ctx, tx, customerOf(tx), period)
		return err
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := invoicepdf.WriteStatement(&out, paper); err != nil {
		return err
	}
	return g.sendPDF("statement.pdf", out.Bytes())
}
