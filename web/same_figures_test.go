package web_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// figures are what an invoice comes to: what was taken off the whole, its net, each tax by name, its total.
type figures struct {
	discount, net, total string
	taxes                []string // in the order in which the lines first name them
	names                []string
}

// row is the figures as page and paper list them.
func (f figures) row() (all []string) {
	if f.discount != "" {
		all = append(all, f.discount)
	}
	return append(append(append(all, f.net), f.taxes...), f.total)
}

// randomInvoice is one of up to six lines in one of five currencies, with up to three taxes on each line, with discounts and
// prices with tax or without.
func randomInvoice(r *rand.Rand, customer billing.CustomerID) billing.InvoiceInput {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	currency := money.MustCurrency(pick("EUR", "USD", "JPY", "KWD", "CAD"))
	in := billing.InvoiceInput{CustomerID: customer, Currency: currency, PricesWithTax: r.IntN(2) == 0}
	switch r.IntN(4) {
	case 0:
		in.DiscountPercent = decimal.New(r.Int64N(9999)+1, -2)
	case 1:
		in.Discount = decimal.New(r.Int64N(50)+1, -int32(currency.Digits()))
	}
	taxes := [][]string{nil, {"GST"}, {"GST", "QST"}, {"VAT"}, {"GST", "OVER"}, {"FREE"}}
	for range r.IntN(6) + 1 {
		line := billing.InvoiceLineInput{Description: "Work", Quantity: decimal.New(r.Int64N(99999)+1, -3), UnitPrice: decimal.New(r.Int64N(9999999)+1000, -4),
			TaxCodes: taxes[r.IntN(len(taxes))]}
		if r.IntN(3) == 0 {
			line.DiscountPercent = decimal.New(r.Int64N(9999)+1, -2)
		}
		in.Lines = append(in.Lines, line)
	}
	return in
}

// invoicesToCompare is a hundred in each run, so that the package stays quick; a thousand by go test -figures=1000.
var invoicesToCompare = flag.Int("figures", 100, "of how many random invoices page, JSON, paper and ledger are compared")

// Of random invoices the page, the JSON, the paper and the ledger show the same figures.
func TestEverythingShowsTheSameFigures(t *testing.T) {
	t.Parallel()
	count := *invoicesToCompare
	o := open(t).signUp(t)
	scope, err := tenant.EnterOperator(t.Context(), tenanttest.DB(), o.slug)
	if err != nil {
		t.Fatal(err)
	}
	do := func(fn func(ctx context.Context, tx *tenant.Tx) error) {
		t.Helper()
		if err := tenant.Do(t.Context(), tenanttest.DB(), scope, func(tx *tenant.Tx) error { return fn(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
	}
	customer, ok := id.Parse[billing.Customer](o.program.made(t, "/v1/customers", map[string]any{"name": "Ada"}))
	if !ok {
		t.Fatal("no customer")
	}
	do(func(ctx context.Context, tx *tenant.Tx) error {
		for code, percent := range map[string]string{"GST": "5", "QST": "9.975", "VAT": "20", "OVER": "7.7", "FREE": "0"} {
			if _, err := tax.AddRate(ctx, tx, tax.RateInput{Code: code, Name: code + " tax", Percent: decimal.RequireFromString(percent), Compound: code == "OVER"}); err != nil {
				return err
			}
		}
		return nil
	})
	var invoices []billing.InvoiceID
	for seed := uint64(0); len(invoices) < count; {
		made := len(invoices)
		do(func(ctx context.Context, tx *tenant.Tx) error {
			invoices = invoices[:made] // it may run twice
			for range min(50, count-made) {
				seed++
				d, err := billing.DraftInvoice(ctx, tx, randomInvoice(rand.New(rand.NewPCG(7, seed)), customer))
				if err == nil {
					d, err = billing.IssueInvoice(ctx, tx, d.ID, 0)
				}
				if err != nil {
					return fmt.Errorf("invoice %d: %w", seed, err)
				}
				invoices = append(invoices, d.ID)
			}
			return nil
		})
	}
	booked := ledgerFigures(t, do)
	for n, invoice := range invoices {
		want := jsonFigures(t, o, invoice.String())
		page := totalsOnPage(t, o.rendered(t, "/invoices/"+invoice.String()))
		paper := totalsOnPaper(pdfText(t, o.program.call(t, "GET", "/v1/invoices/"+invoice.String()+"/pdf", nil).body))
		if !slices.Equal(page, want.row()) || !slices.Equal(paper, want.row()) {
			t.Fatalf("invoice %d, %s:\nJSON  %v\npage  %v\npaper %v", n, invoice, want.row(), page, paper)
		}
		if got := booked[invoice]; got != want.booked() {
			t.Fatalf("invoice %d, %s:\nJSON   %s\nledger %s", n, invoice, want.booked(), got)
		}
	}
}

// booked is what the ledger has of the figures: the customer's debt, income, and each tax that is something.
func (f figures) booked() string {
	var taxes []string
	sums := map[string]decimal.Decimal{}
	for i, name := range f.names {
		sums[name] = sums[name].Add(decimal.RequireFromString(f.taxes[i]))
	}
	for name, sum := range sums {
		if !sum.IsZero() {
			taxes = append(taxes, name+" "+sum.String())
		}
	}
	slices.Sort(taxes)
	return fmt.Sprintf("owed %s, income %s, %s", decimal.RequireFromString(f.total), decimal.RequireFromString(f.net), strings.Join(taxes, ", "))
}

func ledgerFigures(t *testing.T, do func(func(ctx context.Context, tx *tenant.Tx) error)) map[billing.InvoiceID]string {
	t.Helper()
	var rows []struct {
		Invoice  billing.InvoiceID `db:"id"`
		Currency money.Currency    `db:"currency"`
		Owed     int64             `db:"owed"`
		Income   int64             `db:"income"`
		Taxes    string            `db:"taxes"`
	}
	do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &rows, `
			SELECT d.id, d.currency, sum(l.amount) FILTER (WHERE a.purpose = 'receivable')::bigint AS owed,
			       coalesce(-sum(l.amount) FILTER (WHERE a.purpose = 'income'), 0)::bigint AS income,
			       coalesce(string_agg(l.memo || ' ' || -l.amount, ', ' ORDER BY l.memo COLLATE "C") FILTER (WHERE a.purpose = 'tax'), '') AS taxes
			  FROM document d JOIN journal_line l ON l.entry_id = d.entry_id JOIN account a ON a.id = l.account_id GROUP BY d.id`)
	})
	told := map[billing.InvoiceID]string{}
	for _, r := range rows {
		major := func(minor int64) string { return decimal.New(minor, -int32(r.Currency.Digits())).String() }
		var taxes []string
		for _, part := range strings.Split(r.Taxes, ", ") {
			if at := strings.LastIndex(part, " "); at >= 0 {
				taxes = append(taxes, part[:at+1]+decimal.RequireFromString(part[at+1:]).Shift(-int32(r.Currency.Digits())).String())
			}
		}
		told[r.Invoice] = fmt.Sprintf("owed %s, income %s, %s", major(r.Owed), major(r.Income), strings.Join(taxes, ", "))
	}
	return told
}

func jsonFigures(t *testing.T, o owner, invoice string) figures {
	t.Helper()
	type amount struct{ Amount string }
	var view struct {
		Net, Tax, Total amount
		Discount        *amount
		Lines           []struct {
			Net   amount
			Taxes []struct {
				Name, Percent string
				Amount        amount
			}
		}
	}
	a := o.program.call(t, "GET", "/v1/invoices/"+invoice, nil)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a.decode(t, &view)
	f := figures{net: view.Net.Amount, total: view.Total.Amount}
	if view.Discount != nil {
		f.discount = "-" + view.Discount.Amount
	}
	net, taxed := decimal.Zero, decimal.Zero
	for _, l := range view.Lines {
		net = net.Add(decimal.RequireFromString(l.Net.Amount))
		for _, x := range l.Taxes {
			taxed = taxed.Add(decimal.RequireFromString(x.Amount.Amount))
			at := slices.Index(f.names, x.Name)
			if at < 0 {
				f.names, f.taxes = append(f.names, x.Name), append(f.taxes, x.Amount.Amount)
				continue
			}
			digits := int32(max(0, len(x.Amount.Amount)-strings.IndexByte(x.Amount.Amount+".", '.')-1))
			f.taxes[at] = decimal.RequireFromString(f.taxes[at]).Add(decimal.RequireFromString(x.Amount.Amount)).StringFixed(digits)
		}
	}
	if net.String() != decimal.RequireFromString(view.Net.Amount).String() || taxed.String() != decimal.RequireFromString(view.Tax.Amount).String() ||
		!net.Add(taxed).Equal(decimal.RequireFromString(view.Total.Amount)) {
		t.Fatalf("the lines of %s come to %s and %s, and it says %+v", invoice, net, taxed, view)
	}
	return f
}

var (
	totalsList = regexp.MustCompile(`(?s)<dl class="totals">(.*?)</dl>`)
	definition = regexp.MustCompile(`(?s)<dd[^>]*>(.*?)</dd>`)
	tag        = regexp.MustCompile(`<[^>]*>`)
	notFigure  = regexp.MustCompile(`[^0-9.\-]`)
)

// figure is an amount as the API writes it.
func figure(shown string) string {
	return notFigure.ReplaceAllString(strings.ReplaceAll(tag.ReplaceAllString(shown, ""), "−", "-"), "")
}

func totalsOnPage(t *testing.T, html string) (all []string) {
	t.Helper()
	list := totalsList.FindStringSubmatch(html)
	if list == nil {
		t.Fatal("the page has no totals")
	}
	for _, d := range definition.FindAllStringSubmatch(list[1], -1) {
		all = append(all, figure(strings.ReplaceAll(strings.ReplaceAll(d[1], "&#43;", ""), "&nbsp;", "")))
	}
	return all
}

func totalsOnPaper(text string) (all []string) {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || len(all) == 0 && words[0] != "Net" && words[0] != "Discount" {
			continue
		}
		all = append(all, figure(words[len(words)-1]))
		if words[0] == "Total" {
			return all
		}
	}
	return all
}
