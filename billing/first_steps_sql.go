package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

func selectFirstSteps(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (f FirstSteps, err error) {
	err = tx.Get(ctx, &f, `
		SELECT s.street <> '' AND s.city <> '' AS located, s.tax_number <> '' AS has_tax, s.logo_id IS NOT NULL AS logo,
		       EXISTS (SELECT FROM party p WHERE p.is_customer) AS customer,
		       EXISTS (SELECT FROM product) AS product,
		       EXISTS (SELECT FROM document d WHERE d.kind = 'invoice' AND d.number IS NOT NULL) AS issued,
		       EXISTS (SELECT FROM payment y WHERE y.direction::text = 'in') AS paid,
		       EXISTS (SELECT FROM gateway_account g WHERE g.archived_at IS NULL AND g.account_id IS NOT NULL) AS gateway,
		       EXISTS (SELECT FROM bank_line) AS bank,
		       EXISTS (SELECT FROM member m WHERE m.person_id <> $1 AND m.state::text = 'active') AS colleagues,
		       coalesce((SELECT m.first_steps_away FROM member m WHERE m.person_id = $1), false) AS away
		  FROM settings s`, person)
	if err != nil {
		return f, fmt.Errorf("reading the first steps: %w", err)
	}
	return f, nil
}

func updateFirstSteps(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, away bool) error {
	if _, err := tx.Exec(ctx, `UPDATE member SET first_steps_away = $2 WHERE person_id = $1`, person, away); err != nil {
		return fmt.Errorf("putting the first steps away: %w", err)
	}
	return nil
}
