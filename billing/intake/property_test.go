package intake_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// business is an organization that anything is entered into.
type business struct {
	*testing.T
	tenanttest.Organization
	accounts  []ledger.AccountID
	customers []billing.CustomerID
	products  []billing.ProductID
	payees    []billing.PayeeID
	issued    []billing.InvoiceID
	notes     []billing.CreditNoteID
	payments  []billing.PaymentID
	bills     []billing.DocumentID
	credits   []billing.DocumentID
	paid      []payables.PaymentID // to payees
	kept      []ledger.EntryID
}

var everyTable = []export.Format{export.Accounts, export.Customers, export.Payees, export.Products, export.Invoices, export.CreditNotes, export.Bills, export.PayeeCredits,
	export.Payments, export.BillPayments, export.Credits, export.Journal}

// Whatever an organization has entered, with whatever words: what our exports say of it makes another one with the same lists,
// documents, payments, history and balances, whether they are taken at once or while it grows; and taking them again changes nothing.
func TestImportingWhatWasExportedMakesTheSame(t *testing.T) {
	t.Parallel()
	from, along := &business{T: t, Organization: books(t)}, books(t)
	from.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := ledger.Accounts(ctx, tx)
		for _, a := range all {
			if a.Purpose != ledger.Receivable && a.Purpose != ledger.Payable {
				from.accounts = append(from.accounts, a.ID)
			}
		}
		return err
	})
	rounds := 0
	rapid.Check(t, func(r *rapid.T) {
		if rounds++; rounds > 8 { // it grows, and so does what each round reads
			return
		}
		for range rapid.IntRange(10, 40).Draw(r, "steps") {
			from.step(r)
		}
		from.copyInto(r, along)
	})
	whole := books(t)
	rapid.Check(t, func(r *rapid.T) {
		if rounds > 0 {
			rounds = 0
			from.copyInto(r, whole)
		}
	})
	if len(from.notes) == 0 || len(from.payments) == 0 || len(from.bills) == 0 || len(from.credits) == 0 || len(from.paid) == 0 {
		t.Errorf("the year has %d credit notes, %d payments, %d bills, %d payees' credits and %d payments to payees", len(from.notes), len(from.payments),
			len(from.bills), len(from.credits), len(from.paid))
	}
}

func (b *business) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	b.Helper()
	tenanttest.Do(b.T, tenanttest.DB(), b.Organization, fn)
}

// words are a name or a text, such as spreadsheets, CSV and people have trouble with.
func words(r *rapid.T, what string) string {
	begin := rapid.SampledFrom([]string{"", "", "=", "+", "-", "@", "'", "''=", "\"", ",", ";", "Ø", "日本 ", "#"}).Draw(r, what+" begins")
	return begin + rapid.StringMatching(`[A-Za-zé]{1,8}( [a-z0-9&",;'=+-]{1,6})?`).Draw(r, what)
}

func orNone(r *rapid.T, what, text string) string {
	if rapid.Bool().Draw(r, "some "+what) {
		return text
	}
	return ""
}

func someDay(r *rapid.T) civil.Date {
	return civil.On(2025, 1, 1).AddDays(rapid.IntRange(0, 400).Draw(r, "day"))
}

func someDecimal(r *rapid.T, what string, most int64, digits int32) decimal.Decimal {
	return decimal.New(rapid.Int64Range(1, most).Draw(r, what), -digits)
}

func (b *business) step(r *rapid.T) {
	act := rapid.SampledFrom([]string{"customer", "payee", "both", "product", "invoice", "invoice", "invoice", "pay", "pay", "entry", "undo",
		"credit", "credit", "give back", "apply", "bill", "bill", "bill credit", "pay bills", "pay bills", "bill back", "apply bill", "money back", "account"}).Draw(r, "act")
	ctx := context.Background()
	var then func()
	err := tenant.Do(ctx, tenanttest.DB(), b.Scope, func(tx *tenant.Tx) (err error) {
		then, err = b.enter(ctx, tx, r, act)
		return err
	})
	var refused *fault.Error
	var several fault.List
	if err != nil && !errors.As(err, &refused) && !errors.As(err, &several) {
		r.Fatalf("%s: %v", act, err)
	}
	if err == nil && then != nil {
		then()
	}
}

// enter does one thing; what is to be noted of it comes back.
func (b *business) enter(ctx context.Context, tx *tenant.Tx, r *rapid.T, act string) (then func(), err error) {
	switch {
	case act == "payee" || len(b.payees) == 0:
		p, err := billing.AddPayee(ctx, tx, b.payee(r))
		return func() { b.payees = append(b.payees, p.ID) }, err
	case act == "both":
		p, err := billing.AddPayee(ctx, tx, b.payee(r))
		if err == nil {
			_, err = billing.SellToPayee(ctx, tx, p.ID)
		}
		return func() { b.customers, b.payees = append(b.customers, p.ID), append(b.payees, p.ID) }, err
	case act == "product":
		p, err := billing.AddProduct(ctx, tx, billing.ProductInput{Name: words(r, "product"), Description: orNone(r, "text", words(r, "text")), ExternalID: orNone(r, "id", uuid.NewString()),
			UnitPrice: someDecimal(r, "price", 1_000_000_000, 6), Currency: someCurrency(r)})
		return func() { b.products = append(b.products, p.ID) }, err
	case act == "customer" || len(b.customers) == 0:
		c, err := billing.AddCustomer(ctx, tx, party(r))
		return func() { b.customers = append(b.customers, c.ID) }, err
	case act == "pay" && len(b.issued) > 0:
		return b.pay(ctx, tx, r)
	case act == "account":
		_, err = ledger.AddAccount(ctx, tx, ledger.AccountInput{Code: fmt.Sprint(rapid.IntRange(70000, 99999).Draw(r, "code")), Name: words(r, "account"), Kind: rapid.SampledFrom(ledger.Kinds()).Draw(r, "kind")})
	case slices.Contains(buying, act):
		return b.buy(ctx, tx, r, act)
	case act == "credit" || act == "give back" || act == "apply":
		return b.takeBack(ctx, tx, r, act)
	case act == "entry":
		return b.post(ctx, tx, r)
	case act == "undo" && len(b.kept) > 0:
		_, err = ledger.Reverse(ctx, tx, rapid.SampledFrom(b.kept).Draw(r, "entry"), civil.On(2026, 3, 1), "")
	default:
		return b.invoice(ctx, tx, r)
	}
	return nil, err
}

func party(r *rapid.T) billing.CustomerInput {
	in := billing.CustomerInput{Name: words(r, "name"), Company: orNone(r, "company", words(r, "company")), Phone: orNone(r, "phone", "+46 8 123"), ExternalID: orNone(r, "id", uuid.NewString()),
		Street: orNone(r, "street", words(r, "street")), Country: rapid.SampledFrom([]string{"", "US", "JP"}).Draw(r, "country"), TaxNumber: orNone(r, "tax number", words(r, "tax number"))}
	if rapid.Bool().Draw(r, "terms") {
		days := rapid.IntRange(0, 90).Draw(r, "days")
		in.TermsDays = &days
	}
	return in
}

func (b *business) payee(r *rapid.T) billing.PayeeInput {
	in := billing.PayeeInput{CustomerInput: party(r)}
	if rapid.Bool().Draw(r, "usual account") {
		in.ExpenseAccount = rapid.SampledFrom(b.accounts).Draw(r, "account")
	}
	return in
}

func someCurrency(r *rapid.T) money.Currency {
	return money.MustCurrency(rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(r, "currency"))
}

func (b *business) invoice(ctx context.Context, tx *tenant.Tx, r *rapid.T) (func(), error) {
	day := someDay(r)
	in := billing.InvoiceInput{CustomerID: rapid.SampledFrom(b.customers).Draw(r, "customer"), IssueDate: day, DueDate: day.AddDays(rapid.IntRange(0, 60).Draw(r, "due in")), Currency: someCurrency(r),
		ExternalID: orNone(r, "id", uuid.NewString()), PurchaseOrder: orNone(r, "order", words(r, "order")), PricesWithTax: rapid.Bool().Draw(r, "prices with tax")}
	switch rapid.IntRange(0, 3).Draw(r, "discount") {
	case 0:
		in.DiscountPercent = someDecimal(r, "discount in percent", 500, 1)
	case 1:
		in.Discount = decimal.NewFromInt(rapid.Int64Range(1, 3).Draw(r, "discount off"))
	}
	for range rapid.IntRange(1, 4).Draw(r, "lines") {
		line := billing.InvoiceLineInput{Description: words(r, "description"), Quantity: someDecimal(r, "quantity", 100_000, 3), UnitPrice: someDecimal(r, "price", 10_000_000, 4),
			TaxCodes: rapid.SampledFrom([][]string{nil, {"GST"}, {"GST", "QST"}, {"A+B"}}).Draw(r, "taxes")}
		if len(b.products) > 0 && rapid.Bool().Draw(r, "of a product") {
			line.ProductID = rapid.SampledFrom(b.products).Draw(r, "product")
		}
		if rapid.Bool().Draw(r, "less") {
			line.DiscountPercent = someDecimal(r, "less", 500, 1)
		}
		in.Lines = append(in.Lines, line)
	}
	if rapid.Bool().Draw(r, "on an account") {
		in.Lines[0].AccountID = rapid.SampledFrom(b.accounts).Draw(r, "account")
	}
	drafted, err := billing.DraftInvoice(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	_, err = billing.IssueInvoice(ctx, tx, drafted.ID, 0)
	return func() { b.issued = append(b.issued, drafted.ID) }, err
}

// pay pays one invoice in part, whole or with something to keep, or the customer on account; what is more than is open is
// refused, and that is that.
func (b *business) pay(ctx context.Context, tx *tenant.Tx, r *rapid.T) (func(), error) {
	invoice, err := billing.InvoiceByID(ctx, tx, rapid.SampledFrom(b.issued).Draw(r, "invoice"))
	if err != nil {
		return nil, err
	}
	in := billing.PaymentInput{InvoiceID: invoice.ID, KeepRest: true, Date: someDay(r), Amount: invoice.Total, ExternalID: orNone(r, "id", uuid.NewString()),
		Method: rapid.SampledFrom([]billing.Method{billing.Cash, billing.Cheque, billing.Other}).Draw(r, "method"), Reference: orNone(r, "reference", words(r, "reference"))}
	switch rapid.IntRange(0, 3).Draw(r, "how much") {
	case 0:
		in.Amount.Minor = max(1, in.Amount.Minor/3)
	case 1:
		in.Amount.Minor += rapid.Int64Range(1, 500).Draw(r, "more")
	case 2:
		in.CustomerID, in.InvoiceID = invoice.Customer.ID, billing.InvoiceID{}
	}
	p, err := billing.RecordPayment(ctx, tx, in)
	return func() { b.payments = append(b.payments, p.ID) }, err
}

// takeBack credits an invoice or a customer, gives money back, or lets credit settle an invoice.
func (b *business) takeBack(ctx context.Context, tx *tenant.Tx, r *rapid.T, act string) (func(), error) {
	if len(b.issued) == 0 {
		return b.invoice(ctx, tx, r)
	}
	invoice, err := billing.InvoiceByID(ctx, tx, rapid.SampledFrom(b.issued).Draw(r, "invoice"))
	if err != nil {
		return nil, err
	}
	back := billing.RefundInput{Method: billing.Cash, Date: someDay(r), Amount: money.Amount{Minor: rapid.Int64Range(1, 5000).Draw(r, "amount"), Currency: invoice.Currency}, ExternalID: orNone(r, "id", uuid.NewString())}
	switch {
	case act == "credit" && rapid.Bool().Draw(r, "of an invoice"):
		in := billing.CreditInput{IssueDate: invoice.IssueDate.AddDays(rapid.IntRange(0, 60).Draw(r, "later")), ExternalID: orNone(r, "id", uuid.NewString()), Reference: orNone(r, "reference", words(r, "reference"))}
		if len(invoice.Lines) > 0 && rapid.Bool().Draw(r, "in part") {
			in.Lines = []billing.CreditLine{{Line: 1, Quantity: invoice.Lines[0].Quantity.Div(decimal.NewFromInt(3)).Truncate(3)}}
		}
		n, err := billing.CreditInvoice(ctx, tx, invoice.ID, 0, in)
		return func() { b.notes = append(b.notes, n.ID) }, err
	case act == "credit" || len(b.notes) == 0:
		n, err := billing.DraftCreditNote(ctx, tx, billing.DocumentInput{CustomerID: invoice.Customer.ID, IssueDate: someDay(r), Currency: invoice.Currency, ExternalID: orNone(r, "id", uuid.NewString()),
			Lines: []billing.InvoiceLineInput{{Description: words(r, "description"), Quantity: someDecimal(r, "quantity", 100, 0), UnitPrice: someDecimal(r, "price", 10_000, 0), TaxCodes: []string{"GST"}}}})
		if err != nil {
			return nil, err
		}
		_, err = billing.IssueCreditNote(ctx, tx, n.ID, 0)
		return func() { b.notes = append(b.notes, n.ID) }, err
	case act == "apply":
		_, err = billing.ApplyCreditNote(ctx, tx, rapid.SampledFrom(b.notes).Draw(r, "note"), invoice.ID, money.Amount{})
	case rapid.Bool().Draw(r, "of a credit note"):
		_, err = billing.GiveBackCredit(ctx, tx, rapid.SampledFrom(b.notes).Draw(r, "note"), back)
	case len(b.payments) > 0:
		_, err = billing.GiveBackPayment(ctx, tx, rapid.SampledFrom(b.payments).Draw(r, "payment"), back)
	}
	return nil, err
}

func (b *business) post(ctx context.Context, tx *tenant.Tx, r *rapid.T) (func(), error) {
	amount := money.Amount{Minor: rapid.Int64Range(1, 1_000_000).Draw(r, "amount"), Currency: someCurrency(r)}
	back := amount
	back.Minor = -back.Minor
	e, err := ledger.Post(ctx, tx, ledger.Posting{Date: someDay(r), Description: words(r, "description"), Lines: []ledger.Line{
		{Account: rapid.SampledFrom(b.accounts).Draw(r, "to"), Amount: amount, Memo: orNone(r, "memo", words(r, "memo"))}, {Account: rapid.SampledFrom(b.accounts).Draw(r, "from"), Amount: back}}})
	return func() { b.kept = append(b.kept, e.ID) }, err
}

// copyInto takes all exports of one organization into another, twice, and holds the two against each other.
func (b *business) copyInto(r *rapid.T, copied tenanttest.Organization) {
	for round := range 2 {
		for _, format := range everyTable {
			s, err := take(copied, string(format)+".csv", exported(b.T, b.Organization, format))
			if err != nil && !isEmptyFile(err) {
				r.Fatalf("taking %s: %v", format, err)
			}
			if round == 1 && s.Added+s.Changed != 0 {
				r.Errorf("taking %s again adds %d and changes %d", format, s.Added, s.Changed)
			}
		}
	}
	for _, format := range everyTable[:len(everyTable)-1] {
		if was, is := sorted(exported(b.T, b.Organization, format)), sorted(exported(b.T, copied, format)); was != is {
			r.Errorf("%s are\n%s\ninstead of\n%s", format, is, was)
		}
	}
	if was, is := history(b.T, b.Organization), history(b.T, copied); was != is {
		r.Errorf("the history is\n%s\ninstead of\n%s", is, was)
	}
	if is, was := trial(b.T, copied), trial(b.T, b.Organization); !maps.Equal(is, was) {
		r.Errorf("the books come to\n%v\ninstead of\n%v", is, was)
	}
	for _, c := range []string{"USD", "EUR", "JPY"} {
		if is, was := b.aged(copied, c), b.aged(b.Organization, c); is != was {
			r.Errorf("of %s customers owe, and payees are owed,\n%s\ninstead of\n%s", c, is, was)
		}
	}
}

// aged tells what customers owed and payees were owed at the end, by how late it was. In between it may differ by when credit
// came to settle something.
func (b *business) aged(o tenanttest.Organization, currency string) (told string) {
	tenanttest.Do(b.T, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		on, err := ledger.Today(ctx, tx)
		if err != nil {
			return err
		}
		for section, aged := range map[string]func(context.Context, *tenant.Tx, civil.Date, money.Currency) (report.Table, error){"customers": report.AgedReceivables, "payees": report.AgedPayables} {
			t, err := aged(ctx, tx, on.AddDays(400), money.MustCurrency(currency))
			if err != nil {
				return err
			}
			for _, row := range t.Section(section).Rows {
				told += fmt.Sprint(section, row.Name, row.Amounts, "\n")
			}
			told += fmt.Sprint(section, t.Sums, "\n")
		}
		told = sorted(told)
		return nil
	})
	return told
}

// history is what happened on which day with whom, without the numbers that are given anew.
func history(t *testing.T, o tenanttest.Organization) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(exported(t, o, export.Transactions))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&told, "%s %s %s %s %s %s %s\n", r[0], r[1], r[3], r[4], r[5], r[6], r[7])
	}
	return sorted(told.String())
}

// isEmptyFile says that a list had nothing in it.
func isEmptyFile(err error) bool {
	var refused *intake.Refused
	return errors.As(err, &refused) && len(refused.Faults) == 1 && refused.Faults[0].Code == intake.ErrEmpty.Code
}

// sorted are the lines of a file in an order of their own: what was made by hand has other ids in a copy.
func sorted(file string) string {
	lines := strings.SplitAfter(file, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}
