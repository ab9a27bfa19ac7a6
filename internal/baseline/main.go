// Command baseline writes migrations/baseline.sql: what a new tenant's schema is after all tenant migrations,
// as one script. It runs them in a private Postgres and asks pg_dump.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/tenant"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: baseline FILE")
		os.Exit(2)
	}
	if err := write(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, file string) error {
	folder, err := os.MkdirTemp("", "baseline")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(folder)
	server, err := postgres.Start(ctx, postgres.Options{Dir: folder, Fast: true})
	if err != nil {
		return err
	}
	defer server.Stop(ctx)
	script, err := tenant.DumpBaseline(ctx, server.URL(), server.BinDir())
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(script), 0o644)
}
