package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
)

// Administrators see how the platform stands; support does not, and nobody sees whose books lie where.
func TestStaffFleet(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	boss, nadia := h.hire(t, authz.StaffAdministrator, true), h.hire(t, authz.StaffSupport, true)
	a := boss.get(t, "/staff/fleet")
	if a.status != http.StatusOK || !strings.Contains(string(a.body), "PostgreSQL 1") || !regexp.MustCompile(`Compartment.*?<td class="m1"><b>1</b>`).MatchString(strings.ReplaceAll(string(a.body), "\n", " ")) {
		t.Errorf("the fleet: %d %s", a.status, a.body)
	}
	for _, secret := range []string{"Tidewater", o.email, o.slug} {
		if strings.Contains(string(a.body), secret) {
			t.Errorf("the fleet tells of %s", secret)
		}
	}
	if a := boss.get(t, "/staff"); !strings.Contains(string(a.body), `href="/staff/fleet"`) {
		t.Error("nothing leads to the fleet")
	}
	if a := nadia.get(t, "/staff/fleet"); a.status != http.StatusForbidden {
		t.Errorf("support at the fleet: %d", a.status)
	}
	row := regexp.MustCompile(`<b>` + regexp.QuoteMeta(o.slug) + `</b>.*?</tr>`).FindString(string(boss.get(t, "/staff/organizations?after="+o.slug[:len(o.slug)-1]).body))
	if !regexp.MustCompile(`\d (kB|MB)<`).MatchString(row) {
		t.Errorf("its size: %s", row)
	}
}
