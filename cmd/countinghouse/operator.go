package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/ready"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// operatorFlags say where operators look into this process.
type operatorFlags struct {
	OperatorListen string `env:"COUNTINGHOUSE_OPERATOR_LISTEN" placeholder:"ADDRESS" help:"Answer operators on this address, such as 127.0.0.1:9090 or, within a cluster, :9090: /metrics, /readyz with what is wrong, /livez and /debug/pprof. Callers from public addresses are refused. Left out, nobody is answered."`
}

func (f operatorFlags) check() error {
	if f.OperatorListen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(f.OperatorListen)
	if err != nil || port == "" {
		return wrong("operator-listen", fmt.Errorf("%q is no address such as 127.0.0.1:9090", f.OperatorListen))
	}
	if host == "" || host == "localhost" {
		return nil
	}
	address, err := netip.ParseAddr(host)
	if err != nil || !inside(address) && !address.IsUnspecified() {
		return wrong("operator-listen", errors.New("what operators see is not for the Internet: give an address of this machine or of your own network"))
	}
	return nil
}

// inside says whether an address is of this machine or of a network of one's own (RFC 1918, RFC 4193, RFC 3927, RFC 4291).
func inside(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// operate answers operators until the stop that it returns is called.
func (f operatorFlags) operate(ctx context.Context, p parts) (stop func() error, err error) {
	if f.OperatorListen == "" {
		return func() error { return nil }, nil
	}
	stop, at, err := serveBeside(ctx, f.OperatorListen, operatorHandler(p))
	if err != nil {
		return nil, wrong("operator-listen", err)
	}
	p.log.Info("answering operators", "address", at.String())
	return stop, nil
}

func operatorHandler(p parts) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.meter.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ok, found := p.ready.Look(r.Context())
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		// Whoever asked may have gone.
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": ok, "version": version, "checks": found})
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return insideOnly(mux)
}

// insideOnly refuses callers from outside, and pages of other sites that a browser inside was led to believe are ours.
func insideOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		_, named := netip.ParseAddr(host)
		if err != nil || !inside(from.Addr()) || named != nil && host != "localhost" {
			http.Error(w, "This is for operators, inside their own network, by address.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// observe adds to readiness and figures what the database says.
func (p parts) observe(db *tenant.DB) {
	p.ready.Add(
		ready.Check{Name: "database", Run: db.Reach},
		ready.Check{Name: "schema", Run: func(ctx context.Context) error { return tenant.CheckPlatform(ctx, db) }},
		ready.Check{Name: "keyring", Soft: true, Run: p.keyringStands},
	)
	p.meter.Watch(db, func(ctx context.Context) (counts map[string]int, err error) {
		err = tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
			found, err := jobs.CountJobs(ctx, tx)
			counts = map[string]int{}
			for _, s := range jobs.Standings() {
				counts[string(s)] = found[s]
			}
			return err
		})
		return counts, err
	}, p.log)
}

// keyringStands says how the last call of the keyring went: to ask it for nothing would be work for Vault.
func (p parts) keyringStands(context.Context) error {
	if m, ok := p.keyring.(*meteredKeyring); ok {
		if err := m.last.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// meteredKeyring counts the calls of a keyring.
type meteredKeyring struct {
	secrets.Keyring
	count func(call, result string, took time.Duration)
	last  atomic.Pointer[error] // why the keys could not be reached, the last time
}

func (m *meteredKeyring) note(call string, began time.Time, err error) {
	result := "ok"
	switch {
	case errors.Is(err, secrets.ErrUnavailable):
		result = "unavailable"
		m.last.Store(&err)
	case err != nil:
		result = "refused"
	}
	if result != "unavailable" {
		m.last.Store(nil)
	}
	m.count(call, result, time.Since(began))
}

// CreateKey counts and passes on.
func (m *meteredKeyring) CreateKey(ctx context.Context, organization string) (err error) {
	defer func(began time.Time) { m.note("create", began, err) }(time.Now())
	return m.Keyring.CreateKey(ctx, organization)
}

// Seal counts and passes on.
func (m *meteredKeyring) Seal(ctx context.Context, at secrets.Place, plain []byte) (_ string, err error) {
	defer func(began time.Time) { m.note("seal", began, err) }(time.Now())
	return m.Keyring.Seal(ctx, at, plain)
}

// Open counts and passes on.
func (m *meteredKeyring) Open(ctx context.Context, at secrets.Place, sealed string) (_ []byte, err error) {
	defer func(began time.Time) { m.note("open", began, err) }(time.Now())
	return m.Keyring.Open(ctx, at, sealed)
}

// Rewrap counts and passes on.
func (m *meteredKeyring) Rewrap(ctx context.Context, at secrets.Place, sealed string) (_ string, err error) {
	defer func(began time.Time) { m.note("rewrap", began, err) }(time.Now())
	return m.Keyring.Rewrap(ctx, at, sealed)
}

// SealAll counts one call and passes on.
func (m *meteredKeyring) SealAll(ctx context.Context, items []secrets.Plain) []secrets.Result[string] {
	began := time.Now()
	results := m.Keyring.SealAll(ctx, items)
	m.note("seal_all", began, firstError(results))
	return results
}

// OpenAll counts one call and passes on.
func (m *meteredKeyring) OpenAll(ctx context.Context, items []secrets.Sealed) []secrets.Result[secrets.Secret] {
	began := time.Now()
	results := m.Keyring.OpenAll(ctx, items)
	m.note("open_all", began, firstError(results))
	return results
}

// RewrapAll counts one call and passes on.
func (m *meteredKeyring) RewrapAll(ctx context.Context, items []secrets.Sealed) []secrets.Result[string] {
	began := time.Now()
	results := m.Keyring.RewrapAll(ctx, items)
	m.note("rewrap_all", began, firstError(results))
	return results
}

func firstError[T any](results []secrets.Result[T]) error {
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}
