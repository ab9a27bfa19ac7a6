package billing_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

func TestRecordPayment(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	inv := b.issued(b.customer("Mara").ID, "100.00")
	part, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, ExternalID: "y-1", Date: day("2026-01-05"), Amount: amount("30.00", eur),
		Method: billing.Card, Reference: " ref 1 "})
	if err != nil {
		t.Fatal(err)
	}
	if part.CustomerName != "Mara" || part.Numbers() != inv.Number || part.Reference != "ref 1" || part.EntryNumber != 2 {
		t.Errorf("recorded as %+v", part)
	}
	if got := b.invoice(inv.ID); got.Open() != amount("70.00", eur) || got.Standing(got.Today) != billing.StandingPartPaid {
		t.Errorf("after a part %s is open and it stands %s", got.Open(), got.Standing(got.Today))
	}
	whole, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("70.00", eur), Method: billing.BankTransfer})
	if err != nil {
		t.Fatal(err)
	}
	got := b.invoice(inv.ID)
	if !got.Open().IsZero() || got.Standing(got.Today) != billing.StandingPaid || whole.Date != got.Today {
		t.Errorf("after the rest %s is open, it stands %s, and the payment is dated %s", got.Open(), got.Standing(got.Today), whole.Date)
	}
	if len(got.Payments) != 2 || got.Payments[0].ID != part.ID || got.Payments[0].Amount != part.Amount || got.Payments[1].Method != billing.BankTransfer {
		t.Errorf("the invoice shows %+v", got.Payments)
	}
	date, lines := b.posted(part.Entry)
	if date != "2026-01-05" || len(lines) != 2 || lines[0].Purpose != "bank" || lines[0].Amount != 3000 ||
		lines[1].Purpose != "receivable" || lines[1].Party != "Mara" || lines[1].Amount != -3000 {
		t.Errorf("posted on %s: %+v", date, lines)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		read, err := billing.PaymentByID(ctx, tx, part.ID)
		if err == nil && !reflect.DeepEqual(read, part) {
			t.Errorf("read %+v, recorded %+v", read, part)
		}
		if err != nil {
			return err
		}
		page, err := billing.Payments(ctx, tx, billing.PaymentFilter{InvoiceID: inv.ID}, cursor.Query{Limit: 1})
		if err == nil && (len(page.Items) != 1 || page.Items[0].ID != whole.ID || !page.HasMore) {
			t.Errorf("listed are %+v", page)
		}
		if err != nil {
			return err
		}
		page, err = billing.Payments(ctx, tx, billing.PaymentFilter{To: day("2026-01-31")}, cursor.Query{})
		if err == nil && (len(page.Items) != 1 || page.Items[0].ID != part.ID) {
			t.Errorf("listed until January are %+v", page)
		}
		return err
	})
}

func TestRecordPaymentElsewhere(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	inv := b.issued(b.customer("Mara").ID, "100.00")
	cash := b.plainAccount("asset")
	p, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("100.00", eur), Method: billing.Cash, AccountID: cash})
	if err != nil {
		t.Fatal(err)
	}
	var account ledger.AccountID
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &account, `SELECT account_id FROM journal_line WHERE entry_id = $1 AND amount > 0`, p.Entry)
	})
	if account != cash || p.Account != cash {
		t.Errorf("the money is on %v and shown on %v, want %v", account, p.Account, cash)
	}
}

func TestRecordPaymentRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	customer := b.customer("Mara").ID
	draft := b.draft(billing.InvoiceInput{CustomerID: customer, Lines: []billing.InvoiceLineInput{line("Work", "1", "100")}})
	inv, paid := b.issued(customer, "100"), b.issued(customer, "100")
	if _, err := b.pay(billing.PaymentInput{InvoiceID: paid.ID, ExternalID: "y-1", Amount: amount("100.00", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	var receivable ledger.AccountID
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &receivable, `SELECT id FROM account WHERE purpose = 'receivable'`)
	})
	income := b.plainAccount("income")
	for name, c := range map[string]struct {
		spoil func(*billing.PaymentInput)
		want  *fault.Error
		field string
	}{
		"more than is open":      {func(in *billing.PaymentInput) { in.Amount = amount("100.01", eur) }, billing.ErrOverpaid, "amount"},
		"nothing":                {func(in *billing.PaymentInput) { in.Amount = amount("0.00", eur) }, billing.ErrPaymentAmount, "amount"},
		"less than nothing":      {func(in *billing.PaymentInput) { in.Amount = amount("-5.00", eur) }, billing.ErrPaymentAmount, "amount"},
		"too large":              {func(in *billing.PaymentInput) { in.Amount.Minor = 1 << 62 }, money.ErrTooLarge, "amount"},
		"no currency":            {func(in *billing.PaymentInput) { in.Amount = money.Amount{Minor: 1} }, money.ErrUnknownCurrency, "currency"},
		"another currency":       {func(in *billing.PaymentInput) { in.Amount = amount("5.00", usd) }, billing.ErrPaymentCurrency, "currency"},
		"an unknown method":      {func(in *billing.PaymentInput) { in.Method = "shells" }, billing.ErrMethodUnknown, "method"},
		"no method":              {func(in *billing.PaymentInput) { in.Method = "" }, billing.ErrMethodUnknown, "method"},
		"after tomorrow":         {func(in *billing.PaymentInput) { in.Date = inZone("Europe/Lisbon").AddDays(3) }, billing.ErrPaymentInFuture, "date"},
		"an unknown account":     {func(in *billing.PaymentInput) { in.AccountID = id.New[ledger.Account]() }, billing.ErrPaymentAccount, "account_id"},
		"the customers' account": {func(in *billing.PaymentInput) { in.AccountID = receivable }, billing.ErrPaymentAccount, "account_id"},
		"an income account":      {func(in *billing.PaymentInput) { in.AccountID = income }, billing.ErrPaymentAccount, "account_id"},
		"an unknown invoice":     {func(in *billing.PaymentInput) { in.InvoiceID = id.New[billing.Invoice]() }, billing.ErrInvoiceNotFound, ""},
		"a draft":                {func(in *billing.PaymentInput) { in.InvoiceID = draft.ID }, billing.ErrNotIssued, ""},
		"a paid invoice":         {func(in *billing.PaymentInput) { in.InvoiceID = paid.ID }, billing.ErrAlreadyPaid, ""},
		"a NUL byte":             {func(in *billing.PaymentInput) { in.Reference = "a\x00" }, text.ErrInvalid, "reference"},
		"an external id twice":   {func(in *billing.PaymentInput) { in.ExternalID = "y-1" }, billing.ErrPaymentExternal, "external_id"},
	} {
		t.Run(name, func(t *testing.T) {
			in := billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("10.00", eur), Method: billing.Cash}
			c.spoil(&in)
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.RecordPayment(ctx, tx, in)
				return err
			})
		})
	}
	t.Run("an overpayment with both figures", func(t *testing.T) {
		_, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("120.50", eur), Method: billing.Cash})
		if err == nil || !strings.Contains(err.Error(), "100.00 EUR") || !strings.Contains(err.Error(), "120.50 EUR") {
			t.Errorf("said was %v", err)
		}
	})
}

func TestPaymentsRaceForTheLastCent(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	inv := b.issued(b.customer("Mara").ID, "0.02")
	if _, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("0.01", eur), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	won := 0
	for _, err := range together(2, func(int) error {
		_, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("0.01", eur), Method: billing.Cash})
		return err
	}) {
		if err == nil {
			won++
			continue
		}
		checkFault(t, err, billing.ErrAlreadyPaid, "")
	}
	got := b.invoice(inv.ID)
	if won != 1 || len(got.Payments) != 2 || !got.Open().IsZero() {
		t.Errorf("%d of two payments were taken; the invoice shows %+v and %s open", won, got.Payments, got.Open())
	}
}

func TestManyPaymentsAtOnceNeverExceedTheTotal(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	inv := b.issued(b.customer("Mara").ID, "1.00")
	won := 0
	for _, err := range together(12, func(int) error {
		_, err := b.pay(billing.PaymentInput{InvoiceID: inv.ID, Amount: amount("0.30", eur), Method: billing.Cash})
		return err
	}) {
		if err == nil {
			won++
			continue
		}
		checkFault(t, err, billing.ErrOverpaid, "amount")
	}
	if got := b.invoice(inv.ID); won != 3 || got.Open() != amount("0.10", eur) {
		t.Errorf("%d payments of 0.30 were taken and %s of 1.00 is open", won, got.Open())
	}
}
