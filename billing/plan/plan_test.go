package plan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

const day = 24 * time.Hour

// platform is one with plans and an organization that bills the others. A database has one of those, so these tests run
// one after the other.
type platform struct {
	*testing.T
	clock  *tenanttest.Clock
	db     *tenant.DB
	biller tenanttest.Organization
	told   []billing.Reminder
}

func openPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{T: t, clock: &tenanttest.Clock{}}
	p.db = p.replica()
	p.biller = tenanttest.Found(t, p.db, openBooks)
	p.on(func(ctx context.Context, tx *tenant.PlatformTx) error {
		for _, one := range []plan.Plan{
			{Code: "free", Name: "Free", Members: 1, Invoices: 1, Public: true},
			{Code: "small", Name: "Small", MonthPrice: 1000, YearPrice: 10000, TrialDays: 14, Members: 3, Invoices: 5, StorageMB: 1, Public: true, Initial: true, Place: 1},
			{Code: "large", Name: "Large", MonthPrice: 3000, YearPrice: 30000, TrialDays: 14, Public: true, Place: 2},
			{Code: "secret", Name: "Secret", MonthPrice: 1, YearPrice: 1, Place: 3},
		} {
			one.Currency = money.MustCurrency("EUR")
			// Those of the test before are there.
			if err := tx.Get(ctx, &one.Version, `SELECT coalesce(max(version), 0) FROM platform.plan WHERE code = $1`, one.Code); err != nil {
				return err
			}
			if err := plan.Define(ctx, tx, one); err != nil {
				return err
			}
		}
		return plan.SetBiller(ctx, tx, p.biller.Slug)
	})
	t.Cleanup(func() {
		p.on(func(ctx context.Context, tx *tenant.PlatformTx) error {
			var slugs []string
			if err := tx.Select(ctx, &slugs, `SELECT o.slug FROM platform.plan_account a JOIN platform.organization o ON o.id = a.organization_id WHERE NOT o.bills_others`); err != nil {
				return err
			}
			for _, slug := range slugs {
				if err := plan.SetState(ctx, tx, slug, plan.Exempt); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, `UPDATE platform.plan SET initial = false`)
			return errors.Join(err, plan.SetBiller(ctx, tx, ""))
		})
	})
	return p
}

// replica is another process on the same database.
func (p *platform) replica() *tenant.DB {
	c := tenanttest.Config()
	c.Now, c.Billed = p.clock.Now, plan.Settle
	db, err := tenant.Open(context.Background(), c)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		if err := db.Close(); err != nil {
			p.Error(err)
		}
	})
	return db
}

func openBooks(ctx context.Context, tx *tenant.Tx) error {
	err := billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: money.MustCurrency("EUR"), Country: "IE", TimeZone: "Europe/Dublin"})
	if err != nil {
		return err
	}
	s, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return err
	}
	_, err = billing.ChangeSettings(ctx, tx, 0, billing.SettingsInput{Name: s.Name, TimeZone: s.TimeZone, Country: s.Country,
		InvoicePrefix: s.InvoicePrefix, PaymentTermsDays: 10, TaxRounding: s.TaxRounding, CollectAutomatically: true})
	return err
}

func (p *platform) on(fn func(ctx context.Context, tx *tenant.PlatformTx) error) {
	p.Helper()
	ctx := context.Background()
	if err := tenant.DoPlatform(ctx, p.db, func(tx *tenant.PlatformTx) error { return fn(ctx, tx) }); err != nil {
		p.Fatal(err)
	}
}

// bill runs fn in the organization that bills.
func (p *platform) bill(fn func(ctx context.Context, tx *tenant.Tx) error) {
	p.Helper()
	ctx := context.Background()
	scope, err := tenant.EnterOperator(ctx, p.db, p.biller.Slug)
	if err == nil {
		err = tenant.Do(ctx, p.db, scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
	}
	if err != nil {
		p.Fatal(err)
	}
}

// work does what the jobs do.
func (p *platform) work() {
	p.Helper()
	ctx := context.Background()
	scope, err := tenant.EnterOperator(ctx, p.db, p.biller.Slug)
	if err == nil {
		err = errors.Join(plan.Tend(ctx, p.db, scope), new(subscription.Biller).Run(ctx, subscription.In(p.db, scope)))
	}
	if err == nil {
		err = (&till.Till{}).Collect(ctx, till.In(p.db, scope), func(_ context.Context, r billing.Reminder) error {
			p.told = append(p.told, r)
			return nil
		})
	}
	if err != nil {
		p.Fatal(err)
	}
}

// pass lets days go by, with the jobs at work on each.
func (p *platform) pass(days int) {
	p.Helper()
	for range days {
		p.clock.Advance(day)
		p.work()
	}
}

// shop is an organization that signed up.
type shop struct {
	*platform
	tenanttest.Organization
	customer billing.CustomerID
}

func (p *platform) found() *shop {
	p.Helper()
	s := &shop{platform: p}
	s.Organization = tenanttest.Found(p.T, p.db, func(ctx context.Context, tx *tenant.Tx) error {
		if err := openBooks(ctx, tx); err != nil {
			return err
		}
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Nuno"})
		s.customer = c.ID
		return err
	})
	p.on(func(ctx context.Context, tx *tenant.PlatformTx) error { // a session for years
		_, err := tx.Exec(ctx, `UPDATE platform.session SET expires_at = expires_at + interval '10 years', idle_seconds = 400000000 WHERE token_hash = $1`, s.Session[:])
		return err
	})
	return s
}

// try runs fn as the owner, whose rights on what is written are the edge's matter: it enters anew as the edge does.
func (s *shop) tryOn(db *tenant.DB, open bool, fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	for {
		scope, err := tenant.EnterMember(ctx, db, s.Session, s.Slug)
		if err != nil {
			return err
		}
		if open {
			scope = scope.WhileSuspended()
		}
		if err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return fn(ctx, tx) }); !errors.Is(err, tenant.ErrStale) {
			return err
		}
	}
}

func (s *shop) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	return s.tryOn(s.db, false, fn)
}

func (s *shop) issue() error { return s.try(s.issueIn) }

func (s *shop) issueIn(ctx context.Context, tx *tenant.Tx) error {
	d, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: s.customer, Lines: []billing.InvoiceLineInput{
		{Description: "Work", Quantity: decimal.New(1, 0), UnitPrice: decimal.New(100, 0)}}})
	if err != nil {
		return err
	}
	_, err = billing.IssueInvoice(ctx, tx, d.ID, 0)
	return err
}

func (s *shop) attach(bytes int) error {
	return s.try(func(ctx context.Context, tx *tenant.Tx) error {
		body := make([]byte, bytes)
		for i := range body {
			body[i] = 'a'
		}
		_, err := file.Keep(ctx, tx, file.Input{Kind: file.Attachment, Subject: id.New[billing.Invoice]().UUID, Name: "notes.txt", Bytes: body})
		return err
	})
}

func (s *shop) invite(policy *authz.Policy) error {
	return s.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, _, err := policy.InviteMember(ctx, tx, authz.Invite{Email: tenanttest.Random(6) + "@tidewater.example", Role: "viewer"})
		return err
	})
}

func (s *shop) account() (a plan.Account) {
	s.Helper()
	err := s.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		a, _, err = plan.Mine(ctx, tx)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return a
}

// payer is the way to the organization's own bills.
func (s *shop) payer(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	scope, err := tenant.EnterMember(ctx, s.db, s.Session, s.Slug)
	if err == nil {
		scope, err = tenant.EnterPayer(ctx, s.db, scope)
	}
	if err != nil {
		return err
	}
	return tenant.Do(ctx, s.db, scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (s *shop) bills() (bills []billing.InvoiceHead) {
	s.Helper()
	err := s.payer(func(ctx context.Context, tx *tenant.Tx) (err error) {
		bills, _, err = plan.Bills(ctx, tx)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return bills
}

// choose is what the plan's page does.
func (s *shop) choose(code string, cycle plan.Cycle) error {
	ctx := context.Background()
	err := s.tryOn(s.db, true, func(ctx context.Context, tx *tenant.Tx) error { return plan.Ask(ctx, tx, code, cycle) })
	if err != nil {
		return err
	}
	scope, err := tenant.EnterMember(ctx, s.db, s.Session, s.Slug)
	if err != nil {
		return err
	}
	payer, err := tenant.EnterPayer(ctx, s.db, scope)
	if err != nil {
		return err
	}
	return plan.Carry(ctx, s.db, payer, scope.Organization().ID)
}

func (s *shop) expect(state plan.State, code string) {
	s.Helper()
	if a := s.account(); a.State != state || a.Plan != code {
		s.Errorf("it is %s on %s, not %s on %s", a.State, a.Plan, state, code)
	}
}

func (s *shop) pay() {
	s.Helper()
	for _, b := range s.bills() {
		if !b.Open().IsZero() {
			s.bill(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: b.ID, Amount: b.Open(), Method: billing.BankTransfer})
				return err
			})
		}
	}
}

// The whole life: a trial, a bill, reminders that nobody answers, suspension, a payment, and on.
func TestLife(t *testing.T) {
	p := openPlatform(t)
	s := p.found()
	other := p.replica() // which remembers what it saw
	s.expect(plan.Trialing, "small")
	p.work()
	p.pass(13)
	if s.expect(plan.Trialing, "small"); len(s.bills()) != 0 {
		t.Fatalf("billed in the trial: %v", s.bills())
	}
	p.pass(2)
	s.expect(plan.Active, "small")
	bills := s.bills()
	if len(bills) != 1 || bills[0].Total.String() != "10.00" {
		t.Fatalf("the bills after the trial: %v", bills)
	}
	p.bill(func(ctx context.Context, tx *tenant.Tx) error {
		mails, err := billing.Mailings(ctx, tx, bills[0].ID)
		if len(mails) != 1 || mails[0].Email != s.Owner.Email {
			t.Errorf("the bill was mailed as %v", mails)
		}
		return err
	})
	if err := s.tryOn(other, false, s.issueIn); err != nil {
		t.Fatal(err)
	}
	p.pass(10) // it is due
	p.pass(1)
	s.expect(plan.PastDue, "small")
	if err := s.issue(); err != nil {
		t.Errorf("past due, and already: %v", err)
	}
	p.pass(11)
	if s.expect(plan.PastDue, "small"); len(p.told) != billing.CollectionTries {
		t.Fatalf("reminded %d times", len(p.told))
	}
	p.pass(2) // a week after the last reminder
	s.expect(plan.Suspended, "small")
	for name, db := range map[string]*tenant.DB{"here": p.db, "on another replica": other} {
		if err := s.tryOn(db, false, s.issueIn); !errors.Is(err, tenant.ErrSuspended) {
			t.Errorf("suspended, writing %s: %v", name, err)
		}
		err := s.tryOn(db, false, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := billing.InvoiceCounts(ctx, tx)
			return err
		})
		if err != nil {
			t.Errorf("suspended, reading %s: %v", name, err)
		}
	}
	if err := s.choose("large", plan.Monthly); !errors.Is(err, plan.ErrOwing) {
		t.Errorf("a larger plan on credit: %v", err)
	}
	s.pay()
	for name, db := range map[string]*tenant.DB{"here": p.db, "on another replica": other} { // no job in between
		if err := s.tryOn(db, false, s.issueIn); err != nil {
			t.Errorf("paid, writing %s: %v", name, err)
		}
	}
	s.expect(plan.Active, "small")
	p.work()
	s.expect(plan.Active, "small")
}

// A larger plan holds at once and costs what is left of the period; a smaller one comes with the next.
func TestUpAndDown(t *testing.T) {
	p := openPlatform(t)
	s := p.found()
	p.work()
	p.pass(15)
	s.pay()
	if err := s.choose("secret", plan.Monthly); !errors.Is(err, plan.ErrNoChoice) {
		t.Errorf("a plan that is not offered: %v", err)
	}
	p.pass(3)
	if err := s.choose("large", plan.Monthly); err != nil {
		t.Fatal(err)
	}
	s.expect(plan.Active, "large")
	bills := s.bills()
	var began civil.Date
	p.bill(func(ctx context.Context, tx *tenant.Tx) error {
		sub, err := subscription.ByID(ctx, tx, s.account().Subscription)
		began = sub.Schedule.At(0)
		days, left := began.DaysUntil(sub.NextOn), bills[0].IssueDate.DaysUntil(sub.NextOn)
		want := decimal.New(2000, 0).Mul(decimal.New(int64(left), 0)).DivRound(decimal.New(int64(days), 0), 0).IntPart()
		// Each plan's part is rounded by itself.
		if len(bills) != 2 || bills[0].Total.Minor < want-1 || bills[0].Total.Minor > want+1 {
			t.Errorf("20.00 more for %d of %d days: %v", left, days, bills)
		}
		return err
	})
	s.pay()
	if err := s.choose("small", plan.Monthly); err != nil {
		t.Fatal(err)
	}
	a := s.account()
	if s.expect(plan.Active, "large"); a.NextPlan != "small" || !a.NextOn.After(began) {
		t.Errorf("the next is %q on %s", a.NextPlan, a.NextOn)
	}
	for range 31 {
		p.pass(1)
		s.pay()
	}
	s.expect(plan.Active, "small")
	if bills = s.bills(); bills[0].Total.String() != "10.00" {
		t.Errorf("after the smaller plan began: %v", bills)
	}
	if err := s.choose("large", plan.Yearly); err != nil {
		t.Fatal(err)
	}
	for range 31 {
		p.pass(1)
		s.pay()
	}
	s.expect(plan.Active, "large")
	if bills = s.bills(); bills[0].Total.String() != "300.00" {
		t.Errorf("by the year: %v", bills)
	}
	if err := s.choose("free", plan.Monthly); err != nil {
		t.Fatal(err)
	}
	s.expect(plan.Active, "large")
	for range 13 {
		p.clock.Advance(29 * day)
		p.work()
		p.work()
	}
	if s.expect(plan.Active, "free"); len(s.bills()) != len(bills) {
		t.Errorf("the free plan is billed: %v", s.bills())
	}
}

// Of so many at once as many pass as there is room for.
func TestLimits(t *testing.T) {
	p := openPlatform(t)
	policy, err := authz.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		act  func(s *shop) error
		want *fault.Error
		room int
	}{
		"invoices": {func(s *shop) error { return s.issue() }, billing.ErrMonthFull, 5},
		"members":  {func(s *shop) error { return s.invite(policy) }, authz.ErrNoRoom, 2},
		"storage":  {func(s *shop) error { return s.attach(300_000) }, file.ErrFull, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := p.found()
			s.T = t
			var wait sync.WaitGroup
			results := make([]error, 20)
			for n := range results {
				wait.Go(func() { results[n] = c.act(s) })
			}
			wait.Wait()
			passed := 0
			for _, err := range results {
				if err == nil {
					passed++
				} else if !errors.Is(err, c.want) {
					t.Errorf("%v", err)
				}
			}
			if passed != c.room {
				t.Errorf("%d of 20 passed, and there is room for %d", passed, c.room)
			}
			p.on(func(ctx context.Context, tx *tenant.PlatformTx) error { return plan.Move(ctx, tx, s.Slug, "large", 0) })
			if err := c.act(s); err != nil {
				t.Errorf("on a plan without limits: %v", err)
			}
		})
	}
	t.Run("the next month has its own invoices", func(t *testing.T) {
		s := p.found()
		s.T = t
		for range 5 {
			if err := s.issue(); err != nil {
				t.Fatal(err)
			}
		}
		p.clock.Advance(31 * day)
		if err := s.issue(); err != nil {
			t.Error(err)
		}
	})
	t.Run("who joins finds no room that was given away", func(t *testing.T) {
		s := p.found()
		s.T = t
		p.on(func(ctx context.Context, tx *tenant.PlatformTx) error { return plan.Move(ctx, tx, s.Slug, "free", 0) })
		person, _ := tenanttest.NewPerson(t, p.db)
		err := s.try(func(ctx context.Context, tx *tenant.Tx) error { return authz.AddMember(ctx, tx, person, "viewer") })
		if !errors.Is(err, authz.ErrNoRoom) {
			t.Errorf("%v", err)
		}
	})
}

// Staff have the last word, at once.
func TestByHand(t *testing.T) {
	p := openPlatform(t)
	s := p.found()
	set := func(state plan.State) {
		t.Helper()
		p.on(func(ctx context.Context, tx *tenant.PlatformTx) error { return plan.SetState(ctx, tx, s.Slug, state) })
	}
	if err := s.issue(); err != nil {
		t.Fatal(err)
	}
	set(plan.Suspended)
	if err := s.issue(); !errors.Is(err, tenant.ErrSuspended) {
		t.Errorf("suspended: %v", err)
	}
	p.work()
	if err := s.issue(); !errors.Is(err, tenant.ErrSuspended) {
		t.Errorf("suspended by hand, after the jobs: %v", err)
	}
	set(plan.Active)
	if err := s.issue(); err != nil {
		t.Errorf("let go on: %v", err)
	}
	s.expect(plan.Trialing, "small")
	set(plan.Exempt)
	for range 8 {
		if err := s.issue(); err != nil {
			t.Fatalf("exempt from limits: %v", err)
		}
	}
	p.pass(20)
	if len(s.bills()) != 0 {
		t.Errorf("exempt, and billed: %v", s.bills())
	}
}

// Nobody but the organization that bills reaches the accounts of others, and nobody a bill that is not theirs.
func TestOthersAccounts(t *testing.T) {
	p := openPlatform(t)
	s, foreign := p.found(), p.found()
	p.work()
	p.pass(15)
	for name, fn := range map[string]func(ctx context.Context, tx *tenant.Tx) error{
		"lock": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `SELECT platform.lock_account($1)`, foreign.Scope.Organization().ID)
			return err
		},
		"owing": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `SELECT platform.owing_accounts()`)
			return err
		},
		"plans": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `SELECT platform.all_plans()`)
			return err
		},
		"biller": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `SELECT platform.set_biller($1, now())`, s.Slug)
			return err
		},
		"row": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE platform.plan_account SET state = 'exempt'`)
			return err
		},
		"follow": func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `SELECT platform.follow_account($1)`, s.Scope.Organization().ID)
			return err
		},
	} {
		if err := s.try(fn); tenant.SQLState(err) != "42501" {
			t.Errorf("%s: %v", name, err)
		}
	}
	theirs := foreign.bills()[0]
	err := s.payer(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := plan.OpenBill(ctx, tx, theirs.ID)
		return err
	})
	if !errors.Is(err, plan.ErrNoBill) {
		t.Errorf("another's bill: %v", err)
	}
	if err := foreign.payer(func(ctx context.Context, tx *tenant.Tx) error {
		secret, err := plan.OpenBill(ctx, tx, theirs.ID)
		if err == nil && secret == "" {
			err = fmt.Errorf("no link")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestDefineRefuses(t *testing.T) {
	p := openPlatform(t)
	good := plan.Plan{Code: "medium", Name: "Medium", Currency: money.MustCurrency("EUR"), MonthPrice: 100, YearPrice: 1000}
	for name, c := range map[string]struct {
		want   error
		change func(p *plan.Plan)
	}{
		"a code with blanks":     {plan.ErrCode, func(p *plan.Plan) { p.Code = "me dium" }},
		"a price for years only": {plan.ErrPrices, func(p *plan.Plan) { p.MonthPrice = 0 }},
		"a price below nothing":  {plan.ErrPrice, func(p *plan.Plan) { p.MonthPrice = -1 }},
		"a limit below nothing":  {plan.ErrLimit, func(p *plan.Plan) { p.Members = -1 }},
		"an endless trial":       {plan.ErrTrial, func(p *plan.Plan) { p.TrialDays = 1000 }},
		"another's version":      {plan.ErrChanged, func(p *plan.Plan) { p.Code, p.Version = "small", 7 }},
		"a code that is taken":   {plan.ErrChanged, func(p *plan.Plan) { p.Code = "small" }},
	} {
		one := good
		c.change(&one)
		ctx := context.Background()
		err := tenant.DoPlatform(ctx, p.db, func(tx *tenant.PlatformTx) error { return plan.Define(ctx, tx, one) })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
