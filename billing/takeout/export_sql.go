package takeout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// lockAsking lets two who ask follow each other, so that they do not make one too many.
func lockAsking(ctx context.Context, tx *tenant.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.export', 0))`); err != nil {
		return fmt.Errorf("waiting for others who ask: %w", err)
	}
	return nil
}

func countGoing(ctx context.Context, tx *tenant.Tx) (n int, err error) {
	err = tx.Get(ctx, &n, `SELECT count(*) FROM file WHERE kind::text = 'export' AND state::text IN ('queued', 'running') AND moved_at > $1`, tx.Now().Add(-stuck))
	if err != nil {
		return 0, fmt.Errorf("counting exports: %w", err)
	}
	return n, nil
}

func insertExport(ctx context.Context, tx *tenant.Tx, e Export) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO file (id, kind, file_name, media_type, size, digest, created_at, state, holds, asked_by, moved_at, expires_at)
		VALUES ($1, 'export', $2, $3, 0, '', $4, 'queued', $5, $6, $4, $7)`,
		e.ID, e.Name, e.MediaType, e.CreatedAt, string(e.Holds), e.AskedBy, e.ExpiresAt)
	if err != nil {
		return fmt.Errorf("adding an export: %w", err)
	}
	return nil
}

// What is in the making and can come to no end is told as what it is: whose job is refused, and what has not got on for
// long. $1 is now, $2 since when it is to have moved.
const exportColumns = `
	SELECT f.id, f.holds, f.file_name, f.media_type, f.rows_done, f.rows_all, f.size, f.digest, f.mailed, f.asked_by, f.created_at,
	       f.expires_at, coalesce(m.name, '') AS member_name,
	       CASE WHEN f.state::text IN ('queued', 'running') AND m.state::text IS DISTINCT FROM 'active' THEN 'refused'
	            WHEN f.state::text IN ('queued', 'running') AND f.moved_at < $2 THEN 'failed'
	            WHEN f.state::text = 'ready' AND f.expires_at <= $1 THEN 'expired' ELSE f.state END AS state,
	       CASE WHEN f.state::text IN ('queued', 'running') AND m.state::text IS DISTINCT FROM 'active' THEN 'export.refused' ELSE f.problem END AS problem
	  FROM file f LEFT JOIN member m ON m.person_id = f.asked_by
	 WHERE f.kind::text = 'export' `

func selectExports(ctx context.Context, tx *tenant.Tx, q cursor.Query) (rows []Export, err error) {
	old := tx.Now().Add(-stuck)
	if q.Backwards() {
		err = tx.Select(ctx, &rows, exportColumns+`AND f.id > $3 ORDER BY f.id LIMIT $4`, tx.Now(), old, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, exportColumns+`AND ($3::uuid = '00000000-0000-0000-0000-000000000000' OR f.id < $3) ORDER BY f.id DESC LIMIT $4`,
			tx.Now(), old, q.After, q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing exports: %w", err)
	}
	return rows, nil
}

func selectExport(ctx context.Context, tx *tenant.Tx, export ID) (e Export, err error) {
	err = tx.Get(ctx, &e, exportColumns+`AND f.id = $3`, tx.Now(), tx.Now().Add(-stuck), export)
	if errors.Is(err, tenant.ErrNoRows) {
		return e, ErrNotFound
	} else if err != nil {
		return e, fmt.Errorf("reading an export: %w", err)
	}
	return e, nil
}

// stopExport ends one that is in the making, with nothing left of its file.
func stopExport(ctx context.Context, tx *tenant.Tx, export ID, state State, problem string) (stopped bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE file SET state = $2, problem = $3, size = 0, moved_at = $4
		 WHERE id = $1 AND kind::text = 'export' AND state::text IN ('queued', 'running')`, export, string(state), problem, tx.Now())
	if err == nil && n > 0 {
		_, err = tx.Exec(ctx, `DELETE FROM file_piece WHERE file_id = $1`, export)
	}
	if err != nil {
		return false, fmt.Errorf("stopping an export: %w", err)
	}
	return n > 0, nil
}

// isOtherRunning says whether another export is being made by a worker that lives.
func isOtherRunning(ctx context.Context, tx *tenant.Tx, export ID) (running bool, err error) {
	err = tx.Get(ctx, &running, `SELECT EXISTS (SELECT FROM file WHERE kind::text = 'export' AND state::text = 'running' AND id <> $1 AND moved_at > $2)`,
		export, tx.Now().Add(-silent))
	if err != nil {
		return false, fmt.Errorf("looking for exports that are being made: %w", err)
	}
	return running, nil
}

// beginExport takes it into work, from its beginning.
func beginExport(ctx context.Context, tx *tenant.Tx, export ID, all int) (begun bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE file SET state = 'running', size = 0, rows_done = 0, rows_all = $2, moved_at = $3
		 WHERE id = $1 AND kind::text = 'export' AND state::text IN ('queued', 'running')`, export, all, tx.Now())
	if err == nil && n > 0 {
		_, err = tx.Exec(ctx, `DELETE FROM file_piece WHERE file_id = $1`, export)
	}
	if err != nil {
		return false, fmt.Errorf("beginning an export: %w", err)
	}
	return n > 0, nil
}

// insertPiece adds to the file of an export that runs; false when it does not any more.
func insertPiece(ctx context.Context, tx *tenant.Tx, export ID, position int, piece []byte, done int) (running bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE file SET size = size + $2, rows_done = $3, moved_at = $4 WHERE id = $1 AND state::text = 'running'`,
		export, len(piece), done, tx.Now())
	if err == nil && n > 0 {
		_, err = tx.Exec(ctx, `INSERT INTO file_piece (file_id, position, bytes) VALUES ($1, $2, $3)`, export, position, piece)
	}
	if err != nil {
		return false, fmt.Errorf("keeping a piece of an export: %w", err)
	}
	return n > 0, nil
}

func endExport(ctx context.Context, tx *tenant.Tx, export ID, digest string, done int) (ended bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE file SET state = 'ready', digest = $2, rows_done = $3, rows_all = $3, moved_at = $4, expires_at = $5
		 WHERE id = $1 AND state::text = 'running'`, export, digest, done, tx.Now(), tx.Now().Add(Kept))
	if err != nil {
		return false, fmt.Errorf("finishing an export: %w", err)
	}
	return n > 0, nil
}

func setTold(ctx context.Context, tx *tenant.Tx, export ID) error {
	if _, err := tx.Exec(ctx, `UPDATE file SET mailed = true WHERE id = $1`, export); err != nil {
		return fmt.Errorf("noting that a mail went out: %w", err)
	}
	return nil
}

func deleteExport(ctx context.Context, tx *tenant.Tx, export ID) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM file WHERE id = $1 AND kind::text = 'export'`, export)
	if err != nil {
		return false, fmt.Errorf("removing an export: %w", err)
	}
	return n > 0, nil
}

func deleteExpired(ctx context.Context, tx *tenant.Tx, most int) (int64, error) {
	n, err := tx.Exec(ctx, `DELETE FROM file WHERE id IN (
		SELECT id FROM file WHERE kind::text IN ('export', 'import') AND expires_at <= $1 ORDER BY id LIMIT $2)`, tx.Now(), most)
	if err != nil {
		return 0, fmt.Errorf("clearing exports: %w", err)
	}
	return n, nil
}

// countRows is about how many rows an export will have. Its parts are counts of all that there is in the transaction's
// organization. What is none of those named is a kind of document.
func countRows(ctx context.Context, tx *tenant.Tx, holds Subject) (n int, err error) {
	err = tx.Get(ctx, &n, `
		SELECT CASE $1
			WHEN 'customers' THEN (SELECT count(*) FROM party WHERE is_customer)
			WHEN 'payees' THEN (SELECT count(*) FROM party WHERE is_payee)
			WHEN 'products' THEN (SELECT count(*) FROM product)
			WHEN 'accounts' THEN (SELECT count(*) FROM account)
			WHEN 'credits' THEN (SELECT count(*) FROM credit_allocation)
			WHEN 'payments' THEN (SELECT count(*) FROM payment_allocation)
			WHEN 'bill_payments' THEN (SELECT count(*) FROM payment_allocation)
			WHEN 'transactions' THEN (SELECT count(*) FROM document WHERE state::text <> 'draft') + (SELECT count(*) FROM payment)
			WHEN 'everything' THEN (SELECT count(*) FROM party) + (SELECT count(*) FROM product) + (SELECT count(*) FROM document_line)
				+ (SELECT count(*) FROM payment_allocation) + (SELECT count(*) FROM document) + (SELECT count(*) FROM payment)
				+ (SELECT count(*) FROM account) + 4 * (SELECT count(*) FROM journal_line)
			WHEN 'journal' THEN (SELECT count(*) FROM journal_line)
			WHEN 'ledger' THEN (SELECT count(*) FROM journal_line)
			WHEN 'hledger' THEN (SELECT count(*) FROM journal_line)
			WHEN 'beancount' THEN (SELECT count(*) FROM journal_line)
			ELSE (SELECT count(*) FROM document_line l JOIN document d ON d.id = l.document_id
			       WHERE d.kind::text = $2 AND d.state::text = 'issued') END`, string(holds), strings.TrimSuffix(string(holds), "s"))
	if err != nil {
		return 0, fmt.Errorf("counting what is to be exported: %w", err)
	}
	return n, nil
}

// selectAttachments lists the files that somebody put there, not those that were made of the books.
func selectAttachments(ctx context.Context, tx *tenant.Tx, after uuid.UUID, most int) (files []file.File, err error) {
	err = tx.Select(ctx, &files, `
		SELECT id, kind, coalesce(subject_id, '00000000-0000-0000-0000-000000000000') AS subject_id, file_name, media_type, size, digest, mailed, created_at
		  FROM file WHERE kind::text IN ('attachment', 'logo') AND id > $1 ORDER BY id LIMIT $2`, after, most)
	if err != nil {
		return nil, fmt.Errorf("listing attachments: %w", err)
	}
	return files, nil
}
