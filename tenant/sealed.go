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

// PlatformSealedColumn is a column of the platform that holds sealed secrets as bytes. Its name has the schema.
type PlatformSealedColumn struct {
	Table, Column name
	Key           name   // the table's key
	Place         string // what a secret is bound to: this, and the row's key as text
}

// String is such as "platform.totp.sealed".
func (c PlatformSealedColumn) String() string { return string(c.Table) + "." + string(c.Column) }

// PlatformSealedValue is one secret as it is kept.
type PlatformSealedValue struct {
	Row    string
	Sealed []byte
}

// ListPlatformSealed reads at most limit secrets of a column, in the order of their rows' keys as text, from after the
// given one on; the first time that is empty.
func ListPlatformSealed(ctx context.Context, tx *PlatformTx, c PlatformSealedColumn, after string, limit int) ([]PlatformSealedValue, error) {
	var values []PlatformSealedValue
	q := "SELECT " + c.Key + "::text AS row, " + c.Column + " AS sealed FROM " + c.Table +
		" WHERE " + c.Key + `::text COLLATE "C" > $1 ORDER BY ` + c.Key + `::text COLLATE "C" LIMIT $2`
	if err := tx.Select(ctx, &values, query(q), after, limit); err != nil {
		return nil, fmt.Errorf("reading sealed values of %s: %w", c, err)
	}
	return values, nil
}

// ReplacePlatformSealed puts another text in place of one that was read, if it has not changed since.
func ReplacePlatformSealed(ctx context.Context, tx *PlatformTx, c PlatformSealedColumn, read PlatformSealedValue, sealed []byte) error {
	q := "UPDATE " + c.Table + " SET " + c.Column + " = $3 WHERE " + c.Key + "::text = $1 AND " + c.Column + " = $2"
	if _, err := tx.Exec(ctx, query(q), read.Row, read.Sealed, sealed); err != nil {
		return fmt.Errorf("replacing a sealed value of %s: %w", c, err)
	}
	return nil
}
