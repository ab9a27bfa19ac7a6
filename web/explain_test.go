package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// personOf is who has signed in with a browser.
func (h *house) personOf(t testing.TB, b *browser, slug string) string {
	t.Helper()
	hash, ok := identity.HashToken(b.cookies["__Host-session"])
	if !ok {
		t.Fatal("no session")
	}
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, slug)
	if err != nil {
		t.Fatal(err)
	}
	return scope.Person().ID.String()
}

func TestExplainOnePersonAndOneRight(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	o := e.owner
	member := func(role string) string { return h.personOf(t, h.memberWith(t, e, role), o.slug) }
	denied := member("accountant")
	wantRedirect(t, "denying", o.browser.post(t, o.path("/members/"+denied+"/deny"), "idempotency_key", tenanttest.Random(8)), o.path("/members"))
	own := o.program.made(t, "/v1/roles", map[string]any{"name": "Till", "rights": []string{"invoices:read"}})
	var made struct{ Role string }
	o.program.call(t, "GET", "/v1/roles/"+own, nil).decode(t, &made)
	stranger := h.signUp(t)
	till, administrator, auditor := member(made.Role), member("administrator"), member("auditor")
	c, grant := h.visitor(t, o, true, "invoices:read")
	over := h.hire(t, "support", true)
	past := over.asks(t, o, "invoices:read")
	o.lets(t, past, true, 60, "invoices:read")
	wantRedirect(t, "ending", o.browser.post(t, o.path("/support/"+past+"/end")), o.path("/support/"+past))

	for _, c := range []struct {
		what, person, right, cause string
		allowed                    bool
		rule, say                  string
	}{
		{"an own role has it", till, "invoices:read", "role", true, "own, invoices, read", "Their role, Till, lets them"},
		{"an own role lacks it", till, "invoices:approve", "no_rule", false, "", "No rule of their role, Till,"},
		{"a ready-made role has it", administrator, "members:change", "role", true, "administrator, *, *, *, allow", "Administrator"},
		{"a rule that forbids wins", administrator, "support:approve", "deny_rule", false, "administrator, support, create approve, *, deny", "wins over every rule"},
		{"who is denied access", denied, "invoices:read", "denied", false, "accountant", "denied access"},
		{"an auditor reads gateways, and no secrets", auditor, "gateways:read", "role", true, "auditor, *, read, *, allow", "Secrets are masked for everyone."},
		{"an auditor changes nothing", auditor, "gateways:change", "no_rule", false, "", "Auditor"},
		{"support within its grant", c.person.ID.String(), "invoices:read", "support", true, "support, *, *, yes, allow", "An owner let them in"},
		{"support beyond its grant", c.person.ID.String(), "payments:read", "scope", false, "support, *, *, yes, allow", "does not reach it"},
		{"what support never may", c.person.ID.String(), "tokens:read", "deny_rule", false, ", yes, deny", "Support never may"},
		{"support whose visit is over", over.person.ID.String(), "invoices:read", "nobody", false, "", "no support access of theirs is open"},
		{"who is not here at all", h.personOf(t, stranger.browser, stranger.slug), "invoices:read", "nobody", false, "", "not a member"},
	} {
		query := "?person=" + c.person + "&right=" + url.QueryEscape(c.right)
		var got struct {
			Allowed          bool
			Cause, Rule, Say string
			Grant            string `json:"support_grant_id"`
			Right, Name      string
		}
		o.program.call(t, "GET", "/v1/rights/explain"+query, nil).decode(t, &got)
		if got.Allowed != c.allowed || got.Cause != c.cause || !strings.Contains(got.Rule, c.rule) || (c.rule == "") != (got.Rule == "") || !strings.Contains(got.Say, c.say) || got.Right != c.right {
			t.Errorf("%s: %+v", c.what, got)
		}
		if (c.cause == "support" || c.cause == "scope" || c.say == "Support never may") != (got.Grant == grant) {
			t.Errorf("%s names the grant %q", c.what, got.Grant)
		}
		a := o.browser.get(t, o.path("/rights"+query))
		body := html.UnescapeString(string(a.body))
		verdict := "may not " + got.Name
		if c.allowed {
			verdict = "may " + got.Name
		}
		if a.status != http.StatusOK || !strings.Contains(body, verdict) || !strings.Contains(body, c.say) || !strings.Contains(body, got.Rule) {
			t.Errorf("%s, the page: %d %s", c.what, a.status, body)
		}
		if (got.Grant != "") != strings.Contains(body, `href="`+o.path("/support/"+grant)+`">See the support access`) {
			t.Errorf("%s: the page leads to the wrong grant", c.what)
		}
	}
	for _, query := range []string{"", "?person=x&right=invoices:read", "?person=" + till + "&right=invoices:fly", "?person=" + till} {
		wantStatus(t, "asking "+query, o.program.call(t, "GET", "/v1/rights/explain"+query, nil), http.StatusUnprocessableEntity)
	}
	// The answer is what happens.
	wantStatus(t, "support within its grant", c.get(t, o.path("/invoices")), http.StatusOK)
	wantStatus(t, "support beyond it", c.get(t, o.path("/payments")), http.StatusForbidden)
}
