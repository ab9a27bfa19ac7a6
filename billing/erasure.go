package billing

import (
	"context"
	"fmt"
	"strconv"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about erasing a person.
var (
	ErrErasureOwed       = fault.New(fault.Conflict, "erasure.owed", "This customer has open invoices. Have them paid, credit them or write them off first: what is owed cannot be claimed from nobody.")
	ErrErasureSubscribed = fault.New(fault.Conflict, "erasure.subscribed", "This customer has a subscription. End it first.")
	ErrErased            = fault.New(fault.Conflict, "erasure.done", "This customer's data are erased already, or wait for their time.")
	ErrKeepYears         = fault.New(fault.Invalid, "keep_years.out_of_range", "Documents are kept for 1 to 30 years.").At("keep_years")
)

// erasedName stands where a name was.
const erasedName = "Erased"

// Erasure is what becomes of a customer's data.
type Erasure struct {
	Done  bool
	After civil.Date // the rest goes after this day; none: nothing is left to go
}

// ErasureOf says whether a customer's data were erased; ErrCustomerNotFound.
func ErasureOf(ctx context.Context, tx *tenant.Tx, customer CustomerID) (Erasure, error) {
	return selectErasure(ctx, tx, customer)
}

// EraseCustomer erases a person's data, each kind by its own rule. Without delay go: e-mail address and phone number, the
// verified one too, the networks that they ordered from, who was let in at the portal with their sessions and links, to
// where mails went and what they said, payment methods with their secrets, what the record held of changes to the
// customer, whom quotes and orders were for, and with files what is attached to their documents. What documents and the customer's
// card say of name, address and tax number, the law has the books keep (GDPR, article 17(3)(b)); it goes by itself when the
// years are over that the organization keeps documents, counted from the end of the year of the last one. A customer without
// issued documents and payments is erased whole at once. The journal and both chains stay as they are: they hold no more than digests of it.
//
// It fails with ErrCustomerNotFound, ErrErased, ErrErasureOwed and ErrErasureSubscribed. There is no way back.
func EraseCustomer(ctx context.Context, tx *tenant.Tx, customer CustomerID, files bool) (Erasure, error) {
	if _, err := lockCustomer(ctx, tx, customer); err != nil {
		return Erasure{}, err
	}
	state, err := selectErasureState(ctx, tx, customer)
	switch {
	case err != nil:
		return Erasure{}, err
	case state.Done:
		return Erasure{}, ErrErased
	case state.Owes:
		return Erasure{}, ErrErasureOwed
	case state.Subscribed:
		return Erasure{}, ErrErasureSubscribed
	}
	e := Erasure{Done: true}
	if !state.Last.IsZero() {
		e.After = civil.On(state.Last.Year()+state.Years, 12, 31)
	}
	if err := eraseContact(ctx, tx, customer, e.After); err != nil {
		return e, err
	}
	if err := erasePeople(ctx, tx, customer); err != nil {
		return e, err
	}
	if files {
		if err := eraseFiles(ctx, tx, customer); err != nil {
			return e, err
		}
	}
	detail := "all of it"
	if e.After.IsZero() {
		if err := eraseRest(ctx, tx, customer); err != nil {
			return e, err
		}
	} else {
		detail = "documents are kept through " + e.After.String()
	}
	return e, tx.Record(ctx, tenant.Act{Action: "customer.erase", Object: "customer", ID: customer.UUID, Detail: detail})
}

// EraseOverdue erases what was kept of customers whose time is over, of most customers at a time, and says of how many.
func EraseOverdue(ctx context.Context, tx *tenant.Tx, most int) (int, error) {
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return 0, err
	}
	due, err := selectErasuresDue(ctx, tx, today, most)
	if err != nil {
		return 0, err
	}
	for _, customer := range due {
		if err := eraseRest(ctx, tx, customer); err != nil {
			return 0, err
		}
		if err := eraseFiles(ctx, tx, customer); err != nil {
			return 0, err
		}
		if err := tx.Record(ctx, tenant.Act{Action: "customer.erase", Object: "customer", ID: customer.UUID, Detail: "the time of their documents is over"}); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// KeepYears is for how many years documents are kept.
func KeepYears(ctx context.Context, tx *tenant.Tx) (int, error) { return selectKeepYears(ctx, tx) }

// ChangeKeepYears says for how many years documents are kept; ErrKeepYears. What waits to be erased keeps its day.
func ChangeKeepYears(ctx context.Context, tx *tenant.Tx, years int) error {
	if years < 1 || years > 30 {
		return ErrKeepYears
	}
	was, err := selectKeepYears(ctx, tx)
	if err != nil || was == years {
		return err
	}
	if err := updateKeepYears(ctx, tx, years); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "settings.change", Object: "settings", Detail: fmt.Sprintf("documents are kept for %d years", years),
		Changes: []tenant.Change{{Field: "keep_years", Before: strconv.Itoa(was), After: strconv.Itoa(years)}}})
}
