package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/countinghouse/countinghouse/authz"
)

// settleEvery is how soon after a visit of support ran out its receipt is looked for.
const settleEvery = time.Minute

// keepSettling writes and mails the receipts of visits that ran out, until ctx ends.
func keepSettling(ctx context.Context, desk *authz.Desk, log *slog.Logger) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := desk.Settle(ctx); err != nil && ctx.Err() == nil {
				log.Error("writing receipts of support visits; it is tried again", "error", err)
			}
		}
	}
}
