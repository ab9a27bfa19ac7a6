package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/web"
)

func TestSupportGrantsForPrograms(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	nadia, grant := h.visitor(t, o, true, "invoices:read")
	waiting := h.askedIn(t, o.slug)
	var all web.List[web.SupportGrantView]
	o.call(t, "GET", "/v1/support-grants", nil).decode(t, &all)
	if len(all.Items) != 2 || all.HasMore || all.Items[0].ID != waiting || all.Items[0].State != "waiting" || all.Items[1].ID != grant ||
		all.Items[1].State != "open" || all.Items[1].Staff != "Nadia Brandt" || all.Items[1].Ticket != "48213" || all.Items[1].Scopes[0] != "invoices:read" || !all.Items[1].Masked {
		t.Fatalf("%+v", all)
	}
	o.call(t, "GET", "/v1/support-grants?limit=1", nil).decode(t, &all)
	if len(all.Items) != 1 || !all.HasMore || all.Items[0].ID != waiting {
		t.Errorf("the first page: %+v", all)
	}
	o.call(t, "GET", "/v1/support-grants?limit=1&starting_after="+waiting, nil).decode(t, &all)
	if len(all.Items) != 1 || all.HasMore || all.Items[0].ID != grant {
		t.Errorf("the second page: %+v", all)
	}
	o.call(t, "GET", "/v1/support-grants?limit=1&ending_before="+grant, nil).decode(t, &all)
	if len(all.Items) != 1 || all.Items[0].ID != waiting {
		t.Errorf("back again: %+v", all)
	}

	narrow := program{h, h.tokenFor(t, o.browser, o.slug, "support:read")}
	if a := narrow.call(t, "POST", "/v1/support-grants/"+grant+"/end", nil); a.status != http.StatusForbidden {
		t.Errorf("who may only read ends it: %d", a.status)
	}
	if a := (program{h, h.tokenFor(t, o.browser, o.slug, "invoices:read")}).call(t, "GET", "/v1/support-grants", nil); a.status != http.StatusForbidden {
		t.Errorf("who may read invoices alone: %d", a.status)
	}
	for _, verb := range []string{"approve", "refuse"} {
		if a := o.call(t, "POST", "/v1/support-grants/"+waiting+"/"+verb, map[string]any{"minutes": 60}); a.status != http.StatusNotFound {
			t.Errorf("a program can %s: %d", verb, a.status)
		}
	}
	if a := nadia.get(t, o.path("/invoices")); a.status != http.StatusOK {
		t.Fatalf("she is not in: %d", a.status)
	}
	var ended web.SupportGrantView
	o.call(t, "POST", "/v1/support-grants/"+grant+"/end", nil).decode(t, &ended)
	if ended.State != "ended" || ended.EndedAt == nil || ended.EndedHow != "owner" {
		t.Errorf("%+v", ended)
	}
	if a := nadia.get(t, o.path("/invoices")); a.status != http.StatusNotFound {
		t.Errorf("after its end: %d", a.status)
	}
	if a := o.call(t, "POST", "/v1/support-grants/"+grant+"/end", nil); a.status != http.StatusConflict {
		t.Errorf("ending twice: %d", a.status)
	}
	if a := o.call(t, "POST", "/v1/support-grants/"+waiting+"/end", nil); a.status != http.StatusConflict {
		t.Errorf("ending what was not given: %d", a.status)
	}
	h.Desk.Flush()
	o.call(t, "GET", "/v1/support-grants/"+grant, nil).decode(t, &ended)
	if ended.Receipt == nil || ended.Receipt.Rows != 1 || len(ended.Receipt.SHA256) != 64 {
		t.Errorf("the receipt: %+v", ended.Receipt)
	}
	if a := o.browser.get(t, "/openapi.json"); !strings.Contains(string(a.body), `"/v1/support-grants/{id}/end"`) || !strings.Contains(string(a.body), "no API token can invite, approve or refuse") {
		t.Error("the description of the API does not say it")
	}
}
