package tenant

import "context"

// GetUnchecked reads one value by SQL that was built at run time, for tests that need more statements than one writes
// by hand.
func GetUnchecked(ctx context.Context, tx *Tx, dest any, statement string, args ...any) error {
	return tx.Get(ctx, dest, query(statement), args...)
}
