package billing

import (
	"context"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrPercentChanged keeps a draft from being issued with a percent that is not that of its issue date.
var ErrPercentChanged = fault.New(fault.Conflict, "invoice.percent_changed",
	"A tax rate was changed after this draft was saved. Save the draft again, look at the new total, then issue it.")

// ErrNoTaxNumber keeps a document with a reverse charge from being issued to a customer whose tax number is not known
// (Article 226 (4) of Directive 2006/112/EC).
var ErrNoTaxNumber = fault.New(fault.Conflict, "invoice.no_tax_number",
	"With a reverse charge the customer owes the tax, and their tax number stands on the document. Add it to the customer first.")

// unfitTax is a tax of a draft that keeps it from being issued: its percent on the issue date is now another, or it is a
// reverse charge to a customer without a tax number.
type unfitTax struct {
	Code     string          `db:"code"`
	Was      decimal.Decimal `db:"was"`
	Is       decimal.Decimal `db:"percent"`
	Nameless bool            `db:"nameless"`
}

// checkPercents refuses a draft whose taxes are not those of its issue date: rates were changed since it was saved.
// It is not worked out anew here, since whoever issues it has seen another total. It also refuses a reverse charge
// to a customer without a tax number.
func checkPercents(ctx context.Context, tx *tenant.Tx, document uuid.UUID) error {
	unfit, err := selectUnfitTaxes(ctx, tx, document)
	if err != nil || len(unfit) == 0 {
		return err
	}
	s := unfit[0]
	if s.Nameless {
		return ErrNoTaxNumber
	}
	return ErrPercentChanged.Sayf("%s is %s %% on the issue date and was %s %% when this draft was saved. Save the draft again, look at the new total, then issue it.",
		s.Code, s.Is, s.Was)
}
