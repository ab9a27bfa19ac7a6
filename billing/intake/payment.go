package intake

import (
	"context"
	"slices"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
)

// payment is a row of a file of payments.
type payment struct {
	row
	key, invoice string
	in           billing.PaymentInput
}

func (t *Table) takePayments(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	all := t.readPayments()
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	keys, invoices := make([]string, len(all)), make([]string, len(all))
	for i, p := range all {
		keys[i], invoices[i] = p.key, p.invoice
	}
	ids, err := invoiceIDs(ctx, tx, invoices)
	if err != nil {
		return err
	}
	stored, err := storedPayments(ctx, tx, keys)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b payment) int { return b.in.Date.DaysUntil(a.in.Date) })
	for i, p := range all {
		if goOn, err := t.takePayment(ctx, tx, s, p, ids[p.invoice], stored[p.key]); err != nil || !goOn {
			return err
		}
		progress(i + 1)
	}
	s.Things = len(all)
	return nil
}

func (t *Table) readPayments() []payment {
	all, lines := make([]payment, len(t.rows)), make(map[string]int, len(t.rows))
	for i, r := range t.rows {
		currency := t.currency(r)
		all[i] = payment{row: r, key: t.uniqueKey(r, lines), invoice: t.key(r, "invoice_external_id"), in: billing.PaymentInput{
			Date: t.date(r, "paid_on"), Amount: t.amount(r, "amount", currency),
			Method: billing.Method(t.text(r, "method")), Reference: t.text(r, "reference"),
		}}
		if all[i].in.Method == "" {
			all[i].in.Method = billing.Other
		}
	}
	return all
}

func (t *Table) takePayment(ctx context.Context, tx *tenant.Tx, s *Summary, p payment, invoice billing.InvoiceID, stored *storedPayment) (goOn bool, err error) {
	if invoice.IsZero() {
		t.missing(p.row, "invoice_external_id", "invoice", p.invoice)
		return !t.faults.full(), nil
	}
	if err := s.add(p.in.Amount); err != nil {
		return t.refusedBy(err, inRow(p.row)), nil
	}
	if stored != nil {
		s.Unchanged++
		if because := stored.differs(p, invoice); because != "" {
			t.refuseCell(p.row, "external_id", differs("Payment", p.key, because))
		}
		return !t.faults.full(), nil
	}
	s.Added++
	p.in.InvoiceID, p.in.ExternalID = invoice, p.key
	_, err = billing.RecordPayment(ctx, tx, p.in)
	if err == nil {
		return true, nil
	}
	return t.refusedBy(err, func(field string) (row, string) {
		switch field {
		case "date":
			return p.row, "paid_on"
		case "invoice_id", "":
			return p.row, "invoice_external_id"
		}
		return p.row, field
	}), nil
}

// differs says how the payment in the books is not the one in the file; "" when it is.
func (s storedPayment) differs(p payment, invoice billing.InvoiceID) string {
	switch {
	case s.Invoice != invoice:
		return "for another invoice"
	case s.Amount != p.in.Amount.Minor || s.Currency != p.in.Amount.Currency:
		return "with another amount"
	case s.Date != p.in.Date:
		return "on another date"
	case s.Method != p.in.Method || s.Reference != p.in.Reference:
		return "with another method or reference"
	}
	return ""
}
