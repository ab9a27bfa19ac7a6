package intake

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/tenant"
)

// paper is a kind of document that files hold: what its columns are called, and how one is kept.
type paper struct {
	kind  string // as it is stored
	said  string // at the start of a sentence
	party string // customer or payee
	total string // the column of what it comes to
	keep  func(ctx context.Context, tx *tenant.Tx, v *document, in billing.DocumentInput) (kept, error)
}

// kept is a document that was kept.
type kept struct {
	id          uuid.UUID
	total, open money.Amount
}

func (p paper) partyColumn() string { return p.party + "_external_id" }

var papers = map[Shape]paper{
	Invoices:     {"invoice", "Invoice", "customer", "invoice_total", keepInvoice},
	CreditNotes:  {"credit_note", "Credit note", "customer", "credit_note_total", keepCreditNote},
	Bills:        {"bill", "Bill", "payee", "bill_total", keepPurchase(billing.Bill, payables.DraftBill)},
	PayeeCredits: {"payee_credit", "Payee credit", "payee", "payee_credit_total", keepPurchase(billing.PayeeCredit, payables.DraftCredit)},
}

func keepInvoice(ctx context.Context, tx *tenant.Tx, _ *document, in billing.DocumentInput) (kept, error) {
	drafted, err := billing.DraftInvoice(ctx, tx, in)
	if err != nil {
		return kept{}, err
	}
	issued, err := billing.IssueInvoice(ctx, tx, drafted.ID, drafted.Version)
	return kept{issued.ID.UUID, issued.Total, issued.Open()}, err
}

// keepCreditNote keeps one by its own figures or, where it takes lines of an invoice back, by the invoice's. It settles
// nothing: what it settles is told by a file of credits.
func keepCreditNote(ctx context.Context, tx *tenant.Tx, v *document, in billing.DocumentInput) (kept, error) {
	if v.origin == "" {
		drafted, err := billing.DraftCreditNote(ctx, tx, in)
		if err != nil {
			return kept{}, err
		}
		issued, err := billing.IssueCreditNote(ctx, tx, drafted.ID, drafted.Version)
		return kept{issued.ID.UUID, issued.Total, issued.Left()}, err
	}
	taken := billing.CreditInput{ExternalID: in.ExternalID, IssueDate: in.IssueDate, Reference: in.Reference, Keep: true}
	for _, line := range v.lines {
		taken.Lines = append(taken.Lines, billing.CreditLine{Line: line.origin, Quantity: line.quantity})
	}
	made, err := billing.CreditInvoice(ctx, tx, billing.InvoiceID{UUID: in.Origin.UUID}, 0, taken)
	return kept{made.ID.UUID, made.Total, made.Left()}, err
}

func keepPurchase(k billing.PurchaseKind, draft func(context.Context, *tenant.Tx, payables.BillInput) (payables.Bill, error)) func(context.Context, *tenant.Tx, *document, billing.DocumentInput) (kept, error) {
	return func(ctx context.Context, tx *tenant.Tx, _ *document, in billing.DocumentInput) (kept, error) {
		drafted, err := draft(ctx, tx, in)
		if err != nil {
			return kept{}, err
		}
		entered, err := payables.EnterBill(ctx, tx, k, drafted.ID, drafted.Version)
		return kept{entered.ID.UUID, entered.Total, entered.Open()}, err
	}
}
