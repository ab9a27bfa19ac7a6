package billing

import (
	"github.com/countinghouse/countinghouse/internal/fault"
)

// What is refused about quotes.
var (
	ErrQuoteNotFound  = fault.New(fault.NotFound, "quote.not_found", "There is no such quote.")
	ErrQuoteChanged   = fault.New(fault.Conflict, "quote.changed", "Someone else changed this quote in the meantime. Look at it again, then repeat your change.")
	ErrQuoteNotDraft  = fault.New(fault.Conflict, "quote.not_draft", "This quote has been sent. Only a draft can be changed, discarded or sent.")
	ErrQuoteNoLines   = fault.New(fault.Conflict, "quote.no_lines", "A quote needs a line before it can be sent.")
	ErrQuoteExternal  = fault.New(fault.Conflict, "quote.external_id_taken", "Another quote has this external id.").At("external_id")
	ErrQuoteEndsEarly = fault.New(fault.Invalid, "quote.ends_early", "A quote cannot end before the day it is issued.").At("due_date")
)
