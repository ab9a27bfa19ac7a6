package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// verifying is one of a customer's people who is asked for a number, wherever they were when they were asked: on the page of
// an invoice or a quote that they have a link to, or in the portal. Each way in says who they are; the codes are the same.
type verifying struct {
	server *Server
	c      *fiberCtx
	ctx    context.Context
	do     func(fn func(tx *tenant.Tx) error) error
	need   func(tx *tenant.Tx) (phone.Need, error)
	wanted func(n phone.Need) bool // whether a number is taken at all: nobody is sent anything who is not asked for it
	at     string                  // the page on which one verifies
	next   string                  // what the page is told of where one goes on; may be empty
	back   string                  // where one goes on
	show   func(status int, asking page.PhoneAsking) error
}

// page shows where to type a number or, sent, the code; or leads on where none is asked for.
func (v verifying) page(status int, form page.Form, sent bool) error {
	asking := page.PhoneAsking{Form: form, Sent: sent, Called: v.c.Query("sent") == "call", Action: v.at, Next: v.next, Back: v.back}
	open := false
	err := v.do(func(tx *tenant.Tx) error {
		need, err := v.need(tx)
		if open = err == nil && v.wanted(need); err != nil {
			return err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return err
		}
		asking.Asker = settings.Name
		if asking.Rules, err = phone.LoadRules(v.ctx, tx); err != nil {
			return err
		}
		asking.CodeWays, err = v.server.Phones.Ways(v.ctx, tx, asking.Rules)
		return err
	})
	if err != nil {
		return err
	}
	if !open {
		return v.c.Redirect(v.back, http.StatusSeeOther)
	}
	form.Values.Del("code")
	return v.show(status, asking)
}

// typed is the page as it is asked for.
func (v verifying) typed() error {
	return v.page(http.StatusOK, page.NewForm(), v.c.Query("sent") != "")
}

// number sends a code to what was typed.
func (v verifying) number(sent url.Values) error {
	sent.Set("number", dialled(sent.Get("number")))
	var m phone.Message
	err := v.do(func(tx *tenant.Tx) error {
		m = phone.Message{}
		need, err := v.need(tx)
		if err != nil || !v.wanted(need) {
			return err
		}
		m, err = v.server.Phones.Begin(v.ctx, tx, need.Customer, sent.Get("number"), v.c.IP(), sent.Get("way"))
		return err
	})
	var out phone.Sent
	if err == nil && m.To != "" {
		out, err = v.server.Phones.Send(v.ctx, m)
		v.note(out)
	}
	form := page.FormOf(sent)
	if told(&form, err) {
		return v.page(statusOf(form.Faults[0].Kind), form, false)
	} else if err != nil {
		return err
	}
	after := url.Values{"sent": {"yes"}}
	if out.Way == "call" {
		after.Set("sent", "call")
	}
	if v.next != "" {
		after.Set("next", v.next)
	}
	return v.c.Redirect(v.at+"?"+after.Encode(), http.StatusSeeOther)
}

// note keeps how the gateways did, without number and code. That it could not be kept is no reason to tell a customer that
// their code was not sent.
func (v verifying) note(out phone.Sent) {
	own := false
	for _, t := range out.Tries {
		own = own || !t.Gateway.IsZero()
		v.server.Log.Info("a code to a customer", "request_id", tenant.RequestFrom(v.ctx).ID, "gateway", t.Gateway, "way", t.Way, "outcome", t.Outcome)
	}
	if !own {
		return
	}
	if err := v.do(func(tx *tenant.Tx) error { return phone.NoteTries(v.ctx, tx, out.Tries) }); err != nil {
		v.server.Log.Error("noting how gateways did", "request_id", tenant.RequestFrom(v.ctx).ID, "error", err)
	}
}

// code takes what was typed. ok says that one may go on; otherwise the page was answered.
func (v verifying) code(sent url.Values) (ok bool, err error) {
	var refused error
	err = v.do(func(tx *tenant.Tx) error {
		refused = nil
		need, err := v.need(tx)
		if err != nil || !v.wanted(need) {
			return err
		}
		refused, err = v.server.Phones.Confirm(v.ctx, tx, need.Customer, sent.Get("code"))
		return err
	})
	form := page.FormOf(sent)
	if err == nil && refused != nil && form.Refused(refused) {
		again := errors.Is(refused, phone.ErrDenied) || errors.Is(refused, phone.ErrTaken)
		return false, v.page(http.StatusUnprocessableEntity, form, !again)
	}
	return err == nil, err
}
