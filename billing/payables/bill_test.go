package payables_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// 200.00 net: GST 5 % is 10.00, QST 9.975 % of 200.00 is 19.95; both come back. 229.95 are owed. Sold are 100.00 with 5.00 GST,
// so that 5.00 - 10.00 - 19.95 = -24.95 is to be remitted: the tax office owes it.
func TestBillWithRecoverableTaxes(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate(tax.RateInput{Code: "GST", Name: "GST", Percent: dec("5")})
	b.rate(tax.RateInput{Code: "QST", Name: "QST", Percent: dec("9.975"), InputAccount: b.account("1300")})
	payee := b.payee("Atlas Paper")
	bill := b.entered(payables.BillInput{CustomerID: payee.ID, Reference: "A-77", IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"),
		Lines: []billing.InvoiceLineInput{line("Paper", "10", "20", "GST", "QST")}})
	if bill.Number != "BILL-0001" || bill.Total != amount("229.95", eur) || bill.Reference != "A-77" || bill.Open() != bill.Total {
		t.Errorf("entered %s over %s, of %q, open %s", bill.Number, bill.Total, bill.Reference, bill.Open())
	}
	if got, want := b.balances(), "1300 19.95 EUR, 2100 -229.95 EUR, 2200 10.00 EUR, 5300 200.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara"})
		if err != nil {
			return err
		}
		i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, IssueDate: day("2026-03-05"), Lines: []billing.InvoiceLineInput{line("Work", "1", "100", "GST")}})
		if err != nil {
			return err
		}
		if _, err := billing.IssueInvoice(ctx, tx, i.ID, 0); err != nil {
			return err
		}
		r, err := report.TaxesOf(ctx, tx, report.Accrual, report.Period{From: day("2026-03-01"), To: day("2026-03-31")})
		if err != nil {
			return err
		}
		want := report.TaxSum{Tax: amount("-24.95", eur), Posted: amount("-24.95", eur), Other: amount("0.00", eur)}
		if len(r.Sums) != 1 || r.Sums[0] != want || r.Remit != want.Tax || len(r.Rows) != 3 {
			t.Errorf("taxes are %+v in %d rows, want %+v", r.Sums, len(r.Rows), want)
		}
		for _, row := range r.Rows {
			docs, err := report.TaxDocuments(ctx, tx, report.Accrual, report.Period{}, report.TaxFilter{Rate: row.Rate, Percent: row.Percent, Input: row.Input})
			if err != nil || len(docs) != 1 || docs[0].Tax != row.Tax || (docs[0].Kind == "bill") != row.Input {
				t.Errorf("behind %s (input %v) %s is %+v, %v", row.Code, row.Input, row.Tax, docs, err)
			}
		}
		paid, err := report.TaxesOf(ctx, tx, report.Cash, report.Period{From: day("2026-03-01"), To: day("2026-03-31")})
		if err == nil && len(paid.Rows) != 0 {
			t.Errorf("before anything is paid, taxes as paid are %+v", paid.Rows)
		}
		return err
	})
}

// 100.00 with 23 % that does not come back is a cost of 123.00; with 23 % that does, a cost of 100.00.
func TestBillWithTaxThatDoesNotComeBack(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate(tax.RateInput{Code: "VAT", Name: "VAT", Percent: dec("23")})
	b.rate(tax.RateInput{Code: "VATX", Name: "VAT on cars", Percent: dec("23"), Unrecoverable: true})
	payee := b.payee("Harbour Garage").ID
	bill := b.entered(payables.BillInput{CustomerID: payee, Lines: []billing.InvoiceLineInput{
		{Description: "Hire of a car", Quantity: dec("1"), UnitPrice: dec("100"), TaxCodes: []string{"VATX"}, AccountID: b.account("5400")},
		line("Fuel", "1", "50", "VAT")}})
	if bill.Total != amount("184.50", eur) || bill.Tax != amount("34.50", eur) {
		t.Errorf("the bill comes to %s with %s of tax", bill.Total, bill.Tax)
	}
	if got, want := b.balances(), "2100 -184.50 EUR, 2200 11.50 EUR, 5300 50.00 EUR, 5400 123.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		r, err := report.TaxesOf(ctx, tx, report.Accrual, report.Period{})
		if err == nil && (len(r.Rows) != 1 || r.Rows[0].Code != "VAT" || !r.Rows[0].Input || r.Rows[0].Tax != amount("11.50", eur)) {
			t.Errorf("what comes back is %+v", r.Rows)
		}
		return err
	})
}

// 110 dollars at 1.10 are 100.00 euros when the bill comes. At 1.25 they are 88.00 when it is paid: 12.00 gained. Taken back,
// nothing is gained.
func TestForeignBillGainsWhenTheEuroRises(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-03-02", "1.10")
	b.euro("2026-03-20", "1.25")
	payee := b.payee("Overseas Ltd").ID
	bill := b.entered(payables.BillInput{CustomerID: payee, Currency: usd, IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"),
		Lines: []billing.InvoiceLineInput{line("Hosting", "1", "110")}})
	p := b.pay(payables.Paying{Payee: payee, Date: day("2026-03-20"), Parts: []payables.Part{{Bill: bill.ID, Amount: bill.Total}}})
	if got, want := b.balances(), "1010 -110.00 USD, 1150 12.00 EUR, 4860 -12.00 EUR, 5300 110.00 USD"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, p.ID)
		return err
	})
	if got, want := b.balances(), "2100 -110.00 USD, 5300 110.00 USD"; got != want {
		t.Errorf("taken back, the books have %s, want %s", got, want)
	}
	if left := b.bill(bill.ID).Open(); left != bill.Total {
		t.Errorf("%s is open again, of %s", left, bill.Total)
	}
}

// 110 dollars owed at 1.10 are 100.00 euros, and a credit of 55 at 1.25 is 44.00. What it settles was owed as 50.00: 6.00 gained.
// Taken back, nothing is gained.
func TestForeignCreditGains(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-03-02", "1.10")
	b.euro("2026-03-20", "1.25")
	in := payables.BillInput{CustomerID: b.payee("Overseas Ltd").ID, Currency: usd, IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"),
		Lines: []billing.InvoiceLineInput{line("Hosting", "1", "110")}}
	bill := b.entered(in)
	in.IssueDate, in.Lines[0].UnitPrice = day("2026-03-20"), dec("55")
	credit := b.credit(in)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return billing.ApplyPayeeCredit(ctx, tx, credit.ID, bill.ID, money.Amount{})
	})
	if got, want := b.balances(), "1150 6.00 EUR, 2100 -55.00 USD, 4860 -6.00 EUR, 5300 55.00 USD"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return billing.UnapplyPayeeCredit(ctx, tx, credit.ID, bill.ID)
	})
	if got, want := b.balances(), "2100 -55.00 USD, 5300 55.00 USD"; got != want {
		t.Errorf("taken back, the books have %s, want %s", got, want)
	}
}

// A payment whose gain waits for a rate is taken back before the rate comes: then there is nothing left to tell.
func TestTakenBackBeforeTheRateCame(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee := b.payee("Overseas Ltd").ID
	bill := b.entered(payables.BillInput{CustomerID: payee, Currency: usd, IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"),
		Lines: []billing.InvoiceLineInput{line("Hosting", "1", "110")}})
	pay := payables.Paying{Payee: payee, Date: day("2026-03-20"), Parts: []payables.Part{{Bill: bill.ID, Amount: bill.Total}}}
	p := b.pay(pay)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, p.ID)
		return err
	})
	b.euro("2026-03-02", "1.10")
	b.euro("2026-03-20", "1.25")
	b.euro("2026-11-01", "1.40")
	if got, want := b.balances(), "2100 -110.00 USD, 5300 110.00 USD"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.pay(pay)
	if got, want := b.balances(), "1010 -110.00 USD, 1150 12.00 EUR, 4860 -12.00 EUR, 5300 110.00 USD"; got != want {
		t.Errorf("paid again, the books have %s, want %s", got, want)
	}
}

func TestSameBillTwice(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee, other := b.payee("Atlas Paper").ID, b.payee("Borealis").ID
	in := payables.BillInput{CustomerID: payee, Reference: "2026-17", Lines: []billing.InvoiceLineInput{line("Paper", "1", "10")}}
	first := b.entered(in)
	in.Reference = "2026-17 "
	b.refuses(payables.ErrBillTwice, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.DraftBill(ctx, tx, in)
		return err
	})
	theirs := in
	theirs.CustomerID = other
	b.draft(theirs)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.VoidBill(ctx, tx, billing.Bill, first.ID, 0)
		return err
	})
	if second := b.entered(in); second.Number != "BILL-0002" {
		t.Errorf("after the first is void, the second is %s", second.Number)
	}
	if got, want := b.balances(), "2100 -10.00 EUR, 5300 10.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
}

func TestBillNeedsAPayeeAndACost(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var customer billing.Customer
	var plain billing.Payee
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if customer, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara"}); err != nil {
			return err
		}
		plain, err = billing.AddPayee(ctx, tx, billing.PayeeInput{CustomerInput: billing.CustomerInput{Name: "Plain"}})
		return err
	})
	draft := func(in payables.BillInput) func(ctx context.Context, tx *tenant.Tx) error {
		return func(ctx context.Context, tx *tenant.Tx) error {
			_, err := payables.DraftBill(ctx, tx, in)
			return err
		}
	}
	lines := []billing.InvoiceLineInput{line("Paper", "1", "10")}
	b.refuses(billing.ErrPayeeUnknown, draft(payables.BillInput{CustomerID: customer.ID, Lines: lines}))
	b.refuses(billing.ErrExpenseAccount, draft(payables.BillInput{CustomerID: plain.ID, Lines: lines}))
	lines[0].AccountID = b.account("2100")
	b.refuses(billing.ErrAccountUnknown, draft(payables.BillInput{CustomerID: plain.ID, Lines: lines}))
	b.refuses(billing.ErrCustomerUnknown, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: plain.ID, Lines: []billing.InvoiceLineInput{line("Work", "1", "10")}})
		return err
	})
	b.refuses(billing.ErrCustomerNotFound, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.CustomerByID(ctx, tx, plain.ID)
		return err
	})
	b.refuses(billing.ErrPayeeNotFound, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.PayeeByID(ctx, tx, customer.ID)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := billing.BuyFromCustomer(ctx, tx, customer.ID); err != nil {
			return err
		}
		if _, err := billing.SellToPayee(ctx, tx, plain.ID); err != nil {
			return err
		}
		customers, err := billing.Customers(ctx, tx, billing.CustomerFilter{}, cursor.Query{})
		if err != nil {
			return err
		}
		payees, err := billing.Payees(ctx, tx, billing.PayeeFilter{}, cursor.Query{})
		if len(customers.Items) != 2 || len(payees.Items) != 2 {
			t.Errorf("%d customers and %d payees, want both to be both", len(customers.Items), len(payees.Items))
		}
		return err
	})
}

// One payment over two bills in part and whole, with 30.00 in advance; the rest of the first is paid by that and by a credit.
func TestOnePaymentOverSeveralBills(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee := b.payee("Atlas Paper").ID
	bill := func(date, price string) payables.Bill {
		return b.entered(payables.BillInput{CustomerID: payee, IssueDate: day(date), DueDate: day(date).AddDays(14), Lines: []billing.InvoiceLineInput{line("Paper", "1", price)}})
	}
	first, second := bill("2026-03-02", "100"), bill("2026-03-09", "50")
	p := b.pay(payables.Paying{Payee: payee, Date: day("2026-03-10"), Amount: amount("140", eur), Reference: "run 7",
		Parts: []payables.Part{{Bill: first.ID, Amount: amount("60", eur)}, {Bill: second.ID, Amount: amount("50", eur)}}})
	if p.Left != amount("30.00", eur) || len(p.Parts) != 2 || p.Parts[0].Number != "BILL-0001" {
		t.Errorf("paid %+v", p)
	}
	if got, want := b.aged("2026-03-10"), []string{"40.00", "0.00", "0.00", "0.00", "0.00", "-30.00", "10.00"}; !slices.Equal(got, want) {
		t.Errorf("aged payables are %v, want %v", got, want)
	}
	credit := b.credit(payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-11"), Lines: []billing.InvoiceLineInput{line("Spoilt paper", "1", "15")}})
	if credit.Number != "PC-0001" {
		t.Errorf("the credit is %s", credit.Number)
	}
	third := bill("2026-03-12", "30")
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		if err := billing.ApplyPayeeCredit(ctx, tx, credit.ID, first.ID, money.Amount{}); err != nil {
			return err
		}
		_, err := payables.ApplyAdvance(ctx, tx, p.ID, third.ID, money.Amount{})
		return err
	})
	if is := b.bill(third.ID); is.Standing(day("2026-03-20")) != billing.StandingPaid || len(is.Payments) != 1 || is.Payments[0].Amount != amount("30.00", eur) {
		t.Errorf("the third bill is %s, by %+v", is.Standing(day("2026-03-20")), is.Payments)
	}
	if is := b.bill(first.ID); is.Open() != amount("25.00", eur) || len(is.Credits) != 1 || is.Credits[0].Number != "PC-0001" {
		t.Errorf("%s of the first bill is open, credited by %+v", is.Open(), is.Credits)
	}
	if got, want := b.balances(), "1010 -140.00 EUR, 2100 -25.00 EUR, 5300 165.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.refuses(payables.ErrNothingLeft, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.ApplyAdvance(ctx, tx, p.ID, first.ID, money.Amount{})
		return err
	})
	b.refuses(payables.ErrPaymentPart, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.PayBills(ctx, tx, payables.Paying{Payee: payee, Method: billing.Cash, Parts: []payables.Part{{Bill: second.ID, Amount: amount("0.01", eur)}}})
		return err
	})
	b.refuses(billing.ErrVoidSettled, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.VoidBill(ctx, tx, billing.Bill, second.ID, 0)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		back, err := payables.TakeBack(ctx, tx, p.ID)
		if back.TakenBackOn.IsZero() || back.BackEntry == 0 {
			t.Errorf("taken back is %+v", back)
		}
		return err
	})
	b.refuses(payables.ErrTakenBack, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, p.ID)
		return err
	})
	if is := b.bill(first.ID); is.Open() != amount("85.00", eur) {
		t.Errorf("%s of the first bill is open again", is.Open())
	}
	if got, want := b.aged("2026-03-10"), []string{"40.00", "0.00", "0.00", "0.00", "0.00", "-30.00", "10.00"}; !slices.Equal(got, want) {
		t.Errorf("taken back later, aged payables of that day are %v, want them as they were: %v", got, want)
	}
}

func TestExpensePaidAtOnce(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var e payables.Bill
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = payables.RecordExpense(ctx, tx, payables.ExpenseInput{NewPayee: "Taxi Rossio", Method: billing.Cash, AccountID: b.account("1000"),
			BillInput: payables.BillInput{IssueDate: day("2026-03-02"), Lines: []billing.InvoiceLineInput{{Description: "To the airport", Quantity: dec("1"), UnitPrice: dec("18.50"), AccountID: b.account("5400")}}},
			Receipt:   &billing.FileInput{Name: "taxi.txt", Bytes: []byte("18.50, thank you")}})
		return err
	})
	if e.Standing(day("2026-03-02")) != billing.StandingPaid || e.Customer.Name != "Taxi Rossio" || len(e.Payments) != 1 {
		t.Errorf("kept %+v", e)
	}
	if got, want := b.balances(), "1000 -18.50 EUR, 5400 18.50 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		files, err := billing.AttachedFiles(ctx, tx, billing.InvoiceID(e.ID))
		if len(files) != 1 || files[0].Name != "taxi.txt" {
			t.Errorf("attached are %+v", files)
		}
		return err
	})
}

// What is bought is seen where it should be, and nowhere that sales are: the same questions give the same answers before and
// after bills, credits and payments of them.
func TestSalesDoNotSeeWhatIsBought(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate(tax.RateInput{Code: "VAT", Name: "VAT", Percent: dec("23"), InputAccount: b.account("1300")})
	var both billing.Customer
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if both, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara"}); err != nil {
			return err
		}
		if _, err = billing.BuyFromCustomer(ctx, tx, both.ID); err != nil {
			return err
		}
		i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: both.ID, IssueDate: day("2026-03-02"), DueDate: day("2026-03-12"),
			Lines: []billing.InvoiceLineInput{line("Work", "1", "100", "VAT")}})
		if err != nil {
			return err
		}
		if _, err = billing.IssueInvoice(ctx, tx, i.ID, 0); err != nil {
			return err
		}
		_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: i.ID, Method: billing.Cash, Amount: amount("23", eur), Date: day("2026-03-03")})
		return err
	})
	before := b.sales(both.ID)
	cost := payables.BillInput{CustomerID: both.ID, IssueDate: day("2026-03-02"), DueDate: day("2026-03-12"),
		Lines: []billing.InvoiceLineInput{{Description: "Paper", Quantity: dec("1"), UnitPrice: dec("1000"), AccountID: b.account("5300"), TaxCodes: []string{"VAT"}}}}
	bill := b.entered(cost)
	b.draft(cost)
	credit := b.credit(cost)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return billing.ApplyPayeeCredit(ctx, tx, credit.ID, bill.ID, amount("100", eur))
	})
	b.pay(payables.Paying{Payee: both.ID, Date: day("2026-03-04"), Amount: amount("500", eur), Parts: []payables.Part{{Bill: bill.ID, Amount: amount("400", eur)}}})
	if after := b.sales(both.ID); after != before {
		t.Errorf("sales were\n%s\nand are\n%s", before, after)
	}
	// The credit was applied today: on that day it stood beside the bill.
	if got, want := b.aged("2026-03-31"), []string{"0.00", "830.00", "0.00", "0.00", "0.00", "-1330.00", "-500.00"}; !slices.Equal(got, want) {
		t.Errorf("aged payables are %v, want %v", got, want)
	}
}

// What is owed in dollars is worth less when the euro rises: 110 dollars owed and 55 paid in advance at 1.10 are 100.00 and 50.00
// euros; at 1.25 they are 88.00 and 44.00. 12.00 less is owed, and 6.00 less is had.
func TestRevaluationOfWhatIsOwed(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-03-02", "1.10")
	b.euro("2026-03-31", "1.25")
	payee := b.payee("Overseas Ltd").ID
	in := payables.BillInput{CustomerID: payee, Currency: usd, IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"), Lines: []billing.InvoiceLineInput{line("Hosting", "1", "110")}}
	bill := b.entered(in)
	p := b.pay(payables.Paying{Payee: payee, Date: day("2026-03-02"), Account: b.account("2500"), Amount: amount("55", usd)})
	check := func(want map[string]string) {
		t.Helper()
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			v, err := currency.ValuationOn(ctx, tx, day("2026-03-31"))
			got := map[string]string{}
			for _, x := range v.Positions {
				got[x.Code] = x.Balance.String() + " " + x.Carried.String() + " " + x.Worth.String() + " " + x.Gain.String()
			}
			if !maps.Equal(got, want) {
				t.Errorf("there is %v, want %v", got, want)
			}
			return err
		})
	}
	check(map[string]string{"2100": "-55.00 -50.00 -44.00 6.00"})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		_, err = payables.VoidBill(ctx, tx, billing.Bill, bill.ID, 0)
		return err
	})
	// Undone today, so that on that day all stood as it did.
	check(map[string]string{"2100": "-55.00 -50.00 -44.00 6.00"})
}

// On a cash basis a tax comes back as its bill is paid: 20.00 of tax on 120.00, of which 60.00 are paid in March and the rest
// in April; what is taken back in May is owed to the tax office again.
func TestInputTaxAsBillsArePaid(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.rate(tax.RateInput{Code: "VAT", Name: "VAT", Percent: dec("20")})
	payee := b.payee("Atlas Paper").ID
	bill := b.entered(payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"), Lines: []billing.InvoiceLineInput{line("Paper", "1", "100", "VAT")}})
	half := []payables.Part{{Bill: bill.ID, Amount: amount("60", eur)}}
	b.pay(payables.Paying{Payee: payee, Date: day("2026-03-20"), Parts: half})
	second := b.pay(payables.Paying{Payee: payee, Date: day("2026-04-20"), Parts: half})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.TakeBack(ctx, tx, second.ID)
		return err
	})
	for month, want := range map[[2]string]string{{"2026-03-01", "2026-03-31"}: "-10.00", {"2026-04-01", "2026-04-30"}: "-10.00", {"2026-05-01", "2027-12-31"}: "10.00"} {
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			r, err := report.TaxesOf(ctx, tx, report.Cash, report.Period{From: day(month[0]), To: day(month[1])})
			if r.Remit.String() != want {
				t.Errorf("from %s on %s is to be remitted, want %s", month[0], r.Remit, want)
			}
			return err
		})
	}
}

// What was bought is spent when it is entered, and leaves when it is paid.
func TestResultAndCashFlowOfABill(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	payee := b.payee("Atlas Paper").ID
	bill := b.entered(payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-02"), DueDate: day("2026-04-01"), Lines: []billing.InvoiceLineInput{line("Paper", "1", "100")}})
	b.pay(payables.Paying{Payee: payee, Date: day("2026-04-20"), Parts: []payables.Part{{Bill: bill.ID, Amount: amount("40", eur)}}})
	for month, want := range map[[2]string][2]string{{"2026-03-01", "2026-03-31"}: {"100.00", "0.00"}, {"2026-04-01", "2026-04-30"}: {"0.00", "-40.00"}} {
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			period := report.Period{From: day(month[0]), To: day(month[1])}
			result, err := report.ProfitAndLoss(ctx, tx, period, eur)
			if err != nil {
				return err
			}
			flow, err := report.CashFlow(ctx, tx, period, eur)
			if err != nil {
				return err
			}
			got := [2]string{first(result, "expenses"), first(flow, "expenses")}
			if got != want {
				t.Errorf("from %s on spent and gone are %v, want %v", month[0], got, want)
			}
			return nil
		})
	}
}

// first is the sum of a section in its first column; nothing for a section that is not there.
func first(t report.Table, key string) string {
	for _, s := range t.Sections {
		if s.Key == key && len(s.Sum) > 0 {
			return s.Sum[0].String()
		}
	}
	return "0.00"
}
