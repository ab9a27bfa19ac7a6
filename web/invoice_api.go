package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

// InvoiceBody is what a program writes on a draft.
type InvoiceBody struct {
	ExternalID      string            `json:"external_id,omitempty" doc:"The invoice's id in another system; unique"`
	CustomerID      string            `json:"customer_id"`
	IssueDate       string            `json:"issue_date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	DueDate         string            `json:"due_date,omitempty" doc:"Left out, by the organization's terms" example:"2026-12-21"`
	Currency        string            `json:"currency,omitempty" doc:"ISO 4217; left out, the organization's own" example:"EUR"`
	Reference       string            `json:"reference,omitempty" doc:"Whatever the document is to be found by"`
	PurchaseOrder   string            `json:"purchase_order,omitempty" doc:"The customer's order number"`
	Language        string            `json:"language,omitempty" doc:"Of the document: en or fr; left out, the customer's" example:"fr"`
	PricesWithTax   bool              `json:"prices_with_tax,omitempty" doc:"Unit prices have their taxes in them"`
	DiscountPercent string            `json:"discount_percent,omitempty" doc:"On the whole, 0 to 100; this or discount" example:"5"`
	Discount        string            `json:"discount,omitempty" doc:"On the whole, in the document's currency" example:"20.00"`
	Note            string            `json:"note,omitempty"`
	Lines           []InvoiceLineBody `json:"lines" maxItems:"500"`
}

// InvoiceLineBody is one line of a draft.
type InvoiceLineBody struct {
	ProductID       string   `json:"product_id,omitempty"`
	Description     string   `json:"description,omitempty" doc:"Left out, the product's name"`
	Quantity        string   `json:"quantity" doc:"Decimal, more than nothing" example:"2"`
	UnitPrice       string   `json:"unit_price" doc:"Decimal, at most 6 decimals" example:"145.00"`
	DiscountPercent string   `json:"discount_percent,omitempty" doc:"0 to 100" example:"10"`
	AccountID       string   `json:"account_id,omitempty" doc:"Left out, the product's income account, or the one for sales"`
	TaxCodes        []string `json:"taxes,omitempty" doc:"Codes of tax rates, in order; a compound rate is on those before it" example:"[\"GST\",\"QST\"]"`
}

// InvoiceView is an invoice as a program reads it.
type InvoiceView struct {
	ID              string               `json:"id"`
	State           string               `json:"state" doc:"draft, issued or void"`
	Standing        string               `json:"standing" doc:"draft, open, part_paid, overdue, paid, written_off or void"`
	Number          string               `json:"number,omitempty"`
	ExternalID      string               `json:"external_id,omitempty"`
	Customer        InvoiceCustomerView  `json:"customer"`
	IssueDate       string               `json:"issue_date"`
	DueDate         string               `json:"due_date"`
	Reference       string               `json:"reference,omitempty"`
	PurchaseOrder   string               `json:"purchase_order,omitempty"`
	Language        string               `json:"language"`
	PricesWithTax   bool                 `json:"prices_with_tax,omitempty" doc:"Not in lists"`
	DiscountPercent string               `json:"discount_percent,omitempty" doc:"Not in lists; none where the discount on the whole was given as an amount"`
	Discount        *Money               `json:"discount,omitempty" doc:"What was taken off the whole; not in lists"`
	Note            string               `json:"note,omitempty"`
	Net             Money                `json:"net"`
	Tax             Money                `json:"tax"`
	Total           Money                `json:"total"`
	Paid            Money                `json:"paid"`
	BaseRate        *string              `json:"base_rate,omitempty" doc:"What one unit of a foreign currency was worth in the base currency on the issue date"`
	Open            Money                `json:"open" doc:"What is still owed"`
	EntryID         string               `json:"journal_entry_id,omitempty"`
	CreatedAt       time.Time            `json:"created_at"`
	Lines           []InvoiceLineView    `json:"lines,omitempty" doc:"Not in lists"`
	Payments        []InvoicePaymentView `json:"payments,omitempty" doc:"Not in lists"`
	Credits         []CreditAppliedView  `json:"credits,omitempty" doc:"What of credit notes settles it; not in lists"`
	WrittenOff      *Money               `json:"written_off,omitempty" doc:"The part of what is paid that was given up"`
	OriginID        string               `json:"origin_id,omitempty" doc:"The quote that it was, or the invoice that it is a fee for"`
}

// InvoiceCustomerView says whose invoice it is.
type InvoiceCustomerView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// InvoiceLineView is one line with what it came to.
type InvoiceLineView struct {
	Line            int           `json:"line"`
	ProductID       string        `json:"product_id,omitempty"`
	Description     string        `json:"description"`
	Quantity        string        `json:"quantity"`
	UnitPrice       string        `json:"unit_price"`
	DiscountPercent string        `json:"discount_percent"`
	DiscountShare   *Money        `json:"discount_share,omitempty" doc:"Its part of the discount on the whole, already off the net"`
	AccountID       string        `json:"account_id"`
	Net             Money         `json:"net"`
	Taxes           []LineTaxView `json:"taxes"`
}

// LineTaxView is what one rate came to on a line.
type LineTaxView struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Percent  string `json:"percent"`
	Compound bool   `json:"compound"`
	Base     Money  `json:"base"`
	Amount   Money  `json:"amount"`
	Kind     string `json:"kind" doc:"standard, zero, exempt or reverse_charge"`
	Reason   string `json:"reason,omitempty" doc:"Why no tax is due, as it is printed"`
}

// InvoicePaymentView is a payment of this invoice.
type InvoicePaymentView struct {
	ID     string `json:"id"`
	Date   string `json:"date"`
	Amount Money  `json:"amount"`
	Method string `json:"method"`
}

func (b InvoiceBody) input() (in billing.InvoiceInput, err error) {
	var faults fault.List
	in = billing.InvoiceInput{ExternalID: b.ExternalID, Reference: b.Reference, PurchaseOrder: b.PurchaseOrder,
		Language: locale.Language(b.Language), PricesWithTax: b.PricesWithTax, Note: b.Note}
	keep := func(err error) { faults.Add("", err) } // everything that is read here fails with faults alone
	in.CustomerID, err = bodyID[billing.Customer]("customer_id", b.CustomerID)
	keep(err)
	in.IssueDate, err = bodyDate("issue_date", b.IssueDate)
	keep(err)
	in.DueDate, err = bodyDate("due_date", b.DueDate)
	keep(err)
	if b.Currency != "" {
		in.Currency, err = money.ParseCurrency(b.Currency)
		keep(at("currency", err))
	}
	in.DiscountPercent, err = bodyPercent("discount_percent", b.DiscountPercent)
	keep(err)
	if b.Discount != "" {
		in.Discount, err = bodyPrice("discount", b.Discount)
		keep(err)
	}
	for i, l := range b.Lines {
		line, err := l.input(fmt.Sprintf("lines[%d].", i))
		keep(err)
		in.Lines = append(in.Lines, line)
	}
	return in, faults.Err()
}

func (b InvoiceLineBody) input(prefix string) (in billing.InvoiceLineInput, err error) {
	var faults fault.List
	in = billing.InvoiceLineInput{Description: b.Description, TaxCodes: b.TaxCodes}
	keep := func(err error) { faults.Add("", err) }
	in.ProductID, err = bodyID[billing.Product](prefix+"product_id", b.ProductID)
	keep(err)
	in.Quantity, err = bodyQuantity(prefix+"quantity", b.Quantity)
	keep(err)
	in.UnitPrice, err = bodyPrice(prefix+"unit_price", b.UnitPrice)
	keep(err)
	in.DiscountPercent, err = bodyPercent(prefix+"discount_percent", b.DiscountPercent)
	keep(err)
	in.AccountID, err = bodyID[ledger.Account](prefix+"account_id", b.AccountID)
	keep(err)
	return in, faults.Err()
}

func viewInvoiceHead(h billing.InvoiceHead) InvoiceView {
	return InvoiceView{ID: h.ID.String(), State: h.State, Standing: string(h.Standing(h.Today)), Number: h.Number, ExternalID: h.ExternalID,
		Customer: InvoiceCustomerView{h.Customer.ID.String(), h.Customer.Name}, IssueDate: h.IssueDate.String(), DueDate: h.DueDate.String(),
		Reference: h.Reference, PurchaseOrder: h.PurchaseOrder, Language: string(h.Language), Note: h.Note, Net: moneyOf(h.Net), Tax: moneyOf(h.Tax), Total: moneyOf(h.Total), Paid: moneyOf(h.Settled), BaseRate: rateText(h.BaseRate),
		Open: moneyOf(h.Open()), EntryID: idText(h.Entry), CreatedAt: h.CreatedAt,
		WrittenOff: moneyOrNone(h.WrittenOff), OriginID: idText(h.Origin)}
}

func viewInvoice(i billing.Invoice) InvoiceView {
	v := viewInvoiceHead(i.InvoiceHead)
	v.PricesWithTax, v.DiscountPercent = i.PricesWithTax, percentText(i.DiscountPercent)
	v.Discount = moneyOrNone(i.Discount)
	v.Lines, v.Payments, v.Credits = viewLines(i.DocumentBody), viewInvoicePayments(i.Payments), viewCredits(i.Credits)
	return v
}

func viewLines(b billing.DocumentBody) (views []InvoiceLineView) {
	for _, l := range b.Lines {
		line := InvoiceLineView{Line: l.Line, ProductID: idText(l.Product), Description: l.Description, Quantity: l.Quantity.String(),
			UnitPrice: l.UnitPrice.String(), DiscountPercent: l.DiscountPercent.String(), AccountID: l.Account.String(), Net: moneyOf(l.Net), Taxes: []LineTaxView{},
			DiscountShare: moneyOrNone(l.DiscountShare)}
		for _, t := range l.Taxes {
			line.Taxes = append(line.Taxes, LineTaxView{t.Code, t.Name, t.Percent.String(), t.Compound, moneyOf(t.Base), moneyOf(t.Amount), string(t.Kind), t.Reason})
		}
		views = append(views, line)
	}
	return views
}

func viewInvoicePayments(all []billing.InvoicePayment) (views []InvoicePaymentView) {
	for _, p := range all {
		views = append(views, InvoicePaymentView{p.ID.String(), p.Date.String(), moneyOf(p.Amount), string(p.Method)})
	}
	return views
}

// percentText is a percentage that is told only where there is one.
func percentText(d decimal.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// moneyOrNone is an amount that is told only where there is one.
func moneyOrNone(a money.Amount) *Money {
	if a.IsZero() {
		return nil
	}
	m := moneyOf(a)
	return &m
}

type invoiceListInput struct {
	PageInput
	Standing   string `query:"standing" doc:"draft, open, part_paid, overdue, paid, written_off or void" maxLength:"20"`
	CustomerID string `query:"customer_id" maxLength:"36"`
	Search     string `query:"search" doc:"Words of number, external id, reference or customer" maxLength:"200"`
	From       string `query:"from" doc:"Issued on this date or later" maxLength:"10"`
	To         string `query:"to" doc:"Issued on this date or earlier" maxLength:"10"`
}

func (in invoiceListInput) filter() (f billing.InvoiceFilter, err error) {
	f = billing.InvoiceFilter{Standing: billing.Standing(in.Standing), Search: in.Search}
	if f.CustomerID, err = bodyID[billing.Customer]("customer_id", in.CustomerID); err != nil {
		return f, err
	}
	if f.From, err = bodyDate("from", in.From); err != nil {
		return f, err
	}
	f.To, err = bodyDate("to", in.To)
	return f, err
}

func (s *Server) registerInvoiceAPI() {
	const tag = "Invoices"
	one := func(ctx context.Context, tx *tenant.Tx, i billing.InvoiceID) (InvoiceView, int, error) {
		v, err := billing.InvoiceByID(ctx, tx, i)
		return viewInvoice(v), v.Version, err
	}
	handle(s, operation{id: "list-invoices", method: "GET", path: "/v1/invoices", right: authz.Right{Module: authz.Invoices, Action: authz.Read}, tag: tag, summary: "List invoices, newest first, without their lines"},
		func(ctx context.Context, c *call, in *invoiceListInput) (*Body[List[InvoiceView]], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.InvoiceHead], error) {
				return billing.Invoices(ctx, tx, filter, q)
			}, viewInvoiceHead)
		})
	handle(s, operation{id: "draft-invoice", method: "POST", path: "/v1/invoices", right: authz.Right{Module: authz.Invoices, Action: authz.Create}, tag: tag, summary: "Write a draft invoice", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[InvoiceBody]) (*Versioned[InvoiceView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.DraftInvoice(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (InvoiceView, int, error) {
				return one(ctx, tx, id.Of[billing.Invoice]{UUID: made})
			})
		})
	handle(s, operation{id: "get-invoice", method: "GET", path: "/v1/invoices/{id}", right: authz.Right{Module: authz.Invoices, Action: authz.Read}, tag: tag, summary: "Read an invoice"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[InvoiceView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.InvoiceID) (InvoiceView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "revise-invoice", method: "PUT", path: "/v1/invoices/{id}", right: authz.Right{Module: authz.Invoices, Action: authz.Change}, tag: tag, summary: "Write a draft anew"},
		func(ctx context.Context, c *call, in *Change[InvoiceBody]) (*Versioned[InvoiceView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.InvoiceID, version int) (InvoiceView, int, error) {
				v, err := billing.ReviseInvoice(ctx, tx, i, version, input)
				return viewInvoice(v), v.Version, err
			})
		})
	handle(s, operation{id: "discard-invoice", method: "DELETE", path: "/v1/invoices/{id}", right: authz.Right{Module: authz.Invoices, Action: authz.Delete}, tag: tag, summary: "Discard a draft", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			i, err := pathID[billing.Invoice](in.ID)
			if err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return billing.DiscardInvoice(ctx, tx, i, version) })
		})
	handle(s, operation{id: "issue-invoice", method: "POST", path: "/v1/invoices/{id}/issue", right: authz.Right{Module: authz.Invoices, Action: authz.Approve}, tag: tag, summary: "Issue a draft: it gets its number and is posted"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[InvoiceView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.InvoiceID, version int) (InvoiceView, int, error) {
				v, err := billing.IssueInvoice(ctx, tx, i, version)
				return viewInvoice(v), v.Version, err
			})
		})
	registerActAPI(s, "invoices", "invoice", tag, "void", "Void an invoice on which nothing is settled", rightTo(authz.Approve, authz.Invoices), one,
		func(ctx context.Context, tx *tenant.Tx, i billing.InvoiceID, version int) error {
			_, err := billing.VoidInvoice(ctx, tx, i, version)
			return err
		})
	registerActAPI(s, "invoices", "invoice", tag, "write-off", "Write off what is open of an invoice", rightTo(authz.Approve, authz.Invoices), one,
		func(ctx context.Context, tx *tenant.Tx, i billing.InvoiceID, version int) error {
			_, err := billing.WriteOffInvoice(ctx, tx, i, version)
			return err
		})
}

// rateText is a rate as the API writes it; nil for none.
func rateText(rate *decimal.Decimal) *string {
	if rate == nil {
		return nil
	}
	s := rate.String()
	return &s
}
