package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// commandMark is in the environment of a process that is the command itself, and not a test of it.
const commandMark = "COUNTINGHOUSE_TEST_IS_COMMAND"

// testKey is what the key file of such a process holds.
var testKey = []byte("the key of all processes of tests")

const (
	replicaHost = "books.example"
	passphrase  = "under a quiet lamp records spin"
)

// replica is `countinghouse serve` in a process of its own.
type replica struct {
	address string
	// stop tells it to end, as a service manager would, and waits until it has.
	stop func()
}

func startReplica(t *testing.T, more ...string) replica {
	t.Helper()
	folder := t.TempDir()
	key := filepath.Join(folder, "key")
	if err := os.WriteFile(key, []byte(hex.EncodeToString(testKey)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := replica{address: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	command := exec.Command(os.Args[0], append([]string{"serve", "--no-work", "--listen", r.address, "--origin", "https://" + replicaHost,
		"--keyring", "local", "--keyring-dir", filepath.Join(folder, "keys"), "--smtp-host", "127.0.0.1", "--mail-from", "books@books.example"}, more...)...)
	command.Env = append(os.Environ(), commandMark+"=yes", "COUNTINGHOUSE_KEY_FILE="+key, "COUNTINGHOUSE_DATABASE_URL="+tenanttest.Config().URL)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	serving, ended := make(chan struct{}), make(chan struct{})
	var printed strings.Builder
	go func() {
		defer close(ended)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			printed.WriteString(scan.Text() + "\n")
			if strings.Contains(scan.Text(), `"msg":"serving"`) {
				close(serving)
			}
		}
	}()
	r.stop = sync.OnceFunc(func() {
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-ended
		if err := command.Wait(); err != nil {
			t.Errorf("%v\n%s", err, printed.String())
		}
	})
	t.Cleanup(r.stop)
	select {
	case <-serving:
	case <-ended:
		t.Fatalf("it does not serve:\n%s", printed.String())
	}
	return r
}

// caller is someone at a replica: with a session or an API token.
type caller struct{ session, token string }

func (r replica) ask(t *testing.T, c caller, method, path string, form url.Values) (status int, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = replicaHost
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	} else {
		request.Header.Set("Cookie", "__Host-session="+c.session)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := stay.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// press sends a form that must go through.
func (r replica) press(t *testing.T, c caller, path string, pairs ...string) {
	t.Helper()
	form := url.Values{"idempotency_key": {tenanttest.Random(8)}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	if got, _ := r.ask(t, c, "POST", path, form); got != http.StatusSeeOther {
		t.Fatalf("POST %s: %d", path, got)
	}
}

// house is an organization, and what makes people in it; what they then do, they do at the replicas.
type house struct {
	t      *testing.T
	people *identity.Identity
	slug   string
	owner  caller
	lead   tenant.Person
}

func newHouse(t *testing.T) *house {
	t.Helper()
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	outbox := &notify.Outbox{}
	p := parts{database: tenanttest.Config(), key: testKey, origin: "https://" + replicaHost, mail: outbox, outbox: outbox, keyring: keyring, log: slog.New(slog.DiscardHandler)}
	db, people, _, err := p.assemble(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		people.Flush()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, people: people, slug: "org-" + tenanttest.Random(8)}
	h.lead, h.owner = h.person()
	founding := web.Founding{Slug: h.slug, Name: "Tidewater Studios", Country: "IE", Currency: "EUR", TimeZone: "Europe/Dublin"}
	if err := web.Found(t.Context(), tenanttest.DB(), h.lead, founding); err != nil {
		t.Fatal(err)
	}
	return h
}

// person has an identity and has signed in.
func (h *house) person() (tenant.Person, caller) {
	h.t.Helper()
	email := tenanttest.Random(8) + "@tidewater.example"
	p, err := h.people.AddPerson(h.t.Context(), email, "Mara Lindqvist", passphrase)
	if err != nil {
		h.t.Fatal(err)
	}
	_, session, err := h.people.SignIn(h.t.Context(), email, passphrase, identity.RequestInfo{})
	if err != nil {
		h.t.Fatal(err)
	}
	return p, caller{session: session}
}

// do runs something in the organization as someone with a session.
func (h *house) do(c caller, fn func(tx *tenant.Tx) error) {
	h.t.Helper()
	hash, ok := identity.HashToken(c.session)
	if !ok {
		h.t.Fatal("no session")
	}
	for {
		scope, err := tenant.EnterMember(h.t.Context(), tenanttest.DB(), hash, h.slug)
		if err == nil {
			err = tenant.Do(h.t.Context(), tenanttest.DB(), scope, fn)
		}
		if errors.Is(err, tenant.ErrStale) { // rights were changed at a replica: as the edge does, anew
			continue
		}
		if err != nil {
			h.t.Fatal(err)
		}
		return
	}
}

// member joins with a role, and has a token that may all that they may.
func (h *house) member(role string) (p tenant.Person, browser, program caller) {
	h.t.Helper()
	p, browser = h.person()
	h.do(h.owner, func(tx *tenant.Tx) error { return tx.SetMember(h.t.Context(), p, role, tenant.Active) })
	return p, browser, h.token(browser)
}

func (h *house) token(c caller) (program caller) {
	h.t.Helper()
	h.do(c, func(tx *tenant.Tx) (err error) {
		_, program.token, err = identity.AddToken(h.t.Context(), tx, identity.TokenInput{Name: "test", Scopes: []string{"*:read"}}, func(string) error { return nil })
		return err
	})
	return program
}

// What the owner does at the one process holds from the next request on at the other, which has served whom it is about
// a moment ago.
func TestRevocationsHoldOnTheOtherProcess(t *testing.T) {
	near, far := startReplica(t), startReplica(t)
	h := newHouse(t)
	at := func(path string) string { return "/o/" + h.slug + path }
	want := func(t *testing.T, what string, c caller, path string, status int) {
		t.Helper()
		for name, r := range map[string]replica{"the other process": far, "the same process": near} {
			if got, _ := r.ask(t, c, "GET", path, nil); got != status {
				t.Errorf("%s at %s: %d, want %d", what, name, got, status)
			}
		}
	}
	page, list := at("/settings/gateways"), "/v1/gateways"
	for what, c := range map[string]struct {
		path, verb string
		pairs      []string
		page, list int // answers afterwards
	}{
		"another role": {"/members/", "/role", []string{"role", "viewer"}, http.StatusForbidden, http.StatusForbidden},
		"denied":       {"/members/", "/deny", nil, http.StatusNotFound, http.StatusUnauthorized},
		"removed":      {"/members/", "/remove", nil, http.StatusNotFound, http.StatusUnauthorized},
	} {
		t.Run(what, func(t *testing.T) {
			p, browser, program := h.member("accountant")
			want(t, "a page before", browser, page, http.StatusOK)
			want(t, "a call before", program, list, http.StatusOK)
			near.press(t, h.owner, at(c.path+p.ID.String()+c.verb), c.pairs...)
			want(t, "the open session", browser, page, c.page)
			want(t, "the token", program, list, c.list)
		})
	}
	t.Run("boxes of a role", func(t *testing.T) {
		var role authz.OwnRole
		h.do(h.owner, func(tx *tenant.Tx) (err error) {
			ticks, err := authz.ParseTicks([]string{"gateways:read", "invoices:read"})
			if err == nil {
				role, err = mustCompile(t).AddRole(t.Context(), tx, authz.RoleInput{Name: "Till", Ticks: ticks})
			}
			return err
		})
		_, browser, program := h.member(role.Role())
		want(t, "a page before", browser, page, http.StatusOK)
		want(t, "a call before", program, list, http.StatusOK)
		near.press(t, h.owner, at("/roles/"+role.ID.String()), "name", "Till", "version", fmt.Sprint(role.Version), "rights", "invoices:read")
		want(t, "the open session", browser, page, http.StatusForbidden)
		want(t, "the token", program, list, http.StatusForbidden)
		want(t, "what it still may", browser, at("/invoices"), http.StatusOK)
	})
	t.Run("a token", func(t *testing.T) {
		program := h.token(h.owner)
		want(t, "before", program, list, http.StatusOK)
		var id string
		h.do(h.owner, func(tx *tenant.Tx) error {
			all, err := identity.Tokens(t.Context(), tx, cursor.Query{Limit: 1})
			if err == nil {
				id = all.Items[0].ID.String()
			}
			return err
		})
		near.press(t, h.owner, at("/tokens/"+id+"/revoke"))
		want(t, "revoked", program, list, http.StatusUnauthorized)
	})
	t.Run("a session", func(t *testing.T) {
		_, browser, _ := h.member("accountant")
		want(t, "before", browser, page, http.StatusOK)
		near.press(t, browser, "/sign-out")
		for name, r := range map[string]replica{"the other": far, "the same": near} {
			if got, _ := r.ask(t, browser, "GET", page, nil); got != http.StatusSeeOther {
				t.Errorf("signed out, at %s process: %d", name, got)
			}
		}
	})
	t.Run("support", func(t *testing.T) {
		visitor := h.support(near)
		want(t, "while they are let in", visitor.caller, at("/invoices"), http.StatusOK)
		near.press(t, h.owner, at("/support/"+visitor.grant+"/end"))
		want(t, "after its end", visitor.caller, at("/invoices"), http.StatusNotFound)
		receiptHolds(t, h.receipt(near, visitor.grant), h.slug)
	})
}

// receipt is that of a visit that is over, as the owner has it from a replica's page.
func (h *house) receipt(from replica, grant string) []byte {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); { // it is written in the background
		status, body := from.ask(h.t, h.owner, "GET", "/o/"+h.slug+"/support/"+grant+"/receipt.json", nil)
		if status == http.StatusOK {
			return body
		}
	}
	h.t.Fatal("there is no receipt")
	return nil
}

// receiptHolds proves it with the command, against the sealed record; and that nothing in either can be changed.
func receiptHolds(t *testing.T, receipt []byte, slug string) {
	t.Helper()
	var export bytes.Buffer
	if err := exportRecord(t.Context(), tenanttest.DB(), slug, &export); err != nil {
		t.Fatal(err)
	}
	check := func(receipt, record []byte) (string, error) {
		folder := t.TempDir()
		command := auditReceipt{Receipt: filepath.Join(folder, "receipt.json"), Record: filepath.Join(folder, "record.jsonl")}
		if err := errors.Join(os.WriteFile(command.Receipt, receipt, 0o600), os.WriteFile(command.Record, record, 0o600)); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := command.run(&out)
		return out.String(), err
	}
	record := export.Bytes()
	// Two requests were served, one at each process; two came too late and are not on record.
	if out, err := check(receipt, record); err != nil || !strings.Contains(out, "The receipt holds") || !strings.Contains(out, "Lines          2\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	for what, forged := range map[string][2][]byte{
		"another act on the receipt":     {bytes.Replace(receipt, []byte("support.read"), []byte("support.rest"), 1), record},
		"a line less on the receipt":     {append(append([]byte{}, receipt[:bytes.LastIndex(receipt, []byte(",\n{"))]...), "\n]}\n"...), record},
		"another act on the record":      {receipt, bytes.Replace(record, []byte("support.read"), []byte("support.rest"), 1)},
		"a record that ends too early":   {receipt, record[:bytes.Index(record, []byte("support.receipt"))]},
		"something that is no receipt":   {[]byte("{}"), record},
		"the receipt of another visit":   {bytes.Replace(receipt, receipt[bytes.Index(receipt, []byte(`"grant":"`))+9:][:8], []byte("00000000"), 1), record},
		"a record that is not the chain": {receipt, receipt},
	} {
		if out, err := check(forged[0], forged[1]); err == nil {
			t.Errorf("%s holds: %s", what, out)
		}
	}
}

type visitor struct {
	caller
	grant string
}

// support is someone of the staff whom the owner lets in at a replica's page.
func (h *house) support(at replica) visitor {
	h.t.Helper()
	ctx := h.t.Context()
	p, c := h.person()
	var grant authz.GrantID
	err := tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		if err := authz.SetStaff(ctx, tx, tenant.PersonID{}, authz.StaffMember{Person: p, Role: authz.StaffSupport, State: authz.StaffActive}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO platform.totp (person_id, sealed, created_at, confirmed_at) VALUES ($1, 'x', $2, $2)`, p.ID, tx.Now())
		if err != nil {
			return err
		}
		grant, err = authz.RequestSupport(ctx, tx, mustCompile(h.t), p, h.slug, authz.Terms{Reason: "A payment", Ticket: "1", Scopes: []string{"invoices:read"}, Masks: tenant.MaskAll, Minutes: 60})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	at.press(h.t, h.owner, "/o/"+h.slug+"/support/"+grant.String()+"/approve", "minutes", "60", "scopes", "invoices:read", "masks", "names")
	return visitor{c, grant.String()}
}

func mustCompile(t *testing.T) *authz.Policy {
	t.Helper()
	p, err := authz.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// An export that someone asked for at one process is not made once they were stopped at another, whatever worker takes it.
func TestQueuedExportOfSomeoneStoppedElsewhere(t *testing.T) {
	near, far, h := startReplica(t), startReplica(t), newHouse(t)
	wants := map[string]string{}
	for name, pairs := range map[string][]string{"": nil, "deny": nil, "remove": nil, "role": {"role", "viewer"}} {
		p, browser, _ := h.member("accountant")
		near.press(t, browser, "/o/"+h.slug+"/settings/exports", "holds", "journal", "format", "csv")
		wants[p.ID.String()] = "refused"
		if name == "" {
			wants[p.ID.String()] = "ready"
			continue
		}
		far.press(t, h.owner, "/o/"+h.slug+"/members/"+p.ID.String()+"/"+name, pairs...)
	}
	worker, err := tenant.Open(t.Context(), tenanttest.Config())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	mail := &notify.Outbox{}
	w := work{parts: parts{mail: mail, log: slog.New(slog.DiscardHandler)}, db: worker, policy: mustCompile(t)}
	r := &jobs.Registry{}
	r.Organization(takeout.PackJob, w.packer().Job)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- jobs.Work(ctx, worker, r, slog.New(slog.DiscardHandler), jobs.Options{Poll: 20 * time.Millisecond})
	}()
	var states map[string]string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !maps.Equal(states, wants); {
		states = map[string]string{}
		h.do(h.owner, func(tx *tenant.Tx) error {
			all, err := takeout.Exports(t.Context(), tx, cursor.Query{Limit: 10})
			for _, e := range all.Items {
				states[e.AskedBy.String()] = string(e.State)
			}
			return err
		})
	}
	stop()
	if err := errors.Join(<-ended, worker.Close()); err != nil {
		t.Error(err)
	}
	for _, m := range mail.All() {
		told = append(told, m.Subject)
	}
	if !maps.Equal(states, wants) || len(told) != 1 {
		t.Errorf("the exports are %v, want %v; mails: %q", states, wants, told)
	}
}

// What someone queued is not done once they may not any more, whichever process they were stopped at.
func TestQueuedJobOfSomeoneStoppedElsewhere(t *testing.T) {
	near, h := startReplica(t), newHouse(t)
	ran := make(chan string, 10)
	r := &jobs.Registry{}
	r.Organization("test.replica", func(_ context.Context, s tenant.Scope, args json.RawMessage) error {
		ran <- string(args)
		return nil
	}, jobs.Needs("gateways:read"))
	policy := mustCompile(t)
	// No worker runs until everything is queued and everyone is stopped.
	wants := map[string]string{}
	for name, pairs := range map[string][]string{"": nil, "deny": nil, "remove": nil, "role": {"role", "viewer"}} {
		p, browser, _ := h.member("accountant")
		h.do(browser, func(tx *tenant.Tx) error {
			return jobs.Enqueue(t.Context(), tx, jobs.Job{Kind: "test.replica", Args: map[string]string{"who": p.ID.String()}})
		})
		wants[p.ID.String()] = "cancelled"
		if name == "" {
			wants[p.ID.String()] = "completed"
			continue
		}
		near.press(t, h.owner, "/o/"+h.slug+"/members/"+p.ID.String()+"/"+name, pairs...)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	worker, err := tenant.Open(t.Context(), tenanttest.Config()) // which knows nothing of what the others remember
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- jobs.Work(ctx, worker, r, slog.New(slog.DiscardHandler), jobs.Options{Poll: 20 * time.Millisecond,
			Allow: func(s tenant.Scope, right string) error { return allowJob(policy, s, right) }})
	}()
	for who, state := range wants {
		awaitJob(t, who, state)
	}
	stop()
	if err := errors.Join(<-ended, worker.Close()); err != nil {
		t.Error(err)
	}
	close(ran)
	for args := range ran {
		for who, state := range wants {
			if strings.Contains(args, who) && state != "completed" {
				t.Errorf("the job of someone who was stopped ran: %s", args)
			}
		}
	}
}

// awaitJob waits until the job of someone is in a state, and fails when it ends in another.
func awaitJob(t *testing.T, who, want string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var state string
		err := tenant.DoPlatform(t.Context(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
			return tx.Get(t.Context(), &state, `SELECT state::text FROM jobs.river_job WHERE args->>'who' = $1`, who)
		})
		switch {
		case err != nil:
			t.Fatal(err)
		case state == want:
			return
		case state == "completed", state == "cancelled", state == "discarded", time.Now().After(deadline):
			t.Fatalf("the job is %s, want %s", state, want)
		}
	}
}
