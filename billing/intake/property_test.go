package intake_test

import (
	"context"
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
	open      []billing.Invoice
	kept      []ledger.EntryID
}

var everyTable = []export.Format{export.Customers, export.Payees, export.Products, export.Invoices, export.Payments, export.Journal}

// Whatever an organization has entered, with whatever words: what our exports say of it makes another one with the same lists,
// invoices, payments and balances, whether they are taken at once or while it grows; and taking them again changes nothing.
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
		if rounds++; rounds > 12 { // it grows, and so does what each round reads
			return
		}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
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
	act := rapid.SampledFrom([]string{"customer", "payee", "both", "product", "invoice", "invoice", "invoice", "pay", "pay", "entry", "undo"}).Draw(r, "act")
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
	case act == "payee":
		_, err = billing.AddPayee(ctx, tx, b.payee(r))
	case act == "both":
		p, err := billing.AddPayee(ctx, tx, b.payee(r))
		if err == nil {
			_, err = billing.SellToPayee(ctx, tx, p.ID)
		}
		return func() { b.customers = append(b.customers, p.ID) }, err
	case act == "product":
		p, err := billing.AddProduct(ctx, tx, billing.ProductInput{Name: words(r, "product"), Description: orNone(r, "text", words(r, "text")), ExternalID: orNone(r, "id", uuid.NewString()),
			UnitPrice: someDecimal(r, "price", 1_000_000_000, 6), Currency: someCurrency(r)})
		return func() { b.products = append(b.products, p.ID) }, err
	case act == "customer" || len(b.customers) == 0:
		c, err := billing.AddCustomer(ctx, tx, party(r))
		return func() { b.customers = append(b.customers, c.ID) }, err
	case act == "pay" && len(b.open) > 0:
		return b.pay(ctx, tx, r)
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
	drafted, err := billing.DraftInvoice(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	issued, err := billing.IssueInvoice(ctx, tx, drafted.ID, 0)
	return func() {
		if !issued.Total.IsZero() {
			b.open = append(b.open, issued)
		}
	}, err
}

// pay pays one invoice in part, whole or with something to keep; it is not paid again, since an import takes a payment as it
// stands.
func (b *business) pay(ctx context.Context, tx *tenant.Tx, r *rapid.T) (func(), error) {
	i := rapid.IntRange(0, len(b.open)-1).Draw(r, "invoice")
	paid := b.open[i].Total
	switch rapid.IntRange(0, 2).Draw(r, "how much") {
	case 0:
		paid.Minor = max(1, paid.Minor/3)
	case 1:
		paid.Minor += rapid.Int64Range(1, 500).Draw(r, "more")
	}
	_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: b.open[i].ID, KeepRest: true, Date: someDay(r), Amount: paid, ExternalID: orNone(r, "id", uuid.NewString()),
		Method: rapid.SampledFrom([]billing.Method{billing.Cash, billing.Cheque, billing.Other}).Draw(r, "method"), Reference: orNone(r, "reference", words(r, "reference"))})
	return func() { b.open = append(b.open[:i:i], b.open[i+1:]...) }, err
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
	for _, format := range everyTable[:5] {
		if was, is := sorted(exported(b.T, b.Organization, format)), sorted(exported(b.T, copied, format)); was != is {
			r.Errorf("%s are\n%s\ninstead of\n%s", format, is, was)
		}
	}
	if is, was := trial(b.T, copied), trial(b.T, b.Organization); !maps.Equal(is, was) {
		r.Errorf("the books come to\n%v\ninstead of\n%v", is, was)
	}
	for _, c := range []string{"USD", "EUR", "JPY"} {
		if is, was := b.aged(copied, c), b.aged(b.Organization, c); is != was {
			r.Errorf("of %s customers owe\n%s\ninstead of\n%s", c, is, was)
		}
	}
}

// aged tells what customers owed at the end of 2025, by how late it was.
func (b *business) aged(o tenanttest.Organization, currency string) (told string) {
	tenanttest.Do(b.T, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		t, err := report.AgedReceivables(ctx, tx, civil.On(2025, 12, 31), money.MustCurrency(currency))
		for _, row := range t.Section("customers").Rows {
			told += fmt.Sprint(row.Name, row.Amounts, "\n")
		}
		told = sorted(told) + fmt.Sprint(t.Sums)
		return err
	})
	return told
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
