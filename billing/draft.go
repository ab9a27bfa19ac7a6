package billing

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// draft is a document about to be written: read, looked up and worked out.
type draft struct {
	DocumentInput
	kind     kind
	found    references
	issue    civil.Date
	due      civil.Date
	currency money.Currency
	lines    []draftLine
	figures  tax.Result
	feeStep  int // of a late fee: which one for the same invoice
}

// draftLine is a line whose description and account are settled.
type draftLine struct {
	InvoiceLineInput
	account ledger.AccountID
	origin  int // of a credit note's line: which of the invoice it takes back; 0 for none
}

// prepareDraft reads an input in full; nothing is written. All faults come at once.
func prepareDraft(ctx context.Context, tx *tenant.Tx, k kind, in DocumentInput) (draft, error) {
	var f fields
	in.ExternalID = f.text(text.Line, "external_id", in.ExternalID, externalIDLength)
	in.Reference = f.text(text.Line, "reference", in.Reference, 60)
	in.PurchaseOrder = f.text(text.Line, "purchase_order", in.PurchaseOrder, 60)
	in.Note = f.text(text.Block, "note", in.Note, 1000)
	in.Lines = readDescriptions(in.Lines, &f)
	d, err := prepare(ctx, tx, k, in, &f)
	if err != nil {
		return draft{}, err
	}
	switch {
	case d.found.customerArchived == nil:
		f.add(k.partyField, k.partyUnknown)
	case *d.found.customerArchived:
		f.add(k.partyField, k.partyGone)
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
func prepare(ctx context.Context, tx *tenant.Tx, k kind, in DocumentInput, f *fields) (d draft, err error) {
	d = draft{DocumentInput: in, kind: k, issue: in.IssueDate, due: in.DueDate, currency: in.Currency}
	if len(in.Lines) > tax.MaxLines {
		f.add("lines", tax.ErrTooManyLines)
		d.Lines = nil
	}
	if d.found, err = selectReferences(ctx, tx, k, d.DocumentInput); err != nil {
		return draft{}, err
	}
	if d.issue.IsZero() {
		d.issue = civil.Of(tx.Now(), d.found.zone)
	}
	if d.due.IsZero() {
		d.due = d.issue.AddDays(d.found.days(k))
	}
	if d.due.Before(d.issue) {
		f.add("due_date", k.dueBefore)
	}
	if d.currency.IsZero() {
		d.currency = d.found.baseCurrency
	}
	if d.Language == "" {
		d.Language = d.found.language
	}
	d.Language, err = locale.Parse(string(d.Language))
	f.add("language", err)
	d.figures, err = tax.Calculate(d.terms(f), d.readLines(f))
	f.add("", err)
	return d, f.other
}

// terms are what holds for the whole document.
func (d *draft) terms(f *fields) tax.Terms {
	terms := tax.Terms{Currency: d.currency, Rounding: d.found.rounding, Inclusive: d.PricesWithTax, DiscountPercent: d.DiscountPercent}
	if !d.Discount.Equal(d.Discount.Truncate(int32(d.currency.Digits()))) {
		f.add("discount", money.ErrTooPrecise)
		return terms
	}
	var err error
	terms.Discount, err = money.FromDecimal(d.Discount, d.currency)
	f.add("discount", err)
	return terms
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
			if !product.Account.IsZero() && !d.kind.bought {
				line.account = product.Account
			}
		}
		if !in.AccountID.IsZero() {
			if !d.found.accounts[in.AccountID] {
				f.add(field, ErrAccountUnknown)
			}
			line.account = in.AccountID
		} else if line.account.IsZero() {
			f.add(field+".account_id", ErrExpenseAccount)
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

// days is for how long a document stands or may be paid when nobody said otherwise.
func (r references) days(k kind) int {
	switch {
	case k.back:
		return 0
	case k.stored == quoteKind.stored:
		return r.quoteDays
	case r.customerTerms != nil:
		return *r.customerTerms
	}
	return r.termsDays
}

// draftDocument keeps a new draft of a kind.
func draftDocument(ctx context.Context, tx *tenant.Tx, k kind, in DocumentInput) (uuid.UUID, error) {
	d, err := prepareDraft(ctx, tx, k, in)
	if err != nil {
		return uuid.Nil, err
	}
	made := id.New[Document]()
	if err := insertDraft(ctx, tx, made.UUID, d); err != nil {
		return uuid.Nil, err
	}
	return made.UUID, recordDraft(ctx, tx, "draft", made.UUID, d)
}

// reviseDocument writes all of a draft anew.
func reviseDocument(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, version int, in DocumentInput) error {
	if _, err := lockDraft(ctx, tx, k, document, version); err != nil {
		return err
	}
	d, err := prepareDraft(ctx, tx, k, in)
	if err != nil {
		return err
	}
	if err := updateDraft(ctx, tx, document, d); err != nil {
		return err
	}
	return recordDraft(ctx, tx, "revise", document, d)
}

// discardDocument deletes a draft.
func discardDocument(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, version int) error {
	if _, err := lockDraft(ctx, tx, k, document, version); err != nil {
		return err
	}
	if err := deleteDraft(ctx, tx, document); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: k.stored + ".discard", Object: k.stored, ID: document})
}

func recordDraft(ctx context.Context, tx *tenant.Tx, verb string, document uuid.UUID, d draft) error {
	return tx.Record(ctx, tenant.Act{Action: d.kind.stored + "." + verb, Object: d.kind.stored, ID: document,
		Detail: fmt.Sprintf("%d lines, %s %s", len(d.lines), d.figures.Total, d.currency)})
}

func lockDraft(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, version int) (lockedDocument, error) {
	locked, err := lockDocument(ctx, tx, k, document)
	switch {
	case err != nil:
		return locked, err
	case locked.State != Draft:
		return locked, k.notDraft
	case version != 0 && version != locked.Version:
		return locked, k.changed
	}
	return locked, nil
}
