package bank

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

// maxCandidates bounds what is read to suggest: more open documents than this are looked through from the oldest.
const maxCandidates = 5000

func selectCandidates(ctx context.Context, tx *tenant.Tx, a Account, lines []Line) (c candidates, err error) {
	amounts := make([]int64, len(lines))
	incoming, outgoing := false, false
	first, last := lines[0].Date, lines[0].Date
	for i, l := range lines {
		amounts[i] = l.Amount.Minor
		incoming, outgoing = incoming || l.Amount.Sign() > 0, outgoing || l.Amount.Sign() < 0
		if l.Date.Before(first) {
			first = l.Date
		}
		if l.Date.After(last) {
			last = l.Date
		}
	}
	argument, err := json.Marshal(amounts)
	if err != nil {
		return c, fmt.Errorf("writing an argument: %w", err)
	}
	for kind, into := range map[string]*[]openDocument{"invoice": &c.Invoices, "bill": &c.Bills} {
		if kind == "invoice" && !incoming || kind == "bill" && !outgoing {
			continue
		}
		err = tx.Select(ctx, into, `
			SELECT d.id, d.customer_id, d.number, CASE WHEN d.kind::text = 'bill' THEN d.reference ELSE '' END AS reference, p.name AS customer_name,
			       p.company AS customer_company, d.total - d.settled AS open
			  FROM document d JOIN party p ON p.id = d.customer_id
			 WHERE d.kind::text = $3 AND d.state::text = 'issued' AND d.settled < d.total AND d.currency = $1
			 ORDER BY d.due_date, d.id LIMIT $2`, a.Currency, maxCandidates, kind)
		if err != nil {
			return c, fmt.Errorf("looking for what is open: %w", err)
		}
	}
	err = tx.Select(ctx, &c.Entries, `
		SELECT e.id, e.number, e.date, e.description, sum(l.amount)::bigint AS amount
		  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id AND l.account_id = $1 AND l.currency = $2
		 WHERE e.date BETWEEN $3 AND $4 AND e.reverses_id IS NULL
		   AND NOT EXISTS (SELECT FROM bank_line n WHERE n.account_id = $1 AND n.entry_id = e.id)
		   AND NOT EXISTS (SELECT FROM journal_entry r WHERE r.reverses_id = e.id)
		 GROUP BY e.id HAVING sum(l.amount) IN (SELECT x::bigint FROM jsonb_array_elements_text($5::jsonb) AS x)
		 ORDER BY e.date, e.number LIMIT $6`, a.ID, a.Currency, first.AddDays(-nearDays), last.AddDays(nearDays), string(argument), maxCandidates)
	if err != nil {
		return c, fmt.Errorf("looking for entries: %w", err)
	}
	err = tx.Select(ctx, &c.Others, `
		SELECT n.id, b.name AS other_account_name, n.date, n.amount FROM bank_line n JOIN account b ON b.id = n.account_id
		 WHERE n.account_id <> $1 AND b.bank_currency = $2 AND n.how IS NULL AND n.date BETWEEN $3 AND $4
		   AND n.amount IN (SELECT -x::bigint FROM jsonb_array_elements_text($5::jsonb) AS x) ORDER BY n.date, n.id LIMIT $6`,
		a.ID, a.Currency, first.AddDays(-nearDays), last.AddDays(nearDays), string(argument), maxCandidates)
	if err != nil {
		return c, fmt.Errorf("looking for transfers: %w", err)
	}
	c.Rules, err = selectRules(ctx, tx)
	return c, err
}
