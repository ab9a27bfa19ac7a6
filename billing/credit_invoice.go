package billing

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about taking an invoice back.
var (
	ErrNothingToCredit  = fault.New(fault.Conflict, "credit.nothing_left", "All of this invoice has been credited already.")
	ErrCreditTooMuch    = fault.New(fault.Invalid, "credit.too_much", "This is more than is left to credit on this line.")
	ErrCreditQuantity   = fault.New(fault.Invalid, "credit.quantity", "A quantity to credit is more than nothing.")
	ErrCreditLine       = fault.New(fault.Invalid, "credit.line_unknown", "The invoice has no such line, or you named it twice.")
	ErrCreditNothing    = fault.New(fault.Invalid, "credit.nothing", "Say of at least one line how much of it to credit.").At("lines")
	ErrCreditEarly      = fault.New(fault.Invalid, "credit.before_invoice", "A credit note cannot be dated before its invoice.").At("issue_date")
	ErrVoidDocument     = fault.New(fault.Conflict, "document.void", "This document is void.")
	ErrCreditOtherDraft = fault.New(fault.Conflict, "invoice.draft_not_credited", "A draft cannot be credited. Change it instead.")
)

// CreditInput says what of an invoice is taken back.
type CreditInput struct {
	Lines      []CreditLine // none: all that is left
	ExternalID string
	IssueDate  civil.Date // zero: today
	Reference  string
	Note       string
	Keep       bool // all of it stays credit, and settles nothing yet
}

// CreditLine is how much of one line is taken back.
type CreditLine struct {
	Line     int // of the invoice
	Quantity decimal.Decimal
}

// CreditableLine is a line of an invoice with what is left to credit of it.
type CreditableLine struct {
	InvoiceLine
	Left decimal.Decimal
}

// credited is what was taken back of an invoice so far.
type credited struct {
	lines map[int]creditedLine
	taxes map[[2]int]creditedTax // by line and position
}

// Creditable gives the lines of an issued invoice with what is left to credit of each.
func Creditable(ctx context.Context, tx *tenant.Tx, invoice Invoice) ([]CreditableLine, error) {
	sofar, err := selectCredited(ctx, tx, invoice.ID)
	if err != nil {
		return nil, err
	}
	all := make([]CreditableLine, len(invoice.Lines))
	for i, l := range invoice.Lines {
		all[i] = CreditableLine{InvoiceLine: l, Left: l.Quantity.Sub(sofar.lines[l.Line].Quantity)}
	}
	return all, nil
}

// CreditInvoice makes and issues a credit note out of an invoice, whole or in part. Its figures are the invoice's own, in
// proportion: whoever credits all of a line, in however many steps, has credited it to the cent. What it comes to
// settles the invoice as far as that is open, unless it is to be kept; the rest is the customer's credit. It fails with what is wrong with the
// input, ErrInvoiceNotFound, ErrInvoiceChanged, ErrCreditOtherDraft, ErrVoidDocument and ErrNothingToCredit.
func CreditInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, version int, in CreditInput) (CreditNote, error) {
	locked, err := lockWithCustomer(ctx, tx, invoiceKind, invoice.UUID)
	switch {
	case err != nil:
		return CreditNote{}, err
	case locked.State == Draft:
		return CreditNote{}, ErrCreditOtherDraft
	case locked.State == Void:
		return CreditNote{}, ErrVoidDocument
	case version != 0 && version != locked.Version:
		return CreditNote{}, ErrInvoiceChanged
	}
	d, err := prepareCredit(ctx, tx, invoice, in)
	if err != nil {
		return CreditNote{}, err
	}
	note := id.New[CreditNote]()
	if err := insertDraft(ctx, tx, note.UUID, d); err != nil {
		return CreditNote{}, err
	}
	if err := issueDraft(ctx, tx, creditNoteKind, note.UUID, 0); err != nil {
		return CreditNote{}, err
	}
	if settled := min(d.figures.Total.Minor, locked.open().Minor); settled > 0 && !in.Keep {
		if err := settleByCredit(ctx, tx, note, invoice, settled, laterOf(d.issue, locked.IssueDate)); err != nil {
			return CreditNote{}, err
		}
	}
	return selectCreditNote(ctx, tx, note)
}

func laterOf(a, b civil.Date) civil.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// prepareCredit works out what a credit note of an invoice says. Nothing is written.
func prepareCredit(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, in CreditInput) (draft, error) {
	var f fields
	in.ExternalID = f.text(text.Line, "external_id", in.ExternalID, externalIDLength)
	in.Reference = f.text(text.Line, "reference", in.Reference, 60)
	in.Note = f.text(text.Block, "note", in.Note, 1000)
	i, err := selectInvoice(ctx, tx, invoice)
	if err != nil {
		return draft{}, err
	}
	if in.IssueDate.IsZero() {
		in.IssueDate = i.Today
	}
	if in.IssueDate.Before(i.IssueDate) {
		f.add("issue_date", ErrCreditEarly)
	}
	d := draft{kind: creditNoteKind, issue: in.IssueDate, due: in.IssueDate, currency: i.Currency, DocumentInput: DocumentInput{
		CustomerID: i.Customer.ID, ExternalID: in.ExternalID, Reference: in.Reference, PurchaseOrder: i.PurchaseOrder,
		Language: i.Language, PricesWithTax: i.PricesWithTax, DiscountPercent: i.DiscountPercent, Note: in.Note,
		Origin: DocumentID(invoice)}}
	sofar, err := selectCredited(ctx, tx, invoice)
	if err != nil {
		return draft{}, err
	}
	if err := d.takeBack(i, sofar, in.Lines, &f); err != nil {
		return draft{}, err
	}
	return d, f.err()
}

// takeBack fills in the chosen lines, or all that is left.
func (d *draft) takeBack(i Invoice, sofar credited, chosen []CreditLine, f *fields) error {
	if len(chosen) == 0 {
		for _, l := range i.Lines {
			if left := l.Quantity.Sub(sofar.lines[l.Line].Quantity); left.Sign() > 0 {
				chosen = append(chosen, CreditLine{Line: l.Line, Quantity: left})
			}
		}
		if len(chosen) == 0 {
			return ErrNothingToCredit
		}
	}
	zero := money.Amount{Currency: i.Currency}
	d.figures = tax.Result{Currency: i.Currency, Discount: zero, Net: zero, Tax: zero, Total: zero}
	seen := map[int]bool{}
	for n, c := range chosen {
		field := fmt.Sprintf("lines[%d]", n)
		if c.Line < 1 || c.Line > len(i.Lines) || seen[c.Line] {
			f.add(field+".line", ErrCreditLine)
			continue
		}
		seen[c.Line] = true
		l, before := i.Lines[c.Line-1], sofar.lines[c.Line]
		left := l.Quantity.Sub(before.Quantity)
		switch {
		case c.Quantity.Sign() <= 0:
			f.add(field+".quantity", ErrCreditQuantity)
			continue
		case c.Quantity.GreaterThan(left):
			f.add(field+".quantity", ErrCreditTooMuch.Sayf("Of line %d %s is left to credit.", c.Line, left))
			continue
		}
		if err := money.CheckDecimal(c.Quantity, money.QuantityIntDigits, money.QuantityFracDigits); err != nil {
			f.add(field+".quantity", err)
			continue
		}
		d.addCredit(l, before, sofar, c.Quantity)
	}
	if len(d.lines) > 0 && d.figures.Total.IsZero() && len(f.faults) == 0 {
		return ErrNothingToCredit.Sayf("What you chose comes to nothing: there is nothing to credit.")
	}
	return nil
}

// addCredit adds a line with its part of the invoice's figures.
func (d *draft) addCredit(l InvoiceLine, before creditedLine, sofar credited, quantity decimal.Decimal) {
	upTo := before.Quantity.Add(quantity)
	part := func(whole, taken int64) int64 { return partOf(whole, upTo, l.Quantity, taken) }
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: d.currency} }
	result := tax.LineResult{Net: amount(part(l.Net.Minor, before.Net)), Share: amount(part(l.DiscountShare.Minor, before.Share))}
	for n, t := range l.Taxes {
		taken := sofar.taxes[[2]int{l.Line, n + 1}]
		rate := tax.Rate{ID: t.Rate, Code: t.Code, Name: t.Name, Percent: t.Percent, Compound: t.Compound, Kind: t.Kind, Reason: t.Reason, Registration: t.Registration}
		x := tax.LineTax{Rate: rate, Base: amount(part(t.Base.Minor, taken.Base)), Amount: amount(part(t.Amount.Minor, taken.Amount))}
		result.Taxes = append(result.Taxes, x)
		d.figures.Tax.Minor += x.Amount.Minor
	}
	d.lines = append(d.lines, draftLine{account: l.Account, origin: l.Line, InvoiceLineInput: InvoiceLineInput{ProductID: l.Product,
		Description: l.Description, Quantity: quantity, UnitPrice: l.UnitPrice, DiscountPercent: l.DiscountPercent}})
	d.figures.Lines = append(d.figures.Lines, result)
	d.figures.Net.Minor += result.Net.Minor
	d.figures.Discount.Minor += result.Share.Minor
	d.figures.Total.Minor = d.figures.Net.Minor + d.figures.Tax.Minor
}

// partOf is what a quantity's part of a whole comes to, rounded half up, less what was taken before: the steps add up to
// the whole, whatever they are. It is never below nothing, which a step that was voided in between could bring about.
func partOf(whole int64, upTo, of decimal.Decimal, taken int64) int64 {
	sum := decimal.New(whole, 0).Mul(upTo).DivRound(of, 0).IntPart()
	return max(sum-taken, 0)
}
