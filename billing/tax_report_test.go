package billing_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) taxes(basis report.Basis, from, to string) report.TaxReport {
	b.Helper()
	var r report.TaxReport
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		r, err = report.TaxesOf(ctx, tx, basis, report.Period{From: day(from), To: day(to)})
		return err
	})
	return r
}

func written(r report.TaxReport) string {
	var told []string
	for _, row := range r.Rows {
		told = append(told, fmt.Sprintf("%s %s %% on %s: %s %s", row.Code, row.Percent, row.Base, row.Tax, row.Tax.Currency))
	}
	return strings.Join(told, "; ")
}

func (b books) on(issue string, customer billing.CustomerID, lines ...billing.InvoiceLineInput) billing.Invoice {
	b.Helper()
	return b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, IssueDate: day(issue), DueDate: day(issue), Lines: lines}).ID)
}

// First quarter by accrual: 100.00 and 60.00 at 19 %, 50.00 at 5 %; from April 19 % is 20 %.
//
// The invoice of 119.00 + 52.50 = 171.50 has 19.00 and 2.50 tax. Paid 100.00 in March: 19 × 100 / 171.50 = 11.0787 → 11.08
// on 58.31, and 2.5 × 100 / 171.50 = 1.4577 → 1.46 on 29.15; the rest in April: 7.92 on 41.69, and 1.04 on 20.85.
func TestTaxReport(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	c := b.customer("Hugh").ID
	vat := b.rate("VAT", "19", false)
	b.rate("FIVE", "5", false)
	b.changePercent(vat, "20", "2026-04-01")
	both := b.on("2026-03-31", c, line("Work", "1", "100", "VAT"), line("Food", "1", "50", "FIVE"))
	b.on("2026-01-01", c, line("Work", "1", "60", "VAT"))
	b.on("2026-04-01", c, line("Work", "1", "10", "VAT"))
	b.on("2025-12-31", c, line("Work", "1", "1000", "VAT"))
	for _, p := range []struct{ date, sum string }{{"2026-03-31", "100.00"}, {"2026-04-02", "71.50"}} {
		if _, err := b.pay(billing.PaymentInput{InvoiceID: both.ID, Date: day(p.date), Amount: amount(p.sum, eur), Method: billing.Cash}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := []string{"2026-01-01", "2026-03-31"}, []string{"2026-04-01", "2026-06-30"}
	for name, c := range map[string]struct {
		basis report.Basis
		days  []string
		want  string
	}{
		"accrual, first":  {report.Accrual, first, "FIVE 5 % on 50.00: 2.50 EUR; VAT 19 % on 160.00: 30.40 EUR"},
		"accrual, second": {report.Accrual, second, "VAT 20 % on 10.00: 2.00 EUR"},
		"cash, first":     {report.Cash, first, "FIVE 5 % on 29.15: 1.46 EUR; VAT 19 % on 58.31: 11.08 EUR"},
		"cash, second":    {report.Cash, second, "FIVE 5 % on 20.85: 1.04 EUR; VAT 19 % on 41.69: 7.92 EUR"},
	} {
		if got := written(b.taxes(c.basis, c.days[0], c.days[1])); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
	// A payment to the tax office moves the account for taxes, and is told apart.
	b.post("2026-03-15", "2200", "1010", amount("20.00", eur))
	r := b.taxes(report.Accrual, first[0], first[1])
	if want := []report.TaxSum{{Tax: amount("32.90", eur), Posted: amount("12.90", eur), Other: amount("-20.00", eur)}}; !slices.Equal(r.Sums, want) {
		t.Errorf("sums %+v", r.Sums)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		documents, err := report.TaxDocuments(ctx, tx, report.Accrual, report.Period{From: day(first[0]), To: day(first[1])}, report.TaxFilter{Rate: vat.ID, Percent: dec("19")})
		if err == nil && (len(documents) != 2 || documents[0].Tax != amount("11.40", eur) || documents[1].ID != both.ID.UUID || documents[1].EntryNumber == 0) {
			t.Errorf("behind the figure stand %+v", documents)
		}
		return err
	})
	for want, ask := range map[*fault.Error]struct {
		basis report.Basis
		from  string
	}{report.ErrBasisUnknown: {"hybrid", "2026-01-01"}, ledger.ErrDatesReversed: {report.Cash, "2026-07-01"}} {
		_, field := want, want.Field
		b.refuses(want, field, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := report.TaxesOf(ctx, tx, ask.basis, report.Period{From: day(ask.from), To: day("2026-06-30")})
			return err
		})
	}
}

// post moves an amount between two accounts by hand.
func (b books) post(date, to, from string, a money.Amount) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		accounts, err := ledger.Accounts(ctx, tx)
		if err != nil {
			return err
		}
		at := map[string]ledger.AccountID{}
		for _, account := range accounts {
			at[account.Code] = account.ID
		}
		against, err := a.Neg()
		if err != nil {
			return err
		}
		_, err = ledger.Post(ctx, tx, ledger.Posting{Date: day(date), Description: "Moved", Lines: []ledger.Line{{Account: at[to], Amount: a}, {Account: at[from], Amount: against}}})
		return err
	})
}

// Whatever is invoiced and paid: by accrual the report of any period is what the accounts for taxes moved in it, and what
// is counted by cash, period after period, comes to the whole tax once all is paid.
func TestTaxReportAgreesWithTheLedger(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	c := b.customer("Hugh").ID
	b.rate("A", "9.975", false)
	b.changePercent(b.rate("B", "19", false), "20.5", "2026-02-10")
	b.rate("C", "7", true)
	b.addRate(tax.RateInput{Code: "AC", Name: "both", Kind: tax.Group, Rates: []string{"A", "C"}})
	b.addRate(tax.RateInput{Code: "Z", Name: "Nothing", Kind: tax.Zero})
	rapid.Check(t, func(r *rapid.T) {
		var lines []billing.InvoiceLineInput
		for range rapid.IntRange(1, 3).Draw(r, "lines") {
			price := rapid.Int64Range(1, 1e6).Draw(r, "price")
			codes := rapid.SampledFrom([][]string{{"A"}, {"B"}, {"AC"}, {"Z"}, {"B", "C"}, nil}).Draw(r, "codes")
			lines = append(lines, line("Work", "1", fmt.Sprintf("%d.%02d", price/100, price%100), codes...))
		}
		issue := day("2026-02-01").AddDays(rapid.IntRange(0, 20).Draw(r, "issue"))
		invoice := b.on(issue.String(), c, lines...)
		date, left := issue, invoice.Total.Minor
		for left > 0 {
			date = date.AddDays(rapid.IntRange(0, 9).Draw(r, "days"))
			part := min(left, rapid.Int64Range(1, invoice.Total.Minor).Draw(r, "part")+invoice.Total.Minor/5)
			if _, err := b.pay(billing.PaymentInput{InvoiceID: invoice.ID, Date: date, Amount: money.Amount{Minor: part, Currency: eur}, Method: billing.Cash}); err != nil {
				r.Fatal(err)
			}
			left -= part
		}
		from := day("2026-02-01").AddDays(rapid.IntRange(0, 20).Draw(r, "from"))
		for _, s := range b.taxes(report.Accrual, from.String(), from.AddDays(7).String()).Sums {
			if !s.Other.IsZero() || s.Posted != s.Tax {
				r.Fatalf("the report has %s, and the ledger %s", s.Tax, s.Posted)
			}
		}
		cut := issue.AddDays(rapid.IntRange(0, 12).Draw(r, "cut"))
		whole := sums(b.taxes(report.Accrual, "2026-01-01", "2027-01-01"))
		before, after := sums(b.taxes(report.Cash, "2026-01-01", cut.String())), sums(b.taxes(report.Cash, cut.AddDays(1).String(), "2027-01-01"))
		for key, w := range whole {
			if before[key]+after[key] != w {
				r.Fatalf("%s: %d until %s and %d after, of %d", key, before[key], cut, after[key], w)
			}
		}
	})
}

func sums(r report.TaxReport) map[string]int64 {
	all := map[string]int64{}
	for _, row := range r.Rows {
		all[row.Code+" "+row.Percent.String()+" tax"] += row.Tax.Minor
		all[row.Code+" "+row.Percent.String()+" base"] += row.Base.Minor
	}
	return all
}

// 40.00 dollars of tax at 0.90 are 36.00 euros, and 20.00 euros are theirs: 56.00 to remit. The pounds have no rate.
func TestTaxReportInTheBaseCurrency(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "20", false)
	c := b.customer("Hugh").ID
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: usd, Currency: eur, Date: day("2026-03-01"), Rate: dec("0.9")})
		return err
	})
	for _, in := range []struct {
		currency money.Currency
		price    string
	}{{usd, "200"}, {eur, "100"}, {gbp, "10"}} {
		b.issue(b.draft(billing.InvoiceInput{CustomerID: c, Currency: in.currency, IssueDate: day("2026-03-02"), DueDate: day("2026-03-02"),
			Lines: []billing.InvoiceLineInput{line("Work", "1", in.price, "VAT")}}).ID)
	}
	r := b.taxes(report.Accrual, "2026-03-01", "2026-03-31")
	if r.Remit != amount("56.00", eur) || r.Unrated != 1 || !r.Foreign() || len(r.Sums) != 3 {
		t.Errorf("to remit are %s, without a rate %d, in %d currencies", r.Remit, r.Unrated, len(r.Sums))
	}
}

// 120.00 with 20.00 of tax, half of it credited in the next quarter: by accrual 20.00 and then 10.00 less. By cash nothing was paid: what the
// credit note settles of the invoice and what it takes back are the same. The other 60.00, paid in the third quarter, have 10.00.
func TestTaxReportOfWhatIsTakenBack(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "20", false)
	c := b.customer("Hugh").ID
	invoice := b.on("2026-03-02", c, line("Work", "2", "50", "VAT"))
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.CreditInvoice(ctx, tx, invoice.ID, 0, billing.CreditInput{IssueDate: day("2026-04-02"), Lines: []billing.CreditLine{{Line: 1, Quantity: dec("1")}}})
		return err
	})
	if _, err := b.pay(billing.PaymentInput{InvoiceID: invoice.ID, Date: day("2026-07-02"), Amount: amount("60.00", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	gone := b.on("2026-03-03", c, line("Mistake", "1", "1000", "VAT"))
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.VoidInvoice(ctx, tx, gone.ID, 0)
		return err
	})
	for _, q := range []struct{ from, to, accrual, cash string }{
		{"2026-01-01", "2026-03-31", "220.00", "0.00"}, {"2026-04-01", "2026-06-30", "-10.00", "0.00"}, {"2026-07-01", "2026-09-30", "0.00", "10.00"},
		{"2026-01-01", "2027-12-31", "10.00", "10.00"},
	} {
		for basis, want := range map[report.Basis]string{report.Accrual: q.accrual, report.Cash: q.cash} {
			r := b.taxes(basis, q.from, q.to)
			if r.Remit != amount(want, eur) {
				t.Errorf("%s, from %s to %s: %s to remit, want %s", basis, q.from, q.to, r.Remit, want)
			}
			for _, s := range r.Sums {
				if basis == report.Accrual && !s.Other.IsZero() {
					t.Errorf("from %s to %s the ledger has %s", q.from, q.to, s.Posted)
				}
			}
		}
	}
}
