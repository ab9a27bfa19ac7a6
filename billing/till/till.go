// Package till takes and gives back money through payment gateways: it stands in front of the books, and is the one
// place where an act is more than one transaction.
//
// A charge is an intent that is stored, a call to the gateway with a key made from the intent, and a result that is
// stored. Whoever does it may die between any two of these. So an intent is claimed before the call, in a transaction
// of its own: from then on nobody calls again, and what became of the order is asked. No call is made inside a
// transaction, and no keyring is asked there either.
package till

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// patience is after how long an order whose caller says nothing is asked about: well over a call's own limit.
	patience = time.Minute
	// grace is after how long an order that the gateway does not know is taken to have been lost on its way.
	grace = 15 * time.Minute
	// pageLifetime is after how long a page that nobody pays on is closed.
	pageLifetime = 2 * time.Hour
	// atOnce bounds how many intents one sweep asks about.
	atOnce = 100
)

// Till takes money. It is safe for use by many goroutines.
type Till struct {
	Sealer billing.Sealer
	// Connect gives the gateway of a kind, with an organization's credentials for it.
	Connect func(kind gateway.Kind, c gateway.Credentials) (gateway.Gateway, error)
	// CardNumbers is who accepted, by name, that card numbers are kept here, with all that PCI DSS asks of whoever does.
	// Empty, none is taken and none that is stored is charged.
	CardNumbers string

	step func(name string) // tests end the process here
}

// Do runs fn in one transaction of one organization, as tenant.Do does. It may run fn twice.
type Do func(ctx context.Context, fn func(tx *tenant.Tx) error) error

// In enters one organization with a scope.
func In(db *tenant.DB, s tenant.Scope) Do {
	return func(ctx context.Context, fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, db, s, fn) }
}

func (t *Till) at(name string) {
	if t.step != nil {
		t.step(name)
	}
}

// loaded is an intent and all that is needed for ordering it.
type loaded struct {
	billing.Intent
	organization tenant.OrganizationID
	now          time.Time
	credentials  billing.SealedCredentials
	card         billing.SealedCard
}

func load(ctx context.Context, do Do, intent billing.IntentID) (l loaded, err error) {
	err = do(ctx, func(tx *tenant.Tx) (err error) {
		l = loaded{organization: tx.Scope().Organization().ID, now: tx.Now()}
		if l.Intent, err = billing.IntentByID(ctx, tx, intent); err != nil {
			return err
		}
		if l.Kind == billing.IntentCharge && l.State == billing.IntentReady {
			if l.card, err = billing.StoredCard(ctx, tx, l.MethodID); err != nil {
				return err
			}
		}
		l.credentials, err = billing.GatewayCredentials(ctx, tx, l.GatewayID)
		return err
	})
	return l, err
}

func (t *Till) connect(ctx context.Context, s billing.SealedCredentials) (gateway.Gateway, error) {
	credentials, err := billing.OpenCredentials(ctx, t.Sealer, s)
	if err != nil {
		return nil, err
	}
	return t.Connect(s.Kind, credentials)
}

// Result is what became of an intent. URL is where the customer acts, while it waits for one.
type Result struct {
	billing.Intent
	URL string
}

// Perform gives a stored intent to its gateway and keeps the result. back is where a hosted page leads afterwards. Only
// one caller of all gives an intent; to every other, and for one that was given before, it answers how it stands. It
// fails with what opening the credentials fails with, when nothing was ordered and it may be tried again, and with
// gateway.ErrRefused, ErrCredentials or ErrUnreachable, when the intent has failed. A lost answer is no error: the
// intent is unknown then.
func (t *Till) Perform(ctx context.Context, do Do, intent billing.IntentID, back string) (Result, error) {
	return t.perform(ctx, do, intent, back, gateway.CVV{})
}

// PerformWith is Perform with the security code that somebody typed just now. If this does not come to ordering, the
// code is gone: the charge is ordered without it.
func (t *Till) PerformWith(ctx context.Context, do Do, intent billing.IntentID, cvv gateway.CVV) (Result, error) {
	return t.perform(ctx, do, intent, "", cvv)
}

// SealCardNumber is billing.SealCardNumber where card numbers are kept at all; billing.ErrCardNumbersOff elsewhere.
func (t *Till) SealCardNumber(ctx context.Context, organization tenant.OrganizationID, now time.Time, in billing.CardNumberInput) (billing.SealedPaymentMethod, error) {
	if t.CardNumbers == "" {
		return billing.SealedPaymentMethod{}, billing.ErrCardNumbersOff
	}
	return billing.SealCardNumber(ctx, t.Sealer, organization, now, in)
}

func (t *Till) perform(ctx context.Context, do Do, intent billing.IntentID, back string, cvv gateway.CVV) (Result, error) {
	t.at("stored")
	l, err := load(ctx, do, intent)
	if err != nil || l.State != billing.IntentReady {
		return Result{Intent: l.Intent}, err
	}
	if l.card.Kind == billing.MethodCard && t.CardNumbers == "" {
		return t.fail(ctx, do, l.Intent, billing.ErrCardNumbersOff)
	}
	g, err := t.connect(ctx, l.credentials)
	if err != nil {
		return Result{Intent: l.Intent}, err
	}
	var card gateway.Card
	if l.Kind == billing.IntentCharge {
		if card, err = billing.OpenCard(ctx, t.Sealer, l.card); err != nil {
			return Result{Intent: l.Intent}, err
		}
	}
	t.at("opened")
	var mine bool
	err = do(ctx, func(tx *tenant.Tx) (err error) {
		mine, err = billing.ClaimIntent(ctx, tx, intent)
		return err
	})
	if err != nil || !mine {
		return Result{Intent: l.Intent}, err
	}
	t.at("claimed")
	a := order(ctx, g, l.Intent, card, cvv, back)
	t.at("answered")
	// Whoever asked may be gone by now; what the gateway said is kept all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return t.keep(ctx, do, l, a)
}

// answer is what a gateway said of an order.
type answer struct {
	charge *gateway.Charge
	refund *gateway.Refund
	err    error
}

func order(ctx context.Context, g gateway.Gateway, i billing.Intent, card gateway.Card, cvv gateway.CVV, back string) (a answer) {
	switch i.Kind {
	case billing.IntentRefund:
		r, err := g.Refund(ctx, gateway.RefundOrder{Key: i.Key(), Charge: i.ChargeRef, Amount: i.Amount()})
		return answer{refund: &r, err: err}
	case billing.IntentPage:
		c, err := g.Checkout(ctx, gateway.CheckoutOrder{Key: i.Key(), Amount: i.Amount(), Description: i.Description(), Back: back, Keep: i.Keep})
		return answer{charge: &c, err: err}
	}
	o := gateway.ChargeOrder{Key: i.Key(), Amount: i.Amount(), Card: card, CVV: cvv, Description: i.Description()}
	charge := g.Charge
	if !card.Number.IsZero() {
		taker, ok := g.(gateway.NumberTaker)
		if !ok {
			return answer{err: gateway.ErrRefused.Because(errors.New("this gateway takes no card numbers"))}
		}
		charge = taker.ChargeNumber
	}
	c, err := charge(ctx, o)
	return answer{charge: &c, err: err}
}

// keep stores what the gateway said.
func (t *Till) keep(ctx context.Context, do Do, l loaded, a answer) (Result, error) {
	out := Result{Intent: l.Intent}
	var refused *fault.Error
	switch {
	case a.err == nil:
	case errors.Is(a.err, gateway.ErrRefused), errors.Is(a.err, gateway.ErrCredentials), errors.Is(a.err, gateway.ErrUnreachable):
		errors.As(a.err, &refused)
		failed, err := t.fail(ctx, do, l.Intent, refused)
		if !errors.Is(err, a.err) {
			err = errors.Join(a.err, err)
		}
		return failed, err
	default: // all else may have been carried out
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			if err = billing.NoteUnknown(ctx, tx, l.ID); err == nil {
				out.Intent, err = billing.IntentByID(ctx, tx, l.ID)
			}
			return err
		})
		return out, err
	}
	return t.settle(ctx, do, l.Intent, l.organization, a)
}

// fail keeps that an order moved nothing, and why, which it answers with.
func (t *Till) fail(ctx context.Context, do Do, i billing.Intent, why *fault.Error) (out Result, err error) {
	out.Intent = i
	err = do(ctx, func(tx *tenant.Tx) (err error) {
		if err = billing.FailIntent(ctx, tx, i.ID, why.Code); err == nil {
			out.Intent, err = billing.IntentByID(ctx, tx, i.ID)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	return out, why
}

func (t *Till) settle(ctx context.Context, do Do, i billing.Intent, organization tenant.OrganizationID, a answer) (out Result, err error) {
	if a.refund != nil {
		err = do(ctx, func(tx *tenant.Tx) (err error) {
			out.Intent, err = billing.SettleRefund(ctx, tx, i.ID, *a.refund)
			return err
		})
		t.at("settled")
		return out, err
	}
	var kept billing.SealedPaymentMethod
	if a.charge.State == gateway.Succeeded && i.Kind == billing.IntentPage && i.MethodID.IsZero() {
		// Money has moved: that the keyring is away must not keep it out of the books.
		if kept, err = billing.SealCard(ctx, t.Sealer, organization, i, a.charge.Card); err != nil {
			kept = billing.SealedPaymentMethod{}
		}
	}
	t.at("sealed")
	err = do(ctx, func(tx *tenant.Tx) (err error) {
		if out.Intent, err = billing.SettleCharge(ctx, tx, i.ID, *a.charge); err != nil {
			return err
		}
		return billing.KeepCard(ctx, tx, i.ID, kept)
	})
	out.URL = a.charge.URL
	t.at("settled")
	return out, err
}

// Ask asks the gateway what became of an intent and keeps it. One that was never given is given now; one that the
// gateway does not know after a while has failed. It changes nothing while the result stays unknown.
func (t *Till) Ask(ctx context.Context, do Do, intent billing.IntentID) (Result, error) {
	l, err := load(ctx, do, intent)
	out := Result{Intent: l.Intent}
	switch {
	case err != nil || l.Settled():
		return out, err
	case l.State == billing.IntentReady && l.Kind == billing.IntentPage: // nobody waits for the page any more
		return out, do(ctx, func(tx *tenant.Tx) (err error) {
			if err = billing.FailIntent(ctx, tx, intent, "never ordered"); err == nil {
				out.Intent, err = billing.IntentByID(ctx, tx, intent)
			}
			return err
		})
	case l.State == billing.IntentReady:
		return t.Perform(ctx, do, intent, "")
	}
	g, err := t.connect(ctx, l.credentials)
	if err != nil {
		return out, err
	}
	a := ask(ctx, g, l)
	switch {
	case errors.Is(a.err, gateway.ErrNotThere) && l.CalledAt != nil && l.now.Sub(*l.CalledAt) > grace:
		return out, do(ctx, func(tx *tenant.Tx) (err error) {
			if err = billing.FailIntent(ctx, tx, intent, "never arrived"); err == nil {
				out.Intent, err = billing.IntentByID(ctx, tx, intent)
			}
			return err
		})
	case errors.Is(a.err, gateway.ErrNotThere), errors.Is(a.err, gateway.ErrUnknown):
		return out, nil
	case a.err != nil:
		return out, a.err
	}
	return t.settle(ctx, do, l.Intent, l.organization, a)
}

func ask(ctx context.Context, g gateway.Gateway, l loaded) answer {
	if l.Kind == billing.IntentRefund {
		r, err := g.FindRefund(ctx, l.Query())
		return answer{refund: &r, err: err}
	}
	if l.Kind == billing.IntentPage && l.State == billing.IntentWaiting && l.now.Sub(l.CreatedAt) > pageLifetime {
		c, err := g.Cancel(ctx, l.Ref)
		return answer{charge: &c, err: err}
	}
	c, err := g.FindCharge(ctx, l.Query())
	return answer{charge: &c, err: err}
}

// CallOff closes a page that nobody has paid on; the answer may be that someone has.
func (t *Till) CallOff(ctx context.Context, do Do, intent billing.IntentID) (Result, error) {
	l, err := load(ctx, do, intent)
	if err != nil || l.Settled() || l.Kind != billing.IntentPage || l.Ref == "" {
		return Result{Intent: l.Intent}, err
	}
	g, err := t.connect(ctx, l.credentials)
	if err != nil {
		return Result{Intent: l.Intent}, err
	}
	c, err := g.Cancel(ctx, l.Ref)
	if err != nil {
		return Result{Intent: l.Intent}, err
	}
	return t.settle(ctx, do, l.Intent, l.organization, answer{charge: &c})
}

// Reconcile asks about every intent of an organization that has stood without a result for a while, and says how many
// have one now. One that fails does not keep the others from being asked about.
func (t *Till) Reconcile(ctx context.Context, do Do) (settled int, err error) {
	var open []billing.Intent
	err = do(ctx, func(tx *tenant.Tx) (err error) {
		open, err = billing.OpenIntents(ctx, tx, tx.Now().Add(-patience), atOnce)
		return err
	})
	if err != nil {
		return 0, err
	}
	var all error
	for _, i := range open {
		r, err := t.Ask(ctx, do, i.ID)
		if err != nil && fault.KindOf(err) != fault.Conflict { // a refusal is a result
			all = errors.Join(all, err)
		}
		if r.Settled() {
			settled++
		}
	}
	return settled, all
}

// Receive keeps what a gateway tells by itself about its account. The organization is the one that do enters, and the
// account the one given: nothing in the message chooses either. It fails with gateway.ErrSignature for a message that
// is not the gateway's, and else only when it is to be sent again.
func (t *Till) Receive(ctx context.Context, do Do, account billing.GatewayAccountID, header http.Header, body []byte) error {
	var sealed billing.SealedCredentials
	var organization tenant.OrganizationID
	err := do(ctx, func(tx *tenant.Tx) (err error) {
		organization = tx.Scope().Organization().ID
		sealed, err = billing.GatewayCredentials(ctx, tx, account)
		return err
	})
	if err != nil {
		return err
	}
	g, err := t.connect(ctx, sealed)
	if err != nil {
		return err
	}
	e, err := g.Receive(ctx, header, body)
	if errors.Is(err, gateway.ErrNotThere) {
		return nil // it is about what the gateway itself no longer knows
	} else if err != nil {
		return err
	}
	m := message{t, do, g, account, organization}
	switch {
	case e.Charge != nil:
		return m.charge(ctx, *e.Charge)
	case e.Refund != nil:
		return m.refund(ctx, *e.Refund)
	case e.Dispute != nil:
		return m.dispute(ctx, *e.Dispute)
	}
	return nil
}

// message is a signed one that is being kept.
type message struct {
	till         *Till
	do           Do
	gateway      gateway.Gateway
	account      billing.GatewayAccountID
	organization tenant.OrganizationID
}

// intent finds an intent of this account by our key; not there for what was not ordered here.
func (m message) intent(ctx context.Context, key string) (i billing.Intent, there bool, err error) {
	intent, ok := id.Parse[billing.Intent](key)
	if !ok {
		return i, false, nil
	}
	err = m.do(ctx, func(tx *tenant.Tx) (err error) {
		i, err = billing.IntentByID(ctx, tx, intent)
		return err
	})
	if errors.Is(err, billing.ErrIntentNotFound) {
		return i, false, nil
	}
	return i, err == nil && i.GatewayID == m.account, err
}

func (m message) charge(ctx context.Context, c gateway.Charge) error {
	i, there, err := m.intent(ctx, c.Key)
	if err != nil || !there || i.Kind == billing.IntentRefund {
		return err
	}
	_, err = m.till.settle(ctx, m.do, i, m.organization, answer{charge: &c})
	return err
}

func (m message) refund(ctx context.Context, r gateway.Refund) error {
	i, ours, err := m.intent(ctx, r.Key)
	if err != nil {
		return err
	}
	return m.afterCharge(ctx, r.Charge, func(tx *tenant.Tx) error {
		if ours && i.Kind == billing.IntentRefund {
			_, err := billing.SettleRefund(ctx, tx, i.ID, r)
			return err
		}
		return billing.AdoptRefund(ctx, tx, m.account, r)
	})
}

func (m message) dispute(ctx context.Context, d gateway.Dispute) error {
	return m.afterCharge(ctx, d.Charge, func(tx *tenant.Tx) error { return billing.BookDispute(ctx, tx, m.account, d) })
}

// afterCharge books what follows from a charge. Where the news of the charge itself has not come yet, the gateway is
// asked for it first.
func (m message) afterCharge(ctx context.Context, charge string, book func(tx *tenant.Tx) error) error {
	booked := func() (there bool, err error) {
		err = m.do(ctx, func(tx *tenant.Tx) error {
			_, err := billing.ChargeByRef(ctx, tx, m.account, charge)
			if there = err == nil; there {
				return book(tx)
			}
			return err
		})
		return there, err
	}
	there, err := booked()
	if there || !errors.Is(err, billing.ErrIntentNotFound) {
		return err
	}
	c, err := m.gateway.FindCharge(ctx, gateway.Query{Ref: charge})
	if errors.Is(err, gateway.ErrNotThere) {
		return nil
	} else if err != nil {
		return err
	}
	if err := m.charge(ctx, c); err != nil {
		return err
	}
	if _, err = booked(); errors.Is(err, billing.ErrIntentNotFound) {
		return nil // a charge that was not ordered here
	}
	return err
}
