package till_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// killPoints are the steps between storing an intent and having its result, in their order.
var killPoints = []string{"stored", "opened", "claimed", "answered", "sealed", "settled"}

type killed struct{ at string }

// performKilled performs an intent and dies at a step, as far as one can within a process: nothing after it runs.
func (s *shop) performKilled(i billing.IntentID, step string) {
	s.Helper()
	t := s.newTill()
	t.KillAt(func(name string) {
		if name == step {
			panic(killed{name})
		}
	})
	defer func() {
		if r := recover(); r != nil && r != any(killed{step}) {
			panic(r)
		}
	}()
	if _, err := t.Perform(context.Background(), s.in(), i, ""); err != nil {
		s.Error(err)
	}
}

// recoverBooks is what happens after a restart, until nothing is open any more.
func (s *shop) recoverBooks() {
	s.Helper()
	s.till = s.newTill()
	for _, wait := range []time.Duration{2 * time.Minute, 20 * time.Minute} {
		s.clock.Advance(wait)
		if _, err := s.till.Reconcile(context.Background(), s.in()); err != nil {
			s.Fatal(err)
		}
	}
}

func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	for _, step := range killPoints {
		for _, card := range []string{fake.CardGood, fake.CardDeclined, fake.CardUnanswered, fake.CardLost} {
			t.Run(step+"/"+card, func(t *testing.T) {
				t.Parallel()
				s := openShop(t, "40.00")
				i := s.plan(s.method(card), euros(4000))
				s.performKilled(i, step)
				s.recoverBooks()
				got := s.read(i)
				if !got.Settled() {
					t.Errorf("it stays %s", got.State)
				}
				if charged := len(s.house.Movements(s.key)) > 0; charged != (got.State == billing.IntentSucceeded) {
					t.Errorf("charged is %t, and we say %s", charged, got.State)
				}
				if never := step == "stored" || step == "opened"; never && card == fake.CardGood && got.State != billing.IntentSucceeded {
					t.Errorf("an order that was never given is %s after the restart", got.State)
				}
				s.compare()
			})
		}
	}
}

// TestThousandCrashes charges and refunds with every kind of card, dies at random steps, loses, repeats and shuffles
// messages, and compares both books.
func TestThousandCrashes(t *testing.T) {
	t.Parallel()
	const shops, runs = 4, 255
	var done atomic.Int64
	t.Run("shops", func(t *testing.T) {
		for n := range shops {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				s := openShop(t, "1000000.00")
				random := rand.New(rand.NewPCG(uint64(n), 20261121))
				r := crashes{shop: s, random: random}
				for _, card := range []string{fake.CardGood, fake.CardGood, fake.CardDeclined, fake.CardUnanswered, fake.CardLost, fake.CardQueued, fake.CardChallenge} {
					r.cards = append(r.cards, s.method(card))
				}
				for _, number := range []string{"4242424242424242", "4000000000000119", "4000000000000101"} { // kept by us: good, unanswered, lost
					r.cards = append(r.cards, s.number(number).ID)
				}
				for range runs {
					r.run()
					done.Add(1)
				}
				s.house.Arrive(s.key)
				messages := s.house.Messages(s.key)
				random.Shuffle(len(messages), func(a, b int) { messages[a], messages[b] = messages[b], messages[a] })
				s.deliver(messages...)
				s.compare()
				if n := len(s.house.Movements(s.key)); n < runs/2 {
					t.Errorf("only %d movements: this proves little", n)
				}
			})
		}
	})
	if done.Load() < 1000 {
		t.Errorf("%d runs", done.Load())
	}
}

type crashes struct {
	*shop
	random  *rand.Rand
	cards   []billing.PaymentMethodID
	charges []billing.IntentID
}

// run is one order that may die on its way, and the restart.
func (r *crashes) run() {
	r.Helper()
	step := append(killPoints, "never")[r.random.IntN(len(killPoints)+1)]
	var i billing.IntentID
	if refundable := r.pick(); !refundable.IsZero() {
		r.do(func(ctx context.Context, tx *tenant.Tx) error {
			planned, err := billing.PlanRefund(ctx, tx, refundable, euros(1+r.random.Int64N(3)))
			i = planned.ID
			return err
		})
	} else {
		i = r.plan(r.cards[r.random.IntN(len(r.cards))], euros(100+r.random.Int64N(900)))
		r.charges = append(r.charges, i)
	}
	r.performKilled(i, step)
	if got := r.read(i); got.State == billing.IntentWaiting {
		r.house.PayPage(got.Ref, fake.CardGood)
	}
	if r.random.IntN(8) == 0 {
		r.house.Arrive(r.key)
	}
	if r.random.IntN(4) == 0 {
		messages := r.house.Messages(r.key)
		for range min(3, len(messages)) {
			r.deliver(messages[r.random.IntN(len(messages))])
		}
	}
	r.recoverBooks()
	got := r.read(i)
	if got.State == billing.IntentWaiting { // it died before it knew that the customer is asked
		r.house.PayPage(got.Ref, fake.CardGood)
		r.recoverBooks()
	}
	if got = r.read(i); !got.Settled() {
		r.Fatalf("died at %s, and it stays %s", step, got.State)
	}
}

// pick gives, now and then, a charge that can be refunded.
func (r *crashes) pick() billing.IntentID {
	if len(r.charges) == 0 || r.random.IntN(3) != 0 {
		return billing.IntentID{}
	}
	c := r.read(r.charges[r.random.IntN(len(r.charges))])
	if c.Refundable().Minor < 3 {
		return billing.IntentID{}
	}
	return c.ID
}

// What a child process is told.
const childOrder = "COUNTINGHOUSE_TILL_CHILD"

type childJob struct {
	URL, Key, Slug, House, Intent, Step string
}

// beChild performs an intent as a server of its own, and is killed by itself at a step, without any goodbye.
func beChild(order string) int {
	var job childJob
	if err := json.Unmarshal([]byte(order), &job); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx := context.Background()
	db, err := tenant.Open(ctx, tenant.Config{URL: job.URL, Key: []byte(job.Key)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	scope, err := tenant.EnterOperator(ctx, db, job.Slug)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	t := &till.Till{Sealer: plainSealer{new(atomic.Int64)}, Connect: func(_ gateway.Kind, c gateway.Credentials) (gateway.Gateway, error) {
		return fake.NewClient(c, job.House, &http.Client{Timeout: 5 * time.Second}), nil
	}}
	t.KillAt(func(name string) {
		if name == job.Step {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			select {} // the signal is on its way
		}
	})
	intent, _ := id.Parse[billing.Intent](job.Intent)
	if _, err := t.Perform(ctx, till.In(db, scope), intent, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 3 // nobody killed it
}

func TestKilledProcess(t *testing.T) {
	t.Parallel()
	s := openShop(t, "6000.00")
	server := httptest.NewServer(s.house)
	t.Cleanup(server.Close)
	config := tenanttest.Config()
	method := s.method(fake.CardGood)
	for n, step := range killPoints {
		i := s.plan(method, euros(100000))
		order, err := json.Marshal(childJob{config.URL, string(config.Key), s.scope.Organization().Slug, server.URL, i.String(), step})
		if err != nil {
			t.Fatal(err)
		}
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childOrder+"="+string(order))
		out, err := child.CombinedOutput()
		status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
			t.Fatalf("at %s the child was not killed: %v\n%s", step, err, out)
		}
		s.recoverBooks()
		if got := s.read(i); got.State != billing.IntentSucceeded && !(step == "claimed" && got.State == billing.IntentFailed) {
			t.Errorf("killed at %s: %s", step, got.State)
		}
		if paid := len(s.house.Movements(s.key)) / 2; paid != n+1 && !(n >= 2 && paid == n) {
			t.Errorf("killed at %s: %d charges of %d orders", step, paid, n+1)
		}
		s.compare()
	}
}
