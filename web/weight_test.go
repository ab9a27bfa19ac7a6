package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
)

var loads = regexp.MustCompile(`<(?:script src|link rel="stylesheet" href)="([^"]+)"`)

// The pages with the longest lists of choices, with their stylesheet and scripts as they are sent: the page itself is not
// compressed, since what stands beside a secret could be guessed by the length.
func TestPagesOfManyChoicesStayLight(t *testing.T) {
	t.Parallel()
	const most = 100_000
	h := open(t)
	o := h.signUp(t)
	for _, path := range []string{"/settings", "/customers/new", "/payees/new", "/invoices/new"} {
		page := o.browser.get(t, o.path(path))
		weight := len(page.body)
		for _, found := range loads.FindAllSubmatch(page.body, -1) {
			r := httptest.NewRequest("GET", string(found[1]), http.NoBody)
			r.Header.Set("Accept-Encoding", "gzip")
			a := h.send(t, r)
			if a.header.Get("Content-Encoding") != "gzip" {
				t.Errorf("%s goes out as %q", found[1], a.header.Get("Content-Encoding"))
			}
			weight += len(a.body)
		}
		t.Logf("%s: %d bytes, %d of them its own", path, weight, len(page.body))
		if page.status != http.StatusOK || weight > most {
			t.Errorf("%s: %d, %d bytes", path, page.status, weight)
		}
	}
}
