package intake_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
)

const (
	invoiceHeader = "external_id,customer_external_id,issue_date,currency,line,product_external_id,description,quantity,unit_price,discount_percent,tax_code,due_date,paid_on,invoice_total\n"
	goodInvoice   = "n1,c1,2025-06-01,EUR,1,p1,Hosting,1,10,,,,,\n"
)

// invoiceRow is a good row of an invoice with one cell changed.
func invoiceRow(column, value string) string {
	names := strings.Split(strings.TrimSpace(invoiceHeader), ",")
	cells := strings.Split(strings.TrimSuffix(strings.Replace(goodInvoice, "n1", "n2", 1), "\n"), ",")
	cells[slices.Index(names, column)] = value
	return strings.Join(cells, ",") + "\n"
}

// bad is a file of two invoices, of which the second has one cell changed.
func bad(column, value string) string { return invoiceHeader + goodInvoice + invoiceRow(column, value) }

// payment is a file of two payments, of which the first is good.
func payment(row string) string {
	return "external_id,invoice_external_id,paid_on,amount,currency,method,reference\nok,i1,2025-06-01,0.01,EUR,,\n" + row + "\n"
}

// refusals are files, and what the first fault of each says.
var refusals = map[string]struct{ file, place, code, say string }{
	"40 digits":             {bad("quantity", strings.Repeat("7", 40)), "line 3, column 8 (quantity)", "number.too_large", "at most 12 digits"},
	"scientific notation":   {bad("quantity", "1e3"), "line 3, column 8 (quantity)", "number.malformed", `"1e3"`},
	"a huge exponent":       {bad("unit_price", "1e999999999"), "line 3, column 9 (unit_price)", "number.malformed", "digits"},
	"a decimal comma":       {bad("unit_price", `"0,99"`), "line 3, column 9 (unit_price)", "number.malformed", "point"},
	"a negative quantity":   {bad("quantity", "-1"), "line 3, column 8 (quantity)", "quantity.negative", "negative"},
	"no quantity":           {bad("quantity", ""), "line 3, column 8 (quantity)", "number.malformed", "empty"},
	"a date of elsewhere":   {bad("issue_date", "31/12/2025"), "line 3, column 3 (issue_date)", "date.malformed", `"31/12/2025"`},
	"no such day":           {bad("issue_date", "2025-02-30"), "line 3, column 3 (issue_date)", "date.malformed", ""},
	"due before issued":     {bad("due_date", "2025-05-31"), "line 3, column 12 (due_date)", "invoice.due_before_issue", ""},
	"paid in the future":    {bad("paid_on", "2199-01-01"), "line 3, column 13 (paid_on)", "payment.in_future", ""},
	"an unknown currency":   {bad("currency", "eur"), "line 3, column 4 (currency)", "currency.unknown", `"eur"`},
	"an unknown customer":   {bad("customer_external_id", "c9"), "line 3, column 2 (customer_external_id)", "import.reference", `"c9"`},
	"an unknown product":    {bad("product_external_id", "p9"), "line 3, column 6 (product_external_id)", "import.reference", `"p9"`},
	"an unknown tax":        {bad("tax_code", "GST+VAT"), "line 3, column 11 (tax_code)", "tax.unknown", `"GST+VAT"`},
	"a tax twice":           {bad("tax_code", "GST+GST"), "line 3, column 11 (tax_code)", "tax.rate_twice", ""},
	"another total":         {bad("invoice_total", "11.00"), "line 3, column 14 (invoice_total)", "import.total", "10.00 EUR, and the file says 11.00"},
	"too precise a total":   {bad("invoice_total", "10.000"), "line 3, column 14 (invoice_total)", "amount.too_precise", ""},
	"discount above all":    {bad("discount_percent", "101"), "line 3, column 10 (discount_percent)", "discount.out_of_range", ""},
	"line 0":                {bad("line", "0"), "line 3, column 5 (line)", "import.line", ""},
	"a NUL":                 {bad("description", "a\x00b"), "line 3, column 7 (description)", "text.invalid", "NUL"},
	"a broken byte":         {bad("description", "caf\xe9"), "line 3, column 7 (description)", "text.invalid", "UTF-8"},
	"too long a text":       {bad("description", strings.Repeat("x", 501)), "line 3, column 7 (description)", "text.too_long", "500"},
	"nothing described":     {invoiceHeader + "n2,c1,2025-06-01,EUR,1,,,1,10,,,,,\n", "line 2, column 7 (description)", "text.missing", ""},
	"a line twice":          {invoiceHeader + goodInvoice + goodInvoice, "line 3, column 5 (line)", "import.line", "line 2 of the file"},
	"rows that disagree":    {invoiceHeader + goodInvoice + "n1,c1,2025-06-02,EUR,2,p1,Hosting,1,10,,,,,\n", "line 3, column 3 (issue_date)", "import.mixed", "line 2"},
	"an invoice changed":    {strings.Replace(someInvoices, "1.5,100", "1.5,101", 1), "line 5, column 2 (external_id)", "import.differs", `"i1"`},
	"below a line break":    {invoiceHeader + "n1,c1,2025-06-01,EUR,1,p1,\"two\nlines\",x,10,,,,,\n", "line 3, column 8 (quantity)", "number.malformed", ""},
	"too few cells":         {invoiceHeader + goodInvoice + "n2,c1,2025-06-01\n", "line 3", "import.width", "3 cells"},
	"too many cells":        {invoiceHeader + strings.Replace(goodInvoice, ",10,", ",10,00,", 1), "line 2", "import.width", "15 cells"},
	"a quotation mark":      {bad("description", `5" disk`), "line 3, column 7 (description)", "import.quotes", "twice"},
	"an open quotation":     {bad("description", `"5 disk`), "line 3, column 7 (description)", "import.quotes", "twice"},
	"a column twice":        {"external_id,name,Name\nc5,A,B\n", "line 1, column 3 (name)", "import.header", "Column 2"},
	"an unknown column":     {"external_id,name,shoe_size\nc5,A,B\n", "line 1, column 3 (shoe_size)", "import.header", "postal_code"},
	"a missing column":      {"external_id,name,unit_price\np5,A,1\n", "line 1", "import.header", "products, but has no column currency"},
	"no header":             {"1,2,3\n4,5,6\n", "line 1", "import.header", "customers has external_id, name"},
	"only a header":         {"external_id,name\n", "", "import.empty", ""},
	"nothing":               {"", "", "import.header", "empty"},
	"UTF-16":                {"\xff\xfee\x00x\x00", "", "import.encoding", "UTF-16"},
	"an external id twice":  {"external_id,name\nc5,A\nc5,B\n", "line 3, column 1 (external_id)", "import.twice", "Line 2"},
	"no external id":        {"external_id,name\nc5,A\n,B\n", "line 3, column 1 (external_id)", "text.missing", ""},
	"an unknown country":    {"external_id,name,country\nc5,A,PT\nc6,B,Atlantis\n", "line 3, column 3 (country)", "country.unknown", ""},
	"no mail address":       {"external_id,name,email\nc5,A,\nc6,B,nobody\n", "line 3, column 3 (email)", "email.malformed", ""},
	"a price below nothing": {"external_id,name,unit_price,currency\np5,A,1,EUR\np6,B,-1,EUR\n", "line 3, column 3 (unit_price)", "price.negative", ""},
	"paid too much":         {payment("y9,i1,2025-06-01,1000.00,EUR,,"), "line 3, column 4 (amount)", "payment.too_much", "55.2"},
	"paid in other money":   {payment("y9,i1,2025-06-01,10,USD,,"), "line 3, column 5 (currency)", "payment.currency", ""},
	"paid for nothing":      {payment("y9,i9,2025-06-01,10,EUR,,"), "line 3, column 2 (invoice_external_id)", "import.reference", `"i9"`},
	"paid by barter":        {payment("y9,i1,2025-06-01,10,EUR,goats,"), "line 3, column 6 (method)", "payment.method_unknown", ""},
	"a payment changed":     {payment("y1,i1,2025-04-01,25.26,EUR,,"), "line 3, column 1 (external_id)", "import.differs", "another amount"},
}

func TestTake_refuses_with_file_line_and_column(t *testing.T) {
	t.Parallel()
	o := books(t)
	takeSome(t, o)
	before := map[export.Format]string{}
	for _, f := range append(allShapes, export.Journal) {
		before[f] = exported(t, o, f)
	}
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			_, err := take(o, "some.csv", c.file)
			var refused *intake.Refused
			if !errors.As(err, &refused) {
				t.Fatalf("it was not refused, but %v", err)
			}
			first := refused.Faults[0]
			if want := strings.TrimSuffix("some.csv, "+c.place, ", ") + ": "; !strings.HasPrefix(first.Error(), want) || first.Code != c.code || !strings.Contains(first.Say, c.say) {
				t.Errorf("it says %q (%s)\nwant      %q (%s) with %q", first.Error(), first.Code, want, c.code, c.say)
			}
			if len(refused.Faults) > 1 {
				t.Errorf("it finds more: %v", err)
			}
		})
	}
	for f, want := range before {
		if got := exported(t, o, f); got != want {
			t.Errorf("refused files left something in %s:\n%s", f, got)
		}
	}
}

func TestTake_tells_twenty_faults(t *testing.T) {
	t.Parallel()
	o := books(t)
	var file strings.Builder
	file.WriteString("external_id,name,email\n")
	for i := range 30 {
		fmt.Fprintf(&file, "c%d,Name,not an address\n", i)
	}
	_, err := take(o, "customers.csv", file.String())
	var refused *intake.Refused
	if !errors.As(err, &refused) || len(refused.Faults) != 20 || !refused.More || refused.Faults[19].Line != 21 {
		t.Errorf("it says %v", err)
	}
	if got := exported(t, o, export.Customers); strings.Count(got, "\n") != 1 {
		t.Errorf("the books have\n%s", got)
	}
}

func TestRead_gives_up_a_file_that_is_too_large(t *testing.T) {
	t.Parallel()
	_, err := intake.Read("large.csv", &endless{})
	var refused *intake.Refused
	if !errors.As(err, &refused) || refused.Faults[0].Code != "import.too_large" {
		t.Errorf("it says %v", err)
	}
}

// endless is a file of customers without an end.
type endless struct{ began bool }

func (e *endless) Read(p []byte) (int, error) {
	if !e.began {
		e.began = true
		return copy(p, "external_id,name\n"), nil
	}
	row := "c," + strings.Repeat("x", 1021) + "\n"
	return copy(p, row[:min(len(row), len(p))]), nil
}

func TestSort_takes_customers_before_what_refers_to_them(t *testing.T) {
	t.Parallel()
	var tables []*intake.Table
	for _, file := range []string{somePayments, someInvoices, someProducts, someCustomers} {
		table, err := intake.Read("", strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	intake.Sort(tables)
	for i, want := range []intake.Shape{intake.Customers, intake.Products, intake.Invoices, intake.Payments} {
		if tables[i].Shape != want {
			t.Errorf("at %d are %s", i, tables[i].Shape)
		}
	}
}
