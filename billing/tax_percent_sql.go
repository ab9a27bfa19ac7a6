package billing

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

func selectUnfitTaxes(ctx context.Context, tx *tenant.Tx, document uuid.UUID) ([]unfitTax, error) {
	var unfit []unfitTax
	err := tx.Select(ctx, &unfit, `
		SELECT DISTINCT x.code, x.was, x.percent, x.nameless FROM (
			SELECT t.code, t.percent AS was, t.kind::text = 'reverse_charge' AND c.tax_number = '' AND d.kind::text NOT IN ('bill', 'payee_credit') AS nameless, coalesce((SELECT p.percent FROM tax_percent p
			        WHERE p.tax_rate_id = r.id AND p.since <= d.issue_date ORDER BY p.since DESC LIMIT 1), r.percent) AS percent
			  FROM document d JOIN document_tax t ON t.document_id = d.id JOIN tax_rate r ON r.id = t.tax_rate_id
			  JOIN party c ON c.id = d.customer_id
			 WHERE d.id = $1) x
		 WHERE x.nameless OR x.was <> x.percent ORDER BY x.code`, document)
	if err != nil {
		return nil, fmt.Errorf("comparing a draft's taxes: %w", err)
	}
	return unfit, nil
}
