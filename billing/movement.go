package billing

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// movement is one thing that a gateway moved. Its reference makes it one, however often it is told of.
type movement struct {
	kind   string // charge, fee, refund, dispute, reinstated
	ref    string
	charge Intent
	amount money.Amount // what the gateway owes us more or, below zero, less
	said   string       // how the journal tells of it
	how    string       // by what the customer paid
}

// SettleCharge keeps what the gateway says of a charge, and books what it moved. It may be called again with the same,
// with what is older, and in any order: what is booked is booked once, and money that did move is booked whatever was
// thought of it before. It fails with ErrIntentNotFound.
func SettleCharge(ctx context.Context, tx *tenant.Tx, intent IntentID, c gateway.Charge) (Intent, error) {
	i, err := lockIntent(ctx, tx, intent)
	if err != nil {
		return i, err
	}
	switch {
	case i.Kind == IntentRefund:
		return i, ErrIntentNotFound
	case c.State == gateway.Succeeded:
		err = bookCharge(ctx, tx, i, c)
	case i.Settled():
		return i, nil
	case c.State == gateway.Waiting:
		err = settle(ctx, tx, i, IntentWaiting, c.Ref, "")
	case c.State == gateway.Declined:
		err = settle(ctx, tx, i, IntentDeclined, c.Ref, c.Reason)
	default:
		err = settle(ctx, tx, i, IntentFailed, c.Ref, "expired")
	}
	if err != nil {
		return i, err
	}
	return selectIntent(ctx, tx, intent)
}

func bookCharge(ctx context.Context, tx *tenant.Tx, i Intent, c gateway.Charge) error {
	if c.Amount.Currency != i.Currency {
		return fmt.Errorf("charge %s was ordered in %s and taken in %s", i.ID, i.Currency, c.Amount.Currency)
	}
	how := strings.TrimSpace(c.Card.Brand + " " + c.Card.LastFour)
	m := movement{kind: "charge", ref: c.Ref, charge: i, amount: c.Amount, said: "Charge of " + i.InvoiceNumber, how: short(how, 100)}
	if err := book(ctx, tx, m); err != nil {
		return err
	}
	if err := bookFee(ctx, tx, i, c.Ref, c.Fee); err != nil {
		return err
	}
	kept := ""
	if i.State == IntentSucceeded {
		kept = i.Reason
	}
	return settle(ctx, tx, i, IntentSucceeded, c.Ref, kept)
}

// How the reason of a charge ends whose money moved in another currency, before and after somebody has booked it.
const (
	bookByHand   = ": book it by hand"
	bookedByHand = ": booked by hand"
)

// UnfreezeCharge lets a charge go on that was frozen because its gateway moved money in another currency: somebody has booked
// that by hand, and says as what. What the gateway tells of the same movement again does not freeze it again. It fails
// with what is wrong with the note, ErrIntentNotFound and ErrNotFrozen.
func UnfreezeCharge(ctx context.Context, tx *tenant.Tx, charge IntentID, note string) (Intent, error) {
	note, err := text.Required("note", note, 500)
	if err != nil {
		return Intent{}, err
	}
	c, err := lockIntent(ctx, tx, charge)
	if err != nil {
		return c, err
	}
	about, frozen := strings.CutSuffix(c.Reason, bookByHand)
	if !c.Frozen() || !frozen {
		return c, ErrNotFrozen
	}
	if err := updateIntentState(ctx, tx, c.ID, IntentSucceeded, "", about+bookedByHand); err != nil {
		return c, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "charge.unfreeze", Object: "charge", ID: c.ID.UUID, Detail: about,
		Changes: []tenant.Change{{Field: "note", After: note, Personal: true}}})
	if err != nil {
		return c, err
	}
	return selectIntent(ctx, tx, charge)
}

// freeze keeps that a gateway moved money of a charge in another currency than the charge's. Nobody here knows at which
// rate, so nothing is booked: the charge says so until somebody has entered it by hand. It does so once for what moved.
func freeze(ctx context.Context, tx *tenant.Tx, c Intent, what, ref string, amount money.Amount) error {
	// With the end of its reference, so that another of its kind is not taken for the same.
	about := fmt.Sprintf("%s %s in %s", what, ref[max(0, len(ref)-16):], amount.Currency)
	if reason := about + bookedByHand; c.Reason == reason {
		return nil
	}
	reason := about + bookByHand
	if c.Reason == reason {
		return nil
	}
	if err := updateIntentState(ctx, tx, c.ID, IntentSucceeded, "", reason); err != nil {
		return err
	}
	err := tx.Record(ctx, tenant.Act{Action: "charge.freeze", Object: "charge", ID: c.ID.UUID,
		Detail: fmt.Sprintf("%s %s of %s %s, for a charge in %s", what, short(ref, 60), amount, amount.Currency, c.Currency)})
	if err != nil {
		return err
	}
	return stopCollection(ctx, tx, c.InvoiceID, reason)
}

func bookFee(ctx context.Context, tx *tenant.Tx, charge Intent, ref string, fee money.Amount) error {
	if fee.IsZero() {
		return nil
	}
	lost, err := fee.Neg()
	if err != nil {
		return err
	}
	return book(ctx, tx, movement{kind: "fee", ref: ref, charge: charge, amount: lost, said: "Fee of " + charge.GatewayName + " on " + charge.InvoiceNumber})
}

// SettleRefund keeps what the gateway says of a refund that was ordered here. What is said of SettleCharge holds.
func SettleRefund(ctx context.Context, tx *tenant.Tx, intent IntentID, r gateway.Refund) (Intent, error) {
	i, err := lockIntent(ctx, tx, intent)
	if err != nil {
		return i, err
	}
	switch {
	case i.Kind != IntentRefund:
		return i, ErrIntentNotFound
	case r.State == gateway.Succeeded:
		if err := bookRefund(ctx, tx, i.ChargeID, r); err != nil {
			return i, err
		}
		err = settle(ctx, tx, i, IntentSucceeded, r.Ref, "")
	case i.Settled():
		return i, nil
	case r.State == gateway.Waiting:
		err = settle(ctx, tx, i, IntentWaiting, r.Ref, "")
	default:
		err = settle(ctx, tx, i, IntentFailed, r.Ref, r.Reason)
	}
	if err != nil {
		return i, err
	}
	return selectIntent(ctx, tx, intent)
}

// AdoptRefund books a refund that was made at the gateway and not here. It fails with ErrIntentNotFound when the charge
// is not booked.
func AdoptRefund(ctx context.Context, tx *tenant.Tx, account GatewayAccountID, r gateway.Refund) error {
	c, err := selectChargeByRef(ctx, tx, account, r.Charge)
	if err != nil || r.State != gateway.Succeeded {
		return err
	}
	return bookRefund(ctx, tx, c.ID, r)
}

func bookRefund(ctx context.Context, tx *tenant.Tx, charge IntentID, r gateway.Refund) error {
	c, err := lockIntent(ctx, tx, charge)
	if err != nil {
		return err
	}
	if r.Amount.Currency != c.Currency {
		return freeze(ctx, tx, c, "refund", r.Ref, r.Amount)
	}
	back, err := r.Amount.Neg()
	if err != nil {
		return err
	}
	if err := book(ctx, tx, movement{kind: "refund", ref: r.Ref, charge: c, amount: back, said: "Refund of " + c.InvoiceNumber, how: "refund"}); err != nil {
		return err
	}
	return stopCollection(ctx, tx, c.InvoiceID, "refunded") // or it would be charged anew
}

// BookDispute books what a customer's bank took back, or gave again. It fails with ErrIntentNotFound when the charge is
// not booked.
func BookDispute(ctx context.Context, tx *tenant.Tx, account GatewayAccountID, d gateway.Dispute) error {
	found, err := selectChargeByRef(ctx, tx, account, d.Charge)
	if err != nil {
		return err
	}
	c, err := lockIntent(ctx, tx, found.ID)
	if err != nil {
		return err
	}
	if d.Amount.Currency != c.Currency {
		what := "dispute"
		if d.Reinstated {
			what = "won dispute"
		}
		return freeze(ctx, tx, c, what, d.Ref, d.Amount)
	}
	m := movement{kind: "reinstated", ref: d.Ref, charge: c, amount: d.Amount, said: "Dispute of " + c.InvoiceNumber + " won", how: "dispute won"}
	if !d.Reinstated {
		m.kind, m.said, m.how = "dispute", "Dispute of "+c.InvoiceNumber, "dispute"
		if m.amount, err = d.Amount.Neg(); err != nil {
			return err
		}
	}
	if err := book(ctx, tx, m); err != nil {
		return err
	}
	if d.Reinstated {
		// A fee of its own, or the first one given back.
		return bookFee(ctx, tx, c, d.Ref+"/reinstated", d.Fee)
	}
	if err := bookFee(ctx, tx, c, d.Ref, d.Fee); err != nil {
		return err
	}
	return stopCollection(ctx, tx, c.InvoiceID, "disputed")
}

// book posts a movement and keeps it, unless it is kept already. The caller holds the lock of the charge's intent, so
// that nobody else books the same meanwhile.
func book(ctx context.Context, tx *tenant.Tx, m movement) error {
	there, err := selectMovementKept(ctx, tx, m)
	if err != nil || there {
		return err
	}
	accounts, err := selectMovementAccounts(ctx, tx, m.charge.GatewayID)
	if err != nil {
		return err
	}
	if m.kind == "fee" {
		if accounts.Other, err = feeAccount(ctx, tx); err != nil {
			return err
		}
	}
	against, err := m.amount.Neg()
	if err != nil {
		return err
	}
	other := ledger.Line{Account: accounts.Other, Amount: against}
	if m.kind != "fee" {
		other.Party = m.charge.CustomerID.UUID
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return err
	}
	payment := id.New[Payment]()
	posting := ledger.Posting{Date: today, Description: m.said, Source: ledger.SourceGateway, SourceID: m.charge.InvoiceID.UUID,
		Lines: []ledger.Line{{Account: accounts.Clearing, Amount: m.amount}, other}, Automatic: true}
	if m.kind != "fee" {
		posting.Source, posting.SourceID = ledger.SourcePayment, payment.UUID
	}
	entry, err := ledger.Post(ctx, tx, posting)
	if err != nil {
		return err
	}
	if m.kind == "fee" {
		return insertMovement(ctx, tx, m, uuid.Nil, entry.ID)
	}
	if err := keepGatewayPayment(ctx, tx, payment, m, accounts, entry); err != nil {
		return err
	}
	return insertMovement(ctx, tx, m, payment.UUID, entry.ID)
}

// keepGatewayPayment keeps a movement that was posted as a payment, with what it settles, and tells what that gained.
func keepGatewayPayment(ctx context.Context, tx *tenant.Tx, payment PaymentID, m movement, accounts movementAccounts, entry ledger.Entry) error {
	origin, err := selectChargePayment(ctx, tx, m.charge.ID)
	if err != nil {
		return err
	}
	parts, err := allocate(ctx, tx, m, origin)
	if err != nil {
		return err
	}
	r := receipt{PaymentInput: PaymentInput{Date: entry.Date, Amount: m.amount, Method: Card, Reference: m.how}, payment: payment,
		customer: m.charge.CustomerID, refundOf: origin.UUID, account: accounts.Clearing, entry: entry}
	if err := insertPayment(ctx, tx, r); err != nil {
		return err
	}
	if err := currency.KeepPaymentRate(ctx, tx, payment.UUID); err != nil {
		return err
	}
	if err := settleParts(ctx, tx, payment.UUID, r.Date, parts); err != nil || origin.IsZero() || m.amount.Sign() > 0 {
		return err
	}
	return realiseCredit(ctx, tx, payment.UUID, origin.UUID, -m.amount.Minor, r.Date, parts)
}

// allocate says how much of a movement settles which invoice, or unsettles it. What comes in beyond what is open stays the
// customer's credit; what goes out is taken from what is left of the charge as credit first, then from the invoices that
// the charge settles by now.
func allocate(ctx context.Context, tx *tenant.Tx, m movement, origin PaymentID) ([]part, error) {
	invoice, err := lockWithCustomer(ctx, tx, invoiceKind, m.charge.InvoiceID.UUID)
	if err != nil {
		return nil, err
	}
	switch {
	case m.amount.Minor > 0 && invoice.State == Void: // money that moved is booked whatever became of the invoice
		return nil, nil
	case m.amount.Minor > 0:
		return []part{{document: invoice, minor: min(m.amount.Minor, invoice.open().Minor)}}, nil
	case origin.IsZero():
		return nil, nil
	}
	h, err := selectHeld(ctx, tx, origin)
	if err != nil {
		return nil, err
	}
	return lockTaken(ctx, tx, h.latest(-m.amount.Minor))
}
