// Package metric counts what an operator wants to see of a process, in the way of Prometheus.
//
// No figure names an organization, a person or an address: each such value would be a row of its own for ever, and a
// list of customers for whoever reads the figures. Names end in their unit, as Prometheus asks.
package metric

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Meter holds the figures of a process. A nil Meter counts nothing. It is safe for concurrent use.
type Meter struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	flying   prometheus.Gauge
	refused  *prometheus.CounterVec
	keys     *prometheus.HistogramVec
}

// New makes a meter for a process of this version.
func New(version string) *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countinghouse_http_requests_total", Help: "Requests answered, by method, route and status.",
		}, []string{"method", "route", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "countinghouse_http_request_duration_seconds", Help: "How long requests took, by method and route.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		flying: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "countinghouse_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countinghouse_rate_limited_total", Help: "Requests refused because there were too many, by what was counted: network, person, token or organization.",
		}, []string{"by"}),
		keys: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "countinghouse_keyring_call_duration_seconds", Help: "How long calls of the keyring (Vault or local) took, by what was asked and how it ended: ok, refused or unavailable.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 3},
		}, []string{"call", "result"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "countinghouse_build_info", Help: "Always 1; its label is the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.took, m.flying, m.refused, m.keys, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Begin counts a request in; the function that it returns counts it out, under the route that answered it.
func (m *Meter) Begin() (end func(method, route string, status int, took time.Duration)) {
	if m == nil {
		return func(string, string, int, time.Duration) {}
	}
	m.flying.Inc()
	return func(method, route string, status int, took time.Duration) {
		m.flying.Dec()
		// What the router let pass to us may still live in the request's own memory.
		method, route = methodOf(method), strings.Clone(route)
		m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
		m.took.WithLabelValues(method, route).Observe(took.Seconds())
	}
}

// methodOf keeps the labels few: callers may send any word as a method.
func methodOf(method string) string {
	for _, known := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		if method == known {
			return known
		}
	}
	return "other"
}

// Refused counts a request over a limit.
func (m *Meter) Refused(by string) {
	if m != nil {
		m.refused.WithLabelValues(by).Inc()
	}
}

// Keyring counts a call of the keyring.
func (m *Meter) Keyring(call, result string, took time.Duration) {
	if m != nil {
		m.keys.WithLabelValues(call, result).Observe(took.Seconds())
	}
}

// Handler answers with all figures, in the format of Prometheus.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, ErrorHandling: promhttp.ContinueOnError})
}
