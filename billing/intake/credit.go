package intake

import (
	"context"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrCreditKind refuses a word in the column kind of a file of credits.
var ErrCreditKind = fault.New(fault.Invalid, "import.credit_kind", "Write credit_note for one of ours, or payee_credit for one of a payee's.")

// credit is one row of a file of credits: what of a credit settles a document.
type credit struct {
	kind, key, document string
	on                  civil.Date
	amount              money.Amount
}

// takeCredits lets credit notes settle invoices, and payees' credits bills. A row that the books have is passed over; where the
// file has more, the rest is applied, and where it has less it is refused.
func (t *Table) takeCredits(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	all, wanted := make([]credit, len(t.rows)), map[string][]string{}
	for i, r := range t.rows {
		all[i] = t.readCredit(r)
		wanted[all[i].kind] = append(wanted[all[i].kind], all[i].key)
		wanted[settledBy[all[i].kind]] = append(wanted[settledBy[all[i].kind]], all[i].document)
	}
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	documents := map[string]map[string]billing.DocumentID{}
	for kind, keys := range wanted {
		var err error
		if documents[kind], err = documentIDs(ctx, tx, kind, keys); err != nil {
			return err
		}
	}
	stored, err := storedCredits(ctx, tx)
	if err != nil {
		return err
	}
	for i, r := range t.rows {
		if err := t.takeCredit(ctx, tx, s, r, all[i], documents, stored); err != nil && !t.refusedBy(err, inCreditRow(r)) || t.faults.full() {
			return nil
		}
		progress(i + 1)
	}
	s.Things = len(t.rows)
	return nil
}

// settledBy is what each kind of credit settles.
var settledBy = map[string]string{"credit_note": "invoice", "payee_credit": "bill"}

func (t *Table) readCredit(r row) credit {
	c := credit{kind: t.text(r, "kind"), key: t.key(r, "credit_external_id"), document: t.key(r, "document_external_id"), on: t.date(r, "applied_on"),
		amount: t.amount(r, "amount", t.currency(r))}
	if c.kind == "" {
		c.kind = "credit_note"
	}
	if settledBy[c.kind] == "" {
		t.refuseCell(r, "kind", ErrCreditKind)
	}
	return c
}

// inCreditRow is inRow, but for the field that is called otherwise in a file.
func inCreditRow(r row) func(string) (row, string) {
	return func(field string) (row, string) {
		if field == "invoice_id" || field == "" {
			field = "document_external_id"
		}
		return r, field
	}
}

func (t *Table) takeCredit(ctx context.Context, tx *tenant.Tx, s *Summary, r row, c credit, documents map[string]map[string]billing.DocumentID, stored map[[2]billing.DocumentID]int64) error {
	from, to := documents[c.kind][c.key], documents[settledBy[c.kind]][c.document]
	if from.IsZero() {
		t.missing(r, "credit_external_id", "credit", c.key)
	}
	if to.IsZero() {
		t.missing(r, "document_external_id", settledBy[c.kind], c.document)
	}
	if from.IsZero() || to.IsZero() {
		return nil
	}
	if err := s.add(c.amount); err != nil {
		return err
	}
	pair := [2]billing.DocumentID{from, to}
	minor, there := stored[pair]
	switch {
	case minor == c.amount.Minor && there:
		s.Unchanged++
		return nil
	case minor > c.amount.Minor:
		t.refuseCell(r, "amount", differs("Credit", c.key, "and settles more of this document"))
		return nil
	case there:
		s.Changed++
	default:
		s.Added++
	}
	stored[pair] = c.amount.Minor
	c.amount.Minor -= minor
	if c.amount.Sign() <= 0 {
		return billing.ErrCreditAmount
	}
	if c.kind == "payee_credit" {
		return billing.ApplyPayeeCreditOn(ctx, tx, from, to, c.amount, c.on)
	}
	_, err := billing.ApplyCreditNoteOn(ctx, tx, billing.CreditNoteID(from), billing.InvoiceID(to), c.amount, c.on)
	return err
}
