package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
)

// Invoices is the data of "invoices".
type Invoices struct {
	Shell
	Table    InvoiceTable
	Find     Find
	Tabs     Tabs
	Pager    Pager
	Owed     []Owed // in all, by currency
	Customer string // whose invoices alone are shown; empty for all
	All      string // the address of the list without that
	Narrowed bool   // some are left out
	Told     bool   // what is owed was looked up
	Periods  Periods
	CSV      string // gives what the list shows as a file; empty for who may not have it
	Form     Form   // of an act on several that was refused
	// ChosenURL takes what is to be done with those that were ticked; empty for who may not.
	ChosenURL, ChosenKey string
}

// InvoiceTable is the data of the part "invoice-table".
type InvoiceTable struct {
	Shell
	Items  []billing.InvoiceHead
	Column Column
	OfOne  bool   // all are of one customer, whose page it is
	Choose string // the form that takes those that are ticked; empty for none
	Sums   []billing.InvoiceSum
}

// WithSums adds what the whole list comes to, of which the table may show a part.
func (t InvoiceTable) WithSums(own money.Currency, sums []billing.InvoiceSum) InvoiceTable {
	var totals []money.Amount
	for _, item := range t.Items {
		totals = append(totals, item.Total)
	}
	for _, s := range sums {
		totals = append(totals, s.Total)
	}
	t.Sums, t.Column = sums, ColumnOf(own, totals...)
	return t
}

// Count is how many invoices the whole list has.
func (t InvoiceTable) Count() (all int) {
	for _, s := range t.Sums {
		all += s.Invoices
	}
	return all
}

// NewInvoiceTable looks how the amounts are to be written.
func NewInvoiceTable(shell Shell, own money.Currency, items []billing.InvoiceHead) InvoiceTable {
	totals := make([]money.Amount, len(items))
	for i, item := range items {
		totals[i] = item.Total
	}
	return InvoiceTable{Shell: shell, Items: items, Column: ColumnOf(own, totals...)}
}

// Invoice is the data of "invoice".
type Invoice struct {
	Shell
	Form     Form // of an act that was refused; otherwise empty
	Invoice  billing.Invoice
	Settings billing.Settings // whose document it is
	Acts     []Act
	Taken    bool             // it can be paid through gateways
	Charges  []billing.Intent // what was ordered at gateways, the newest first
	Methods  []ChargeMethod   // the customer's cards that it can be charged to now
	Collect  Collect
	Files    []File
	FileKey  string      // of the form that attaches a file
	Mails    []MailShown // the newest first
	// Creditable says that something of it can still be credited.
	Creditable bool
	Fees       []billing.LateFee // that were charged for it
	Credit     []CreditRow       // what its customer has that could settle it
}

// Paid is what came in for it.
func (i Invoice) Paid() money.Amount {
	paid := money.Amount{Currency: i.Invoice.Currency}
	for _, p := range i.Invoice.Payments {
		paid.Minor += p.Amount.Minor
	}
	return paid
}

// Collect is how an invoice is collected by itself, for its page.
type Collect struct {
	Say  string // nothing where it is not
	Acts []Act
}

// Standing is how the invoice stands today.
func (i Invoice) Standing() billing.Standing { return i.Invoice.Standing(i.Invoice.Today) }

// Received are the payments, the latest first.
func (i Invoice) Received() []billing.InvoicePayment {
	received := slices.Clone(i.Invoice.Payments)
	slices.Reverse(received)
	return received
}

// daysLate is for how many days an invoice is overdue; 0 for one that is not.
func daysLate(h billing.InvoiceHead) int {
	if h.Standing(h.Today) != billing.StandingOverdue {
		return 0
	}
	return h.DueDate.DaysUntil(h.Today)
}

// daysLeft is in how many days an invoice falls due.
func daysLeft(h billing.InvoiceHead) int { return h.Today.DaysUntil(h.DueDate) }

// InvoiceForm is the data of "invoice-edit". Its form sends customer_id, issue_date, due_date, currency, reference,
// purchase_order, language, prices_with_tax, discount_percent, discount, note, external_id, version, and of each line N lines[N].description, quantity, unit_price, discount_percent, tax_codes,
// product_id and account_id. Its buttons send action: save, issue, add, remove-N, find or add-product; the last two go
// by find_customer, find_product and choose_product.
type InvoiceForm struct {
	Shell
	Form         Form
	Action, Back string
	Preview      string // where totals are asked for
	Words        EditorWords
	ListURL      string
	DueHint      string
	Draft        bool   // that is there already
	Unsaved      bool   // what stands here is not kept yet
	Keeps        bool   // the draft is kept by itself while it is written
	OnPaper      bool   // it is a document that can be seen on paper
	Paper        string // where; empty while there is no draft
	Lines        []EditorLine
	Rates        []Option
	Customers    []Option
	FindCustomer bool // there are more customers than stand in the list
	Products     []Option
	FindProduct  bool
	Currency     money.Currency
	Totals       Totals
	Acts         []Act
	MayIssue     bool
	Bought       bool     // the party is a payee, and lines are costs
	Repeats      bool     // it is copied again and again: sends every, unit, until and enters too
	Accounts     []Option // that a line can be a cost on
}

// EditorWords are what the editor says of one kind of document.
type EditorWords struct {
	New, Nav, List string
	Note           string
	Due            string // what the second date is; empty for none
	Total          string
	NoLines        string
	Issue, Issued  string

	Change, Save, Saved string // of what is no draft; empty for a draft
}

// EditorLine is one line of the editor.
type EditorLine struct {
	Index int  // counted from 0, as in the names of its fields
	Focus bool // it was just added
}

// Number counts from 1, for people.
func (l EditorLine) Number() int { return l.Index + 1 }

// Field is the full name of one of its fields.
func (l EditorLine) Field(name string) string { return fmt.Sprintf("lines[%d].%s", l.Index, name) }

// Cell is one field of a line.
type Cell struct {
	form  Form
	Name  string
	Label string // for those who do not see the column's head
	Focus bool
}

func newCell(form Form, line EditorLine, name, label string) Cell {
	return Cell{form, line.Field(name), fmt.Sprintf("%s, line %d", label, line.Number()), line.Focus}
}

// ID is the field's id, which the list of faults points to.
func (c Cell) ID() string { return c.form.FieldID(c.Name) }

// Value is what stands in it.
func (c Cell) Value() string { return c.form.Value(c.Name) }

// Has reports whether a box is ticked.
func (c Cell) Has(value string) bool { return c.form.Has(c.Name, value) }

// Fault is what is wrong with it.
func (c Cell) Fault() string { return c.form.Fault(c.Name) }

// Totals is what a draft comes to so far.
type Totals struct {
	Currency money.Currency
	Discount money.Amount // on the whole
	Net      money.Amount
	Tax      money.Amount
	Total    money.Amount
	Rates    []tax.RateTotal
	Lines    []string // the amount of each line as it stands in the editor; a dash for one that is not counted
	Left     []int    // the numbers of lines that are not counted yet
	Say      string   // why there are no totals; empty where there are
}

// price writes a unit price in English.
func price(value decimal.Decimal, currency money.Currency) string {
	return speech{}.price(value, currency)
}

// PlainPrice is a unit price as one writes it into a field.
func PlainPrice(value decimal.Decimal, currency money.Currency) string {
	text := value.String()
	if _, fraction, _ := strings.Cut(text, "."); len(fraction) < currency.Digits() {
		return value.StringFixed(int32(currency.Digits()))
	}
	return text
}
