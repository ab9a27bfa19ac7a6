package till_test

import (
	"context"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// 100 dollars issued at 0.80 are charged at 0.90: 10.00 euros gained. 30 of them refunded at 0.90 take 3.00 of the gain back: what stays
// paid, 70 dollars, has gained 7.00.
func TestForeignChargeAndRefundTellTheirGain(t *testing.T) {
	t.Parallel()
	s := openShop(t, "1.00")
	usd := money.MustCurrency("USD")
	dollars := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: usd} }
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		today, err := ledger.Today(ctx, tx)
		if err != nil {
			return err
		}
		issue := today.AddDays(-30)
		for _, r := range []currency.Rate{{Unit: usd, Currency: eur, Date: issue, Rate: decimal.RequireFromString("0.8")},
			{Unit: usd, Currency: eur, Date: today, Rate: decimal.RequireFromString("0.9")}} {
			if _, err := currency.SetRate(ctx, tx, r); err != nil {
				return err
			}
		}
		d, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: s.customer, Currency: usd, IssueDate: issue, DueDate: today,
			Lines: []billing.InvoiceLineInput{{Description: "Work", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(100)}}})
		if err != nil {
			return err
		}
		s.invoice = d.ID
		_, err = billing.IssueInvoice(ctx, tx, d.ID, 0)
		return err
	})
	gained := func() (minor int64) {
		s.do(func(ctx context.Context, tx *tenant.Tx) error {
			return tx.Get(ctx, &minor, `SELECT coalesce(-sum(l.amount), 0)::bigint FROM journal_line l JOIN account a ON a.id = l.account_id WHERE a.purpose = 'currency-realised'`)
		})
		return minor
	}
	r, err := s.till.Perform(s.Context(), s.in(), s.plan(s.method(fake.CardGood), dollars(10000)), "")
	if err != nil || r.State != billing.IntentSucceeded || gained() != 1000 {
		t.Fatalf("charged: %+v %v, gained %d", r, err, gained())
	}
	var refund billing.Intent
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		refund, err = billing.PlanRefund(ctx, tx, r.ID, dollars(3000))
		return err
	})
	if r, err := s.till.Perform(s.Context(), s.in(), refund.ID, ""); err != nil || r.State != billing.IntentSucceeded || gained() != 700 {
		t.Errorf("refunded: %+v %v, gained %d", r, err, gained())
	}
}
