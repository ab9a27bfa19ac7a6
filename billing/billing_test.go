package billing_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var (
	eur = money.MustCurrency("EUR")
	usd = money.MustCurrency("USD")
	jpy = money.MustCurrency("JPY")
)

// books are those of one organization that a test founded.
type books struct {
	*testing.T
	org tenanttest.Organization
}

func openBooks(t *testing.T) books {
	t.Helper()
	return openBooksWith(t, billing.Opening{Name: "Tidewater Studios", Currency: eur, Country: "PT", TimeZone: "Europe/Lisbon"})
}

func openBooksWith(t *testing.T, o billing.Opening) books {
	t.Helper()
	return books{t, tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, o)
	})}
}

// try runs fn in a transaction of its own.
func (b books) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return tenant.Do(ctx, tenanttest.DB(), b.org.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (b books) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	b.Helper()
	if err := b.try(fn); err != nil {
		b.Fatal(err)
	}
}

func (b books) customer(name string) billing.Customer {
	b.Helper()
	var c billing.Customer
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		c, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: name})
		return err
	})
	return c
}

func (b books) rate(code, percent string, compound bool) tax.OwnRate {
	b.Helper()
	var r tax.OwnRate
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		r, err = tax.AddRate(ctx, tx, tax.RateInput{Code: code, Name: code + " tax", Percent: dec(percent), Compound: compound})
		return err
	})
	return r
}

func (b books) draft(in billing.InvoiceInput) billing.Invoice {
	b.Helper()
	var inv billing.Invoice
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		inv, err = billing.DraftInvoice(ctx, tx, in)
		return err
	})
	return inv
}

func (b books) issue(invoice billing.InvoiceID) billing.Invoice {
	b.Helper()
	var inv billing.Invoice
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		inv, err = billing.IssueInvoice(ctx, tx, invoice, 0)
		return err
	})
	return inv
}

func (b books) invoice(invoice billing.InvoiceID) billing.Invoice {
	b.Helper()
	var inv billing.Invoice
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		inv, err = billing.InvoiceByID(ctx, tx, invoice)
		return err
	})
	return inv
}

// issued is an invoice of one line over so many euros.
func (b books) issued(customer billing.CustomerID, euros string) billing.Invoice {
	b.Helper()
	return b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", euros)}}).ID)
}

func (b books) pay(in billing.PaymentInput) (billing.Payment, error) {
	var p billing.Payment
	err := b.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		p, err = billing.RecordPayment(ctx, tx, in)
		return err
	})
	return p, err
}

// footprint counts all that a refused input could have left behind.
func (b books) footprint() (counts string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &counts, `SELECT concat_ws(' ', (SELECT json_agg(c ORDER BY c.name) FROM counter c),
			(SELECT count(*) FROM party), (SELECT count(*) FROM product), (SELECT count(*) FROM tax_rate),
			(SELECT json_agg(d ORDER BY d.id) FROM document d), (SELECT count(*) FROM document_line), (SELECT count(*) FROM document_tax),
			(SELECT count(*) FROM journal_entry), (SELECT count(*) FROM journal_line), (SELECT count(*) FROM payment),
			(SELECT count(*) FROM audit_log), (SELECT json_agg(s) FROM settings s))`)
	})
	return counts
}

// refuses checks that fn fails with a fault of that code, at that field, and that nothing is changed by it.
func (b books) refuses(want *fault.Error, field string, fn func(ctx context.Context, tx *tenant.Tx) error) {
	b.Helper()
	before := b.footprint()
	err := b.try(fn)
	checkFault(b.T, err, want, field)
	if after := b.footprint(); after != before {
		b.Errorf("something is left behind:\n%s\nbefore:\n%s", after, before)
	}
}

func checkFault(t *testing.T, err error, want *fault.Error, field string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %s", err, want.Code)
	}
	var list fault.List
	var one *fault.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = fault.List{one}
	}
	for _, f := range list {
		if f.Code == want.Code && f.Field == field && f.Kind == want.Kind {
			return
		}
	}
	t.Errorf("no %s at %q in %+v", want.Code, field, list)
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func amount(s string, c money.Currency) money.Amount {
	a, err := money.ParseAmount(s, c)
	if err != nil {
		panic(err)
	}
	return a
}

func day(s string) civil.Date {
	d, err := civil.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

func line(description, quantity, price string, codes ...string) billing.InvoiceLineInput {
	return billing.InvoiceLineInput{Description: description, Quantity: dec(quantity), UnitPrice: dec(price), TaxCodes: codes}
}

func inZone(name string) civil.Date {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return civil.Of(time.Now(), zone)
}
