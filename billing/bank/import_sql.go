package bank

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// earliest is the first day of all lines that an account has; zero for none.
type earliest struct {
	First civil.Date `db:"first"`
}

func selectBefore(ctx context.Context, tx *tenant.Tx, a Account) (e earliest, err error) {
	if err = tx.Get(ctx, &e, `SELECT min(date) AS first FROM bank_line WHERE account_id = $1`, a.ID); err != nil {
		return e, fmt.Errorf("looking for the first bank line: %w", err)
	}
	return e, nil
}

func selectSumBefore(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, day civil.Date) (sum int64, err error) {
	err = tx.Get(ctx, &sum, `SELECT coalesce(sum(amount), 0)::bigint FROM bank_line WHERE account_id = $1 AND date < $2 AND how::text IS DISTINCT FROM 'excluded'`, account, day)
	if err != nil {
		return 0, fmt.Errorf("adding up bank lines: %w", err)
	}
	return sum, nil
}
