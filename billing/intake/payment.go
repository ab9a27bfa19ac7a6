package intake

import (
	"context"
	"fmt"
	"slices"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// payment is the rows of a file that have the same external id.
type payment struct {
	key, customer string // no customer: whose invoices they are
	in            billing.PaymentInput
	rows          []paymentRow
}

// paymentRow is what of a payment settles one invoice or, where it names none, stays as credit.
type paymentRow struct {
	row
	invoice string // its external id, or empty
	amount  money.Amount
}

func (p *payment) first() row { return p.rows[0].row }

func (t *Table) takePayments(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	all := t.readPayments()
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	var keys, invoices, customers []string
	for _, p := range all {
		keys = append(keys, p.key)
		if p.customer != "" {
			customers = append(customers, p.customer)
		}
		for _, r := range p.rows {
			if r.invoice != "" {
				invoices = append(invoices, r.invoice)
			}
		}
	}
	invoiceIDs, err := invoiceIDs(ctx, tx, invoices)
	if err != nil {
		return err
	}
	customerIDs, err := customerIDs(ctx, tx, customers)
	if err != nil {
		return err
	}
	stored, err := storedPayments(ctx, tx, keys)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b *payment) int { return b.in.Date.DaysUntil(a.in.Date) })
	done := 0
	for _, p := range all {
		if goOn, err := t.takePayment(ctx, tx, s, p, invoiceIDs, customerIDs, stored[p.key]); err != nil || !goOn {
			return err
		}
		done += len(p.rows)
		progress(done)
	}
	s.Things = len(all)
	return nil
}

// readPayments gathers the rows into payments, in the order in which the file first names them.
func (t *Table) readPayments() []*payment {
	var all []*payment
	byKey := make(map[string]*payment)
	for _, r := range t.rows {
		if t.faults.full() {
			break
		}
		head, line := t.readPaymentRow(r)
		known, ok := byKey[head.key]
		if !ok || head.key == "" {
			head.rows = []paymentRow{line}
			byKey[head.key] = &head
			all = append(all, &head)
			continue
		}
		t.checkPayment(known, &head, line)
		known.rows = append(known.rows, line)
	}
	return all
}

func (t *Table) readPaymentRow(r row) (payment, paymentRow) {
	currency := t.currency(r)
	p := payment{key: t.key(r, "external_id"), customer: t.text(r, "customer_external_id"), in: billing.PaymentInput{
		Date: t.date(r, "paid_on"), Method: billing.Method(t.text(r, "method")), Reference: t.text(r, "reference")}}
	if p.in.Method == "" {
		p.in.Method = billing.Other
	}
	line := paymentRow{row: r, amount: t.amount(r, "amount", currency)}
	if p.customer == "" || t.text(r, "invoice_external_id") != "" {
		line.invoice = t.key(r, "invoice_external_id")
	}
	return p, line
}

// checkPayment refuses a row that says something else of its payment than an earlier one, or the same again.
func (t *Table) checkPayment(known, head *payment, line paymentRow) {
	for _, c := range []struct {
		column string
		same   bool
	}{
		{"customer_external_id", known.customer == head.customer}, {"paid_on", known.in.Date == head.in.Date},
		{"currency", known.rows[0].amount.Currency == line.amount.Currency}, {"method", known.in.Method == head.in.Method},
		{"reference", known.in.Reference == head.in.Reference},
	} {
		if !c.same {
			t.refuseCell(line.row, c.column, ErrMixed.Sayf("Payment %q has another value here in line %d. All rows of a payment have the same.", clip(known.key), known.first().line))
		}
	}
	for _, earlier := range known.rows {
		if earlier.invoice == line.invoice {
			t.refuseCell(line.row, "external_id", ErrTwice.Sayf("Line %d has the external id %q too.", earlier.line, clip(known.key)))
		}
	}
}

func (t *Table) takePayment(ctx context.Context, tx *tenant.Tx, s *Summary, p *payment, invoices map[string]billing.InvoiceID,
	customers map[string]billing.CustomerID, stored []storedPayment) (goOn bool, err error) {
	if !t.resolve(p, invoices, customers) {
		return !t.faults.full(), nil
	}
	if err := s.add(p.in.Amount); err != nil {
		return t.refusedBy(err, inRow(p.first())), nil
	}
	if len(stored) > 0 {
		s.Unchanged++
		if because := p.differs(stored, invoices); because != "" {
			t.refuseCell(p.first(), "external_id", differs("Payment", p.key, because))
		}
		return !t.faults.full(), nil
	}
	s.Added++
	p.in.ExternalID = p.key
	_, err = billing.RecordPayment(ctx, tx, p.in)
	if err == nil {
		return true, nil
	}
	return t.refusedBy(err, p.place), nil
}

// resolve finds what the rows refer to, and sums them up.
func (t *Table) resolve(p *payment, invoices map[string]billing.InvoiceID, customers map[string]billing.CustomerID) bool {
	before := len(t.faults.list)
	p.in.Amount = money.Amount{Currency: p.rows[0].amount.Currency}
	if p.customer != "" {
		if p.in.CustomerID = customers[p.customer]; p.in.CustomerID.IsZero() {
			t.missing(p.first(), "customer_external_id", "customer", p.customer)
		}
	}
	for _, r := range p.rows {
		sum, err := p.in.Amount.Add(r.amount)
		if err != nil {
			t.refuseCell(r.row, "amount", err)
			break
		}
		p.in.Amount = sum
		if r.invoice == "" {
			continue
		}
		invoice := invoices[r.invoice]
		if invoice.IsZero() {
			t.missing(r.row, "invoice_external_id", "invoice", r.invoice)
		}
		p.in.Allocations = append(p.in.Allocations, billing.Allocation{InvoiceID: invoice, Amount: r.amount})
	}
	if len(p.rows) == 1 && len(p.in.Allocations) == 1 {
		p.in.InvoiceID, p.in.Allocations = p.in.Allocations[0].InvoiceID, nil
	}
	return len(t.faults.list) == before
}

// place says which cell a field of billing's input came from.
func (p *payment) place(field string) (row, string) {
	var index int
	var rest string
	if n, err := fmt.Sscanf(field, "allocations[%d].%s", &index, &rest); n == 2 && err == nil {
		for _, r := range p.rows {
			if r.invoice == "" {
				continue
			}
			if index == 0 {
				if rest == "invoice_id" {
					rest = "invoice_external_id"
				}
				return r.row, rest
			}
			index--
		}
	}
	switch field {
	case "date":
		return p.first(), "paid_on"
	case "invoice_id", "":
		return p.first(), "invoice_external_id"
	}
	return p.first(), field
}

// differs says how the payment in the books is not the one in the file; "" when it is. What is credit in the books may have
// settled nothing in the file.
func (p *payment) differs(stored []storedPayment, invoices map[string]billing.InvoiceID) string {
	left := map[billing.InvoiceID]int64{}
	for _, s := range stored {
		left[s.Invoice] += s.Amount
		switch {
		case s.Currency != p.in.Amount.Currency:
			return "with another amount"
		case s.Date != p.in.Date:
			return "on another date"
		case s.Method != p.in.Method || s.Reference != p.in.Reference:
			return "with another method or reference"
		case p.customer != "" && s.Customer != p.customer:
			return "of another customer"
		}
	}
	for _, r := range p.rows {
		invoice := invoices[r.invoice]
		if _, ok := left[invoice]; !ok && r.invoice != "" {
			return "for another invoice"
		}
		left[invoice] -= r.amount.Minor
	}
	for _, amount := range left {
		if amount != 0 {
			return "with another amount"
		}
	}
	return ""
}
