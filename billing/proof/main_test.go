package proof_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var eur = money.MustCurrency("EUR")

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: eur} }

// openSealer hides nothing: what is proved here is not how secrets are kept.
type openSealer struct{}

func (openSealer) Seal(_ context.Context, at billing.Place, plain []byte) (string, error) {
	return base64.StdEncoding.EncodeToString(fmt.Append(plain, at)), nil
}

func (openSealer) Open(context.Context, billing.Place, string) ([]byte, error) {
	return nil, errors.New("nobody asks the gateway")
}

// books are those of one organization, with one of each thing that is proved.
type books struct {
	*testing.T
	tenanttest.Organization
	db       *tenant.DB
	clock    *tenanttest.Clock
	customer billing.CustomerID
	invoices []billing.Invoice
}

// openBooks opens books in Helsinki and leaves them empty.
func openBooks(t *testing.T) *books {
	t.Helper()
	b := &books{T: t, clock: &tenanttest.Clock{}}
	b.db = tenanttest.OpenWith(t, b.clock)
	b.Organization = tenanttest.Found(t, b.db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: eur, Country: "FI", TimeZone: "Europe/Helsinki"})
	})
	var err error
	if b.Scope, err = tenant.EnterOperator(t.Context(), b.db, b.Slug); err != nil {
		t.Fatal(err)
	}
	return b
}

// traded are books with invoices that are paid at the bank, void, credited, written off and paid by card, and a bill that
// is paid in part.
func traded(t *testing.T) *books {
	t.Helper()
	b := openBooks(t)
	b.sell()
	b.atTheBank()
	b.byCard()
	b.buy()
	return b
}

func (b *books) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	b.Helper()
	ctx := context.Background()
	if err := tenant.Do(ctx, b.db, b.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) }); err != nil {
		b.Fatal(err)
	}
}

func work(price string) []billing.InvoiceLineInput {
	return []billing.InvoiceLineInput{{Description: "Work", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString(price)}}
}

func (b *books) sell() {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Oyster Bay"})
		if err != nil {
			return err
		}
		b.customer, b.invoices = c.ID, nil
		for range 5 {
			i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Lines: work("100")})
			if err == nil {
				i, err = billing.IssueInvoice(ctx, tx, i.ID, 0)
			}
			if err != nil {
				return err
			}
			b.invoices = append(b.invoices, i)
		}
		if _, err := billing.VoidInvoice(ctx, tx, b.invoices[1].ID, 0); err != nil {
			return err
		}
		if _, err := billing.CreditInvoice(ctx, tx, b.invoices[2].ID, 0, billing.CreditInput{}); err != nil {
			return err
		}
		_, err = billing.WriteOffInvoice(ctx, tx, b.invoices[3].ID, 0)
		return err
	})
}

// atTheBank pays the first invoice by a line of the bank, and finishes the statement that the line is on.
func (b *books) atTheBank() {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		account, err := accountOf(ctx, tx, "1010")
		if err != nil {
			return err
		}
		if _, err := bank.OpenAccount(ctx, tx, account, eur, bank.Details{BankName: "Nordea"}); err != nil {
			return err
		}
		today, err := ledger.Today(ctx, tx)
		if err != nil {
			return err
		}
		l, err := bank.AddLine(ctx, tx, account, bank.LineInput{Date: today, Amount: euros(10000), Memo: "Oyster Bay"})
		if err != nil {
			return err
		}
		if _, err := bank.MatchLine(ctx, tx, l.ID, 0, bank.Match{Invoices: []billing.InvoiceID{b.invoices[0].ID}}); err != nil {
			return err
		}
		s, err := bank.BeginStatement(ctx, tx, account, bank.StatementInput{EndsOn: today, Closing: euros(10000)})
		if err != nil {
			return err
		}
		_, err = bank.FinishStatement(ctx, tx, s.ID, 0)
		return err
	})
}

// byCard charges half of the last invoice at a gateway, which keeps a fee.
func (b *books) byCard() {
	b.Helper()
	organization := b.Scope.Organization().ID
	account, err := billing.SealGatewayAccount(b.Context(), openSealer{}, organization,
		billing.GatewayAccountInput{Kind: gateway.Practice, Name: "Practice", Key: "practice_" + tenanttest.Random(8), WebhookSecret: "whsec_" + tenanttest.Random(16)})
	if err != nil {
		b.Fatal(err)
	}
	var kept billing.GatewayAccount
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		kept, err = billing.AddGatewayAccount(ctx, tx, account)
		return err
	})
	method, err := billing.SealCard(b.Context(), openSealer{}, organization,
		billing.Intent{Keep: true, CustomerID: b.customer, GatewayID: kept.ID}, gateway.Card{Token: "tok", Brand: "visa", LastFour: "4242"})
	if err != nil {
		b.Fatal(err)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		m, err := billing.AddPaymentMethod(ctx, tx, method)
		if err != nil {
			return err
		}
		i, err := billing.PlanCharge(ctx, tx, billing.ChargeInput{InvoiceID: b.invoices[4].ID, MethodID: m.ID, Amount: euros(5000)})
		if err != nil {
			return err
		}
		_, err = billing.SettleCharge(ctx, tx, i.ID, gateway.Charge{Ref: "ch_" + tenanttest.Random(8), State: gateway.Succeeded, Amount: euros(5000), Fee: euros(150),
			Card: gateway.Card{Brand: "visa", LastFour: "4242"}})
		return err
	})
}

func (b *books) buy() {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		cost, err := accountOf(ctx, tx, "5300")
		if err != nil {
			return err
		}
		p, err := billing.AddPayee(ctx, tx, billing.PayeeInput{CustomerInput: billing.CustomerInput{Name: "Atlas Paper"}, ExpenseAccount: cost})
		if err != nil {
			return err
		}
		bill, err := payables.DraftBill(ctx, tx, payables.BillInput{CustomerID: p.ID, Lines: work("80")})
		if err == nil {
			bill, err = payables.EnterBill(ctx, tx, billing.Bill, bill.ID, 0)
		}
		if err != nil {
			return err
		}
		_, err = payables.PayBills(ctx, tx, payables.Paying{Payee: p.ID, Method: billing.Cash, Parts: []payables.Part{{Bill: bill.ID, Amount: euros(3000)}}})
		return err
	})
}

func (b *books) prove() proof.Proof {
	b.Helper()
	p, err := proof.Prove(context.Background(), b.db, b.Scope)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *books) latest() (p proof.Proof) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		p, err = proof.Latest(ctx, tx)
		return err
	})
	return p
}

// reenter enters anew, since the clock went on.
func reenter(b *books) (tenant.Scope, error) {
	return tenant.EnterOperator(context.Background(), b.db, b.Slug)
}

func accountOf(ctx context.Context, tx *tenant.Tx, code string) (found ledger.AccountID, err error) {
	accounts, err := ledger.Accounts(ctx, tx)
	for _, a := range accounts {
		if a.Code == code {
			found = a.ID
		}
	}
	return found, err
}
