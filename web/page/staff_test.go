package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/setting"
)

func sampleStaffShell(title, nav string) StaffShell {
	return StaffShell{Title: title, Nav: nav, Person: mara, Flash: Flash{Say: "Saved."}, Now: now, May: func(string) bool { return true }}
}

func staffSamples() map[string]any {
	member := func(state string, factor bool, rights ...string) authz.StaffMember {
		m := authz.StaffMember{Role: authz.StaffSupport, Rights: rights, State: state, AddedAt: now, SecondFactor: factor}
		m.Person.Name, m.Person.Email = "Nadia Brandt", "nadia@countinghouse.example"
		return m
	}
	form := refused(NewForm("email", "nadia", "rights", "visits:read"), fault.New(fault.Invalid, "email.shape", "No.").At("email"), authz.ErrStaffRights)
	waiting := sampleGrant(nil)
	scopes := []ScopeRow{{"invoices", "Invoices", true, true}, {"reports", "Reports", true, false}}
	terms := refused(NewForm("scopes", "invoices:read", "minutes", "240", "masks", "names"), authz.ErrGrantScopes, authz.ErrGrantMinutes, authz.ErrGrantTicket)
	numbers := refused(NewForm("version", "3", "password.min_length", "9"), setting.ErrValue.At("password.min_length"), setting.ErrChanged)
	settings := StaffSettings{sampleStaffShell("Settings", "settings"), numbers, nil, []setting.Past{{Name: "session.days", Value: "7", At: now, Person: "Nadia Brandt"}, {Name: "captcha.secret", At: now}}, "Ada Byron"}
	for _, g := range setting.Groups() {
		group := SettingGroup{ID: strings.ToLower(g.Title[:3]) + "-h", Title: g.Title, Say: g.Say}
		for _, n := range g.Names {
			group.Fields = append(group.Fields, NewSettingField(numbers, n, setting.Defaults()))
		}
		settings.Groups = append(settings.Groups, group)
	}
	small := plan.Plan{Code: "small", Name: "Small", Currency: eur, MonthPrice: 1000, YearPrice: 10000, TrialDays: 14, Members: 1, Invoices: 5, StorageMB: 10, Public: true, Initial: true}
	return map[string]any{
		"staff-plans": StaffPlans{StaffShell: sampleStaffShell("Plans", "plans"), Form: refused(NewForm("version", "2", "name", "Small"), plan.ErrPrices, plan.ErrChanged), Known: true,
			BillerForm: refused(NewForm("slug", "x"), plan.ErrNoBiller), Biller: "house", Items: []plan.Plan{small, {Code: "free", Name: "Free", Currency: eur}}},
		"staff-accounts": StaffAccounts{StaffShell: sampleStaffShell("Accounts", "plans"), Form: refused(NewForm("slug", "x"), plan.ErrNoAccount), Plans: []Option{{Value: "small", Label: "Small"}}, More: "/x",
			Items: []StaffAccount{{plan.Standing{Slug: "elm", State: plan.Suspended, Held: true, Since: now}, []Act{sampleAct()}}, {plan.Standing{Slug: "oak", Plan: "Small", State: plan.PastDue, Since: now}, nil}}},
		"staff-settings": settings,
		"staff-jobs": StaffJobs{StaffShell: sampleStaffShell("Jobs", "jobs"), Form: refused(NewForm(), jobs.ErrNotRetried), Standing: "failed", Standings: []Option{{Value: "failed", Label: "failed: 1"}},
			Kinds: []Option{{Value: "audit.seal", Label: "audit.seal"}}, More: "/x", Items: []JobRow{{Status: jobs.Status{ID: 7, Kind: "audit.seal", Stamp: "0192", Standing: jobs.Failed, Tries: 3, Most: 3, Due: now, Error: "no <answer>"},
				Acts: []Act{{URL: "/y", Label: "Try again", Icon: "undo-2"}}}, {Status: jobs.Status{ID: 8, Kind: "platform.keys", Standing: jobs.Waiting, Due: now}}}},
		"staff-visits":     StaffVisits{sampleStaffShell("Support visits", "visits"), refused(NewForm(), authz.ErrGrantOver), []GrantRow{waiting, sampleGrant(&yes)}},
		"staff-visit-edit": StaffRequest{sampleStaffShell("Ask to be let in", "visits"), terms, scopes},
		"staff-home":       StaffHome{sampleStaffShell("Staff console", ""), authz.StaffRoles()[0]},
		"staff-organizations": StaffOrganizations{sampleStaffShell("Organizations", "organizations"), []StaffOrganizationRow{{authz.StaffOrganization{Slug: "tidewater", State: "active", Compartment: 1, CreatedAt: now}, 21, false, "1.4 MB"},
			{authz.StaffOrganization{Slug: "elm", State: "suspended", Compartment: 2, CreatedAt: now}, 19, true, "900 kB"}}, "/staff/organizations?after=elm"},
		"staff-fleet": StaffFleet{StaffShell: sampleStaffShell("Fleet", "fleet"), URL: "/staff/fleet", Size: "1.2 GB", Parts: []FleetPart{{"Database", true}, {"Keyring", false}},
			Version: 21, Platform: 27, Last: &now, Failed: 1, Server: "15.12", Connections: 12, Most: 100, Spare: true, Compartments: []FleetCompartment{{1, 40, 2, 3}, {ID: 2}},
			Failures: []FleetFailure{{Schema: "t_0192", Version: 20, SQLState: "23514", Reason: "check <constraint>", At: now}, {Schema: "t_0193", Slug: "elm", At: now}}},
		"staff-people": StaffPeople{sampleStaffShell("Staff", "people"), form, []StaffRow{{member("active", true), []Act{sampleAct()}}, {member("denied", false, "visits:read", "jobs:write"), nil}},
			[]Option{{Value: "support", Label: "Support"}}, []Option{{Value: "visits:read", Label: "visits:read"}}},
	}
}

var yes, no = true, false

func sampleGrant(granted *bool) GrantRow {
	until, at := now.Add(time.Hour), now.Add(-time.Minute)
	g := authz.SupportGrant{ID: id.New[authz.SupportGrant](), Slug: "tidewater", StaffName: "Nadia Brandt", AskedAt: at,
		Terms: authz.Terms{Reason: "A payment is <missing>", Ticket: "48213", Scopes: []string{"invoices:write", "payments:read"}, Masks: authz.MaskGroups()[0].Mask, Minutes: 60}}
	if g.Granted = granted; granted != nil && *granted {
		g.Until, g.DecidedAt = &until, &at
	}
	return GrantRow{g, g.State(now), "/o/tidewater", []Act{sampleAct()}}
}

func supportSamples() map[string]any {
	shell := func(title string) Shell {
		s := sampleShell(title, "support")
		s.Visits = []VisitBanner{{Who: "Nadia Brandt", May: "read Invoices", Until: now.Add(3 * time.Hour), Now: now, Whole: 4 * time.Hour, Masks: "names masked", SeeURL: "/x", EndURL: "/y"}}
		return s
	}
	terms := refused(NewForm("scopes", "invoices:read", "minutes", "240"), authz.ErrGrantScopes, authz.ErrGrantMinutes)
	terms.Key = "k"
	ended := sampleGrant(&yes)
	ended.EndedAt, ended.EndedHow, ended.State = ended.DecidedAt, "owner", authz.GrantEnded
	ended.Receipt = &authz.ReceiptHead{At: now, Rows: 3, Digest: []byte{1, 2, 3}}
	deed := func(action string) authz.Deed {
		return authz.Deed{At: now, Action: action, Object: "payment_methods", Detail: "GET /o/:slug/invoices/:id. 48213 why"}
	}
	return map[string]any{
		"support": Support{shell("Support access"), []GrantRow{sampleGrant(nil), sampleGrant(&yes)}, []GrantRow{ended, sampleGrant(&no)}},
		"support-visit": SupportVisit{Shell: shell("Support: Nadia Brandt"), Form: refused(NewForm(), authz.ErrOwnRequest), Grant: ended, ApproveURL: "/x", Acts: []Act{sampleAct()},
			Deeds: Deeds{"/o/tidewater", "/z", now, true, []authz.Deed{deed("support.read"), deed("support.refused"), deed("support.change"), deed("customer.change")}}},
		"support-edit": SupportForm{Shell: shell("Let Nadia Brandt in"), Form: terms, Action: "/x", Grant: sampleGrant(nil).SupportGrant, Scopes: []ScopeRow{{"invoices", "Invoices", true, true}, {"reports", "Reports", true, false}}},
		"support-end":  SupportEnd{Gate: Gate{Title: "End support access", Person: nobody}, Token: "t0ken"},
	}
}

func TestSupportPages(t *testing.T) {
	t.Parallel()
	t.Run("the banner tells members who is in, and the support person that they are watched", func(t *testing.T) {
		t.Parallel()
		html := drawn(t, set, "support", supportSamples()["support"])
		for _, want := range []string{"Nadia Brandt", "may read Invoices", `data-left="10800"`, ">3:00:00<", "End access now", `action="/y"`} {
			if !strings.Contains(html, want) {
				t.Errorf("the banner lacks %s", want)
			}
		}
		data := supportSamples()["support"].(Support)
		data.Visits[0].Own = true
		if html := drawn(t, set, "support", data); !strings.Contains(html, "You are here as support") || !strings.Contains(html, "Leave now") {
			t.Error("the support person is not told")
		}
	})
	t.Run("a request and an open visit have no receipt", func(t *testing.T) {
		t.Parallel()
		for _, g := range []GrantRow{sampleGrant(nil), sampleGrant(&yes)} {
			html := drawn(t, set, "support-visit", SupportVisit{Shell: sampleShell("Support", "support"), Grant: g})
			if strings.Contains(html, "Receipt") || !strings.Contains(html, "Nothing so far") {
				t.Errorf("%s: %s", g.State, html)
			}
		}
	})
	t.Run("an invitation asks what for, and the link's page tells what it did", func(t *testing.T) {
		t.Parallel()
		if html := drawn(t, set, "support-edit", SupportForm{Shell: sampleShell("Let support in", "support"), Invite: true}); !strings.Contains(html, `name="reason"`) {
			t.Error("no reason is asked for")
		}
		for _, before := range []bool{true, false} {
			html := drawn(t, set, "support-end", SupportEnd{Gate: Gate{Title: "Support access is over", Person: nobody}, Done: true, Before: before})
			if strings.Contains(html, "<form method=\"post\" action=\"/support/end") || strings.Contains(html, "over before") != before {
				t.Errorf("before %v: %s", before, html)
			}
		}
	})
}

func TestStaffNavigationLeadsWhereItsReaderMayGo(t *testing.T) {
	t.Parallel()
	shell := sampleStaffShell("Staff console", "")
	shell.May = func(right string) bool { return slices.Contains([]string{"organizations:read"}, right) }
	html := drawn(t, set, "staff-home", StaffHome{shell, authz.StaffRoles()[1]})
	if !strings.Contains(html, `href="/staff/organizations"`) || strings.Contains(html, `href="/staff/people"`) {
		t.Errorf("the navigation: %s", html)
	}
	for _, item := range staffNavigation {
		if _, ok := authz.ParseStaffRight(item.right); !ok {
			t.Errorf("%s asks for %q, which is no right of staff", item.key, item.right)
		}
	}
}
