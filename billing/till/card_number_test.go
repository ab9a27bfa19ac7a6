package till_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/tenant"
)

// number stores a card by its number.
func (s *shop) number(number string) billing.PaymentMethod {
	s.Helper()
	sealed, err := s.till.SealCardNumber(s.Context(), s.scope.Organization().ID, s.db.Now(),
		billing.CardNumberInput{CustomerID: s.customer, GatewayID: s.account, Number: number, Expires: "04/31"})
	if err != nil {
		s.Fatal(err)
	}
	var m billing.PaymentMethod
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		m, err = billing.AddPaymentMethod(ctx, tx, sealed)
		return err
	})
	return m
}

func TestChargeByNumber(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	card := s.number("3782 822463 10005")
	if card.Kind != billing.MethodCard || card.Brand != "amex" || card.LastFour != "0005" || card.Expires != "2031-04" || !card.Chargeable() {
		t.Errorf("stored: %+v", card)
	}
	code := func(digits string) gateway.CVV {
		t.Helper()
		cvv, err := card.ParseCVV(digits)
		if err != nil {
			t.Fatal(err)
		}
		return cvv
	}
	with, err := s.till.PerformWith(t.Context(), s.in(), s.plan(card.ID, euros(3000)), code("7391"))
	if err != nil || with.State != billing.IntentSucceeded || s.settled() != euros(3000) || !s.house.CheckedCVV(s.key, with.Ref) {
		t.Errorf("charged with the code: %+v, %v", with, err)
	}
	without, err := s.till.Perform(t.Context(), s.in(), s.plan(card.ID, euros(1000)), "")
	if err != nil || without.State != billing.IntentSucceeded || s.house.CheckedCVV(s.key, without.Ref) {
		t.Errorf("charged without: %+v, %v", without, err)
	}
	s.compare()
	visa := s.number("4242424242424242")
	wrong, err := visa.ParseCVV(fake.WrongCVV)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.till.PerformWith(t.Context(), s.in(), s.plan(visa.ID, euros(1000)), wrong); err != nil || r.State != billing.IntentDeclined || r.Reason != "incorrect_cvc" {
		t.Errorf("a wrong code: %+v, %v", r, err)
	}
	if r, err := s.till.Perform(t.Context(), s.in(), s.plan(s.number("4000000000000002").ID, euros(1000)), ""); err != nil || r.State != billing.IntentDeclined {
		t.Errorf("a declined card: %+v, %v", r, err)
	}
	s.compare()
	t.Run("a lost answer freezes it, and the code is not needed to find out", func(t *testing.T) {
		r, err := s.till.PerformWith(t.Context(), s.in(), s.plan(s.number("4000000000000119").ID, euros(1000)), code("7391"))
		if err != nil || r.State != billing.IntentUnknown {
			t.Fatalf("%+v, %v", r, err)
		}
		s.clock.Advance(2 * time.Minute)
		if _, err := s.till.Reconcile(t.Context(), s.in()); err != nil || s.read(r.ID).State != billing.IntentSucceeded {
			t.Errorf("%v, %+v", err, s.read(r.ID))
		}
		s.compare()
	})
	t.Run("what was stored but not ordered is ordered later, without the code", func(t *testing.T) {
		waiting := s.plan(card.ID, euros(500))
		s.clock.Advance(2 * time.Minute)
		if _, err := s.till.Reconcile(t.Context(), s.in()); err != nil {
			t.Fatal(err)
		}
		if got := s.read(waiting); got.State != billing.IntentSucceeded || s.house.CheckedCVV(s.key, got.Ref) {
			t.Errorf("%+v", got)
		}
		s.compare()
	})
	t.Run("a removed card is forgotten", func(t *testing.T) {
		s.do(func(ctx context.Context, tx *tenant.Tx) error { return billing.RemovePaymentMethod(ctx, tx, visa.ID) })
		var kept string
		s.do(func(ctx context.Context, tx *tenant.Tx) error {
			return tx.Get(ctx, &kept, `SELECT sealed FROM payment_method WHERE id = $1`, visa.ID)
		})
		if kept != "" {
			t.Errorf("kept: %q", kept)
		}
	})
}

func TestCardNumbersAreOff(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	in := billing.CardNumberInput{CustomerID: s.customer, GatewayID: s.account, Number: "4242424242424242", Expires: "04/31"}
	s.till.CardNumbers = ""
	if _, err := s.till.SealCardNumber(t.Context(), s.scope.Organization().ID, s.db.Now(), in); !errors.Is(err, billing.ErrCardNumbersOff) {
		t.Errorf("stored all the same: %v", err)
	}
	s.till.CardNumbers = "Ada Byron"
	card := s.number("4242424242424242")
	s.till.CardNumbers = "" // whoever accepted it withdrew
	r, err := s.till.Perform(t.Context(), s.in(), s.plan(card.ID, euros(1000)), "")
	if !errors.Is(err, billing.ErrCardNumbersOff) || r.State != billing.IntentFailed || r.Reason != "card_numbers.off" {
		t.Errorf("a stored card is charged: %+v, %v", r, err)
	}
	if n := len(s.house.Movements(s.key)); n != 0 {
		t.Errorf("%d movements", n)
	}
	if r := s.charge(fake.CardGood, 1000); r.State != billing.IntentSucceeded {
		t.Errorf("a card that the gateway keeps: %+v", r)
	}
	s.compare()
}

func TestCardNumberIsForAGatewayThatTakesIt(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	bank, err := billing.SealGatewayAccount(t.Context(), s.till.Sealer, s.scope.Organization().ID,
		billing.GatewayAccountInput{Kind: gateway.Stripe, Name: "Card", Key: "sk_test_" + strings.Repeat("x", 20)})
	if err != nil {
		t.Fatal(err)
	}
	var stripe billing.GatewayAccount
	s.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		stripe, err = billing.AddGatewayAccount(ctx, tx, bank)
		return err
	})
	sealed, err := s.till.SealCardNumber(t.Context(), s.scope.Organization().ID, s.db.Now(),
		billing.CardNumberInput{CustomerID: s.customer, GatewayID: stripe.ID, Number: "4242424242424242", Expires: "04/31"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.AddPaymentMethod(ctx, tx, sealed)
		return err
	})
	if !errors.Is(err, billing.ErrCardGateway) {
		t.Errorf("at Stripe: %v", err)
	}
	_, err = s.till.SealCardNumber(t.Context(), s.scope.Organization().ID, s.db.Now(), billing.CardNumberInput{CustomerID: s.customer, Number: "4242", Expires: "04/20"})
	for _, want := range []error{billing.ErrCardGateway, gateway.ErrCardNumber, gateway.ErrCardExpired} {
		if !errors.Is(err, want) {
			t.Errorf("%v is not in %v", want, err)
		}
	}
}
