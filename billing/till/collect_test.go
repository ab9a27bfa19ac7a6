package till_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// dunned is a shop that collects by itself, with an invoice that falls due today, and two servers that do so.
type dunned struct {
	*shop
	ways [2]till.Do
	mu   sync.Mutex
	told []billing.Reminder
	days []int // of told: days after the invoice fell due
	day  int
}

func openDunned(t *testing.T, email, card string) *dunned {
	t.Helper()
	d := &dunned{shop: openShop(t, "1.00")}
	other := tenanttest.OpenWith(t, d.clock)
	d.ways = [2]till.Do{d.in(), entering(other, d.scope.Organization().Slug)}
	d.do(func(ctx context.Context, tx *tenant.Tx) error {
		if err := billing.StopCollection(ctx, tx, d.invoice); err != nil { // that of the shop itself
			return err
		}
		customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Nuno", Email: email})
		d.customer = customer.ID
		return err
	})
	d.collects(true)
	d.invoice = d.issue("100.00")
	if card != "" {
		d.method(card)
	}
	var due billing.Invoice
	d.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		due, err = billing.InvoiceByID(ctx, tx, d.invoice)
		return err
	})
	d.pass(due.IssueDate.DaysUntil(due.DueDate) - 1)
	d.work()
	if len(d.told) != 0 || len(d.house.Movements(d.key)) != 0 {
		t.Fatal("it is collected before it is due")
	}
	d.pass(1)
	d.day = 0
	return d
}

func (d *dunned) collects(on bool) {
	d.Helper()
	d.do(func(ctx context.Context, tx *tenant.Tx) error {
		s, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		_, err = billing.ChangeSettings(ctx, tx, 0, billing.SettingsInput{Name: s.Name, TimeZone: s.TimeZone, Country: s.Country,
			InvoicePrefix: s.InvoicePrefix, PaymentTermsDays: s.PaymentTermsDays, TaxRounding: s.TaxRounding, CollectAutomatically: on})
		return err
	})
}

func (d *dunned) pass(days int) {
	d.clock.Advance(time.Duration(days) * 24 * time.Hour)
	d.day += days
}

// work has both servers collect at once, each with two workers.
func (d *dunned) work() {
	d.Helper()
	together(4, func(n int) {
		if err := d.newTill().Collect(context.Background(), d.ways[n%2], d.remind); err != nil {
			d.Error(err)
		}
	})
}

func (d *dunned) remind(_ context.Context, r billing.Reminder) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told, d.days = append(d.told, r), append(d.days, d.day)
	return nil
}

// live lets so many days go by, each with all workers at work.
func (d *dunned) live(days int) {
	d.Helper()
	for range days {
		d.work()
		d.pass(1)
	}
}

func (d *dunned) collection() (c billing.Collection) {
	d.Helper()
	d.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		c, err = billing.CollectionOf(ctx, tx, d.invoice)
		return err
	})
	return c
}

func (d *dunned) charges() (all []billing.Intent) {
	d.Helper()
	d.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		all, err = billing.InvoiceIntents(ctx, tx, d.invoice)
		return err
	})
	return all
}

func TestCollect(t *testing.T) {
	t.Parallel()
	t.Run("without a card the customer is reminded four times, once each", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", "")
		d.live(20)
		if !slices.Equal(d.days, []int{0, 3, 5, 7}) {
			t.Errorf("reminded on days %v", d.days)
		}
		for n, r := range d.told {
			if r.To != "nuno@tidewater.example" || r.Open != euros(10000) || r.Declined || r.Last != (n == 3) || r.Letter().Secret == "" {
				t.Errorf("reminder %d: %+v", n, r)
			}
		}
		if c := d.collection(); c.State != billing.CollectionStopped || c.Reason != "all tries made" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a card is charged once when it is due, and nobody is reminded", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", fake.CardGood)
		d.live(10)
		if len(d.told) != 0 || d.settled() != euros(10000) || len(d.charges()) != 1 || len(d.house.Movements(d.key)) != 2 {
			t.Errorf("told %v, settled %s by %d charges, %v", d.told, d.settled(), len(d.charges()), d.house.Movements(d.key))
		}
		if c := d.collection(); c.State != billing.CollectionDone {
			t.Errorf("%+v", c)
		}
		d.compare()
	})
	t.Run("a declined card is tried four times, and the customer told each time", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", fake.CardDeclined)
		d.live(12)
		if !slices.Equal(d.days, []int{0, 3, 5, 7}) || len(d.charges()) != 4 || !d.told[0].Declined {
			t.Errorf("told on %v of %d charges", d.days, len(d.charges()))
		}
	})
	t.Run("an unknown result is neither charged again nor reminded of", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", fake.CardUnanswered)
		d.live(4) // nobody asks the gateway meanwhile
		if len(d.charges()) != 1 || len(d.told) != 0 {
			t.Errorf("%d charges, told %v", len(d.charges()), d.told)
		}
		d.recoverBooks()
		d.live(10)
		if len(d.charges()) != 1 || len(d.told) != 0 || d.settled() != euros(10000) {
			t.Errorf("after asking: %d charges, told %v, settled %s", len(d.charges()), d.told, d.settled())
		}
		d.compare()
	})
	t.Run("with neither card nor address it stops and says why", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "", "")
		d.live(1)
		if c := d.collection(); c.State != billing.CollectionStopped || c.Reason != "no card and no email address" {
			t.Errorf("%+v", c)
		}
	})
}

func TestCollectingStops(t *testing.T) {
	t.Parallel()
	t.Run("when it is paid", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", "")
		d.live(1)
		d.do(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: d.invoice, Amount: euros(10000), Method: billing.BankTransfer})
			return err
		})
		d.live(10)
		if len(d.told) != 1 || d.collection().State != billing.CollectionDone {
			t.Errorf("told %d times, %+v", len(d.told), d.collection())
		}
	})
	t.Run("by hand, until it is begun anew", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", "")
		d.live(1)
		for _, act := range []func(context.Context, *tenant.Tx, billing.InvoiceID) error{billing.StopCollection, billing.ResumeCollection} {
			d.do(func(ctx context.Context, tx *tenant.Tx) error { return act(ctx, tx, d.invoice) })
			d.live(10)
		}
		if want := []int{0, 11, 14, 16, 18}; !slices.Equal(d.days, want) {
			t.Errorf("told on %v", d.days)
		}
	})
	t.Run("while it is off", func(t *testing.T) {
		t.Parallel()
		d := openDunned(t, "nuno@tidewater.example", "")
		d.collects(false)
		d.live(3)
		d.collects(true)
		d.live(1)
		if !slices.Equal(d.days, []int{3}) {
			t.Errorf("told on %v", d.days)
		}
	})
	for name, back := range map[string]func(d *dunned, ref string){
		"disputed": func(d *dunned, ref string) { d.house.Dispute(d.key, ref, false) },
		"refunded": func(d *dunned, ref string) { d.house.GiveBack(d.key, ref, 10000) },
	} {
		t.Run("when it is "+name, func(t *testing.T) {
			t.Parallel()
			d := openDunned(t, "nuno@tidewater.example", fake.CardGood)
			d.live(1)
			back(d, d.charges()[0].Ref)
			d.deliver(d.house.Messages(d.key)...)
			if d.settled() != euros(0) {
				t.Fatalf("%s is settled", d.settled())
			}
			d.live(10)
			if c := d.collection(); len(d.told) != 0 || len(d.charges()) != 1 || c.State != billing.CollectionStopped || c.Reason != name {
				t.Errorf("told %v, %d charges, %+v", d.told, len(d.charges()), c)
			}
		})
	}
}

// Who took a try and died has made it: it is not made again, and its charge is found.
func TestCollectorKilled(t *testing.T) {
	t.Parallel()
	for _, card := range []string{"", fake.CardGood} {
		for _, step := range append([]string{"taken"}, killPoints...) {
			if card == "" && step != "taken" {
				continue
			}
			t.Run(card+"/"+step, func(t *testing.T) {
				t.Parallel()
				d := openDunned(t, "nuno@tidewater.example", card)
				doomed := d.newTill()
				doomed.KillAt(func(name string) {
					if name == step {
						panic(killed{name})
					}
				})
				func() {
					defer func() {
						if r := recover(); r != any(killed{step}) {
							t.Errorf("it did not die at %s: %v", step, r)
						}
					}()
					if err := doomed.Collect(t.Context(), d.in(), d.remind); err != nil {
						t.Error(err)
					}
				}()
				d.recoverBooks()
				d.live(2)
				if len(d.told) != 0 {
					t.Errorf("told on %v", d.days)
				}
				if card != "" && len(d.house.Movements(d.key)) > 2 {
					t.Errorf("charged: %v", d.house.Movements(d.key))
				}
				d.live(2)
				if card == "" && !slices.Equal(d.days, []int{3}) {
					t.Errorf("the next try: told on %v", d.days)
				}
				if card != "" && d.settled() != euros(10000) {
					t.Errorf("settled %s", d.settled())
				}
				d.compare()
			})
		}
	}
}
