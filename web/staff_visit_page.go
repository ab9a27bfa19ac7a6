package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerStaffVisitPages() {
	s.staff("GET", "/visits", staffTo(authz.Read, authz.StaffVisits), func(v *staffVisit) error {
		return showStaffVisits(v, http.StatusOK, page.Form{})
	})
	s.staff("GET", "/visits/new", staffTo(authz.Create, authz.StaffVisits), func(v *staffVisit) error {
		return showStaffRequest(v, http.StatusOK, newTermsForm(authz.Terms{Masks: tenant.MaskAll, Minutes: authz.GrantMinutesDefault}))
	})
	s.staff("POST", "/visits", staffTo(authz.Create, authz.StaffVisits), sendStaffRequest)
	s.staff("POST", "/visits/:id/take", staffTo(authz.Create, authz.StaffVisits), func(v *staffVisit) error {
		return sendStaffVisitAct(v, authz.TakeInvitation, v.server.Desk.Taken, "You may come in.")
	})
	// Leaving takes no more than having come in.
	s.staff("POST", "/visits/:id/leave", staffTo(authz.Read, authz.StaffVisits), func(v *staffVisit) error {
		return sendStaffVisitAct(v, authz.LeaveSupport, v.server.Desk.Ended, "It is over. The owner gets a receipt.")
	})
}

func showStaffVisits(v *staffVisit, status int, form page.Form) error {
	data := page.StaffVisits{StaffShell: v.frame("Support visits", "visits"), Form: form}
	err := v.run(func(tx *tenant.PlatformTx) error {
		all, err := authz.VisitsOf(v.ctx, tx, v.staff.Person.ID)
		for _, g := range all {
			row := page.GrantRow{SupportGrant: g, State: g.State(tx.Now())}
			at := "/staff/visits/" + g.ID.String()
			switch row.State {
			case authz.GrantInvited:
				row.Acts = []page.Act{{URL: at + "/take", Label: "Take it up", Icon: "check", Class: "btn-small"}}
			case authz.GrantOpen:
				row.URL = "/o/" + g.Slug + enterAt(g.Terms.Scopes)
				row.Acts = []page.Act{{URL: at + "/leave", Label: "Leave", Icon: "log-out", Class: "btn-small"}}
			case authz.GrantWaiting:
				row.Acts = []page.Act{{URL: at + "/leave", Label: "Take back", Icon: "undo-2", Class: "btn-small"}}
			}
			data.Items = append(data.Items, row)
		}
		return err
	})
	if err != nil {
		return err
	}
	return render(v.c, status, "staff-visits", data)
}

// enterAt is the first page that scopes open: the overview takes invoices.
func enterAt(scopes []string) string {
	pages := map[string]string{
		"invoices": "", "customers": "/customers", "products": "/products", "payments": "/payments", "reports": "/ledger",
		"journal": "/journal", "accounts": "/accounts", "taxes": "/taxes", "settings": "/settings",
	}
	for _, scope := range scopes {
		module, _, _ := strings.Cut(scope, ":")
		if path, ok := pages[module]; ok {
			return path
		}
	}
	return ""
}

func showStaffRequest(v *staffVisit, status int, form page.Form) error {
	return render(v.c, status, "staff-visit-edit", page.StaffRequest{StaffShell: v.frame("Ask to be let in", "visits"), Form: form, Scopes: v.server.scopeChoices()})
}

func sendStaffRequest(v *staffVisit) error {
	sent, err := readForm(v.c, "scopes", "masks")
	if err != nil {
		return err
	}
	var grant authz.GrantID
	err = v.run(func(tx *tenant.PlatformTx) (err error) {
		grant, err = authz.RequestSupport(v.ctx, tx, v.server.Policy, v.staff.Person, sent.Get("slug"), termsOf(sent))
		return err
	})
	form := page.FormOf(sent)
	if form.Refused(err) {
		return showStaffRequest(v, statusOf(form.Faults[0].Kind), form)
	} else if err != nil {
		return err
	}
	v.server.Desk.Asked(v.ctx, grant)
	say(v.c, "Asked. The owners decide.")
	return v.c.Redirect("/staff/visits", http.StatusSeeOther)
}

func sendStaffVisitAct(v *staffVisit, act func(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID, grant authz.GrantID) error,
	tell func(ctx context.Context, grant authz.GrantID), done string) error {
	grant, err := pathID[authz.SupportGrant](v.c.Params("id"))
	if err != nil {
		return err
	}
	err = v.run(func(tx *tenant.PlatformTx) error { return act(v.ctx, tx, v.staff.Person.ID, grant) })
	var form page.Form
	if form.Refused(err) {
		return showStaffVisits(v, statusOf(form.Faults[0].Kind), form)
	} else if err != nil {
		return err
	}
	tell(v.ctx, grant)
	say(v.c, done)
	return v.c.Redirect("/staff/visits", http.StatusSeeOther)
}
