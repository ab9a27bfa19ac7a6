package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

type noticeRow struct {
	Kind     Kind            `db:"kind"`
	ID       uuid.UUID       `db:"id"`
	At       time.Time       `db:"at"`
	Said     string          `db:"said"`
	Currency *money.Currency `db:"currency"`
	Amount   int64           `db:"amount"`
}

// Keys are made in time's order, so that the newest thousand of what there is much of are at the end of the key.
const notices = `
	WITH told AS (
		SELECT CASE f.kind::text || ' ' || f.state::text WHEN 'export ready' THEN 'export_ready' WHEN 'export failed' THEN 'export_failed' ELSE 'import_failed' END AS kind,
		       f.id, coalesce(f.moved_at, f.created_at) AS at, f.file_name AS said, NULL::varchar AS currency, 0::bigint AS amount
		  FROM file f WHERE f.kind::text IN ('export', 'import') AND (f.state::text = 'failed' OR f.kind::text = 'export' AND f.state::text = 'ready' AND f.asked_by = $1)
		UNION ALL
		SELECT 'payment_failed', i.id, coalesce(i.settled_at, i.called_at, i.created_at), coalesce(d.number, ''), i.currency, i.amount
		  FROM (SELECT * FROM payment_intent ORDER BY id DESC LIMIT 1000) i JOIN document d ON d.id = i.document_id
		 WHERE i.state::text IN ('declined', 'failed', 'unknown')
		UNION ALL
		SELECT 'order_held', d.id, coalesce(d.issued_at, d.created_at), coalesce(d.number, ''), d.currency, d.total
		  FROM document d WHERE d.kind = 'order' AND d.state::text = 'held'
		UNION ALL
		SELECT 'mail_failed', d.id, m.created_at, coalesce(d.number, ''), NULL, 0
		  FROM (SELECT * FROM mailing ORDER BY id DESC LIMIT 1000) m JOIN document d ON d.id = m.document_id AND d.kind = 'invoice'
		 WHERE m.state::text = 'failed'
		UNION ALL
		SELECT 'webhook_off', w.id, w.disabled_at, w.name, NULL, 0
		  FROM webhook_endpoint w WHERE w.disabled_at IS NOT NULL AND w.disabled_for::text <> 'hand'
	)
	SELECT t.kind, t.id, t.at, t.said, t.currency, t.amount FROM told t
	 WHERE t.kind = ANY (string_to_array($2, ' ')) AND t.at >= $3
	 ORDER BY t.at DESC, t.id DESC LIMIT $4`

func selectNotices(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, of string, since time.Time) ([]Notice, error) {
	var rows []noticeRow
	if err := tx.Select(ctx, &rows, notices, person, of, since, most); err != nil {
		return nil, fmt.Errorf("gathering notices: %w", err)
	}
	all := make([]Notice, len(rows))
	for i, r := range rows {
		all[i] = Notice{Kind: r.Kind, ID: r.ID, At: r.At.UTC(), Said: r.Said}
		if r.Currency != nil {
			all[i].Amount = money.Amount{Minor: r.Amount, Currency: *r.Currency}
		}
	}
	return all, nil
}

func selectReadAt(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (time.Time, error) {
	var at *time.Time
	err := tx.Get(ctx, &at, `SELECT notices_read_at FROM member WHERE person_id = $1`, person)
	if errors.Is(err, tenant.ErrNoRows) || err == nil && at == nil {
		return time.Time{}, nil
	} else if err != nil {
		return time.Time{}, fmt.Errorf("reading until when notices were read: %w", err)
	}
	return at.UTC(), nil
}

func updateReadAt(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `UPDATE member SET notices_read_at = $2 WHERE person_id = $1`, person, tx.Now()); err != nil {
		return fmt.Errorf("keeping until when notices were read: %w", err)
	}
	return nil
}

func selectGoing(ctx context.Context, tx *tenant.Tx) (w Work, err error) {
	var row struct {
		Exports int `db:"exports"`
		Done    int `db:"done"`
		Rows    int `db:"whole"`
	}
	err = tx.Get(ctx, &row, `
		SELECT count(*) AS exports, coalesce(sum(f.rows_done), 0) AS done, coalesce(sum(f.rows_all), 0) AS whole
		  FROM file f WHERE f.kind::text = 'export' AND f.state::text IN ('queued', 'running')`)
	if err != nil {
		return w, fmt.Errorf("reading what is being made: %w", err)
	}
	return Work{Exports: row.Exports, Done: row.Done, Rows: row.Rows}, nil
}

func selectLastAct(ctx context.Context, tx *tenant.Tx) (last uuid.UUID, err error) {
	err = tx.Get(ctx, &last, `SELECT a.id FROM audit_log a ORDER BY a.id DESC LIMIT 1`)
	if errors.Is(err, tenant.ErrNoRows) {
		return uuid.Nil, nil
	} else if err != nil {
		return uuid.Nil, fmt.Errorf("reading the newest act: %w", err)
	}
	return last, nil
}
