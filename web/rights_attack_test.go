package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

var joinLink = regexp.MustCompile(regexp.QuoteMeta(origin) + `/join\?token=(\S+)`)

// siege is an organization with people of several roles, and a stranger with an organization of their own.
type siege struct {
	*house
	acme, other owner
	ada, lead   owner // administrator; a role of its own that holds members and roles, and little else
	ben         owner // bookkeeper
	leadRole    string
	bigRole     string
	ids         map[string]string // of acme's people, by name
}

// invitedAs is someone who came by an invitation, with a token that may do all that they may.
func (h *house) invitedAs(t testing.TB, acme owner, role string) (owner, string) {
	t.Helper()
	who := owner{browser: h.browser(), slug: acme.slug, email: tenanttest.Random(6) + "@tidewater.example"}
	acme.made(t, "/v1/invitations", map[string]any{"email": who.email, "role": role})
	a := who.browser.post(t, "/join", "token", h.invitation(t, who.email), "name", "Tim Goyer", "password", goodPassword)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/o/"+acme.slug {
		t.Fatalf("joining: %d %s", a.status, a.body)
	}
	who.program = program{h, h.tokenFor(t, who.browser, acme.slug, "*:read", "*:write")}
	return who, h.memberID(t, acme, who.email)
}

// invitation is the secret in the newest invitation to an address.
func (h *house) invitation(t testing.TB, email string) string {
	t.Helper()
	for _, m := range h.outbox.All() {
		if found := joinLink.FindStringSubmatch(m.Text); m.To == email && found != nil {
			return found[1]
		}
	}
	t.Fatalf("no invitation to %s", email)
	return ""
}

func (h *house) memberID(t testing.TB, acme owner, email string) string {
	t.Helper()
	var members struct{ Items []struct{ ID, Email string } }
	acme.call(t, "GET", "/v1/members?limit=100", nil).decode(t, &members)
	for _, m := range members.Items {
		if m.Email == email {
			return m.ID
		}
	}
	t.Fatalf("%s is no member", email)
	return ""
}

func (h *house) siege(t testing.TB) *siege {
	t.Helper()
	s := &siege{house: h, acme: h.signUp(t), other: h.signUp(t), ids: map[string]string{}}
	s.leadRole = s.acme.made(t, "/v1/roles", map[string]any{"name": "Lead", "rights": []string{
		"members:read", "members:create", "members:change", "members:delete", "roles:read", "roles:create", "roles:change", "roles:delete", "invoices:read"}})
	s.bigRole = s.acme.made(t, "/v1/roles", map[string]any{"name": "Big", "rights": []string{"payments:delete"}})
	s.ada, s.ids["ada"] = h.invitedAs(t, s.acme, "administrator")
	s.lead, s.ids["lead"] = h.invitedAs(t, s.acme, "own:"+s.leadRole)
	s.ben, s.ids["ben"] = h.invitedAs(t, s.acme, "bookkeeper")
	s.ids["mara"] = h.memberID(t, s.acme, s.acme.email)
	return s
}

func (s *siege) tries(who owner, method, path string, body any, headers ...string) func(testing.TB) int {
	return func(t testing.TB) int { return who.call(t, method, path, body, headers...).status }
}

func (s *siege) opens(who owner, path string, headers ...string) func(testing.TB) int {
	return func(t testing.TB) int {
		r := httptest.NewRequest("GET", "/", http.NoBody)
		r.RequestURI = path
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return who.browser.do(t, r).status
	}
}

func (s *siege) sends(who owner, path string, pairs ...string) func(testing.TB) int {
	return func(t testing.TB) int {
		return who.browser.post(t, path, append(pairs, "idempotency_key", tenanttest.Random(8))...).status
	}
}

// attack is one way in that there must not be, and the answer to it.
type attack struct {
	name string
	try  func(t testing.TB) int
	want int
}

const (
	gone    = http.StatusNotFound
	barred  = http.StatusForbidden
	nobody  = http.StatusUnauthorized
	refused = http.StatusUnprocessableEntity
	clash   = http.StatusConflict
)

// attacks is the one table of ways in. Whoever makes a new door adds to it.
func (s *siege) attacks(t testing.TB) []attack {
	acme, other := s.acme, s.other
	member := func(who string) string { return "/v1/members/" + s.ids[who] }
	role := func(r string) map[string]any { return map[string]any{"role": r} }
	invite := func(r string) map[string]any { return map[string]any{"email": "eve@evil.example", "role": r} }
	ticks := func(rights ...string) map[string]any { return map[string]any{"name": "Mine", "rights": rights} }
	return []attack{
		// another organization
		{"its address", s.opens(other, "/o/"+acme.slug), gone},
		{"its address in capitals", s.opens(acme, "/o/"+strings.ToUpper(acme.slug)), gone},
		{"its address with a Cyrillic o", s.opens(acme, "/o/"+strings.Replace(acme.slug, "o", "%D0%BE", 1)), gone},
		{"its address in full-width letters", s.opens(acme, "/o/%EF%BD%8F"+acme.slug[1:]), gone},
		{"its address with a zero-width joiner", s.opens(acme, "/o/"+acme.slug+"%E2%80%8D"), gone},
		{"its address with a space", s.opens(acme, "/o/"+acme.slug+"%20"), gone},
		{"its address behind one's own", s.opens(other, "/o/"+other.slug+"/..%2F"+acme.slug), gone},
		{"its address by another host", s.opens(other, "/o/"+acme.slug, "X-Forwarded-Host", acme.slug+".books.example"), gone},
		{"its address by a header", s.opens(other, "/o/"+acme.slug, "X-Organization", acme.slug, "X-Original-URL", "/o/"+acme.slug), gone},
		{"its address with its token as cookie", s.opens(owner{browser: &browser{s.house, map[string]string{"__Host-session": acme.token}}}, "/o/"+acme.slug), http.StatusSeeOther},
		{"its API with a session for a token", s.tries(owner{program: program{s.house, acme.cookies["__Host-session"]}}, "GET", "/v1/members", nil), nobody},
		{"its API with a session cookie beside", s.tries(owner{program: program{s.house, ""}}, "GET", "/v1/members", nil, "Cookie", "__Host-session="+acme.cookies["__Host-session"]), nobody},
		{"its member by id", s.tries(other, "GET", member("ben"), nil), gone},
		{"its member's page by id", s.opens(other, "/o/"+other.slug+"/members/"+s.ids["ben"]), gone},
		{"its member's role", s.tries(other, "PUT", member("ben"), role("owner")), gone},
		{"its member's end", s.tries(other, "DELETE", member("ben"), nil), gone},
		{"its member's denial", s.tries(other, "POST", member("ben")+"/deny", nil), gone},
		{"why its member may", s.tries(other, "GET", member("ben")+"/rights", nil), gone},
		{"its role by id", s.tries(other, "GET", "/v1/roles/"+s.leadRole, nil), gone},
		{"its role rewritten", s.tries(other, "PUT", "/v1/roles/"+s.leadRole, ticks()), gone},
		{"its role explained", s.opens(other, "/o/"+other.slug+"/rights?role=own:"+s.leadRole), gone},
		{"an invitation with its role", s.tries(other, "POST", "/v1/invitations", invite("own:"+s.leadRole)), refused},
		{"a form from another site", func(t testing.TB) int {
			r := httptest.NewRequest("POST", "/o/"+acme.slug+"/members/"+s.ids["ben"]+"/remove", strings.NewReader("idempotency_key=x"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			return acme.browser.do(t, r).status
		}, barred},
		// more than one holds, by invitation
		{"an administrator invites an owner", s.tries(s.ada, "POST", "/v1/invitations", invite("owner")), barred},
		{"the same by the page", s.sends(s.ada, "/o/"+acme.slug+"/invitations", "email", "eve@evil.example", "role", "owner"), barred},
		{"a lead invites an administrator", s.tries(s.lead, "POST", "/v1/invitations", invite("administrator")), barred},
		{"a lead invites a viewer, who sees more", s.tries(s.lead, "POST", "/v1/invitations", invite("viewer")), barred},
		{"a lead invites with a bigger role", s.tries(s.lead, "POST", "/v1/invitations", invite("own:"+s.bigRole)), barred},
		{"a bookkeeper invites at all", s.tries(s.ben, "POST", "/v1/invitations", invite("viewer")), barred},
		{"a role that is a look-alike", s.tries(acme, "POST", "/v1/invitations", invite("оwner")), refused},
		{"a role in capitals", s.tries(acme, "POST", "/v1/invitations", invite("OWNER")), refused},
		{"the operator's role", s.tries(acme, "POST", "/v1/invitations", invite("operator")), refused},
		{"the kind of all own roles", s.tries(acme, "POST", "/v1/invitations", invite("own")), refused},
		{"a role with a wildcard", s.tries(acme, "POST", "/v1/invitations", invite("own:*")), refused},
		{"an invitation of a member", s.tries(acme, "POST", "/v1/invitations", map[string]any{"email": s.ben.email, "role": "viewer"}), clash},
		// more than one holds, by a role
		{"a lead ticks more in their own role", s.tries(s.lead, "PUT", "/v1/roles/"+s.leadRole, ticks("roles:change", "payments:delete")), barred},
		{"a lead gives their own role full access", s.tries(s.lead, "PUT", "/v1/roles/"+s.leadRole, ticks("*")), barred},
		{"a lead makes a role that holds more", s.tries(s.lead, "POST", "/v1/roles", ticks("exports:create")), barred},
		{"a lead empties a role that holds more", s.tries(s.lead, "PUT", "/v1/roles/"+s.bigRole, ticks()), barred},
		{"a lead deletes a role that holds more", s.tries(s.lead, "DELETE", "/v1/roles/"+s.bigRole, nil), barred},
		{"a lead gives themselves a bigger role", s.tries(s.lead, "PUT", member("lead"), role("own:"+s.bigRole)), barred},
		{"a lead becomes administrator", s.sends(s.lead, "/o/"+acme.slug+"/members/"+s.ids["lead"]+"/role", "role", "administrator"), barred},
		{"a bookkeeper makes a role", s.tries(s.ben, "POST", "/v1/roles", ticks()), barred},
		{"a right twice", s.tries(acme, "POST", "/v1/roles", ticks("invoices:read", "invoices:read")), refused},
		{"a right of all in a module", s.tries(acme, "POST", "/v1/roles", ticks("support:*")), refused},
		{"a role named as a ready-made one", s.tries(acme, "POST", "/v1/roles", map[string]any{"name": "owner", "rights": []string{}}), clash},
		// those who may more
		{"an administrator becomes owner", s.tries(s.ada, "PUT", member("ada"), role("owner")), barred},
		{"an administrator demotes the owner", s.tries(s.ada, "PUT", member("mara"), role("viewer")), barred},
		{"an administrator denies the owner", s.tries(s.ada, "POST", member("mara")+"/deny", nil), barred},
		{"an administrator removes the owner", s.tries(s.ada, "DELETE", member("mara"), nil), barred},
		{"an administrator hands over", s.sends(s.ada, "/o/"+acme.slug+"/members/"+s.ids["ben"]+"/handover"), barred},
		{"a lead removes an administrator", s.tries(s.lead, "DELETE", member("ada"), nil), barred},
		{"the last owner leaves", s.tries(acme, "DELETE", member("mara"), nil), clash},
		{"the last owner is denied", s.tries(acme, "POST", member("mara")+"/deny", nil), clash},
		{"the last owner steps down", s.tries(acme, "PUT", member("mara"), role("administrator")), clash},
		// requests that say two things
		{"a role given twice in a form", s.sends(acme, "/o/"+acme.slug+"/members/"+s.ids["ben"]+"/role", "role", "viewer", "role", "owner"), refused},
		{"a role given twice in JSON", s.tries(acme, "PUT", member("ben"), `{"role":"viewer","role":"owner"}`), refused},
		{"a role in other letters in JSON", s.tries(acme, "PUT", member("ben"), `{"Role":"owner"}`), refused},
		{"a token that only reads", s.tries(owner{program: program{s.house, s.tokenFor(t, acme.browser, acme.slug, "*:read")}}, "DELETE", member("ben"), nil), barred},
		{"a token for members alone gives what it does not reach", s.tries(owner{program: program{s.house, s.tokenFor(t, acme.browser, acme.slug, "members:write")}}, "PUT", member("ben"), role("owner")), barred},
		// links
		{"a link of nonsense", s.opens(other, "/join?token=x"), gone},
		{"a link of the right length", s.opens(other, "/join?token="+strings.Repeat("A", 43)), gone},
		{"a link that was used", s.opens(s.ben, "/join?token="+s.invitation(t, s.ben.email)), gone},
		{"a link that was used, sent again as a form", s.sends(s.ben, "/join", "token", s.invitation(t, s.ben.email)), gone},
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	s := open(t).siege(t)
	all := s.attacks(t)
	for _, a := range all {
		if got := a.try(t); got != a.want {
			t.Errorf("%s: %d, want %d", a.name, got, a.want)
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d attacks", len(all))
	}
	// Nothing came of all that.
	for name, want := range map[string]string{"mara": "owner", "ada": "administrator", "ben": "bookkeeper", "lead": "own:" + s.leadRole} {
		var m struct{ Role, State string }
		s.acme.call(t, "GET", "/v1/members/"+s.ids[name], nil).decode(t, &m)
		if m.Role != want || m.State != tenant.Active {
			t.Errorf("%s is now %+v", name, m)
		}
	}
}

// Links that were renewed, revoked, or are somebody else's; tokens of makers who may less or nothing by now.
func TestWhatWasTakenBackOpensNothing(t *testing.T) {
	t.Parallel()
	h, replica := open(t), open(t)
	acme, other := h.signUp(t), h.signUp(t)
	email := tenanttest.Random(6) + "@tidewater.example"
	invitation := acme.made(t, "/v1/invitations", map[string]any{"email": email, "role": "viewer"})
	first := h.invitation(t, email)
	if a := other.browser.post(t, "/join", "token", first); a.status != http.StatusForbidden {
		t.Errorf("somebody else's session joins: %d", a.status)
	}
	if a := acme.call(t, "POST", "/v1/invitations/"+invitation+"/send", nil); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	second := h.invitation(t, email)
	if a := h.browser().get(t, "/join?token="+first); a.status != http.StatusNotFound || first == second {
		t.Errorf("the link before a renewed one opens: %d", a.status)
	}
	if a := acme.call(t, "DELETE", "/v1/invitations/"+invitation, nil); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := h.browser().post(t, "/join", "token", second, "name", "Eve", "password", goodPassword); a.status != http.StatusNotFound {
		t.Errorf("a revoked link opens: %d", a.status)
	}
	ben, id := h.invitedAs(t, acme, "bookkeeper")
	may := func(want int) {
		t.Helper()
		for _, server := range []*house{h, replica} {
			if a := (program{server, ben.token}).call(t, "POST", "/v1/customers", map[string]any{"name": "x"}); a.status != want {
				t.Errorf("a token: %d, want %d", a.status, want)
			}
		}
	}
	may(http.StatusCreated)
	acme.call(t, "PUT", "/v1/members/"+id, map[string]any{"role": "viewer"})
	may(http.StatusForbidden)
	acme.call(t, "PUT", "/v1/members/"+id, map[string]any{"role": "bookkeeper"})
	acme.call(t, "POST", "/v1/members/"+id+"/deny", nil)
	may(http.StatusUnauthorized)
	acme.call(t, "POST", "/v1/members/"+id+"/allow", nil)
	may(http.StatusCreated)
	acme.call(t, "DELETE", "/v1/members/"+id, nil)
	may(http.StatusUnauthorized)
	page := &browser{replica, ben.cookies}
	if a := page.get(t, "/o/"+acme.slug+"/customers"); a.status != http.StatusNotFound {
		t.Errorf("the open session of who was removed, on a replica: %d", a.status)
	}
}

// From the moment that a removal is answered, no request of who was removed is, however many are under way.
func TestARemovalRacesRequests(t *testing.T) {
	t.Parallel()
	h, replica := open(t), open(t)
	acme := h.signUp(t)
	ben, id := h.invitedAs(t, acme, "bookkeeper")
	var all sync.WaitGroup
	removed, cancel := context.WithCancel(context.Background())
	for _, server := range []*house{h, replica, h, replica} {
		all.Go(func() {
			for range 40 {
				over := removed.Err() != nil // before it is sent
				a := (program{server, ben.token}).call(t, "POST", "/v1/customers", map[string]any{"name": "x"})
				if over && a.status < 400 {
					t.Errorf("a request after the removal is answered %d", a.status)
				}
				if over {
					return
				}
			}
		})
	}
	if a := acme.call(t, "DELETE", "/v1/members/"+id, nil); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
	cancel()
	all.Wait()
}

// Who has an identity already is led through the sign-in, and joins with it.
func TestJoiningWithAnIdentity(t *testing.T) {
	t.Parallel()
	h := open(t)
	acme, other := h.signUp(t), h.signUp(t)
	acme.made(t, "/v1/invitations", map[string]any{"email": other.email, "role": "viewer"})
	secret := h.invitation(t, other.email)
	stranger := h.browser()
	if a := stranger.get(t, "/join?token="+secret); a.status != http.StatusOK || !strings.Contains(string(a.body), "/sign-in?next=%2fjoin") && !strings.Contains(string(a.body), "/sign-in?next=%2Fjoin") || strings.Contains(string(a.body), `name="password"`) {
		t.Errorf("not led to the sign-in: %d %s", a.status, a.body)
	}
	if a := stranger.post(t, "/join", "token", secret, "name", "Eve", "password", goodPassword); a.status == http.StatusSeeOther {
		t.Error("an address that has an identity gets another by an invitation")
	}
	if a := other.browser.post(t, "/join", "token", secret); a.status != http.StatusSeeOther {
		t.Fatalf("joining: %d %s", a.status, a.body)
	}
	if a := other.browser.get(t, "/o/"+acme.slug+"/invoices"); a.status != http.StatusOK {
		t.Errorf("not in: %d", a.status)
	}
	weak := tenanttest.Random(6) + "@tidewater.example"
	acme.made(t, "/v1/invitations", map[string]any{"email": weak, "role": "viewer"})
	if a := stranger.post(t, "/join", "token", h.invitation(t, weak), "name", "", "password", "1"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a weak password: %d", a.status)
	}
}
