package till_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(childOrder); order != "" {
		os.Exit(beChild(order))
	}
	os.Exit(tenanttest.Main(m))
}

var eur = money.MustCurrency("EUR")

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: eur} }

// plainSealer hides nothing, but opens only in the place that it sealed for, in any process, and counts.
type plainSealer struct{ calls *atomic.Int64 }

type plainText struct {
	At    billing.Place
	Plain []byte
}

func (s plainSealer) Seal(_ context.Context, at billing.Place, plain []byte) (string, error) {
	s.calls.Add(1)
	b, err := json.Marshal(plainText{at, plain})
	return base64.StdEncoding.EncodeToString(b), err
}

func (s plainSealer) Open(_ context.Context, at billing.Place, sealed string) ([]byte, error) {
	s.calls.Add(1)
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, err
	}
	var p plainText
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, err
	}
	if p.At != at {
		return nil, fmt.Errorf("sealed for %v, opened at %v", p.At, at)
	}
	return p.Plain, nil
}

// shop is an organization with a gateway, a customer, and an invoice that is large enough.
type shop struct {
	*testing.T
	db       *tenant.DB
	clock    *tenanttest.Clock
	scope    tenant.Scope
	house    *fake.House
	key      string
	till     *till.Till
	account  billing.GatewayAccountID
	customer billing.CustomerID
	invoice  billing.InvoiceID
}

func openShop(t *testing.T, total string) *shop {
	t.Helper()
	s := &shop{T: t, clock: &tenanttest.Clock{}, house: fake.NewHouse(), key: "practice_" + tenanttest.Random(8)}
	s.house.Late = 200 * time.Millisecond
	s.clock.Advance(untilMorning(s.clock.Now()))
	s.db = tenanttest.OpenWith(t, s.clock)
	o := tenanttest.Found(t, s.db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: eur, Country: "IE", TimeZone: "Europe/Dublin"})
	})
	var err error
	if s.scope, err = tenant.EnterOperator(t.Context(), s.db, o.Slug); err != nil {
		t.Fatal(err)
	}
	s.till = s.newTill()
	sealed, err := billing.SealGatewayAccount(t.Context(), s.till.Sealer, s.scope.Organization().ID,
		billing.GatewayAccountInput{Kind: gateway.Practice, Name: "Practice", Key: s.key, WebhookSecret: fake.SecretOf(s.key)})
	if err != nil {
		t.Fatal(err)
	}
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		account, err := billing.AddGatewayAccount(ctx, tx, sealed)
		if err != nil {
			return err
		}
		s.account = account.ID
		customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara"})
		s.customer = customer.ID
		return err
	})
	s.invoice = s.issue(total)
	return s
}

// untilMorning is how long it is to the next one: what takes half an hour must not end on another day, whenever the tests
// are run.
func untilMorning(now time.Time) time.Duration {
	year, month, day := now.UTC().Date()
	return time.Date(year, month, day+1, 8, 0, 0, 0, time.UTC).Sub(now)
}

// newTill is that of a server which has just been started.
func (s *shop) newTill() *till.Till {
	client := s.house.Client()
	client.Timeout = 100 * time.Millisecond
	return &till.Till{Sealer: plainSealer{new(atomic.Int64)}, CardNumbers: "Ada Byron", Connect: func(_ gateway.Kind, c gateway.Credentials) (gateway.Gateway, error) {
		return fake.NewClient(c, "http://practice.example", client), nil
	}}
}

func (s *shop) in() till.Do { return entering(s.db, s.scope.Organization().Slug) }

// entering enters anew each time, as every process does after a while.
func entering(db *tenant.DB, slug string) till.Do {
	return func(ctx context.Context, fn func(tx *tenant.Tx) error) error {
		scope, err := tenant.EnterOperator(ctx, db, slug)
		if err != nil {
			return err
		}
		return tenant.Do(ctx, db, scope, fn)
	}
}

func (s *shop) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	s.Helper()
	if err := s.try(fn); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return s.in()(ctx, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (s *shop) issue(total string) (made billing.InvoiceID) {
	s.Helper()
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		d, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: s.customer, Lines: []billing.InvoiceLineInput{
			{Description: "Work", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString(total)}}})
		if err != nil {
			return err
		}
		made = d.ID
		_, err = billing.IssueInvoice(ctx, tx, d.ID, 0)
		return err
	})
	return made
}

// method stores a card as a hosted page would have.
func (s *shop) method(card string) billing.PaymentMethodID {
	s.Helper()
	sealed, err := billing.SealCard(s.Context(), s.till.Sealer, s.scope.Organization().ID,
		billing.Intent{Keep: true, CustomerID: s.customer, GatewayID: s.account}, gateway.Card{Token: card, Brand: "visa", LastFour: "4242"})
	if err != nil {
		s.Fatal(err)
	}
	var m billing.PaymentMethod
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		m, err = billing.AddPaymentMethod(ctx, tx, sealed)
		return err
	})
	return m.ID
}

func (s *shop) plan(method billing.PaymentMethodID, amount money.Amount) billing.IntentID {
	s.Helper()
	var i billing.Intent
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		i, err = billing.PlanCharge(ctx, tx, billing.ChargeInput{InvoiceID: s.invoice, MethodID: method, Amount: amount})
		return err
	})
	return i.ID
}

func (s *shop) charge(card string, minor int64) billing.Intent {
	s.Helper()
	r, err := s.till.Perform(s.Context(), s.in(), s.plan(s.method(card), euros(minor)), "")
	if err != nil {
		s.Fatal(err)
	}
	return r.Intent
}

func (s *shop) refund(charge billing.IntentID, minor int64) billing.Intent {
	s.Helper()
	var i billing.Intent
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		i, err = billing.PlanRefund(ctx, tx, charge, euros(minor))
		return err
	})
	r, err := s.till.Perform(s.Context(), s.in(), i.ID, "")
	if err != nil {
		s.Fatal(err)
	}
	return r.Intent
}

func (s *shop) read(i billing.IntentID) billing.Intent {
	s.Helper()
	var got billing.Intent
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		got, err = billing.IntentByID(ctx, tx, i)
		return err
	})
	return got
}

func (s *shop) settled() money.Amount {
	s.Helper()
	var inv billing.Invoice
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		inv, err = billing.InvoiceByID(ctx, tx, s.invoice)
		return err
	})
	return inv.Settled
}

// deliver brings messages of the provider, signed anew.
func (s *shop) deliver(messages ...fake.Message) {
	s.Helper()
	for _, m := range messages {
		if err := s.till.Receive(s.Context(), s.in(), s.account, fake.Sign(s.key, time.Now(), m.Body), m.Body); err != nil {
			s.Fatalf("%v for %s", err, m.Body)
		}
	}
}

// compare fails unless our books are the provider's, movement by movement, and the ledger adds up to the same.
func (s *shop) compare() {
	s.Helper()
	var ours []fake.Movement
	var sums struct {
		Clearing  int64 `db:"clearing"`
		Settled   int64 `db:"settled"`
		Allocated int64 `db:"allocated"`
		Owed      int64 `db:"owed"`
		Paid      int64 `db:"paid"`
		Total     int64 `db:"total"`
	}
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		var rows []struct {
			Kind, Ref, Currency string
			Amount              int64
		}
		if err := tx.Select(ctx, &rows, `SELECT kind, ref, currency, amount FROM gateway_movement WHERE gateway_account_id = $1`, s.account); err != nil {
			return err
		}
		for _, r := range rows {
			ours = append(ours, fake.Movement{Kind: r.Kind, Ref: r.Ref, Currency: r.Currency, Amount: r.Amount})
		}
		return tx.Get(ctx, &sums, `
			SELECT coalesce((SELECT sum(l.amount) FROM journal_line l WHERE l.account_id = g.account_id), 0) AS clearing,
			       (SELECT sum(settled) FROM document) AS settled, (SELECT sum(total) FROM document) AS total,
			       coalesce((SELECT sum(amount) FROM payment_allocation), 0) AS allocated, coalesce((SELECT sum(amount) FROM payment), 0) AS paid,
			       (SELECT sum(l.amount) FROM journal_line l JOIN account a ON a.id = l.account_id WHERE a.purpose = 'receivable') AS owed
			  FROM gateway_account g WHERE g.id = $1`, s.account)
	})
	theirs := s.house.Movements(s.key)
	for i := range theirs {
		theirs[i].Key = ""
	}
	order := func(a, b fake.Movement) int { return strings.Compare(a.Kind+a.Ref, b.Kind+b.Ref) }
	slices.SortFunc(ours, order)
	slices.SortFunc(theirs, order)
	if !slices.Equal(ours, theirs) {
		s.Errorf("our books of the gateway:\n%v\nits own:\n%v", ours, theirs)
	}
	if balance := s.house.Balance(s.key)["EUR"]; sums.Clearing != balance {
		s.Errorf("the ledger says %d, the gateway %d", sums.Clearing, balance)
	}
	if sums.Settled != sums.Allocated || sums.Owed != sums.Total-sums.Paid {
		s.Errorf("settled %d by payments of %d; owed are %d of %d with %d paid", sums.Settled, sums.Allocated, sums.Owed, sums.Total, sums.Paid)
	}
}

func TestCharge(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	part := s.charge(fake.CardGood, 3000)
	if part.State != billing.IntentSucceeded || part.Refundable() != euros(3000) || s.settled() != euros(3000) {
		t.Errorf("charged in part: %+v, settled %s", part, s.settled())
	}
	if got := s.charge(fake.CardDeclined, 7000); got.State != billing.IntentDeclined || got.Reason != "card_declined" {
		t.Errorf("declined: %+v", got)
	}
	waiting := s.charge(fake.CardChallenge, 1000)
	if waiting.State != billing.IntentWaiting {
		t.Errorf("challenged: %+v", waiting)
	}
	s.house.PayPage(waiting.Ref, fake.CardChallenge)
	if r, err := s.till.Ask(t.Context(), s.in(), waiting.ID); err != nil || r.State != billing.IntentSucceeded {
		t.Errorf("after the challenge: %+v, %v", r, err)
	}
	s.compare()
	t.Run("what was charged is refunded in part, then whole, then no more", func(t *testing.T) {
		if got := s.refund(part.ID, 1000); got.State != billing.IntentSucceeded || s.settled() != euros(3000) {
			t.Errorf("refunded: %+v, settled %s", got, s.settled())
		}
		if got := s.refund(part.ID, 2000); got.State != billing.IntentSucceeded || s.settled() != euros(1000) {
			t.Errorf("refunded: %+v, settled %s", got, s.settled())
		}
		err := s.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.PlanRefund(ctx, tx, part.ID, euros(1))
			return err
		})
		if !errors.Is(err, billing.ErrRefundAmount) {
			t.Errorf("a refund too many: %v", err)
		}
		s.compare()
	})
	t.Run("more than is open is refused", func(t *testing.T) {
		method := s.method(fake.CardGood)
		err := s.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.PlanCharge(ctx, tx, billing.ChargeInput{InvoiceID: s.invoice, MethodID: method, Amount: euros(9001)})
			return err
		})
		if !errors.Is(err, billing.ErrChargeAmount) {
			t.Errorf("%v", err)
		}
	})
}

func TestLostAnswerFreezesTheCharge(t *testing.T) {
	t.Parallel()
	for card, want := range map[string]billing.IntentState{fake.CardUnanswered: billing.IntentSucceeded, fake.CardLate: billing.IntentSucceeded,
		fake.CardLost: billing.IntentFailed} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, "50.00")
			got := s.charge(card, 5000)
			if got.State != billing.IntentUnknown || !s.settled().IsZero() {
				t.Fatalf("without an answer: %+v", got)
			}
			method := s.method(fake.CardGood)
			err := s.try(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.PlanCharge(ctx, tx, billing.ChargeInput{InvoiceID: s.invoice, MethodID: method})
				return err
			})
			if !errors.Is(err, billing.ErrChargeUnderWay) {
				t.Errorf("charged again while frozen: %v", err)
			}
			if r, err := s.till.Perform(t.Context(), s.in(), got.ID, ""); err != nil || r.State != billing.IntentUnknown {
				t.Errorf("ordered again: %+v, %v", r, err)
			}
			for _, wait := range []time.Duration{2 * time.Minute, 20 * time.Minute} {
				s.clock.Advance(wait)
				if _, err := s.till.Reconcile(t.Context(), s.in()); err != nil {
					t.Fatal(err)
				}
				if wait < 5*time.Minute && want == billing.IntentFailed && s.read(got.ID).Settled() {
					t.Error("given up before it could have arrived")
				}
			}
			if state := s.read(got.ID).State; state != want {
				t.Errorf("after asking: %s", state)
			}
			s.compare()
		})
	}
}

func TestTwoServersChargeOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, "80.00")
	other := tenanttest.OpenWith(t, s.clock)
	there, err := tenant.EnterOperator(t.Context(), other, s.scope.Organization().Slug)
	if err != nil {
		t.Fatal(err)
	}
	ways := []till.Do{s.in(), till.In(other, there)}
	method := s.method(fake.CardGood)
	var planned [8]billing.Intent
	var refused atomic.Int64
	together(len(planned), func(n int) {
		err := ways[n%2](t.Context(), func(tx *tenant.Tx) (err error) {
			planned[n], err = billing.PlanCharge(t.Context(), tx, billing.ChargeInput{InvoiceID: s.invoice, MethodID: method})
			return err
		})
		if errors.Is(err, billing.ErrChargeUnderWay) {
			refused.Add(1)
			planned[n].ID = billing.IntentID{}
		} else if err != nil {
			t.Error(err)
		}
	})
	if refused.Load() != 7 {
		t.Fatalf("%d of eight were refused", refused.Load())
	}
	for _, i := range planned {
		if i.ID.IsZero() {
			continue
		}
		together(8, func(n int) {
			if _, err := s.newTill().Perform(t.Context(), ways[n%2], i.ID, ""); err != nil {
				t.Error(err)
			}
		})
	}
	if n := len(s.house.Movements(s.key)); n != 2 || s.settled() != euros(8000) {
		t.Errorf("the gateway has %d movements, and %s is settled", n, s.settled())
	}
	s.compare()
}

func together(n int, fn func(n int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}

func TestMessagesInAnyOrderAndTwice(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	lost := s.charge(fake.CardUnanswered, 6000)
	found, err := fakeClient(s).FindCharge(t.Context(), gateway.Query{Key: lost.Key()})
	if err != nil {
		t.Fatal(err)
	}
	if s.house.GiveBack(s.key, found.Ref, 1000) == "" || !s.house.Dispute(s.key, found.Ref, false) || !s.house.Dispute(s.key, found.Ref, true) {
		t.Fatal("the provider refused")
	}
	messages := s.house.Messages(s.key)
	slices.Reverse(messages) // won before disputed before refunded before charged
	s.deliver(messages...)
	s.compare()
	s.deliver(append(messages, messages...)...)
	s.compare()
	if s.settled() != euros(5000) || s.read(lost.ID).State != billing.IntentSucceeded {
		t.Errorf("settled %s", s.settled())
	}
	t.Run("a forged one changes nothing", func(t *testing.T) {
		body := []byte(strings.Replace(string(messages[0].Body), `"amount":5000`, `"amount":500`, 1))
		if err := s.till.Receive(t.Context(), s.in(), s.account, messages[0].Header, body); !errors.Is(err, gateway.ErrSignature) {
			t.Errorf("%v", err)
		}
		s.compare()
	})
	t.Run("another account's does nothing here", func(t *testing.T) {
		stranger := openShop(t, "100.00")
		charged := stranger.charge(fake.CardGood, 100)
		for _, m := range stranger.house.Messages(stranger.key) {
			s.deliver(m) // signed with this account's secret, about the other's charge
		}
		if charged.State != billing.IntentSucceeded {
			t.Errorf("%+v", charged)
		}
		s.compare()
	})
}

// A charge that was spread over two invoices counts once: what is given back of it is taken off both, and not out of
// credit that it has none of.
func TestRefundOfAChargeThatSettlesTwoInvoices(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	charge, other := s.charge(fake.CardGood, 6000), s.issue("100.00")
	var payment billing.Payment
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := billing.Payments(ctx, tx, billing.PaymentFilter{InvoiceID: s.invoice}, cursor.Query{})
		if err != nil {
			return err
		}
		payment = all.Items[0]
		if _, err = billing.UnapplyPayment(ctx, tx, payment.ID, s.invoice); err != nil {
			return err
		}
		if _, err = billing.ApplyPayment(ctx, tx, payment.ID, s.invoice, euros(2500)); err != nil {
			return err
		}
		payment, err = billing.ApplyPayment(ctx, tx, payment.ID, other, euros(3500))
		return err
	})
	if len(payment.Settles) != 2 || !payment.Left.IsZero() || !payment.Gateway {
		t.Fatalf("spread as %+v", payment)
	}
	err := s.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.GiveBackPayment(ctx, tx, payment.ID, billing.RefundInput{Amount: euros(1), Method: billing.Cash})
		return err
	})
	if !errors.Is(err, billing.ErrGiveBackGateway) {
		t.Errorf("given back past the gateway: %v", err)
	}
	s.refund(charge.ID, 5000)
	s.compare()
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		second, err := billing.InvoiceByID(ctx, tx, other)
		if settled := s.settledOf(ctx, tx, s.invoice); err == nil && (!second.Settled.IsZero() || settled != euros(1000)) {
			t.Errorf("after 50.00 of 60.00 were given back %s and %s are settled", settled, second.Settled)
		}
		return err
	})
}

func (s *shop) settledOf(ctx context.Context, tx *tenant.Tx, invoice billing.InvoiceID) money.Amount {
	i, err := billing.InvoiceByID(ctx, tx, invoice)
	if err != nil {
		s.Error(err)
	}
	return i.Settled
}

// A dispute that is won has a name, and a fee or a part of one given back, as the lost one had.
func TestFeeOfAWonDisputeIsBookedToo(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	charged := s.charge(fake.CardGood, 10000)
	for range 2 {
		s.do(func(ctx context.Context, tx *tenant.Tx) error {
			lost := gateway.Dispute{Ref: "du_1", Charge: charged.Ref, Amount: euros(10000), Fee: euros(1500)}
			won := gateway.Dispute{Ref: "du_1", Charge: charged.Ref, Amount: euros(10000), Fee: euros(-1500), Reinstated: true}
			return errors.Join(billing.BookDispute(ctx, tx, s.account, lost), billing.BookDispute(ctx, tx, s.account, won))
		})
	}
	var fees []int64
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Select(ctx, &fees, `SELECT amount FROM gateway_movement WHERE kind = 'fee' AND ref LIKE 'du_1%' ORDER BY amount`)
	})
	if !slices.Equal(fees, []int64{-1500, 1500}) {
		t.Errorf("fees booked: %d", fees)
	}
}

func fakeClient(s *shop) gateway.Gateway {
	return fake.NewClient(gateway.Credentials{Key: s.key}, "http://practice.example", s.house.Client())
}

func TestChargeThatArrivesAfterItWasGivenUp(t *testing.T) {
	t.Parallel()
	s := openShop(t, "10.00")
	lost := s.charge(fake.CardQueued, 1000)
	s.clock.Advance(20 * time.Minute)
	if _, err := s.till.Reconcile(t.Context(), s.in()); err != nil {
		t.Fatal(err)
	}
	if s.read(lost.ID).State != billing.IntentFailed {
		t.Fatalf("%+v", s.read(lost.ID))
	}
	if again := s.charge(fake.CardGood, 1000); again.State != billing.IntentSucceeded {
		t.Fatalf("%+v", again)
	}
	s.house.Arrive(s.key)
	s.deliver(s.house.Messages(s.key)...)
	s.compare() // both are in the books, the second as the customer's credit
	if s.settled() != euros(1000) || s.read(lost.ID).State != billing.IntentSucceeded {
		t.Errorf("settled %s", s.settled())
	}
	if got := s.refund(lost.ID, 1000); got.State != billing.IntentSucceeded || s.settled() != euros(1000) {
		t.Errorf("the credit given back: %+v, settled %s", got, s.settled())
	}
	s.compare()
}

// A dispute or refund in another currency moves nothing in the books: the charge says so, and is frozen.
func TestMovementInAnotherCurrencyFreezesTheCharge(t *testing.T) {
	t.Parallel()
	dollars := money.Amount{Minor: 5500, Currency: money.MustCurrency("USD")}
	for what, book := range map[string]func(ctx context.Context, tx *tenant.Tx, s *shop, ref string) error{
		"dispute du_1 in USD: book it by hand": func(ctx context.Context, tx *tenant.Tx, s *shop, ref string) error {
			return billing.BookDispute(ctx, tx, s.account, gateway.Dispute{Ref: "du_1", Charge: ref, Amount: dollars, Fee: euros(1500)})
		},
		"won dispute du_1 in USD: book it by hand": func(ctx context.Context, tx *tenant.Tx, s *shop, ref string) error {
			return billing.BookDispute(ctx, tx, s.account, gateway.Dispute{Ref: "du_1", Charge: ref, Amount: dollars, Reinstated: true})
		},
		"refund re_1 in USD: book it by hand": func(ctx context.Context, tx *tenant.Tx, s *shop, ref string) error {
			return billing.AdoptRefund(ctx, tx, s.account, gateway.Refund{Ref: "re_1", Charge: ref, State: gateway.Succeeded, Amount: dollars})
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, "100.00")
			charged := s.charge(fake.CardGood, 6000)
			for range 2 {
				s.do(func(ctx context.Context, tx *tenant.Tx) error { return book(ctx, tx, s, charged.Ref) })
				s.deliver(s.house.Messages(s.key)...) // the charge is told of again
			}
			s.compare()
			got := s.read(charged.ID)
			if got.State != billing.IntentSucceeded || got.Reason != what || !got.Frozen() || !got.Refundable().IsZero() || s.settled() != euros(6000) {
				t.Errorf("%+v, settled %s", got, s.settled())
			}
			err := s.try(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.PlanRefund(ctx, tx, charged.ID, euros(100))
				return err
			})
			if !errors.Is(err, billing.ErrFrozen) {
				t.Errorf("refunded: %v", err)
			}
			var c billing.Collection
			var noted int
			s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
				if c, err = billing.CollectionOf(ctx, tx, s.invoice); err != nil {
					return err
				}
				return tx.Get(ctx, &noted, `SELECT count(*) FROM audit_log WHERE action = 'charge.freeze' AND object_id = $1`, charged.ID)
			})
			if c.State != billing.CollectionStopped || c.Reason != what || noted != 1 {
				t.Errorf("collection %+v, noted %d times", c, noted)
			}
			s.unfreezes(charged.ID)
			s.do(func(ctx context.Context, tx *tenant.Tx) error { return book(ctx, tx, s, charged.Ref) })
			s.deliver(s.house.Messages(s.key)...)
			if got := s.read(charged.ID); got.Frozen() || got.Refundable() != euros(6000) || !strings.HasSuffix(got.Reason, ": booked by hand") {
				t.Errorf("booked by hand and told of again it is %+v", got)
			}
		})
	}
}

// unfreezes lets a charge go on, which takes a note, and cannot be done twice.
func (s *shop) unfreezes(charge billing.IntentID) {
	s.Helper()
	unfreeze := func(note string) error {
		return s.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.UnfreezeCharge(ctx, tx, charge, note)
			return err
		})
	}
	if err := unfreeze(" "); !errors.Is(err, text.ErrMissing) {
		s.Errorf("without a note: %v", err)
	}
	if err := unfreeze("Entry 7"); err != nil {
		s.Error(err)
	}
	if err := unfreeze("Entry 7"); !errors.Is(err, billing.ErrNotFrozen) {
		s.Errorf("twice: %v", err)
	}
}

// Key and signing secret are sealed as one; where one is given anew, the other stays.
func TestGatewaySecretsStayWhereNoneIsGiven(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	stored := func() (c billing.SealedCredentials) {
		t.Helper()
		s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			c, err = billing.GatewayCredentials(ctx, tx, s.account)
			return err
		})
		return c
	}
	change := func(before billing.SealedCredentials, version int, key, secret string) error {
		t.Helper()
		sealed, err := billing.ResealGatewayAccount(t.Context(), s.till.Sealer, before,
			billing.GatewayAccountInput{Kind: gateway.Practice, Name: "Practice", Key: key, WebhookSecret: secret})
		if err != nil {
			t.Fatal(err)
		}
		return s.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.ChangeGatewayAccount(ctx, tx, version, sealed)
			return err
		})
	}
	has := func(what, key, secret string) {
		t.Helper()
		c, err := billing.OpenCredentials(t.Context(), s.till.Sealer, stored())
		if err != nil || c.Key != key || c.WebhookSecret != secret {
			t.Errorf("%s: other secrets are stored (%v)", what, err)
		}
	}
	first, fresh, old := stored(), "practice_"+tenanttest.Random(8), fake.SecretOf(s.key)
	if err := change(first, 0, fresh, ""); err != nil {
		t.Fatal(err)
	}
	has("a new key alone", fresh, old)
	if err := change(stored(), 0, "", fake.SecretOf(fresh)); err != nil {
		t.Fatal(err)
	}
	has("a new signing secret alone", fresh, fake.SecretOf(fresh))
	if err := change(stored(), 0, "", ""); err != nil {
		t.Fatal(err)
	}
	has("neither", fresh, fake.SecretOf(fresh))
	for _, version := range []int{0, 4} {
		if err := change(first, version, s.key, ""); !errors.Is(err, billing.ErrGatewayChanged) {
			t.Errorf("what was read before others changed it, at version %d: %v", version, err)
		}
	}
	has("after a change that came too late", fresh, fake.SecretOf(fresh))
}
