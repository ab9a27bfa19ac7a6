package currency

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// part is a piece of a position that came into the books at one rate: the open rest of a document, a customer's credit,
// or what one day moved on an account for money. Whole and Gone are of a document: its total and what is settled of it.
type part struct {
	Account  ledger.AccountID `db:"account_id"`
	Code     string           `db:"code"`
	Name     string           `db:"account_name"`
	Currency money.Currency   `db:"currency"`
	Date     civil.Date       `db:"date"`
	Rate     *decimal.Decimal `db:"base_rate"`
	Amount   int64            `db:"amount"`
	Whole    int64            `db:"whole"`
	Gone     int64            `db:"gone"`
}

// worth is what a part is carried at. An open rest is the worth of the whole less that of what is settled, as the gains on
// its settlements have it.
func (p part) worth(rate decimal.Decimal, base money.Currency) (money.Amount, error) {
	convert := func(minor int64) (money.Amount, error) {
		return Convert(money.Amount{Minor: minor, Currency: p.Currency}, rate, base)
	}
	if p.Gone == 0 {
		return convert(p.Amount)
	}
	whole, err := convert(p.Whole)
	if err != nil {
		return whole, err
	}
	gone, err := convert(p.Gone)
	if err != nil {
		return gone, err
	}
	return whole.Sub(gone)
}

// What is open on a past day is worked out by the days of the entries, so that it agrees with the ledger. A customer's credit
// is carried at the rate at which it came, less what of it was given back. Accounts for
// money are those that the overview counts as cash, and those of payment gateways.
const partsOn = `
	WITH base AS (
		SELECT s.base_currency, r.id AS account_id, r.code, r.name, r.purpose FROM settings s, account r WHERE r.purpose IN ('receivable', 'payable')
	), paid AS (
		SELECT s.document_id, sum(s.amount) AS amount
		  FROM (SELECT a.document_id, CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN -a.amount ELSE a.amount END AS amount, greatest(e.date, a.date) AS date
		          FROM payment_allocation a JOIN payment y ON y.id = a.payment_id JOIN journal_entry e ON e.id = y.entry_id JOIN document d ON d.id = a.document_id
		        UNION ALL
		        SELECT CASE side.n WHEN 1 THEN c.document_id ELSE c.credit_note_id END, c.amount, greatest(e.date, c.date)
		          FROM credit_allocation c JOIN document n ON n.id = c.credit_note_id JOIN journal_entry e ON e.id = n.entry_id, (VALUES (1), (2)) AS side (n)
		        UNION ALL
		        SELECT e.source_id, -l.amount, e.date
		          FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		         WHERE e.source_kind = 'write_off' AND a.purpose = 'receivable') s
		 WHERE s.date <= $1
		 GROUP BY s.document_id
	), money AS (
		SELECT a.id, a.code, a.name FROM account a, account bank
		 WHERE bank.purpose = 'bank' AND a.kind::text = 'asset' AND (left(a.code, 2) = left(bank.code, 2)
		    OR a.purpose LIKE 'gateway-%' AND a.purpose <> 'gateway-fees')
	), part AS (
		SELECT b.account_id, b.code, b.name, d.currency, d.issue_date AS date, d.base_rate,
		       k.sign * (d.total - coalesce(p.amount, 0)) AS amount, k.sign * d.total AS whole, k.sign * coalesce(p.amount, 0) AS gone
		  FROM document d JOIN journal_entry e ON e.id = d.entry_id LEFT JOIN paid p ON p.document_id = d.id
		  JOIN (VALUES ('invoice', 1, 'receivable'), ('credit_note', -1, 'receivable'), ('bill', -1, 'payable'), ('payee_credit', 1, 'payable')) AS k (kind, sign, purpose)
		    ON k.kind = d.kind::text
		  JOIN base b ON b.purpose = k.purpose
		 WHERE d.currency <> b.base_currency AND e.date <= $1 AND d.total <> coalesce(p.amount, 0)
		   AND NOT EXISTS (SELECT FROM journal_entry v WHERE v.reverses_id = d.entry_id AND v.date <= $1)
		UNION ALL
		SELECT b.account_id, b.code, b.name, o.currency, o.date, o.base_rate,
		       -sum(y.rest) * CASE o.direction::text WHEN 'out' THEN -1 ELSE 1 END, 0, 0
		  FROM (SELECT coalesce(y.refund_of, y.id) AS origin,
		               y.amount - coalesce((SELECT sum(a.amount) FROM payment_allocation a WHERE a.payment_id = y.id AND greatest(e.date, a.date) <= $1), 0) AS rest
		          FROM payment y JOIN journal_entry e ON e.id = y.entry_id CROSS JOIN settings s
		         WHERE y.currency <> s.base_currency AND e.date <= $1) y
		  JOIN payment o ON o.id = y.origin
		  JOIN base b ON b.purpose = CASE o.direction::text WHEN 'out' THEN 'payable' ELSE 'receivable' END
		 GROUP BY b.account_id, b.code, b.name, o.id
		HAVING sum(y.rest) <> 0
		UNION ALL
		SELECT m.id, m.code, m.name, l.currency, e.date, NULL, sum(l.amount), 0, 0
		  FROM money m JOIN journal_line l ON l.account_id = m.id JOIN journal_entry e ON e.id = l.entry_id CROSS JOIN settings b
		 WHERE l.currency <> b.base_currency AND e.date <= $1
		 GROUP BY m.id, m.code, m.name, l.currency, e.date
		HAVING sum(l.amount) <> 0
	)
	SELECT account_id, code, name AS account_name, currency, date, base_rate, amount::bigint AS amount, whole::bigint AS whole, gone::bigint AS gone
	  FROM part ORDER BY code COLLATE "C", account_id, currency COLLATE "C", date`

func selectParts(ctx context.Context, tx *tenant.Tx, day civil.Date) ([]part, error) {
	var parts []part
	if err := tx.Select(ctx, &parts, partsOn, day); err != nil {
		return nil, fmt.Errorf("reading what there is of foreign currency: %w", err)
	}
	return parts, nil
}

func insertRevaluation(ctx context.Context, tx *tenant.Tx, r Revaluation) error {
	_, err := tx.Exec(ctx, `INSERT INTO revaluation (id, date, entry_id, back_id, amount, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, r.Date, r.Entry, r.Back, r.Gain.Minor, r.CreatedAt)
	if tenant.Violates(err) == "revaluation_date" {
		return ErrMeanwhile.Because(err)
	} else if err != nil {
		return fmt.Errorf("keeping a revaluation: %w", err)
	}
	return nil
}

func updateReplaced(ctx context.Context, tx *tenant.Tx, revaluation RevaluationID) error {
	if _, err := tx.Exec(ctx, `UPDATE revaluation SET replaced_at = $2 WHERE id = $1`, revaluation, tx.Now()); err != nil {
		return fmt.Errorf("replacing a revaluation: %w", err)
	}
	return nil
}

type revaluationRow struct {
	ID          RevaluationID  `db:"id"`
	Date        civil.Date     `db:"date"`
	Entry       ledger.EntryID `db:"entry_id"`
	EntryNumber int64          `db:"entry_number"`
	Back        ledger.EntryID `db:"back_id"`
	BackNumber  int64          `db:"back_number"`
	Amount      int64          `db:"amount"`
	Currency    money.Currency `db:"base_currency"`
	CreatedAt   time.Time      `db:"created_at"`
	Replaced    bool           `db:"replaced"`
}

func (r revaluationRow) revaluation() Revaluation {
	return Revaluation{ID: r.ID, Date: r.Date, Entry: r.Entry, EntryNumber: r.EntryNumber, Back: r.Back, BackNumber: r.BackNumber,
		Gain: money.Amount{Minor: r.Amount, Currency: r.Currency}, CreatedAt: r.CreatedAt, Replaced: r.Replaced}
}

const revaluationsFrom = `
	SELECT v.id, v.date, v.entry_id, e.number AS entry_number, v.back_id, k.number AS back_number, v.amount, s.base_currency, v.created_at,
	       v.replaced_at IS NOT NULL AS replaced
	  FROM revaluation v JOIN journal_entry e ON e.id = v.entry_id JOIN journal_entry k ON k.id = v.back_id CROSS JOIN settings s`

// lockRevaluation gives the revaluation of a day that stands. Two at the same time are kept apart by the journal's counter,
// which the first of them holds once it has posted, and by the index of the days.
func lockRevaluation(ctx context.Context, tx *tenant.Tx, day civil.Date) (Revaluation, bool, error) {
	var row revaluationRow
	err := tx.Get(ctx, &row, revaluationsFrom+` WHERE v.date = $1 AND v.replaced_at IS NULL FOR UPDATE OF v`, day)
	if errors.Is(err, tenant.ErrNoRows) {
		return Revaluation{}, false, nil
	} else if err != nil {
		return Revaluation{}, false, fmt.Errorf("looking for a revaluation: %w", err)
	}
	return row.revaluation(), true, nil
}

func selectRevaluations(ctx context.Context, tx *tenant.Tx) ([]Revaluation, error) {
	var rows []revaluationRow
	if err := tx.Select(ctx, &rows, revaluationsFrom+` ORDER BY v.date DESC, v.id DESC`); err != nil {
		return nil, fmt.Errorf("listing revaluations: %w", err)
	}
	all := make([]Revaluation, len(rows))
	for i, row := range rows {
		all[i] = row.revaluation()
	}
	return all, nil
}
