package intake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// What is refused about a file as a whole.
var (
	ErrHeader    = fault.New(fault.Invalid, "import.header", "The first line must name the columns.")
	ErrEncoding  = fault.New(fault.Invalid, "import.encoding", "This is no UTF-8 text. Save the file as CSV in UTF-8.")
	ErrQuotes    = fault.New(fault.Invalid, "import.quotes", "A quotation mark is out of place. One inside a cell is written twice, and the cell stands between two.")
	ErrWidth     = fault.New(fault.Invalid, "import.width", "The row has not as many cells as the header.")
	ErrEmpty     = fault.New(fault.Invalid, "import.empty", "The file has no rows below its header.")
	ErrTooLarge  = fault.New(fault.Invalid, "import.too_large", "The file is larger than 64 MB. Split it, each part with the header.")
	ErrCell      = fault.New(fault.Invalid, "text.invalid", "The cell holds a byte that is not UTF-8, or a NUL character. Save the file as CSV in UTF-8.")
	ErrTwice     = fault.New(fault.Invalid, "import.twice", "The external id stands twice in this file.")
	ErrLine      = fault.New(fault.Invalid, "import.line", "Number the lines of a document 1, 2, 3 and so on, each once.")
	ErrTotal     = fault.New(fault.Invalid, "import.total", "The document comes to another total than the file says.")
	ErrYes       = fault.New(fault.Invalid, "import.yes", "Write yes, or leave the cell empty.")
	ErrMixed     = fault.New(fault.Invalid, "import.mixed", "The rows of one document do not agree.")
	ErrDiffers   = fault.New(fault.Conflict, "import.differs", "It is in the books already, and is not the same.")
	ErrReference = fault.New(fault.Invalid, "import.reference", "What this refers to is not in the books. Import it first.")
)

// Shape is what the rows of a file are.
type Shape string

// The shapes, in the order in which files are taken: each refers to those before it.
const (
	Accounts     Shape = "accounts"
	Customers    Shape = "customers"
	Payees       Shape = "payees"
	Products     Shape = "products"
	Invoices     Shape = "invoices"
	CreditNotes  Shape = "credit_notes"
	Bills        Shape = "bills"
	PayeeCredits Shape = "payee_credits"
	Payments     Shape = "payments"
	BillPayments Shape = "bill_payments"
	Credits      Shape = "credits" // what of credit notes and payees' credits settles what
	Journal      Shape = "journal"
)

// layout is the columns of a shape.
type layout struct {
	shape    Shape
	required []string
	optional []string
}

// onDocuments may be in the files of all documents.
var onDocuments = []string{"discount_percent", "tax_code", "due_date", "purchase_order", "prices_with_tax", "document_discount_percent", "document_discount", "account_code", "reference"}

var layouts = []layout{
	{Accounts, []string{"code", "name", "kind"}, nil},
	{Customers, []string{"external_id", "name"},
		[]string{"company", "email", "phone", "street", "city", "region", "postal_code", "country",
			"tax_number", "language", "payment_terms_days"}},
	{Payees, []string{"external_id", "name", "payee_terms_days"},
		[]string{"company", "email", "phone", "street", "city", "region", "postal_code", "country", "tax_number", "expense_account_code"}},
	{Products, []string{"external_id", "name", "unit_price", "currency"}, []string{"description"}},
	{Invoices, []string{"external_id", "customer_external_id", "issue_date", "currency", "line", "product_external_id", "description", "quantity", "unit_price"},
		append([]string{"paid_on", "invoice_total"}, onDocuments...)},
	{CreditNotes, []string{"external_id", "customer_external_id", "issue_date", "currency", "line", "description", "quantity", "unit_price", "credit_note_total"},
		append([]string{"invoice_external_id", "invoice_line", "product_external_id"}, onDocuments...)},
	{Bills, []string{"external_id", "payee_external_id", "issue_date", "currency", "line", "description", "quantity", "unit_price", "bill_total"}, append([]string{"product_external_id"}, onDocuments...)},
	{PayeeCredits, []string{"external_id", "payee_external_id", "issue_date", "currency", "line", "description", "quantity", "unit_price", "payee_credit_total"}, append([]string{"product_external_id"}, onDocuments...)},
	{Payments, []string{"external_id", "invoice_external_id", "paid_on", "amount", "currency"},
		[]string{"method", "reference", "customer_external_id", "account_code", "refund_of", "credit_note_external_id"}},
	{BillPayments, []string{"external_id", "bill_external_id", "paid_on", "amount", "currency"},
		[]string{"method", "reference", "payee_external_id", "account_code", "refund_of", "payee_credit_external_id", "taken_back_on"}},
	{Credits, []string{"credit_external_id", "document_external_id", "applied_on", "amount", "currency"}, []string{"kind"}},
	{Journal, []string{"entry", "date", "description", "account_code", "debit", "credit", "currency"},
		[]string{"source", "reverses", "line", "account", "kind", "party", "memo"}},
}

func (s Shape) rank() int {
	return slices.IndexFunc(layouts, func(l layout) bool { return l.shape == s })
}

// Sort puts tables into the order in which they are taken, which is that of the shapes.
func Sort(tables []*Table) {
	slices.SortStableFunc(tables, func(a, b *Table) int { return cmp.Compare(a.Shape.rank(), b.Shape.rank()) })
}

func (l layout) known(name string) bool {
	return slices.Contains(l.required, name) || slices.Contains(l.optional, name)
}

// missing and unknown are what keeps a header from having this layout.
func (l layout) missing(header []string) (names []string) {
	for _, name := range l.required {
		if !slices.Contains(header, name) {
			names = append(names, name)
		}
	}
	return names
}

func (l layout) unknown(header []string) (at []int) {
	for i, name := range header {
		if !l.known(name) {
			at = append(at, i)
		}
	}
	return at
}

// ours says whether a header has one of our own layouts.
func ours(header []string) bool {
	return slices.ContainsFunc(layouts, func(l layout) bool { return len(l.missing(header)) == 0 && len(l.unknown(header)) == 0 })
}

// recognise finds the layout of a header, and otherwise says what keeps it from the one that it comes closest to.
func recognise(header []string, faults *refusals) (layout, bool) {
	var nearest layout
	best := 0
	for _, l := range layouts {
		if len(l.missing(header)) == 0 && len(l.unknown(header)) == 0 {
			return l, true
		}
		if common := len(header) - len(l.unknown(header)); common > best {
			nearest, best = l, common
		}
	}
	if best == 0 {
		faults.add(Fault{Line: 1, Code: ErrHeader.Code, Say: "The first line names no column that is known here. A file of " + describe(layouts)})
		return nearest, false
	}
	if missing := nearest.missing(header); len(missing) > 0 {
		faults.add(Fault{Line: 1, Code: ErrHeader.Code, Say: fmt.Sprintf("This looks like a file of %s, but has no column %s.", nearest.shape, strings.Join(missing, ", "))})
	}
	for _, i := range nearest.unknown(header) {
		faults.add(Fault{Line: 1, Column: i + 1, Name: clip(header[i]), Code: ErrHeader.Code, Say: fmt.Sprintf(
			"A file of %s has no such column. It may have %s.", nearest.shape, strings.Join(append(slices.Clone(nearest.required), nearest.optional...), ", "))})
	}
	return nearest, false
}

func describe(all []layout) string {
	parts := make([]string, len(all))
	for i, l := range all {
		parts[i] = fmt.Sprintf("%s has %s", l.shape, strings.Join(l.required, ", "))
	}
	return strings.Join(parts, "; ") + "."
}

// Describe tells the columns of every shape, a paragraph each, for whoever is about to write a file.
func Describe() string {
	parts := make([]string, len(layouts))
	for i, l := range layouts {
		parts[i] = fmt.Sprintf("A file of %s has the columns %s, and may have %s.", l.shape, strings.Join(l.required, ", "), strings.Join(l.optional, ", "))
	}
	return strings.Join(parts, "\n\n")
}

// clip keeps what a file says short enough to stand in a sentence.
func clip(s string) string {
	const most = 40
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most]) + "..."
}
