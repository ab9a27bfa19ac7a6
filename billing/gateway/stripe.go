package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/countinghouse/countinghouse/billing/money"
)

const (
	// callTimeout bounds one call: shorter than the time after which an order without answer is asked about.
	callTimeout = 20 * time.Second
	// pageLifetime is how long a hosted page can be paid on: the shortest that Stripe takes is 30 minutes.
	pageLifetime = 31 * time.Minute
	// ourKey is the name under which Stripe keeps our key with each of its objects.
	ourKey = "countinghouse_key"
)

type stripeGateway struct {
	client *stripe.Client
	secret string
	now    func() time.Time
}

// NewStripe speaks with Stripe, or with what answers like it at base; an empty base is Stripe's own address. The
// client may be nil. Nothing is retried here: what became of an order is for its caller to find out.
func NewStripe(c Credentials, base string, client *http.Client) Gateway {
	if client == nil {
		client = &http.Client{Timeout: callTimeout}
	}
	config := &stripe.BackendConfig{
		HTTPClient: client, MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log what it sends
	}
	if base != "" {
		config.URL = stripe.String(base)
	}
	return &stripeGateway{stripe.NewClient(c.Key, stripe.WithBackends(stripe.NewBackendsWithConfig(config))), c.WebhookSecret, time.Now}
}

// CheckStripeKey says whether a key could be one of Stripe's secret or restricted keys.
func CheckStripeKey(key string) bool {
	for _, prefix := range []string{"sk_live_", "sk_test_", "rk_live_", "rk_test_"} {
		if strings.HasPrefix(key, prefix) && len(key) > len(prefix)+8 && len(key) <= 255 {
			return true
		}
	}
	return false
}

func (g *stripeGateway) Checkout(ctx context.Context, o CheckoutOrder) (Charge, error) {
	minor, err := stripeMinor(o.Amount)
	if err != nil {
		return Charge{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String("payment"), ClientReferenceID: stripe.String(o.Key), SuccessURL: stripe.String(o.Back), CancelURL: stripe.String(o.Back),
		ExpiresAt: stripe.Int64(g.now().Add(pageLifetime).Unix()),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(o.Amount.Currency.Code())), UnitAmount: stripe.Int64(minor),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String(o.Description)},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{
			Description: stripe.String(o.Description), Metadata: map[string]string{ourKey: o.Key},
		},
	}
	if o.Keep {
		p.CustomerCreation = stripe.String("always")
		p.PaymentIntentData.SetupFutureUsage = stripe.String("off_session")
	}
	p.AddMetadata(ourKey, o.Key)
	p.SetIdempotencyKey(o.Key)
	session, err := g.client.V1CheckoutSessions.Create(ctx, p)
	if err != nil {
		return Charge{}, ordered(err)
	}
	return g.session(session)
}

func (g *stripeGateway) Cancel(ctx context.Context, ref string) (Charge, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	session, err := g.client.V1CheckoutSessions.Expire(ctx, ref, &stripe.CheckoutSessionExpireParams{})
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.HTTPStatusCode == http.StatusBadRequest { // it is over already, paid or not
		return g.FindCharge(ctx, Query{Ref: ref})
	} else if err != nil {
		return Charge{}, asked(err)
	}
	return g.session(session)
}

func (g *stripeGateway) Charge(ctx context.Context, o ChargeOrder) (Charge, error) {
	minor, err := stripeMinor(o.Amount)
	if err != nil {
		return Charge{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(minor), Currency: stripe.String(strings.ToLower(o.Amount.Currency.Code())),
		PaymentMethod: stripe.String(o.Card.Token), Description: stripe.String(o.Description),
		Confirm: stripe.Bool(true), OffSession: stripe.Bool(true),
	}
	if o.Card.Customer != "" {
		p.Customer = stripe.String(o.Card.Customer)
	}
	p.AddMetadata(ourKey, o.Key)
	p.AddExpand(withFee)
	p.SetIdempotencyKey(o.Key)
	intent, err := g.client.V1PaymentIntents.Create(ctx, p)
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.Type == stripe.ErrorTypeCard {
		declined := Charge{Key: o.Key, State: Declined, Amount: o.Amount, Reason: declineReason(refused), Card: o.Card}
		if refused.PaymentIntent != nil {
			declined.Ref = refused.PaymentIntent.ID
		}
		return declined, nil
	} else if err != nil {
		return Charge{}, ordered(err)
	}
	return g.intent(intent)
}

func (g *stripeGateway) Refund(ctx context.Context, o RefundOrder) (Refund, error) {
	minor, err := stripeMinor(o.Amount)
	if err != nil {
		return Refund{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := &stripe.RefundCreateParams{PaymentIntent: stripe.String(o.Charge), Amount: stripe.Int64(minor)}
	p.AddMetadata(ourKey, o.Key)
	p.SetIdempotencyKey(o.Key)
	refund, err := g.client.V1Refunds.Create(ctx, p)
	if err != nil {
		return Refund{}, ordered(err)
	}
	return g.refund(refund)
}

const withFee = "latest_charge.balance_transaction"

func (g *stripeGateway) FindCharge(ctx context.Context, q Query) (Charge, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch {
	case strings.HasPrefix(q.Ref, "cs_"):
		p := &stripe.CheckoutSessionRetrieveParams{}
		p.AddExpand("payment_intent." + withFee)
		session, err := g.client.V1CheckoutSessions.Retrieve(ctx, q.Ref, p)
		if err != nil {
			return Charge{}, asked(err)
		}
		return g.session(session)
	case q.Ref != "":
		p := &stripe.PaymentIntentRetrieveParams{}
		p.AddExpand(withFee)
		intent, err := g.client.V1PaymentIntents.Retrieve(ctx, q.Ref, p)
		if err != nil {
			return Charge{}, asked(err)
		}
		return g.intent(intent)
	}
	return g.searchCharge(ctx, q)
}

// searchCharge looks through what was made since, by the list and not by Stripe's search, which is behind by minutes.
func (g *stripeGateway) searchCharge(ctx context.Context, q Query) (Charge, error) {
	since := &stripe.RangeQueryParams{GreaterThanOrEqual: q.Since.Add(-time.Hour).Unix()}
	if q.Hosted {
		p := &stripe.CheckoutSessionListParams{CreatedRange: since}
		p.Limit = stripe.Int64(100)
		p.AddExpand("data.payment_intent")
		for session, err := range g.client.V1CheckoutSessions.List(ctx, p).All(ctx) {
			if err != nil {
				return Charge{}, asked(err)
			}
			if session.ClientReferenceID == q.Key {
				return g.session(session)
			}
		}
		return Charge{}, ErrNotThere
	}
	p := &stripe.PaymentIntentListParams{CreatedRange: since}
	p.Limit = stripe.Int64(100)
	p.AddExpand("data." + withFee)
	for intent, err := range g.client.V1PaymentIntents.List(ctx, p).All(ctx) {
		if err != nil {
			return Charge{}, asked(err)
		}
		if intent.Metadata[ourKey] == q.Key {
			return g.intent(intent)
		}
	}
	return Charge{}, ErrNotThere
}

func (g *stripeGateway) FindRefund(ctx context.Context, q Query) (Refund, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if q.Ref != "" {
		refund, err := g.client.V1Refunds.Retrieve(ctx, q.Ref, &stripe.RefundRetrieveParams{})
		if err != nil {
			return Refund{}, asked(err)
		}
		return g.refund(refund)
	}
	p := &stripe.RefundListParams{PaymentIntent: stripe.String(q.Charge)}
	p.Limit = stripe.Int64(100)
	for refund, err := range g.client.V1Refunds.List(ctx, p).All(ctx) {
		if err != nil {
			return Refund{}, asked(err)
		}
		if refund.Metadata[ourKey] == q.Key {
			return g.refund(refund)
		}
	}
	return Refund{}, ErrNotThere
}

// Receive believes of a signed message only what it is about, and asks how that stands now: messages come late, twice
// and in any order.
func (g *stripeGateway) Receive(ctx context.Context, header http.Header, body []byte) (Event, error) {
	if g.secret == "" { // anyone can sign with none
		return Event{}, ErrSignature
	}
	e, err := webhook.ConstructEventWithOptions(body, header.Get("Stripe-Signature"), g.secret,
		webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
	if err != nil {
		return Event{}, ErrSignature
	}
	if e.Data == nil {
		return Event{}, nil
	}
	var about struct {
		ID            string `json:"id"`
		PaymentIntent any    `json:"payment_intent"`
	}
	if err := json.Unmarshal(e.Data.Raw, &about); err != nil {
		return Event{}, ErrSignature.Because(err)
	}
	switch e.Type {
	// A decline is told by the answer to the order itself; on a hosted page it is not the end.
	case "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded", "payment_intent.succeeded":
		return told(g.FindCharge(ctx, Query{Ref: about.ID}))
	case "charge.updated", "charge.succeeded": // the fee is known now
		if ref, ok := about.PaymentIntent.(string); ok && ref != "" {
			return told(g.FindCharge(ctx, Query{Ref: ref}))
		}
	case "refund.created", "refund.updated", "refund.failed":
		refund, err := g.FindRefund(ctx, Query{Ref: about.ID})
		return Event{Refund: &refund}, err
	case "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated":
		return g.dispute(e.Data.Raw, e.Type == "charge.dispute.funds_reinstated")
	}
	return Event{}, nil
}

func told(c Charge, err error) (Event, error) { return Event{Charge: &c}, err }

func (g *stripeGateway) dispute(raw []byte, reinstated bool) (Event, error) {
	var d stripe.Dispute
	if err := json.Unmarshal(raw, &d); err != nil {
		return Event{}, fmt.Errorf("reading a dispute: %w", err)
	}
	if d.PaymentIntent == nil {
		return Event{}, nil
	}
	amount, err := stripeAmount(d.Amount, d.Currency)
	if err != nil {
		return Event{}, err
	}
	out := Dispute{Ref: d.ID, Charge: d.PaymentIntent.ID, Reinstated: reinstated, Amount: amount}
	for _, b := range d.BalanceTransactions {
		// One takes the money, a later one gives it again; each has its own fee.
		if b.Fee != 0 && (b.Amount > 0) == reinstated {
			if out.Fee, err = stripeAmount(b.Fee, b.Currency); err != nil {
				return Event{}, err
			}
		}
	}
	return Event{Dispute: &out}, nil
}

// session is what a hosted page says, by the charge on it when there is one.
func (g *stripeGateway) session(s *stripe.CheckoutSession) (Charge, error) {
	if s.PaymentIntent != nil && s.PaymentIntent.Status == stripe.PaymentIntentStatusSucceeded {
		c, err := g.intent(s.PaymentIntent)
		c.Key = s.ClientReferenceID
		return c, err
	}
	amount, err := stripeAmount(s.AmountTotal, s.Currency)
	c := Charge{Key: s.ClientReferenceID, Ref: s.ID, State: Waiting, Amount: amount, URL: s.URL}
	if s.Status == stripe.CheckoutSessionStatusExpired {
		c.State, c.URL = Expired, ""
	}
	return c, err
}

func (g *stripeGateway) intent(i *stripe.PaymentIntent) (Charge, error) {
	amount, err := stripeAmount(i.Amount, i.Currency)
	c := Charge{Key: i.Metadata[ourKey], Ref: i.ID, Amount: amount, State: Waiting}
	if err != nil {
		return c, err
	}
	switch i.Status {
	case stripe.PaymentIntentStatusSucceeded:
		c.State = Succeeded
		if c.Amount, err = stripeAmount(i.AmountReceived, i.Currency); err != nil {
			return c, err
		}
	case stripe.PaymentIntentStatusCanceled:
		c.State = Expired
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		c.State = Declined
		if i.LastPaymentError != nil {
			c.Reason = declineReason(i.LastPaymentError)
		}
	}
	if i.NextAction != nil && i.NextAction.RedirectToURL != nil {
		c.URL = i.NextAction.RedirectToURL.URL
	}
	if i.LatestCharge == nil {
		return c, nil
	}
	if b := i.LatestCharge.BalanceTransaction; b != nil && b.Fee != 0 {
		if c.Fee, err = stripeAmount(b.Fee, b.Currency); err != nil {
			return c, err
		}
	}
	if d := i.LatestCharge.PaymentMethodDetails; d != nil && d.Card != nil {
		c.Card = Card{Brand: string(d.Card.Brand), LastFour: d.Card.Last4, Expires: fmt.Sprintf("%04d-%02d", d.Card.ExpYear, d.Card.ExpMonth)}
		if i.Customer != nil && i.PaymentMethod != nil { // without a customer it cannot be charged again
			c.Card.Token, c.Card.Customer = i.PaymentMethod.ID, i.Customer.ID
		}
	}
	return c, nil
}

func (g *stripeGateway) refund(r *stripe.Refund) (Refund, error) {
	amount, err := stripeAmount(r.Amount, r.Currency)
	out := Refund{Key: r.Metadata[ourKey], Ref: r.ID, State: Waiting, Amount: amount, Reason: string(r.FailureReason)}
	if r.PaymentIntent != nil {
		out.Charge = r.PaymentIntent.ID
	}
	switch r.Status {
	case stripe.RefundStatusSucceeded:
		out.State = Succeeded
	case stripe.RefundStatusFailed:
		out.State = Declined
	case stripe.RefundStatusCanceled:
		out.State = Expired
	}
	return out, err
}

// Where Stripe's smallest unit is not that of ISO 4217, or not every amount in it is taken. By docs.stripe.com/currencies
// as it stood in 2026 ("Zero-decimal currencies", "Three-decimal currencies", "Special cases"), which lists UGX under
// zero-decimal too, but says of it by itself that 5 UGX are sent as 500. HUF and TWD are special in payouts alone.
var (
	stripeHundredfold = []string{"ISK", "UGX"}                      // one is a hundred of its units
	stripeWhole       = []string{"MGA"}                             // it knows no hundredths
	stripeTens        = []string{"BHD", "JOD", "KWD", "OMR", "TND"} // the last of three digits is 0
)

// stripeMinor is an amount in Stripe's smallest unit. It fails with ErrRefused for what cannot be told in it.
func stripeMinor(a money.Amount) (int64, error) {
	switch code := a.Currency.Code(); {
	case slices.Contains(stripeHundredfold, code):
		if a.Minor > math.MaxInt64/100 {
			return 0, ErrRefused.Because(errors.New("the amount is too large"))
		}
		return a.Minor * 100, nil
	case slices.Contains(stripeWhole, code):
		if a.Minor%100 != 0 {
			return 0, ErrRefused.Sayf("Stripe takes whole %s alone. Charge or refund an amount without a fraction.", code)
		}
		return a.Minor / 100, nil
	case slices.Contains(stripeTens, code) && a.Minor%10 != 0:
		return 0, ErrRefused.Sayf("Stripe takes %s in hundredths alone. Charge or refund an amount that ends in 0.", code)
	}
	return a.Minor, nil
}

func stripeAmount(minor int64, c stripe.Currency) (money.Amount, error) {
	currency, err := money.ParseCurrency(strings.ToUpper(string(c)))
	if err != nil {
		return money.Amount{}, fmt.Errorf("stripe names a currency that we do not know: %w", err)
	}
	switch code := currency.Code(); {
	case slices.Contains(stripeHundredfold, code):
		// What is ordered is whole; a fee need not be, and is rounded rather than keeping its charge out of the books.
		part := minor % 100
		minor /= 100
		if part >= 50 {
			minor++
		} else if part <= -50 {
			minor--
		}
	case slices.Contains(stripeWhole, code):
		if minor > math.MaxInt64/100 || minor < math.MinInt64/100 {
			return money.Amount{}, errors.New("stripe names an amount that is too large")
		}
		minor *= 100
	}
	return money.Amount{Minor: minor, Currency: currency}, nil
}

func declineReason(e *stripe.Error) string {
	if e.DeclineCode != "" {
		return string(e.DeclineCode)
	}
	return string(e.Code)
}

// ordered sorts a failed order. Only an answer that says no for certain is one; all else may have been carried out.
func ordered(err error) error {
	var e *stripe.Error
	if !errors.As(err, &e) {
		return ErrUnknown.Because(err)
	}
	cause := fmt.Errorf("stripe answered %d %s %s, request %s", e.HTTPStatusCode, e.Type, e.Code, e.RequestID) // its message may quote input
	switch {
	case e.HTTPStatusCode == http.StatusUnauthorized || e.HTTPStatusCode == http.StatusForbidden:
		return ErrCredentials.Because(cause)
	case e.HTTPStatusCode == http.StatusTooManyRequests:
		return ErrUnreachable.Because(cause)
	case e.HTTPStatusCode == http.StatusConflict: // another call with this key is under way
		return ErrUnknown.Because(cause)
	case e.HTTPStatusCode >= 400 && e.HTTPStatusCode < 500:
		return ErrRefused.Because(cause)
	}
	return ErrUnknown.Because(cause)
}

// asked sorts a failed question: it moves nothing, so only "not there" is an answer.
func asked(err error) error {
	var e *stripe.Error
	if errors.As(err, &e) && e.HTTPStatusCode == http.StatusNotFound {
		return ErrNotThere
	}
	if err := ordered(err); errors.Is(err, ErrCredentials) {
		return err
	}
	if errors.As(err, &e) {
		err = fmt.Errorf("stripe answered %d %s %s, request %s", e.HTTPStatusCode, e.Type, e.Code, e.RequestID)
	}
	return ErrUnknown.Because(err)
}
