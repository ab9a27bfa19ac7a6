package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

func insertChart(ctx context.Context, tx *tenant.Tx, chart []chartRow) error {
	rows, err := toJSON(chart)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH numbers AS (INSERT INTO counter (name, value) VALUES ('journal', 0))
		INSERT INTO account (id, code, name, kind, purpose)
		SELECT id, code, name, kind, purpose
		  FROM jsonb_to_recordset($1::jsonb) AS row(id uuid, code varchar, name varchar, kind varchar, purpose varchar)`, rows)
	if err != nil {
		return fmt.Errorf("opening the chart of accounts: %w", err)
	}
	return nil
}

// toJSON carries rows into a statement as one argument.
func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("writing an argument: %w", err)
	}
	return string(b), nil
}
