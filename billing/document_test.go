package billing_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

// Two lines, 100.00 and 50.00, with 23 % in their prices, and 10 % off the whole: 15.00 off, 10.00 and 5.00 by line.
// What is left is 90.00 and 45.00 with tax; the tax in them is 90 x 23/123 = 16.829 and 45 x 23/123 = 8.4146, so that
// 73.17 + 16.83 and 36.59 + 8.41 stand on the lines.
func TestDraftWithTaxInPricesAndDiscountOnTheWhole(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("VAT23", "23", false)
	in := billing.InvoiceInput{CustomerID: b.customer("Mara").ID, PurchaseOrder: " 4500-17 ", PricesWithTax: true, DiscountPercent: dec("10"),
		Lines: []billing.InvoiceLineInput{line("Design", "1", "100", "VAT23"), line("Print", "2", "25", "VAT23")}}
	inv := b.issue(b.draft(in).ID)
	checkSums(t, inv)
	const want = "1 73.17 VAT23(73.17)=16.83; 2 36.59 VAT23(36.59)=8.41; 109.76 + 25.24 = 135.00"
	if got := figures(inv); got != want {
		t.Errorf("worked out\n%s, want\n%s", got, want)
	}
	if inv.PurchaseOrder != "4500-17" || inv.Discount != amount("15.00", eur) || !inv.PricesWithTax || !inv.DiscountPercent.Equal(dec("10")) {
		t.Errorf("kept %q, %s off, %v", inv.PurchaseOrder, inv.Discount, inv.PricesWithTax)
	}
	if all := inv.Amounts(); all[0] != amount("100.00", eur) || all[1] != amount("50.00", eur) {
		t.Errorf("the lines show %v", all)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		e, err := ledger.EntryByID(ctx, tx, inv.Entry)
		var sums []string
		for _, l := range e.Lines {
			sums = append(sums, l.Amount.String())
		}
		if got := strings.Join(sums, " "); got != "135.00 -109.76 -25.24" {
			t.Errorf("posted %s", got)
		}
		return err
	})
}

// 20.00 off 30.00 and 10.01, in proportion 14.998 and 5.002: 15.00 and 5.00, and 5 % of what is left.
func TestDraftWithAnAmountOffTheWhole(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate("GST", "5", false)
	in := billing.InvoiceInput{CustomerID: b.customer("Mara").ID, Discount: dec("20"),
		Lines: []billing.InvoiceLineInput{line("One", "1", "30", "GST"), line("Two", "1", "10.01", "GST")}}
	inv := b.draft(in)
	checkSums(t, inv)
	if got := figures(inv); got != "1 15.00 GST(15.00)=0.75; 2 5.01 GST(5.01)=0.25; 20.01 + 1.00 = 21.01" {
		t.Error(got)
	}
	if !inv.DiscountAmount().Equal(dec("20")) || inv.Lines[0].DiscountShare != amount("15.00", eur) {
		t.Errorf("%s off, %s of it on the first line", inv.DiscountAmount(), inv.Lines[0].DiscountShare)
	}
	for name, refused := range map[string]struct {
		spoil func(*billing.InvoiceInput)
		want  error
	}{
		"more than the whole":     {func(in *billing.InvoiceInput) { in.Discount = dec("40.02") }, tax.ErrDiscountTooLarge},
		"both ways":               {func(in *billing.InvoiceInput) { in.DiscountPercent = dec("1") }, tax.ErrDiscountTwice},
		"a tenth of a cent":       {func(in *billing.InvoiceInput) { in.Discount = dec("0.001") }, money.ErrTooPrecise},
		"a language nobody reads": {func(in *billing.InvoiceInput) { in.Language = "tlh" }, locale.ErrLanguageUnknown},
	} {
		spoilt := in
		refused.spoil(&spoilt)
		field := "discount"
		if spoilt.Language != "" {
			field = "language"
		}
		t.Run(name, func(t *testing.T) {
			err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.DraftInvoice(ctx, tx, spoilt)
				return err
			})
			if !strings.Contains(fmt.Sprint(err), fmt.Sprint(refused.want)) {
				t.Errorf("error %v at %s, want %v", err, field, refused.want)
			}
		})
	}
}

// A document is in its customer's language and falls due by their terms, unless it says otherwise itself.
func TestDraftFollowsItsCustomer(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	days := 7
	var customer billing.Customer
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		customer, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Chloé", Language: "fr", TermsDays: &days, TaxNumber: "FR40303265045"})
		return err
	})
	theirs, own := b.draft(billing.InvoiceInput{CustomerID: customer.ID}), b.draft(billing.InvoiceInput{CustomerID: customer.ID, Language: locale.English, DueDate: inZone("Europe/Lisbon")})
	if theirs.Language != locale.French || theirs.IssueDate.DaysUntil(theirs.DueDate) != 7 {
		t.Errorf("in %s, due after %d days", theirs.Language, theirs.IssueDate.DaysUntil(theirs.DueDate))
	}
	if own.Language != locale.English || own.DueDate != own.IssueDate {
		t.Errorf("in %s, due %s", own.Language, own.DueDate)
	}
	paper := billing.Paper(theirs, billing.Settings{Country: "PT"})
	if paper.Language != locale.French || len(paper.Customer.Numbers) != 1 || paper.Customer.Numbers[0].Value != "FR40303265045" {
		t.Errorf("on paper in %s with %v", paper.Language, paper.Customer.Numbers)
	}
}

// Many at once get every number of the year once, and none is missing; a pattern that ran before is gone on with.
func TestNumbersByYearWithoutGaps(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.numbering("{YYYY}-{000}")
	customer := b.customer("Mara").ID
	const each = 100
	drafts := map[string][]billing.InvoiceID{}
	for range each {
		for _, on := range []string{"2025-12-31", "2026-01-01"} {
			drafts[on] = append(drafts[on], b.draft(billing.InvoiceInput{CustomerID: customer, IssueDate: day(on), Lines: []billing.InvoiceLineInput{line("Work", "1", "1")}}).ID)
		}
	}
	var wait sync.WaitGroup
	issued, gate := make(chan string, 2*each), make(chan struct{}, 16)
	for _, ids := range drafts {
		for n, invoice := range ids {
			wait.Go(func() {
				gate <- struct{}{}
				defer func() { <-gate }()
				err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
					inv, err := billing.IssueInvoice(ctx, tx, invoice, 0)
					if err == nil && n%10 == 3 {
						return context.Canceled // one of ten is taken back after it had its number
					}
					if err == nil {
						issued <- inv.Number
					}
					return err
				})
				if err != nil && n%10 != 3 {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	close(issued)
	seen := map[string]bool{}
	for number := range issued {
		if seen[number] {
			t.Errorf("%s twice", number)
		}
		seen[number] = true
	}
	for n := 1; n <= each*9/10; n++ {
		for _, year := range []string{"2025", "2026"} {
			if number := fmt.Sprintf("%s-%03d", year, n); !seen[number] {
				t.Errorf("%s is missing", number)
			}
		}
	}
	if len(seen) != 2*each*9/10 {
		t.Errorf("%d numbers", len(seen))
	}

	b.numbering("2026-{000}") // would give what the year's series has given already
	again := b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "1")}}).ID)
	if again.Number != "2026-091" {
		t.Errorf("gone on with %s", again.Number)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		found, err := billing.Invoices(ctx, tx, billing.InvoiceFilter{Search: "2026-091"}, cursor.Query{})
		if len(found.Items) != 1 {
			t.Errorf("%d have the number", len(found.Items))
		}
		return err
	})
}

// numbering changes how invoice numbers look and nothing else.
func (b books) numbering(template string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		s, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		in := settingsInput(s)
		in.InvoiceNumbering = template
		_, err = billing.ChangeSettings(ctx, tx, 0, in)
		return err
	})
}

func settingsInput(s billing.Settings) billing.SettingsInput {
	return billing.SettingsInput{Name: s.Name, TimeZone: s.TimeZone, Country: s.Country, InvoicePrefix: s.InvoicePrefix,
		PaymentTermsDays: s.PaymentTermsDays, TaxRounding: s.TaxRounding}
}

func TestNumberingInSettings(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	days := 400
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		was, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		for field, spoil := range map[string]func(in *billing.SettingsInput){
			"invoice_numbering":     func(in *billing.SettingsInput) { in.InvoiceNumbering = "INV-1{0000}" },
			"quote_numbering":       func(in *billing.SettingsInput) { in.QuoteNumbering = "{YYYY}" },
			"credit_note_numbering": func(in *billing.SettingsInput) { in.CreditNoteNumbering = "{MM}-{00}" },
			"quote_days":            func(in *billing.SettingsInput) { in.QuoteDays = &days },
		} {
			in := settingsInput(was)
			spoil(&in)
			want := billing.ErrNumbering
			if field == "quote_days" {
				want = billing.ErrQuoteDays
			}
			_, err := billing.ChangeSettings(ctx, tx, 0, in)
			checkFault(t, err, want, field)
		}
		return nil
	})
	b.issued(b.customer("Mara").ID, "1")
	b.numbering("A/{YY}/{MM}/{00}")
	b.numbering("") // leaves it
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		s, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		today := s.Today(tx)
		next, err := billing.NextNumbers(ctx, tx, s)
		if err != nil {
			return err
		}
		if want := fmt.Sprintf("A/%02d/%02d/01", today.Year()%100, today.Month()); next != (billing.Next{Invoice: want, Quote: "QUO-0001", CreditNote: "CN-0001"}) {
			t.Errorf("next are %+v, want %s", next, want)
		}
		in := settingsInput(s)
		in.InvoicePrefix = "R-" // a new prefix takes the pattern's place
		if s, err = billing.ChangeSettings(ctx, tx, 0, in); err == nil {
			next, err = billing.NextNumbers(ctx, tx, s)
		}
		if next.Invoice != "R-0002" {
			t.Errorf("with a prefix the next is %s", next.Invoice)
		}
		return err
	})
}
