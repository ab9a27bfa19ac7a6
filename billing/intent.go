package billing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about charges and refunds.
var (
	ErrIntentNotFound  = fault.New(fault.NotFound, "charge.not_found", "There is no such charge.")
	ErrChargeUnderWay  = fault.New(fault.Conflict, "charge.under_way", "A charge of this invoice is under way already. Wait until its result is there.")
	ErrChargeAmount    = fault.New(fault.Invalid, "charge.amount", "Charge more than nothing, and at most what is open on the invoice.").At("amount")
	ErrMethodUnusable  = fault.New(fault.Conflict, "charge.method", "This payment method cannot be charged. Choose another.").At("method_id")
	ErrNotRefundable   = fault.New(fault.Conflict, "refund.not_charged", "Only a charge that came through can be refunded.")
	ErrRefundAmount    = fault.New(fault.Invalid, "refund.amount", "Refund more than nothing, and at most what is left of the charge.").At("amount")
	ErrNotFrozen       = fault.New(fault.Conflict, "charge.not_frozen", "This charge is not frozen. There is nothing to book by hand.")
	ErrFrozen          = fault.New(fault.Conflict, "charge.frozen", "Money of this charge went back in another currency, so that what is left of it is not known here. Refund the rest at the gateway, and enter both in the journal.")
	ErrNotReconcilable = fault.New(fault.Conflict, "charge.settled", "The result of this is known already.")
)

// IntentID names an intent.
type IntentID = id.Of[Intent]

// IntentKind is what is ordered.
type IntentKind string

// The kinds: a stored method is charged, the customer pays on the gateway's page, money is given back.
const (
	IntentCharge IntentKind = "charge"
	IntentPage   IntentKind = "page"
	IntentRefund IntentKind = "refund"
)

// IntentState is how far an order has come.
type IntentState string

// The states. From called to the end nobody orders again: what became of it is asked.
const (
	IntentReady     IntentState = "ready"     // stored; the gateway has certainly not heard of it
	IntentCalled    IntentState = "called"    // being ordered, or whoever did so died meanwhile
	IntentUnknown   IntentState = "unknown"   // ordered, and the answer was lost
	IntentWaiting   IntentState = "waiting"   // for the customer
	IntentSucceeded IntentState = "succeeded" // the money has moved
	IntentDeclined  IntentState = "declined"
	IntentFailed    IntentState = "failed" // it never came to moving money
)

// Intent is an order to a gateway. It is stored before it is given, and the gateway knows it by its id.
type Intent struct {
	ID            IntentID         `db:"id"`
	Kind          IntentKind       `db:"kind"`
	State         IntentState      `db:"state"`
	GatewayID     GatewayAccountID `db:"gateway_account_id"`
	GatewayKind   gateway.Kind     `db:"gateway_kind"`
	GatewayName   string           `db:"gateway_name"`
	CustomerID    CustomerID       `db:"customer_id"`
	InvoiceID     InvoiceID        `db:"document_id"`
	InvoiceNumber string           `db:"invoice_number"`
	MethodID      PaymentMethodID  `db:"method_id"`
	ChargeID      IntentID         `db:"charge_id"`  // of a refund: the charge
	ChargeRef     string           `db:"charge_ref"` // and the gateway's name of it
	Currency      money.Currency   `db:"currency"`
	Minor         int64            `db:"amount"`
	Ref           string           `db:"ref"`
	Reason        string           `db:"reason"`
	Keep          bool             `db:"keep"`
	CreatedAt     time.Time        `db:"created_at"`
	CalledAt      *time.Time       `db:"called_at"`
	SettledAt     *time.Time       `db:"settled_at"`
	Left          int64            `db:"left_over"` // of a charge: what has neither gone back nor is on its way back
}

// Amount is what is ordered.
func (i Intent) Amount() money.Amount { return money.Amount{Minor: i.Minor, Currency: i.Currency} }

// Refundable is what of a charge can still be given back.
func (i Intent) Refundable() money.Amount {
	if i.State != IntentSucceeded || i.Kind == IntentRefund || i.Frozen() {
		return money.Amount{Currency: i.Currency}
	}
	return money.Amount{Minor: max(i.Left, 0), Currency: i.Currency}
}

// Frozen says whether money of a charge moved in a way that the books cannot follow by themselves; Reason says which.
func (i Intent) Frozen() bool {
	return i.State == IntentSucceeded && i.Reason != "" && !strings.HasSuffix(i.Reason, bookedByHand)
}

// Key is what the gateway knows the order by: the same at every try.
func (i Intent) Key() string { return i.ID.String() }

// Settled says whether the result is known.
func (i Intent) Settled() bool { return i.SettledAt != nil }

// Query asks the gateway about the order.
func (i Intent) Query() gateway.Query {
	return gateway.Query{Key: i.Key(), Ref: i.Ref, Charge: i.ChargeRef, Hosted: i.Kind == IntentPage, Since: i.CreatedAt}
}

// Description is what the customer reads of the order.
func (i Intent) Description() string { return "Invoice " + i.InvoiceNumber }

// ChargeInput asks to charge a stored method for an invoice.
type ChargeInput struct {
	InvoiceID InvoiceID
	MethodID  PaymentMethodID
	Amount    money.Amount // zero: all that is open
}

// PageInput asks for a page of the gateway's on which an invoice is paid.
type PageInput struct {
	InvoiceID InvoiceID
	GatewayID GatewayAccountID
	Keep      bool // the card may be charged again
}

// PlanCharge stores the intent to charge a stored method. It fails with ErrInvoiceNotFound, ErrNotIssued,
// ErrAlreadyPaid, ErrChargeAmount, ErrMethodUnusable, ErrGatewayArchived, phone.ErrNeeded for a customer who has to verify
// a number first, and ErrChargeUnderWay while another charge of the invoice has no result.
func PlanCharge(ctx context.Context, tx *tenant.Tx, in ChargeInput) (Intent, error) {
	invoice, amount, err := chargeable(ctx, tx, in.InvoiceID, in.Amount)
	if err != nil {
		return Intent{}, err
	}
	method, err := selectPaymentMethod(ctx, tx, in.MethodID)
	if err != nil {
		return Intent{}, err
	}
	if method.CustomerID != invoice.Customer || method.Archived || !method.Chargeable() {
		return Intent{}, ErrMethodUnusable
	}
	return plan(ctx, tx, Intent{Kind: IntentCharge, GatewayID: method.GatewayID, CustomerID: invoice.Customer, InvoiceID: in.InvoiceID,
		MethodID: in.MethodID, Currency: amount.Currency, Minor: amount.Minor})
}

// PlanPage stores the intent to let an invoice be paid on a page of the gateway's; all that is open. It fails as
// PlanCharge does.
func PlanPage(ctx context.Context, tx *tenant.Tx, in PageInput) (Intent, error) {
	invoice, amount, err := chargeable(ctx, tx, in.InvoiceID, money.Amount{})
	if err != nil {
		return Intent{}, err
	}
	return plan(ctx, tx, Intent{Kind: IntentPage, GatewayID: in.GatewayID, CustomerID: invoice.Customer, InvoiceID: in.InvoiceID,
		Currency: amount.Currency, Minor: amount.Minor, Keep: in.Keep})
}

// chargeable locks an invoice and says what is charged of it.
func chargeable(ctx context.Context, tx *tenant.Tx, id InvoiceID, wanted money.Amount) (lockedDocument, money.Amount, error) {
	invoice, err := lockInvoice(ctx, tx, id)
	if err != nil {
		return invoice, wanted, err
	}
	open := money.Amount{Minor: invoice.Total - invoice.Settled, Currency: invoice.Currency}
	if wanted == (money.Amount{}) {
		wanted = open
	}
	if err := phone.Check(ctx, tx, id.UUID); err != nil {
		return invoice, wanted, err
	}
	switch {
	case invoice.State == Draft:
		return invoice, wanted, ErrNotIssued
	case invoice.State == Void:
		return invoice, wanted, ErrVoidDocument
	case open.IsZero():
		return invoice, wanted, ErrAlreadyPaid.Sayf("%s is paid in full.", invoice.Number)
	case wanted.Currency != open.Currency || wanted.Minor <= 0 || wanted.Minor > open.Minor:
		return invoice, wanted, ErrChargeAmount.Sayf("%s has %s %s open. Charge at most that.", invoice.Number, open, open.Currency)
	}
	return invoice, wanted, nil
}

func plan(ctx context.Context, tx *tenant.Tx, i Intent) (Intent, error) {
	account, err := selectGatewayAccount(ctx, tx, i.GatewayID)
	switch {
	case err != nil:
		return i, err
	case account.Archived && i.Kind != IntentRefund:
		return i, ErrGatewayArchived
	case account.Kind == gateway.Transfer:
		return i, gateway.ErrByHand
	}
	i.ID = id.New[Intent]()
	if err := insertIntent(ctx, tx, i); err != nil {
		return i, err
	}
	err = tx.Record(ctx, tenant.Act{Action: string(i.Kind) + ".order", Object: "charge", ID: i.ID.UUID,
		Detail: fmt.Sprintf("%s %s", i.Amount(), i.Currency)})
	if err != nil {
		return i, err
	}
	return selectIntent(ctx, tx, i.ID)
}

// PlanRefund stores the intent to give back a charge, whole (a zero amount) or in part. It fails with
// ErrIntentNotFound, ErrNotRefundable, ErrFrozen and ErrRefundAmount, which says what is left.
func PlanRefund(ctx context.Context, tx *tenant.Tx, charge IntentID, amount money.Amount) (Intent, error) {
	c, err := lockIntent(ctx, tx, charge)
	if err != nil {
		return c, err
	}
	if c.Kind == IntentRefund || c.State != IntentSucceeded {
		return c, ErrNotRefundable
	}
	if c.Frozen() {
		return c, ErrFrozen
	}
	left := c.Refundable()
	if amount == (money.Amount{}) {
		amount = left
	}
	if amount.Currency != left.Currency || amount.Minor <= 0 || amount.Minor > left.Minor {
		return c, ErrRefundAmount.Sayf("%s %s is left of this charge. Refund at most that.", left, left.Currency)
	}
	return plan(ctx, tx, Intent{Kind: IntentRefund, GatewayID: c.GatewayID, CustomerID: c.CustomerID, InvoiceID: c.InvoiceID,
		ChargeID: charge, Currency: amount.Currency, Minor: amount.Minor})
}

// ClaimIntent takes a ready intent for being ordered. Of all who try, at once or later, one gets true: nobody else may
// order it, even if that one dies.
func ClaimIntent(ctx context.Context, tx *tenant.Tx, intent IntentID) (bool, error) {
	return updateIntentCalled(ctx, tx, intent)
}

// NoteUnknown keeps that the answer to an order was lost. The intent is frozen until the gateway was asked.
func NoteUnknown(ctx context.Context, tx *tenant.Tx, intent IntentID) error {
	return updateIntentUnknown(ctx, tx, intent)
}

// FailIntent keeps that an order certainly moved nothing. One that is settled already stays as it is.
func FailIntent(ctx context.Context, tx *tenant.Tx, intent IntentID, reason string) error {
	i, err := lockIntent(ctx, tx, intent)
	if err != nil || i.Settled() {
		return err
	}
	return settle(ctx, tx, i, IntentFailed, "", reason)
}

func settle(ctx context.Context, tx *tenant.Tx, i Intent, state IntentState, ref, reason string) error {
	if err := updateIntentState(ctx, tx, i.ID, state, ref, short(reason, 60)); err != nil {
		return err
	}
	if i.State == state {
		return nil
	}
	return tx.Record(ctx, tenant.Act{Action: "charge." + string(state), Object: "charge", ID: i.ID.UUID,
		Detail: fmt.Sprintf("%s %s", i.Amount(), i.Currency)})
}

// short cuts a gateway's word down to what a column holds.
func short(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit])
	}
	return s
}

// IntentByID gives one intent; ErrIntentNotFound.
func IntentByID(ctx context.Context, tx *tenant.Tx, intent IntentID) (Intent, error) {
	return selectIntent(ctx, tx, intent)
}

// InvoiceIntents gives all intents of an invoice, the newest first.
func InvoiceIntents(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) ([]Intent, error) {
	return selectInvoiceIntents(ctx, tx, invoice)
}

// ChargeFilter narrows a list of charges and refunds; a zero field does not.
type ChargeFilter struct {
	CustomerID CustomerID
	InvoiceID  InvoiceID
}

// Charges lists what was ordered at gateways, charges and refunds, the newest first.
func Charges(ctx context.Context, tx *tenant.Tx, filter ChargeFilter, q cursor.Query) (cursor.Page[Intent], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Intent]{}, err
	}
	rows, err := selectIntents(ctx, tx, filter, q)
	if err != nil {
		return cursor.Page[Intent]{}, err
	}
	return cursor.Cut(q, rows), nil
}

// OpenIntents gives the intents without a result that were stored before a moment, the oldest first.
func OpenIntents(ctx context.Context, tx *tenant.Tx, before time.Time, limit int) ([]Intent, error) {
	return selectOpenIntents(ctx, tx, before, limit)
}

// ChargeByRef finds a charge that was booked, by the gateway's name of it; ErrIntentNotFound.
func ChargeByRef(ctx context.Context, tx *tenant.Tx, account GatewayAccountID, ref string) (Intent, error) {
	return selectChargeByRef(ctx, tx, account, ref)
}
