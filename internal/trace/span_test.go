package trace

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A collector that does not answer keeps no request waiting.
func TestACollectorThatIsAway(t *testing.T) {
	t.Parallel()
	hangs := make(chan struct{})
	away := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs }))
	defer away.Close()
	defer close(hangs)
	tracer, err := Tell(t.Context(), Options{Endpoint: away.URL, Share: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 10_000 { // more than is kept
		ctx, _, ended := tracer.Serve(t.Context(), "")
		_, told := Part(ctx, "part")
		told("")
		ended(Served{Method: "GET", Route: "/", Status: 200})
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("10,000 requests waited for it: %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if tracer.Shutdown(ctx) == nil {
		t.Error("what could not be told is said to be")
	}
}

// What tracing costs where nobody is told.
func BenchmarkOff(b *testing.B) {
	var none *Tracer
	b.Run("request", func(b *testing.B) {
		for b.Loop() {
			_, _, ended := none.Serve(b.Context(), "")
			ended(Served{Method: "GET", Route: "/", Status: 200})
		}
	})
	ctx, _, _ := none.Serve(b.Context(), "")
	b.Run("transaction", func(b *testing.B) {
		for b.Loop() {
			_, ended := Part(ctx, "transaction")
			ended("")
		}
	})
	within := At(ctx)
	b.Run("statement", func(b *testing.B) {
		for b.Loop() {
			_, ended := within.Statement(ctx, "SELECT 1")
			ended("")
		}
	})
}
