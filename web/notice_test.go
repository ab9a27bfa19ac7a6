package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// addExport writes an export in a state that takes long to come to.
func (o owner) addExport(t testing.TB, args ...any) {
	t.Helper()
	ctx := context.Background()
	scope, err := tenant.EnterOperator(ctx, tenanttest.DB(), o.slug)
	if err == nil {
		err = tenant.Do(ctx, tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, insertFile, args...)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

const insertFile = `
	INSERT INTO file (id, kind, file_name, media_type, size, digest, created_at, moved_at, state, holds, asked_by)
	VALUES ($1, 'export', $2, 'text/csv', 0, '', $3, $3, $4, 'customers', $5)`

var unreadOn = regexp.MustCompile(`aria-label="Notices, (\d+) not read"`)

// unread is how many notices the bell says are not read, and what to ask next.
func (o owner) unread(t testing.TB, path string) (count, next string) {
	t.Helper()
	a := o.browser.get(t, path)
	if a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	if found := unreadOn.FindSubmatch(a.body); found != nil {
		count = string(found[1])
	}
	return count, strings.ReplaceAll(string(regexp.MustCompile(`hx-get="([^"]+)"`).FindSubmatch(a.body)[1]), "&amp;", "&")
}

func TestNotices(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	clerk, clerkID := h.invitedAs(t, o, "own:"+o.made(t, "/v1/roles", map[string]any{"name": "Clerk " + tenanttest.Random(4), "rights": []string{"exports:read"}}))
	viewer, _ := h.invitedAs(t, o, "viewer")
	now := tenanttest.DB().Now()
	o.browser.get(t, o.path("/notices")).holds(t, "Nothing to tell")
	o.addExport(t, id.New[struct{}](), "late.csv", now.Add(-time.Hour), "failed", nil)
	o.addExport(t, id.New[struct{}](), "hers.csv", now.Add(-time.Minute), "ready", clerkID)
	o.addExport(t, id.New[struct{}](), "old.csv", now.AddDate(0, 0, -31), "failed", nil)
	o.addExport(t, id.New[struct{}](), "going.csv", now, "running", nil)

	page := o.browser.get(t, o.path("/notices"))
	page.holds(t, "The export late.csv could not be made.", "1 notice since")
	page.lacks(t, "hers.csv", "old.csv", "going.csv")
	clerk.browser.get(t, o.path("/notices")).holds(t, "late.csv", "Your export hers.csv is ready.", "2 notices since")
	viewer.browser.get(t, o.path("/notices")).holds(t, "Nothing to tell")
	fresh := o.browser.get(t, o.path("/fresh"))
	fresh.holds(t, "1 export", `href="`+o.path("/settings/exports")+`"`)
	viewer.browser.get(t, o.path("/fresh")).lacks(t, "1 export", "not read")

	if count, _ := clerk.unread(t, o.path("/fresh")); count != "2" {
		t.Errorf("the clerk's bell says %q", count)
	}
	if a := clerk.browser.post(t, o.path("/notices/read"), "idempotency_key", "read-1"); a.status != http.StatusSeeOther {
		t.Fatalf("reading: %d %s", a.status, a.body)
	}
	if count, _ := clerk.unread(t, o.path("/fresh")); count != "" {
		t.Errorf("read, the clerk's bell says %q", count)
	}
	clerk.browser.get(t, o.path("/notices")).holds(t, "late.csv", "Nothing new.")
	if count, _ := o.unread(t, o.path("/fresh")); count != "1" {
		t.Errorf("what another read is read for the owner too: %q", count)
	}
}

// Who is asked to let support in hears of it, and every open page shows the banner once they are in.
func TestFreshTellsOfSupport(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	viewer, _ := h.invitedAs(t, o, "viewer")
	_, next := viewer.unread(t, o.path("/fresh"))
	nadia := h.hire(t, "support", true)
	grant := nadia.asks(t, o, "invoices:read")
	o.browser.get(t, o.path("/notices")).holds(t, "of Countinghouse support asks to be let in", o.path("/support/"+grant))
	viewer.browser.get(t, o.path("/notices")).lacks(t, "support asks")
	viewer.browser.get(t, next).lacks(t, `id="visits"`)
	o.lets(t, grant, true, 60, "invoices:read")
	a := viewer.browser.get(t, next)
	a.holds(t, `id="visits"`, "from Countinghouse support")
	if _, again := viewer.unread(t, next); again == next {
		t.Error("the page would ask for the same banner for ever")
	} else {
		viewer.browser.get(t, again).lacks(t, `id="visits"`)
	}
	before := len(o.onRecord(t, grant))
	if a := nadia.get(t, o.path("/fresh")); a.status != http.StatusForbidden {
		t.Errorf("support asks %d", a.status)
	}
	if len(o.onRecord(t, grant)) == before {
		t.Error("what support was refused is not on record")
	}
	nadia.get(t, o.path("/invoices")).lacks(t, `id="fresh"`, `id="bell"`)
}

// The page of the activity asks anew only when something was done.
func TestFreshTellsOfNewActs(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	_, next := o.unread(t, o.path("/fresh"))
	if a := o.browser.get(t, next); a.header.Get("HX-Trigger") != "" {
		t.Errorf("nothing was done, and it tells of %q", a.header.Get("HX-Trigger"))
	}
	o.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	if a := o.browser.get(t, next); a.header.Get("HX-Trigger") != "acts" {
		t.Errorf("a customer was added, and it tells of %q", a.header.Get("HX-Trigger"))
	}
	o.browser.get(t, o.path("/activity?group=books")).holds(t, `hx-trigger="acts from:body"`, "group=books&amp;live=1")
	viewer, _ := h.invitedAs(t, o, "viewer")
	if _, next := viewer.unread(t, o.path("/fresh")); strings.Contains(next, "act=") {
		t.Error("who may not see the activity is told of it")
	}
}

// What a page asks by itself keeps nobody signed in.
func TestFreshIsNoUse(t *testing.T) {
	t.Parallel()
	clock := &tenanttest.Clock{}
	h := openOn(t, tenanttest.OpenWith(t, clock))
	o := h.signUp(t)
	left := func() int {
		var l struct{ Idle int }
		if err := json.Unmarshal(o.browser.get(t, "/session/left?organization="+o.slug).body, &l); err != nil {
			t.Fatal(err)
		}
		return l.Idle
	}
	o.browser.get(t, o.path(""))
	whole := left()
	for n := range 3 {
		clock.Advance(5 * time.Minute)
		o.browser.get(t, o.path("/fresh")).holds(t, `id="bell"`)
		if got, want := left(), whole-(n+1)*300; got > want+5 || got < want-5 {
			t.Fatalf("after %d minutes of asking, %d seconds are left of %d", 5*(n+1), got, whole)
		}
	}
	o.browser.get(t, o.path("/invoices"))
	if got := left(); got < whole-5 {
		t.Errorf("after use %d seconds are left of %d", got, whole)
	}
	clock.Advance(time.Duration(whole+60) * time.Second)
	if a := o.browser.get(t, o.path("/fresh")); a.status != http.StatusSeeOther {
		t.Errorf("signed out, it answers %d", a.status)
	}
}

// The first steps are read from the books, and can be put away by each for themselves.
func TestFirstSteps(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	done := func(page answer) string {
		return fmt.Sprint(strings.TrimSpace(string(regexp.MustCompile(`\d+ of \d+ done`).Find(page.body))))
	}
	page := o.browser.get(t, o.path(""))
	page.holds(t, "Set up your books", "Say who you are", `href="`+o.path("/settings/imports")+`"`, `href="/account/second-step"`, "Put away")
	if got := done(page); got != "0 of 10 done" {
		t.Errorf("at first %q", got)
	}
	o.made(t, "/v1/customers", map[string]any{"name": "Hugh"})
	o.made(t, "/v1/products", map[string]any{"name": "Mixing", "unit_price": "10"})
	viewer, _ := h.invitedAs(t, o, "viewer")
	if got := done(o.browser.get(t, o.path(""))); got != "3 of 10 done" {
		t.Errorf("with a customer, a product and a colleague %q", got)
	}
	viewer.browser.get(t, o.path("")).lacks(t, "Add a customer", "Invite your bookkeeper")
	if a := o.browser.post(t, o.path("/first-steps"), "idempotency_key", "away-1"); a.status != http.StatusSeeOther {
		t.Fatalf("putting away: %d %s", a.status, a.body)
	}
	page = o.browser.get(t, o.path(""))
	page.lacks(t, "Set up your books")
	page.holds(t, "Show the first steps")
	viewer.browser.get(t, o.path("")).holds(t, "Set up your books")
	if a := o.browser.post(t, o.path("/first-steps?back=yes"), "idempotency_key", "back-1"); a.status != http.StatusSeeOther {
		t.Fatalf("bringing back: %d %s", a.status, a.body)
	}
	o.browser.get(t, o.path("")).holds(t, "Set up your books")
}

// What goes wrong elsewhere is told of, each to those whose business it is.
func TestNoticesOfWhatGoesWrong(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	e.browser.get(t, e.owner.path("/notices")).holds(t, "support asks to be let in")
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: e.slug}, `
		UPDATE payment_intent SET state = 'unknown' WHERE id = '`+e.ids["charges"]+`';
		UPDATE mailing SET state = 'failed', problem = 'mail.refused';
		UPDATE webhook_endpoint SET disabled_at = now(), disabled_for = 'failing';
		UPDATE file SET state = 'failed' WHERE kind = 'import'`)
	h.prove(t, e.owner)
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: e.slug}, `UPDATE journal_line SET amount = amount * 2`)
	h.prove(t, e.owner)
	told := map[string]string{
		" failed, or nobody knows yet what became of it.":         e.owner.path("/charges/" + e.ids["charges"]),
		" could not be mailed.":                                   e.owner.path("/invoices/" + e.ids["invoices"]),
		" was switched off, since it did not answer.":             e.owner.path("/settings/webhooks/" + e.ids["webhooks"]),
		"The import estate.csv failed. Nothing of it was kept.":   e.owner.path("/settings/imports"),
		"The books do not agree. Tell whoever runs this service.": e.owner.path(""),
	}
	page := e.browser.get(t, e.owner.path("/notices"))
	for say, where := range told {
		page.holds(t, say, `href="`+where+`"`)
	}
	role := e.made(t, "/v1/roles", map[string]any{"name": "Hooks " + tenanttest.Random(4), "rights": []string{"webhooks:read"}})
	hooks, _ := h.invitedAs(t, e.owner, "own:"+role)
	theirs := hooks.browser.get(t, e.owner.path("/notices"))
	for say := range told {
		if strings.Contains(say, "switched off") {
			theirs.holds(t, say)
		} else {
			theirs.lacks(t, say)
		}
	}
}

// prove proves the books as the job of the night does.
func (h *house) prove(t testing.TB, o owner) {
	t.Helper()
	scope, err := tenant.EnterOperator(context.Background(), tenanttest.DB(), o.slug)
	if err == nil {
		_, err = proof.Prove(context.Background(), tenanttest.DB(), scope)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whoever may see anything has an overview, with what they may see and nothing else.
func TestOverviewOfWhomMaySeeLittle(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	with := func(rights ...string) answer {
		t.Helper()
		role := e.made(t, "/v1/roles", map[string]any{"name": "Role " + tenanttest.Random(6), "rights": rights})
		who, _ := h.invitedAs(t, e.owner, "own:"+role)
		a := who.browser.get(t, e.owner.path(""))
		if a.status != http.StatusOK {
			t.Fatalf("%v: %d %s", rights, a.status, a.body)
		}
		return a
	}
	products := with("products:read")
	products.holds(t, "shows no figures here")
	products.lacks(t, "Owed to you", "Owed by you", "Cash", "Recently issued", "INV-0001", "overdue")
	bills := with("bills:read")
	bills.holds(t, "Owed by you")
	bills.lacks(t, "Owed to you", "Cash", "Recently issued", "INV-0001", "overdue")
	invoices := with("invoices:read")
	invoices.holds(t, "Owed to you", "INV-0001")
	invoices.lacks(t, "Owed by you", "Cash", "profit-and-loss")
	e.browser.get(t, e.owner.path("")).holds(t, "Owed to you", "Owed by you", "Cash", "/reports/profit-and-loss?from=")
}
