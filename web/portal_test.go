package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// at is a browser at an organization's own host.
func (h *house) at(slug string) *browser {
	there := *h
	there.host = slug + "." + strings.TrimPrefix(origin, "http://")
	return there.browser()
}

// mailTo is the newest mail of that kind to an address; ok is false for none.
func (h *house) mailTo(email, kind string) (m notify.Mail, ok bool) {
	h.Flush()
	for _, m := range h.outbox.All() {
		if m.To == email && m.Kind == kind {
			return m, true
		}
	}
	return m, false
}

var portalLink = regexp.MustCompile(`/(?:join|set)\?token=\S+`)

func (h *house) portalLink(t testing.TB, email, kind string) string {
	t.Helper()
	m, ok := h.mailTo(email, kind)
	if !ok {
		t.Fatalf("no mail of kind %s to %s", kind, email)
	}
	return portalLink.FindString(m.Text)
}

// buyer is one of a customer's people, signed in at the organization's own host.
type buyer struct {
	*browser
	id, email, customer string
}

const buyerPassword = "four amber kites drifting"

// buyer lets someone in as one of a new customer's people, with those rights.
func (o owner) buyer(t testing.TB, rights ...string) buyer {
	t.Helper()
	return o.buyerOf(t, o.program.made(t, "/v1/customers", map[string]any{"name": "Apple " + tenanttest.Random(4), "email": "books@apple.example"}), rights...)
}

func (o owner) buyerOf(t testing.TB, customer string, rights ...string) buyer {
	t.Helper()
	b := buyer{browser: o.browser.h.at(o.slug), email: tenanttest.Random(6) + "@apple.example", customer: customer}
	b.id = o.program.made(t, "/v1/contacts", map[string]any{"customer_id": customer, "email": b.email, "name": "Inês Prado", "rights": rights})
	link := o.browser.h.portalLink(t, b.email, "contact_invitation")
	if a := b.get(t, link); a.status != http.StatusOK || !strings.Contains(string(a.body), b.email) {
		t.Fatalf("the link: %d %s", a.status, a.body)
	}
	token := strings.TrimPrefix(link, "/join?token=")
	if a := b.post(t, "/join", "token", token, "name", "Inês Prado", "password", buyerPassword); a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
		t.Fatalf("join: %d %s", a.status, a.body)
	}
	return b
}

func allRights() []string {
	return []string{"invoices", "pay", "order", "subscriptions", "methods", "people"}
}

func (b buyer) signIn(t testing.TB, password string) answer {
	t.Helper()
	return b.post(t, "/sign-in", "email", strings.ToUpper(b.email), "password", password)
}

func TestCustomersPeople(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	ines := o.buyer(t, allRights()...)

	t.Run("sign in and out", func(t *testing.T) {
		if a := ines.get(t, "/"); a.status != http.StatusOK || !strings.Contains(string(a.body), "Tidewater Studios") || strings.Contains(string(a.body), "/o/") {
			t.Fatalf("%d %s", a.status, a.body)
		}
		elsewhere := buyer{h.at(o.slug), ines.id, ines.email, ines.customer}
		if a := elsewhere.signIn(t, "wrong "+buyerPassword); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong password: %d", a.status)
		}
		if a := elsewhere.signIn(t, buyerPassword); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		kept := elsewhere.cookies["__Host-customer"]
		if a := elsewhere.post(t, "/sign-out"); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
		elsewhere.cookies["__Host-customer"] = kept
		if a := elsewhere.get(t, "/people"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
			t.Errorf("a session that was signed out gets %d", a.status)
		}
		if a := ines.get(t, "/people"); a.status != http.StatusOK {
			t.Errorf("signing out elsewhere ended this one: %d", a.status)
		}
	})
	t.Run("change their password, which ends every other session", func(t *testing.T) {
		ana := o.buyerOf(t, ines.customer, "invoices")
		other := buyer{h.at(o.slug), ana.id, ana.email, ana.customer}
		other.signIn(t, buyerPassword)
		const fresh = "nine copper lanterns swaying"
		if a := ana.post(t, "/account/password", "present", "wrong", "password", fresh); a.status != http.StatusUnprocessableEntity {
			t.Errorf("without the present one: %d", a.status)
		}
		if a := ana.post(t, "/account/password", "present", buyerPassword, "password", "short"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a short one: %d", a.status)
		}
		if a := ana.post(t, "/account/password", "present", buyerPassword, "password", fresh); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := ana.get(t, "/account"); a.status != http.StatusOK {
			t.Errorf("this browser: %d", a.status)
		}
		if a := other.get(t, "/account"); a.status != http.StatusSeeOther {
			t.Errorf("the other browser: %d", a.status)
		}
		if a := other.signIn(t, buyerPassword); a.status != http.StatusUnprocessableEntity {
			t.Errorf("the old password: %d", a.status)
		}
		if _, ok := h.mailTo(ana.email, "contact_password"); !ok {
			t.Error("nobody told her")
		}
		if a := ana.post(t, "/account/sign-out-everywhere"); a.status != http.StatusSeeOther || ana.cookies["__Host-customer"] != "" {
			t.Errorf("sign out everywhere: %d", a.status)
		}
	})
	t.Run("are on the organization's record", func(t *testing.T) {
		var feed struct {
			Items []struct{ Action string }
		}
		o.program.call(t, "GET", "/v1/activity?limit=100", nil).decode(t, &feed)
		seen := map[string]bool{}
		for _, e := range feed.Items {
			seen[e.Action] = true
		}
		for _, want := range []string{"contact.invite", "contact.join", "contact.sign_in", "contact.sign_out", "contact.change_password", "contact.sign_out_everywhere"} {
			if !seen[want] {
				t.Errorf("%s is not on the record", want)
			}
		}
	})
}

func TestCustomersLinksAreGoodOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, other := h.signUp(t), h.signUp(t)
	ines := o.buyer(t, "invoices")
	used := h.portalLink(t, ines.email, "contact_invitation")
	for name, b := range map[string]*browser{"again": h.at(o.slug), "at another organization": h.at(other.slug)} {
		if a := b.get(t, used); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", name, a.status)
		}
		if a := b.post(t, "/join", "token", strings.TrimPrefix(used, "/join?token="), "name", "Eve", "password", "nine copper lanterns swaying"); a.status != http.StatusNotFound {
			t.Errorf("%s, as a form: %d", name, a.status)
		}
	}
	t.Run("recovery is answered alike, and ends every session", func(t *testing.T) {
		b := h.at(o.slug)
		known := b.post(t, "/recover", "email", ines.email)
		unknown := b.post(t, "/recover", "email", "nobody-"+ines.email)
		if known.status != http.StatusOK || strings.ReplaceAll(string(known.body), ines.email, "") != strings.ReplaceAll(string(unknown.body), "nobody-"+ines.email, "") {
			t.Errorf("they differ: %d %s and %d %s", known.status, known.body, unknown.status, unknown.body)
		}
		if _, ok := h.mailTo("nobody-"+ines.email, "contact_recovery"); ok {
			t.Error("nobody was sent a link")
		}
		link := h.portalLink(t, ines.email, "contact_recovery")
		token := strings.TrimPrefix(link, "/set?token=")
		if a := h.at(other.slug).get(t, link); a.status != http.StatusNotFound {
			t.Errorf("at another organization: %d", a.status)
		}
		const fresh = "nine copper lanterns swaying"
		won := 0
		var lock sync.Mutex
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if a := h.at(o.slug).post(t, "/set", "token", token, "password", fresh); a.status == http.StatusSeeOther {
					lock.Lock()
					won++
					lock.Unlock()
				}
			})
		}
		all.Wait()
		if won != 1 {
			t.Errorf("one link set %d passwords", won)
		}
		if a := ines.get(t, "/"); a.status != http.StatusSeeOther {
			t.Errorf("a session from before gets %d", a.status)
		}
		if a := ines.signIn(t, fresh); a.status != http.StatusSeeOther {
			t.Errorf("the new password: %d", a.status)
		}
	})
	t.Run("an address gets three letters an hour", func(t *testing.T) {
		ana := o.buyer(t, "invoices")
		for range 5 {
			if a := h.at(o.slug).post(t, "/recover", "email", ana.email); a.status != http.StatusOK {
				t.Fatalf("%d", a.status)
			}
		}
		h.Flush()
		sent := 0
		for _, m := range h.outbox.All() {
			if m.To == ana.email {
				sent++
			}
		}
		if sent != 3 {
			t.Errorf("%d letters", sent)
		}
	})
}

func TestCustomersRightsAreChosenOneByOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	first := o.buyer(t, "invoices", "people")
	t.Run("without the right the page is refused", func(t *testing.T) {
		clerk := o.buyerOf(t, first.customer, "invoices")
		for _, path := range []string{"/people", "/people/new", "/people/" + first.id} {
			if a := clerk.get(t, path); a.status != http.StatusForbidden {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		for _, path := range []string{"/people", "/people/" + first.id, "/people/" + first.id + "/remove"} {
			if a := clerk.post(t, path, "idempotency_key", "k"+tenanttest.Random(4), "email", "eve@evil.example", "rights", "people", "version", "1"); a.status != http.StatusForbidden {
				t.Errorf("sent to %s: %d", path, a.status)
			}
		}
	})
	t.Run("nobody gives what they do not hold, nor takes it", func(t *testing.T) {
		if a := first.post(t, "/people", "idempotency_key", "k1", "email", tenanttest.Random(6)+"@apple.example", "rights", "pay"); a.status != http.StatusForbidden {
			t.Errorf("invited with more: %d", a.status)
		}
		payer := o.buyerOf(t, first.customer, "pay")
		if a := first.post(t, "/people/"+payer.id, "idempotency_key", "k2", "version", "1", "rights", "invoices"); a.status != http.StatusForbidden && a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
			t.Errorf("took what they do not hold: %d", a.status)
		}
		if a := first.post(t, "/people/"+payer.id+"/remove", "idempotency_key", "k3"); a.status != http.StatusForbidden {
			t.Errorf("removed someone with more: %d", a.status)
		}
		if a := first.post(t, "/people/"+first.id, "idempotency_key", "k4", "version", first.version(t, o), "rights", "invoices", "rights", "pay", "rights", "people"); a.status != http.StatusForbidden {
			t.Errorf("gave themselves more: %d", a.status)
		}
	})
	t.Run("a customer's first person invites, chooses and removes", func(t *testing.T) {
		email := tenanttest.Random(6) + "@apple.example"
		if a := first.post(t, "/people", "idempotency_key", "k5", "email", email, "rights", "invoices"); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if link := h.portalLink(t, email, "contact_invitation"); link == "" {
			t.Error("no link was mailed")
		}
		if a := first.post(t, "/people/"+first.id+"/remove", "idempotency_key", "k6"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("the last one who looks after people left: %d", a.status)
		}
	})
	t.Run("what is taken away is gone with the next request", func(t *testing.T) {
		second := o.buyerOf(t, first.customer, "invoices", "people")
		if a := second.get(t, "/people"); a.status != http.StatusOK {
			t.Fatalf("%d", a.status)
		}
		if a := o.program.call(t, "PUT", "/v1/contacts/"+second.id, map[string]any{"name": "Inês", "rights": []string{"invoices"}}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := second.get(t, "/people"); a.status != http.StatusForbidden {
			t.Errorf("the right was taken away: %d", a.status)
		}
		if a := o.program.call(t, "PUT", "/v1/contacts/"+second.id, map[string]any{"name": "Inês", "rights": []string{"invoices", "people"}}); a.status != http.StatusOK {
			t.Fatalf("%d", a.status)
		}
		if a := second.get(t, "/people"); a.status != http.StatusOK {
			t.Errorf("the right was given again: %d", a.status)
		}
		if a := o.program.call(t, "DELETE", "/v1/contacts/"+second.id, nil); a.status != http.StatusNoContent {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := second.get(t, "/"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
			t.Errorf("removed: %d", a.status)
		}
		if a := second.signIn(t, buyerPassword); a.status != http.StatusUnprocessableEntity {
			t.Errorf("signed in although removed: %d", a.status)
		}
	})
}

// version is the person's as the books have it.
func (b buyer) version(t testing.TB, o owner) string {
	t.Helper()
	return strings.Trim(o.program.call(t, "GET", "/v1/contacts/"+b.id, nil).header.Get("ETag"), `"`)
}

// Every route of the portal, as the router has them: a new one cannot be forgotten.
func TestPortalIsClosedToStrangers(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, other := h.signUp(t), h.signUp(t)
	ines, eve := o.buyer(t, allRights()...), other.buyer(t, allRights()...)
	crossed := h.at(o.slug)
	crossed.cookies = eve.cookies
	member := h.at(o.slug)
	member.cookies = map[string]string{"__Host-session": o.cookies["__Host-session"], "__Host-customer": o.cookies["__Host-session"]}
	nothing := o.buyerOf(t, ines.customer)
	inside := 0
	for _, r := range h.PortalRoutes() {
		if r.Public {
			continue
		}
		inside++
		path := strings.NewReplacer(":id", ines.id).Replace(r.Path)
		request := func() *http.Request {
			q := httptest.NewRequest(r.Method, path, strings.NewReader("idempotency_key=k"))
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return q
		}
		for name, b := range map[string]*browser{"nobody": h.at(o.slug), "another organization's customer": crossed, "a member's session": member} {
			if a := b.do(t, request()); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
				t.Errorf("%s %s: %s gets %d", r.Method, r.Path, name, a.status)
			}
		}
		if r.Contact != 0 {
			if a := nothing.do(t, request()); a.status != http.StatusForbidden {
				t.Errorf("%s %s: without the right: %d", r.Method, r.Path, a.status)
			}
		}
		if r.Method == "GET" {
			continue
		}
		for header, value := range map[string]string{"Sec-Fetch-Site": "same-site", "Origin": origin} {
			q := request()
			q.Header.Set(header, value)
			if a := ines.do(t, q); a.status != http.StatusForbidden {
				t.Errorf("%s %s with %s %s: %d", r.Method, r.Path, header, value, a.status)
			}
		}
	}
	if inside < 10 {
		t.Fatalf("only %d routes were found", inside)
	}
	t.Run("the books are not at this host", func(t *testing.T) {
		for _, path := range []string{"/o/" + o.slug, "/v1/customers", "/account/security", "/staff", "/dev/outbox", "/openapi.json"} {
			if a := member.get(t, path); a.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
	t.Run("a customer's session opens nothing at the members' address", func(t *testing.T) {
		b := h.browser()
		token := ines.cookies["__Host-customer"]
		b.cookies = map[string]string{"__Host-customer": token, "__Host-session": token}
		for _, path := range []string{"/", "/account", "/o/" + o.slug, "/o/" + o.slug + "/customers"} {
			if a := b.get(t, path); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
	t.Run("another customer's person is not found", func(t *testing.T) {
		stranger := o.buyer(t, "people")
		for _, path := range []string{"/people/" + ines.id, "/people/" + id.New[struct{}]().String(), "/people/x"} {
			if a := stranger.get(t, path); a.status != http.StatusNotFound || strings.Contains(string(a.body), ines.email) {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		for _, act := range []string{"", "/send", "/remove"} {
			if a := stranger.post(t, "/people/"+ines.id+act, "idempotency_key", "k", "version", "1"); a.status != http.StatusNotFound {
				t.Errorf("%s: %d", act, a.status)
			}
		}
		if a := ines.get(t, "/"); a.status != http.StatusOK {
			t.Errorf("she was removed all the same: %d", a.status)
		}
	})
}

func TestCustomersRegisterWhereTheyMay(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	b := h.at(o.slug)
	email := tenanttest.Random(6) + "@pear.example"
	if a := b.post(t, "/sign-up", "email", email); a.status != http.StatusForbidden {
		t.Fatalf("shut: %d", a.status)
	}
	if a := o.program.call(t, "PUT", "/v1/portal", map[string]any{"sign_up": true, "shop_open": false}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.post(t, "/sign-up", "email", email); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	link := h.portalLink(t, email, "contact_sign_up")
	form := []string{"token", strings.TrimPrefix(link, "/join?token="), "name", "Per Aalto", "company", "Pear Oy", "password", buyerPassword}
	if a := b.post(t, "/join", form...); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.get(t, "/people"); a.status != http.StatusOK || !strings.Contains(string(a.body), "Per Aalto") {
		t.Errorf("the first person cannot see the people: %d", a.status)
	}
	var customers struct {
		Items []struct{ Name, Company, Email string }
	}
	o.program.call(t, "GET", "/v1/customers?search="+url.QueryEscape("Pear Oy"), nil).decode(t, &customers)
	if len(customers.Items) != 1 || customers.Items[0].Email != email {
		t.Errorf("the customers are %+v", customers.Items)
	}
	// Whoever has access already is told by mail alone.
	if a := h.at(o.slug).post(t, "/sign-up", "email", email); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
	if _, ok := h.mailTo(email, "contact_sign_up_known"); !ok {
		t.Error("nobody told them that they have access")
	}
}

func TestGuessingACustomersPassword(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	ines := o.buyer(t, "invoices")
	looked := 0
	var lock sync.Mutex
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			a := h.at(o.slug).post(t, "/sign-in", "email", ines.email, "password", "guess "+tenanttest.Random(6))
			lock.Lock()
			defer lock.Unlock()
			if a.status == http.StatusUnprocessableEntity {
				looked++
			} else if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
				t.Errorf("a guess gets %d", a.status)
			}
		})
	}
	all.Wait()
	if looked != 5 {
		t.Errorf("%d guesses were looked at; want 5", looked)
	}
	if a := ines.signIn(t, buyerPassword); a.status != http.StatusTooManyRequests {
		t.Errorf("the right one at once: %d", a.status)
	}
	// The mail leads back in, whatever others guess.
	h.at(o.slug).post(t, "/recover", "email", ines.email)
	link := h.portalLink(t, ines.email, "contact_recovery")
	const fresh = "nine copper lanterns swaying"
	if a := h.at(o.slug).post(t, "/set", "token", strings.TrimPrefix(link, "/set?token="), "password", fresh); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := ines.signIn(t, fresh); a.status != http.StatusSeeOther {
		t.Errorf("after recovery: %d", a.status)
	}
}

func TestCustomerScope(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	ines := o.buyer(t, "invoices")
	hash, ok := tenant.HashDoor(ines.cookies["__Host-customer"])
	if !ok {
		t.Fatal("no session")
	}
	scope, err := tenant.EnterCustomer(context.Background(), tenanttest.DB(), hash, o.slug)
	if err != nil {
		t.Fatal(err)
	}
	if scope.Subject().String() != ines.customer || scope.Contact().String() != ines.id {
		t.Errorf("it is of %s and %s", scope.Subject(), scope.Contact())
	}
	for _, r := range h.Routes() {
		if r.Right.String() != ":" && h.Policy.May(scope, r.Right).Allowed {
			t.Errorf("a customer may %s", r.Right)
		}
	}
	if _, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, o.slug); err == nil {
		t.Error("a customer's session enters as a member's")
	}
}
