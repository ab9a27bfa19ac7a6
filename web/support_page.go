package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerSupportPages registers what an organization sees of support access. Only an owner lets support in, and only
// after a fresh proof that it is them.
func (s *Server) registerSupportPages() {
	s.member("GET", "/support", rightTo(authz.Read, authz.Support), showSupport)
	s.member("GET", "/support/new", rightTo(authz.Create, authz.Support), func(v *visit) error {
		return showInvite(v, http.StatusOK, keyed(newTermsForm(authz.Terms{Masks: tenant.MaskAll, Minutes: authz.GrantMinutesDefault})))
	})
	s.member("POST", "/support", rightTo(authz.Create, authz.Support), sendInvite)
	s.member("GET", "/support/:id", rightTo(authz.Read, authz.Support), func(v *visit) error {
		return showGrant(v, http.StatusOK, page.Form{})
	})
	s.member("GET", "/support/:id/deeds", rightTo(authz.Read, authz.Support), showDeeds)
	s.member("GET", "/support/:id/receipt.json", rightTo(authz.Read, authz.Support), sendReceipt)
	s.member("GET", "/support/:id/approve", rightTo(authz.Approve, authz.Support), func(v *visit) error { return showApprove(v, http.StatusOK, nil) })
	s.member("POST", "/support/:id/approve", rightTo(authz.Approve, authz.Support), sendApprove)
	s.member("POST", "/support/:id/refuse", rightTo(authz.Approve, authz.Support), sendRefuse)
	s.member("POST", "/support/:id/end", rightTo(authz.Delete, authz.Support), sendEnd)
}

// proved says whether the reader has shown lately that it is them.
func (v *visit) proved() (bool, error) {
	return v.server.Identity.Proved(v.ctx, v.c.Cookies(sessionCookie), 0)
}

func newTermsForm(t authz.Terms) page.Form {
	form := page.NewForm("reason", t.Reason, "ticket", t.Ticket, "minutes", strconv.Itoa(t.Minutes))
	form.Values["scopes"] = t.Scopes
	form.Values["masks"] = t.Masks.Words()
	return form
}

// termsOf reads a form of terms. What is no number of minutes is none, which the rules refuse.
func termsOf(sent url.Values) authz.Terms {
	minutes, err := strconv.Atoi(sent.Get("minutes"))
	if err != nil {
		minutes = 0
	}
	return authz.Terms{Reason: sent.Get("reason"), Ticket: sent.Get("ticket"), Scopes: sent["scopes"], Masks: masksOf(sent["masks"]), Minutes: minutes}
}

// masksOf reads the boxes that are ticked; one that there is not stands for all.
func masksOf(ticked []string) tenant.Masks {
	if len(ticked) == 0 {
		return 0
	}
	return tenant.ReadMasks(strings.Join(ticked, " "))
}

func showSupport(v *visit) error {
	return v.show(http.StatusOK, "support", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Support access", "support")
		if err != nil {
			return nil, err
		}
		data := page.Support{Shell: shell}
		all, err := authz.ListSupport(v.ctx, tx)
		for _, g := range all {
			row := page.GrantRow{SupportGrant: g, State: g.State(tx.Now())}
			switch row.State {
			case authz.GrantWaiting, authz.GrantOpen, authz.GrantInvited:
				data.Now = append(data.Now, row)
			default:
				data.Past = append(data.Past, row)
			}
		}
		return data, err
	})
}

func (s *Server) scopeChoices() []page.ScopeRow {
	var rows []page.ScopeRow
	known := map[string]bool{}
	for _, scope := range s.Policy.SupportScopes() {
		known[scope] = true
	}
	for _, group := range authz.Rights() {
		row := page.ScopeRow{Module: string(group.Module), Name: group.Name, Read: known[string(group.Module)+":read"], Write: known[string(group.Module)+":write"]}
		if row.Read {
			rows = append(rows, row)
		}
	}
	return rows
}

func showInvite(v *visit, status int, form page.Form) error {
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, v.at("support", "new"))
	}
	return v.show(status, "support-edit", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Let support in", "support")
		return page.SupportForm{Shell: shell, Form: form, Action: v.at("support"), Invite: true, Scopes: v.server.scopeChoices()}, err
	})
}

func sendInvite(v *visit) error {
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, v.at("support", "new"))
	}
	var link string
	return v.send([]string{"scopes", "masks"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		g, secret, err := authz.InviteSupport(v.ctx, tx, v.server.Policy, termsOf(sent))
		link = secret
		return g.ID.UUID, err
	}, func(made uuid.UUID) string {
		if link != "" { // else the form came a second time
			v.server.Desk.LetIn(v.ctx, authz.GrantID{UUID: made}, link)
			say(v.c, "Support may come in")
		}
		return v.at("support", made.String())
	}, func(form page.Form) error { return showInvite(v, http.StatusUnprocessableEntity, form) })
}

// deedsShown is how many lines of a visit its page shows; an export of the record has all.
const deedsShown = 500

func showGrant(v *visit, status int, form page.Form) error {
	grant, err := idParam[authz.SupportGrant](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "support-visit", func(tx *tenant.Tx) (any, error) {
		g, err := authz.SupportByID(v.ctx, tx, grant)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, grantTitle(g), "support")
		if err != nil {
			return nil, err
		}
		data := page.SupportVisit{Shell: shell, Form: form, Grant: page.GrantRow{SupportGrant: g, State: g.State(tx.Now())}}
		deeds, err := authz.Deeds(v.ctx, tx, grant, deedsShown)
		data.Deeds = page.Deeds{Home: shell.Organization.URL(), URL: v.at("support", g.ID.String(), "deeds"), Today: shell.Today, Items: deeds, Live: data.Grant.State == authz.GrantOpen}
		v.offerActs(&data)
		return data, err
	})
}

func grantTitle(g authz.SupportGrant) string {
	if g.StaffName == "" {
		return "Invitation to support"
	}
	return "Support: " + g.StaffName
}

func (v *visit) offerActs(data *page.SupportVisit) {
	at := v.at("support", data.Grant.ID.String())
	own := data.Grant.Staff == v.scope.Person().ID
	switch data.Grant.State {
	case authz.GrantWaiting:
		if v.may(rightTo(authz.Approve, authz.Support)) && !own {
			data.ApproveURL = at + "/approve"
			data.Acts = append(data.Acts, page.Act{URL: at + "/refuse", Label: "Refuse", Icon: "ban", Key: newFormKey()})
		}
	case authz.GrantOpen, authz.GrantInvited:
		if v.may(rightTo(authz.Delete, authz.Support)) {
			data.Acts = append(data.Acts, page.Act{URL: at + "/end", Label: "End access now", Icon: "ban", Class: "btn-danger"})
		}
	}
}

// showDeeds is the part of a visit's page that is asked for again and again while someone is in.
func showDeeds(v *visit) error {
	grant, err := idParam[authz.SupportGrant](v, "id")
	if err != nil {
		return err
	}
	var data page.Deeds
	err = v.run(func(tx *tenant.Tx) error {
		g, err := authz.SupportByID(v.ctx, tx, grant)
		if err != nil {
			return err
		}
		shell, err := v.shell(tx, "", "")
		if err != nil {
			return err
		}
		data = page.Deeds{Home: shell.Organization.URL(), URL: v.at("support", g.ID.String(), "deeds"), Today: shell.Today, Live: g.State(tx.Now()) == authz.GrantOpen}
		data.Items, err = authz.Deeds(v.ctx, tx, grant, deedsShown)
		return err
	})
	if err != nil {
		return err
	}
	return v.part("support-visit", "deeds", data)
}

// sendReceipt gives the receipt as a file, which countinghouse audit receipt holds against the sealed record.
func sendReceipt(v *visit) error {
	grant, err := idParam[authz.SupportGrant](v, "id")
	if err != nil {
		return err
	}
	var receipt audit.Receipt
	err = v.run(func(tx *tenant.Tx) error {
		g, err := authz.SupportByID(v.ctx, tx, grant)
		if err != nil {
			return err
		}
		if g.Receipt != nil {
			receipt = audit.Receipt{Grant: g.ID.UUID, Rows: g.Receipt.Rows, Digest: g.Receipt.Digest}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if receipt.Digest == nil {
		say(v.c, "There is no receipt yet. It is written within minutes after a visit is over.")
		return v.c.Redirect(v.at("support", grant.String()), http.StatusSeeOther)
	}
	return v.stream("receipt-"+grant.String()+".json", "application/json", func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		return audit.WriteReceipt(ctx, run, w, receipt)
	})
}

func showApprove(v *visit, status int, refused *page.Form) error {
	grant, err := idParam[authz.SupportGrant](v, "id")
	if err != nil {
		return err
	}
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, v.at("support", grant.String(), "approve"))
	}
	return v.show(status, "support-edit", func(tx *tenant.Tx) (any, error) {
		g, err := authz.SupportByID(v.ctx, tx, grant)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Let "+g.StaffName+" in", "support")
		return page.SupportForm{Shell: shell, Form: orFresh(refused, func() page.Form { return newTermsForm(g.Terms) }),
			Action: v.at("support", g.ID.String(), "approve"), Grant: g, Scopes: v.server.scopeChoices()}, err
	})
}

func sendApprove(v *visit) error {
	grant, err := idParam[authz.SupportGrant](v, "id")
	if err != nil {
		return err
	}
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, v.at("support", grant.String(), "approve"))
	}
	var link string
	return v.send([]string{"scopes", "masks"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		_, secret, err := authz.ApproveSupport(v.ctx, tx, v.server.Policy, grant, termsOf(sent))
		link = secret
		return grant.UUID, err
	}, func(uuid.UUID) string {
		if link != "" {
			v.server.Desk.LetIn(v.ctx, grant, link)
			say(v.c, "Support may come in")
		}
		return v.at("support", grant.String())
	}, func(form page.Form) error { return showApprove(v, http.StatusUnprocessableEntity, &form) })
}

func sendRefuse(v *visit) error {
	return sendGrantAct(v, "Refused", func(tx *tenant.Tx, grant authz.GrantID) error {
		_, err := authz.RefuseSupport(v.ctx, tx, grant)
		return err
	})
}

func sendEnd(v *visit) error {
	return sendGrantAct(v, "Support access is over", func(tx *tenant.Tx, grant authz.GrantID) error {
		return authz.EndSupport(v.ctx, tx, grant)
	})
}

func sendGrantAct(v *visit, done string, act func(tx *tenant.Tx, grant authz.GrantID) error) error {
	grant, err := idParam[authz.SupportGrant](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) { return grant.UUID, act(tx, grant) },
		func(made uuid.UUID) string {
			v.server.Desk.Ended(v.ctx, id.Of[authz.SupportGrant]{UUID: made})
			say(v.c, done)
			return v.at("support", made.String())
		}, func(form page.Form) error { return showGrant(v, http.StatusConflict, form) })
}
