package billing

import (
	"context"

	"github.com/countinghouse/countinghouse/tenant"
)

// FirstSteps says what has been done of what books need before they are of use. It is read from the books: nothing is
// ticked by hand, and what is undone is open again.
type FirstSteps struct {
	Address    bool `db:"located"` // street and city, which documents need
	TaxNumber  bool `db:"has_tax"`
	Customer   bool `db:"customer"`
	Product    bool `db:"product"`
	Issued     bool `db:"issued"` // an invoice
	Paid       bool `db:"paid"`   // a payment came in
	Gateway    bool `db:"gateway"`
	Bank       bool `db:"bank"` // a line of a statement
	Logo       bool `db:"logo"`
	Colleagues bool `db:"colleagues"` // beside the reader
	Away       bool `db:"away"`       // the reader put the list away
}

// FirstStepsOf reads them for a person.
func FirstStepsOf(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (FirstSteps, error) {
	return selectFirstSteps(ctx, tx, person)
}

// PutFirstSteps puts the list away for a person, or brings it back. It changes nothing for anybody else, and is not on
// the record.
func PutFirstSteps(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, away bool) error {
	return updateFirstSteps(ctx, tx, person, away)
}
