package main

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// organization is one that callers work in.
type organization struct {
	schema        string
	token         string   // of an API token that may do everything
	invoices      []string // ids
	debit, credit string   // accounts that entries are posted to
}

// timeZone is where the organizations are.
const timeZone = "America/Toronto"

// newText is a random word.
func newText() string { return rand.Text() }

// populate founds the organizations by the doors that people use, with one owner for all.
func (h *house) populate(ctx context.Context) error {
	nobody := identity.MailerFunc(func(context.Context, identity.Mail) error { return nil })
	people, err := identity.New(h.db, nobody, identity.Options{Origin: origin})
	if err != nil {
		return err
	}
	const email, password = "owner@books.example", "seven quiet herons wade"
	owner, err := people.AddPerson(ctx, email, "Mara Lindqvist", password)
	if err != nil {
		return err
	}
	_, session, err := people.SignIn(ctx, email, password, identity.RequestInfo{})
	if err != nil {
		return err
	}
	policy, err := authz.Compile()
	if err != nil {
		return err
	}
	for n := range h.organizations {
		slug := fmt.Sprintf("bench-%d", n+1)
		founding := web.Founding{Slug: slug, Name: "Tidewater Studios", Currency: "CAD", Country: "CA", TimeZone: timeZone}
		if err := web.Found(ctx, h.db, owner, founding); err != nil {
			return err
		}
		hash, _ := identity.HashToken(session)
		scope, err := tenant.EnterMember(ctx, h.db, hash, slug)
		if err != nil {
			return err
		}
		var o organization
		err = tenant.Do(ctx, h.db, scope, func(tx *tenant.Tx) (err error) {
			if err := o.fill(ctx, tx, h.invoices); err != nil {
				return err
			}
			may := func(s string) error { return policy.CheckScope(authz.HolderOf(scope), s) }
			_, o.token, err = identity.AddToken(ctx, tx, identity.TokenInput{Name: "bench", Scopes: []string{"*:read", "*:write"}}, may)
			return err
		})
		if err != nil {
			return fmt.Errorf("filling organization %s: %w", slug, err)
		}
		err = h.super.QueryRowContext(ctx, `SELECT schema_name FROM platform.organization WHERE slug = $1`, slug).Scan(&o.schema)
		if err != nil {
			return fmt.Errorf("looking for organization %s: %w", slug, err)
		}
		h.tenants = append(h.tenants, o)
	}
	_, err = h.super.ExecContext(ctx, "ANALYZE")
	return err
}

// fill writes invoices of three lines with two taxes each, of which every second is paid in part.
func (o *organization) fill(ctx context.Context, tx *tenant.Tx, invoices int) error {
	cad := money.MustCurrency("CAD")
	for _, r := range []tax.RateInput{
		{Code: "GST", Name: "Goods and services tax", Percent: decimal.RequireFromString("5")},
		{Code: "QST", Name: "Quebec sales tax", Percent: decimal.RequireFromString("9.975")},
	} {
		if _, err := tax.AddRate(ctx, tx, r); err != nil {
			return err
		}
	}
	customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{
		Name: "Élodie Tremblay", Company: "Atelier Tremblay", Email: "elodie@atelier.example", Street: "12 rue des Érables",
		City: "Montréal", Region: "QC", PostalCode: "H2X 1Y4", Country: "CA",
	})
	if err != nil {
		return err
	}
	for n := range invoices {
		in := billing.InvoiceInput{CustomerID: customer.ID, Currency: cad, Reference: fmt.Sprintf("PO-%d", n)}
		for line := range 3 {
			in.Lines = append(in.Lines, billing.InvoiceLineInput{
				Description: fmt.Sprintf("Hours of week %d", line+1), Quantity: decimal.RequireFromString("7.5"),
				UnitPrice: decimal.NewFromInt(int64(80 + n)), DiscountPercent: decimal.NewFromInt(int64(5 * line)), TaxCodes: []string{"GST", "QST"},
			})
		}
		draft, err := billing.DraftInvoice(ctx, tx, in)
		if err != nil {
			return err
		}
		if _, err := billing.IssueInvoice(ctx, tx, draft.ID, 0); err != nil {
			return err
		}
		o.invoices = append(o.invoices, draft.ID.String())
		if n%2 == 1 {
			continue
		}
		part := billing.PaymentInput{InvoiceID: draft.ID, Amount: money.Amount{Minor: 10_000, Currency: cad}, Method: "bank_transfer"}
		if _, err := billing.RecordPayment(ctx, tx, part); err != nil {
			return err
		}
	}
	return o.chooseAccounts(ctx, tx)
}

func (o *organization) chooseAccounts(ctx context.Context, tx *tenant.Tx) error {
	bank, err := ledger.AccountFor(ctx, tx, ledger.Bank)
	if err != nil {
		return err
	}
	income, err := ledger.AccountFor(ctx, tx, ledger.Income)
	o.debit, o.credit = bank.ID.String(), income.ID.String()
	return err
}
