package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// What comes of asking a gateway, besides an answer.
var (
	// ErrUnknown says that nobody can tell whether the order was carried out. Ask by its key; do not order again.
	ErrUnknown = fault.New(fault.Unavailable, "gateway.unknown", "The payment gateway did not say what became of this. We are asking it; look again in a few minutes.")
	// ErrNotThere says that the gateway has no order with that key or name.
	ErrNotThere    = fault.New(fault.NotFound, "gateway.not_there", "The payment gateway knows nothing of this.")
	ErrUnreachable = fault.New(fault.Unavailable, "gateway.unreachable", "The payment gateway cannot be reached just now. Nothing was charged; try again shortly.")
	ErrCredentials = fault.New(fault.Conflict, "gateway.credentials", "The payment gateway does not accept the stored key. Enter a new one under Settings, Payment gateways.")
	ErrRefused     = fault.New(fault.Conflict, "gateway.refused", "The payment gateway refused this. Nothing was moved.")
	ErrSignature   = fault.New(fault.Invalid, "webhook.signature", "This message is not signed by the payment gateway, or was signed too long ago.")
	ErrByHand      = fault.New(fault.Conflict, "gateway.by_hand", "Transfers are recorded by hand when they arrive.")
)

// Kind is which gateway it is.
type Kind string

// The gateways.
const (
	Stripe   Kind = "stripe"
	Practice Kind = "practice" // moves no money; for trying things out
	Transfer Kind = "transfer" // the customer sends money to a bank account, by instructions
)

// Credentials are what a gateway knows an organization by. All of it is secret.
type Credentials struct {
	Key           string `json:"key"`            // of its API
	WebhookSecret string `json:"webhook_secret"` // signs what it tells us
}

// State is how an order stands at the gateway.
type State string

// The states. A waiting one needs an act of the customer: the hosted page, or their bank's question.
const (
	Waiting   State = "waiting"
	Succeeded State = "succeeded"
	Declined  State = "declined"
	Expired   State = "expired" // waited too long, or was called off
)

// Card is what may be shown of a card, and the gateway's names for it.
type Card struct {
	Token    string // the gateway's name of the card; empty when it may not be charged again
	Customer string // the gateway's name of whose it is
	Brand    string // "visa"
	LastFour string
	Expires  string // "2031-04"
	// Number goes with an order, for a gateway that keeps no cards, and never comes back.
	Number CardNumber
}

// Charge is a charge as the gateway has it.
type Charge struct {
	Key    string // ours; empty when the gateway was not told one
	Ref    string // the gateway's
	State  State
	Amount money.Amount
	Fee    money.Amount // what the gateway keeps of it, perhaps in another currency; nothing while it does not say
	Reason string       // why it was declined: the gateway's short code
	Card   Card
	URL    string // where the customer acts, while it is waiting
}

// Refund is money given back, whole or in part.
type Refund struct {
	Key    string // ours; empty when it was made at the gateway
	Ref    string
	Charge string // the charge's Ref
	State  State
	Amount money.Amount
	Reason string
}

// Dispute is money that a customer's bank took back, or gave again.
type Dispute struct {
	Ref        string // of this one movement
	Charge     string // the charge's Ref
	Reinstated bool   // given again
	Amount     money.Amount
	Fee        money.Amount
}

// CheckoutOrder asks for a page of the gateway's on which a customer enters a card.
type CheckoutOrder struct {
	Key         string
	Amount      money.Amount
	Description string
	Back        string // where the customer is led afterwards, paid or not
	Keep        bool   // let the card be charged again later
}

// ChargeOrder asks to charge a card that the gateway keeps, or, of a NumberTaker, one by its number.
type ChargeOrder struct {
	Key         string
	Amount      money.Amount
	Card        Card
	CVV         CVV // with a number alone; often none
	Description string
}

// RefundOrder asks to give back a charge, or a part of it.
type RefundOrder struct {
	Key    string
	Charge string // the charge's Ref
	Amount money.Amount
}

// Query asks what became of an order. Ref may be empty when no answer ever came.
type Query struct {
	Key    string
	Ref    string
	Charge string    // of a refund: the charge's Ref
	Hosted bool      // it was ordered as a page of the gateway's
	Since  time.Time // when the order was stored
}

// Event is what a gateway tells by itself. At most one of its parts is there; none for what does not concern us.
type Event struct {
	Charge  *Charge
	Refund  *Refund
	Dispute *Dispute
}

// Gateway moves money. Every method may be called by many goroutines at once.
//
// An order is carried out once for its key: ordered again with the same content, it answers what became of the first.
// Ordering fails with ErrUnknown when it may or may not have been carried out, with ErrUnreachable, ErrCredentials or
// ErrRefused when it certainly was not. A declined card is no error but a Charge.
type Gateway interface {
	// Checkout opens a page of the gateway's; the Charge is waiting, and its URL leads there.
	Checkout(ctx context.Context, o CheckoutOrder) (Charge, error)
	// Cancel closes a page that nobody has paid on yet, and gives what it is then: the customer may have been faster.
	Cancel(ctx context.Context, ref string) (Charge, error)
	Charge(ctx context.Context, o ChargeOrder) (Charge, error)
	Refund(ctx context.Context, o RefundOrder) (Refund, error)
	// FindCharge and FindRefund ask; ErrNotThere when there is no such order, and ErrUnknown when no answer comes.
	FindCharge(ctx context.Context, q Query) (Charge, error)
	FindRefund(ctx context.Context, q Query) (Refund, error)
	// Receive reads a message that claims to come from the gateway; ErrSignature for one that does not. What it says
	// is only believed when it is signed.
	Receive(ctx context.Context, header http.Header, body []byte) (Event, error)
}

// CheckPracticeKey says whether a key could be one of the practice gateway's. Any of that shape opens an account there.
func CheckPracticeKey(key string) bool {
	return strings.HasPrefix(key, "practice_") && len(key) >= 20 && len(key) <= 100
}
