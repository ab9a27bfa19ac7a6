package intake

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// storedEntry is an entry that an import posted.
type storedEntry struct {
	ID          ledger.EntryID `db:"id"`
	Source      uuid.UUID      `db:"source_id"`
	Date        civil.Date     `db:"date"`
	Description string         `db:"description"`
	lines       []string       // as entryShape has them
}

// lockImport lets two imports of one organization follow each other: what one posts the other is to find.
func lockImport(ctx context.Context, tx *tenant.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.import', 0))`); err != nil {
		return fmt.Errorf("waiting for another import: %w", err)
	}
	return nil
}

// storedEntries gives the entries that imports posted: manual ones that have a source.
func storedEntries(ctx context.Context, tx *tenant.Tx) (map[uuid.UUID]storedEntry, error) {
	var rows []struct {
		storedEntry
		Account  string `db:"account_id"`
		Amount   int64  `db:"amount"`
		Currency string `db:"currency"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT e.id, e.source_id, e.date, e.description, l.account_id::text AS account_id, l.amount, l.currency
		  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
		 WHERE e.source_kind::text = 'manual' AND e.source_id IS NOT NULL ORDER BY e.id, l.line`)
	if err != nil {
		return nil, fmt.Errorf("looking for entries that were imported: %w", err)
	}
	found := map[uuid.UUID]storedEntry{}
	for _, r := range rows {
		e, ok := found[r.Source]
		if !ok {
			e = r.storedEntry
		}
		e.lines = append(e.lines, fmt.Sprintf("%s %d %s", r.Account, r.Amount, r.Currency))
		found[r.Source] = e
	}
	for _, e := range found {
		slices.Sort(e.lines)
	}
	return found, nil
}

// partiesByName gives whom a name says without doubt.
func partiesByName(ctx context.Context, tx *tenant.Tx) (map[string]uuid.UUID, error) {
	var rows []struct {
		Name string    `db:"name"`
		ID   uuid.UUID `db:"id"`
	}
	err := tx.Select(ctx, &rows, `SELECT name, min(id::text)::uuid AS id FROM party GROUP BY name HAVING count(*) = 1`)
	if err != nil {
		return nil, fmt.Errorf("looking for customers and payees: %w", err)
	}
	found := make(map[string]uuid.UUID, len(rows))
	for _, r := range rows {
		found[r.Name] = r.ID
	}
	return found, nil
}
