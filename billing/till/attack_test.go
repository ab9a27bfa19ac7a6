package till_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Messages, the reconciler and people who ask tell of the same at one moment, on several servers.
func TestToldByManyAtOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	lost := s.charge(fake.CardUnanswered, 6000)
	ref := s.house.Movements(s.key)[0].Ref
	if s.house.GiveBack(s.key, ref, 1000) == "" || !s.house.Dispute(s.key, ref, false) || !s.house.Dispute(s.key, ref, true) {
		t.Fatal("the provider refused")
	}
	s.clock.Advance(2 * time.Minute)
	messages := s.house.Messages(s.key)
	together(12, func(n int) {
		switch till := s.newTill(); n % 3 {
		case 0:
			if _, err := till.Ask(t.Context(), s.in(), lost.ID); err != nil {
				t.Error(err)
			}
		case 1:
			if _, err := till.Reconcile(t.Context(), s.in()); err != nil {
				t.Error(err)
			}
		default:
			for i := range messages { // each begins with another
				m := messages[(i+n)%len(messages)]
				if err := till.Receive(t.Context(), s.in(), s.account, fake.Sign(s.key, time.Now(), m.Body), m.Body); err != nil {
					t.Error(err)
				}
			}
		}
	})
	s.compare()
	if s.settled() != euros(5000) || s.read(lost.ID).State != billing.IntentSucceeded {
		t.Errorf("settled %s, %+v", s.settled(), s.read(lost.ID))
	}
}

func TestRefundsAtOnceGiveBackOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	charged := s.charge(fake.CardGood, 6000)
	var planned atomic.Int64
	together(8, func(int) {
		var i billing.Intent
		err := s.in()(t.Context(), func(tx *tenant.Tx) (err error) {
			i, err = billing.PlanRefund(t.Context(), tx, charged.ID, euros(4000))
			return err
		})
		if errors.Is(err, billing.ErrRefundAmount) {
			return
		} else if err != nil {
			t.Error(err)
			return
		}
		planned.Add(1)
		if _, err := s.newTill().Perform(t.Context(), s.in(), i.ID, ""); err != nil {
			t.Error(err)
		}
	})
	if planned.Load() != 1 || s.settled() != euros(2000) {
		t.Errorf("%d refunds, and %s is settled", planned.Load(), s.settled())
	}
	s.compare()
}

// closedSealer is a keyring that cannot be reached.
type closedSealer struct{ billing.Sealer }

var errClosed = fault.New(fault.Unavailable, "secrets.unavailable", "The keys cannot be reached just now.")

func (closedSealer) Open(context.Context, billing.Place, string) ([]byte, error) {
	return nil, errClosed
}

// While the keyring cannot be reached nothing is ordered; when it can be again, what was stored is, and the security
// code is gone by then.
func TestChargeWaitsForTheKeyring(t *testing.T) {
	t.Parallel()
	s := openShop(t, "100.00")
	card := s.number("4242424242424242")
	cvv, err := card.ParseCVV("123")
	if err != nil {
		t.Fatal(err)
	}
	open := s.till.Sealer
	s.till.Sealer = closedSealer{open}
	intent := s.plan(card.ID, euros(1000))
	r, err := s.till.PerformWith(t.Context(), s.in(), intent, cvv)
	if !errors.Is(err, errClosed) || r.State != billing.IntentReady || len(s.house.Movements(s.key)) != 0 {
		t.Errorf("without keys: %+v, %v", r, err)
	}
	s.clock.Advance(2 * time.Minute)
	if _, err := s.till.Reconcile(t.Context(), s.in()); !errors.Is(err, errClosed) || s.read(intent).State != billing.IntentReady {
		t.Errorf("still without: %v, %+v", err, s.read(intent))
	}
	s.till.Sealer = open
	if _, err := s.till.Reconcile(t.Context(), s.in()); err != nil {
		t.Fatal(err)
	}
	if got := s.read(intent); got.State != billing.IntentSucceeded || s.house.CheckedCVV(s.key, got.Ref) {
		t.Errorf("with keys again: %+v", got)
	}
	s.compare()
}
