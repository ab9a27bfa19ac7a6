package page

import (
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Erasure is the data of "customer-data". The form sends files.
type Erasure struct {
	Shell
	Form     Form
	Customer billing.Customer
	Done     bool       // what need not be kept is gone
	After    civil.Date // the rest goes after this day
	Years    int        // that documents are kept
}
