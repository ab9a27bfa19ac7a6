package notify

import "fmt"

// Failure is why a gateway did not take a message over, or why nobody knows whether it did. Neither the message nor the
// number nor the account's secret is in it.
type Failure struct {
	// How is one of the words below.
	How string
	// Status and Code are of HTTP and the gateway's own; 0 for none.
	Status, Code int
	err          error
}

// How a message failed. Only of Late it is not known whether it went out: the gateway had all of it, and did not answer.
const (
	Refused     = "refused"     // for a reason of the gateway's or the account's
	BadNumber   = "number"      // there is no such number, or it may not be reached: another gateway would say so too
	NoTexts     = "texts"       // the number takes no text messages; it may take a call
	Unreachable = "unreachable" // before the gateway had all of it
	Late        = "late"
)

// Outcome is how it failed with what the gateway said: "refused 401 20003".
func (f *Failure) Outcome() string {
	switch {
	case f.Code != 0:
		return fmt.Sprintf("%s %d %d", f.How, f.Status, f.Code)
	case f.Status != 0:
		return fmt.Sprintf("%s %d", f.How, f.Status)
	}
	return f.How
}

func (f *Failure) Error() string {
	if f.err != nil {
		return fmt.Sprintf("the SMS gateway: %s: %v", f.How, f.err)
	}
	if f.Code != 0 {
		return fmt.Sprintf("the SMS gateway refused with status %d, code %d", f.Status, f.Code)
	}
	return fmt.Sprintf("the SMS gateway refused with status %d", f.Status)
}

func (f *Failure) Unwrap() error { return f.err }
