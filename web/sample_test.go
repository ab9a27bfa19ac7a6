package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// lookAround presses the button of the page that someone is on, and gives where it leads.
func (b *browser) lookAround(t testing.TB, on string) answer {
	t.Helper()
	r := httptest.NewRequest("POST", "/sample", strings.NewReader(""))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if on != "" {
		r.Header.Set("Referer", on)
	}
	return b.do(t, r)
}

func TestASampleIsEnteredAndLeft(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	o.browser.get(t, o.path("")).holds(t, "Look around in a sample", "Books of a shop")
	sample := o.lookAround(t, origin+o.path("/invoices?standing=open")).went(t)
	if !strings.HasPrefix(sample, "/o/sample-") {
		t.Fatalf("it leads to %s", sample)
	}
	a := o.browser.get(t, sample)
	a.holds(t, "This is a sample", "0 % filled", "Delete the sample", `href="`+o.path("/invoices?standing=open")+`"`, `hx-get="/sample/filled"`)
	a.lacks(t, "Look around in a sample")
	o.browser.get(t, "/sample/filled").holds(t, "0 % filled")
	if a := o.browser.get(t, "/"); a.header.Get("Location") != o.path("") {
		t.Errorf("at home one is led to %q", a.header.Get("Location"))
	}
	here := o.browser.get(t, o.path(""))
	here.lacks(t, "This is a sample", "Look around in a sample")
	here.holds(t, "Chinook Music (sample)")
	if again := o.lookAround(t, origin+o.path("")).went(t); again != sample {
		t.Errorf("a second sample: %s", again)
	}

	// It is nobody else's, and nothing is mailed from it.
	other := h.signUp(t)
	if a := other.browser.get(t, sample); a.status != http.StatusNotFound {
		t.Errorf("someone else gets %d", a.status)
	}
	if to := other.browser.post(t, "/sample/leave").went(t); to != "/" || o.browser.get(t, sample).status != http.StatusOK {
		t.Errorf("someone else leaves it, to %s", to)
	}
	invited := tenanttest.Random(6) + "@tidewater.example"
	if a := o.browser.post(t, sample+"/invitations", "idempotency_key", tenanttest.Random(8), "email", invited, "role", "viewer"); a.status != http.StatusSeeOther {
		t.Fatalf("inviting: %d %s", a.status, a.body)
	}
	for _, m := range h.outbox.All() {
		if m.To == invited {
			t.Errorf("an invitation went out: %s", m.Text)
		}
	}

	if to := o.browser.post(t, "/sample/leave").went(t); to != o.path("") {
		t.Errorf("leaving leads to %s", to)
	}
	if a := o.browser.get(t, sample); a.status != http.StatusNotFound {
		t.Errorf("what was left answers %d", a.status)
	}
	o.browser.get(t, o.path("")).holds(t, "The sample is deleted.", "Look around in a sample")

	// Two more in a day.
	for range 2 {
		if another := o.lookAround(t, "https://elsewhere.example/o/x").went(t); another == sample {
			t.Errorf("again %s", another)
		}
		if to := o.browser.post(t, "/sample/leave").went(t); to != "/" {
			t.Errorf("leaving leads to %s", to)
		}
	}
	if a := o.lookAround(t, ""); a.status != http.StatusTooManyRequests || !strings.Contains(string(a.body), "There are no more samples to be had just now.") {
		t.Errorf("a fourth in a day: %d %s", a.status, a.body)
	}
	if a := h.browser().post(t, "/sample"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
		t.Errorf("without a session: %d to %q", a.status, a.header.Get("Location"))
	}
}
