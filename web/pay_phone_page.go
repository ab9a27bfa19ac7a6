package web

import (
	"errors"
	"net/http"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerPayPhone lets whoever has the link to an invoice verify a number before paying it, and then go on where they were.
func (s *Server) registerPayPhone() {
	s.public("GET", payPath+":secret/phone", s.showPayPhone)
	s.public("POST", payPath+":secret/phone", s.sendPayPhone)
	s.public("POST", payPath+":secret/phone/code", s.sendPayPhoneCode)
}

func (p *payer) need(tx *tenant.Tx) (phone.Need, error) {
	return phone.NeedOf(p.ctx, tx, tx.Scope().Subject())
}

// renderPhone shows where to type a number or, sent, the code; or leads back where none is asked for.
func (p *payer) renderPhone(status int, form page.Form, sent bool) error {
	data := page.PayPhone{Gate: page.Gate{Title: "Verify phone number"}, Form: form, Sent: sent, Action: p.at("/phone"), Back: p.at(""), Outbox: p.server.outboxPath()}
	open := false
	err := p.do(p.ctx, func(tx *tenant.Tx) error {
		need, err := p.need(tx)
		if open = need.Open(); err != nil {
			return err
		}
		if data.Settings, err = billing.LoadSettings(p.ctx, tx); err != nil {
			return err
		}
		data.Rules, err = phone.LoadRules(p.ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	if !open {
		return p.c.Redirect(p.at(""), http.StatusSeeOther)
	}
	form.Values.Del("code")
	return render(p.c, status, "pay-phone", data)
}

func (s *Server) showPayPhone(c *fiberCtx) error {
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	return p.renderPhone(http.StatusOK, page.NewForm(), c.Query("sent") == "yes")
}

func (s *Server) sendPayPhone(c *fiberCtx) error {
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	sent.Set("number", dialled(sent.Get("number")))
	var m phone.Message
	err = p.do(p.ctx, func(tx *tenant.Tx) error {
		need, err := p.need(tx)
		if err != nil || !need.Open() { // nobody is sent anything who is not asked for it
			return err
		}
		m, err = s.Phones.Begin(p.ctx, tx, need.Customer, sent.Get("number"), c.IP())
		return err
	})
	if err == nil && m.To != "" {
		err = s.Phones.Send(p.ctx, m)
	}
	form := page.FormOf(sent)
	if told(&form, err) {
		return p.renderPhone(statusOf(form.Faults[0].Kind), form, false)
	} else if err != nil {
		return err
	}
	return c.Redirect(p.at("/phone?sent=yes"), http.StatusSeeOther)
}

func (s *Server) sendPayPhoneCode(c *fiberCtx) error {
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	var refused error
	err = p.do(p.ctx, func(tx *tenant.Tx) error {
		refused = nil
		need, err := p.need(tx)
		if err != nil || !need.Open() {
			return err
		}
		refused, err = s.Phones.Confirm(p.ctx, tx, need.Customer, sent.Get("code"))
		return err
	})
	form := page.FormOf(sent)
	if err == nil && refused != nil && form.Refused(refused) {
		return p.renderPhone(http.StatusUnprocessableEntity, form, !errors.Is(refused, phone.ErrDenied))
	} else if err != nil {
		return err
	}
	return c.Redirect(p.at(""), http.StatusSeeOther)
}
