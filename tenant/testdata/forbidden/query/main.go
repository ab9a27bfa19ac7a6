package main

import (
	"context"
	"os"

	"github.com/countinghouse/countinghouse/tenant"
)

func read(ctx context.Context, tx *tenant.Tx) error {
	var n int
	return tx.Get(ctx, &n, "SELECT "+os.Args[1])
}

func main() { _ = read }
