package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// Staff define a plan, name who bills, and put an organization on it; it chooses, is suspended and goes on.
func TestPlanPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	boss := h.hire(t, authz.StaffAdministrator, true)
	biller, o := h.signUp(t), h.signUp(t)
	small, large := "s"+strings.ToLower(tenanttest.Random(5)), "l"+strings.ToLower(tenanttest.Random(5))
	define := func(code, name, price, year, invoices string) answer {
		return boss.post(t, "/staff/plans", "version", "0", "code", code, "name", name, "currency", "EUR", "month_price", price, "year_price", year,
			"trial_days", "14", "place", "1", "invoices", invoices, "public", "yes")
	}
	wantStatus(t, "a price below nothing", define(small, "Small", "-1", "1", ""), http.StatusUnprocessableEntity)
	wantStatus(t, "define", define(small, "Small", "10.00", "100.00", "1"), http.StatusSeeOther)
	wantStatus(t, "define again", define(small, "Small", "10.00", "100.00", "1"), http.StatusUnprocessableEntity)
	wantStatus(t, "define another", define(large, "Large", "30.00", "300.00", ""), http.StatusSeeOther)
	wantStatus(t, "an unknown biller", boss.post(t, "/staff/plans/biller", "slug", "nobody-at-all"), http.StatusUnprocessableEntity)
	wantStatus(t, "biller", boss.post(t, "/staff/plans/biller", "slug", biller.slug), http.StatusSeeOther)
	wantStatus(t, "an unknown organization", boss.post(t, "/staff/accounts", "slug", "nobody-at-all", "plan", small), http.StatusUnprocessableEntity)
	wantStatus(t, "support puts it on a plan", h.hire(t, authz.StaffSupport, true).post(t, "/staff/accounts", "slug", o.slug, "plan", small), http.StatusForbidden)
	if body := string(o.get(t, o.path("/settings/plan")).body); !strings.Contains(body, "nothing to pay") {
		t.Error("before there was a plan there is something to pay")
	}
	wantStatus(t, "move", boss.post(t, "/staff/accounts", "slug", o.slug, "plan", small, "trial_days", "30"), http.StatusSeeOther)
	if body := string(o.get(t, o.path("/settings/plan")).body); !strings.Contains(body, "On trial") || !strings.Contains(body, "€10.00 a month") || !strings.Contains(body, "0 of 1") {
		t.Errorf("the plan's page: %s", body)
	}

	invoice := func() string {
		return o.program.made(t, "/v1/invoices", map[string]any{"customer_id": o.program.made(t, "/v1/customers", map[string]any{"name": "Nuno"}),
			"lines": []any{map[string]any{"description": "Work", "quantity": "1", "unit_price": "100"}}})
	}
	first, second := invoice(), invoice()
	wantStatus(t, "the first invoice", o.program.call(t, "POST", "/v1/invoices/"+first+"/issue", nil), http.StatusOK)
	if a := o.program.call(t, "POST", "/v1/invoices/"+second+"/issue", nil); a.status != http.StatusConflict || !strings.Contains(string(a.body), `"plan.invoices"`) {
		t.Errorf("beyond the limit: %d %s", a.status, a.body)
	}
	wantStatus(t, "a plan that there is not", o.post(t, o.path("/settings/plan"), "plan", "none", "cycle", "month"), http.StatusUnprocessableEntity)
	wantStatus(t, "choose", o.post(t, o.path("/settings/plan"), "plan", large, "cycle", "year"), http.StatusSeeOther)
	if body := string(o.get(t, o.path("/settings/plan")).body); !strings.Contains(body, "€300.00 a year") {
		t.Errorf("after the choice: %s", body)
	}
	wantStatus(t, "the second invoice", o.program.call(t, "POST", "/v1/invoices/"+second+"/issue", nil), http.StatusOK)
	if a := o.program.call(t, "PUT", "/v1/plan", map[string]any{"plan": small, "cycle": "month"}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"plan":"`+small+`"`) {
		t.Errorf("choose by the API: %d %s", a.status, a.body)
	}
	wantStatus(t, "another's bill", o.post(t, o.path("/settings/plan/pay"), "bill", first), http.StatusNotFound)

	wantStatus(t, "suspend", boss.post(t, "/staff/accounts/"+o.slug+"/suspended"), http.StatusSeeOther)
	for name, a := range map[string]answer{"form": o.post(t, o.path("/customers"), "name", "Mara"), "API": o.program.call(t, "POST", "/v1/customers", map[string]any{"name": "Mara"})} {
		if a.status != http.StatusForbidden || !strings.Contains(string(a.body), "suspended") {
			t.Errorf("suspended, %s: %d %s", name, a.status, a.body)
		}
	}
	for _, path := range []string{"", "/customers", "/settings/plan", "/invoices/" + first, "/activity.csv"} {
		if a := o.get(t, o.path(path)); a.status != http.StatusOK || path == "" && !strings.Contains(string(a.body), "is suspended") {
			t.Errorf("suspended, reading %q: %d", path, a.status)
		}
	}
	wantStatus(t, "suspended, choosing", o.post(t, o.path("/settings/plan"), "plan", large, "cycle", "month"), http.StatusUnprocessableEntity)
	wantStatus(t, "suspended, ending a token", o.program.call(t, "DELETE", "/v1/tokens/0192aaaa-0000-7000-8000-000000000000", nil), http.StatusNotFound)
	wantStatus(t, "go on", boss.post(t, "/staff/accounts/"+o.slug+"/active"), http.StatusSeeOther)
	wantStatus(t, "going on", o.post(t, o.path("/customers"), "name", "Mara", "idempotency_key", tenanttest.Random(8)), http.StatusSeeOther)
	wantStatus(t, "exempt", boss.post(t, "/staff/accounts/"+o.slug+"/exempt"), http.StatusSeeOther)
	if body := string(o.get(t, o.path("/settings/plan")).body); !strings.Contains(body, "No limits and no bills") {
		t.Errorf("exempt: %s", body)
	}
	if body := string(boss.get(t, "/staff/accounts").body); !strings.Contains(body, o.slug) {
		t.Error("staff do not see the account")
	}
	wantStatus(t, "nobody bills", boss.post(t, "/staff/plans/biller", "slug", ""), http.StatusSeeOther)
}
