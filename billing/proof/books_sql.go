package proof

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

func asking(what string, err error) error {
	if err != nil {
		return fmt.Errorf("proving %s: %w", what, err)
	}
	return nil
}

func selectTrial(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("the trial balance", tx.Select(ctx, &rows, `
		SELECT '' AS sort, NULL::uuid AS id, '' AS number, l.currency, sum(l.amount)::text AS found, '0' AS wanted
		  FROM journal_line l GROUP BY l.currency HAVING sum(l.amount) <> 0 ORDER BY l.currency`))
}

func selectUnbalanced(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("entries", tx.Select(ctx, &rows, `
		SELECT 'entry' AS sort, e.id, e.number::text AS number, l.currency, l.amount::text AS found, '0' AS wanted
		  FROM (SELECT entry_id, currency, sum(amount) AS amount FROM journal_line GROUP BY entry_id, currency HAVING sum(amount) <> 0) l
		  JOIN journal_entry e ON e.id = l.entry_id
		 ORDER BY e.number, l.currency LIMIT 1000`))
}

func selectShort(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("entries", tx.Select(ctx, &rows, `
		SELECT 'entry' AS sort, e.id, e.number::text AS number, '' AS currency, '0' AS found, '0' AS wanted
		  FROM journal_entry e LEFT JOIN journal_line l ON l.entry_id = e.id
		 GROUP BY e.id HAVING count(l.line) < 2 ORDER BY e.number LIMIT 1000`))
}

func selectStrayLines(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("lines", tx.Select(ctx, &rows, `
		SELECT '' AS sort, NULL::uuid AS id, '' AS number, l.currency, sum(abs(l.amount::numeric))::text AS found, '0' AS wanted
		  FROM journal_line l LEFT JOIN journal_entry e ON e.id = l.entry_id LEFT JOIN account a ON a.id = l.account_id
		 WHERE e.id IS NULL OR a.id IS NULL GROUP BY l.currency ORDER BY l.currency`))
}

// The numbers that are taken are those up to the counter's; each is there.
func selectGaps(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("the numbers of entries", tx.Select(ctx, &rows, `
		SELECT '' AS sort, NULL::uuid AS id, (x.before + 1)::text AS number, '' AS currency, '0' AS found, '0' AS wanted
		  FROM (SELECT n.number, lag(n.number, 1, 0::bigint) OVER (ORDER BY n.number) AS before
		          FROM (SELECT number FROM journal_entry UNION ALL SELECT value + 1 FROM counter WHERE name = 'journal') n) x
		 WHERE x.number <> x.before + 1 ORDER BY x.number LIMIT 1000`))
}

func selectReversals(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("reversals", tx.Select(ctx, &rows, `
		WITH line AS (
			SELECT e.id, e.number, l.account_id, l.party_id, l.currency, l.amount
			  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id WHERE e.reverses_id IS NOT NULL
			UNION ALL
			SELECT e.id, e.number, l.account_id, l.party_id, l.currency, l.amount
			  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.reverses_id
		)
		SELECT 'entry' AS sort, id, number::text AS number, currency, sum(amount)::text AS found, '0' AS wanted
		  FROM line GROUP BY id, number, account_id, party_id, currency HAVING sum(amount) <> 0 ORDER BY line.number LIMIT 1000`))
}

// owed is what the ledger has for each document that is posted, on the account of what is owed and for whom it is owed.
const owed = `
	WITH document_owed AS (
		SELECT d.id, d.kind, d.state, d.number, d.currency, d.total, d.entry_id, d.closing_entry_id, d.customer_id, a.id AS account_id,
		       CASE WHEN d.kind::text IN ('invoice', 'payee_credit') THEN 1 ELSE -1 END AS sign
		  FROM document d JOIN account a ON a.purpose = CASE WHEN d.kind::text IN ('invoice', 'credit_note') THEN 'receivable' ELSE 'payable' END
		 WHERE d.kind::text IN ('invoice', 'credit_note', 'bill', 'payee_credit') AND d.state::text IN ('issued', 'void')
	)`

func selectMisposted(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("what documents come to", tx.Select(ctx, &rows, owed+`
		SELECT d.kind AS sort, d.id, coalesce(d.number, '') AS number, d.currency,
		       (d.sign * coalesce(sum(l.amount), 0))::text AS found, d.total::text AS wanted
		  FROM document_owed d
		  LEFT JOIN journal_line l ON l.entry_id = d.entry_id AND l.account_id = d.account_id AND l.party_id = d.customer_id AND l.currency = d.currency
		 GROUP BY d.id, d.kind, d.number, d.currency, d.sign, d.total
		HAVING d.sign * coalesce(sum(l.amount), 0) <> d.total ORDER BY d.number LIMIT 1000`))
}

func selectUnvoided(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("what is void", tx.Select(ctx, &rows, owed+`
		SELECT d.kind AS sort, d.id, coalesce(d.number, '') AS number, d.currency, (d.sign * sum(l.amount))::text AS found, '0' AS wanted
		  FROM document_owed d
		  JOIN journal_line l ON l.entry_id IN (d.entry_id, d.closing_entry_id) AND l.account_id = d.account_id AND l.party_id = d.customer_id
		 WHERE d.state::text = 'void'
		 GROUP BY d.id, d.kind, d.number, d.currency, d.sign HAVING sum(l.amount) <> 0 ORDER BY d.number LIMIT 1000`))
}

func selectMissettled(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("what is settled", tx.Select(ctx, &rows, `
		WITH part AS (
			SELECT a.document_id AS id, CASE WHEN d.kind::text IN ('credit_note', 'payee_credit') THEN -a.amount ELSE a.amount END AS amount
			  FROM payment_allocation a JOIN document d ON d.id = a.document_id
			UNION ALL SELECT document_id, amount FROM credit_allocation
			UNION ALL SELECT credit_note_id, amount FROM credit_allocation
		), come AS (SELECT id, sum(amount) AS amount FROM part GROUP BY id)
		SELECT d.kind AS sort, d.id, coalesce(d.number, '') AS number, d.currency, d.settled::text AS found,
		       (d.written_off + coalesce(c.amount, 0))::text AS wanted
		  FROM document d LEFT JOIN come c ON c.id = d.id
		 WHERE d.kind::text IN ('invoice', 'credit_note', 'bill', 'payee_credit') AND d.settled <> d.written_off + coalesce(c.amount, 0)
		 ORDER BY d.number LIMIT 1000`))
}

func selectMiswritten(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("what is written off", tx.Select(ctx, &rows, `
		WITH off AS (
			SELECT e.source_id AS id, -sum(l.amount) AS amount
			  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
			 WHERE e.source_kind::text = 'write_off' AND a.purpose = 'receivable' GROUP BY e.source_id
		)
		SELECT d.kind AS sort, d.id, coalesce(d.number, '') AS number, d.currency, d.written_off::text AS found, coalesce(o.amount, 0)::text AS wanted
		  FROM document d LEFT JOIN off o ON o.id = d.id
		 WHERE d.written_off <> coalesce(o.amount, 0) ORDER BY d.number LIMIT 1000`))
}

func selectOrphans(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("what entries come from", tx.Select(ctx, &rows, `
		SELECT 'entry' AS sort, e.id, e.number::text AS number, '' AS currency, '0' AS found, '0' AS wanted
		  FROM journal_entry e
		  LEFT JOIN document d ON d.id = e.source_id AND d.entry_id = e.id
		  LEFT JOIN payment p ON p.entry_id = e.id
		 WHERE e.source_kind::text IN ('invoice', 'late_fee', 'credit_note', 'bill', 'payee_credit') AND d.id IS NULL
		    OR e.source_kind::text IN ('payment', 'bill_payment') AND p.id IS NULL
		 ORDER BY e.number LIMIT 1000`))
}

func selectMispaid(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("payments", tx.Select(ctx, &rows, `
		SELECT CASE p.direction::text WHEN 'out' THEN 'bill_payment' ELSE 'payment' END AS sort, p.id, to_char(p.date, 'YYYY-MM-DD') AS number,
		       p.currency, (CASE p.direction::text WHEN 'out' THEN 1 ELSE -1 END * coalesce(sum(l.amount), 0))::text AS found, p.amount::text AS wanted
		  FROM payment p JOIN account a ON a.purpose = CASE p.direction::text WHEN 'out' THEN 'payable' ELSE 'receivable' END
		  LEFT JOIN journal_line l ON l.entry_id = p.entry_id AND l.account_id = a.id AND l.party_id = p.customer_id AND l.currency = p.currency
		 GROUP BY p.id HAVING CASE p.direction::text WHEN 'out' THEN 1 ELSE -1 END * coalesce(sum(l.amount), 0) <> p.amount
		 ORDER BY p.date, p.id LIMIT 1000`))
}

func selectMismoved(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("gateways", tx.Select(ctx, &rows, `
		SELECT 'entry' AS sort, m.entry_id AS id, coalesce(e.number::text, 'that is missing') AS number, m.currency,
		       coalesce(sum(l.amount), 0)::text AS found, m.amount::text AS wanted
		  FROM gateway_movement m JOIN gateway_account g ON g.id = m.gateway_account_id
		  LEFT JOIN journal_entry e ON e.id = m.entry_id
		  LEFT JOIN journal_line l ON l.entry_id = m.entry_id AND l.account_id = g.account_id AND l.currency = m.currency
		 GROUP BY m.gateway_account_id, m.kind, m.ref, m.entry_id, m.currency, m.amount, e.number
		HAVING coalesce(sum(l.amount), 0) <> m.amount ORDER BY e.number LIMIT 1000`))
}

func selectMisreceived(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("gateways", tx.Select(ctx, &rows, `
		SELECT 'payment' AS sort, m.payment_id AS id, '' AS number, m.currency, coalesce(p.amount, 0)::text AS found, m.amount::text AS wanted
		  FROM gateway_movement m LEFT JOIN payment p ON p.id = m.payment_id AND p.currency = m.currency AND p.entry_id = m.entry_id
		 WHERE m.kind::text <> 'fee' AND coalesce(p.amount, 0) <> m.amount ORDER BY m.at, m.ref LIMIT 1000`))
}

func selectMismatched(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("the bank", tx.Select(ctx, &rows, `
		WITH line AS (
			SELECT account_id, entry_id, sum(amount) AS amount FROM bank_line WHERE entry_id IS NOT NULL GROUP BY account_id, entry_id
		)
		SELECT 'entry' AS sort, n.entry_id AS id, coalesce(e.number::text, 'that is missing') AS number, coalesce(a.bank_currency, '') AS currency,
		       coalesce(sum(l.amount), 0)::text AS found, n.amount::text AS wanted
		  FROM line n JOIN account a ON a.id = n.account_id
		  LEFT JOIN journal_entry e ON e.id = n.entry_id
		  LEFT JOIN journal_line l ON l.entry_id = n.entry_id AND l.account_id = n.account_id AND l.currency = a.bank_currency
		 GROUP BY n.account_id, n.entry_id, n.amount, e.number, a.bank_currency
		HAVING coalesce(sum(l.amount), 0) <> n.amount ORDER BY e.number LIMIT 1000`))
}

func selectMisstated(ctx context.Context, tx *tenant.Tx) (rows []difference, err error) {
	return rows, asking("statements", tx.Select(ctx, &rows, `
		SELECT 'bank' AS sort, a.id, a.code AS number, coalesce(a.bank_currency, '') AS currency,
		       (s.opening + coalesce(sum(n.amount), 0))::text AS found, s.closing::text AS wanted
		  FROM bank_statement s JOIN account a ON a.id = s.account_id
		  LEFT JOIN bank_line n ON n.statement_id = s.id
		 WHERE s.finished_at IS NOT NULL
		 GROUP BY s.id, a.id HAVING s.opening + coalesce(sum(n.amount), 0) <> s.closing ORDER BY s.ends_on LIMIT 1000`))
}

func selectEntryCount(ctx context.Context, tx *tenant.Tx) (n int64, err error) {
	return n, asking("entries", tx.Get(ctx, &n, `SELECT count(*) FROM journal_entry`))
}
