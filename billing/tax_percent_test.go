package billing_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

func (b books) addRate(in tax.RateInput) tax.OwnRate {
	b.Helper()
	var r tax.OwnRate
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		r, err = tax.AddRate(ctx, tx, in)
		return err
	})
	return r
}

func (b books) changePercent(r tax.OwnRate, percent, since string) tax.OwnRate {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		r, err = tax.ChangeRate(ctx, tx, r.ID, 0, tax.RateInput{Code: r.Code, Name: r.Name, Percent: dec(percent), Since: day(since)})
		return err
	})
	return r
}

// taxesOn writes the taxes on a net amount on a day: "GST 5.00 QST 9.97".
func (b books) taxesOn(issue, net string, currency money.Currency, codes ...string) (string, error) {
	var told []string
	err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
		result, err := billing.PreviewInvoice(ctx, tx, billing.InvoiceInput{IssueDate: day(issue), Currency: currency,
			Lines: []billing.InvoiceLineInput{line("Work", "1", net, codes...)}})
		for _, r := range result.Rates {
			told = append(told, r.Rate.Code+" "+r.Amount.String())
		}
		return err
	})
	return strings.Join(told, " "), err
}

func TestPercentIsThatOfTheIssueDate(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	c := b.customer("Hugh")
	vat := b.changePercent(b.rate("VAT", "19", false), "21", "2020-01-01")
	vat = b.changePercent(vat, "22", "2099-01-01")
	if !vat.Percent.Equal(dec("21")) || !vat.First.Equal(dec("19")) || len(vat.Percents) != 2 {
		t.Errorf("the rate is %+v", vat)
	}
	in := billing.InvoiceInput{CustomerID: c.ID, IssueDate: day("2019-12-31"), DueDate: day("2020-03-01"), Lines: []billing.InvoiceLineInput{line("Work", "1", "100", "VAT")}}
	old := b.draft(in)
	if old.Tax != amount("19.00", eur) {
		t.Errorf("before the change: %s", old.Tax)
	}
	in.IssueDate = day("2020-01-01")
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		revised, err := billing.ReviseInvoice(ctx, tx, old.ID, 0, in)
		if err == nil && (revised.Tax != amount("21.00", eur) || !revised.Lines[0].Taxes[0].Percent.Equal(dec("21"))) {
			t.Errorf("dated on the day of the change: %+v", revised.Lines)
		}
		return err
	})
	if today := b.draft(billing.InvoiceInput{CustomerID: c.ID, Lines: in.Lines}); today.Tax != amount("21.00", eur) {
		t.Errorf("today: %s", today.Tax)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		r, err := tax.DropPercent(ctx, tx, vat.ID, vat.Version, day("2020-01-01"))
		if err == nil && (!r.Percent.Equal(dec("19")) || r.Version == vat.Version) {
			t.Errorf("after taking 21 %% back: %+v", r)
		}
		return err
	})
	b.refuses(tax.ErrPercentNotFound, "since", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.DropPercent(ctx, tx, vat.ID, 0, day("2020-01-02"))
		return err
	})
}

func TestDraftWithAnOldPercentIsNotIssued(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	vat := b.rate("VAT", "19", false)
	in := billing.InvoiceInput{CustomerID: b.customer("Hugh").ID, IssueDate: day("2021-05-05"), DueDate: day("2021-06-05"), Lines: []billing.InvoiceLineInput{line("Work", "1", "100", "VAT")}}
	draft, other := b.draft(in), b.draft(in)
	b.changePercent(vat, "20", "2021-05-06")
	if issued := b.issue(other.ID); issued.Tax != amount("19.00", eur) {
		t.Errorf("issued on the day before the change: %s", issued.Tax)
	}
	b.changePercent(vat, "20", "2021-05-05")
	b.refuses(billing.ErrPercentChanged, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.IssueInvoice(ctx, tx, draft.ID, 0)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ReviseInvoice(ctx, tx, draft.ID, 0, in)
		return err
	})
	if issued := b.issue(draft.ID); issued.Tax != amount("20.00", eur) {
		t.Errorf("saved again, it has %s tax", issued.Tax)
	}
}

func TestTaxGroup(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	gst := b.rate("GST", "5", false)
	b.rate("QST", "9.975", false)
	b.rate("OLD", "9.5", true)
	group := b.addRate(tax.RateInput{Code: "QC", Name: "GST and QST", Kind: tax.Group, Rates: []string{"GST", "QST"}})
	b.addRate(tax.RateInput{Code: "QC2012", Name: "GST and old QST", Kind: tax.Group, Rates: []string{"GST", "OLD"}})
	cad := money.MustCurrency("CAD")
	for codes, want := range map[string]string{
		"QC":     "GST 5.00 QST 9.97", // 99.99 × 5 % = 4.9995; × 9.975 % = 9.97400
		"QC2012": "GST 5.00 OLD 9.97", // (99.99 + 5.00) × 9.5 % = 9.97405
	} {
		if got, err := b.taxesOn("2026-01-05", "99.99", cad, codes); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", codes, got, err, want)
		}
	}
	if _, err := b.taxesOn("2026-01-05", "99.99", cad, "QC", "GST"); !errors.Is(err, tax.ErrRateTwice) {
		t.Errorf("a group and one of its rates: %v", err)
	}
	b.refuses(tax.ErrRateInGroup, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.ArchiveRate(ctx, tx, gst.ID, 0)
		return err
	})
	for name, c := range map[string]struct {
		in    tax.RateInput
		want  *fault.Error
		field string
	}{
		"of none":              {tax.RateInput{Code: "a", Name: "a", Kind: tax.Group}, tax.ErrGroupRates, "rates"},
		"of one twice":         {tax.RateInput{Code: "a", Name: "a", Kind: tax.Group, Rates: []string{"GST", "QST", "GST"}}, tax.ErrGroupRates, "rates"},
		"of an unknown one":    {tax.RateInput{Code: "a", Name: "a", Kind: tax.Group, Rates: []string{"GST", "nothing"}}, tax.ErrGroupRates, "rates"},
		"of a group":           {tax.RateInput{Code: "a", Name: "a", Kind: tax.Group, Rates: []string{"QC"}}, tax.ErrGroupRates, "rates"},
		"with a percent":       {tax.RateInput{Code: "a", Name: "a", Kind: tax.Group, Percent: dec("1"), Rates: []string{"GST"}}, tax.ErrKindPercent, "percent"},
		"a rate with rates":    {tax.RateInput{Code: "a", Name: "a", Rates: []string{"GST"}}, tax.ErrRatesWithout, "rates"},
		"with a rate's code":   {tax.RateInput{Code: "GST", Name: "a", Kind: tax.Group, Rates: []string{"GST"}}, tax.ErrRateCodeTaken, "code"},
		"exempt for no reason": {tax.RateInput{Code: "a", Name: "a", Kind: tax.Exempt}, tax.ErrReasonMissing, "reason"},
		"zero with a percent":  {tax.RateInput{Code: "a", Name: "a", Kind: tax.Zero, Percent: dec("1")}, tax.ErrKindPercent, "percent"},
		"of no kind there is":  {tax.RateInput{Code: "a", Name: "a", Kind: "gst"}, tax.ErrKindUnknown, "kind"},
	} {
		t.Run(name, func(t *testing.T) {
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := tax.AddRate(ctx, tx, c.in)
				return err
			})
		})
	}
	change := tax.RateInput{Code: "QC", Name: "QST and GST", Rates: []string{"QST", "GST"}}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		changed, err := tax.ChangeRate(ctx, tx, group.ID, group.Version, change)
		if err == nil && !slices.Equal(changed.MemberCodes(), []string{"QST", "GST"}) {
			t.Errorf("the group is of %v", changed.MemberCodes())
		}
		return err
	})
	change.Kind, change.Rates = tax.Standard, nil
	b.refuses(tax.ErrKindFixed, "kind", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.ChangeRate(ctx, tx, group.ID, 0, change)
		return err
	})
}

func TestNoTaxIsDueForAReason(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.addRate(tax.RateInput{Code: "RC", Name: "VAT reverse charge", Kind: tax.ReverseCharge, Registration: "PT509442118"})
	b.addRate(tax.RateInput{Code: "EX", Name: "Teaching 0 %", Kind: tax.Exempt, Reason: "Exempt under Article 132 of Directive 2006/112/EC"})
	b.addRate(tax.RateInput{Code: "VAT", Name: "VAT 23 %", Percent: dec("23"), Registration: "PT509442118"})
	c := b.customer("Hugh")
	draft := b.draft(billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{
		line("Mixing", "1", "100", "RC"), line("Course", "1", "50", "EX"), line("Course again", "1", "50", "EX"), line("Disc", "1", "10", "VAT")}})
	b.refuses(billing.ErrNoTaxNumber, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.IssueInvoice(ctx, tx, draft.ID, 0)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ChangeCustomer(ctx, tx, c.ID, 0, billing.CustomerInput{Name: "Hugh", TaxNumber: "DE811569869"})
		return err
	})
	invoice := b.issue(draft.ID)
	if invoice.Tax != amount("2.30", eur) || invoice.Total != amount("212.30", eur) {
		t.Errorf("tax %s, total %s", invoice.Tax, invoice.Total)
	}
	paper := billing.Paper(invoice, billing.Settings{Country: "PT", TaxNumber: "1"})
	if want := []string{"Reverse charge", "Exempt under Article 132 of Directive 2006/112/EC"}; !slices.Equal(paper.Remarks, want) {
		t.Errorf("remarks %q", paper.Remarks)
	}
	if n := paper.Customer.Numbers; len(n) != 1 || n[0].Value != "DE811569869" {
		t.Errorf("the customer's numbers %+v", n)
	}
	if n := paper.Issuer.Numbers; len(n) != 2 || n[1].Value != "PT509442118" || n[1].Label != "VAT reverse charge" {
		t.Errorf("numbers %+v", n)
	}
	if n := billing.Paper(invoice, billing.Settings{Country: "PT", TaxNumber: "PT509442118"}).Issuer.Numbers; len(n) != 1 {
		t.Errorf("the same number stands twice: %+v", n)
	}
}

// Each country's tax on 249.90, worked by hand, at what the list says of the day.
func TestReadyTaxes(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for _, list := range tax.ReadyLists() {
		for _, item := range list.Items {
			b.do(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := tax.AddReady(ctx, tx, item.Key)
				return err
			})
		}
	}
	b.refuses(tax.ErrReadyNotFound, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tax.AddReady(ctx, tx, "eu-xx")
		return err
	})
	before := b.footprint()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		added, err := tax.AddReady(ctx, tx, "ca-qc")
		if len(added) != 0 {
			t.Errorf("added again: %v", added)
		}
		return err
	})
	if b.footprint() != before {
		t.Error("adding what is there leaves something behind")
	}
	for _, c := range []struct{ code, day, want string }{
		{"VAT-AT", "2026-01-05", "49.98"}, // 249.90 × 20 %
		{"VAT-BE", "2026-01-05", "52.48"}, // × 21 % = 52.479
		{"VAT-BG", "2026-01-05", "49.98"},
		{"VAT-HR", "2026-01-05", "62.48"}, // × 25 % = 62.475
		{"VAT-CY", "2026-01-05", "47.48"}, // × 19 % = 47.481
		{"VAT-CZ", "2026-01-05", "52.48"},
		{"VAT-DK", "2026-01-05", "62.48"},
		{"VAT-EE", "2025-06-30", "54.98"}, // × 22 % = 54.978
		{"VAT-EE", "2025-07-01", "59.98"}, // × 24 % = 59.976
		{"VAT-FI", "2024-08-31", "59.98"},
		{"VAT-FI", "2024-09-01", "63.72"}, // × 25.5 % = 63.7245
		{"VAT-FR", "2026-01-05", "49.98"},
		{"VAT-DE", "2026-01-05", "47.48"},
		{"VAT-GR", "2026-01-05", "59.98"},
		{"VAT-HU", "2026-01-05", "67.47"}, // × 27 % = 67.473
		{"VAT-IE", "2026-01-05", "57.48"}, // × 23 % = 57.477
		{"VAT-IT", "2026-01-05", "54.98"},
		{"VAT-LV", "2026-01-05", "52.48"},
		{"VAT-LT", "2026-01-05", "52.48"},
		{"VAT-LU", "2026-01-05", "42.48"}, // × 17 % = 42.483
		{"VAT-MT", "2026-01-05", "44.98"}, // × 18 % = 44.982
		{"VAT-NL", "2026-01-05", "52.48"},
		{"VAT-PL", "2026-01-05", "57.48"},
		{"VAT-PT", "2026-01-05", "57.48"},
		{"VAT-RO", "2025-07-31", "47.48"},
		{"VAT-RO", "2025-08-01", "52.48"},
		{"VAT-SK", "2024-12-31", "49.98"},
		{"VAT-SK", "2025-01-01", "57.48"},
		{"VAT-SI", "2026-01-05", "54.98"},
		{"VAT-ES", "2026-01-05", "52.48"},
		{"VAT-SE", "2026-01-05", "62.48"},
		{"EU-RC", "2026-01-05", "0.00"},
		{"EU-EXPORT", "2026-01-05", "0.00"},
		{"GST", "2026-01-05", "12.50"},              // Alberta, the territories: × 5 % = 12.495
		{"GST+PST-BC", "2026-01-05", "12.50 17.49"}, // × 7 % = 17.493
		{"GST+RST-MB", "2026-01-05", "12.50 17.49"},
		{"HST-NB", "2026-01-05", "37.49"}, // × 15 % = 37.485
		{"HST-NL", "2026-01-05", "37.49"},
		{"HST-NS", "2025-03-31", "37.49"},
		{"HST-NS", "2025-04-01", "34.99"}, // × 14 % = 34.986
		{"HST-ON", "2026-01-05", "32.49"}, // × 13 % = 32.487
		{"HST-PE", "2026-01-05", "37.49"},
		{"GST+QST", "2026-01-05", "12.50 24.93"},    // × 9.975 % = 24.927525
		{"GST+PST-SK", "2026-01-05", "12.50 14.99"}, // × 6 % = 14.994
	} {
		got, err := b.taxesOn(c.day, "249.90", eur, c.code)
		words := strings.Fields(got)
		var amounts []string
		for i := 1; i < len(words); i += 2 {
			amounts = append(amounts, words[i])
		}
		if err != nil || strings.Join(amounts, " ") != c.want {
			t.Errorf("%s on %s: %q %v, want %s", c.code, c.day, got, err, c.want)
		}
	}
}
