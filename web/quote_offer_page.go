package web

import (
	"context"
	"net/http"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// asked is a customer with a link to one quote.
type asked struct {
	c      *fiberCtx
	ctx    context.Context
	do     till.Do
	secret string
}

func (s *Server) asked(c *fiberCtx) (*asked, error) {
	secret := c.Params("secret")
	hash, ok := tenant.HashDoor(secret)
	if !ok {
		return nil, tenant.ErrNoDoor
	}
	enter := func(ctx context.Context) (tenant.Scope, error) { return tenant.EnterLink(ctx, s.DB, hash) }
	return &asked{c, c.UserContext(), entrance(enter, s.DB), secret}, nil
}

func subjectQuote(tx *tenant.Tx) billing.QuoteID { return billing.QuoteID{UUID: tx.Scope().Subject()} }

// show draws what may be seen through a link: the quote, and none of the organization's people or other documents.
func (a *asked) show(status int, form page.Form) error {
	var data page.QuoteOffer
	err := a.do(a.ctx, func(tx *tenant.Tx) error {
		quote, err := billing.QuoteByID(a.ctx, tx, subjectQuote(tx))
		if err != nil {
			return err
		}
		quote.Customer.Email, quote.Customer.Phone = "", ""
		data = page.QuoteOffer{Gate: page.Gate{Title: "Quote " + quote.Number, Language: quote.Language}, Form: form, Quote: quote,
			Action: quotePath + a.secret, Accept: quotePath + a.secret + "/accept", Decline: quotePath + a.secret + "/decline"}
		if data.Phone, err = phone.NeedOf(a.ctx, tx, quote.ID.UUID); err != nil {
			return err
		}
		data.Settings, err = billing.LoadSettings(a.ctx, tx)
		data.Today = tx.Now().In(data.Settings.Zone())
		return err
	})
	if err != nil {
		return err
	}
	return render(a.c, status, "quote-offer", data)
}

func (s *Server) showOffer(c *fiberCtx) error {
	a, err := s.asked(c)
	if err != nil {
		return err
	}
	return a.show(http.StatusOK, page.Form{})
}

func (s *Server) sendOfferAccept(c *fiberCtx) error {
	return s.answerOffer(c, func(ctx context.Context, tx *tenant.Tx, name string) error {
		name, err := text.Required("name", name, 200)
		if err != nil {
			return at("name", err)
		}
		if err := phone.Check(ctx, tx, tx.Scope().Subject()); err != nil {
			return err
		}
		_, err = billing.AcceptQuote(ctx, tx, subjectQuote(tx), 0, name)
		return err
	})
}

func (s *Server) sendOfferDecline(c *fiberCtx) error {
	return s.answerOffer(c, func(ctx context.Context, tx *tenant.Tx, _ string) error {
		_, err := billing.DeclineQuote(ctx, tx, subjectQuote(tx), 0)
		return err
	})
}

// answerOffer keeps a customer's answer. One who answers again is shown what there is.
func (s *Server) answerOffer(c *fiberCtx, keep func(ctx context.Context, tx *tenant.Tx, name string) error) error {
	a, err := s.asked(c)
	if err != nil {
		return err
	}
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	err = a.do(a.ctx, func(tx *tenant.Tx) error { return keep(a.ctx, tx, sent.Get("name")) })
	if isFormFault(err) {
		form := page.FormOf(sent)
		form.Refused(err)
		return a.show(http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	return c.Redirect(quotePath+a.secret, http.StatusSeeOther)
}
