package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

func insertAccountFor(ctx context.Context, tx *tenant.Tx, account AccountID, purpose string, kind Kind, code int, name string) (a Account, made bool, err error) {
	// The look and the insert are one for whoever holds this row, which every posting takes too.
	if err := lockJournal(ctx, tx); err != nil {
		return a, false, err
	}
	err = tx.Get(ctx, &a, `SELECT `+accountColumns+` FROM account a WHERE a.purpose = $1`, purpose)
	if err == nil {
		return a, false, nil
	}
	if !errors.Is(err, tenant.ErrNoRows) {
		return a, false, fmt.Errorf("looking for the account for %q: %w", purpose, err)
	}
	err = tx.Get(ctx, &a, `
		INSERT INTO account AS a (id, code, name, kind, purpose)
		SELECT $1::uuid, n::text, $4, $3, $2
		  FROM generate_series($5::int, $5::int + 999) n
		 WHERE NOT EXISTS (SELECT FROM account o WHERE o.code = n::text) ORDER BY n LIMIT 1
		RETURNING `+accountColumns, account, purpose, kind, name, code)
	if err != nil {
		return a, false, fmt.Errorf("opening the account for %q: %w", purpose, err)
	}
	return a, true, nil
}
