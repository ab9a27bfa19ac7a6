package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/lib/pq"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// dueLots is in how many lots the subscriptions fall due, a day after each other: each lot at once. Between two, pgbench
// runs what the service sent for one of them, so that both meet the same moments of the machine.
const dueLots = 10

// due is one organization whose subscriptions fall due, billed by one job as in production, and by one client of pgbench.
type due struct {
	house   *house // with that organization alone, and one client
	db      *tenant.DB
	scope   tenant.Scope
	ahead   atomic.Int64 // of the machine's clock
	sample  subscription.ID
	today   civil.Date
	lot     int
	pgbench *pgbench
	trips   int
}

// dueOutcome is what a run found: invoices in a second, lot by lot.
type dueOutcome struct {
	Subscriptions int       `json:"subscriptions"`
	House         []float64 `json:"invoices_per_second"`
	Bare          []float64 `json:"pgbench_per_second"`
	Ratio         spread    `json:"ratio"`
	Messages      int       `json:"messages"` // to the database, for one invoice
}

// measureDue bills so many subscriptions in lots.
func (b *bench) measureDue(ctx context.Context, subscriptions int) (o dueOutcome, err error) {
	d, err := b.openDue(ctx, max(subscriptions/dueLots, 1))
	if err != nil {
		return o, fmt.Errorf("preparing subscriptions: %w", err)
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	o.Subscriptions, o.Messages = d.lot*dueLots, d.trips
	var ratios []float64
	for range dueLots {
		rate, err := d.bill(ctx)
		if err != nil {
			return o, err
		}
		bare, err := d.replay(ctx)
		if err != nil {
			return o, err
		}
		o.House, o.Bare, ratios = append(o.House, rate), append(o.Bare, bare), append(ratios, rate/bare)
	}
	o.Ratio = spreadOf(ratios)
	return o, nil
}

// bill lets a day go by and bills what is due then, and says how many invoices that were in a second.
func (d *due) bill(ctx context.Context) (float64, error) {
	before, err := d.count(ctx)
	if err != nil {
		return 0, err
	}
	d.ahead.Add(int64(24 * time.Hour))
	began := time.Now()
	err = new(subscription.Biller).Run(ctx, subscription.In(d.db, d.scope))
	took := time.Since(began)
	after, failed := d.count(ctx)
	if err = errors.Join(err, failed); err == nil && after-before != d.lot {
		err = fmt.Errorf("%d invoices were made of %d that were due", after-before, d.lot)
	}
	return float64(d.lot) / took.Seconds(), err
}

func (d *due) count(ctx context.Context) (n int, err error) {
	err = d.house.super.QueryRowContext(ctx, "SELECT count(*) FROM "+d.schema()+".subscription_period").Scan(&n)
	return n, err
}

func (d *due) schema() string { return pq.QuoteIdentifier(d.house.tenants[0].schema) }

// replay has pgbench write the invoice of the sample again and again, each as one of another period.
func (d *due) replay(ctx context.Context) (float64, error) {
	s, err := d.pgbench.run(ctx, d.house.slice)
	// What it made up goes, and the sample is not due: the service is to bill its lots alone.
	_, failed := d.house.super.ExecContext(ctx, "DELETE FROM "+d.schema()+".subscription_period WHERE subscription_id = $1", d.sample)
	_, also := d.house.super.ExecContext(ctx, "UPDATE "+d.schema()+".subscription SET state = 'paused' WHERE id = $1", d.sample)
	return float64(s.operations) / s.end.Sub(s.begin).Seconds(), errors.Join(err, failed, also)
}

func (b *bench) openDue(ctx context.Context, lot int) (_ *due, err error) {
	alone := *b.house
	d := &due{house: &alone, lot: lot}
	alone.clients, alone.tenants = 1, nil
	config := b.house.config
	config.Connections = 1
	config.Now = func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }
	if d.db, err = tenant.Open(ctx, config); err != nil {
		return nil, err
	}
	if err := d.found(ctx); err != nil {
		return nil, errors.Join(err, d.db.Close())
	}
	samples, err := d.record(ctx)
	if err == nil {
		d.trips = len(samples.posts[0].statements)
		d.pgbench, err = d.openPgbench(ctx, b.pgbench, samples)
	}
	if err == nil {
		_, err = d.replay(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.db.Close())
	}
	return d, nil
}

func yearly(customer billing.CustomerID, on civil.Date) subscription.Input {
	return subscription.Input{CustomerID: customer, Unit: subscription.Year, Every: 1, StartsOn: on, Items: []subscription.ItemInput{
		{Description: "Seats", Quantity: decimal.New(3, 0), UnitPrice: decimal.New(25, 0), TaxCodes: []string{"GST", "QST"}}}}
}

// found makes the organization with its subscriptions, of which a lot falls due on each of the days that come.
func (d *due) found(ctx context.Context) error {
	nobody := identity.MailerFunc(func(context.Context, identity.Mail) error { return nil })
	people, err := identity.New(d.db, nobody, identity.Options{Origin: origin})
	if err != nil {
		return err
	}
	owner, err := people.AddPerson(ctx, "due@books.example", "Mara Lindqvist", "seven quiet herons wade")
	if err != nil {
		return err
	}
	if err := web.Found(ctx, d.db, owner, web.Founding{Slug: "bench-due", Name: "Tidewater Studios", Currency: "CAD", Country: "CA", TimeZone: timeZone}); err != nil {
		return err
	}
	if d.scope, err = tenant.EnterOperator(ctx, d.db, "bench-due"); err != nil {
		return err
	}
	var o organization
	err = tenant.Do(ctx, d.db, d.scope, func(tx *tenant.Tx) (err error) {
		if err = o.fill(ctx, tx, 1); err != nil {
			return err
		}
		d.today, err = billing.Today(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	if err := d.house.super.QueryRowContext(ctx, `SELECT schema_name FROM platform.organization WHERE slug = 'bench-due'`).Scan(&o.schema); err != nil {
		return err
	}
	d.house.tenants = []organization{o}
	if _, err := d.house.super.ExecContext(ctx, "GRANT "+d.schema()+" TO "+bareLogin); err != nil {
		return err
	}
	for n := 0; n < d.lot*dueLots; n += 100 { // a customer for each hundred
		err := tenant.Do(ctx, d.db, d.scope, func(tx *tenant.Tx) error {
			customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Atelier " + strconv.Itoa(n)})
			for i := n; i < min(n+100, d.lot*dueLots) && err == nil; i++ {
				_, err = subscription.Start(ctx, tx, yearly(customer.ID, d.today.AddDays(1+i/d.lot)))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	_, err = d.house.super.ExecContext(ctx, "ANALYZE")
	return err
}

// record bills a subscription of some days, and gives what was sent for the last two of its periods.
func (d *due) record(ctx context.Context) (last sampled, err error) {
	if _, err := d.house.logStatements(ctx, "SET log_statement = 'all'"); err != nil {
		return last, err
	}
	r := &recorder{house: d.house}
	defer func() {
		_, failed := d.house.logStatements(context.WithoutCancel(ctx), "RESET log_statement")
		err = errors.Join(err, r.close(), failed)
	}()
	if err := r.open(ctx); err != nil {
		return last, err
	}
	err = tenant.Do(ctx, r.db, d.scope, func(tx *tenant.Tx) error {
		customer, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Atelier"})
		if err != nil {
			return err
		}
		in := yearly(customer.ID, d.today.AddDays(-4))
		in.Unit = subscription.Day
		s, err := subscription.Start(ctx, tx, in)
		d.sample = s.ID
		return err
	})
	if err != nil {
		return last, err
	}
	sent, err := r.during(ctx, func() error { return new(subscription.Biller).Run(ctx, subscription.In(r.db, d.scope)) })
	if err != nil {
		return last, err
	}
	last.prepared, last.swap = map[string]string{}, swapDue
	last.note(sent)
	var billed [][]statement
	for _, transaction := range transactions(sent) {
		for _, s := range transaction {
			if strings.Contains(s.text, "INTO subscription_period") {
				billed = append(billed, transaction)
			}
		}
	}
	if len(billed) < 3 {
		return last, fmt.Errorf("%d invoices were made of a subscription of five days", len(billed))
	}
	last.posts = [2]sample{{statements: billed[len(billed)-1]}, {statements: billed[len(billed)-2]}}
	return last, nil
}

// transactions parts messages at those that begin one.
func transactions(sent []statement) (all [][]statement) {
	for _, s := range sent {
		if strings.HasPrefix(s.text, "BEGIN") {
			all = append(all, nil)
		}
		if n := len(all); n > 0 {
			all[n-1] = append(all[n-1], s)
		}
	}
	return all
}

var numberShape = regexp.MustCompile(`^[A-Z]+-\d+$`)

// swapDue lets each run of a script write an invoice of its own: of another period and with another number.
func swapDue(value, other string) (string, bool) {
	if value == other {
		return "", false
	}
	now, err := strconv.Atoi(value)
	before, also := strconv.Atoi(other)
	switch {
	case err == nil && also == nil && now == before+1:
		return ":period", true
	case numberShape.MatchString(value):
		return "('N' || :id::text)", true
	}
	return "", false
}

func (d *due) openPgbench(ctx context.Context, like *pgbench, samples sampled) (*pgbench, error) {
	b := *like
	b.house, b.dir, b.scripts, b.runs = d.house, filepath.Join(d.house.dir, "pgbench-due"), nil, 0
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder for pgbench: %w", err)
	}
	made, err := writeScript("due", samples)
	if err != nil {
		return nil, err
	}
	made.text = strings.Replace(made.text, "\\set id", "\\set period 100000 + :n\n\\set id", 1)
	b.scripts = []script{made}
	return &b, os.WriteFile(filepath.Join(b.dir, made.name+".sql"), []byte(made.text), 0o600)
}

// publish prints the figures, and keeps them as JSON in a folder.
func (o dueOutcome) publish(out io.Writer, folder string) error {
	house, bare := spreadOf(o.House), spreadOf(o.Bare)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\n%d subscriptions due, %d at once\tinvoices per second\tquartiles\tmessages\t\n", o.Subscriptions, o.Subscriptions/dueLots)
	fmt.Fprintf(table, "by the job\t%.0f\t%.0f-%.0f\t%d\t\n", house.Median, house.LowerQuartile, house.UpperQuartile, o.Messages)
	fmt.Fprintf(table, "the same by pgbench\t%.0f\t%.0f-%.0f\t\t\n", bare.Median, bare.LowerQuartile, bare.UpperQuartile)
	fmt.Fprintf(table, "ratio\t%.3f\t%.3f-%.3f\t\t\n\n", o.Ratio.Median, o.Ratio.LowerQuartile, o.Ratio.UpperQuartile)
	if err := table.Flush(); err != nil || folder == "" {
		return err
	}
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	path := filepath.Join(folder, "due-"+time.Now().UTC().Format("20060102T150405Z")+".json")
	return errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(path, append(text, '\n'), 0o644))
}
