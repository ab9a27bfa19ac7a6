package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	told "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/internal/trace"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// gathering is an OpenTelemetry collector.
type gathering struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*told.Span
	raw   []byte
}

func newGathering(t *testing.T) *gathering {
	t.Helper()
	g := &gathering{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sent collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("at %s the collector gets what it cannot read: %v", r.URL.Path, err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.raw = append(g.raw, body...)
		for _, of := range sent.ResourceSpans {
			for _, in := range of.ScopeSpans {
				g.spans = append(g.spans, in.Spans...)
			}
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// named gives what is told of spans with a name, in one trace.
func (g *gathering) named(trace, name string) (found []*told.Span) {
	for _, s := range g.spans {
		if hex.EncodeToString(s.TraceId) == trace && s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// tracedServer is the service in this process, with a tracer and a log.
func tracedServer(t *testing.T, g *gathering, share float64, log io.Writer) (ask func(r *http.Request) int, flush func()) {
	t.Helper()
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	flags := traceFlags{TraceEndpoint: g.URL, TraceShare: share}
	if err := flags.check(); err != nil {
		t.Fatal(err)
	}
	outbox := &notify.Outbox{}
	p := parts{database: tenanttest.Config(), key: testKey, origin: "https://" + replicaHost, mail: outbox, outbox: outbox, keyring: keyring,
		log: slog.New(slog.NewJSONHandler(log, nil))}
	if p.tracer, err = flags.tell(t.Context(), p.log); err != nil {
		t.Fatal(err)
	}
	db, people, server, err := p.assemble(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		people.Flush()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ask = func(r *http.Request) int {
		t.Helper()
		r.Host = replicaHost
		answer, err := server.App().Test(r, 30_000)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	return ask, func() {
		if err := shutTracer(t.Context(), p.tracer); err != nil {
			t.Error(err)
		}
	}
}

// A request is told from its door to its SQL, in the trace that its caller began and under the id that stands in the log;
// and nothing of what was sent or kept is among what is told.
func TestTracesFromRequestToSQL(t *testing.T) {
	t.Parallel()
	g, h := newGathering(t), newHouse(t)
	var log bytes.Buffer
	ask, flush := tracedServer(t, g, 1, &log)
	program := h.writer()
	const begun, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	name, email := "Ottoline "+tenanttest.Random(6), tenanttest.Random(6)+"@quietharbour.example"
	body, err := json.Marshal(map[string]string{"name": name, "email": email})
	if err != nil {
		t.Fatal(err)
	}
	add := httptest.NewRequest("POST", "/v1/customers", bytes.NewReader(body))
	key := tenanttest.Random(8)
	for header, value := range map[string]string{"Authorization": "Bearer " + program.token, "Content-Type": "application/json", "Idempotency-Key": key,
		trace.Header: "00-" + begun + "-" + parent + "-01"} {
		add.Header.Set(header, value)
	}
	if got := ask(add); got != http.StatusCreated {
		t.Fatalf("adding a customer: %d", got)
	}
	look := httptest.NewRequest("GET", "/o/"+h.slug+"/customers?q="+strings.Fields(name)[1], nil)
	look.Header.Set("Cookie", "__Host-session="+h.owner.session)
	if got := ask(look); got != http.StatusOK {
		t.Fatalf("the page: %d", got)
	}
	ask(httptest.NewRequest("GET", "/readyz", nil))
	flush()

	served := g.named(begun, "POST /v1/customers")
	if len(served) != 1 || hex.EncodeToString(served[0].ParentSpanId) != parent || served[0].Kind != told.Span_SPAN_KIND_SERVER {
		t.Fatalf("the request is told as %v", served)
	}
	if !strings.Contains(log.String(), `"trace_id":"`+begun+`"`) {
		t.Errorf("the log does not name the trace: %s", log.String())
	}
	within := func(of *told.Span, spans []*told.Span) bool {
		for _, s := range spans {
			if bytes.Equal(of.ParentSpanId, s.SpanId) {
				return true
			}
		}
		return false
	}
	transactions, inserted := g.named(begun, "transaction"), false
	for _, s := range transactions {
		if !within(s, served) {
			t.Errorf("a transaction is no part of the request: %v", s)
		}
	}
	for _, s := range g.named(begun, "INSERT") {
		for _, a := range s.Attributes {
			inserted = inserted || a.Key == "db.query.text" && strings.Contains(a.Value.GetStringValue(), "INTO party") && within(s, transactions)
		}
	}
	if !inserted {
		t.Errorf("the insertion of the customer is not told as a part of a transaction: %v", g.spans)
	}
	for _, s := range g.spans {
		if strings.Contains(s.Name, "readyz") {
			t.Error("probes are told")
		}
	}
	var organization string
	h.do(h.owner, func(tx *tenant.Tx) error {
		organization = tx.Scope().Organization().ID.String()
		return nil
	})
	if !bytes.Contains(g.raw, []byte(organization)) {
		t.Error("the organization's opaque id is not told")
	}
	for what, value := range map[string]string{"a name": strings.Fields(name)[1], "an address": email, "a token": program.token, "a session": h.owner.session,
		"the organization's address": h.slug, "a key of a request": key, "the owner's name": h.lead.Name, "the owner's address": h.lead.Email} {
		if bytes.Contains(g.raw, []byte(value)) {
			t.Errorf("%s is told: %s", what, value)
		}
	}
}

// A run of a background job is told down to its SQL, and how it failed by a code alone.
func TestTracesOfJobs(t *testing.T) {
	g, h := newGathering(t), newHouse(t)
	flags := traceFlags{TraceEndpoint: g.URL, TraceShare: 1}
	tracer, err := flags.tell(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	worker, err := tenant.Open(t.Context(), tenanttest.Config())
	if err != nil {
		t.Fatal(err)
	}
	secret := "Ottoline " + tenanttest.Random(6)
	ran := make(chan struct{}, 10)
	r := &jobs.Registry{}
	r.Organization("test.traced", func(ctx context.Context, s tenant.Scope, args json.RawMessage) error {
		defer func() { ran <- struct{}{} }()
		if string(args) == `"fail"` {
			return errors.New(secret + " cannot be reached")
		}
		return tenant.Do(ctx, worker, s, func(tx *tenant.Tx) error {
			var n int
			return tx.Get(ctx, &n, `SELECT count(*) FROM party`)
		})
	})
	var organization string
	h.do(h.owner, func(tx *tenant.Tx) error {
		organization = tx.Scope().Organization().ID.String()
		for _, args := range []string{"go", "fail"} {
			if err := jobs.Enqueue(t.Context(), tx, jobs.Job{Kind: "test.traced", Args: args}); err != nil {
				return err
			}
		}
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- jobs.Work(ctx, worker, r, slog.New(slog.DiscardHandler), jobs.Options{Poll: 20 * time.Millisecond, Tracer: tracer})
	}()
	<-ran
	<-ran
	stop()
	if err := errors.Join(<-ended, worker.Close(), shutTracer(t.Context(), tracer)); err != nil {
		t.Fatal(err)
	}
	var read, failed bool
	for _, job := range g.spans {
		if job.Name != "job test.traced" {
			continue
		}
		about := map[string]string{}
		for _, a := range job.Attributes {
			about[a.Key] = a.Value.GetStringValue()
		}
		if about["countinghouse.organization"] != organization {
			t.Errorf("a run is told as %v", about)
		}
		failed = failed || about["error.type"] == "failed"
		for _, part := range g.named(hex.EncodeToString(job.TraceId), "SELECT") {
			for _, a := range part.Attributes {
				read = read || strings.Contains(a.Value.GetStringValue(), "FROM party")
			}
		}
	}
	if !read || !failed {
		t.Errorf("the SQL of a run is told: %v, its failure: %v", read, failed)
	}
	if bytes.Contains(g.raw, []byte(secret)) {
		t.Error("the text of an error is told")
	}
}

// An operator who wants none is told of none, though callers ask to be sampled; the log has its ids all the same.
func TestNoShareOfTraces(t *testing.T) {
	t.Parallel()
	g := newGathering(t)
	var log bytes.Buffer
	ask, flush := tracedServer(t, g, 0, &log)
	const begun = "4bf92f3577b34da6a3ce929d0e0e4737"
	r := httptest.NewRequest("GET", "/sign-in", nil)
	r.Header.Set(trace.Header, "00-"+begun+"-00f067aa0ba902b7-01")
	if got := ask(r); got != http.StatusOK {
		t.Fatal(got)
	}
	flush()
	if len(g.spans) != 0 {
		t.Errorf("told: %v", g.spans)
	}
	if !strings.Contains(log.String(), begun) {
		t.Errorf("the log: %s", log.String())
	}
}

// A collector that is away or a setting that cannot be meant is said with the setting's name, before anything starts.
func TestTraceSettings(t *testing.T) {
	t.Parallel()
	for wrong, f := range map[string]traceFlags{
		"--trace-endpoint": {TraceEndpoint: "collector:4318", TraceShare: 1}, "--trace-endpoint:": {TraceEndpoint: "http://me:word@collector", TraceShare: 1},
		"--trace-share": {TraceEndpoint: "http://127.0.0.1:4318", TraceShare: 1.5}, "--trace-share:": {TraceShare: -1},
	} {
		if err := f.check(); err == nil || !strings.HasPrefix(err.Error(), wrong) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if err := (traceFlags{TraceShare: 1}).check(); err != nil {
		t.Error(err)
	}
}
