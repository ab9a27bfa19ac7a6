package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestClosingByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	accounts := map[string]string{}
	var chart struct{ Items []struct{ ID, Code string } }
	o.program.call(t, "GET", "/v1/accounts", nil).decode(t, &chart)
	for _, a := range chart.Items {
		accounts[a.Code] = a.ID
	}
	post := func(day string) answer {
		return o.program.call(t, "POST", "/v1/journal-entries", map[string]any{"date": day, "description": "Rent", "lines": []any{
			map[string]any{"account_id": accounts["5200"], "debit": map[string]string{"amount": "55.00", "currency": "EUR"}},
			map[string]any{"account_id": accounts["1010"], "credit": map[string]string{"amount": "55.00", "currency": "EUR"}}}})
	}
	if a := post("2025-12-30"); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	at := o.inside("/closing")
	sent := func(key string, more ...string) []string { return append([]string{"idempotency_key", key}, more...) }
	if a := o.browser.post(t, at, sent("future", "through", "2199-01-01")...); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "through today at most") {
		t.Errorf("a day to come: %d %s", a.status, a.body)
	}
	o.browser.post(t, at, sent("year", "through", "2025-12-31", "year_end", "yes")...).went(t)
	o.browser.get(t, at).holds(t, "closed through", "2025", "J-0002")
	if a := post("2025-12-31"); a.status != http.StatusConflict {
		t.Errorf("posted in a closed year: %d %s", a.status, a.body)
	}
	const year = "?from=2025-01-01&to=2025-12-31"
	o.browser.get(t, o.inside("/reports/profit-and-loss"+year)).holds(t, "55.00")
	o.browser.get(t, o.inside("/reports/balance-sheet"+year)).holds(t, "Result brought forward")
	o.browser.post(t, at+"/reopen", sent("open", "through", "2025-11-30")...).went(t)
	if page := o.browser.get(t, o.inside("/reports/balance-sheet"+year)); strings.Contains(string(page.body), "Result brought forward") {
		t.Error("the year is still closed")
	}
	if a := post("2025-12-31"); a.status != http.StatusCreated {
		t.Errorf("a reopened day: %d %s", a.status, a.body)
	}
	var now struct {
		Through string `json:"books_closed_through"`
		Years   []struct {
			TakenBack string `json:"reversed_by"`
		}
	}
	o.program.call(t, "GET", "/v1/closing", nil).decode(t, &now)
	if now.Through != "2025-11-30" || len(now.Years) != 1 || now.Years[0].TakenBack == "" {
		t.Errorf("%+v", now)
	}
	for path, body := range map[string]map[string]any{"close": {"through": "2025-11-30"}, "reopen": {"through": "2025-12-01"}} {
		if a := o.program.call(t, "POST", "/v1/closing/"+path, body); a.status != http.StatusConflict {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
