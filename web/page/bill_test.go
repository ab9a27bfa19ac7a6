package page

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

func sampleBill(state string) payables.Bill {
	b := payables.Bill{PurchaseHead: billing.PurchaseHead{ID: id.New[billing.Document](), DocumentHead: billing.DocumentHead{State: state, Customer: hugh,
		IssueDate: today.AddDays(-30), DueDate: today.AddDays(-2), Currency: eur, Reference: "A-77 <b>", Note: "Thank you.", Net: euros(10000), Tax: euros(2300),
		Total: euros(12300), Settled: euros(0), CreatedAt: now, Version: 2, Today: today}},
		DocumentBody: billing.DocumentBody{Lines: []billing.InvoiceLine{{Line: 1, Description: "Paper & ink", Quantity: decimal.NewFromInt(2), UnitPrice: decimal.NewFromInt(50),
			Account: current.ID, Net: euros(10000), Taxes: []billing.LineTax{{Rate: vat.ID, Code: vat.Code, Name: vat.Name, Percent: vat.Percent, Base: euros(10000), Amount: euros(2300)}}}}}}
	if state != billing.Draft {
		b.Number, b.Entry, b.EntryNumber, b.Settled = "BILL-0001", id.New[ledger.Entry](), 12, euros(2300)
		b.Payments = []billing.InvoicePayment{{ID: id.New[billing.Payment](), Date: today, Amount: euros(2200), Method: billing.Cash, Reference: "till"}, {Date: today, Amount: euros(-100), Method: billing.Cash}}
		b.Credits = []billing.CreditApplied{{CreditNote: id.New[billing.CreditNote](), Invoice: id.New[billing.Invoice](), Number: "PC-0001", Date: today, Amount: euros(100)}}
	}
	return b
}

func billSamples() map[string]any {
	entered, draft := sampleBill(billing.Issued), sampleBill(billing.Draft)
	recurring := sampleBill(billing.Draft)
	recurring.Repeat = billing.Repeat{Unit: "month", Every: 3, On: today.AddDays(9), Problem: "payee.archived"}
	days := 14
	payee := billing.Payee{Customer: hugh, PayeeTermsDays: &days}
	accounts := map[string]string{current.ID.String(): "1010 Current account"}
	options := []Option{{Value: "x", Label: "5000 Goods", Group: "Expenses"}}
	missing := fault.New(fault.Invalid, "text.missing", "Fill this in.")
	form := NewForm("currency", "EUR", "payee_id", "x")
	form.Key = "k"
	rows := []BillRow{{entered.PurchaseHead, "/x", "overdue"}, {draft.PurchaseHead, "/y", "draft"}}
	pay := PayingBill{entered.PurchaseHead, "paid_" + entered.ID.String(), "/x"}
	payment := payables.Payment{ID: id.New[billing.Payment](), Payee: hugh.ID, PayeeName: hugh.Name, Date: today, Amount: euros(5000), Left: euros(1000), Method: billing.Cheque, Reference: "run 7",
		AccountName: "Current account", Entry: id.New[ledger.Entry](), EntryNumber: 14, CreatedAt: now, Parts: []payables.PaidPart{{Bill: entered.ID, Number: "BILL-0001", Reference: "A-77", Amount: euros(4000), Date: today}}}
	column := ColumnOf(eur, euros(1))
	return map[string]any{
		"payees":     Payees{Shell: sampleShell("Payees", "payees"), Items: []billing.Payee{payee}, Tabs: sampleTabs(), Find: Find{URL: "/x", Label: "Name"}},
		"payee":      Payee{Shell: sampleShell("Hugh", "payees"), Payee: payee, Account: "5000 Goods", Owed: []billing.PurchaseSum{{Open: euros(900), Overdue: euros(100)}}, Bills: rows, More: true, Acts: []Act{sampleAct()}, SoldKey: "k"},
		"payee-edit": PayeeForm{Shell: sampleShell("Change payee", "payees"), Form: refused(form, missing.At("name")), Action: "/x", Back: "/y", Does: "Save payee", Name: "Hugh", Accounts: options},
		"bills": Bills{Shell: sampleShell("Bills", "bills"), Periods: samplePeriods(), Say: "What you were sent to pay.", New: "New bill", NewURL: "/x", Left: "Open", CSV: "/x.csv", Choose: "chosen", ChosenURL: "/x/chosen", ChosenKey: "k9", Methods: Methods(), MayExpense: true, Tabs: sampleTabs(),
			Find: Find{URL: "/x", Label: "Number"}, Sums: []billing.PurchaseSum{{Open: euros(900), Overdue: euros(100)}}, Rows: rows, Column: column},
		"bill": Bill{Shell: sampleShell("BILL-0001", "bills"), Form: form, Kind: "bill", Bill: entered, Shown: "overdue", At1: "/x", List: "Bills", ListURL: "/y", Accounts: accounts, Acts: []Act{sampleAct()},
			Pay: "/pay", Files: []File{{Name: "receipt.pdf", Size: "320 kB", URL: "/f", Acts: []Act{sampleAct()}}}, FileKey: "k"},
		"pay-bills":     Paying{Shell: sampleShell("Pay Hugh", "bills"), Form: refused(form, missing.At(pay.Field)), Payee: payee, Currency: eur, Bills: []PayingBill{pay}, Methods: Methods(), Accounts: options},
		"bill-payment":  BillPayment{Shell: sampleShell("Payment to Hugh", "bill-payments"), Form: form, Payment: payment, Acts: []Act{sampleAct()}, Open: options, MoneyBack: GiveBack{Comes: true, Action: "/back", Form: backForm(), Currency: eur, Methods: Methods(), Accounts: options}},
		"bill-payments": BillPayments{Shell: sampleShell("Bill payments", "bill-payments"), Periods: samplePeriods(), Items: []payables.Payment{payment}, Column: column},
		"expense-edit":  Expense{Shell: sampleShell("Record an expense", "bills"), Form: refused(form, missing.At("amount")), Payees: options, Costs: options, Accounts: options, Taxes: options, Methods: Methods()},
	}
}

// The one template shows bills, credits and recurring bills, each with its own words.
func TestBillPageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	set := withSpecimen(t)
	sample := billSamples()["bill"].(Bill)
	draw := func(kind, shown string, b payables.Bill) string {
		s := sample
		s.Kind, s.Shown, s.Bill = kind, shown, b
		if kind == "recurring" {
			s.Made = []BillRow{{sampleBill(billing.Issued).PurchaseHead, "/made", "open"}}
		}
		if kind == "payee_credit" {
			s.MoneyBack = GiveBack{Comes: true, Action: "/back", Form: backForm(), Currency: eur, Methods: Methods()}
		}
		html := drawn(t, set, "bill", s)
		for _, complaint := range inspect(html) {
			t.Errorf("%s: %s", kind, complaint)
		}
		return html
	}
	recurring := sampleBill(billing.Draft)
	recurring.Repeat = billing.Repeat{Unit: "month", Every: 3, On: today.AddDays(9), Problem: "payee.archived"}
	for _, c := range []struct {
		html string
		want []string
	}{
		{draw("bill", "overdue", sampleBill(billing.Issued)), []string{"To pay", "was due", "Taken back", "PC-0001", `href="/pay"`}},
		{draw("bill", "draft", sampleBill(billing.Draft)), []string{"Nothing is in the books until it is entered."}},
		{draw("payee_credit", "open", sampleBill(billing.Issued)), []string{"Credit left", "What it settles", "Record what came back"}},
		{draw("recurring", "active", recurring), []string{"Each time", "Bills made of it", "because the payee is archived", `href="/made"`}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.html, want) {
				t.Errorf("it does not say %q", want)
			}
		}
	}
}

// The editor of documents writes what is bought, too: with a payee, a cost for each line, and how often it comes.
func TestEditorOfWhatIsBought(t *testing.T) {
	t.Parallel()
	sample := memberSamples()["invoice-edit"].(InvoiceForm)
	sample.Bought, sample.Repeats, sample.MayIssue = true, true, false
	sample.Words.Save, sample.Accounts = "Save", []Option{{Value: "x", Label: "5000 Goods", Group: "Expenses"}}
	html := drawn(t, withSpecimen(t), "invoice-edit", sample)
	for _, complaint := range inspect(html) {
		t.Error(complaint)
	}
	for _, want := range []string{">Payee<", "How often", "5000 Goods", `name="lines[0].account_id"`, `name="every"`} {
		if !strings.Contains(html, want) {
			t.Errorf("it does not have %q", want)
		}
	}
	for _, not := range []string{"purchase_order", "Save draft", `value="issue"`} {
		if strings.Contains(html, not) {
			t.Errorf("it has %q", not)
		}
	}
}
