package notice

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// Kind is a kind of notice.
type Kind string

// The kinds. A member hears of those that the caller asks for.
const (
	ExportReady   Kind = "export_ready" // for whoever asked for it alone
	ExportFailed  Kind = "export_failed"
	ImportFailed  Kind = "import_failed"
	PaymentFailed Kind = "payment_failed" // or frozen, since its result is not known
	OrderHeld     Kind = "order_held"
	MailFailed    Kind = "mail_failed"
	WebhookOff    Kind = "webhook_off" // by us, since it did not answer
)

const (
	// Days is for how long something is told of.
	Days = 30
	// most is how many are told of at once.
	most = 50
)

// Notice is one thing to hear of.
type Notice struct {
	Kind   Kind
	ID     uuid.UUID // of the thing
	At     time.Time
	Said   string       // a file's name, a document's number, a webhook's name; may be empty
	Amount money.Amount // of a payment
}

// List gives what there is to hear of these kinds in the last Days, newest first, fifty at most, for a person.
func List(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, of []Kind) ([]Notice, error) {
	words := make([]string, len(of))
	for i, kind := range of {
		words[i] = string(kind)
	}
	return selectNotices(ctx, tx, person, strings.Join(words, " "), tx.Now().AddDate(0, 0, -Days))
}

// ReadAt is until when a member has read; zero for one who never has.
func ReadAt(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (time.Time, error) {
	return selectReadAt(ctx, tx, person)
}

// MarkRead keeps that a member has read what there is until now. It is not on the record: it changes nothing for others.
func MarkRead(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) error {
	return updateReadAt(ctx, tx, person)
}

// Work is what is being made at this moment.
type Work struct {
	Exports    int // queued or running
	Done, Rows int // of those, as far as is known
}

// Going says what is being made.
func Going(ctx context.Context, tx *tenant.Tx) (Work, error) { return selectGoing(ctx, tx) }

// LastAct is the newest act of the record, by which one sees whether anything was done since; the zero id for none.
func LastAct(ctx context.Context, tx *tenant.Tx) (uuid.UUID, error) { return selectLastAct(ctx, tx) }
