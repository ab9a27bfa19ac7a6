package report_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// What a specialist would write by hand, for what a report says: the same sums by account in one statement.
const byHand = `
	SELECT count(*) FROM (
		SELECT l.account_id, l.currency, sum(l.amount) FILTER (WHERE e.date < $1::date) AS before,
		       sum(l.amount) FILTER (WHERE e.date BETWEEN $1::date AND $2::date) AS within,
		       sum(l.amount) FILTER (WHERE e.date BETWEEN $3::date AND $4::date) AS compared
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE e.date <= $2::date
		 GROUP BY l.account_id, l.currency) s`

// For the cash flow, the other sides of the entries that moved money, and what there was of it at the beginning.
const cashByHand = `
	WITH moved AS (
		SELECT o.account_id, o.currency, -sum(o.amount) FILTER (WHERE e.date BETWEEN $1::date AND $2::date) AS within,
		       -sum(o.amount) FILTER (WHERE e.date BETWEEN $3::date AND $4::date) AS compared
		  FROM journal_line o JOIN journal_entry e ON e.id = o.entry_id
		 WHERE e.date BETWEEN $3::date AND $2::date
		   AND o.account_id NOT IN (SELECT id FROM account WHERE kind = 'asset' AND code LIKE '10%')
		   AND EXISTS (SELECT FROM journal_line c WHERE c.entry_id = o.entry_id AND c.currency = o.currency
		                  AND c.account_id IN (SELECT id FROM account WHERE kind = 'asset' AND code LIKE '10%'))
		 GROUP BY o.account_id, o.currency
	), began AS (
		SELECT l.currency, sum(l.amount) FILTER (WHERE e.date < $1::date) AS within, sum(l.amount) FILTER (WHERE e.date < $3::date) AS compared
		  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
		 WHERE l.account_id IN (SELECT id FROM account WHERE kind = 'asset' AND code LIKE '10%') AND e.date < $1::date
		 GROUP BY l.currency
	)
	SELECT (SELECT count(*) FROM moved WHERE within IS NOT NULL) + (SELECT count(*) FROM began WHERE within IS NOT NULL)`

// BenchmarkReports holds each report of the ledger over 100,000 entries against the one aggregate in SQL, in turns, so that
// both meet the same machine. The goal is a ratio of 2 at most.
func BenchmarkReports(b *testing.B) {
	o := openBooks(b).Organization
	const entries = 100_000
	tenanttest.AsOwner(b, o, fmt.Sprintf(`
		WITH made AS (INSERT INTO journal_entry (id, number, date, description, source_kind, posted_at)
		              SELECT gen_random_uuid(), 1000000 + g, '2025-01-01'::date + g %% 700, 'Takings', 'manual', now() FROM generate_series(1, %d) g RETURNING id, number)
		INSERT INTO journal_line (entry_id, line, account_id, currency, amount)
		SELECT m.id, l, a.id, 'EUR', CASE l WHEN 1 THEN 100 ELSE -100 END
		  FROM made m, generate_series(1, 2) l,
		       LATERAL (SELECT id FROM account ORDER BY (code::text > '') DESC, code OFFSET (m.number * l) %% 20 LIMIT 1) a;
		ANALYZE journal_entry; ANALYZE journal_line`, entries))
	year := report.Period{From: civil.On(2026, 1, 1), To: civil.On(2026, 12, 1)}
	before := report.Period{From: civil.On(2025, 1, 1), To: civil.On(2025, 12, 1)}
	euro := money.MustCurrency("EUR")
	for _, r := range []struct {
		name string
		run  func(ctx context.Context, tx *tenant.Tx) error
	}{
		{"trial balance", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.TrialBalanceOf(ctx, tx, year)
			return err
		}},
		{"general ledger", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.GeneralLedger(ctx, tx, year, ledger.AccountID{})
			return err
		}},
		{"profit and loss", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.ProfitAndLoss(ctx, tx, year, euro)
			return err
		}},
		{"balance sheet", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.BalanceSheet(ctx, tx, year, euro)
			return err
		}},
		{"cash flow", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.CashFlow(ctx, tx, year, euro)
			return err
		}},
	} {
		compare(b, o, r.name, r.run, func(tx *tenant.Tx, n *int) error {
			if r.name == "cash flow" {
				return tx.Get(b.Context(), n, cashByHand, year.From, year.To, before.From, before.To)
			}
			return tx.Get(b.Context(), n, byHand, year.From, year.To, before.From, before.To)
		})
	}
}

// compare runs a report and the same by hand in turns, and tells how many times as long the report takes: the median, the
// least and the most.
func compare(b *testing.B, o tenanttest.Organization, name string, ours func(ctx context.Context, tx *tenant.Tx) error, hand func(tx *tenant.Tx, n *int) error) {
	b.Run(name, func(b *testing.B) {
		var ratios []float64
		for b.Loop() {
			took := timed(b, o, ours)
			byHand := timed(b, o, func(ctx context.Context, tx *tenant.Tx) error {
				if _, err := tx.Exec(ctx, `SELECT set_config('jit', 'off', true)`); err != nil { // as the reports do
					return err
				}
				var n int
				return hand(tx, &n)
			})
			ratios = append(ratios, took.Seconds()/byHand.Seconds())
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/2], "ratio")
		b.ReportMetric(ratios[0], "least")
		b.ReportMetric(ratios[len(ratios)-1], "most")
	})
}

func timed(b *testing.B, o tenanttest.Organization, fn func(ctx context.Context, tx *tenant.Tx) error) time.Duration {
	b.Helper()
	started := time.Now()
	tenanttest.Do(b, tenanttest.DB(), o, fn)
	return time.Since(started)
}
