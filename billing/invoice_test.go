package billing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// figures shows an invoice's lines and taxes as one can compare them.
func figures(inv billing.Invoice) string {
	var b strings.Builder
	for _, l := range inv.Lines {
		fmt.Fprintf(&b, "%d %s", l.Line, l.Net)
		for _, t := range l.Taxes {
			fmt.Fprintf(&b, " %s(%s)=%s", t.Code, t.Base, t.Amount)
		}
		b.WriteString("; ")
	}
	fmt.Fprintf(&b, "%s + %s = %s", inv.Net, inv.Tax, inv.Total)
	return b.String()
}

// checkSums holds an invoice's totals against its stored lines.
func checkSums(t *testing.T, inv billing.Invoice) {
	t.Helper()
	var net, taxes int64
	for _, l := range inv.Lines {
		net += l.Net.Minor
		for _, x := range l.Taxes {
			taxes += x.Amount.Minor
		}
	}
	if inv.Net.Minor != net || inv.Tax.Minor != taxes || inv.Total.Minor != net+taxes {
		t.Errorf("%s + %s = %s, but the lines sum to %d and %d", inv.Net, inv.Tax, inv.Total, net, taxes)
	}
}

func TestDraftInvoiceWithSeveralTaxes(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("GST", "5", false)
	b.rate("QST", "9.975", true)
	b.rate("ECO", "0.5", false)
	discounted := line("Design", "2", "100", "GST", "QST")
	discounted.DiscountPercent = dec("10")
	in := billing.InvoiceInput{CustomerID: b.customer("Mara").ID, Reference: " PO 7 ", Note: "Thank you.\r\nSee you.",
		Lines: []billing.InvoiceLineInput{discounted, line("Print", "3", "6.665", "ECO", "GST"), line("Travel", "0.5", "33.33")}}
	inv := b.draft(in)
	const want = "1 180.00 GST(180.00)=9.00 QST(189.00)=18.85; 2 20.00 ECO(20.00)=0.10 GST(20.00)=1.00; 3 16.67; 216.67 + 28.95 = 245.62"
	if got := figures(inv); got != want {
		t.Errorf("worked out\n%s, want\n%s", got, want)
	}
	checkSums(t, inv)
	if inv.State != billing.Draft || inv.Number != "" || !inv.Entry.IsZero() || inv.Reference != "PO 7" || inv.Note != "Thank you.\nSee you." {
		t.Errorf("the draft is %+v", inv.InvoiceHead)
	}
	if inv.IssueDate != inv.Today || inv.IssueDate.DaysUntil(inv.DueDate) != 30 || inv.Currency != eur {
		t.Errorf("issued %s, due %s, in %s", inv.IssueDate, inv.DueDate, inv.Currency)
	}
	var totals []string
	for _, x := range inv.TaxTotals() {
		totals = append(totals, fmt.Sprintf("%s %s: %s on %s", x.Code, x.Percent, x.Amount, x.Base))
	}
	if got := strings.Join(totals, ", "); got != "GST 5: 10.00 on 200.00, QST 9.975: 18.85 on 189.00, ECO 0.5: 0.10 on 20.00" {
		t.Errorf("taxes by rate: %s", got)
	}
	var preview tax.Result
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		in.CustomerID = billing.CustomerID{}
		preview, err = billing.PreviewInvoice(ctx, tx, in)
		return err
	})
	if preview.Total != inv.Total || preview.Lines[0].Discount != amount("20.00", eur) {
		t.Errorf("the preview comes to %+v", preview)
	}
}

func TestDraftInvoiceFillsInFromProduct(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	other := b.plainAccount("income")
	given := b.plainAccount("expense")
	p := b.product(billing.ProductInput{Name: "Workshop", UnitPrice: dec("1200"), IncomeAccount: other})
	inv := b.draft(billing.InvoiceInput{CustomerID: b.customer("Mara").ID, Currency: jpy,
		IssueDate: day("2026-01-31"), DueDate: day("2026-01-31"),
		Lines: []billing.InvoiceLineInput{
			{ProductID: p.ID, Quantity: dec("1.5"), UnitPrice: dec("1200")},
			{ProductID: p.ID, Quantity: dec("1"), UnitPrice: dec("1.5"), Description: "Notes", AccountID: given},
			{Quantity: dec("1"), UnitPrice: dec("0"), Description: "Free"},
		}})
	if l := inv.Lines[0]; l.Description != "Workshop" || l.Product != p.ID || l.Account != other {
		t.Errorf("the first line is %+v", l)
	}
	if l := inv.Lines[1]; l.Description != "Notes" || l.Account != given || given == other || l.Net != amount("2", jpy) {
		t.Errorf("the second line is %+v", l)
	}
	if got := inv.Total; got != amount("1802", jpy) {
		t.Errorf("the total is %v", got)
	}
}

type badInvoice struct {
	in    billing.InvoiceInput
	want  *fault.Error
	field string
}

// badInvoices are inputs that are refused wherever an invoice is written.
func badInvoices(customer billing.CustomerID) map[string]badInvoice {
	with := func(lines ...billing.InvoiceLineInput) billing.InvoiceInput {
		return billing.InvoiceInput{CustomerID: customer, Lines: lines}
	}
	spoilt := func(spoil func(*billing.InvoiceInput)) billing.InvoiceInput {
		in := with(line("Work", "1", "10"))
		spoil(&in)
		return in
	}
	discounted := func(percent string) billing.InvoiceLineInput {
		l := line("Work", "1", "10")
		l.DiscountPercent = dec(percent)
		return l
	}
	forty := strings.Repeat("9", 40)
	return map[string]badInvoice{
		"no customer":                 {spoilt(func(in *billing.InvoiceInput) { in.CustomerID = billing.CustomerID{} }), billing.ErrCustomerUnknown, "customer_id"},
		"an unknown customer":         {spoilt(func(in *billing.InvoiceInput) { in.CustomerID = id.New[billing.Customer]() }), billing.ErrCustomerUnknown, "customer_id"},
		"due before it is issued":     {spoilt(func(in *billing.InvoiceInput) { in.IssueDate, in.DueDate = day("2026-02-01"), day("2026-01-31") }), billing.ErrDueBeforeIssue, "due_date"},
		"a NUL byte in the note":      {spoilt(func(in *billing.InvoiceInput) { in.Note = "a\x00" }), text.ErrInvalid, "note"},
		"broken UTF-8":                {spoilt(func(in *billing.InvoiceInput) { in.Reference = "\xc3\x28" }), text.ErrInvalid, "reference"},
		"a reference too long":        {spoilt(func(in *billing.InvoiceInput) { in.Reference = strings.Repeat("a", 61) }), text.ErrTooLong, "reference"},
		"a note of 10 MB":             {spoilt(func(in *billing.InvoiceInput) { in.Note = strings.Repeat("a", 10<<20) }), text.ErrTooLong, "note"},
		"an external id twice":        {spoilt(func(in *billing.InvoiceInput) { in.ExternalID = "i-1" }), billing.ErrInvoiceExternal, "external_id"},
		"a negative quantity":         {with(line("a", "1", "1"), line("b", "-1", "10")), tax.ErrQuantityNegative, "lines[1].quantity"},
		"a quantity of nothing":       {with(line("a", "0", "1")), tax.ErrQuantityZero, "lines[0].quantity"},
		"a quantity of 40 digits":     {with(line("a", forty, "1")), money.ErrNumberTooLarge, "lines[0].quantity"},
		"a quantity of 1e9999":        {with(line("a", "1e9999", "1")), money.ErrNumberTooLarge, "lines[0].quantity"},
		"a quantity of 7 decimals":    {with(line("a", "0.0000001", "1")), money.ErrNumberTooPrecise, "lines[0].quantity"},
		"a negative price":            {with(line("a", "1", "-0.01")), tax.ErrPriceNegative, "lines[0].unit_price"},
		"a price of 40 digits":        {with(line("a", "1", forty)), money.ErrNumberTooLarge, "lines[0].unit_price"},
		"a price of 40 decimals":      {with(line("a", "1", "0."+forty)), money.ErrNumberTooPrecise, "lines[0].unit_price"},
		"a total too large":           {with(line("a", "999999999999", "999999999999")), money.ErrTooLarge, "lines[0]"},
		"a sum too large":             {with(line("a", "999", "999999999999"), line("b", "2", "999999999999")), money.ErrTooLarge, ""},
		"a negative discount":         {with(discounted("-1")), tax.ErrDiscountOutOfRange, "lines[0].discount_percent"},
		"a discount of more than all": {with(discounted("100.1")), tax.ErrDiscountOutOfRange, "lines[0].discount_percent"},
		"no description":              {with(line("  ", "1", "1")), text.ErrMissing, "lines[0].description"},
		"a description too long":      {with(line(strings.Repeat("я", 501), "1", "1")), text.ErrTooLong, "lines[0].description"},
		"an unknown tax":              {with(line("a", "1", "1", "VAT", "nothing")), billing.ErrTaxUnknown, "lines[0].taxes[1]"},
		"a tax code with a NUL byte":  {with(line("a", "1", "1", "\x00")), billing.ErrTaxUnknown, "lines[0].taxes[0]"},
		"the same tax twice":          {with(line("a", "1", "1", "VAT", "VAT")), tax.ErrRateTwice, "lines[0].taxes[1]"},
		"nine taxes":                  {with(line("a", "1", "1", "1", "2", "3", "4", "5", "6", "7", "8", "9")), tax.ErrTooManyRates, "lines[0].taxes"},
		"an unknown product":          {with(billing.InvoiceLineInput{ProductID: id.New[billing.Product](), Quantity: dec("1")}), billing.ErrProductUnknown, "lines[0].product_id"},
		"an unknown account":          {with(billing.InvoiceLineInput{Description: "a", AccountID: id.New[ledger.Account](), Quantity: dec("1")}), billing.ErrAccountUnknown, "lines[0].account_id"},
		"501 lines":                   {with(slices.Repeat([]billing.InvoiceLineInput{line("a", "1", "1")}, 501)...), tax.ErrTooManyLines, "lines"},
	}
}

func TestDraftAndReviseRefuseBadInput(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "23", false)
	customer := b.customer("Mara").ID
	b.draft(billing.InvoiceInput{CustomerID: customer, ExternalID: "i-1"})
	draft := b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "10", "VAT")}})
	for name, c := range badInvoices(customer) {
		t.Run(name, func(t *testing.T) {
			b := books{t, b.org}
			b.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.DraftInvoice(ctx, tx, c.in)
				return err
			})
			b.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.ReviseInvoice(ctx, tx, draft.ID, draft.Version, c.in)
				return err
			})
		})
	}
	t.Run("all that is wrong at once", func(t *testing.T) {
		err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{Note: "\x00", IssueDate: day("2026-02-01"), DueDate: day("2026-01-01"),
				Lines: []billing.InvoiceLineInput{line("", "-1", "1", "nothing")}})
			return err
		})
		for field, want := range map[string]*fault.Error{"note": text.ErrInvalid, "customer_id": billing.ErrCustomerUnknown,
			"due_date": billing.ErrDueBeforeIssue, "lines[0].description": text.ErrMissing, "lines[0].quantity": tax.ErrQuantityNegative,
			"lines[0].taxes[0]": billing.ErrTaxUnknown} {
			checkFault(t, err, want, field)
		}
	})
}

func TestReviseInvoice(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "20", false)
	mara, noor := b.customer("Mara").ID, b.customer("Noor").ID
	draft := b.draft(billing.InvoiceInput{CustomerID: mara, Lines: []billing.InvoiceLineInput{line("a", "1", "10", "VAT"), line("b", "1", "20", "VAT")}})
	var revised billing.Invoice
	in := billing.InvoiceInput{CustomerID: noor, Lines: []billing.InvoiceLineInput{line("c", "3", "5", "VAT")}}
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		revised, err = billing.ReviseInvoice(ctx, tx, draft.ID, draft.Version, in)
		return err
	})
	if got := figures(revised); got != "1 15.00 VAT(15.00)=3.00; 15.00 + 3.00 = 18.00" || revised.Customer.ID != noor {
		t.Errorf("revised to %s for %s", got, revised.Customer.Name)
	}
	for _, refused := range []struct {
		want    *fault.Error
		invoice billing.InvoiceID
	}{{billing.ErrInvoiceChanged, draft.ID}, {billing.ErrInvoiceNotFound, id.New[billing.Invoice]()}} {
		for _, fn := range []func(ctx context.Context, tx *tenant.Tx) error{
			func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.ReviseInvoice(ctx, tx, refused.invoice, draft.Version, in)
				return err
			},
			func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.IssueInvoice(ctx, tx, refused.invoice, draft.Version)
				return err
			},
			func(ctx context.Context, tx *tenant.Tx) error {
				return billing.DiscardInvoice(ctx, tx, refused.invoice, draft.Version)
			},
		} {
			b.refuses(refused.want, "", fn)
		}
	}
}

type posted struct {
	Code    string `db:"code"`
	Purpose string `db:"purpose"`
	Party   string `db:"party"`
	Amount  int64  `db:"amount"`
	Memo    string `db:"memo"`
}

func (b books) posted(entry ledger.EntryID) (date string, lines []posted) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		if err := tx.Get(ctx, &date, `SELECT date::text FROM journal_entry WHERE id = $1`, entry); err != nil {
			return err
		}
		return tx.Select(ctx, &lines, `
			SELECT a.code, coalesce(a.purpose, '') AS purpose, coalesce(p.name, '') AS party, l.amount, l.memo
			  FROM journal_line l JOIN account a ON a.id = l.account_id LEFT JOIN party p ON p.id = l.party_id
			 WHERE l.entry_id = $1 ORDER BY l.line`, entry)
	})
	return date, lines
}

func TestIssueInvoicePostsABalancedEntry(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("GST", "5", false)
	b.rate("QST", "9.975", true)
	other := b.plainAccount("income")
	elsewhere := line("Royalties", "1", "7.77", "GST")
	elsewhere.AccountID = other
	free := line("Free", "1", "0", "GST")
	draft := b.draft(billing.InvoiceInput{CustomerID: b.customer("Mara").ID, IssueDate: day("2026-03-31"),
		Lines: []billing.InvoiceLineInput{line("Design", "2", "90", "GST", "QST"), elsewhere, line("Travel", "1", "16.67"), free}})
	inv := b.issue(draft.ID)
	if inv.State != billing.Issued || inv.Number != "INV-0001" || inv.EntryNumber != 1 || inv.IssuedAt.IsZero() {
		t.Errorf("issued as %+v, entry %d", inv.InvoiceHead, inv.EntryNumber)
	}
	if figures(inv) != figures(draft) {
		t.Errorf("issued as %s, drafted as %s", figures(inv), figures(draft))
	}
	checkSums(t, inv)
	date, lines := b.posted(inv.Entry)
	if date != "2026-03-31" || len(lines) != 5 {
		t.Fatalf("posted on %s: %+v", date, lines)
	}
	if got := lines[0]; got.Purpose != "receivable" || got.Party != "Mara" || got.Amount != inv.Total.Minor {
		t.Errorf("owed is %+v, the invoice's total %s", got, inv.Total)
	}
	if got := lines[1]; got.Purpose != "income" || got.Amount != -19667 {
		t.Errorf("income is %+v", got)
	}
	if got := lines[2]; got.Purpose == "income" || got.Amount != -777 {
		t.Errorf("the other income is %+v", got)
	}
	if gst, qst := lines[3], lines[4]; gst.Purpose != "tax" || gst.Amount != -939 || gst.Memo != "GST tax" || qst.Amount != -1885 {
		t.Errorf("taxes are %+v and %+v", gst, qst)
	}
	var sum int64
	for _, l := range lines {
		sum += l.Amount
	}
	if sum != 0 {
		t.Errorf("the entry is off by %d", sum)
	}
}

// What has left the house still says whom it was sent to, whatever becomes of the customer.
func TestIssuedInvoiceKeepsWhomItWasBilledTo(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara Lindqvist")
	issued, draft := b.issued(customer.ID, "10"), b.draft(billing.InvoiceInput{CustomerID: customer.ID})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ChangeCustomer(ctx, tx, customer.ID, 0, billing.CustomerInput{Name: "Mara Berg", Street: "1 New Road",
			PostalCode: "111 22", Country: "SE", TaxNumber: "SE999"})
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		was, err := billing.InvoiceByID(ctx, tx, issued.ID)
		if err == nil && (was.Customer.Name != "Mara Lindqvist" || was.Customer.Street != customer.Street || was.Customer.PostalCode != "" || was.Customer.TaxNumber != "" || was.Customer.ID != customer.ID) {
			t.Errorf("it was billed to %+v", was.Customer)
		}
		now, failed := billing.InvoiceByID(ctx, tx, draft.ID)
		if failed == nil && now.Customer.Name != "Mara Berg" {
			t.Errorf("the draft is for %+v", now.Customer)
		}
		return errors.Join(err, failed)
	})
}

func TestIssueInvoice(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	issue := func(invoice billing.InvoiceID) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.IssueInvoice(ctx, tx, invoice, 0)
			return err
		}
	}
	empty := b.draft(billing.InvoiceInput{CustomerID: customer})
	b.refuses(billing.ErrNoLines, "", issue(empty.ID))
	first := b.issued(customer, "10")
	b.refuses(billing.ErrNotDraft, "", issue(first.ID))

	gift := line("Gift", "1", "10")
	gift.DiscountPercent = dec("100")
	free := b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{gift}}).ID)
	if free.Number != "INV-0002" || !free.Entry.IsZero() || free.Standing(free.Today) != billing.StandingPaid {
		t.Errorf("an invoice over nothing is %s, %s, with entry %v", free.Number, free.Standing(free.Today), free.Entry)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE settings SET books_closed_through = '2025-12-31'`)
		return err
	})
	late := b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, IssueDate: day("2025-12-30"),
		Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}}).ID)
	if date, _ := b.posted(late.Entry); date != "2026-01-01" || late.IssueDate != day("2025-12-30") {
		t.Errorf("an invoice of a closed period is dated %s and posted on %s", late.IssueDate, date)
	}
}

func TestDiscardInvoiceLeavesNoGap(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "20", false)
	customer := b.customer("Mara").ID
	first := b.issued(customer, "1")
	draft := b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "10", "VAT")}})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return billing.DiscardInvoice(ctx, tx, draft.ID, draft.Version)
	})
	b.refuses(billing.ErrInvoiceNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.InvoiceByID(ctx, tx, draft.ID)
		return err
	})
	// A number that was taken by a transaction which then failed is given again.
	failed := b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}})
	b.refuses(billing.ErrNotIssued, "", func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := billing.IssueInvoice(ctx, tx, failed.ID, 0); err != nil {
			return err
		}
		return billing.ErrNotIssued
	})
	second := b.issued(customer, "1")
	if first.Number != "INV-0001" || second.Number != "INV-0002" || second.EntryNumber != 2 {
		t.Errorf("numbers are %s, %s and entry %d", first.Number, second.Number, second.EntryNumber)
	}
}

// together runs n calls at once and gives their errors.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	return errs
}

func TestIssueInvoiceGaplessUnderConcurrency(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	const n = 200
	drafts := make([]billing.InvoiceID, n)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		for i := range drafts {
			inv, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}})
			if err != nil {
				return err
			}
			drafts[i] = inv.ID
		}
		return nil
	})
	numbers, entries := make([]string, n), make([]int64, n)
	for i, err := range together(n, func(i int) error {
		return b.try(func(ctx context.Context, tx *tenant.Tx) error {
			inv, err := billing.IssueInvoice(ctx, tx, drafts[i], 1)
			numbers[i], entries[i] = inv.Number, inv.EntryNumber
			return err
		})
	}) {
		if err != nil {
			t.Fatalf("invoice %d: %v", i, err)
		}
	}
	slices.Sort(numbers)
	slices.Sort(entries)
	for i := range n {
		if want := fmt.Sprintf("INV-%04d", i+1); numbers[i] != want || entries[i] != int64(i+1) {
			t.Fatalf("at %d: number %s, entry %d, want %s", i, numbers[i], entries[i], want)
		}
	}
}

func TestIssueInvoiceOnce(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	draft := b.draft(billing.InvoiceInput{CustomerID: b.customer("Mara").ID, Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}})
	issued := 0
	for _, err := range together(6, func(int) error {
		return b.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.IssueInvoice(ctx, tx, draft.ID, 0)
			return err
		})
	}) {
		if err == nil {
			issued++
			continue
		}
		checkFault(t, err, billing.ErrNotDraft, "")
	}
	if issued != 1 {
		t.Errorf("issued %d times", issued)
	}
}

func TestIssuedInvoiceDoesNotChange(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "20", false)
	customer := b.customer("Mara").ID
	inv := b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "10", "VAT")}}).ID)
	b.refuses(billing.ErrNotDraft, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ReviseInvoice(ctx, tx, inv.ID, 0, billing.InvoiceInput{CustomerID: customer})
		return err
	})
	b.refuses(billing.ErrNotDraft, "", func(ctx context.Context, tx *tenant.Tx) error {
		return billing.DiscardInvoice(ctx, tx, inv.ID, 0)
	})
	for name, write := range map[string]func(ctx context.Context, tx *tenant.Tx) (int64, error){
		"another total": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `UPDATE document SET total = total + 1, net = net + 1 WHERE id = $1`, inv.ID)
		},
		"another number": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `UPDATE document SET number = 'INV-9' WHERE id = $1`, inv.ID)
		},
		"a draft again": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `UPDATE document SET state = 'draft', number = NULL, issued_at = NULL, entry_id = NULL WHERE id = $1`, inv.ID)
		},
		"gone": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `DELETE FROM document WHERE id = $1`, inv.ID)
		},
		"without its lines": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `DELETE FROM document_line WHERE document_id = $1`, inv.ID)
		},
		"without its taxes": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `DELETE FROM document_tax WHERE document_id = $1`, inv.ID)
		},
		"another line's price": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `UPDATE document_line SET unit_price = 1 WHERE document_id = $1`, inv.ID)
		},
		"one line more": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `INSERT INTO document_line SELECT document_id, 2, product_id, description, quantity, unit_price,
				discount_percent, account_id, net FROM document_line WHERE document_id = $1`, inv.ID)
		},
		"settled beyond its total": func(ctx context.Context, tx *tenant.Tx) (int64, error) {
			return tx.Exec(ctx, `UPDATE document SET settled = total + 1 WHERE id = $1`, inv.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := b.footprint()
			err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
				n, err := write(ctx, tx)
				if err == nil {
					t.Errorf("%d rows were touched", n)
				}
				return err
			})
			if state := tenant.SQLState(err); state != "LG006" && state != "42501" && state != "23514" {
				t.Errorf("error %v with state %q", err, state)
			}
			if b.footprint() != before {
				t.Error("something is left behind")
			}
		})
	}
}

// standings are one invoice of each standing, and two that are overdue.
type standings struct {
	draft, open, paid, part, older, oldest billing.Invoice
	mara                                   billing.CustomerID // of draft, open and oldest
}

func (b books) standings() (s standings) {
	b.Helper()
	mara, noor := b.customer("Мара").ID, b.customer("Noor").ID
	s.mara = mara
	lines := []billing.InvoiceLineInput{line("Work", "1", "10")}
	s.draft = b.draft(billing.InvoiceInput{CustomerID: mara, Reference: "Blue door", Lines: lines})
	s.open = b.issued(mara, "10")
	s.paid = b.issued(noor, "10")
	s.part = b.issued(noor, "10")
	s.older = b.issue(b.draft(billing.InvoiceInput{CustomerID: noor, IssueDate: day("2026-01-01"), DueDate: day("2026-01-15"), Lines: lines}).ID)
	s.oldest = b.issue(b.draft(billing.InvoiceInput{CustomerID: mara, IssueDate: day("2025-01-01"), DueDate: day("2025-01-15"), Lines: lines}).ID)
	for _, p := range []struct {
		invoice billing.Invoice
		euros   string
	}{{s.paid, "10.00"}, {s.part, "4.00"}, {s.oldest, "4.00"}} {
		if _, err := b.pay(billing.PaymentInput{InvoiceID: p.invoice.ID, Amount: amount(p.euros, eur), Method: billing.Cash}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func TestInvoicesByStanding(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	s := b.standings()
	draft, open, paid, part, older, oldest, mara := s.draft, s.open, s.paid, s.part, s.older, s.oldest, s.mara
	for _, c := range []struct {
		name   string
		filter billing.InvoiceFilter
		want   []billing.Invoice
	}{
		{"all, the newest first", billing.InvoiceFilter{}, []billing.Invoice{oldest, older, part, paid, open, draft}},
		{"drafts", billing.InvoiceFilter{Standing: billing.StandingDraft}, []billing.Invoice{draft}},
		{"open", billing.InvoiceFilter{Standing: billing.StandingOpen}, []billing.Invoice{open}},
		{"part paid", billing.InvoiceFilter{Standing: billing.StandingPartPaid}, []billing.Invoice{part}},
		{"overdue", billing.InvoiceFilter{Standing: billing.StandingOverdue}, []billing.Invoice{oldest, older}},
		{"paid", billing.InvoiceFilter{Standing: billing.StandingPaid}, []billing.Invoice{paid}},
		{"of one customer", billing.InvoiceFilter{CustomerID: mara}, []billing.Invoice{oldest, open, draft}},
		{"by the customer's name", billing.InvoiceFilter{Search: "мАРА"}, []billing.Invoice{oldest, open, draft}},
		{"by reference", billing.InvoiceFilter{Search: "blue"}, []billing.Invoice{draft}},
		{"by number", billing.InvoiceFilter{Search: part.Number}, []billing.Invoice{part}},
		{"by date", billing.InvoiceFilter{From: day("2025-01-01"), To: day("2026-01-01")}, []billing.Invoice{oldest, older}},
	} {
		t.Run(c.name, func(t *testing.T) {
			books{t, b.org}.do(func(ctx context.Context, tx *tenant.Tx) error {
				page, err := billing.Invoices(ctx, tx, c.filter, cursor.Query{})
				if err != nil {
					return err
				}
				checkHeads(t, page.Items, c.want)
				for _, h := range page.Items {
					if s := h.Standing(h.Today); c.filter.Standing != "" && s != c.filter.Standing {
						t.Errorf("%s stands %s", h.Number, s)
					}
				}
				return nil
			})
		})
	}
	b.refuses(billing.ErrStandingUnknown, "standing", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.Invoices(ctx, tx, billing.InvoiceFilter{Standing: "late"}, cursor.Query{})
		return err
	})
}

func TestInvoiceCountsAndOverdue(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	all := b.standings()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		overdue, err := billing.Overdue(ctx, tx, 10)
		if err != nil {
			return err
		}
		checkHeads(t, overdue, []billing.Invoice{all.oldest, all.older})
		counts, err := billing.InvoiceCounts(ctx, tx)
		for standing, want := range map[billing.Standing]int{billing.StandingDraft: 1, billing.StandingOpen: 1,
			billing.StandingPartPaid: 1, billing.StandingOverdue: 2, billing.StandingPaid: 1} {
			if counts[standing] != want {
				t.Errorf("%d stand %s, want %d", counts[standing], standing, want)
			}
		}
		return err
	})
}

func checkHeads(t *testing.T, got []billing.InvoiceHead, want []billing.Invoice) {
	t.Helper()
	same := len(got) == len(want)
	for i := range got {
		same = same && got[i].ID == want[i].ID && got[i].Customer.Name == want[i].Customer.Name
	}
	if !same {
		t.Errorf("listed are %+v", got)
	}
}

func TestInvoicesPages(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	var all []billing.Invoice
	for range 5 {
		all = append([]billing.Invoice{b.draft(billing.InvoiceInput{CustomerID: customer})}, all...)
	}
	page := func(q cursor.Query) (p cursor.Page[billing.InvoiceHead]) {
		b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			p, err = billing.Invoices(ctx, tx, billing.InvoiceFilter{}, q)
			return err
		})
		return p
	}
	first := page(cursor.Query{Limit: 2})
	checkHeads(t, first.Items, all[:2])
	last := page(cursor.Query{Limit: 3, After: first.Items[1].ID.UUID})
	checkHeads(t, last.Items, all[2:])
	back := page(cursor.Query{Limit: 2, Before: last.Items[1].ID.UUID})
	checkHeads(t, back.Items, all[1:3])
	if !first.HasMore || last.HasMore || !back.HasMore {
		t.Errorf("more: %v %v %v", first.HasMore, last.HasMore, back.HasMore)
	}
}

// Kiritimati and Pago Pago are 25 hours apart: it is never the same day in both.
func TestDatesAreTheOrganizations(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		b := openBooksWith(t, billing.Opening{Name: "Far away", Currency: usd, Country: "US", TimeZone: zone})
		inv := b.issue(b.draft(billing.InvoiceInput{CustomerID: b.customer("Mara").ID, DueDate: inZone(zone),
			Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}}).ID)
		if inv.IssueDate != inZone(zone) || inv.Standing(inv.Today) != billing.StandingOpen {
			t.Errorf("in %s an invoice is dated %s and stands %s", zone, inv.IssueDate, inv.Standing(inv.Today))
		}
		if s := inv.Standing(inv.Today.AddDays(1)); s != billing.StandingOverdue {
			t.Errorf("the day after it was due it stands %s", s)
		}
	}
}

func TestMoneyIsRoundedWhereTheSettingsSay(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT", "19", false)
	in := billing.InvoiceInput{CustomerID: b.customer("Mara").ID,
		Lines: slices.Repeat([]billing.InvoiceLineInput{line("Work", "1", "0.03", "VAT")}, 3)}
	if inv := b.draft(in); inv.Tax != amount("0.03", eur) { // 3 × 0.0057, each rounded
		t.Errorf("per line the tax is %s", inv.Tax)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE settings SET tax_rounding = 'document'`)
		return err
	})
	inv := b.draft(in)
	if inv.Tax != amount("0.02", eur) {
		t.Errorf("per document the tax is %s", inv.Tax)
	}
	checkSums(t, inv)
	if _, lines := b.posted(b.issue(inv.ID).Entry); lines[2].Amount != -2 {
		t.Errorf("posted are %+v", lines)
	}
}

func TestAnotherOrganizationsInvoiceIsUnknown(t *testing.T) {
	t.Parallel()
	other := openBooks(t)
	theirs := other.issued(other.customer("Theirs").ID, "10")
	openBooks(t).refuses(billing.ErrInvoiceNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: theirs.ID, Amount: amount("1.00", eur), Method: billing.Cash})
		return err
	})
}
