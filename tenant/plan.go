package tenant

import (
	"context"
	"fmt"
)

// PlanPlainly has Postgres run the statements of this transaction as they are, without compiling them first (JIT), which it
// reckons to pay off for reports over many rows.
func PlanPlainly(ctx context.Context, tx *Tx) error {
	if _, err := tx.Exec(ctx, `SELECT set_config('jit', 'off', true)`); err != nil {
		return fmt.Errorf("saying how to plan: %w", err)
	}
	return nil
}
