package tenant

import (
	"context"
	"fmt"

	"github.com/lib/pq"
)

// name of a table or column. The type is not exported, so outside this package only a constant can be one.
type name string

// SealedColumn is a column that holds sealed secrets as text; no secret is the empty text. Whoever owns the table
// declares it, so that a rotation finds all that a key has sealed.
type SealedColumn struct {
	Table, Column name
	Key           name // the table's key: one uuid
}

// String is such as "bank_account.iban".
func (c SealedColumn) String() string { return string(c.Table) + "." + string(c.Column) }

// SealedValue is one secret as it is kept.
type SealedValue struct {
	Row  string // its key, in lower case
	Text string
}

// ListSealed reads at most limit secrets of a column, in the order of their rows, from after the given row on. The
// first time that is the zero uuid.
func ListSealed(ctx context.Context, tx *Tx, c SealedColumn, after string, limit int) ([]SealedValue, error) {
	var values []SealedValue
	q := "SELECT " + c.Key + "::text AS row, " + c.Column + " AS text FROM " + c.Table +
		" WHERE " + c.Key + " > $1::uuid AND " + c.Column + " <> '' ORDER BY " + c.Key + " LIMIT $2"
	if err := tx.Select(ctx, &values, query(q), after, limit); err != nil {
		return nil, fmt.Errorf("reading sealed values of %s: %w", c, err)
	}
	return values, nil
}

// ReplaceSealed puts texts in place of those that were read, where they have not changed since; a row that was
// changed or removed meanwhile stays as it is.
func ReplaceSealed(ctx context.Context, tx *Tx, c SealedColumn, read []SealedValue, texts []string) error {
	rows, old := make([]string, len(read)), make([]string, len(read))
	for i, value := range read {
		rows[i], old[i] = value.Row, value.Text
	}
	q := "UPDATE " + c.Table + " t SET " + c.Column + " = n.new FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (row, old, new)" +
		" WHERE t." + c.Key + " = n.row AND t." + c.Column + " = n.old"
	if _, err := tx.Exec(ctx, query(q), pq.Array(rows), pq.Array(old), pq.Array(texts)); err != nil {
		return fmt.Errorf("replacing sealed values of %s: %w", c, err)
	}
	return nil
}
