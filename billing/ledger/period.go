package ledger

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // a machine without zone files keeps the same dates

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// CloseThrough closes the books through a day: from then on nothing is posted on it or before it. A posting that is
// under way is waited for. An earlier day, or none, opens again what lies after it.
func CloseThrough(ctx context.Context, tx *tenant.Tx, through civil.Date) error {
	if err := updateClosedThrough(ctx, tx, through); err != nil {
		return err
	}
	detail := "through " + through.String()
	if through.IsZero() {
		detail = "opened from the beginning"
	}
	return tx.Record(ctx, tenant.Act{Action: "books.close", Object: "settings", Detail: detail})
}

// Today is the organization's date at the moment of the transaction.
func Today(ctx context.Context, tx *tenant.Tx) (civil.Date, error) {
	name, err := selectTimeZone(ctx, tx)
	if err != nil {
		return civil.Date{}, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return civil.Date{}, fmt.Errorf("stored time zone: %w", err)
	}
	return civil.Of(tx.Now(), zone), nil
}
