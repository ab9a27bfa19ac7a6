package web

import (
	"cmp"
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNoBillsChosen = fault.New(fault.Invalid, "chosen.no_bills", "Tick the bills first, then say what to do with them.")

// billFields are what the address of the list says, beside where its page begins.
var billFields = []string{"standing", "payee", "q", "period", "from", "to"}

// billFilter reads what the address leaves of a list.
func (v *visit) billFilter(tx *tenant.Tx, k billing.PurchaseKind) (f billing.PurchaseFilter, err error) {
	f = billing.PurchaseFilter{Standing: billing.Standing(v.query("standing")), Search: v.find("", "").Search}
	if f.Payee, err = bodyID[billing.Customer]("payee", v.query("payee")); err != nil {
		return f, err
	}
	if f.From, f.To, err = v.listDays(tx); err != nil {
		return f, err
	}
	if k == billing.PayeeCredit {
		f = openCredits(f)
	}
	return f, nil
}

// offerForBills says what the list offers its reader beside looking.
func (v *visit) offerForBills(k billing.PurchaseKind, d desk, data *page.Bills) {
	if v.may(rightTo(authz.Export, authz.Bills)) {
		data.CSV = v.kept(d.path+".csv", billFields)
	}
	if k != billing.Bill || !v.may(rightTo(authz.Approve, authz.Bills)) {
		return
	}
	data.Choose, data.ChosenURL, data.ChosenKey, data.Methods = "chosen", v.kept("bills/chosen", billFields), newFormKey(), page.Methods()
}

// sendBillsCSV gives exactly what the address leaves of a list.
func sendBillsCSV(v *visit, k billing.PurchaseKind) error {
	var filter billing.PurchaseFilter
	return sendListFile(v, listFile[billing.PurchaseHead]{
		name: deskOf(k).path + ".csv", object: "bill",
		head:   []any{"number", "state", "payee", "company", "their_number", "dated", "due", "currency", "net", "tax", "total", "open"},
		narrow: func(tx *tenant.Tx) (err error) { filter, err = v.billFilter(tx, k); return err },
		read: func(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.PurchaseHead], error) {
			return billing.Purchases(ctx, tx, k, filter, q)
		},
		id: func(h billing.PurchaseHead) uuid.UUID { return h.ID.UUID },
		row: func(h billing.PurchaseHead) []any {
			return []any{h.Number, billStanding(k, h), h.Customer.Name, h.Customer.Company, h.Reference,
				h.IssueDate, h.DueDate, h.Currency.Code(), h.Net, h.Tax, h.Total, h.Open()}
		},
	})
}

// chosenBills are what can be done with several bills at once.
func chosenBills() chosenList {
	return chosenList{path: "bills", fields: billFields, one: "bill", many: "bills", none: errNoBillsChosen,
		show: func(v *visit, status int, form page.Form) error { return showBills(v, billing.Bill, status, form) },
		name: func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID) (string, error) {
			b, err := billing.PurchaseByID(ctx, tx, billing.Bill, payables.BillID{UUID: thing})
			return cmp.Or(b.Number, "the draft of "+b.Customer.Name), err
		},
		acts: map[string]chosenAct{
			"enter": {"Entered", func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, _ url.Values) error {
				_, err := payables.EnterBill(ctx, tx, billing.Bill, payables.BillID{UUID: thing}, 0)
				return err
			}},
			"pay": {"Paid", payChosenBill},
			"void": {"Voided", func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, _ url.Values) error {
				_, err := payables.VoidBill(ctx, tx, billing.Bill, payables.BillID{UUID: thing}, 0)
				return err
			}},
		}}
}

// payChosenBill records a payment of all that is open on a bill, from the account whose purpose is bank.
func payChosenBill(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, sent url.Values) error {
	bill, err := billing.PurchaseByID(ctx, tx, billing.Bill, payables.BillID{UUID: thing})
	if err != nil {
		return err
	}
	in := payables.Paying{Payee: bill.Customer.ID, Method: billing.Method(sent.Get("method")), Parts: []payables.Part{{Bill: bill.ID, Amount: bill.Open()}}}
	if in.Date, err = bodyDate("date", trimmed(sent, "date")); err != nil {
		return err
	}
	_, err = payables.PayBills(ctx, tx, in)
	return err
}
