package subscription_test

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// house is an organization with a clock of its own.
type house struct {
	*testing.T
	clock    *tenanttest.Clock
	db       *tenant.DB
	scope    tenant.Scope
	customer billing.CustomerID
	deaths   atomic.Int64 // of workers
}

func openHouse(t *testing.T, zone string) *house {
	t.Helper()
	org := tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: money.MustCurrency("EUR"), Country: "IE", TimeZone: zone})
	})
	h := &house{T: t, clock: &tenanttest.Clock{}}
	h.db = tenanttest.OpenWith(t, h.clock)
	var err error
	if h.scope, err = tenant.EnterOperator(context.Background(), h.db, org.Slug); err != nil {
		t.Fatal(err)
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Halden Optics"})
		if err != nil {
			return err
		}
		h.customer = c.ID
		_, err = tax.AddRate(ctx, tx, tax.RateInput{Code: "VAT", Name: "VAT", Percent: dec("23")})
		return err
	})
	return h
}

func (h *house) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return tenant.Do(ctx, h.db, h.scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (h *house) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	h.Helper()
	if err := h.try(fn); err != nil {
		h.Fatal(err)
	}
}

func (h *house) start(in subscription.Input) (s subscription.Subscription) {
	h.Helper()
	in.CustomerID = h.customer
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		s, err = subscription.Start(ctx, tx, in)
		return err
	})
	return s
}

func (h *house) bill() {
	h.Helper()
	if err := new(subscription.Biller).Run(context.Background(), subscription.In(h.db, h.scope)); err != nil {
		h.Fatal(err)
	}
}

func (h *house) today() (today civil.Date) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		today, err = billing.Today(ctx, tx)
		return err
	})
	return today
}

func (h *house) read(i subscription.ID) (s subscription.Subscription) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		s, err = subscription.ByID(ctx, tx, i)
		return err
	})
	return s
}

// billKilled bills, and dies after so many steps.
func (h *house) billKilled(after int) {
	b := &subscription.Biller{}
	b.StepAt(func(string) {
		if after--; after == 0 {
			panic(killed{})
		}
	})
	defer func() {
		if r := recover(); r == any(killed{}) {
			h.deaths.Add(1)
		} else if r != nil {
			panic(r)
		}
	}()
	if err := b.Run(context.Background(), subscription.In(h.db, h.scope)); err != nil {
		h.Error(err)
	}
}

type killed struct{}

// pair is a subscription and what it is to come to.
type pair struct {
	id    subscription.ID
	model *model
	items []subscription.ItemID
}

var kinds = []struct {
	unit  subscription.Unit
	every int
}{{"month", 1}, {"month", 3}, {"year", 1}, {"day", 45}, {"month", 2}, {"week", 13}, {"month", 6}, {"day", 100}, {"week", 6}, {"year", 2}, {"month", 4}}

// TestThreeYears lets 200 subscriptions of every kind live for three years in four zones, with a worker that dies at
// random steps, often beside another, and with long times in which none works. Every invoice is compared with a model.
func TestThreeYears(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Dublin", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe"}
	var mu sync.Mutex
	total, deaths := 0, int64(0)
	t.Run("zones", func(t *testing.T) {
		for n, zone := range zones {
			t.Run(zone, func(t *testing.T) {
				t.Parallel()
				h := openHouse(t, zone)
				made := threeYears(h, rand.New(rand.NewPCG(uint64(n), 20261121)))
				mu.Lock()
				defer mu.Unlock()
				total, deaths = total+made, deaths+h.deaths.Load()
			})
		}
	})
	if t.Logf("%d invoices compared, %d workers died", total, deaths); total < 1500 || deaths < 100 {
		t.Errorf("only %d invoices and %d deaths: this proves little", total, deaths)
	}
}

func threeYears(h *house, random *rand.Rand) int {
	var pairs []*pair
	today := h.today()
	for n := range 50 {
		pairs = append(pairs, h.begin(n, random, today))
	}
	end := today.AddDays(3*365 + 1)
	for today.Before(end) {
		h.clock.Advance(time.Duration(1+random.IntN(40*24)) * time.Hour)
		if h.clock.Now().Minute() > 50 { // not over a midnight of any zone within a step
			h.clock.Advance(15 * time.Minute)
		}
		h.work(random)
		today = h.today()
		for _, p := range pairs {
			p.model.live(today)
			if !p.model.ended && random.IntN(6) == 0 {
				h.act(p, random, today)
			}
		}
	}
	return h.compare(pairs)
}

// work has workers die at random, two of them at once, and then one that lives.
func (h *house) work(random *rand.Rand) {
	var both sync.WaitGroup
	for range random.IntN(3) {
		after := 1 + random.IntN(60)
		both.Go(func() { h.billKilled(after) })
	}
	both.Wait()
	h.bill()
}

func (h *house) begin(n int, random *rand.Rand, today civil.Date) *pair {
	h.Helper()
	kind := kinds[n%len(kinds)]
	in := subscription.Input{Unit: kind.unit, Every: kind.every, StartsOn: today.AddDays(random.IntN(120) - 60)}
	if n%4 == 0 {
		in.TrialDays = 1 + random.IntN(45)
	}
	if n%5 == 0 { // the last days of months
		in.StartsOn = civil.On(today.Year()+1, time.Month(1+random.IntN(3)), 0)
		in.MonthEnd, in.TrialDays = n%10 == 0, 0
	}
	m := &model{unit: string(kind.unit), every: kind.every, couponPercent: new(big.Rat)}
	switch n % 6 {
	case 1:
		in.Coupon = subscription.Coupon{Percent: dec("12.5"), Left: random.IntN(5)}
		m.couponPercent, m.couponLeft = rat("12.5"), in.Coupon.Left
	case 2:
		in.Coupon = subscription.Coupon{Amount: dec("17.31"), Left: random.IntN(5)}
		m.couponMinor, m.couponLeft = 1731, in.Coupon.Left
	}
	for i := range 1 + random.IntN(3) {
		it := &modelItem{name: fmt.Sprintf("Thing %d", i), quantity: rat(fmt.Sprint(1 + random.IntN(9))),
			price: rat(fmt.Sprintf("%d.%02d", random.IntN(200), random.IntN(100))), taxed: random.IntN(2) == 0}
		if i > 0 && random.IntN(2) == 0 {
			it.metered = []string{"sum", "max", "last", "unique"}[random.IntN(4)]
			it.quantity = new(big.Rat)
		}
		m.items = append(m.items, it)
		input := subscription.ItemInput{Description: it.name, Quantity: dec(plain(it.quantity)), UnitPrice: dec(plain(it.price)), Metered: subscription.Metered(it.metered)}
		if it.taxed {
			input.TaxCodes = []string{"VAT"}
		}
		in.Items = append(in.Items, input)
	}
	s := h.start(in)
	m.anchor, m.monthEnd = in.StartsOn.AddDays(in.TrialDays), in.MonthEnd
	if in.MonthEnd {
		m.anchor = civil.On(m.anchor.Year(), m.anchor.Month()+1, 0)
	}
	m.through = m.anchor.AddDays(-1)
	p := &pair{id: s.ID, model: m}
	for _, i := range s.Items {
		p.items = append(p.items, i.Item)
	}
	return p
}

// act does something to a subscription, and the same to its model.
func (h *house) act(p *pair, random *rand.Rand, today civil.Date) {
	h.Helper()
	m := p.model
	if m.through.After(today) { // before its anchor
		m.through = today
	}
	n := random.IntN(len(m.items))
	item := m.items[n]
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		switch what := random.IntN(20); {
		case what < 6 && !m.paused:
			return h.use(ctx, tx, p, item, p.items[n], random)
		case what < 13:
			quantity, price := fmt.Sprint(1+random.IntN(9)), fmt.Sprintf("%d.%02d", random.IntN(200), random.IntN(100))
			if item.metered != "" {
				quantity = "0"
			}
			now, right := random.IntN(2) == 0, random.IntN(2) == 0
			_, err = subscription.ChangeItem(ctx, tx, p.id, 0, subscription.ChangeInput{Item: p.items[n], Now: now, InvoiceNow: right,
				ItemInput: subscription.ItemInput{Quantity: dec(quantity), UnitPrice: dec(price)}})
			m.change(item, quantity, price, now, right)
		case what < 15 && !m.paused:
			_, err = subscription.Pause(ctx, tx, p.id, 0)
			m.paused = true
		case what < 18 && m.paused:
			_, err = subscription.Resume(ctx, tx, p.id, 0)
			m.paused = false
			if m.begins(today) && !m.billed || m.begins(today) && m.start == today {
				m.through = today.AddDays(-1) // the period that begins today is still to be billed
			}
		case what == 18 && random.IntN(3) == 0 && !m.paused:
			_, err = subscription.Cancel(ctx, tx, p.id, 0, false)
			m.atEnd = true
		case what == 19 && random.IntN(3) == 0:
			_, err = subscription.Cancel(ctx, tx, p.id, 0, true)
			m.cancelNow()
		}
		return err
	})
}

// use sends what was used, twice.
func (h *house) use(ctx context.Context, tx *tenant.Tx, p *pair, item *modelItem, i subscription.ItemID, random *rand.Rand) error {
	if item.metered == "" {
		return nil
	}
	settings, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return err
	}
	var events []subscription.Event
	for n := range 1 + random.IntN(4) {
		at := tx.Now().Add(-time.Duration(n) * time.Second).Truncate(time.Microsecond)
		e := subscription.Event{Key: tenanttest.Random(8), Item: i, At: at, Quantity: decimal.New(random.Int64N(50), 0), Value: fmt.Sprint("user ", random.IntN(6))}
		events = append(events, e)
		p.model.used = append(p.model.used, modelUse{item, civil.Of(at, settings.Zone()), at, e.Quantity.IntPart(), e.Value})
	}
	if fresh, err := subscription.RecordUsage(ctx, tx, p.id, events); err != nil || fresh != len(events) {
		return fmt.Errorf("%d of %d events are new: %w", fresh, len(events), err)
	}
	if fresh, err := subscription.RecordUsage(ctx, tx, p.id, events); err != nil || fresh != 0 {
		return fmt.Errorf("%d events sent again are new: %w", fresh, err)
	}
	return nil
}

// compare gives how many invoices there are, each as the model has it and none besides.
func (h *house) compare(pairs []*pair) int {
	h.Helper()
	total := 0
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		for n, p := range pairs {
			var got []string
			ids, err := documentsOf(ctx, tx, p.id)
			if err != nil {
				return err
			}
			for _, i := range ids {
				invoice, err := billing.InvoiceByID(ctx, tx, i)
				if err != nil {
					return err
				}
				got = append(got, sayIssued(invoice))
			}
			total += len(got)
			slices.Sort(got)
			slices.Sort(p.model.made)
			if !slices.Equal(got, p.model.made) {
				h.Errorf("subscription %d (every %d %s from %s):\n%s", n, p.model.every, p.model.unit, p.model.anchor, difference(got, p.model.made))
			}
		}
		var all int
		if err := tx.Get(ctx, &all, `SELECT count(*) FROM document`); err != nil {
			return err
		}
		if all != total {
			h.Errorf("%d documents, and %d belong to subscriptions", all, total)
		}
		return nil
	})
	return total
}

func documentsOf(ctx context.Context, tx *tenant.Tx, s subscription.ID) (ids []billing.InvoiceID, err error) {
	err = tx.Select(ctx, &ids, `SELECT document_id FROM subscription_period WHERE subscription_id = $1 AND document_id IS NOT NULL
		UNION SELECT document_id FROM subscription_item WHERE subscription_id = $1 AND document_id IS NOT NULL`, s)
	return ids, err
}

func sayIssued(i billing.Invoice) string {
	var lines []string
	for _, l := range i.Lines {
		lines = append(lines, fmt.Sprintf("%s | %s × %s - %s%% = %d", l.Description, l.Quantity, l.UnitPrice, l.DiscountPercent, l.Net.Minor+l.DiscountShare.Minor))
	}
	if i.Number == "" {
		lines = append(lines, "not issued")
	}
	return sayInvoice(i.IssueDate, lines, i.Discount.Minor, i.Net.Minor, i.Tax.Minor)
}

func difference(got, want []string) string {
	var b strings.Builder
	for _, s := range got {
		if !slices.Contains(want, s) {
			b.WriteString("made, and not to be: " + s + "\n")
		}
	}
	for _, s := range want {
		if !slices.Contains(got, s) {
			b.WriteString("not made: " + s + "\n")
		}
	}
	return b.String()
}
