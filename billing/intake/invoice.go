package intake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// invoice is the rows of a file that have the same external id.
type invoice struct {
	key, customer string
	issue, due    civil.Date // no due date: what the organization's terms say
	paidOn        civil.Date // none: the file does not say
	currency      money.Currency
	total         *money.Amount // none: the file does not say
	purchaseOrder string
	withTax       bool
	discount      decimal.Decimal // on the whole, in percent or
	off           decimal.Decimal // in major units
	lines         []invoiceLine   // by their number
}

// invoiceLine is one row.
type invoiceLine struct {
	row
	number      int
	product     string // its external id, or empty
	description string
	quantity    decimal.Decimal
	unitPrice   decimal.Decimal
	discount    decimal.Decimal
	taxes       []string // codes
}

func (v *invoice) first() row { return v.lines[0].row }

// takeInvoices issues the invoices of a file by issue date, so that their numbers run with the calendar.
func (t *Table) takeInvoices(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	codes, err := taxCodes(ctx, tx)
	if err != nil {
		return err
	}
	all := t.readInvoices(codes)
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	known, err := loadReferences(ctx, tx, all)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b *invoice) int { return b.issue.DaysUntil(a.issue) })
	done := 0
	for _, v := range all {
		if goOn, err := t.takeInvoice(ctx, tx, s, v, known); err != nil || !goOn {
			return err
		}
		done += len(v.lines)
		progress(done)
	}
	s.Things, s.Lines = len(all), len(t.rows)
	return nil
}

// readInvoices gathers the rows into invoices, in the order in which the file first names them.
func (t *Table) readInvoices(codes map[string]bool) []*invoice {
	var all []*invoice
	byKey := make(map[string]*invoice)
	for _, r := range t.rows {
		if t.faults.full() {
			break
		}
		head, line := t.readInvoiceRow(r, codes)
		known, ok := byKey[head.key]
		if !ok {
			head.lines = []invoiceLine{line}
			byKey[head.key] = &head
			all = append(all, &head)
			continue
		}
		t.checkAgreement(r, known, &head)
		known.lines = append(known.lines, line)
	}
	for _, v := range all {
		slices.SortStableFunc(v.lines, func(a, b invoiceLine) int { return a.number - b.number })
		for i, line := range v.lines[1:] {
			if line.number == v.lines[i].number {
				t.refuseCell(line.row, "line", ErrLine.Sayf("Invoice %q has line %d twice; the other is in line %d of the file.", clip(v.key), line.number, v.lines[i].row.line))
			}
		}
	}
	return all
}

func (t *Table) readInvoiceRow(r row, codes map[string]bool) (invoice, invoiceLine) {
	v := invoice{key: t.key(r, "external_id"), customer: t.key(r, "customer_external_id"), issue: t.date(r, "issue_date"), currency: t.currency(r)}
	if t.plain(r, "due_date") != "" {
		v.due = t.date(r, "due_date")
	}
	if t.plain(r, "paid_on") != "" {
		v.paidOn = t.date(r, "paid_on")
	}
	if t.plain(r, "invoice_total") != "" {
		total := t.amount(r, "invoice_total", v.currency)
		v.total = &total
	}
	v.purchaseOrder, v.withTax = t.text(r, "purchase_order"), t.yes(r, "prices_with_tax")
	if t.plain(r, "document_discount_percent") != "" {
		v.discount = t.number(r, "document_discount_percent", money.PercentIntDigits, money.PercentFracDigits)
	}
	if t.plain(r, "document_discount") != "" {
		v.off = t.amount(r, "document_discount", v.currency).Decimal()
	}
	line := invoiceLine{
		row: r, description: t.text(r, "description"),
		quantity:  t.number(r, "quantity", money.QuantityIntDigits, money.QuantityFracDigits),
		unitPrice: t.number(r, "unit_price", money.PriceIntDigits, money.PriceFracDigits),
	}
	if t.text(r, "product_external_id") != "" {
		line.product = t.key(r, "product_external_id")
	}
	if t.plain(r, "discount_percent") != "" {
		line.discount = t.number(r, "discount_percent", money.PercentIntDigits, money.PercentFracDigits)
	}
	cell := t.plain(r, "line")
	number, err := money.ParseDecimal(cell, 6, 0)
	if err == nil && number.Sign() <= 0 {
		err = ErrLine
	}
	t.refuseValue(r, "line", cell, err)
	line.number = int(number.IntPart())
	if cell := t.text(r, "tax_code"); cell != "" {
		var ok bool
		if line.taxes, ok = splitTaxCodes(cell, codes); !ok {
			t.refuseCell(r, "tax_code", billing.ErrTaxUnknown.Sayf("There is no tax rate with the code %q, or it is archived. Add the rate first; several are written with + between them.", clip(cell)))
		}
	}
	return v, line
}

// checkAgreement refuses a row that says something else of its invoice than an earlier one.
func (t *Table) checkAgreement(r row, known, head *invoice) {
	sameTotal := known.total == nil && head.total == nil || known.total != nil && head.total != nil && *known.total == *head.total
	for _, c := range []struct {
		column string
		same   bool
	}{
		{"customer_external_id", known.customer == head.customer}, {"issue_date", known.issue == head.issue},
		{"due_date", known.due == head.due}, {"paid_on", known.paidOn == head.paidOn},
		{"currency", known.currency == head.currency}, {"invoice_total", sameTotal},
		{"purchase_order", known.purchaseOrder == head.purchaseOrder}, {"prices_with_tax", known.withTax == head.withTax},
		{"document_discount_percent", known.discount.Equal(head.discount)}, {"document_discount", known.off.Equal(head.off)},
	} {
		if !c.same {
			t.refuseCell(r, c.column, ErrMixed.Sayf("Invoice %q has another value here in line %d. All rows of an invoice have the same.", clip(known.key), known.first().line))
		}
	}
}

// splitTaxCodes reads the codes of a cell, between which stands "+"; a code's own "+" is doubled. A cell that is itself
// a code, "A+B", is that code when A and B are none.
func splitTaxCodes(cell string, known map[string]bool) (codes []string, ok bool) {
	const doubled = "\x00" // stands in no cell
	for _, part := range strings.Split(strings.ReplaceAll(cell, "++", doubled), "+") {
		code := strings.TrimSpace(strings.ReplaceAll(part, doubled, "+"))
		if !known[code] {
			return []string{cell}, known[cell]
		}
		codes = append(codes, code)
	}
	return codes, true
}

// joinTaxCodes is how splitTaxCodes reads them.
func joinTaxCodes(codes []string) string {
	doubled := make([]string, len(codes))
	for i, code := range codes {
		doubled[i] = strings.ReplaceAll(code, "+", "++")
	}
	return strings.Join(doubled, "+")
}

// references is what a file of invoices speaks of and the books have.
type references struct {
	customers map[string]billing.CustomerID
	products  map[string]billing.ProductID
	invoices  map[string]*storedInvoice
}

func loadReferences(ctx context.Context, tx *tenant.Tx, all []*invoice) (known references, err error) {
	var invoices, customers, products []string
	for _, v := range all {
		invoices, customers = append(invoices, v.key), append(customers, v.customer)
		for _, line := range v.lines {
			if line.product != "" {
				products = append(products, line.product)
			}
		}
	}
	if known.customers, err = customerIDs(ctx, tx, customers); err != nil {
		return known, err
	}
	if known.products, err = productIDs(ctx, tx, products); err != nil {
		return known, err
	}
	known.invoices, err = storedInvoices(ctx, tx, invoices)
	return known, err
}

// takeInvoice keeps one invoice, or finds it there.
func (t *Table) takeInvoice(ctx context.Context, tx *tenant.Tx, s *Summary, v *invoice, known references) (goOn bool, err error) {
	if stored := known.invoices[v.key]; stored != nil {
		return t.compareInvoice(ctx, tx, s, v, stored)
	}
	in, ok := t.invoiceInput(v, known)
	if !ok {
		return !t.faults.full(), nil
	}
	drafted, err := billing.DraftInvoice(ctx, tx, in)
	if err != nil {
		return t.refusedBy(err, t.placeInvoice(v)), nil
	}
	if v.total != nil && *v.total != drafted.Total {
		t.refuseCell(v.first(), "invoice_total", ErrTotal.Sayf("Invoice %q comes to %s %s, and the file says %s.", clip(v.key), drafted.Total, drafted.Currency, v.total))
		return !t.faults.full(), nil
	}
	issued, err := billing.IssueInvoice(ctx, tx, drafted.ID, drafted.Version)
	if err == nil {
		err = s.add(issued.Total)
	}
	if err != nil {
		return t.refusedBy(err, t.placeInvoice(v)), nil
	}
	s.Added++
	return t.settle(ctx, tx, s, v, issued.ID, issued.Open())
}

// invoiceInput finds what the rows refer to.
func (t *Table) invoiceInput(v *invoice, known references) (billing.InvoiceInput, bool) {
	before := len(t.faults.list)
	in := billing.InvoiceInput{ExternalID: v.key, IssueDate: v.issue, DueDate: v.due, Currency: v.currency,
		PurchaseOrder: v.purchaseOrder, PricesWithTax: v.withTax, DiscountPercent: v.discount, Discount: v.off}
	if in.CustomerID = known.customers[v.customer]; in.CustomerID.IsZero() {
		t.missing(v.first(), "customer_external_id", "customer", v.customer)
	}
	for _, line := range v.lines {
		product := known.products[line.product]
		if line.product != "" && product.IsZero() {
			t.missing(line.row, "product_external_id", "product", line.product)
		}
		in.Lines = append(in.Lines, billing.InvoiceLineInput{ProductID: product, Description: line.description,
			Quantity: line.quantity, UnitPrice: line.unitPrice, DiscountPercent: line.discount, TaxCodes: line.taxes})
	}
	return in, len(t.faults.list) == before
}

// settle records the payment that paid_on tells of.
func (t *Table) settle(ctx context.Context, tx *tenant.Tx, s *Summary, v *invoice, id billing.InvoiceID, open money.Amount) (goOn bool, err error) {
	if v.paidOn.IsZero() || open.IsZero() {
		return true, nil
	}
	_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: id, Date: v.paidOn, Amount: open, Method: billing.Other})
	if err != nil {
		return t.refusedBy(err, func(string) (row, string) { return v.first(), "paid_on" }), nil
	}
	s.Paid++
	return true, nil
}

// placeInvoice says which cell a field of billing's input came from.
func (t *Table) placeInvoice(v *invoice) func(field string) (row, string) {
	return func(field string) (row, string) {
		index, rest := -1, ""
		if n, err := fmt.Sscanf(field, "lines[%d]", &index); n != 1 || err != nil || index < 0 || index >= len(v.lines) {
			switch field {
			case "customer_id":
				field = "customer_external_id"
			case "discount":
				field = "document_discount"
			case "discount_percent":
				field = "document_discount_percent"
			}
			return v.first(), field
		}
		if _, after, ok := strings.Cut(field, "]."); ok {
			rest = after
		}
		switch {
		case rest == "product_id":
			rest = "product_external_id"
		case strings.HasPrefix(rest, "taxes"):
			rest = "tax_code"
		}
		return v.lines[index].row, rest
	}
}

// compareInvoice passes over an invoice that is in the books as the file has it, and refuses one that is not. What is
// still open of it is paid when the file now says that it was.
func (t *Table) compareInvoice(ctx context.Context, tx *tenant.Tx, s *Summary, v *invoice, stored *storedInvoice) (goOn bool, err error) {
	if because := stored.differs(v); because != "" {
		t.refuseCell(v.first(), "external_id", differs("Invoice", v.key, because))
		return !t.faults.full(), nil
	}
	s.Unchanged++
	if err := s.add(stored.amount(stored.Total)); err != nil {
		return t.refusedBy(err, t.placeInvoice(v)), nil
	}
	return t.settle(ctx, tx, s, v, stored.ID, stored.amount(stored.Total-stored.Settled))
}

// differs says how the invoice in the books is not the one in the file; "" when it is.
func (s *storedInvoice) differs(v *invoice) string {
	switch {
	case s.State == billing.Draft:
		return "as a draft. Issue or discard it first"
	case s.Customer != v.customer:
		return "for another customer"
	case s.Currency != v.currency:
		return "in another currency"
	case s.IssueDate != v.issue || !v.due.IsZero() && s.DueDate != v.due:
		return "with other dates"
	case s.PurchaseOrder != v.purchaseOrder:
		return "with another order number"
	case s.PricesWithTax != v.withTax || !s.DiscountPercent.Equal(v.discount) || s.DiscountPercent.IsZero() && !s.amount(s.Discount).Decimal().Equal(v.off):
		return "with another discount, or other prices as to tax"
	case len(s.lines) != len(v.lines):
		return fmt.Sprintf("with %d lines instead of %d", len(s.lines), len(v.lines))
	case v.total != nil && v.total.Minor != s.Total:
		return fmt.Sprintf("over %s instead of %s", s.amount(s.Total), v.total)
	}
	for i, line := range v.lines {
		if !s.lines[i].is(line) {
			return fmt.Sprintf("with another line %d", line.number)
		}
	}
	return ""
}

func (s storedLine) is(line invoiceLine) bool {
	described := line.description == s.Description || line.description == "" && line.product != ""
	return described && s.Product == line.product && s.Quantity.Equal(line.quantity) && s.UnitPrice.Equal(line.unitPrice) &&
		s.DiscountPercent.Equal(line.discount) && s.Taxes == joinTaxCodes(line.taxes)
}
