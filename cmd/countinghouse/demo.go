package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// Who keeps the demo's books, and with which password. Both are public: dev prints them.
const (
	demoEmail    = "jane@chinook.example"
	demoPassword = "records spin under a quiet lamp"
	demoSlug     = "chinook"
)

// chinook is five years of a shop that sells music, from the Chinook sample database; its licence lies beside it.
//
//go:embed demo/chinook
var chinook embed.FS

// makeDemo sees to it that there is an organization with a history to look at, and someone to sign in as. What is there
// of it from an earlier run stays, also where that run was cut short.
func makeDemo(ctx context.Context, db *tenant.DB, people *identity.Identity, outbox *notify.Outbox, origin string) error {
	scope, err := tenant.EnterOperator(ctx, db, demoSlug)
	if errors.Is(err, tenant.ErrNoOrganization) {
		person, err := demoPerson(ctx, people, outbox, origin)
		if err != nil {
			return err
		}
		founding := web.Founding{Slug: demoSlug, Name: "Chinook Music", Currency: "USD", Country: "US", TimeZone: "America/New_York"}
		if err := web.Found(ctx, db, person, founding); err != nil {
			return err
		}
		if scope, err = tenant.EnterOperator(ctx, db, demoSlug); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := fillDemo(ctx, db, scope, func(content []byte) ([]byte, error) { return content, nil }, func(int) error { return nil }); err != nil {
		return err
	}
	return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return keepDemoBooks(ctx, tx) })
}

// demoPerson signs the demo's owner up as anyone does, with the link from the mail.
func demoPerson(ctx context.Context, people *identity.Identity, outbox *notify.Outbox, origin string) (tenant.Person, error) {
	person, err := people.PersonByEmail(ctx, demoEmail)
	if !errors.Is(err, identity.ErrPerson) {
		return person, err
	}
	if err := people.RequestSignUp(ctx, demoEmail); err != nil {
		return person, err
	}
	link := regexp.MustCompile(regexp.QuoteMeta(origin) + `/set-up\?token=(\S+)`)
	for _, mail := range outbox.All() {
		if found := link.FindStringSubmatch(mail.Text); mail.To == demoEmail && found != nil {
			person, _, err = people.CompleteSignUp(ctx, found[1], "Jane Peacock", demoPassword, identity.RequestInfo{})
			return person, err
		}
	}
	return person, errors.New("no mail with a link came for the demo's owner")
}

// fillDemo imports the shop's history as fit makes it, unless it is there, and tells after each file how many are.
func fillDemo(ctx context.Context, db *tenant.DB, scope tenant.Scope, fit func(content []byte) ([]byte, error), told func(files int) error) error {
	for n, name := range []string{"customers.csv", "products.csv", "invoices.csv"} {
		content, err := chinook.ReadFile("demo/chinook/" + name)
		if err != nil {
			return fmt.Errorf("the demo lacks a file: %w", err)
		}
		if content, err = fit(content); err != nil {
			return err
		}
		table, err := intake.Read(name, bytes.NewReader(content))
		if err != nil {
			return err
		}
		err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
			// Invoices come last and in one transaction: if the first is there, all is.
			there, err := billing.InvoicesByExternalID(ctx, tx, []string{"1"})
			if err == nil && len(there) == 0 {
				_, err = intake.Take(ctx, tx, table, nil)
			}
			return err
		})
		if err == nil {
			err = told(n + 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepDemoBooks does what a bookkeeper would have done since: payments, a tax rate, what the shop itself has to pay.
func keepDemoBooks(ctx context.Context, tx *tenant.Tx) error {
	done, err := billing.PaymentsByExternalID(ctx, tx, []string{demoPayment("1")})
	if err != nil || len(done) > 0 {
		return err
	}
	_, err = tax.AddRate(ctx, tx, tax.RateInput{Code: "NYC", Name: "New York City sales tax", Percent: decimal.RequireFromString("8.875")})
	if err != nil && !errors.Is(err, tax.ErrRateCodeTaken) {
		return err
	}
	if err := payDemoInvoices(ctx, tx); err != nil {
		return err
	}
	return spendDemoMoney(ctx, tx)
}

// demoPayment is the external id of the demo's payment of an invoice.
func demoPayment(invoice string) string { return "demo-" + invoice }

// payDemoInvoices settles the imported invoices but for some of the newest, of which a few are paid in part.
func payDemoInvoices(ctx context.Context, tx *tenant.Tx) error {
	const unsettled = 60 // among so many of the newest are those that are not paid
	today, err := billing.Today(ctx, tx)
	if err != nil {
		return err
	}
	nth, query := 0, cursor.Query{Limit: cursor.Max}
	for {
		page, err := billing.Invoices(ctx, tx, billing.InvoiceFilter{}, query)
		if err != nil {
			return err
		}
		for _, invoice := range page.Items { // the newest first
			nth++
			amount := invoice.Open()
			switch {
			case nth < unsettled && nth%3 == 0, invoice.State == billing.Draft, amount.IsZero():
				continue
			case nth < unsettled && nth%7 == 0:
				amount.Minor = (amount.Minor + 1) / 2
			}
			if err := payDemoInvoice(ctx, tx, invoice, amount, nth, today); err != nil {
				return err
			}
		}
		if !page.HasMore {
			return nil
		}
		query.After = page.Items[len(page.Items)-1].ID.UUID
	}
}

func payDemoInvoice(ctx context.Context, tx *tenant.Tx, invoice billing.InvoiceHead, amount money.Amount, nth int, today civil.Date) error {
	date := invoice.IssueDate.AddDays(2 + nth*11%33)
	if date.After(today) {
		date = today
	}
	method := []billing.Method{billing.Card, billing.BankTransfer, billing.Card}[nth%3]
	_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{
		InvoiceID: invoice.ID, ExternalID: demoPayment(invoice.ExternalID), Date: date, Amount: amount, Method: method,
	})
	return err
}

// spendDemoMoney posts the shop's own bills of the last twelve months, and the capital that pays them.
func spendDemoMoney(ctx context.Context, tx *tenant.Tx) error {
	today, err := billing.Today(ctx, tx)
	if err != nil {
		return err
	}
	accounts, err := ledger.Accounts(ctx, tx)
	if err != nil {
		return err
	}
	byCode := make(map[string]ledger.AccountID, len(accounts))
	for _, a := range accounts {
		byCode[a.Code] = a.ID
	}
	post := func(date civil.Date, description, debit, credit string, minor int64) error {
		amount := money.Amount{Minor: minor, Currency: money.MustCurrency("USD")}
		lines := []ledger.Line{{Account: byCode[debit], Amount: amount}, {Account: byCode[credit], Amount: money.Amount{Minor: -minor, Currency: amount.Currency}}}
		_, err := ledger.Post(ctx, tx, ledger.Posting{Date: date, Description: description, Lines: lines, Automatic: true})
		return err
	}
	if err := post(civil.On(2021, 1, 1), "Capital paid in by the owner", "1010", "3000", 2_500_000); err != nil {
		return err
	}
	for month := range 12 {
		bills := []struct {
			day                int
			description, debit string
			minor              int64
		}{
			{1, "Rent of the office", "5200", 38_000},
			{5, "Servers and software", "5300", 8_640 + int64(month*430%1700)},
			{17, "Royalties to the labels", "5000", 11_250 + int64(month*2711%6000)},
			{28, "Bank fees", "6000", 1_250},
		}
		for _, bill := range bills {
			date := civil.On(today.Year(), today.Month()-time.Month(11-month), bill.day)
			if date.After(today) {
				continue
			}
			if err := post(date, bill.description, bill.debit, "1010", bill.minor); err != nil {
				return err
			}
		}
	}
	return nil
}
