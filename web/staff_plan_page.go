package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

const (
	staffPlansPath    = "/staff/plans"
	staffAccountsPath = "/staff/accounts"
)

func (s *Server) registerStaffPlanPages() {
	see, change := staffTo(authz.Read, authz.StaffPlans), staffTo(authz.Change, authz.StaffPlans)
	s.staff("GET", "/plans", see, func(v *staffVisit) error { return showStaffPlans(v, http.StatusOK, nil, nil) })
	s.staff("POST", "/plans", change, sendStaffPlan)
	s.staff("POST", "/plans/biller", change, sendStaffBiller)
	s.staff("GET", "/accounts", see, func(v *staffVisit) error {
		return showStaffAccounts(v, http.StatusOK, page.NewForm("slug", v.c.Query("slug")))
	})
	s.staff("POST", "/accounts", change, sendStaffMove)
	for state, done := range map[plan.State]string{plan.Suspended: "Suspended: it can be read, and not changed", plan.Active: "It goes on", plan.Exempt: "Exempt from bills and limits"} {
		s.staff("POST", "/accounts/:id/"+string(state), staffTo(authz.Change, authz.StaffOrganizations), func(v *staffVisit) error {
			return sendStaffStanding(v, state, done)
		})
	}
}

func showStaffPlans(v *staffVisit, status int, form, biller *page.Form) error {
	data := page.StaffPlans{StaffShell: v.frame("Plans", "plans")}
	var all []plan.Plan
	var slug string
	err := v.run(func(tx *tenant.PlatformTx) (err error) {
		if slug, err = plan.BillerSlug(v.ctx, tx); err != nil {
			return err
		}
		all, err = plan.All(v.ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	data.Items, data.Biller = all, slug
	data.BillerForm = orFresh(biller, func() page.Form { return page.NewForm("slug", slug) })
	data.Form = orFresh(form, func() page.Form {
		for _, p := range all {
			if p.Code == v.c.Query("plan") {
				return planForm(p)
			}
		}
		return page.NewForm("version", "0", "currency", "EUR", "trial_days", "14", "place", strconv.Itoa(len(all)), "public", "yes")
	})
	data.Known = data.Form.Value("version") != "0"
	return render(v.c, status, "staff-plans", data)
}

func planForm(p plan.Plan) page.Form {
	limit := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return page.NewForm("version", strconv.Itoa(p.Version), "code", p.Code, "name", p.Name, "currency", p.Currency.Code(),
		"month_price", p.Price(plan.Monthly).String(), "year_price", p.Price(plan.Yearly).String(), "tax_codes", p.Taxes,
		"trial_days", strconv.Itoa(p.TrialDays), "members", limit(p.Members), "invoices", limit(p.Invoices), "storage_mb", limit(p.StorageMB),
		"place", strconv.Itoa(p.Place), "public", box(p.Public), "initial", box(p.Initial))
}

func planInput(sent url.Values) (plan.Plan, error) {
	var faults fault.List
	text := func(name string) string { return strings.TrimSpace(sent.Get(name)) }
	p := plan.Plan{Code: text("code"), Name: text("name"), Taxes: text("tax_codes"), Public: sent.Get("public") != "", Initial: sent.Get("initial") != ""}
	for name, to := range map[string]*int{"version": &p.Version, "trial_days": &p.TrialDays, "members": &p.Members, "invoices": &p.Invoices,
		"storage_mb": &p.StorageMB, "place": &p.Place} {
		*to = wholeNumber(sent, name, &faults)
	}
	var err error
	if p.Currency, err = money.ParseCurrency(text("currency")); err != nil {
		faults.Add("currency", err)
	}
	for name, to := range map[string]*int64{"month_price": &p.MonthPrice, "year_price": &p.YearPrice} {
		if *to, err = formMoney(name, text(name), p.Currency); err != nil {
			faults.Add("", err)
		}
	}
	return p, faults.Err()
}

// sendStaffPlan takes a fresh proof, as all that changes what others pay or may do.
func sendStaffPlan(v *staffVisit) error {
	return v.sendProved(staffPlansPath, "Plan saved", func(tx *tenant.PlatformTx, sent url.Values) error {
		p, err := planInput(sent)
		if err != nil {
			return err
		}
		if err := plan.Define(v.ctx, tx, p); err != nil {
			return err
		}
		return authz.RecordStaff(v.ctx, tx, v.staff.Person.ID, tenant.Act{Action: "plan.define", Object: "plan", Detail: p.Code})
	}, func(form page.Form) error { return showStaffPlans(v, http.StatusUnprocessableEntity, &form, nil) })
}

func sendStaffBiller(v *staffVisit) error {
	return v.sendProved(staffPlansPath, "Saved", func(tx *tenant.PlatformTx, sent url.Values) error {
		slug := strings.TrimSpace(sent.Get("slug"))
		if err := plan.SetBiller(v.ctx, tx, slug); err != nil {
			return err
		}
		return authz.RecordStaff(v.ctx, tx, v.staff.Person.ID, tenant.Act{Action: "plan.biller", Object: "organization", Detail: slug})
	}, func(form page.Form) error { return showStaffPlans(v, http.StatusUnprocessableEntity, nil, &form) })
}

// sendProved runs a form of the console once its sender has shown anew that it is them.
func (v *staffVisit) sendProved(back, done string, act func(tx *tenant.PlatformTx, sent url.Values) error, refused func(form page.Form) error) error {
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, back)
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	err = v.run(func(tx *tenant.PlatformTx) error { return act(tx, sent) })
	form := page.FormOf(sent)
	if form.Refused(err) {
		return refused(form)
	} else if err != nil {
		return err
	}
	say(v.c, done)
	return v.c.Redirect(back, http.StatusSeeOther)
}

func showStaffAccounts(v *staffVisit, status int, form page.Form) error {
	data := page.StaffAccounts{StaffShell: v.frame("Accounts", "plans"), Form: form}
	err := v.run(func(tx *tenant.PlatformTx) error {
		plans, err := plan.All(v.ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range plans {
			data.Plans = append(data.Plans, page.Option{Value: p.Code, Label: p.Name})
		}
		found, err := plan.Standings(v.ctx, tx, v.c.Query("after"), staffPageLength+1)
		if len(found) > staffPageLength {
			found = found[:staffPageLength]
			data.More = v.c.Path() + "?after=" + url.QueryEscape(found[staffPageLength-1].Slug)
		}
		for _, s := range found {
			data.Items = append(data.Items, page.StaffAccount{Standing: s, Acts: v.accountActs(s)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return render(v.c, status, "staff-accounts", data)
}

func (v *staffVisit) accountActs(s plan.Standing) (acts []page.Act) {
	if !v.may(staffTo(authz.Change, authz.StaffOrganizations)) {
		return nil
	}
	at := staffAccountsPath + "/" + s.Slug + "/"
	if s.State == plan.Suspended {
		acts = append(acts, page.Act{URL: at + string(plan.Active), Label: "Let it go on", Icon: "undo-2", Class: "btn-small"})
	} else {
		acts = append(acts, page.Act{URL: at + string(plan.Suspended), Label: "Suspend", Icon: "ban", Class: "btn-small btn-danger",
			Ask: "From the next request on it can be read and exported, and not changed, until staff let it go on.", Does: "Suspend " + s.Slug})
	}
	if s.State != plan.Exempt {
		acts = append(acts, page.Act{URL: at + string(plan.Exempt), Label: "Exempt", Icon: "handshake", Class: "btn-small btn-quiet",
			Ask: "It has no limits and gets no further bills. What was billed stays.", Does: "Exempt " + s.Slug})
	}
	return acts
}

func sendStaffMove(v *staffVisit) error {
	return v.sendProved(staffAccountsPath, "Saved", func(tx *tenant.PlatformTx, sent url.Values) error {
		var faults fault.List
		days := wholeNumber(sent, "trial_days", &faults)
		if err := faults.Err(); err != nil {
			return err
		}
		slug := strings.TrimSpace(sent.Get("slug"))
		if err := plan.Move(v.ctx, tx, slug, sent.Get("plan"), days); err != nil {
			return err
		}
		return authz.RecordStaff(v.ctx, tx, v.staff.Person.ID, tenant.Act{Action: "plan.move", Object: "organization", Detail: slug + " to " + sent.Get("plan")})
	}, func(form page.Form) error { return showStaffAccounts(v, http.StatusUnprocessableEntity, form) })
}

func sendStaffStanding(v *staffVisit, state plan.State, done string) error {
	return v.sendProved(staffAccountsPath, done, func(tx *tenant.PlatformTx, _ url.Values) error {
		slug := v.c.Params("id")
		if err := plan.SetState(v.ctx, tx, slug, state); err != nil {
			return err
		}
		return authz.RecordStaff(v.ctx, tx, v.staff.Person.ID, tenant.Act{Action: "organization." + string(state), Object: "organization", Detail: slug})
	}, func(form page.Form) error { return showStaffAccounts(v, http.StatusUnprocessableEntity, form) })
}
