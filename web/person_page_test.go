package web_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// newNumber is a mobile number of nobody's.
func newNumber() string { return fmt.Sprintf("+35386%07d", 1_000_000+rand.IntN(8_999_999)) }

var sentCode = regexp.MustCompile(`\b(\d{8}|\d{6})\b`)

// codeFor is the code in the newest message to a number.
func (h *house) codeFor(t testing.TB, number string) string {
	t.Helper()
	h.Identity.Flush()
	for _, m := range h.outbox.Texts() {
		if m.To == number {
			return sentCode.FindString(m.Text)
		}
	}
	t.Fatalf("no message to %s", number)
	return ""
}

// hidden reads a hidden field of a form.
func hidden(t testing.TB, a answer, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(string(a.body))
	if found == nil {
		t.Fatalf("no field %s in %d %s", name, a.status, a.body)
	}
	return found[1]
}

func (b *browser) addPhone(t testing.TB) string {
	t.Helper()
	number := newNumber()
	a := b.post(t, "/account/phone", "number", number, "by", "text")
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a = b.post(t, "/account/phone/confirm", "request", hidden(t, a, "request"), "number", number, "code", b.h.codeFor(t, number)); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return number
}

func TestPhonePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	if a := o.browser.post(t, "/account/phone", "number", "086 012 3456", "by", "text"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "with its country code") {
		t.Errorf("without its country code: %d", a.status)
	}
	number := newNumber()
	a := o.browser.post(t, "/account/phone", "number", number, "by", "text")
	request := hidden(t, a, "request")
	if a = o.browser.post(t, "/account/phone/confirm", "request", request, "number", number, "code", "12"); a.status != http.StatusUnprocessableEntity || hidden(t, a, "request") != request {
		t.Errorf("a wrong code: %d", a.status)
	}
	if a = o.browser.post(t, "/account/phone", "number", number, "by", "text"); a.status != http.StatusTooManyRequests {
		t.Errorf("a second code at once: %d", a.status)
	}
	if a = o.browser.post(t, "/account/phone/confirm", "request", request, "number", number, "code", h.codeFor(t, number)); a.status != http.StatusSeeOther {
		t.Fatalf("the code: %d %s", a.status, a.body)
	}
	a = o.browser.get(t, "/account/phone")
	if body := string(a.body); !strings.Contains(body, "Verified") || strings.Contains(body, number) || !strings.Contains(body, number[len(number)-2:]) {
		t.Errorf("the page: %s", body)
	}
	if a = o.browser.post(t, "/account/phone/remove"); a.status != http.StatusSeeOther {
		t.Errorf("removing: %d", a.status)
	}
	if a = o.browser.get(t, "/account/phone"); strings.Contains(string(a.body), "Verified") {
		t.Error("it is still there")
	}
	if a = h.browser().post(t, "/account/phone", "number", newNumber()); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
		t.Errorf("a stranger: %d to %s", a.status, a.header.Get("Location"))
	}
	if a = h.browser().get(t, "/dev/outbox"); !strings.Contains(string(a.body), number[1:]) {
		t.Error("the outbox does not show the message")
	}
}

func TestRecoveryByText(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	number := o.browser.addPhone(t)
	b := h.browser()
	unknown := b.post(t, "/recover", "email", tenanttest.Random(6)+"@tidewater.example", "by", "text")
	if a := b.post(t, "/recover/code", "request", hidden(t, unknown, "request"), "email", "x@tidewater.example", "code", "12345678"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("guessing for an unknown address: %d", a.status)
	}
	// A code went to the number a moment ago, so that the link comes by mail.
	if a := b.post(t, "/recover", "email", o.email, "by", "text"); a.status != unknown.status {
		t.Errorf("known %d, unknown %d", a.status, unknown.status)
	}
	h.Identity.Flush()
	mail := h.outbox.All()[0]
	link := regexp.MustCompile(`/recover/set\?token=\S+`).FindString(mail.Text)
	if mail.To != o.email || link == "" {
		for _, m := range h.outbox.All() {
			if m.To == o.email && strings.Contains(m.Text, "/recover/set?token=") {
				link = regexp.MustCompile(`/recover/set\?token=\S+`).FindString(m.Text)
			}
		}
	}
	if link == "" {
		t.Fatalf("no link came in place of the message to %s", number)
	}
	if a := b.get(t, link); a.status != http.StatusOK {
		t.Errorf("the link: %d", a.status)
	}
	if a := b.get(t, "/recover"); !strings.Contains(string(a.body), "Text message") || !strings.Contains(string(a.body), "Call") {
		t.Error("the ways are not offered")
	}
}

func TestAccountData(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	number := o.browser.addPhone(t)
	o.browser.get(t, o.path(""))
	a := o.browser.post(t, "/account/data/export")
	if a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("export: %d %s", a.status, a.body)
	}
	var data identity.PersonData
	a.decode(t, &data)
	if data.Email != o.email || data.Phone == nil || data.Phone.Number != number || len(data.Sessions) != 1 || len(data.Logins) == 0 || len(data.Organizations) != 1 {
		t.Fatalf("got %s", a.body)
	}
	if in := data.Organizations[0]; in.Address != o.slug || in.Member == nil || in.Member.Role != "owner" || in.Member.Email != o.email || len(in.Entries) != 1 || len(in.Tokens) != 1 {
		t.Errorf("of the organization: %s", a.body)
	}
	for _, secret := range []string{"argon2", o.cookies["__Host-session"], o.token} {
		if strings.Contains(string(a.body), secret) {
			t.Errorf("the export holds %q", secret)
		}
	}
	if a = o.browser.post(t, "/account/delete", "email", "someone@else.example"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without typing the address: %d", a.status)
	}
	if a = o.browser.post(t, "/account/delete", "email", o.email); a.status != http.StatusConflict || !strings.Contains(string(a.body), "Tidewater Studios") {
		t.Errorf("as the last owner: %d %s", a.status, a.body)
	}
	if a = o.browser.get(t, o.path("")); a.status != http.StatusOK {
		t.Errorf("after the refusal: %d", a.status)
	}
	if a = h.browser().post(t, "/account/data/export"); a.status != http.StatusSeeOther {
		t.Errorf("a stranger: %d", a.status)
	}
}

func TestTokenRotatePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	old := program{h, e.token}
	at := e.actOn("tokens", "rotate")
	a := e.browser.get(t, at)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := e.browser.post(t, at, "idempotency_key", tenanttest.Random(8), "overlap", "169"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("more than seven days: %d", a.status)
	}
	key := tenanttest.Random(8)
	a = e.browser.post(t, at, "idempotency_key", key, "overlap", "24")
	fresh := regexp.MustCompile(`ch_[0-9A-Za-z]{49}`).FindString(string(a.body))
	if a.status != http.StatusOK || fresh == "" || fresh == e.token {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for name, p := range map[string]program{"old": old, "new": {h, fresh}} {
		if a := p.call(t, "GET", "/v1/customers", nil); a.status != http.StatusOK {
			t.Errorf("the %s secret: %d", name, a.status)
		}
	}
	if a := e.browser.post(t, at, "idempotency_key", key, "overlap", "24"); strings.Contains(string(a.body), "ch_") && regexp.MustCompile(`ch_[0-9A-Za-z]{49}`).Match(a.body) {
		t.Errorf("the form sent again shows a secret: %s", a.body)
	}
	if a := e.browser.get(t, "/o/"+e.slug+"/tokens"); !strings.Contains(string(a.body), "The old secret works until") {
		t.Errorf("the list does not tell of the overlap: %s", a.body)
	}
	if a := e.browser.post(t, e.actOn("tokens", "revoke"), "idempotency_key", tenanttest.Random(8)); a.status != http.StatusSeeOther {
		t.Fatalf("revoking: %d", a.status)
	}
	for name, p := range map[string]program{"old": old, "new": {h, fresh}} {
		if a := p.call(t, "GET", "/v1/customers", nil); a.status != http.StatusUnauthorized {
			t.Errorf("the %s secret after revoking: %d", name, a.status)
		}
	}
}

// actOn is the address of an act on the estate's one thing of a kind.
func (e estate) actOn(kind, act string) string {
	return "/o/" + e.slug + "/" + kind + "/" + e.ids[kind] + "/" + act
}

func TestEntriesPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, other := h.signUp(t), h.signUp(t)
	o.browser.get(t, o.path(""))
	other.browser.get(t, other.path(""))
	a := o.browser.get(t, o.path("/members/entries"))
	if body := string(a.body); a.status != http.StatusOK || strings.Count(body, "Mara Lindqvist</b></td><td class=\"m2 nowrap\">") != 1 || !strings.Contains(body, "None: the password alone") {
		t.Errorf("%d %s", a.status, body)
	}
}

func TestLastLoginLeadsToDisowning(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	b := h.browser()
	if a := b.post(t, "/sign-in", "email", o.email, "password", goodPassword); a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	a := b.get(t, o.path(""))
	way := regexp.MustCompile(`/account/sessions/[0-9a-f-]{36}/disown`).FindString(string(a.body))
	if way == "" || !strings.Contains(string(a.body), "Last signed in") || !strings.Contains(string(a.body), "/account#logins") {
		t.Fatalf("no way to disown the login before: %s", a.body)
	}
	if a = b.get(t, way); a.status != http.StatusOK || !strings.Contains(string(a.body), "Was this you?") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a = b.post(t, way); a.status != http.StatusSeeOther || a.header.Get("Location") != "/account/password" {
		t.Fatalf("%d to %s", a.status, a.header.Get("Location"))
	}
	if a = o.browser.get(t, o.path("")); a.status != http.StatusSeeOther {
		t.Errorf("the login that was disowned still opens: %d", a.status)
	}
	stranger := h.signUp(t)
	if a = stranger.browser.get(t, way); a.status != http.StatusNotFound {
		t.Errorf("a stranger sees %d", a.status)
	}
	forged := h.signUp(t)
	forged.cookies["__Host-said"] = "javascript%3Aalert(1)%1Fx"
	if a = forged.browser.get(t, forged.path("")); strings.Contains(string(a.body), "javascript:") {
		t.Error("a forged cookie made a link")
	}
}

// Who deletes their account is gone from the organization's pages, and so is what they had begun for others.
func TestAccountDeletion(t *testing.T) {
	t.Parallel()
	h := open(t)
	acme, other := h.estate(t), h.signUp(t)
	b := h.memberWith(t, acme, "administrator")
	var who web.PersonView
	b.ask(t, "GET", "/v1/account", &who)
	// Nobody else runs what they signed up with: it is given to someone before.
	for _, o := range who.Organizations {
		if o.Slug != acme.slug {
			h.hasOwner(t, b, o.Slug, other.browser)
		}
	}
	secret := h.tokenFor(t, b, acme.slug, "*:read", "*:write")
	guest := tenanttest.Random(6) + "@tidewater.example"
	program{h, secret}.made(t, "/v1/invitations", map[string]any{"email": guest, "role": "viewer"})
	invited := regexp.MustCompile(`/join\S*token=\S+`).FindString(h.newest(t, guest))
	if a := h.browser().get(t, invited); invited == "" || a.status != http.StatusOK {
		t.Fatalf("the invitation before: %q %d", invited, a.status)
	}
	other.program.made(t, "/v1/invitations", map[string]any{"email": who.Email, "role": "viewer"})
	if a := other.program.call(t, "GET", "/v1/invitations", nil); !strings.Contains(string(a.body), who.Email) {
		t.Fatalf("the other's invitation is not listed: %s", a.body)
	}
	b.get(t, "/o/"+acme.slug)
	b.ageProof(t)
	wantRedirect(t, "without a fresh proof", b.post(t, "/account/delete", "email", who.Email), "/account/prove?next=%2Faccount%2Fdata")
	wantRedirect(t, "the proof", b.post(t, "/account/prove", "password", goodPassword, "next", "/account/data"), "/account/data")
	a := b.post(t, "/account/delete", "email", " "+strings.ToUpper(who.Email)+" ")
	if a.status != http.StatusOK || !strings.Contains(string(a.body), "Your account is deleted") || b.cookies["__Host-session"] != "" || b.cookies["__Host-device"] != "" {
		t.Fatalf("deleting: %d, cookies left %v: %s", a.status, len(b.cookies), a.body)
	}
	if mail := h.newest(t, who.Email); !strings.Contains(mail, "Your account is deleted") {
		t.Errorf("they are told %q", mail)
	}
	if a := h.browser().post(t, "/sign-in", "email", who.Email, "password", goodPassword); a.status != http.StatusUnauthorized && a.status != http.StatusUnprocessableEntity {
		t.Errorf("signing in: %d", a.status)
	}
	if a := (program{h, secret}).call(t, "GET", "/v1/customers", nil); a.status != http.StatusUnauthorized {
		t.Errorf("their API token: %d", a.status)
	}
	pseudonym := "Former member " + who.ID[len(who.ID)-4:]
	for _, page := range []string{"/members", "/members/entries", "/activity", "/tokens", "/invitations"} {
		a := acme.browser.get(t, "/o/"+acme.slug+page)
		if a.status != http.StatusOK || strings.Contains(string(a.body), who.Email) {
			t.Errorf("%s: %d, and shows the address %v", page, a.status, strings.Contains(string(a.body), who.Email))
		}
		if page == "/activity" && !strings.Contains(string(a.body), pseudonym) {
			t.Errorf("what they did is not told of %s: %s", pseudonym, a.body)
		}
	}
	if a := h.browser().get(t, invited); a.status == http.StatusOK {
		t.Errorf("their invitation still opens: %s", a.body)
	}
	if a := other.program.call(t, "GET", "/v1/invitations", nil); strings.Contains(string(a.body), who.Email) {
		t.Errorf("another organization still invites them: %s", a.body)
	}
	// The address is free.
	if a := h.browser().post(t, "/sign-up", "email", who.Email); a.status != http.StatusOK || !strings.Contains(h.newest(t, who.Email), "/set-up?token=") {
		t.Errorf("signing up anew: %d", a.status)
	}
}

// newest is the last mail to an address.
func (h *house) newest(t testing.TB, email string) string {
	t.Helper()
	h.Identity.Flush()
	for _, m := range h.outbox.All() {
		if m.To == email {
			return m.Text
		}
	}
	t.Fatalf("no mail to %s", email)
	return ""
}

// hasOwner makes whoever sits at a browser an owner beside the one at another.
func (h *house) hasOwner(t testing.TB, of *browser, slug string, added *browser) {
	t.Helper()
	person, err := h.Identity.PersonBySession(context.Background(), added.cookies["__Host-session"])
	if err != nil {
		t.Fatal(err)
	}
	hash, _ := identity.HashToken(of.cookies["__Host-session"])
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, slug)
	if err != nil {
		t.Fatal(err)
	}
	tenanttest.Do(t, tenanttest.DB(), tenanttest.Organization{Scope: scope, Slug: slug, Session: hash}, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.SetMember(ctx, person, "owner", tenant.Active)
	})
}
