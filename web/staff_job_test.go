package web_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestStaffJobs(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	boss := h.hire(t, authz.StaffAdministrator, true)
	kind := "test.web_" + strings.NewReplacer("0", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8", "i", "9", "j").Replace(tenanttest.Random(6))
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), o.sessionOf(t), o.slug)
	if err == nil {
		err = tenant.Do(context.Background(), tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			return jobs.Enqueue(context.Background(), tx, jobs.Job{Kind: kind, Args: map[string]string{"customer": "an-argument-that-is-theirs"}})
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	list := "/staff/jobs?kind=" + kind
	shown := func(c colleague, path string) string {
		t.Helper()
		a := c.get(t, path)
		wantStatus(t, path, a, http.StatusOK)
		return string(a.body)
	}
	body := shown(boss, list)
	for _, want := range []string{kind, "Waiting", scope.Organization().ID.String(), "0 of "} {
		if !strings.Contains(body, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	for _, never := range []string{"an-argument-that-is-theirs", o.slug, o.email} {
		if strings.Contains(body, never) {
			t.Errorf("the list shows %q", never)
		}
	}
	found := regexp.MustCompile(`action="(/staff/jobs/\d+)/cancel"`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("it cannot be cancelled: %s", body)
	}
	if strings.Contains(shown(boss, list+"&standing=failed"), found[1]) {
		t.Error("it is listed among the failed")
	}

	t.Run("is closed to whoever lacks the right, and shows no buttons to who may only look", func(t *testing.T) {
		nadia := h.hire(t, authz.StaffSupport, true)
		wantStatus(t, "support looks", nadia.get(t, "/staff/jobs"), http.StatusForbidden)
		wantStatus(t, "support cancels", nadia.post(t, found[1]+"/cancel"), http.StatusForbidden)
		looker := h.hire(t, authz.StaffAdministrator, true, "jobs:read")
		if strings.Contains(shown(looker, list), found[1]) {
			t.Error("there is a button for who may only look")
		}
		wantStatus(t, "who may only look cancels", looker.post(t, found[1]+"/cancel"), http.StatusForbidden)
		wantStatus(t, "an owner who is not on the staff", o.browser.post(t, found[1]+"/cancel"), http.StatusNotFound)
		if !strings.Contains(shown(boss, list), "Waiting") {
			t.Error("it does not wait any more")
		}
	})
	t.Run("is cancelled and tried again, each once and on record", func(t *testing.T) {
		wantRedirect(t, "cancelling", boss.post(t, found[1]+"/cancel"), "/staff/jobs")
		if body := shown(boss, list); !strings.Contains(body, "Cancelled") || strings.Contains(body, found[1]+"/cancel") {
			t.Errorf("after cancelling: %s", body)
		}
		wantStatus(t, "cancelling again", boss.post(t, found[1]+"/cancel"), http.StatusConflict)
		wantRedirect(t, "trying again", boss.post(t, found[1]+"/retry"), "/staff/jobs")
		if !strings.Contains(shown(boss, list), found[1]+"/cancel") {
			t.Error("it does not wait again")
		}
		for _, none := range []string{"/staff/jobs/99999999999/cancel", "/staff/jobs/x/retry", "/staff/jobs/-1/cancel", "/staff/jobs/99999999999999999999/retry"} {
			if a := boss.post(t, none); a.status != http.StatusConflict && a.status != http.StatusNotFound {
				t.Errorf("%s: %d", none, a.status)
			}
		}
		var acts []string
		err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			return tx.Select(context.Background(), &acts, `SELECT action || ' ' || detail FROM platform.staff_log WHERE actor_id = $1 AND object_kind = 'job' ORDER BY id`, boss.person.ID)
		})
		number := strings.TrimPrefix(found[1], "/staff/jobs/")
		if err != nil || strings.Join(acts, "; ") != "job.cancel job "+number+"; job.retry job "+number {
			t.Errorf("on record: %q, %v", acts, err)
		}
	})
	wantStatus(t, "a standing that there is not", boss.get(t, "/staff/jobs?standing=lost"), http.StatusNotFound)
	wantStatus(t, "a number that is none", boss.get(t, "/staff/jobs?before=x"), http.StatusNotFound)
}
