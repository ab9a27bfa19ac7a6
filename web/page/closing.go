package page

import (
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Closing is the data of "closing". Form sends through and year_end, Reopen sends through.
type Closing struct {
	Shell
	Closed       civil.Date
	Form, Reopen Form
	Years        []ledger.Entry // that closed a year, the newest first
}
