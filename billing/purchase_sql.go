package billing

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const repeatColumns = `, coalesce(d.repeat_unit, '') AS repeat_unit, coalesce(d.repeat_every, 0) AS repeat_every, d.repeat_on, d.repeat_until, d.repeat_enters,
	d.repeat_problem`

type purchaseRow struct {
	headRow
	RepeatUnit    string     `db:"repeat_unit"`
	RepeatEvery   int        `db:"repeat_every"`
	RepeatOn      civil.Date `db:"repeat_on"`
	RepeatUntil   civil.Date `db:"repeat_until"`
	RepeatEnters  bool       `db:"repeat_enters"`
	RepeatProblem string     `db:"repeat_problem"`
}

func (r purchaseRow) purchase(tx *tenant.Tx) (h PurchaseHead, err error) {
	h.ID.UUID = r.ID
	h.Repeat = Repeat{r.RepeatUnit, r.RepeatEvery, r.RepeatOn, r.RepeatUntil, r.RepeatEnters, r.RepeatProblem}
	h.DocumentHead, err = r.head(tx)
	return h, err
}

func purchaseHeads(tx *tenant.Tx, rows []purchaseRow) ([]PurchaseHead, error) {
	all := make([]PurchaseHead, len(rows))
	for i, r := range rows {
		var err error
		if all[i], err = r.purchase(tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func selectPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID) (p Purchase, err error) {
	row, err := selectDocument(ctx, tx, purchaseKinds[k], document.UUID)
	if err != nil {
		return p, err
	}
	var repeats purchaseRow
	if err := tx.Get(ctx, &repeats, `SELECT `+headColumns+repeatColumns+headTables+` WHERE d.id = $1`, document); err != nil {
		return p, fmt.Errorf("reading how a bill repeats: %w", err)
	}
	if p.PurchaseHead, err = repeats.purchase(tx); err != nil {
		return p, err
	}
	if p.DocumentBody, err = row.body(); err != nil {
		return p, err
	}
	if p.Payments, err = row.payments(); err != nil {
		return p, err
	}
	p.Credits, err = row.credits()
	return p, err
}

const purchasesWhere = `SELECT ` + headColumns + repeatColumns + headTables + `
	 WHERE d.kind::text = $10
	   AND ($1::uuid IS NULL OR d.customer_id = $1)
	   AND ($2::date IS NULL OR d.issue_date >= $2)
	   AND ($3::date IS NULL OR d.issue_date <= $3)
	   AND ($4 = '' OR position(upper($4) in upper(coalesce(d.number, '') || ' ' || coalesce(d.external_id, '') || ' ' ||
	        d.reference || ' ' || CASE WHEN $9::boolean THEN '' ELSE p.name || ' ' END || p.company)) > 0) -- as customersWhere
	   AND CASE $5::text
	        WHEN '' THEN true
	        WHEN 'draft' THEN d.state::text = 'draft'
	        WHEN 'paid' THEN d.state::text = 'issued' AND d.settled = d.total
	        WHEN 'void' THEN d.state::text = 'void'
	        WHEN 'overdue' THEN d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $6::date
	        WHEN 'unsettled' THEN d.state::text = 'issued' AND d.settled < d.total
	        WHEN 'open' THEN d.state::text = 'issued' AND d.settled < d.total AND d.due_date >= $6::date
	       END`

func selectPurchases(ctx context.Context, tx *tenant.Tx, k PurchaseKind, filter PurchaseFilter, today civil.Date, q cursor.Query) ([]PurchaseHead, error) {
	var rows []purchaseRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, purchasesWhere+` AND d.id > $7 ORDER BY d.id LIMIT $8`,
			orNull(filter.Payee.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, q.Before, q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames), string(k))
	} else {
		err = tx.Select(ctx, &rows, purchasesWhere+` AND ($7::uuid IS NULL OR d.id < $7) ORDER BY d.id DESC LIMIT $8`,
			orNull(filter.Payee.UUID), filter.From, filter.To, filter.Search, string(filter.Standing), today, orNull(q.After), q.Fetch(), tx.Scope().Masks().Has(tenant.MaskNames), string(k))
	}
	if err != nil {
		return nil, fmt.Errorf("listing bills: %w", err)
	}
	return purchaseHeads(tx, rows)
}

func selectMadeOf(ctx context.Context, tx *tenant.Tx, recurring DocumentID, limit int) ([]PurchaseHead, error) {
	var rows []purchaseRow
	err := tx.Select(ctx, &rows, `SELECT `+headColumns+repeatColumns+headTables+`
		 WHERE d.origin_id = $1 AND d.kind::text = 'bill' ORDER BY d.issue_date DESC, d.id DESC LIMIT $2`, recurring, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the bills of a recurring one: %w", err)
	}
	return purchaseHeads(tx, rows)
}

func countPurchases(ctx context.Context, tx *tenant.Tx, k PurchaseKind, payee PayeeID, today civil.Date) (map[Standing]int, []PurchaseSum, error) {
	var rows []struct {
		Currency money.Currency `db:"currency"`
		Draft    int            `db:"draft"`
		Void     int            `db:"void"`
		Paid     int            `db:"paid"`
		Overdue  int            `db:"overdue"`
		Open     int            `db:"open"`
		Owed     int64          `db:"owed"`
		Late     int64          `db:"late"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT d.currency, count(*) FILTER (WHERE d.state::text = 'draft') AS draft,
		       count(*) FILTER (WHERE d.state::text = 'void') AS void,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled = d.total) AS paid,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date < $1) AS overdue,
		       count(*) FILTER (WHERE d.state::text = 'issued' AND d.settled < d.total AND d.due_date >= $1) AS open,
		       coalesce(sum(d.total - d.settled) FILTER (WHERE d.state::text = 'issued'), 0)::bigint AS owed,
		       coalesce(sum(d.total - d.settled) FILTER (WHERE d.state::text = 'issued' AND d.due_date < $1), 0)::bigint AS late
		  FROM document d WHERE d.kind::text = $2 AND ($3::uuid IS NULL OR d.customer_id = $3) GROUP BY d.currency ORDER BY d.currency COLLATE "C"`, today, string(k), orNull(payee.UUID))
	if err != nil {
		return nil, nil, fmt.Errorf("counting bills: %w", err)
	}
	counts, sums := map[Standing]int{}, []PurchaseSum{}
	for _, r := range rows {
		counts[StandingDraft] += r.Draft
		counts[StandingVoid] += r.Void
		counts[StandingPaid] += r.Paid
		counts[StandingOverdue] += r.Overdue
		counts[StandingOpen] += r.Open
		if r.Owed != 0 {
			sums = append(sums, PurchaseSum{money.Amount{Minor: r.Owed, Currency: r.Currency}, money.Amount{Minor: r.Late, Currency: r.Currency}})
		}
	}
	return counts, sums, nil
}

func selectOpenPurchases(ctx context.Context, tx *tenant.Tx, k PurchaseKind, payee PayeeID, currency money.Currency) ([]PurchaseHead, error) {
	var rows []purchaseRow
	err := tx.Select(ctx, &rows, `SELECT `+headColumns+repeatColumns+headTables+`
		 WHERE d.kind::text = $1 AND d.state::text = 'issued' AND d.settled < d.total AND ($2::uuid IS NULL OR d.customer_id = $2)
		   AND ($3 = '' OR d.currency = $3)
		 ORDER BY d.due_date, d.id LIMIT 200`, string(k), orNull(payee.UUID), currency.Code())
	if err != nil {
		return nil, fmt.Errorf("listing open bills: %w", err)
	}
	return purchaseHeads(tx, rows)
}
