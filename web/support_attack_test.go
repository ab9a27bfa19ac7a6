package web_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sessionOf is the hash under which a browser's session is kept.
func (b *browser) sessionOf(t testing.TB) tenant.Hash {
	t.Helper()
	hash, ok := identity.HashToken(b.cookies["__Host-session"])
	if !ok {
		t.Fatal("no session")
	}
	return hash
}

func wantStatus(t testing.TB, what string, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %d, want %d", what, a.status, status)
	}
}

func TestSupportGrantAttacks(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, other := h.estate(t), h.signUp(t)
	o := e.owner
	customer := o.path("/customers/" + e.ids["customers"])

	t.Run("a grant is for one organization", func(t *testing.T) {
		t.Parallel()
		c, _ := h.visitor(t, o, true)
		wantStatus(t, "another organization's books", c.get(t, other.path("/customers")), http.StatusNotFound)
		wantStatus(t, "another's thing by the way of the one", c.get(t, o.path("/customers/"+other.program.made(t, "/v1/customers", map[string]any{"name": "Elsewhere"}))), http.StatusNotFound)
		wantStatus(t, "the address in capitals", c.get(t, "/o/"+strings.ToUpper(o.slug)+"/customers"), http.StatusNotFound)
	})
	t.Run("a grant is for one support person", func(t *testing.T) {
		t.Parallel()
		_, grant := h.visitor(t, o, true)
		second := h.hire(t, authz.StaffSupport, true)
		wantStatus(t, "a colleague", second.get(t, customer), http.StatusNotFound)
		wantStatus(t, "a colleague leaves in her place", second.post(t, "/staff/visits/"+grant+"/leave"), http.StatusConflict)
		wantStatus(t, "a colleague takes it up", second.post(t, "/staff/visits/"+grant+"/take"), http.StatusConflict)
		boss := h.hire(t, authz.StaffAdministrator, true)
		wantStatus(t, "an administrator", boss.get(t, customer), http.StatusNotFound)
	})
	t.Run("a read grant writes nothing, and no grant goes beyond its modules", func(t *testing.T) {
		t.Parallel()
		c, grant := h.visitor(t, o, false, "customers:read")
		if a := c.get(t, customer); a.status != http.StatusOK || !bytes.Contains(a.body, []byte(secretName)) {
			t.Fatalf("unmasked: %d", a.status)
		}
		for path, pairs := range map[string][]string{
			"/customers": {"name", "New"}, "/customers/" + e.ids["customers"]: {"name", "Changed", "version", "1"},
			"/customers/" + e.ids["customers"] + "/archive": {"version", "1"}, "/payments": nil, "/tokens": {"name", "x", "scopes", "*:write"},
			"/support": termsPairs(false, 10080, everyScope...), "/support/" + grant + "/approve": termsPairs(false, 10080, everyScope...),
			"/support/" + grant + "/end": nil, "/settings": {"name", "Mine"},
		} {
			if a := c.post(t, o.path(path), pairs...); a.status != http.StatusForbidden && a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %d", path, a.status)
			}
		}
		for _, path := range []string{"/invoices", "/settings", "/tokens", "/support", "/support/" + grant, "/journal", "/accounts", "/taxes", "/reports/trial-balance"} {
			wantStatus(t, path, c.get(t, o.path(path)), http.StatusForbidden)
		}
		if a := o.program.call(t, "GET", "/v1/customers/"+e.ids["customers"], nil); !bytes.Contains(a.body, []byte(secretName)) {
			t.Errorf("the customer was changed: %s", a.body)
		}
	})
	t.Run("a write grant that masks cannot write the mask back, and may write what it shows", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		made := o.program.made(t, "/v1/customers", map[string]any{"name": "Aristides Papanikolaou", "email": "a.p@unmistakable.example", "street": "Odos 1"})
		product := o.program.made(t, "/v1/products", map[string]any{"name": "Mixing", "unit_price": "10"})
		c, grant := h.visitor(t, o, true, "customers:write", "products:write")
		a := c.get(t, o.path("/customers/"+made))
		if a.status != http.StatusOK || bytes.Contains(a.body, []byte("Papanikolaou")) || bytes.Contains(a.body, []byte("unmistakable")) || !bytes.Contains(a.body, []byte("A•••")) {
			t.Errorf("masked: %d %s", a.status, a.body)
		}
		wantStatus(t, "writing the mask back", c.post(t, o.path("/customers/"+made), "version", "1", "name", "A••• P•••", "email", "", "street", "•••", "country", "IE"), http.StatusForbidden)
		wantStatus(t, "a product", c.post(t, o.path("/products/"+product), "version", "1", "name", "Mixing and mastering", "unit_price", "12", "currency", "EUR"), http.StatusSeeOther)
		if a := o.program.call(t, "GET", "/v1/customers/"+made, nil); !bytes.Contains(a.body, []byte("a.p@unmistakable.example")) {
			t.Errorf("the customer was changed: %s", a.body)
		}
		found := false
		for _, line := range o.onRecord(t, grant) {
			found = found || strings.HasPrefix(line, "product.change")
		}
		if !found {
			t.Errorf("the change is not on record under the grant: %q", o.onRecord(t, grant))
		}
	})
	t.Run("nobody lets themselves in", func(t *testing.T) {
		t.Parallel()
		c := h.hire(t, authz.StaffSupport, true)
		slug := "own-" + tenanttest.Random(6)
		wantRedirect(t, "opening an organization", c.post(t, "/open", "organization", "Nadia and Sons", "slug", slug, "country", "IE", "currency", "EUR", "time_zone", "Europe/Dublin"), "/o/"+slug)
		mine := owner{browser: c.browser, slug: slug, email: c.email}
		grant := c.asks(t, mine, "invoices:read")
		wantStatus(t, "approving one's own request", c.post(t, mine.path("/support/"+grant+"/approve"), termsPairs(true, 60, "invoices:read")...), http.StatusForbidden)
		wantStatus(t, "refusing it", c.post(t, mine.path("/support/"+grant+"/refuse")), http.StatusForbidden)
		if a := c.get(t, mine.path("/support/"+grant)); bytes.Contains(a.body, []byte("Choose and let them in")) {
			t.Error("it is offered")
		}
		a := c.post(t, mine.path("/support"), append([]string{"reason", "Come in"}, termsPairs(true, 60, "invoices:read")...)...)
		if a.status != http.StatusSeeOther {
			t.Fatalf("inviting: %d", a.status)
		}
		invited := strings.TrimPrefix(a.header.Get("Location"), mine.path("/support/"))
		wantStatus(t, "taking up one's own invitation", c.post(t, "/staff/visits/"+invited+"/take"), http.StatusConflict)
		second := h.hire(t, authz.StaffSupport, true)
		wantRedirect(t, "someone else takes it up", second.post(t, "/staff/visits/"+invited+"/take"), "/staff/visits")
		wantStatus(t, "and is in", second.get(t, mine.path("/invoices")), http.StatusOK)
		third := h.hire(t, authz.StaffSupport, true)
		wantStatus(t, "a third takes it up again", third.post(t, "/staff/visits/"+invited+"/take"), http.StatusConflict)
	})
	t.Run("only an owner lets in", func(t *testing.T) {
		t.Parallel()
		c := h.hire(t, authz.StaffSupport, true)
		o := h.signUp(t)
		grant := c.asks(t, o, "invoices:read")
		helper := h.signUp(t)
		h.enrol(t, o, helper, "administrator")
		wantStatus(t, "an administrator of the organization", helper.browser.post(t, o.path("/support/"+grant+"/approve"), termsPairs(true, 60, "invoices:read")...), http.StatusForbidden)
		wantStatus(t, "their invitation", helper.browser.post(t, o.path("/support"), append([]string{"reason", "x"}, termsPairs(true, 60, "invoices:read")...)...), http.StatusForbidden)
		// They signed in long ago where tests run slowly.
		wantRedirect(t, "the proof", other.post(t, "/account/prove", "password", goodPassword, "next", "/account"), "/account")
		wantStatus(t, "an owner elsewhere", other.browser.post(t, other.path("/support/"+grant+"/approve"), termsPairs(true, 60, "invoices:read")...), http.StatusNotFound)
		wantStatus(t, "the visitor", c.get(t, o.path("/invoices")), http.StatusNotFound)
		o.lets(t, grant, true, 60, "invoices:read")
		wantStatus(t, "an administrator may end it", helper.browser.post(t, o.path("/support/"+grant+"/end")), http.StatusSeeOther)
		wantStatus(t, "and it is over", c.get(t, o.path("/invoices")), http.StatusNotFound)
	})
	t.Run("the mailed link ends it once, by a button and without signing in", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		c, _ := h.visitor(t, o, true, "invoices:read")
		link := o.endLink(t)
		anyone := h.browser()
		if a := anyone.get(t, "/support/end?token="+link); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("End support access now")) {
			t.Fatalf("the page: %d %s", a.status, a.body)
		}
		wantStatus(t, "looking at the page ends nothing", c.get(t, o.path("/invoices")), http.StatusOK)
		for what, token := range map[string]string{"another": strings.Repeat("A", 43), "none": "", "a part": link[:42], "more": link + "A", "its letters turned": strings.ToUpper(link)} {
			wantStatus(t, "a link that is "+what, anyone.post(t, "/support/end", "token", token), http.StatusNotFound)
		}
		if a := anyone.post(t, "/support/end", "token", link); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("is over")) || bytes.Contains(a.body, []byte("over before")) {
			t.Errorf("the button: %d %s", a.status, a.body)
		}
		wantStatus(t, "the next request", c.get(t, o.path("/invoices")), http.StatusNotFound)
		if a := anyone.post(t, "/support/end", "token", link); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("over before")) {
			t.Errorf("replayed: %d %s", a.status, a.body)
		}
		second := c.asks(t, o, "invoices:read")
		o.lets(t, second, true, 60, "invoices:read")
		if a := anyone.post(t, "/support/end", "token", link); !bytes.Contains(a.body, []byte("over before")) {
			t.Errorf("the old link at the new visit: %s", a.body)
		}
		wantStatus(t, "the new visit stays", c.get(t, o.path("/invoices")), http.StatusOK)
	})
	t.Run("who is denied access, changed or without a second factor is out at once", func(t *testing.T) {
		t.Parallel()
		for what, change := range map[string]func(c colleague){
			"denied": func(c colleague) {
				c.set(t, authz.StaffMember{Person: c.person, Role: authz.StaffSupport, State: authz.StaffDenied})
			},
			"another role": func(c colleague) {
				c.set(t, authz.StaffMember{Person: c.person, Role: authz.StaffAdministrator, State: authz.StaffActive})
			},
			"no second factor": func(c colleague) {
				wantRedirect(t, "turning it off", c.post(t, "/account/second-step/app/turn-off"), "/account/second-step")
			},
			"signed out": func(c colleague) { wantRedirect(t, "signing out", c.post(t, "/sign-out"), "/sign-in") },
		} {
			o := h.signUp(t)
			c, _ := h.visitor(t, o, true, "invoices:read")
			kept := c.cookies["__Host-session"]
			wantStatus(t, what+", before", c.get(t, o.path("/invoices")), http.StatusOK)
			change(c)
			c.cookies["__Host-session"] = kept
			if a := c.get(t, o.path("/invoices")); a.status != http.StatusNotFound && a.status != http.StatusSeeOther || bytes.Contains(a.body, []byte("Tidewater")) {
				t.Errorf("%s: %d", what, a.status)
			}
		}
	})
	t.Run("a request that was taken back, refused or forgotten for a week cannot be approved", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		approve := func(grant string) answer {
			return o.browser.post(t, o.path("/support/"+grant+"/approve"), termsPairs(true, 60, "invoices:read")...)
		}
		c := h.hire(t, authz.StaffSupport, true)
		grant := c.asks(t, o, "invoices:read")
		wantRedirect(t, "taking it back", c.post(t, "/staff/visits/"+grant+"/leave"), "/staff/visits")
		wantStatus(t, "taken back", approve(grant), http.StatusUnprocessableEntity)
		grant = c.asks(t, o, "invoices:read")
		wantRedirect(t, "refusing", o.browser.post(t, o.path("/support/"+grant+"/refuse")), o.path("/support/"+grant))
		wantStatus(t, "refused", approve(grant), http.StatusUnprocessableEntity)
		grant = c.asks(t, o, "invoices:read")
		o.lets(t, grant, true, 60, "invoices:read")
		wantStatus(t, "approving again, for more", o.browser.post(t, o.path("/support/"+grant+"/approve"), termsPairs(false, 10080, everyScope...)...), http.StatusUnprocessableEntity)
		wantStatus(t, "it stays what it was", c.get(t, o.path("/customers")), http.StatusForbidden)
	})
	t.Run("what cannot be recorded is not served", func(t *testing.T) {
		t.Parallel()
		c := h.hire(t, authz.StaffSupport, true)
		o := h.signUp(t)
		// Why she is in is part of every line of hers, and under a grant that masks the database takes no mask.
		pairs := append([]string{"slug", o.slug, "ticket", "1", "reason", "The line ••• cannot be written"}, termsPairs(true, 60, "invoices:read")...)
		wantRedirect(t, "asking", c.post(t, "/staff/visits", pairs...), "/staff/visits")
		h.Desk.Flush()
		found := visitPath.FindStringSubmatch(h.outbox.All()[0].Text)
		for _, m := range h.outbox.All() {
			if m.To == o.email && strings.HasPrefix(m.Subject, "Support asks") {
				found = visitPath.FindStringSubmatch(m.Text)
			}
		}
		o.lets(t, found[1], true, 60, "invoices:read")
		a := c.get(t, o.path("/invoices"))
		if a.status < 400 || bytes.Contains(a.body, []byte("Tidewater")) || bytes.Contains(a.body, []byte("Invoices")) {
			t.Errorf("with a record that takes nothing: %d %s", a.status, a.body)
		}
		if lines := o.onRecord(t, found[1]); len(lines) != 0 {
			t.Errorf("on record: %q", lines)
		}
		wantStatus(t, "its owner still reads", o.browser.get(t, o.path("/invoices")), http.StatusOK)
	})
}

// It moves the clock of a desk that writes every receipt that is owed by it, so it runs beside no other test.
func TestExpiredGrant(t *testing.T) {
	h := open(t)
	o := h.signUp(t)
	c, grant := h.visitor(t, o, true, "customers:read")
	wantStatus(t, "while it lasts", c.get(t, o.path("/customers")), http.StatusOK)
	var clock tenanttest.Clock
	clock.Advance(4*time.Hour - 2*time.Second)
	later := tenanttest.OpenWith(t, &clock)
	session := h.longSession(t, c)
	scope, err := tenant.EnterSupport(context.Background(), later, session, o.slug)
	if err != nil {
		t.Fatalf("two seconds before its end: %v", err)
	}
	clock.Advance(5 * time.Second)
	if err := tenant.Do(context.Background(), later, scope, func(*tenant.Tx) error { return nil }); err == nil {
		t.Error("a remembered scope outlives its grant")
	}
	if _, err := tenant.EnterSupport(context.Background(), later, session, o.slug); err == nil {
		t.Error("an expired grant lets in")
	}
	clock.Advance(2 * time.Minute)
	desk := authz.NewDesk(later, authz.MailerFunc(func(ctx context.Context, m authz.Mail) error {
		if m.To == o.email && !strings.Contains(m.Text, "its time ran out") {
			t.Errorf("the receipt: %s", m.Text)
		}
		return nil
	}), origin, h.Log)
	for range 2 { // the second time does nothing
		if err := desk.Settle(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	var rows, receipts int
	err = tenant.DoPlatform(context.Background(), later, func(tx *tenant.PlatformTx) error {
		return tx.Get(context.Background(), &rows, `SELECT receipt_rows FROM platform.support_grant WHERE id = $1 AND mailed_at IS NOT NULL`, grant)
	})
	if err != nil || rows != 1 {
		t.Errorf("its receipt has %d lines, %v", rows, err)
	}
	operator, err := tenant.EnterOperator(context.Background(), later, o.slug)
	if err == nil {
		err = tenant.Do(context.Background(), later, operator, func(tx *tenant.Tx) error {
			return tx.Get(context.Background(), &receipts, `SELECT count(*) FROM audit_log WHERE action = 'support.receipt' AND object_id = $1`, grant)
		})
	}
	if err != nil || receipts != 1 {
		t.Errorf("%d receipts are on record, %v", receipts, err)
	}
}

// What is done while a receipt is written, or by a process whose clock runs behind, is on it or is not done.
func TestReceiptHoldsAllThatWasDone(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := context.Background()
	var ahead tenanttest.Clock // of a process that takes visits for over before others do
	ahead.Advance(5 * time.Hour)
	replica := openOn(t, tenanttest.OpenWith(t, &ahead))
	receiptRows := func(t *testing.T, grant string) (rows int) {
		t.Helper()
		err := tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			return tx.Get(ctx, &rows, `SELECT receipt_rows FROM platform.support_grant WHERE id = $1`, grant)
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	t.Run("a receipt closes the visit, whose clock ever it was written by", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		c, grant := h.visitor(t, o, true, "products:write")
		wantStatus(t, "before", c.get(t, o.path("/products")), http.StatusOK)
		replica.Desk.Ended(ctx, grantID(t, grant))
		replica.Desk.Flush()
		wantStatus(t, "reading after the receipt", c.get(t, o.path("/products")), http.StatusNotFound)
		wantStatus(t, "writing after the receipt", c.post(t, o.path("/products"), "name", "Late", "unit_price", "1", "currency", "EUR"), http.StatusNotFound)
		if a := o.browser.get(t, o.path("/support/"+grant)); !strings.Contains(string(a.body), "Receipt") || strings.Contains(string(a.body), "End access now") {
			t.Errorf("the owner's page: %s", a.body)
		}
		if rows, lines := receiptRows(t, grant), o.onRecord(t, grant); rows != 1 || len(lines) != 1 {
			t.Errorf("the receipt has %d lines, on record is %q", rows, lines)
		}
	})
	t.Run("a request that is under way is waited for", func(t *testing.T) {
		t.Parallel()
		o := h.signUp(t)
		c, grant := h.visitor(t, o, true, "products:write")
		scope, err := tenant.EnterSupport(ctx, tenanttest.DB(), c.sessionOf(t), o.slug)
		if err != nil {
			t.Fatal(err)
		}
		written := make(chan struct{})
		err = tenant.Do(ctx, tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			var own int
			if err := tx.Get(ctx, &own, `SELECT pg_backend_pid()`); err != nil {
				return err
			}
			go func() {
				defer close(written)
				replica.Desk.Ended(ctx, grantID(t, grant))
				replica.Desk.Flush()
			}()
			awaitBlockedBy(t, own, written)
			return tx.Record(ctx, tenant.Act{Action: "product.change", Object: "product", Detail: "slowly"})
		})
		<-written
		if rows, lines := receiptRows(t, grant), o.onRecord(t, grant); err != nil || rows != 1 || len(lines) != 1 {
			t.Errorf("the receipt has %d lines, on record is %q: %v", rows, lines, err)
		}
	})
}

// awaitBlockedBy returns when something waits for that connection to the database, or cannot any more.
func awaitBlockedBy(t testing.TB, pid int, done <-chan struct{}) {
	t.Helper()
	for {
		var waiting int
		err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			return tx.Get(context.Background(), &waiting, `SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))`, pid)
		})
		if err != nil {
			t.Fatal(err)
		}
		if waiting > 0 {
			return
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func grantID(t testing.TB, s string) authz.GrantID {
	t.Helper()
	grant, ok := id.Parse[authz.SupportGrant](s)
	if !ok {
		t.Fatalf("%q is no id", s)
	}
	return grant
}

// Two processes: one in which support works, one in which the owner ends it, at any moment. What was answered is on the
// record, and nothing is answered or committed after the end came back.
func TestEndingSupportAgainstRequests(t *testing.T) {
	t.Parallel()
	h := open(t)
	second := openOn(t, tenanttest.OpenWith(t, &tenanttest.Clock{}))
	for round := range 4 {
		o := h.signUp(t)
		c, grant := h.visitor(t, o, true, "invoices:read", "products:write")
		var lock sync.Mutex
		var over bool // the end has come back
		served, late := 0, 0
		var workers sync.WaitGroup
		start, begun := make(chan struct{}), make(chan struct{}, 64)
		for range 4 {
			there := &browser{second, map[string]string{"__Host-session": c.cookies["__Host-session"]}}
			workers.Go(func() {
				<-start
				for range 12 {
					lock.Lock()
					before := over
					lock.Unlock()
					a := there.post(t, o.path("/products"), "name", "Made by support", "unit_price", "1", "currency", "EUR")
					lock.Lock()
					if a.status == http.StatusSeeOther {
						served++
						begun <- struct{}{}
						if before {
							late++
						}
					} else if a.status != http.StatusNotFound {
						t.Errorf("a request: %d %s", a.status, a.body)
					}
					lock.Unlock()
				}
			})
		}
		workers.Go(func() {
			<-start
			for range round + 1 { // anywhere among the requests
				<-begun
			}
			wantRedirect(t, "ending", o.browser.post(t, o.path("/support/"+grant+"/end")), o.path("/support/"+grant))
			lock.Lock()
			over = true
			lock.Unlock()
		})
		close(start)
		workers.Wait()
		h.Desk.Flush()
		if late > 0 {
			t.Errorf("%d requests were served after the end", late)
		}
		var list struct{ Items []struct{ Name string } }
		o.program.call(t, "GET", "/v1/products?limit=100", nil).decode(t, &list)
		changes := 0
		for _, line := range o.onRecord(t, grant) {
			if strings.HasPrefix(line, "support.change ") {
				changes++
			}
		}
		if len(list.Items) != served || changes < served {
			t.Errorf("%d served, %d products made, %d on record", served, len(list.Items), changes)
		}
		// The receipt was written when it was over, and nothing came after it.
		var rows int
		err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			return tx.Get(context.Background(), &rows, `SELECT receipt_rows FROM platform.support_grant WHERE id = $1`, grant)
		})
		if lines := len(o.onRecord(t, grant)); err != nil || rows != lines {
			t.Errorf("the receipt has %d lines, the record %d: %v", rows, lines, err)
		}
	}
}

// longSession makes a session that does not idle out while a test moves the clock, and gives its hash.
func (h *house) longSession(t testing.TB, c colleague) tenant.Hash {
	t.Helper()
	session := c.sessionOf(t)
	err := tenant.DoPlatform(context.Background(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(context.Background(), `UPDATE platform.session SET idle_seconds = 1000000 WHERE token_hash = $1`, session[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// enrol makes someone a member of another's organization.
func (h *house) enrol(t testing.TB, o, joining owner, role string) {
	t.Helper()
	mine, err := tenant.EnterMember(context.Background(), tenanttest.DB(), joining.sessionOf(t), joining.slug)
	if err != nil {
		t.Fatal(err)
	}
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), o.sessionOf(t), o.slug)
	if err == nil {
		err = tenant.Do(context.Background(), tenanttest.DB(), scope, func(tx *tenant.Tx) error {
			return tx.SetMember(context.Background(), mine.Person(), role, tenant.Active)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}
