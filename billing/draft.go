package billing

import (
	"context"
	"fmt"
	"slices"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// draft is an invoice about to be written: read, looked up and worked out.
type draft struct {
	InvoiceInput
	found    references
	issue    civil.Date
	due      civil.Date
	currency money.Currency
	lines    []draftLine
	figures  tax.Result
}

// draftLine is a line whose description and account are settled.
type draftLine struct {
	InvoiceLineInput
	account ledger.AccountID
}

// prepareDraft reads an input in full; nothing is written. All faults come at once.
func prepareDraft(ctx context.Context, tx *tenant.Tx, in InvoiceInput) (draft, error) {
	var f fields
	in.ExternalID = f.text(text.Line, "external_id", in.ExternalID, externalIDLength)
	in.Reference = f.text(text.Line, "reference", in.Reference, 60)
	in.Note = f.text(text.Block, "note", in.Note, 1000)
	in.Lines = readDescriptions(in.Lines, &f)
	d, err := prepare(ctx, tx, in, &f)
	if err != nil {
		return draft{}, err
	}
	switch {
	case d.found.customerArchived == nil:
		f.add("customer_id", ErrCustomerUnknown)
	case *d.found.customerArchived:
		f.add("customer_id", ErrCustomerArchived)
	}
	return d, f.err()
}

func readDescriptions(lines []InvoiceLineInput, f *fields) []InvoiceLineInput {
	if len(lines) > tax.MaxLines {
		return lines // refused for their number
	}
	lines = slices.Clone(lines)
	for i := range lines {
		field := fmt.Sprintf("lines[%d].description", i)
		kept, err := text.Block(field, lines[i].Description, descriptionLimit)
		if err == nil && kept == "" && lines[i].ProductID.IsZero() {
			err = text.ErrMissing.At(field)
		}
		f.add(field, err)
		lines[i].Description = kept
	}
	return lines
}

// prepare looks up what the input names and works the figures out. What is wrong with the input goes to f; the error is
// of another sort.
func prepare(ctx context.Context, tx *tenant.Tx, in InvoiceInput, f *fields) (d draft, err error) {
	d = draft{InvoiceInput: in, issue: in.IssueDate, due: in.DueDate, currency: in.Currency}
	if len(in.Lines) > tax.MaxLines {
		f.add("lines", tax.ErrTooManyLines)
		d.Lines = nil
	}
	if d.found, err = selectReferences(ctx, tx, d.InvoiceInput); err != nil {
		return draft{}, err
	}
	if d.issue.IsZero() {
		d.issue = civil.Of(tx.Now(), d.found.zone)
	}
	if d.due.IsZero() {
		d.due = d.issue.AddDays(d.found.termsDays)
	}
	if d.due.Before(d.issue) {
		f.add("due_date", ErrDueBeforeIssue)
	}
	if d.currency.IsZero() {
		d.currency = d.found.baseCurrency
	}
	d.figures, err = tax.Calculate(tax.Terms{Currency: d.currency, Rounding: d.found.rounding}, d.readLines(f))
	f.add("", err)
	return d, f.other
}

// readLines settles each line's description, account and rates, and gives the calculator's view of them.
func (d *draft) readLines(f *fields) []tax.Line {
	calculated := make([]tax.Line, len(d.Lines))
	d.lines = make([]draftLine, len(d.Lines))
	for i, in := range d.Lines {
		field := fmt.Sprintf("lines[%d]", i)
		line := draftLine{InvoiceLineInput: in, account: d.found.income}
		if !in.ProductID.IsZero() {
			product, ok := d.found.products[in.ProductID]
			if !ok {
				f.add(field+".product_id", ErrProductUnknown)
			}
			if in.Description == "" {
				line.Description = product.Name
			}
			if !product.Account.IsZero() {
				line.account = product.Account
			}
		}
		if !in.AccountID.IsZero() {
			if !d.found.accounts[in.AccountID] {
				f.add(field, ErrAccountUnknown)
			}
			line.account = in.AccountID
		}
		d.lines[i] = line
		calculated[i] = tax.Line{Quantity: in.Quantity, UnitPrice: in.UnitPrice, DiscountPercent: in.DiscountPercent,
			Rates: d.found.readRates(in.TaxCodes, field, f)}
	}
	return calculated
}

func (r references) readRates(codes []string, field string, f *fields) []tax.Rate {
	if len(codes) > tax.MaxRates {
		f.add(field+".taxes", tax.ErrTooManyRates)
		return nil
	}
	rates := make([]tax.Rate, 0, len(codes))
	for i, code := range codes {
		found, ok := r.rates[code]
		if !ok {
			f.add(fmt.Sprintf("%s.taxes[%d]", field, i), ErrTaxUnknown)
			continue
		}
		rates = append(rates, found...)
	}
	return rates
}
