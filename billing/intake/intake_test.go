package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// books founds an organization with its books open, and the tax rates GST and QST.
func books(t *testing.T) tenanttest.Organization {
	t.Helper()
	return tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		err := billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: money.MustCurrency("USD"), Country: "US", TimeZone: "America/New_York"})
		if err != nil {
			return err
		}
		for code, percent := range map[string]string{"GST": "5", "QST": "9.975", "A+B": "1"} {
			if _, err := tax.AddRate(ctx, tx, tax.RateInput{Code: code, Name: code, Percent: decimal.RequireFromString(percent)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// take reads one file and puts it into the books.
func take(o tenanttest.Organization, name, content string) (s intake.Summary, err error) {
	table, err := intake.Read(name, strings.NewReader(content))
	if err != nil {
		return s, err
	}
	ctx := context.Background()
	err = tenant.Do(ctx, tenanttest.DB(), o.Scope, func(tx *tenant.Tx) error {
		s, err = intake.Take(ctx, tx, table, nil)
		return err
	})
	return s, err
}

func mustTake(t *testing.T, o tenanttest.Organization, name, content string) intake.Summary {
	t.Helper()
	s, err := take(o, name, content)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func chinook(t *testing.T, shape string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "cmd", "countinghouse", "demo", "chinook", shape+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func takeChinook(t *testing.T, o tenanttest.Organization) (all string) {
	t.Helper()
	for _, shape := range []string{"customers", "products", "invoices"} {
		s := mustTake(t, o, shape+".csv", chinook(t, shape))
		all += fmt.Sprintf("%d %s, %d lines, %v, %d added, %d changed, %d unchanged; ", s.Things, s.Shape, s.Lines, s.Totals, s.Added, s.Changed, s.Unchanged)
	}
	return all
}

func exported(t *testing.T, o tenanttest.Organization, format export.Format) string {
	t.Helper()
	var out bytes.Buffer
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error { return export.Write(ctx, tx, format, &out) })
	return out.String()
}

func TestTake_the_whole_of_Chinook(t *testing.T) {
	t.Parallel()
	o := books(t)
	if got, want := takeChinook(t, o), "59 customers, 0 lines, [], 59 added, 0 changed, 0 unchanged; "+
		"1984 products, 0 lines, [], 1984 added, 0 changed, 0 unchanged; "+
		"412 invoices, 2240 lines, [2328.60], 412 added, 0 changed, 0 unchanged; "; got != want {
		t.Errorf("the first time:\n got %s\nwant %s", got, want)
	}
	if got, want := takeChinook(t, o), "59 customers, 0 lines, [], 0 added, 0 changed, 59 unchanged; "+
		"1984 products, 0 lines, [], 0 added, 0 changed, 1984 unchanged; "+
		"412 invoices, 2240 lines, [2328.60], 0 added, 0 changed, 412 unchanged; "; got != want {
		t.Errorf("the second time:\n got %s\nwant %s", got, want)
	}
	// What each book says must be the same in a copy that was made of our own files.
	again := books(t)
	for _, f := range []export.Format{export.Customers, export.Products, export.Invoices} {
		mustTake(t, again, string(f)+".csv", exported(t, o, f))
	}
	for _, f := range []export.Format{export.Customers, export.Products, export.Invoices, export.Journal} {
		if a, b := exported(t, o, f), exported(t, again, f); a != b {
			t.Errorf("%s differ in a copy of the books", f)
		}
	}
}

const (
	someCustomers = "external_id,name,email,country\nc1,Mara Lindqvist,mara@tidewater.example,Sweden\nc2,=SUM(A1),,JP\n"
	someProducts  = "external_id,name,description,unit_price,currency\np1,Hosting,A month of it,12.50,EUR\np2,'-1,,0.333333,JPY\n"
	someInvoices  = "line,external_id,customer_external_id,issue_date,due_date,currency,product_external_id,description,quantity,unit_price,discount_percent,tax_code,invoice_total\n" +
		"2,i1,c1,2025-03-02,,EUR,,\"Setting up;\nin two lines\",1.5,100,10,GST+QST,\n" +
		"1,i2,c2,2025-03-01,2025-03-01,JPY,p2,,3,333,,,999\n" +
		"1,i1,c1,2025-03-02,,EUR,p1,Hosting,2,12.50,,A+B,\n"
	somePayments = "external_id,invoice_external_id,paid_on,amount,currency,method,reference\n" +
		"y2,i1,2025-04-02,100.00,EUR,card,+1 55\ny1,i1,2025-04-01,25.25,EUR,,\ny3,i2,2025-03-01,999,JPY,cash,\n"
)

func takeSome(t *testing.T, o tenanttest.Organization) {
	t.Helper()
	for name, content := range map[string]string{"customers": someCustomers, "products": someProducts} {
		mustTake(t, o, name, content)
	}
	mustTake(t, o, "invoices", someInvoices)
	mustTake(t, o, "payments", somePayments)
}

var allShapes = []export.Format{export.Customers, export.Products, export.Invoices, export.Payments}

func TestTake_reads_back_what_was_exported(t *testing.T) {
	t.Parallel()
	o, again := books(t), books(t)
	takeSome(t, o)
	// Something made by hand has no external id.
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "'@home", Company: "''=1+1", Phone: "+46 8 123"})
		if err != nil {
			return err
		}
		line := billing.InvoiceLineInput{Description: "-5 % on \"everything\", as agreed", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString("0.005")}
		drafted, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{line}})
		if err != nil {
			return err
		}
		if _, err = billing.IssueInvoice(ctx, tx, drafted.ID, 0); err != nil {
			return err
		}
		if err := payOverSeveral(ctx, tx, c.ID); err != nil {
			return err
		}
		_, err = billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{line}})
		return err
	})
	for _, f := range allShapes {
		file := exported(t, o, f)
		mustTake(t, again, string(f), file)
		if copied := exported(t, again, f); copied != file {
			t.Errorf("%s differ in the copy:\n%s\n%s", f, file, copied)
		}
		if s := mustTake(t, o, string(f), file); s.Added+s.Changed != 0 || s.Unchanged == 0 {
			t.Errorf("reading our own %s back adds %d and changes %d", f, s.Added, s.Changed)
		}
	}
	// Entries are numbered in the order of posting, which is another in the copy.
	if a, b := unnumbered(exported(t, o, export.Journal)), unnumbered(exported(t, again, export.Journal)); a != b {
		t.Errorf("the journals differ:\n%s\n%s", a, b)
	}
}

// payOverSeveral issues two invoices, with an order number, prices with tax and discounts on the whole, and a payment over both
// of which something is left.
func payOverSeveral(ctx context.Context, tx *tenant.Tx, customer billing.CustomerID) error {
	pay := billing.PaymentInput{CustomerID: customer, Method: billing.Cheque, Reference: "000123"}
	for i, in := range []billing.InvoiceInput{
		{PurchaseOrder: "PO 7", PricesWithTax: true, DiscountPercent: decimal.RequireFromString("2.5")},
		{PurchaseOrder: "=PO", Discount: decimal.RequireFromString("3.33")},
	} {
		in.CustomerID = customer
		in.Lines = []billing.InvoiceLineInput{{Description: "Mixing", Quantity: decimal.NewFromInt(3), UnitPrice: decimal.RequireFromString("33.33")}}
		drafted, err := billing.DraftInvoice(ctx, tx, in)
		if err != nil {
			return err
		}
		issued, err := billing.IssueInvoice(ctx, tx, drafted.ID, 0)
		if err != nil {
			return err
		}
		part := issued.Total
		part.Minor /= int64(i + 1)
		pay.Amount.Currency = part.Currency
		pay.Amount.Minor += part.Minor + 100
		pay.Allocations = append(pay.Allocations, billing.Allocation{InvoiceID: issued.ID, Amount: part})
	}
	made, err := billing.RecordPayment(ctx, tx, pay)
	if err != nil || made.Left.Minor != 200 {
		return errors.Join(err, fmt.Errorf("%s is left", made.Left))
	}
	return nil
}

func unnumbered(journal string) string {
	rows := strings.SplitAfter(journal, "\n")
	for i, row := range rows {
		_, rows[i], _ = strings.Cut(row, ",")
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}

func TestTake_works_an_invoice_out(t *testing.T) {
	t.Parallel()
	o := books(t)
	takeSome(t, o)
	// 25.00 + 1 %, and 135.00 with 5 % and 9.975 %, by hand: 0.25, 6.75, 13.47 (13.46625).
	if invoices := exported(t, o, export.Invoices); !strings.Contains(invoices, ",180.47,,,0,0.00,4000,\n") ||
		strings.Index(invoices, "i2,") > strings.Index(invoices, "i1,") || !strings.Contains(invoices, "i1,c1,2025-03-02,2025-04-01,EUR,1,p1,Hosting,2,12.5,0,A++B,180.47,,,0,0.00,4000,\n") {
		t.Errorf("the invoices are\n%s", invoices)
	}
	if journal := exported(t, o, export.Journal); !strings.Contains(journal, "Invoice INV-0001") || !strings.Contains(journal, ",999,,JPY,") {
		t.Errorf("the journal is\n%s", journal)
	}
}

func TestTake_accepts_every_system_s_files(t *testing.T) {
	t.Parallel()
	const header, row = "External_ID, Name ,country,company", "c1,Bjørn Hansen,Norway,\"Hansen, Berg & Co\""
	unix := header + "\n" + row + "\n"
	for name, content := range map[string]string{
		"Windows":              strings.ReplaceAll(unix, "\n", "\r\n"),
		"old Mac":              strings.ReplaceAll(unix, "\n", "\r"),
		"byte order mark":      "\ufeff" + unix,
		"semicolons":           strings.NewReplacer(", Berg", ", Berg", ",", ";").Replace(unix),
		"tabs":                 strings.NewReplacer(", Berg", ", Berg", ",", "\t").Replace(unix),
		"no end of line":       header + "\n" + row,
		"blank lines and rows": "\n" + header + "\n\n,,,\n" + row + "\n , ,,\n\n",
		"columns in any order": "country,company,name,external_id\nNO,\"Hansen, Berg & Co\",Bjørn Hansen,c1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := books(t)
			mustTake(t, o, "customers.csv", content)
			const want = "external_id,name,company,email,phone,street,city,region,postal_code,country,tax_number,language,payment_terms_days\nc1,Bjørn Hansen,\"Hansen, Berg & Co\",,,,,,,NO,,,\n"
			if got := exported(t, o, export.Customers); got != want {
				t.Errorf("the books have\n%s", got)
			}
		})
	}
}

func TestTake_keeps_what_a_file_does_not_speak_of(t *testing.T) {
	t.Parallel()
	o := books(t)
	takeSome(t, o)
	mustTake(t, o, "customers.csv", "external_id,name,tax_number,payment_terms_days\nc1,Mara,SE556677889901,14\n")
	s := mustTake(t, o, "customers.csv", "name,external_id\nMara Lind,c1\n'=SUM(A1),c2\n")
	if s.Changed != 1 || s.Unchanged != 1 || s.Added != 0 {
		t.Errorf("%d changed, %d unchanged, %d added", s.Changed, s.Unchanged, s.Added)
	}
	if got := exported(t, o, export.Customers); !strings.Contains(got, "c1,Mara Lind,,mara@tidewater.example,,,,,,SE,SE556677889901,,14\n") {
		t.Errorf("the books have\n%s", got)
	}
	if s := mustTake(t, o, "products.csv", strings.Replace(someProducts, "12.50", "12.5000", 1)); s.Changed != 0 {
		t.Error("12.5000 is taken for a change of 12.50")
	}
	if s := mustTake(t, o, "products.csv", strings.Replace(someProducts, "12.50", "12.51", 1)); s.Changed != 1 {
		t.Error("a new price is not taken")
	}
}

func TestTake_records_that_an_invoice_was_paid(t *testing.T) {
	t.Parallel()
	o := books(t)
	takeSome(t, o)
	const file = "external_id,customer_external_id,issue_date,currency,line,product_external_id,description,quantity,unit_price,paid_on\n" +
		"i7,c1,2025-05-01,EUR,1,,Work,2,40,2025-05-20\ni8,c1,2025-05-01,EUR,1,,Favour,1,0,2025-05-20\n"
	for try, paid := range []int{1, 0} {
		if s := mustTake(t, o, "invoices.csv", file); s.Paid != paid {
			t.Errorf("try %d pays %d", try, s.Paid)
		}
	}
	if got := exported(t, o, export.Payments); strings.Count(got, ",i7,2025-05-20,80.00,EUR,") != 1 || strings.Contains(got, ",i8,") {
		t.Errorf("the payments are\n%s", got)
	}
	// A file that learns of the payment of i1 later pays what is still open.
	mustTake(t, o, "invoices.csv", strings.ReplaceAll(strings.ReplaceAll(someInvoices, "due_date", "paid_on"), "02,,EUR", "02,2025-06-01,EUR"))
	if got := exported(t, o, export.Payments); !strings.Contains(got, ",i1,2025-06-01,55.22,EUR,other,") {
		t.Errorf("the payments are\n%s", got)
	}
}
