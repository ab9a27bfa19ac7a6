package web

import (
	"net/http"

	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerPayPhone lets whoever has the link to an invoice or a quote verify a number before paying or accepting it, and
// then go on where they were.
func (s *Server) registerPayPhone() {
	s.public("GET", quotePath+":secret/phone", showLinkedPhone(s.quoted))
	s.public("POST", quotePath+":secret/phone", sendLinkedPhone(s.quoted))
	s.public("POST", quotePath+":secret/phone/code", sendLinkedPhoneCode(s.quoted))
	if s.Till == nil {
		return
	}
	s.public("GET", payPath+":secret/phone", showLinkedPhone(s.invoiced))
	s.public("POST", payPath+":secret/phone", sendLinkedPhone(s.invoiced))
	s.public("POST", payPath+":secret/phone/code", sendLinkedPhoneCode(s.invoiced))
}

func (s *Server) invoiced(c *fiberCtx) (verifying, error) {
	p, err := s.payer(c)
	if err != nil {
		return verifying{}, err
	}
	return s.verifyingBy(c, p.at(""), "Back to the invoice", func(fn func(tx *tenant.Tx) error) error { return p.do(p.ctx, fn) }), nil
}

func (s *Server) quoted(c *fiberCtx) (verifying, error) {
	a, err := s.asked(c)
	if err != nil {
		return verifying{}, err
	}
	return s.verifyingBy(c, quotePath+a.secret, "Back to the quote", func(fn func(tx *tenant.Tx) error) error { return a.do(a.ctx, fn) }), nil
}

func (s *Server) verifyingBy(c *fiberCtx, back, say string, do func(fn func(tx *tenant.Tx) error) error) verifying {
	ctx := c.UserContext()
	return verifying{server: s, c: c, ctx: ctx, do: do, wanted: phone.Need.Open, at: back + "/phone", back: back,
		need: func(tx *tenant.Tx) (phone.Need, error) { return phone.NeedOf(ctx, tx, tx.Scope().Subject()) },
		show: func(status int, asking page.PhoneAsking) error {
			asking.BackSay, asking.Outbox = say, s.outboxPath()
			return render(c, status, "pay-phone", page.PayPhone{Gate: page.Gate{Title: "Verify phone number"}, PhoneAsking: asking})
		}}
}

func showLinkedPhone(who func(c *fiberCtx) (verifying, error)) func(c *fiberCtx) error {
	return func(c *fiberCtx) error {
		v, err := who(c)
		if err != nil {
			return err
		}
		return v.typed()
	}
}

func sendLinkedPhone(who func(c *fiberCtx) (verifying, error)) func(c *fiberCtx) error {
	return func(c *fiberCtx) error {
		v, err := who(c)
		if err != nil {
			return err
		}
		sent, err := readForm(c)
		if err != nil {
			return err
		}
		return v.number(sent)
	}
}

func sendLinkedPhoneCode(who func(c *fiberCtx) (verifying, error)) func(c *fiberCtx) error {
	return func(c *fiberCtx) error {
		v, err := who(c)
		if err != nil {
			return err
		}
		sent, err := readForm(c)
		if err != nil {
			return err
		}
		if ok, err := v.code(sent); err != nil || !ok {
			return err
		}
		return c.Redirect(v.back, http.StatusSeeOther)
	}
}

func (p *payer) need(tx *tenant.Tx) (phone.Need, error) {
	return phone.NeedOf(p.ctx, tx, tx.Scope().Subject())
}
