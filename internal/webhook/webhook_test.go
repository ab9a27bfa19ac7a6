package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var eur = money.MustCurrency("EUR")

type sealer struct{ keyring secrets.Keyring }

func (s sealer) Seal(ctx context.Context, at webhook.Place, plain []byte) (string, error) {
	return s.keyring.Seal(ctx, secrets.Place(at), plain)
}

func (s sealer) Open(ctx context.Context, at webhook.Place, sealed string) ([]byte, error) {
	return s.keyring.Open(ctx, secrets.Place(at), sealed)
}

// got is one message as a receiver has it.
type got struct {
	id, timestamp, signature string
	body                     []byte
}

// receiver is a server that is told; answer says how it answers, nil with 204.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []got
	answer func(w http.ResponseWriter, r *http.Request)
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.all = append(r.all, got{q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp"), q.Header.Get("webhook-signature"), body})
		answer := r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) set(answer func(w http.ResponseWriter, q *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (r *receiver) messages() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// types are the types of what came, each with how often.
func (r *receiver) types(t *testing.T) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, m := range r.messages() {
		var b struct{ Type string }
		if err := json.Unmarshal(m.body, &b); err != nil {
			t.Fatal(err)
		}
		all[b.Type]++
	}
	return all
}

// house is an organization with books, a clock that can be moved, and what sends.
type house struct {
	tenanttest.Organization
	*testing.T
	db     *tenant.DB
	clock  *tenanttest.Clock
	sender *webhook.Sender
	mails  []string
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, clock: &tenanttest.Clock{}}
	c := tenanttest.Config()
	c.Now, c.Recorded = h.clock.Now, webhook.Note
	var err error
	if h.db, err = tenant.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	h.Organization = tenanttest.Found(t, h.db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: eur, Country: "IE", TimeZone: "Europe/Dublin"})
	})
	if h.Scope, err = tenant.EnterOperator(t.Context(), h.db, h.Slug); err != nil { // a session would end when the clock is moved
		t.Fatal(err)
	}
	if err := keyring.CreateKey(t.Context(), h.Scope.Organization().ID.String()); err != nil {
		t.Fatal(err)
	}
	h.sender = &webhook.Sender{Sealer: sealer{keyring}, Client: outward.NewClient(outward.Options{Internal: true, Timeout: time.Second}), Internal: true,
		Origin: "https://books.example", Mail: func(_ context.Context, to, subject, text string) error {
			h.mails = append(h.mails, to+": "+subject+"\n"+text)
			return nil
		}}
	return h
}

func (h *house) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	h.Helper()
	ctx := context.Background()
	err := tenant.Do(ctx, h.db, h.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) endpoint(url string, events ...string) (webhook.Endpoint, string) {
	h.Helper()
	sealed, err := h.sender.SealEndpoint(h.Context(), h.Scope.Organization().ID, webhook.Input{Name: "Shop", URL: url, Events: events})
	if err != nil {
		h.Fatal(err)
	}
	var e webhook.Endpoint
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = webhook.AddEndpoint(ctx, tx, sealed)
		return err
	})
	return e, sealed.Secret
}

// queued is a job of the organization's, as it lies in the queue.
type queued struct {
	Kind string    `db:"kind"`
	Text string    `db:"args"`
	At   time.Time `db:"scheduled_at"`
	Args json.RawMessage
}

// jobs takes the waiting jobs of webhooks out of the queue, in its order: no worker runs in these tests.
func (h *house) jobs() (all []queued) {
	h.Helper()
	ctx := context.Background()
	err := tenant.DoPlatform(ctx, h.db, func(tx *tenant.PlatformTx) error {
		return tx.Select(ctx, &all, `SELECT kind, args::text AS args, scheduled_at FROM jobs.river_job
			WHERE metadata->>'organization' = $1::text AND kind LIKE 'webhooks.%' ORDER BY scheduled_at, id`, h.Scope.Organization().ID.String())
	})
	if err != nil {
		h.Fatal(err)
	}
	for i := range all {
		all[i].Args = json.RawMessage(all[i].Text)
	}
	return all
}

// run makes every try that is due by the clock and was not made yet.
func (h *house) run(done map[string]bool) {
	h.Helper()
	for again := true; again; {
		again = false
		for _, j := range h.jobs() {
			key := j.Kind + string(j.Args) + j.At.String()
			if done[key] || j.At.After(h.db.Now()) {
				continue
			}
			done[key], again = true, true
			work := h.sender.DeliverNow
			if j.Kind == webhook.TellJob {
				work = h.sender.Tell
			}
			if err := work(h.Context(), h.db, h.Scope, j.Args); err != nil {
				h.Fatal(err)
			}
		}
	}
}

func (h *house) log(e webhook.Endpoint) []webhook.Delivery {
	h.Helper()
	var page cursor.Page[webhook.Delivery]
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		page, err = webhook.Deliveries(ctx, tx, e.ID, cursor.Query{Limit: 100})
		return err
	})
	return page.Items
}

func (h *house) now(e webhook.Endpoint) (fresh webhook.Endpoint) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		fresh, err = webhook.EndpointByID(ctx, tx, e.ID)
		return err
	})
	return fresh
}

func (h *house) test(e webhook.Endpoint) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := webhook.SendTest(ctx, tx, e.ID)
		return err
	})
}

func (h *house) customer() (c billing.Customer) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		c, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Zaharias Unmistakable"})
		return err
	})
	return c
}

func (h *house) invoice(c billing.Customer) (i billing.Invoice) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		one := decimal.NewFromInt(1)
		draft, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{{Description: "Secret work", Quantity: one, UnitPrice: decimal.NewFromInt(100)}}})
		if err != nil {
			return err
		}
		i, err = billing.IssueInvoice(ctx, tx, draft.ID, 0)
		return err
	})
	return i
}

func (h *house) pay(i billing.Invoice, minor int64) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: i.ID, Amount: money.Amount{Minor: minor, Currency: eur}, Method: billing.Cash})
		return err
	})
}

func TestEventsFollowFromActs(t *testing.T) {
	t.Parallel()
	h, all, some := open(t), newReceiver(t), newReceiver(t)
	everything, secret := h.endpoint(all.URL, "*")
	h.endpoint(some.URL, "invoice.paid", "customer.created")
	c := h.customer()
	i := h.invoice(c)
	h.pay(i, 4000)
	done := map[string]bool{}
	h.run(done)
	if got := some.types(t); got["invoice.paid"] != 0 || got["customer.created"] != 1 || len(got) != 1 {
		t.Fatalf("before it is paid: %v", got)
	}
	h.pay(i, 6000)
	h.run(done)
	if got := some.types(t); got["invoice.paid"] != 1 || got["customer.created"] != 1 || len(got) != 2 {
		t.Fatalf("who chose two gets %v", got)
	}
	want := map[string]int{"customer.created": 1, "invoice.issued": 1, "payment.recorded": 2, "invoice.paid": 1}
	if got := all.types(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("who chose all gets %v", got)
	}
	for _, m := range all.messages() {
		var b struct {
			Type      string
			Timestamp time.Time
			Data      struct{ ID, Object string }
		}
		if err := json.Unmarshal(m.body, &b); err != nil || b.Timestamp.IsZero() {
			t.Fatalf("%s: %v", m.body, err)
		}
		if b.Type == "invoice.paid" && (b.Data.ID != i.ID.String() || b.Data.Object != "invoice") {
			t.Errorf("paid is %s", m.body)
		}
		if strings.Contains(string(m.body), "Unmistakable") || strings.Contains(string(m.body), "100") && b.Type == "invoice.issued" && strings.Contains(string(m.body), "total") {
			t.Errorf("it holds more than ids: %s", m.body)
		}
		seconds, err := strconv.ParseInt(m.timestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if signed, err := webhook.Sign(secret, m.id, time.Unix(seconds, 0), m.body); err != nil || signed != m.signature {
			t.Errorf("signed %s, want %s (%v)", m.signature, signed, err)
		}
	}
	log := h.log(everything)
	if len(log) != 5 || !slices.IsSortedFunc(log, func(a, b webhook.Delivery) int { return b.OccurredAt.Compare(a.OccurredAt) }) {
		t.Errorf("the log is not in the order of events: %v", log)
	}
	if paid := slices.IndexFunc(all.messages(), func(m got) bool { return strings.Contains(string(m.body), "invoice.paid") }); all.messages()[paid].id != some.messages()[1].id {
		t.Error("one event has two ids")
	}
}

// plain seals nothing: what a gateway's account holds is not asked for here.
type plain struct{}

func (plain) Seal(_ context.Context, _ billing.Place, text []byte) (string, error) {
	return string(text), nil
}
func (plain) Open(_ context.Context, _ billing.Place, sealed string) ([]byte, error) {
	return []byte(sealed), nil
}

func TestWhatGatewaysMoveIsToldOf(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	h.endpoint(r.URL, "payment.recorded", "payment.refunded", "payment.failed", "invoice.paid")
	i := h.invoice(h.customer())
	account, err := billing.SealGatewayAccount(t.Context(), plain{}, h.Scope.Organization().ID, billing.GatewayAccountInput{Kind: gateway.Practice, Name: "Card", Key: "practice_0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	all, done := money.Amount{Minor: 10000, Currency: eur}, map[string]bool{}
	var a billing.GatewayAccount
	plan := func() (planned billing.Intent) {
		h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			planned, err = billing.PlanPage(ctx, tx, billing.PageInput{InvoiceID: i.ID, GatewayID: a.ID})
			return err
		})
		return planned
	}
	settle := func(intent billing.Intent, c gateway.Charge) {
		for range 2 { // what is told twice is one event
			h.do(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.SettleCharge(ctx, tx, intent.ID, c)
				return err
			})
		}
		h.run(done)
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		a, err = billing.AddGatewayAccount(ctx, tx, account)
		return err
	})
	settle(plan(), gateway.Charge{Ref: "pg_1", State: gateway.Declined, Amount: all, Reason: "no"})
	charge := plan()
	settle(charge, gateway.Charge{Ref: "pg_2", State: gateway.Succeeded, Amount: all})
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		refund, err := billing.PlanRefund(ctx, tx, charge.ID, money.Amount{})
		if err != nil {
			return err
		}
		_, err = billing.SettleRefund(ctx, tx, refund.ID, gateway.Refund{Ref: "re_1", Charge: "pg_2", State: gateway.Succeeded, Amount: all})
		return err
	})
	h.run(done)
	want := map[string]int{"payment.failed": 1, "payment.recorded": 1, "invoice.paid": 1, "payment.refunded": 1}
	if got := r.types(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for _, m := range r.messages() {
		if strings.Contains(string(m.body), "payment.failed") != strings.Contains(string(m.body), `"object":"charge"`) {
			t.Errorf("%s", m.body)
		}
	}
}

func TestNothingIsToldOfWhatWasUndone(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	e, _ := h.endpoint(r.URL, "*")
	undone := errors.New("undone")
	err := tenant.Do(t.Context(), h.db, h.Scope, func(tx *tenant.Tx) error {
		if _, err := billing.AddCustomer(t.Context(), tx, billing.CustomerInput{Name: "Nobody"}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	h.run(map[string]bool{})
	if len(h.log(e)) != 0 || len(h.jobs()) != 0 || len(r.messages()) != 0 {
		t.Fatal("it was told of")
	}
}

func TestRetriesFollowTheSchedule(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	r.set(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not today", http.StatusInternalServerError)
	})
	e, _ := h.endpoint(r.URL, "*")
	h.test(e)
	delays := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	done := map[string]bool{}
	for n, delay := range delays {
		h.run(done)
		d := h.log(e)[0]
		if d.State != webhook.Pending || d.Tries != n+1 || d.Status != 500 || d.Answer != "not today" || d.NextAt == nil || d.NextAt.Sub(*d.TriedAt) != delay {
			t.Fatalf("after try %d: %+v, want the next after %s", n+1, d, delay)
		}
		if late := h.jobs(); !late[len(late)-1].At.Equal(*d.NextAt) {
			t.Fatalf("the job is at %s", late[len(late)-1].At)
		}
		h.clock.Advance(delay - time.Second)
		if h.run(done); len(r.messages()) != n+1 {
			t.Fatalf("it was tried before its time")
		}
		h.clock.Advance(time.Second)
	}
	if h.now(e).DisabledAt != nil {
		t.Fatal("off before the last try")
	}
	h.run(done)
	d := h.log(e)[0]
	if d.State != webhook.Failed || d.Tries != 10 || d.NextAt != nil || len(r.messages()) != 10 {
		t.Fatalf("at last %+v after %d messages", d, len(r.messages()))
	}
	ids := map[string]bool{}
	for _, m := range r.messages() {
		ids[m.id] = true
	}
	if len(ids) != 1 || r.messages()[0].timestamp == r.messages()[9].timestamp {
		t.Errorf("ids %v; each try has its own time", ids)
	}
	if off := h.now(e); off.DisabledFor != webhook.Failing {
		t.Errorf("after three days of failure: %+v", off)
	}
	if len(h.mails) != 1 || !strings.HasPrefix(h.mails[0], h.Owner.Email) || !strings.Contains(h.mails[0], "/settings/webhooks/"+e.ID.String()) {
		t.Errorf("mails %q", h.mails)
	}
	h.customer()
	if len(h.log(e)) != 1 {
		t.Error("it is told of things while it is off")
	}
}

func TestA410TurnsItOff(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	r.set(status(http.StatusGone))
	e, _ := h.endpoint(r.URL, "*")
	h.test(e)
	h.customer()
	done := map[string]bool{}
	h.run(done)
	if off := h.now(e); off.DisabledFor != webhook.Gone || len(h.mails) != 1 || !strings.Contains(h.mails[0], "410") {
		t.Fatalf("%+v, mails %q", off, h.mails)
	}
	if n := len(r.messages()); n != 1 {
		t.Errorf("it was sent %d messages after it said no", n-1)
	}
	for _, d := range h.log(e) {
		if d.State != webhook.Failed {
			t.Errorf("%+v", d)
		}
	}
	err := tenant.Do(t.Context(), h.db, h.Scope, func(tx *tenant.Tx) error {
		_, err := webhook.SendTest(t.Context(), tx, e.ID)
		return err
	})
	if !errors.Is(err, webhook.ErrDisabled) {
		t.Errorf("a test of one that is off: %v", err)
	}
	r.set(nil)
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := webhook.EnableEndpoint(ctx, tx, e.ID); err != nil {
			return err
		}
		_, err := webhook.Replay(ctx, tx, e.ID, h.log(e)[0].ID)
		return err
	})
	h.run(done)
	if d := h.log(e)[0]; d.State != webhook.Delivered || d.Event != "customer.created" {
		t.Errorf("sent again: %+v", d)
	}
}

func TestARotationSignsWithBothSecrets(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	e, old := h.endpoint(r.URL, "*")
	rotate := func(overlap time.Duration) string {
		rotation, err := h.sender.SealRotation(t.Context(), h.db, h.Scope, e.ID, overlap)
		if err != nil {
			t.Fatal(err)
		}
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := webhook.RotateSecret(ctx, tx, rotation)
			return err
		})
		return rotation.Secret
	}
	signed := func(secrets ...string) {
		t.Helper()
		h.test(e)
		h.run(map[string]bool{})
		all := r.messages()
		m := all[len(all)-1]
		seconds, err := strconv.ParseInt(m.timestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, s := range secrets {
			one, err := webhook.Sign(s, m.id, time.Unix(seconds, 0), m.body)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, one)
		}
		if m.signature != strings.Join(want, " ") {
			t.Errorf("signed %q, want %q", m.signature, want)
		}
	}
	signed(old)
	fresh := rotate(24 * time.Hour)
	signed(fresh, old)
	h.clock.Advance(25 * time.Hour)
	signed(fresh)
	last := rotate(0)
	signed(last)
	if _, err := h.sender.SealRotation(t.Context(), h.db, h.Scope, e.ID, 8*24*time.Hour); !errors.Is(err, webhook.ErrOverlap) {
		t.Errorf("8 days: %v", err)
	}
	t.Run("two at once are one", func(t *testing.T) {
		one, err := h.sender.SealRotation(t.Context(), h.db, h.Scope, e.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		rotate(time.Hour)
		err = tenant.Do(t.Context(), h.db, h.Scope, func(tx *tenant.Tx) error {
			_, err := webhook.RotateSecret(t.Context(), tx, one)
			return err
		})
		if !errors.Is(err, webhook.ErrChanged) {
			t.Fatalf("the slower one: %v", err)
		}
	})
}

func TestAWorkerThatDiesSendsAgainWithTheSameID(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	e, _ := h.endpoint(r.URL, "*")
	h.test(e)
	ctx, die := context.WithCancel(t.Context())
	r.set(func(w http.ResponseWriter, q *http.Request) {
		die() // it arrived, and nobody is left to note it
		<-q.Context().Done()
	})
	args := h.jobs()[0].Args
	if err := h.sender.DeliverNow(ctx, h.db, h.Scope, args); err == nil {
		t.Fatal("it noted all the same")
	}
	if d := h.log(e)[0]; d.State != webhook.Pending || d.Tries != 0 {
		t.Fatalf("%+v", d)
	}
	r.set(nil)
	for range 3 { // and what runs after it was noted does nothing
		if err := h.sender.DeliverNow(t.Context(), h.db, h.Scope, args); err != nil {
			t.Fatal(err)
		}
	}
	all := r.messages()
	if len(all) != 2 || all[0].id == "" || all[0].id != all[1].id || string(all[0].body) != string(all[1].body) {
		t.Fatalf("%d messages", len(all))
	}
}

func TestSlowHugeAndStrangeAnswers(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	e, _ := h.endpoint(r.URL, "*")
	var inner int
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inner++ }))
	t.Cleanup(inside.Close)
	for name, c := range map[string]struct {
		answer  func(w http.ResponseWriter, q *http.Request)
		status  int
		problem string
		state   string
	}{
		"slow to answer": {func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }, 0, "timeout", webhook.Pending},
		"hangs up":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "unreachable", webhook.Pending},
		"redirects": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, inside.URL, http.StatusTemporaryRedirect)
		}, 307, "", webhook.Pending},
		"not found":        {status(404), 404, "", webhook.Pending},
		"other successful": {status(299), 299, "", webhook.Delivered},
		"endless": {func(w http.ResponseWriter, q *http.Request) {
			for q.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat("a", 1<<16))); err != nil {
					return
				}
			}
		}, 200, "", webhook.Delivered},
		"drips": {func(w http.ResponseWriter, q *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-q.Context().Done()
		}, 200, "", webhook.Delivered},
	} {
		r.set(c.answer)
		h.test(e)
		began := time.Now()
		h.run(map[string]bool{})
		d := h.log(e)[0]
		if d.Status != c.status || d.Problem != c.problem || d.State != c.state || len([]rune(d.Answer)) > 200 {
			t.Errorf("%s: %+v", name, d)
		}
		if time.Since(began) > 20*time.Second {
			t.Errorf("%s took %s", name, time.Since(began))
		}
	}
	if inner != 0 {
		t.Error("a redirect was followed")
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	e, _ := h.endpoint(r.URL, "*")
	for said, want := range map[string]time.Duration{"3600": time.Hour, "1": 5 * time.Second, "-5": 5 * time.Second, "99999999": 24 * time.Hour, "soon": 5 * time.Second} {
		r.set(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", said)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		h.test(e)
		args := h.jobs()
		if err := h.sender.DeliverNow(t.Context(), h.db, h.Scope, latest(args)); err != nil {
			t.Fatal(err)
		}
		if d := h.log(e)[0]; d.NextAt == nil || d.NextAt.Sub(*d.TriedAt) != want {
			t.Errorf("%q: %+v", said, d)
		}
	}
}

// latest is the first try that was queued last.
func latest(all []queued) json.RawMessage {
	var found json.RawMessage
	for _, j := range all {
		if strings.Contains(string(j.Args), `"try": 0`) || strings.Contains(string(j.Args), `"try":0`) {
			found = j.Args
		}
	}
	return found
}

func TestAddressesInsideAreNotReached(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	e, _ := h.endpoint(r.URL, "*")
	h.test(e)
	h.sender.Client = outward.NewClient(outward.Options{}) // as outside dev
	h.run(map[string]bool{})
	if d := h.log(e)[0]; d.Problem != "internal" || d.State != webhook.Pending || len(r.messages()) != 0 {
		t.Fatalf("%+v", d)
	}
	h.sender.Internal = false
	for _, url := range []string{r.URL, "http://hooks.example.com", "https://127.0.0.1/", "https://localhost/"} {
		if _, err := h.sender.SealEndpoint(t.Context(), h.Scope.Organization().ID, webhook.Input{Name: "Shop", URL: url, Events: []string{"*"}}); !errors.Is(err, outward.ErrURL) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestOneOrganizationNeverSeesAnothers(t *testing.T) {
	t.Parallel()
	one, other, r := open(t), open(t), newReceiver(t)
	e, _ := one.endpoint(r.URL, "*")
	other.customer()
	other.run(map[string]bool{})
	one.run(map[string]bool{})
	if len(r.messages()) != 0 || len(one.log(e)) != 0 {
		t.Fatal("it is told of another's customer")
	}
	one.test(e)
	args := one.jobs()[0].Args
	if err := other.sender.DeliverNow(t.Context(), other.db, other.Scope, args); err != nil || len(r.messages()) != 0 {
		t.Fatalf("another organization sends its message: %v", err)
	}
	for name, err := range map[string]error{
		"read": tenant.Do(t.Context(), other.db, other.Scope, func(tx *tenant.Tx) error {
			_, err := webhook.EndpointByID(t.Context(), tx, e.ID)
			return err
		}),
		"log": tenant.Do(t.Context(), other.db, other.Scope, func(tx *tenant.Tx) error {
			_, err := webhook.Deliveries(t.Context(), tx, e.ID, cursor.Query{})
			return err
		}),
		"remove": tenant.Do(t.Context(), other.db, other.Scope, func(tx *tenant.Tx) error { return webhook.RemoveEndpoint(t.Context(), tx, e.ID) }),
	} {
		if !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, secret := h.endpoint("http://localhost:1/", "*")
	var row struct{ Sealed, Acts string }
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &row, `SELECT sealed, (SELECT coalesce(string_agg(detail, ' '), '') FROM audit_log) AS acts FROM webhook_endpoint WHERE id = $1`, e.ID)
	})
	if row.Sealed == "" || strings.Contains(row.Sealed, secret[6:]) || strings.Contains(row.Acts, secret[6:]) || strings.Contains(row.Acts, "localhost") {
		t.Fatalf("%+v", row)
	}
}

func TestAtMostTenAndSweep(t *testing.T) {
	t.Parallel()
	h, r := open(t), newReceiver(t)
	var e webhook.Endpoint
	for range 10 {
		e, _ = h.endpoint(r.URL, "*")
	}
	sealed, err := h.sender.SealEndpoint(t.Context(), h.Scope.Organization().ID, webhook.Input{Name: "Shop", URL: r.URL, Events: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	err = tenant.Do(t.Context(), h.db, h.Scope, func(tx *tenant.Tx) error {
		_, err := webhook.AddEndpoint(t.Context(), tx, sealed)
		return err
	})
	if !errors.Is(err, webhook.ErrTooMany) {
		t.Fatalf("the eleventh: %v", err)
	}
	h.test(e)
	before := len(h.jobs())
	h.clock.Advance(16 * time.Minute) // its job was lost
	if err := webhook.Sweep(t.Context(), h.db, h.Scope); err != nil {
		t.Fatal(err)
	}
	if len(h.jobs()) != before+1 {
		t.Fatal("what is late is not queued again")
	}
	h.run(map[string]bool{})
	if len(r.messages()) != 1 {
		t.Fatalf("%d messages", len(r.messages()))
	}
	h.clock.Advance(31 * 24 * time.Hour)
	if err := webhook.Sweep(t.Context(), h.db, h.Scope); err != nil {
		t.Fatal(err)
	}
	if len(h.log(e)) != 0 {
		t.Fatal("it is kept for longer than 30 days")
	}
}
