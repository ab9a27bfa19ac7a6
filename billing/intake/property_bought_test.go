package intake_test

import (
	"context"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/tenant"
)

// buying is what is done with payees.
var buying = []string{"bill", "bill credit", "pay bills", "bill back", "apply bill", "money back"}

func (b *business) buy(ctx context.Context, tx *tenant.Tx, r *rapid.T, act string) (func(), error) {
	if act == "bill" || act == "bill credit" || len(b.bills) == 0 {
		return b.enterBill(ctx, tx, r, act == "bill credit")
	}
	bill, err := billing.PurchaseByID(ctx, tx, billing.Bill, rapid.SampledFrom(b.bills).Draw(r, "bill"))
	if err != nil {
		return nil, err
	}
	var made payables.Payment
	back := payables.Receiving{Method: billing.Cash, Date: someDay(r), ExternalID: orNone(r, "id", uuid.NewString())}
	switch {
	case act == "pay bills" || len(b.paid) == 0:
		in := payables.Paying{Payee: bill.Customer.ID, Date: someDay(r), Amount: bill.Total, Method: billing.Cheque, ExternalID: orNone(r, "id", uuid.NewString()), Reference: orNone(r, "reference", words(r, "reference")),
			Parts: []payables.Part{{Bill: bill.ID, Amount: money.Amount{Minor: max(1, bill.Total.Minor/3), Currency: bill.Currency}}}}
		if rapid.Bool().Draw(r, "in advance") {
			in.Parts = nil
		}
		made, err = payables.PayBills(ctx, tx, in)
		return func() { b.paid = append(b.paid, made.ID) }, err
	case act == "bill back":
		_, err = payables.TakeBack(ctx, tx, rapid.SampledFrom(b.paid).Draw(r, "payment"))
	case act == "money back" && rapid.Bool().Draw(r, "of an advance"):
		made, err = payables.ReceiveAdvance(ctx, tx, rapid.SampledFrom(b.paid).Draw(r, "payment"), back)
		return func() { b.paid = append(b.paid, made.ID) }, err
	case len(b.credits) == 0:
		return b.enterBill(ctx, tx, r, true)
	case act == "money back":
		made, err = payables.ReceiveCredit(ctx, tx, rapid.SampledFrom(b.credits).Draw(r, "credit"), back)
		return func() { b.paid = append(b.paid, made.ID) }, err
	default:
		err = billing.ApplyPayeeCredit(ctx, tx, rapid.SampledFrom(b.credits).Draw(r, "credit"), bill.ID, money.Amount{})
	}
	return nil, err
}

func (b *business) enterBill(ctx context.Context, tx *tenant.Tx, r *rapid.T, credit bool) (func(), error) {
	day := someDay(r)
	in := payables.BillInput{CustomerID: rapid.SampledFrom(b.payees).Draw(r, "payee"), IssueDate: day, DueDate: day.AddDays(rapid.IntRange(0, 60).Draw(r, "due in")), Currency: someCurrency(r),
		ExternalID: orNone(r, "id", uuid.NewString()), Reference: orNone(r, "reference", words(r, "reference")), PricesWithTax: rapid.Bool().Draw(r, "prices with tax")}
	if rapid.Bool().Draw(r, "less") {
		in.DiscountPercent = someDecimal(r, "less", 500, 1)
	}
	for range rapid.IntRange(1, 3).Draw(r, "lines") {
		in.Lines = append(in.Lines, billing.InvoiceLineInput{Description: words(r, "description"), Quantity: someDecimal(r, "quantity", 100_000, 3), UnitPrice: someDecimal(r, "price", 10_000_000, 4),
			AccountID: rapid.SampledFrom(b.accounts).Draw(r, "account"), TaxCodes: rapid.SampledFrom([][]string{nil, {"GST"}, {"GST", "QST"}}).Draw(r, "taxes")})
	}
	k, draft, list := billing.Bill, payables.DraftBill, &b.bills
	if credit {
		k, draft, list = billing.PayeeCredit, payables.DraftCredit, &b.credits
	}
	made, err := draft(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	_, err = payables.EnterBill(ctx, tx, k, made.ID, 0)
	return func() { *list = append(*list, made.ID) }, err
}
