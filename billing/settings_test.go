package billing_test

import (
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestCheckOpening(t *testing.T) {
	t.Parallel()
	good := billing.Opening{Name: "Tidewater Studios", Currency: eur, Country: "Portugal", TimeZone: "Europe/Lisbon"}
	if err := billing.CheckOpening(good); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		spoil func(*billing.Opening)
		want  *fault.Error
		field string
	}{
		"no name":                   {func(o *billing.Opening) { o.Name = " " }, text.ErrMissing, "name"},
		"no currency":               {func(o *billing.Opening) { o.Currency = money.Currency{} }, money.ErrUnknownCurrency, "currency"},
		"no country":                {func(o *billing.Opening) { o.Country = "" }, country.ErrUnknown, "country"},
		"no time zone":              {func(o *billing.Opening) { o.TimeZone = "" }, billing.ErrZoneUnknown, "time_zone"},
		"the machine's zone":        {func(o *billing.Opening) { o.TimeZone = "Local" }, billing.ErrZoneUnknown, "time_zone"},
		"a zone outside the folder": {func(o *billing.Opening) { o.TimeZone = "../../etc/passwd" }, billing.ErrZoneUnknown, "time_zone"},
		"a zone that is none":       {func(o *billing.Opening) { o.TimeZone = "Europe/Atlantis" }, billing.ErrZoneUnknown, "time_zone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := good
			c.spoil(&o)
			checkFault(t, billing.CheckOpening(o), c.want, c.field)
		})
	}
}

func TestOpenBooks(t *testing.T) {
	t.Parallel()
	b := openBooksWith(t, billing.Opening{Name: "Tidewater Studios", Currency: jpy, Country: "Japan", TimeZone: "Asia/Tokyo"})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		s, err := billing.LoadSettings(ctx, tx)
		if err == nil && (s.BaseCurrency != jpy || s.Country != "JP" || s.Zone().String() != "Asia/Tokyo" || s.InvoicePrefix != "INV-" ||
			s.PaymentTermsDays != 30 || s.TaxRounding != tax.RoundPerLine || !s.BooksClosedThrough.IsZero()) {
			t.Errorf("settings are %+v", s)
		}
		return err
	})
}

func TestChangeSettings(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	good := billing.SettingsInput{Name: "Tidewater & Daughters", TimeZone: "Asia/Tokyo", Country: "JP", Street: "1-1",
		City: "東京", Region: "関東", PostalCode: "100-0001", TaxNumber: "T123", InvoicePrefix: "2026/A-", PaymentTermsDays: 14,
		TaxRounding: tax.RoundPerDocument}
	change := func(version int, in billing.SettingsInput) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.ChangeSettings(ctx, tx, version, in)
			return err
		}
	}
	for name, c := range map[string]struct {
		spoil func(*billing.SettingsInput)
		want  *fault.Error
		field string
	}{
		"a prefix that ends in a digit": {func(in *billing.SettingsInput) { in.InvoicePrefix = "INV-1" }, billing.ErrPrefixMalformed, "invoice_prefix"},
		"a prefix with a space":         {func(in *billing.SettingsInput) { in.InvoicePrefix = "a b-" }, billing.ErrPrefixMalformed, "invoice_prefix"},
		"a prefix too long":             {func(in *billing.SettingsInput) { in.InvoicePrefix = "ABCDEFGHIJKL-" }, text.ErrTooLong, "invoice_prefix"},
		"terms of a year and more":      {func(in *billing.SettingsInput) { in.PaymentTermsDays = 366 }, billing.ErrTermsOutOfRange, "payment_terms_days"},
		"terms before the invoice":      {func(in *billing.SettingsInput) { in.PaymentTermsDays = -1 }, billing.ErrTermsOutOfRange, "payment_terms_days"},
		"an unknown zone":               {func(in *billing.SettingsInput) { in.TimeZone = "Mars/Olympus" }, billing.ErrZoneUnknown, "time_zone"},
		"a NUL byte":                    {func(in *billing.SettingsInput) { in.TaxNumber = "\x00" }, text.ErrInvalid, "tax_number"},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			c.spoil(&in)
			books{t, b.org}.refuses(c.want, c.field, change(0, in))
		})
	}
	b.do(change(1, good))
	// The name is the platform's too, so every scope is minted anew.
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), b.org.Session, b.org.Slug)
	if err != nil {
		t.Fatal(err)
	}
	if err := tenant.Do(context.Background(), tenanttest.DB(), scope, func(*tenant.Tx) error { return nil }); err == nil {
		t.Error("a scope that knows the old name is still good")
	}
	if scope, err = tenant.EnterMember(context.Background(), tenanttest.DB(), b.org.Session, b.org.Slug); err != nil {
		t.Fatal(err)
	}
	b.org.Scope = scope
	if name := scope.Organization().Name; name != good.Name {
		t.Errorf("people choose between organizations by the name %q", name)
	}
	b.refuses(billing.ErrSettingsChanged, "", change(1, good))
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		s, err := billing.LoadSettings(ctx, tx)
		if err == nil && (s.Name != good.Name || s.City != "東京" || s.TaxRounding != tax.RoundPerDocument || s.Version != 2) {
			t.Errorf("settings are %+v", s)
		}
		return err
	})
	customer := b.customer("Mara")
	inv := b.issued(customer.ID, "1")
	if inv.Number != "2026/A-0001" || inv.IssueDate.DaysUntil(inv.DueDate) != 14 {
		t.Errorf("an invoice is %s and due %d days after", inv.Number, inv.IssueDate.DaysUntil(inv.DueDate))
	}
}
