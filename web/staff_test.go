package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// colleague is someone on the staff, at the pages.
type colleague struct {
	*browser
	person tenant.Person
	email  string
}

// hire signs someone up who has an account alone, and puts them on the staff. With factor they have a second one.
func (h *house) hire(t testing.TB, role string, factor bool, rights ...string) colleague {
	t.Helper()
	c := colleague{browser: h.browser(), email: tenanttest.Random(6) + "@countinghouse.example"}
	var err error
	if c.person, err = h.Identity.AddPerson(context.Background(), c.email, "Nadia Brandt", goodPassword); err != nil {
		t.Fatal(err)
	}
	wantRedirect(t, "signing in", c.post(t, "/sign-in", "email", c.email, "password", goodPassword), "/")
	if factor {
		c.secondFactor(t)
	}
	m := authz.StaffMember{Person: c.person, Role: role, State: authz.StaffActive}
	if len(rights) > 0 {
		m.Rights = rights
	}
	c.set(t, m)
	return c
}

// set changes what someone is on the staff, as the command line does.
func (c colleague) set(t testing.TB, m authz.StaffMember) {
	t.Helper()
	err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		return authz.SetStaff(context.Background(), tx, tenant.PersonID{}, m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStaffConsole(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	boss := h.hire(t, authz.StaffAdministrator, true)
	nadia := h.hire(t, authz.StaffSupport, true)

	t.Run("without a second factor one is led to set it up, and gets nothing else", func(t *testing.T) {
		bare := h.hire(t, authz.StaffAdministrator, false)
		for _, r := range h.Routes() {
			if r.Staff == (authz.StaffRight{}) {
				continue
			}
			path := strings.Replace(r.Path, ":id", nadia.person.ID.String(), 1)
			a := bare.get(t, path)
			if r.Method == "POST" {
				a = bare.post(t, path)
			}
			wantRedirect(t, r.Method+" "+path, a, "/account/second-step")
		}
		bare.secondFactor(t)
		if a := bare.get(t, "/staff"); a.status != http.StatusOK {
			t.Errorf("with one: %d", a.status)
		}
	})
	t.Run("shows organizations and nothing of what is in them", func(t *testing.T) {
		a := boss.get(t, "/staff/organizations?after="+o.slug[:len(o.slug)-1])
		if a.status != http.StatusOK || !strings.Contains(string(a.body), o.slug) || strings.Contains(string(a.body), "Tidewater") || strings.Contains(string(a.body), o.email) {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("is closed to those whose role does not reach", func(t *testing.T) {
		if a := nadia.get(t, "/staff"); a.status != http.StatusOK || strings.Contains(string(a.body), "/staff/people") {
			t.Errorf("support's console: %d %s", a.status, a.body)
		}
		for _, path := range []string{"/staff/people", "/staff/people/" + boss.person.ID.String() + "/deny"} {
			a := nadia.get(t, path)
			if strings.HasSuffix(path, "/deny") {
				a = nadia.post(t, path)
			}
			if a.status != http.StatusForbidden {
				t.Errorf("support at %s: %d", path, a.status)
			}
		}
		if a := nadia.post(t, "/staff/people", "email", nadia.email, "role", "administrator"); a.status != http.StatusForbidden {
			t.Errorf("support makes itself an administrator: %d", a.status)
		}
		some := h.hire(t, authz.StaffAdministrator, true, "organizations:read")
		if a := some.get(t, "/staff/people"); a.status != http.StatusForbidden {
			t.Errorf("an administrator with other functions sees the staff: %d", a.status)
		}
	})
	t.Run("no role of staff opens an organization", func(t *testing.T) {
		for _, c := range []colleague{boss, nadia} {
			for _, r := range h.Routes() {
				if r.Public || r.Staff != (authz.StaffRight{}) || strings.HasPrefix(r.Path, "/v1/") {
					continue
				}
				path := strings.Replace(strings.Replace(r.Path, ":slug", o.slug, 1), ":id", boss.person.ID.String(), 1)
				a := c.get(t, path)
				if r.Method == "POST" {
					a = c.post(t, path)
				}
				if a.status != http.StatusNotFound {
					t.Errorf("staff at %s %s: %d", r.Method, r.Path, a.status)
				}
			}
		}
	})
	t.Run("denies access from the next request on, and needs a fresh proof", func(t *testing.T) {
		boss.ageProof(t)
		wantRedirect(t, "with an old proof", boss.post(t, "/staff/people/"+nadia.person.ID.String()+"/deny"), "/account/prove?next=%2Fstaff%2Fpeople")
		wantRedirect(t, "adding with an old proof", boss.post(t, "/staff/people", "email", nadia.email, "role", "administrator"), "/account/prove?next=%2Fstaff%2Fpeople")
		wantRedirect(t, "proving", boss.post(t, "/account/prove", "password", goodPassword, "next", "/staff/people"), "/staff/people")
		wantRedirect(t, "denying", boss.post(t, "/staff/people/"+nadia.person.ID.String()+"/deny"), "/staff/people")
		if a := nadia.get(t, "/staff"); a.status != http.StatusNotFound {
			t.Errorf("denied, and in: %d", a.status)
		}
		if a := boss.get(t, "/staff/people"); !strings.Contains(string(a.body), "Denied access") {
			t.Errorf("the list: %s", a.body)
		}
		wantRedirect(t, "allowing", boss.post(t, "/staff/people/"+nadia.person.ID.String()+"/allow"), "/staff/people")
		if a := nadia.get(t, "/staff"); a.status != http.StatusOK {
			t.Errorf("allowed again: %d", a.status)
		}
	})
	t.Run("adds whom the form names", func(t *testing.T) {
		if a := boss.post(t, "/staff/people", "email", "nobody@countinghouse.example", "role", "support"); a.status != http.StatusNotFound || !strings.Contains(string(a.body), "Nobody has an account") {
			t.Errorf("someone unknown: %d", a.status)
		}
		if a := boss.post(t, "/staff/people", "email", boss.email, "role", "support"); a.status != http.StatusForbidden {
			t.Errorf("oneself: %d", a.status)
		}
		wantRedirect(t, "adding", boss.post(t, "/staff/people", "email", o.email, "role", "administrator", "rights", "jobs:read", "rights", "events:read"), "/staff/people")
		if a := boss.get(t, "/staff/people"); !strings.Contains(string(a.body), "See background jobs, see security events") {
			t.Errorf("the list: %s", a.body)
		}
	})
}
