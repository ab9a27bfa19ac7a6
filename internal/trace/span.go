package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otrace "go.opentelemetry.io/otel/trace"
)

// Tracer tells a collector (OpenTelemetry, OTLP over HTTP) what requests and jobs did and for how long. A nil Tracer tells nobody,
// and costs a look into the context for each part. It is safe for concurrent use.
//
// What it tells holds routes, statuses, opaque ids and SQL as it stands in the source. No path, address, parameter, text of
// an error or value of a row is among it: those may be personal or secret.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   otrace.Tracer
}

// Options say whom a Tracer tells, and how much.
type Options struct {
	// Endpoint is the collector's address, such as http://127.0.0.1:4318; its path is /v1/traces where it names none.
	Endpoint string
	// Share is how many of the traces are told: 0 to 1. Which they are follows from their ids, so that programs with the
	// same share tell the same ones; what a caller says of its own sampling decides nothing here.
	Share   float64
	Version string
	// Log hears that the collector cannot be reached; nobody waits for it.
	Log *slog.Logger
}

// CheckEndpoint says what is wrong with a collector's address.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("it is no address such as http://127.0.0.1:4318")
	}
	return nil
}

// Tell makes a Tracer. Shut it down before the process ends, so that the last traces are told.
func Tell(ctx context.Context, o Options) (*Tracer, error) {
	if err := CheckEndpoint(o.Endpoint); err != nil {
		return nil, err
	}
	endpoint := o.Endpoint
	if u, err := url.Parse(endpoint); err == nil && strings.Trim(u.Path, "/") == "" {
		endpoint = u.JoinPath("v1", "traces").String()
	}
	out, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithTimeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("preparing to tell of traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		o.Log.Warn("traces cannot be told", "error", err)
	}))
	share := sdk.TraceIDRatioBased(o.Share)
	provider := sdk.NewTracerProvider(sdk.WithBatcher(out),
		sdk.WithSampler(sdk.ParentBased(share, sdk.WithRemoteParentSampled(share), sdk.WithRemoteParentNotSampled(share))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "countinghouse"), attribute.String("service.version", o.Version))))
	return &Tracer{provider, provider.Tracer(scope)}, nil
}

const scope = "github.com/countinghouse/countinghouse"

// Shutdown tells what is still to be told.
func (t *Tracer) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Served is how a request went.
type Served struct {
	Method, Route string
	Status        int
	Request       string // its id
	Organization  string // its opaque id; "" where it was in none
}

// Serve takes part in the trace of a request's header, or begins one, and gives what stands in the log of it. Under the
// context that it returns all parts are of the request, until ended is called.
func (t *Tracer) Serve(ctx context.Context, header string) (_ context.Context, traced Trace, ended func(Served)) {
	if t == nil {
		traced = Begin(header)
		return With(ctx, traced), traced, func(Served) {}
	}
	if parent, ok := parse(header); ok {
		ctx = otrace.ContextWithRemoteSpanContext(ctx, parent)
	}
	ctx, span := t.tracer.Start(ctx, "request", otrace.WithSpanKind(otrace.SpanKindServer))
	at := span.SpanContext()
	traced = Trace{ID: at.TraceID().String(), Span: at.SpanID().String(), Sampled: at.IsSampled()}
	return With(ctx, traced), traced, func(s Served) {
		if !span.IsRecording() {
			return
		}
		// What the router let pass to us may still live in the request's own memory.
		method, route := methodOf(s.Method), strings.Clone(s.Route)
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
			attribute.Int("http.response.status_code", s.Status), attribute.String("countinghouse.request", s.Request))
		if s.Organization != "" {
			span.SetAttributes(attribute.String("countinghouse.organization", s.Organization))
		}
		if s.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Ran is how a run of a job went.
type Ran struct {
	Kind         string
	Job          int64 // its number in the queue
	Attempt      int
	Organization string // its opaque id; "" where it was the platform's
	Failure      string // a word or a code of ours for what went wrong, never the text of an error; "" is nothing
}

// Run begins the trace of a run of a job. Under the context that it returns all parts are of the run, until ended is
// called.
func (t *Tracer) Run(ctx context.Context) (_ context.Context, traced Trace, ended func(Ran)) {
	if t == nil {
		traced = Begin("")
		return With(ctx, traced), traced, func(Ran) {}
	}
	ctx, span := t.tracer.Start(ctx, "job", otrace.WithNewRoot(), otrace.WithSpanKind(otrace.SpanKindConsumer))
	at := span.SpanContext()
	traced = Trace{ID: at.TraceID().String(), Span: at.SpanID().String(), Sampled: at.IsSampled()}
	return With(ctx, traced), traced, func(r Ran) {
		if !span.IsRecording() {
			return
		}
		span.SetName("job " + r.Kind)
		span.SetAttributes(attribute.String("countinghouse.job.kind", r.Kind), attribute.Int64("countinghouse.job", r.Job),
			attribute.Int("countinghouse.job.attempt", r.Attempt))
		if r.Organization != "" {
			span.SetAttributes(attribute.String("countinghouse.organization", r.Organization))
		}
		if r.Failure != "" {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(attribute.String("error.type", r.Failure))
		}
		span.End()
	}
}

// parse reads a header as Begin does.
func parse(header string) (parent otrace.SpanContext, ok bool) {
	_, rest, _ := strings.Cut(header, "-")
	t := Begin(header)
	if len(rest) < 49 || t.ID != rest[:32] {
		return parent, false
	}
	id, err := otrace.TraceIDFromHex(t.ID)
	if err != nil {
		return parent, false
	}
	span, err := otrace.SpanIDFromHex(rest[33:49])
	if err != nil {
		return parent, false
	}
	return otrace.NewSpanContext(otrace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: otrace.TraceFlags(0).WithSampled(t.Sampled), Remote: true}), true
}

// methodOf keeps what callers may make up out of names.
func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "_OTHER"
}

// Ended ends a part. failure is a word or a code of ours for what went wrong, never the text of an error; "" is nothing.
type Ended func(failure string)

func unheard(string) {}

// Part begins a part of what the context's request does; without a trace that is told, it does nothing.
func Part(ctx context.Context, name string) (context.Context, Ended) {
	span := otrace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return ctx, unheard
	}
	return start(ctx, span, name, otrace.SpanKindInternal)
}

// Place is where in a trace something happens. The zero Place is in none that is told.
type Place struct{ span otrace.Span }

// At is where the context is.
func At(ctx context.Context) Place {
	if span := otrace.SpanFromContext(ctx); span.IsRecording() {
		return Place{span}
	}
	return Place{}
}

// Statement is Part for SQL as it stands in the source, as a part of the place whatever the context is part of.
func (p Place) Statement(ctx context.Context, sql string) (context.Context, Ended) {
	if p.span == nil {
		return ctx, unheard
	}
	text := strings.Join(strings.Fields(sql), " ")
	verb, _, _ := strings.Cut(text, " ")
	const most = 500
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return start(otrace.ContextWithSpan(ctx, p.span), p.span, verb, otrace.SpanKindClient, attribute.String("db.system.name", "postgresql"),
		attribute.String("db.operation.name", verb), attribute.String("db.query.text", text))
}

func start(ctx context.Context, parent otrace.Span, name string, kind otrace.SpanKind, about ...attribute.KeyValue) (context.Context, Ended) {
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name, otrace.WithSpanKind(kind), otrace.WithAttributes(about...))
	if traced := From(ctx); traced.ID != "" { // what goes on from here is this part's
		traced.Span = span.SpanContext().SpanID().String()
		ctx = With(ctx, traced)
	}
	return ctx, func(failure string) {
		if failure != "" {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(attribute.String("error.type", failure))
		}
		span.End()
	}
}
