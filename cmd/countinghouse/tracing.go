package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/countinghouse/countinghouse/internal/trace"
)

// traceFlags say whom the service tells what its requests and jobs do.
type traceFlags struct {
	TraceEndpoint string  `env:"COUNTINGHOUSE_TRACE_ENDPOINT" placeholder:"URL" help:"An OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318, that is told what each request and each background job does, down to its SQL, without values. Left out, nobody is told."`
	TraceShare    float64 `env:"COUNTINGHOUSE_TRACE_SHARE" default:"1" help:"Of which share of them it is told: 0 to 1."`
}

func (f traceFlags) check() error {
	if f.TraceEndpoint != "" {
		if err := trace.CheckEndpoint(f.TraceEndpoint); err != nil {
			return wrong("trace-endpoint", err)
		}
	}
	if !(f.TraceShare >= 0 && f.TraceShare <= 1) {
		return wrong("trace-share", errors.New("give 0 to 1"))
	}
	return nil
}

// tell makes the tracer; nil where nobody is to be told.
func (f traceFlags) tell(ctx context.Context, log *slog.Logger) (*trace.Tracer, error) {
	if f.TraceEndpoint == "" {
		return nil, nil
	}
	t, err := trace.Tell(ctx, trace.Options{Endpoint: f.TraceEndpoint, Share: f.TraceShare, Version: version, Log: log})
	return t, wrong("trace-endpoint", err)
}

// shutTracer tells what is still to be told. A collector that is away keeps nobody from stopping.
func shutTracer(ctx context.Context, t *trace.Tracer) error {
	patience, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if err := t.Shutdown(patience); err != nil && patience.Err() == nil {
		return fmt.Errorf("telling the last traces: %w", err)
	}
	return nil
}
