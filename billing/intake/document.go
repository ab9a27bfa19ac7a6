package intake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// document is the rows of a file that have the same external id.
type document struct {
	key, party    string     // and whose it is: a customer or payee
	issue, due    civil.Date // no due date: what the organization's terms say
	paidOn        civil.Date // none: the file does not say
	currency      money.Currency
	total         *money.Amount // none: the file does not say
	origin        string        // of a credit note: which invoice it takes back
	reference     string
	purchaseOrder string
	withTax       bool
	discount      decimal.Decimal // on the whole, in percent or
	off           decimal.Decimal // in major units
	lines         []documentLine  // by their number
}

// documentLine is one row.
type documentLine struct {
	row
	number      int
	origin      int    // of a credit note's: which line of the invoice it takes back
	account     string // its code, or empty
	product     string // its external id, or empty
	description string
	quantity    decimal.Decimal
	unitPrice   decimal.Decimal
	discount    decimal.Decimal
	taxes       []string // codes
}

func (v *document) first() row { return v.lines[0].row }

// takeDocuments keeps the documents of a file by issue date, so that their numbers run with the calendar; credit notes in the
// order of the file, since each takes what the ones before it left.
func (t *Table) takeDocuments(ctx context.Context, tx *tenant.Tx, s *Summary, progress func(int)) error {
	p := papers[t.Shape]
	codes, err := taxCodes(ctx, tx)
	if err != nil {
		return err
	}
	all := t.readDocuments(p, codes)
	if t.faults.full() || len(t.faults.list) > 0 {
		return nil
	}
	known, err := loadReferences(ctx, tx, p, all)
	if err != nil {
		return err
	}
	if t.Shape != CreditNotes {
		slices.SortStableFunc(all, func(a, b *document) int { return b.issue.DaysUntil(a.issue) })
	}
	done := 0
	for _, v := range all {
		if goOn, err := t.takeDocument(ctx, tx, s, p, v, known); err != nil || !goOn {
			return err
		}
		done += len(v.lines)
		progress(done)
	}
	s.Things, s.Lines = len(all), len(t.rows)
	return nil
}

// readDocuments gathers the rows into documents, in the order in which the file first names them.
func (t *Table) readDocuments(p paper, codes map[string]bool) []*document {
	var all []*document
	byKey := make(map[string]*document)
	for _, r := range t.rows {
		if t.faults.full() {
			break
		}
		head, line := t.readDocumentRow(p, r, codes)
		known, ok := byKey[head.key]
		if !ok {
			head.lines = []documentLine{line}
			byKey[head.key] = &head
			all = append(all, &head)
			continue
		}
		t.checkAgreement(p, r, known, &head)
		known.lines = append(known.lines, line)
	}
	for _, v := range all {
		slices.SortStableFunc(v.lines, func(a, b documentLine) int { return a.number - b.number })
		for i, line := range v.lines[1:] {
			if line.number == v.lines[i].number {
				t.refuseCell(line.row, "line", ErrLine.Sayf("%s %q has line %d twice; the other is in line %d of the file.", p.said, clip(v.key), line.number, v.lines[i].row.line))
			}
		}
	}
	return all
}

func (t *Table) readDocumentRow(p paper, r row, codes map[string]bool) (document, documentLine) {
	v := document{key: t.key(r, "external_id"), party: t.key(r, p.partyColumn()), issue: t.date(r, "issue_date"), currency: t.currency(r),
		origin: t.text(r, "invoice_external_id"), reference: t.text(r, "reference")}
	if t.plain(r, "due_date") != "" {
		v.due = t.date(r, "due_date")
	}
	if t.plain(r, "paid_on") != "" {
		v.paidOn = t.date(r, "paid_on")
	}
	if t.plain(r, p.total) != "" {
		total := t.amount(r, p.total, v.currency)
		v.total = &total
	}
	v.purchaseOrder, v.withTax = t.text(r, "purchase_order"), t.yes(r, "prices_with_tax")
	if t.plain(r, "document_discount_percent") != "" {
		v.discount = t.number(r, "document_discount_percent", money.PercentIntDigits, money.PercentFracDigits)
	}
	if t.plain(r, "document_discount") != "" {
		v.off = t.amount(r, "document_discount", v.currency).Decimal()
	}
	return v, t.readDocumentLine(r, codes)
}

func (t *Table) readDocumentLine(r row, codes map[string]bool) documentLine {
	line := documentLine{
		row: r, description: t.text(r, "description"), account: t.text(r, "account_code"),
		quantity:  t.number(r, "quantity", money.QuantityIntDigits, money.QuantityFracDigits),
		unitPrice: t.number(r, "unit_price", money.PriceIntDigits, money.PriceFracDigits),
	}
	if t.text(r, "product_external_id") != "" {
		line.product = t.key(r, "product_external_id")
	}
	if t.plain(r, "discount_percent") != "" {
		line.discount = t.number(r, "discount_percent", money.PercentIntDigits, money.PercentFracDigits)
	}
	line.number = t.lineNumber(r, "line")
	if t.plain(r, "invoice_line") != "" {
		line.origin = t.lineNumber(r, "invoice_line")
	}
	if cell := t.text(r, "tax_code"); cell != "" {
		var ok bool
		if line.taxes, ok = splitTaxCodes(cell, codes); !ok {
			t.refuseCell(r, "tax_code", billing.ErrTaxUnknown.Sayf("There is no tax rate with the code %q, or it is archived. Add the rate first; several are written with + between them.", clip(cell)))
		}
	}
	return line
}

// lineNumber reads the number of a line of a document.
func (t *Table) lineNumber(r row, column string) int {
	cell := t.plain(r, column)
	number, err := money.ParseDecimal(cell, 6, 0)
	if err == nil && number.Sign() <= 0 {
		err = ErrLine
	}
	t.refuseValue(r, column, cell, err)
	return int(number.IntPart())
}

// checkAgreement refuses a row that says something else of its document than an earlier one.
func (t *Table) checkAgreement(p paper, r row, known, head *document) {
	sameTotal := known.total == nil && head.total == nil || known.total != nil && head.total != nil && *known.total == *head.total
	for _, c := range []struct {
		column string
		same   bool
	}{
		{p.partyColumn(), known.party == head.party}, {"issue_date", known.issue == head.issue},
		{"due_date", known.due == head.due}, {"paid_on", known.paidOn == head.paidOn},
		{"currency", known.currency == head.currency}, {p.total, sameTotal},
		{"invoice_external_id", known.origin == head.origin}, {"reference", known.reference == head.reference},
		{"purchase_order", known.purchaseOrder == head.purchaseOrder}, {"prices_with_tax", known.withTax == head.withTax},
		{"document_discount_percent", known.discount.Equal(head.discount)}, {"document_discount", known.off.Equal(head.off)},
	} {
		if !c.same {
			t.refuseCell(r, c.column, ErrMixed.Sayf("%s %q has another value here in line %d. All its rows have the same.", p.said, clip(known.key), known.first().line))
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

// references is what a file of documents speaks of and the books have.
type references struct {
	parties  map[string]billing.CustomerID // customers, or payees
	products map[string]billing.ProductID
	origins  map[string]billing.InvoiceID
	stored   map[string]*storedDocument
	chart    *chart
}

func loadReferences(ctx context.Context, tx *tenant.Tx, p paper, all []*document) (known references, err error) {
	var keys, parties, products, origins []string
	for _, v := range all {
		keys, parties = append(keys, v.key), append(parties, v.party)
		if v.origin != "" {
			origins = append(origins, v.origin)
		}
		for _, line := range v.lines {
			if line.product != "" {
				products = append(products, line.product)
			}
		}
	}
	if known.parties, err = partyIDs(ctx, tx, p.party, parties); err != nil {
		return known, err
	}
	if known.products, err = productIDs(ctx, tx, products); err != nil {
		return known, err
	}
	if known.origins, err = invoiceIDs(ctx, tx, origins); err != nil {
		return known, err
	}
	if known.chart, err = loadChart(ctx, tx); err != nil {
		return known, err
	}
	known.stored, err = storedDocuments(ctx, tx, p.kind, keys)
	return known, err
}

// takeDocument keeps one document, or finds it there.
func (t *Table) takeDocument(ctx context.Context, tx *tenant.Tx, s *Summary, p paper, v *document, known references) (goOn bool, err error) {
	if stored := known.stored[v.key]; stored != nil {
		return t.compareDocument(ctx, tx, s, p, v, stored)
	}
	in, ok := t.documentInput(p, v, known)
	if !ok {
		return !t.faults.full(), nil
	}
	made, err := p.keep(ctx, tx, v, in)
	if err != nil {
		return t.refusedBy(err, t.placeDocument(p, v)), nil
	}
	if v.total != nil && *v.total != made.total {
		t.refuseCell(v.first(), p.total, ErrTotal.Sayf("%s %q comes to %s %s, and the file says %s.", p.said, clip(v.key), made.total, made.total.Currency, v.total))
		return !t.faults.full(), nil
	}
	if err := s.add(made.total); err != nil {
		return t.refusedBy(err, t.placeDocument(p, v)), nil
	}
	s.Added++
	return t.settle(ctx, tx, s, v, made.id, made.open)
}

// documentInput finds what the rows refer to.
func (t *Table) documentInput(p paper, v *document, known references) (billing.DocumentInput, bool) {
	before := len(t.faults.list)
	in := billing.DocumentInput{ExternalID: v.key, IssueDate: v.issue, DueDate: v.due, Currency: v.currency, Reference: v.reference,
		PurchaseOrder: v.purchaseOrder, PricesWithTax: v.withTax, DiscountPercent: v.discount, Discount: v.off}
	if in.CustomerID = known.parties[v.party]; in.CustomerID.IsZero() {
		t.missing(v.first(), p.partyColumn(), p.party, v.party)
	}
	if v.origin != "" {
		origin := known.origins[v.origin]
		in.Origin = billing.DocumentID(origin)
		if origin.IsZero() {
			t.missing(v.first(), "invoice_external_id", "invoice", v.origin)
		}
	}
	for _, line := range v.lines {
		product := known.products[line.product]
		if line.product != "" && product.IsZero() {
			t.missing(line.row, "product_external_id", "product", line.product)
		}
		account, ok := known.chart.find(line.account, "")
		if line.account != "" && !ok {
			t.refuseCell(line.row, "account_code", ErrAccount.Sayf("There is no account %q in the books. Import the chart of accounts first, or leave the cell empty.", clip(line.account)))
		}
		if (line.origin == 0) != (v.origin == "") {
			t.refuseCell(line.row, "invoice_line", ErrLine.Sayf("Give the invoice and the line of it that is taken back, both or neither."))
		}
		in.Lines = append(in.Lines, billing.InvoiceLineInput{ProductID: product, Description: line.description, AccountID: account.ID,
			Quantity: line.quantity, UnitPrice: line.unitPrice, DiscountPercent: line.discount, TaxCodes: line.taxes})
	}
	return in, len(t.faults.list) == before
}

// settle records the payment that paid_on tells of.
func (t *Table) settle(ctx context.Context, tx *tenant.Tx, s *Summary, v *document, invoice uuid.UUID, open money.Amount) (goOn bool, err error) {
	if v.paidOn.IsZero() || open.IsZero() {
		return true, nil
	}
	_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: billing.InvoiceID{UUID: invoice}, Date: v.paidOn, Amount: open, Method: billing.Other})
	if err != nil {
		return t.refusedBy(err, func(string) (row, string) { return v.first(), "paid_on" }), nil
	}
	s.Paid++
	return true, nil
}

// placeDocument says which cell a field of billing's input came from.
func (t *Table) placeDocument(p paper, v *document) func(field string) (row, string) {
	return func(field string) (row, string) {
		index, rest := -1, ""
		if n, err := fmt.Sscanf(field, "lines[%d]", &index); n != 1 || err != nil || index < 0 || index >= len(v.lines) {
			switch field {
			case "customer_id", "payee_id":
				field = p.partyColumn()
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
		case rest == "account_id":
			rest = "account_code"
		case strings.HasPrefix(rest, "taxes"):
			rest = "tax_code"
		}
		return v.lines[index].row, rest
	}
}

// compareDocument passes over a document that is in the books as the file has it, and refuses one that is not. What is
// still open of an invoice is paid when the file now says that it was.
func (t *Table) compareDocument(ctx context.Context, tx *tenant.Tx, s *Summary, p paper, v *document, stored *storedDocument) (goOn bool, err error) {
	if because := stored.differs(v, t.at("account_code") >= 0, t.at("reference") >= 0); because != "" {
		t.refuseCell(v.first(), "external_id", differs(p.said, v.key, because))
		return !t.faults.full(), nil
	}
	s.Unchanged++
	if err := s.add(stored.amount(stored.Total)); err != nil {
		return t.refusedBy(err, t.placeDocument(p, v)), nil
	}
	return t.settle(ctx, tx, s, v, stored.ID, stored.amount(stored.Total-stored.Settled))
}

// differs says how the document in the books is not the one in the file; "" when it is. Accounts and references are held
// against it where the file has them.
func (s *storedDocument) differs(v *document, accounts, references bool) string {
	switch {
	case s.State == billing.Draft:
		return "as a draft. Issue or discard it first"
	case s.Party != v.party:
		return "of someone else"
	case s.Currency != v.currency:
		return "in another currency"
	case s.IssueDate != v.issue || !v.due.IsZero() && s.DueDate != v.due:
		return "with other dates"
	case s.PurchaseOrder != v.purchaseOrder:
		return "with another order number"
	case references && s.Reference != v.reference:
		return "with another reference"
	case s.Origin != v.origin:
		return "as one that takes back another invoice, or none"
	case s.PricesWithTax != v.withTax || !s.DiscountPercent.Equal(v.discount) || s.DiscountPercent.IsZero() && !s.amount(s.Discount).Decimal().Equal(v.off):
		return "with another discount, or other prices as to tax"
	case len(s.lines) != len(v.lines):
		return fmt.Sprintf("with %d lines instead of %d", len(s.lines), len(v.lines))
	case v.total != nil && v.total.Minor != s.Total:
		return fmt.Sprintf("over %s instead of %s", s.amount(s.Total), v.total)
	}
	for i, line := range v.lines {
		if !s.lines[i].is(line) || accounts && line.account != "" && s.lines[i].Account != line.account {
			return fmt.Sprintf("with another line %d", line.number)
		}
	}
	return ""
}

func (s storedLine) is(line documentLine) bool {
	described := line.description == s.Description || line.description == "" && line.product != ""
	return described && s.Product == line.product && s.Quantity.Equal(line.quantity) && s.UnitPrice.Equal(line.unitPrice) &&
		s.DiscountPercent.Equal(line.discount) && s.Taxes == joinTaxCodes(line.taxes) && s.Origin == line.origin
}
