package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// linkLifetime is how long an invoice can be paid by the link to it.
const linkLifetime = billing.PayLinkLifetime

var errNoWay = fault.New(fault.Invalid, "pay.way", "Choose a way to pay.").At("gateway")

func (s *Server) registerPayLinkPages() {
	if s.Till == nil {
		return
	}
	s.member("POST", "/invoices/:id/link", rightTo(authz.Create, authz.Payments), makePayLink)
}

// PayAddress is where a customer sees and pays an invoice by the secret of a link. origin is the address that people use.
func PayAddress(origin, secret string) string { return origin + payPath + secret }

// payer is someone with a link to one invoice.
type payer struct {
	server *Server
	c      *fiberCtx
	ctx    context.Context
	do     till.Do
	secret string
	origin string // of the host that they came to
}

func (s *Server) payer(c *fiberCtx) (*payer, error) {
	secret := c.Params("secret")
	hash, ok := tenant.HashDoor(secret)
	if !ok {
		return nil, tenant.ErrNoDoor
	}
	slug, own := s.portalSlug(string(c.Request().Host()))
	enter := func(ctx context.Context) (tenant.Scope, error) {
		scope, err := tenant.EnterLink(ctx, s.DB, hash)
		if err == nil && own && scope.Organization().Slug != slug {
			return tenant.Scope{}, tenant.ErrNoDoor
		}
		return scope, err
	}
	origin := s.Config.Origin
	if own {
		origin = s.portalOrigin(slug)
	}
	return &payer{s, c, c.UserContext(), entrance(enter, s.DB), secret, origin}, nil
}

func (p *payer) at(rest string) string { return payPath + p.secret + rest }

// read gives what may be seen through a link: the invoice and the ways to pay it. None of the organization's people, no
// other invoice, and of the customer only what stands on the invoice.
func (p *payer) read(form page.Form) (data page.Pay, err error) {
	err = p.do(p.ctx, func(tx *tenant.Tx) error {
		invoice, err := billing.InvoiceByID(p.ctx, tx, id.Of[billing.Invoice]{UUID: tx.Scope().Subject()})
		if err != nil {
			return err
		}
		invoice.Customer.Email, invoice.Customer.Phone = "", ""
		data = page.Pay{Gate: page.Gate{Title: "Invoice " + invoice.Number, Language: invoice.Language}, Form: form, Invoice: invoice, Action: p.at(""), Back: p.at("/back")}
		if data.Settings, err = billing.LoadSettings(p.ctx, tx); err != nil {
			return err
		}
		data.Today = tx.Now().In(data.Settings.Zone())
		if data.Phone, err = p.need(tx); err != nil {
			return err
		}
		accounts, err := billing.GatewayAccounts(p.ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			switch {
			case a.Archived:
			case a.Kind == gateway.Transfer:
				data.Transfers = append(data.Transfers, a)
			default:
				data.Cards = append(data.Cards, a)
			}
		}
		intents, err := billing.InvoiceIntents(p.ctx, tx, invoice.ID)
		for _, i := range intents {
			data.Waiting = data.Waiting || !i.Settled() && i.State != billing.IntentWaiting && i.Kind != billing.IntentRefund
		}
		return err
	})
	return data, err
}

func (s *Server) showPay(c *fiberCtx) error {
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	data, err := p.read(page.Form{})
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "pay", data)
}

// sendPay opens the gateway's page and leads there by a page of ours: a browser that keeps our content policy would not
// follow a form to another site.
func (s *Server) sendPay(c *fiberCtx) error {
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	result, err := p.order(sent)
	if isFormFault(err) {
		form := page.FormOf(sent)
		form.Refused(err)
		data, err := p.read(form)
		if err != nil {
			return err
		}
		return render(c, http.StatusUnprocessableEntity, "pay", data)
	} else if err != nil {
		return err
	}
	if result.URL == "" { // paid meanwhile, or the gateway did not answer
		return c.Redirect(p.at("/back"), http.StatusSeeOther)
	}
	return render(c, http.StatusOK, "pay-go", page.PayGo{Gate: page.Gate{Title: "To the card page"}, URL: result.URL, Back: p.at("")})
}

// order opens a page of the gateway's for all that is open, or gives the one that is open already.
func (p *payer) order(sent url.Values) (till.Result, error) {
	account, ok := id.Parse[billing.GatewayAccount](sent.Get("gateway"))
	if !ok {
		return till.Result{}, errNoWay
	}
	invoice, open, err := p.openPage()
	if err != nil {
		return till.Result{}, err
	}
	// A page of the gateway's that was opened before numbers were asked for is not handed out again either.
	if err := p.do(p.ctx, func(tx *tenant.Tx) error { return phone.Check(p.ctx, tx, invoice.ID.UUID) }); err != nil {
		return till.Result{}, err
	}
	if !open.ID.IsZero() {
		result, err := p.server.Till.Ask(p.ctx, p.do, open.ID)
		if err != nil || result.Settled() && result.State == billing.IntentSucceeded {
			return result, err
		}
		if result.State == billing.IntentWaiting && result.GatewayID == account && result.Minor == invoice.Open().Minor && result.URL != "" {
			return result, nil
		}
		// Another gateway, or another amount since: that page must not be paid on any more.
		if result, err = p.server.Till.CallOff(p.ctx, p.do, open.ID); err != nil || result.State == billing.IntentSucceeded {
			return result, err
		}
	}
	var planned billing.Intent
	err = p.do(p.ctx, func(tx *tenant.Tx) (err error) {
		planned, err = billing.PlanPage(p.ctx, tx, billing.PageInput{InvoiceID: invoice.ID, GatewayID: account, Keep: sent.Get("keep") != ""})
		if errors.Is(err, billing.ErrGatewayNotFound) || errors.Is(err, gateway.ErrByHand) {
			err = errNoWay
		}
		return err
	})
	if err != nil {
		return till.Result{}, err
	}
	return p.server.Till.Perform(p.ctx, p.do, planned.ID, p.origin+p.at("/back"))
}

// openPage is the invoice, and the intent of its page that waits to be paid on; a zero one for none.
func (p *payer) openPage() (invoice billing.Invoice, open billing.Intent, err error) {
	err = p.do(p.ctx, func(tx *tenant.Tx) error {
		if invoice, err = billing.InvoiceByID(p.ctx, tx, id.Of[billing.Invoice]{UUID: tx.Scope().Subject()}); err != nil {
			return err
		}
		intents, err := billing.InvoiceIntents(p.ctx, tx, invoice.ID)
		open = billing.Intent{}
		for _, i := range intents {
			if i.Kind == billing.IntentPage && i.State == billing.IntentWaiting {
				open = i
			}
		}
		return err
	})
	return invoice, open, err
}

// showPaid is where the gateway leads back. What became of it is asked of the gateway, not taken from the address.
func (s *Server) showPaid(c *fiberCtx) error {
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	_, open, err := p.openPage()
	if err != nil {
		return err
	}
	if !open.ID.IsZero() {
		if _, err := s.Till.Ask(p.ctx, p.do, open.ID); err != nil {
			return err
		}
	}
	data, err := p.read(page.Form{})
	if err != nil {
		return err
	}
	data.Returned = true
	return render(c, http.StatusOK, "pay", data)
}

// payLink opens a link to an invoice that can be paid.
func (s *Server) payLink(ctx context.Context, tx *tenant.Tx, invoice billing.InvoiceID) (billing.Invoice, string, error) {
	i, err := billing.InvoiceByID(ctx, tx, invoice)
	switch {
	case err != nil:
		return i, "", err
	case i.State == billing.Draft:
		return i, "", billing.ErrNotIssued
	case i.State == billing.Void:
		return i, "", billing.ErrVoidDocument
	}
	secret, err := tx.OpenLink(ctx, invoice.UUID, tx.Now().Add(linkLifetime))
	if err != nil {
		return i, "", err
	}
	return i, s.Origin + payPath + secret, tx.Record(ctx, tenant.Act{Action: "invoice.link", Object: "invoice", ID: invoice.UUID})
}

// makePayLink answers with the link itself, because only its hash is kept.
func makePayLink(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	if err := v.checkForm(); err != nil {
		return err
	}
	return v.show(http.StatusCreated, "pay-link", func(tx *tenant.Tx) (any, error) {
		i, link, err := v.server.payLink(v.ctx, tx, invoice)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Pay link for "+i.Number, "invoices")
		return page.PayLink{Shell: shell, Invoice: i, Link: link, Until: tx.Now().Add(linkLifetime)}, err
	})
}

// OfferAddress is the address of a link to accept a quote.
func OfferAddress(origin, secret string) string { return origin + quotePath + secret }
