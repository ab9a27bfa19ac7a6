package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// sellAndBuyAtRandom adds invoices, credit notes, bills, payees' credits, and payments of both sides with what was given back or
// taken back of them, their texts from hostile.
func sellAndBuyAtRandom(t *testing.T, o tenanttest.Organization, random *rand.Rand) {
	t.Helper()
	pick := func() string { return hostile[random.IntN(len(hostile))] }
	day := func() string { return civil.On(2024, 1, 1).AddDays(random.IntN(700)).String() }
	number := func(most int) string { return fmt.Sprint(1 + random.IntN(most)) }
	all := map[string][][]string{
		"customers":     {{"external_id", "name"}},
		"payees":        {{"external_id", "name", "payee_terms_days"}},
		"invoices":      {{"external_id", "customer_external_id", "issue_date", "currency", "line", "product_external_id", "description", "quantity", "unit_price"}},
		"credit_notes":  {{"external_id", "customer_external_id", "issue_date", "currency", "line", "description", "quantity", "unit_price", "credit_note_total", "invoice_external_id", "invoice_line"}},
		"bills":         {{"external_id", "payee_external_id", "issue_date", "currency", "line", "account_code", "description", "quantity", "unit_price", "bill_total"}},
		"payee_credits": {{"external_id", "payee_external_id", "issue_date", "currency", "line", "account_code", "description", "quantity", "unit_price", "payee_credit_total"}},
		"payments":      {{"external_id", "invoice_external_id", "paid_on", "amount", "currency", "refund_of", "customer_external_id", "credit_note_external_id"}},
		"bill_payments": {{"external_id", "bill_external_id", "paid_on", "amount", "currency", "taken_back_on", "payee_external_id", "payee_credit_external_id"}},
	}
	put := func(file string, cells ...string) { all[file] = append(all[file], cells) }
	for i := range 12 {
		key, late, last := fmt.Sprint(i), civil.On(2026, 1, 1).String(), civil.On(2026, 2, 1).String()
		currency := []string{"EUR", "USD", "KWD"}[random.IntN(3)]
		put("customers", "c"+key, pick())
		put("payees", "v"+key, pick(), "")
		issued := day()
		put("invoices", key, "c"+key, issued, currency, "1", "", pick(), "4", number(5000))
		put("credit_notes", key, "c"+key, late, currency, "1", "", number(3), "1", "", key, "1")
		put("credit_notes", "own"+key, "c"+key, day(), currency, "1", pick(), "1", number(500), "", "", "")
		put("bills", key, "v"+key, day(), currency, "1", "5300", pick(), "3", number(5000), "")
		put("payee_credits", key, "v"+key, day(), currency, "1", "5300", pick(), "1", number(500), "")
		put("payments", "p"+key, key, day(), "1", currency, "", "c"+key, "")
		put("payments", "r"+key, key, last, "0.5", currency, "p"+key, "c"+key, "")
		put("payments", "n"+key, "", last, "0.25", currency, "", "c"+key, "own"+key)
		put("bill_payments", "bp"+key, key, day(), "1", currency, "", "v"+key, "")
		put("bill_payments", "bt"+key, key, day(), "0.5", currency, late, "v"+key, "")
		put("bill_payments", "bm"+key, "", last, "0.25", currency, "", "v"+key, key)
	}
	for _, file := range []string{"customers", "payees", "invoices", "credit_notes", "bills", "payee_credits", "payments", "bill_payments"} {
		var text bytes.Buffer
		if err := csv.NewWriter(&text).WriteAll(all[file]); err != nil {
			t.Fatal(err)
		}
		table, err := intake.Read(file+".csv", &text)
		if err != nil {
			t.Fatal(err)
		}
		tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
			s, err := intake.Take(ctx, tx, table, nil)
			if err == nil && s.Added != len(all[file])-1 {
				t.Errorf("of %s %d were added, and not %d", file, s.Added, len(all[file])-1)
			}
			return err
		})
	}
}
