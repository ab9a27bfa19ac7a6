package phone_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/phonenumber"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var numbers atomic.Int64

// number is an Irish mobile that no other test uses: what is sent to one is counted for all organizations.
func number() string { return fmt.Sprintf("+35386%07d", 1000000+numbers.Add(1)) }

// house is an organization, its clock, what sends codes, and what was sent.
type house struct {
	*testing.T
	tenanttest.Organization
	db     *tenant.DB
	clock  *tenanttest.Clock
	sender *phone.Sender
	mu     sync.Mutex
	sent   []string
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, clock: &tenanttest.Clock{}}
	h.db = tenanttest.OpenWith(t, h.clock)
	h.Organization = tenanttest.Found(t, h.db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: money.MustCurrency("EUR"), Country: "IE", TimeZone: "Europe/Dublin"})
	})
	var err error
	if h.Scope, err = tenant.EnterOperator(t.Context(), h.db, h.Slug); err != nil { // a session would end when the clock is moved
		t.Fatal(err)
	}
	h.sender = &phone.Sender{Key: []byte(strings.Repeat("k", 32)), Text: h.way("text", nil)}
	return h
}

func (h *house) way(name string, fails error) func(ctx context.Context, to, say string) error {
	return func(_ context.Context, to, say string) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if fails == nil {
			h.sent = append(h.sent, name+" "+to+" "+say)
		}
		return fails
	}
}

func (h *house) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := h.Context()
	return tenant.Do(ctx, h.db, h.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (h *house) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	h.Helper()
	if err := h.try(fn); err != nil {
		h.Fatal(err)
	}
}

func (h *house) set(change func(r *phone.Rules)) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		r, err := phone.LoadRules(ctx, tx)
		if err != nil {
			return err
		}
		change(&r)
		_, err = phone.ChangeRules(ctx, tx, r.Version, r)
		return err
	})
}

func (h *house) customer() uuid.UUID {
	h.Helper()
	var c billing.Customer
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		c, err = billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Hugh", Phone: "+353861234567"})
		return err
	})
	return c.ID.UUID
}

func (h *house) begin(customer uuid.UUID, number, address string) error {
	_, err := h.ask(customer, number, address, "")
	return err
}

// ask is begin with the way that the customer would like, and keeps how the gateways did.
func (h *house) ask(customer uuid.UUID, number, address, way string) (out phone.Sent, err error) {
	var m phone.Message
	err = h.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		m, err = h.sender.Begin(ctx, tx, customer, number, address, way)
		return err
	})
	if err != nil {
		return out, err
	}
	out, err = h.sender.Send(h.Context(), m)
	h.do(func(ctx context.Context, tx *tenant.Tx) error { return phone.NoteTries(ctx, tx, out.Tries) })
	return out, err
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// code is the one that was sent last.
func (h *house) code() string {
	h.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sent) == 0 {
		h.Fatal("nothing was sent")
	}
	return sixDigits.FindString(strings.SplitN(h.sent[len(h.sent)-1], " ", 3)[2])
}

func (h *house) confirm(customer uuid.UUID, typed string) (refused error) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		refused, err = h.sender.Confirm(ctx, tx, customer, typed)
		return err
	})
	return refused
}

func (h *house) verified(customer uuid.UUID) (stored string) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &stored, `SELECT verified_phone FROM party WHERE id = $1`, customer)
	})
	return stored
}

// other is a code that is not this one.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestANumberIsVerified(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, to := h.customer(), number()
	if err := h.begin(c, to[:4]+" "+to[4:6]+" "+to[6:], "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	code := h.code()
	if err := h.confirm(c, other(code)); !errors.Is(err, phone.ErrCode) || h.verified(c) != "" {
		t.Fatalf("a wrong code: %v", err)
	}
	if err := h.confirm(c, " "+code[:3]+"-"+code[3:]+" "); err != nil || h.verified(c) != to {
		t.Fatalf("the code: %v, verified %q", err, h.verified(c))
	}
	var acts string
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &acts, `SELECT coalesce(string_agg(detail || before || after, ' '), '') FROM audit_log`)
	})
	if strings.Contains(acts, to) || strings.Contains(acts, code) {
		t.Errorf("the record holds number or code: %s", acts)
	}
}

func TestCodesThatAreNotGood(t *testing.T) {
	t.Parallel()
	h := open(t)
	victim, c := h.customer(), h.customer()
	begin := func(customer uuid.UUID) string {
		t.Helper()
		if err := h.begin(customer, number(), ""); err != nil {
			t.Fatal(err)
		}
		return h.code()
	}
	for name, try := range map[string]func() error{
		"none was sent":      func() error { return h.confirm(h.customer(), "000000") },
		"another customer's": func() error { code := begin(victim); return h.confirm(c, code) },
		"empty":              func() error { who := h.customer(); begin(who); return h.confirm(who, "") },
		"its first digits":   func() error { who := h.customer(); return h.confirm(who, begin(who)[:5]) },
		"and a digit more":   func() error { who := h.customer(); return h.confirm(who, begin(who)+"0") },
		"in other digits": func() error {
			who := h.customer()
			return h.confirm(who, strings.Map(func(r rune) rune { return r - '0' + '٠' }, begin(who)))
		},
		"very long":  func() error { who := h.customer(); return h.confirm(who, strings.Repeat(begin(who), 1000)) },
		"a wildcard": func() error { who := h.customer(); begin(who); return h.confirm(who, "%") },
		"used already": func() error {
			who := h.customer()
			code := begin(who)
			if err := h.confirm(who, code); err != nil {
				return err
			}
			h.do(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE party SET verified_phone = '', phone_verified_at = NULL WHERE id = $1`, who)
				return err
			})
			return h.confirm(who, code)
		},
		"one before the last": func() error {
			who := h.customer()
			code := begin(who)
			h.clock.Advance(time.Minute)
			for begin(who) == code {
				h.clock.Advance(time.Minute)
			}
			return h.confirm(who, code)
		},
		"too late": func() error {
			who := h.customer()
			code := begin(who)
			h.clock.Advance(10*time.Minute + time.Second)
			return h.confirm(who, code)
		},
		"after five tries": func() error {
			who := h.customer()
			code := begin(who)
			for range 5 {
				if err := h.confirm(who, other(code)); !errors.Is(err, phone.ErrCode) {
					t.Errorf("a wrong one: %v", err)
				}
			}
			return h.confirm(who, code)
		},
		"denied since it was sent": func() error {
			who := h.customer()
			code := begin(who)
			h.set(func(r *phone.Rules) { r.Denied = []string{"IE"} })
			defer h.set(func(r *phone.Rules) { r.Denied = nil })
			err := h.confirm(who, code)
			if !errors.Is(err, phone.ErrDenied) {
				t.Errorf("denied: %v", err)
			}
			return phone.ErrCode
		},
	} {
		if err := try(); !errors.Is(err, phone.ErrCode) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.verified(c) != "" {
		t.Error("somebody else's code verified a number")
	}
}

func TestAnotherOrganizationsCode(t *testing.T) {
	t.Parallel()
	one, two := open(t), open(t)
	c := one.customer()
	if err := one.begin(c, number(), ""); err != nil {
		t.Fatal(err)
	}
	if err := two.confirm(c, one.code()); !errors.Is(err, phone.ErrCode) {
		t.Fatal(err)
	}
	if err := one.confirm(c, one.code()); err != nil {
		t.Fatalf("and it is still good where it belongs: %v", err)
	}
}

// 50 guesses at once, on several servers, are no more than the allowed ones.
func TestFiftyGuessesAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(func(r *phone.Rules) { r.Tries = 3 })
	c := h.customer()
	if err := h.begin(c, number(), ""); err != nil {
		t.Fatal(err)
	}
	code := h.code()
	second := tenanttest.OpenWith(t, h.clock)
	var all sync.WaitGroup
	var refused atomic.Int64
	for n := range 50 {
		all.Go(func() {
			db := h.db
			if n%2 == 0 {
				db = second
			}
			ctx := context.Background()
			err := tenant.Do(ctx, db, h.Scope, func(tx *tenant.Tx) error {
				wrong, err := h.sender.Confirm(ctx, tx, c, other(code))
				if errors.Is(wrong, phone.ErrCode) {
					refused.Add(1)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	// The right one would be refused now even if it was among those 50.
	if refused.Load() != 50 {
		t.Errorf("%d of 50 wrong guesses were refused", refused.Load())
	}
	if err := h.confirm(c, code); !errors.Is(err, phone.ErrCode) || h.verified(c) != "" {
		t.Fatalf("the right one after 50 guesses: %v", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(func(r *phone.Rules) { r.NumberDay, r.NetworkDay = 2, 3 })
	to := number()
	if err := h.begin(h.customer(), to, ""); err != nil {
		t.Fatal(err)
	}
	if err := h.begin(h.customer(), strings.Replace(to, "+353", "+353 (", 1)[:6]+to[4:6]+") "+to[6:], ""); !errors.Is(err, phone.ErrSoon) {
		t.Errorf("the same number in other clothes, for another customer: %v", err)
	}
	h.clock.Advance(time.Minute)
	if err := h.begin(h.customer(), to, ""); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	h.clock.Advance(time.Minute)
	if err := h.begin(h.customer(), to, ""); !errors.Is(err, phone.ErrLimit) {
		t.Errorf("the third to one number: %v", err)
	}
	for n, address := range []string{"2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:1:1:2:3:4"} {
		if err := h.begin(h.customer(), number(), address); err != nil {
			t.Errorf("%d from one network: %v", n, err)
		}
	}
	if err := h.begin(h.customer(), number(), "2001:db8:1:1:aaaa::9"); !errors.Is(err, phone.ErrLimit) {
		t.Errorf("the fourth from one network: %v", err)
	}
	if err := h.begin(h.customer(), number(), "::ffff:192.0.2.9"); err != nil {
		t.Errorf("from another network: %v", err)
	}
	c := h.customer()
	if err := h.begin(c, number(), ""); err != nil {
		t.Fatal(err)
	}
	if err := h.begin(c, number(), ""); !errors.Is(err, phone.ErrSoon) {
		t.Errorf("one customer, another number at once: %v", err)
	}
	for range 3 {
		h.clock.Advance(time.Minute)
		if err := h.begin(c, number(), ""); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Advance(time.Minute)
	if err := h.begin(c, number(), ""); !errors.Is(err, phone.ErrLimit) {
		t.Errorf("one customer with ever other numbers: %v", err)
	}
	h.clock.Advance(25 * time.Hour)
	if err := h.begin(c, to, "2001:db8:1:1::1"); err != nil {
		t.Errorf("the day after: %v", err)
	}
}

// Two organizations that bother one number are counted together, and at once is one after the other.
func TestOneNumberForAllOrganizations(t *testing.T) {
	t.Parallel()
	to := number()
	houses := []*house{open(t), open(t), open(t)}
	var all sync.WaitGroup
	var sent atomic.Int64
	for _, h := range houses {
		customers := []uuid.UUID{h.customer(), h.customer(), h.customer()}
		for _, c := range customers {
			all.Go(func() {
				switch err := h.begin(c, to, ""); {
				case err == nil:
					sent.Add(1)
				case !errors.Is(err, phone.ErrSoon):
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if sent.Load() != 1 {
		t.Fatalf("%d codes at once to one number", sent.Load())
	}
}

func TestNumbersThatAreNotTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(func(r *phone.Rules) { r.Filter, r.Denied, r.Kinds = "^(353|44)", []string{"GB"}, []string{"fixed"} })
	for said, want := range map[string]error{
		"":                   phonenumber.ErrMalformed,
		"0861234567":         phonenumber.ErrMalformed,
		"+353 86 123 4567;1": phonenumber.ErrMalformed,
		"+353861234567 x9":   phonenumber.ErrMalformed,
		"+٣٥٣٨٦١٢٣٤٥٦٧":      phonenumber.ErrMalformed,
		"+3531":              phonenumber.ErrMalformed,
		"+353 1590 123456":   nil,             // premium; which refusal depends on the plan
		"+353 1 679 1234":    phone.ErrDenied, // a fixed line
		"+44 7400 123456":    phone.ErrDenied, // a denied country
		"+49 1512 3456789":   phone.ErrDenied, // not by the filter
		"+800 1234 5678":     nil,
		"\x00+353861234567":  phonenumber.ErrMalformed,
	} {
		err := h.begin(h.customer(), said, "")
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", said, err, want)
		}
	}
	if len(h.sent) != 0 {
		t.Errorf("sent all the same: %q", h.sent)
	}
	if err := h.begin(h.customer(), number(), ""); err != nil {
		t.Errorf("one that is taken: %v", err)
	}
}

func TestTheOtherWayIsTried(t *testing.T) {
	t.Parallel()
	down := errors.New("the gateway is down")
	for ways, want := range map[string]string{"text call": "call", "text": "", "call text": "call", "call": "call"} {
		h := open(t)
		h.sender.Text, h.sender.Call = h.way("text", down), h.way("call", nil)
		h.set(func(r *phone.Rules) { r.Ways = ways })
		err := h.begin(h.customer(), number(), "")
		if want == "" {
			if !errors.Is(err, phone.ErrUnsent) || len(h.sent) != 0 {
				t.Errorf("%s: %v", ways, err)
			}
			continue
		}
		if err != nil || len(h.sent) != 1 || !strings.HasPrefix(h.sent[0], want+" ") {
			t.Errorf("%s: %v, sent %q", ways, err, h.sent)
		}
	}
	h := open(t)
	h.sender = nil
	if err := h.begin(h.customer(), number(), ""); !errors.Is(err, phone.ErrUnsent) {
		t.Errorf("where nothing sends: %v", err)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, change := range map[string]func(r *phone.Rules){
		"when":          func(r *phone.Rules) { r.When = "sometimes" },
		"nothing":       func(r *phone.Rules) { r.When = "" },
		"half a filter": func(r *phone.Rules) { r.Filter = "^(353" },
		"a backtracker": func(r *phone.Rules) { r.Filter = `(\d+)\1` },
		"a look-ahead":  func(r *phone.Rules) { r.Filter = `^(?=353)` },
		"a huge one":    func(r *phone.Rules) { r.Filter = "((((a{1000}){1000}){1000}){1000})" },
		"a long one":    func(r *phone.Rules) { r.Filter = strings.Repeat("1", 201) },
		"no code":       func(r *phone.Rules) { r.Text = "Your code" },
		"two codes":     func(r *phone.Rules) { r.Text = "%code% %code%" },
		"ways":          func(r *phone.Rules) { r.Ways = "pigeon" },
		"no tries":      func(r *phone.Rules) { r.Tries = 0 },
		"many tries":    func(r *phone.Rules) { r.Tries = 11 },
		"no delay":      func(r *phone.Rules) { r.Delay = 0 },
		"an hour":       func(r *phone.Rules) { r.Minutes = 61 },
		"a flood":       func(r *phone.Rules) { r.NumberDay = 21 },
		"a country":     func(r *phone.Rules) { r.Denied = []string{"Ireland"} },
		"no country":    func(r *phone.Rules) { r.Denied = []string{"XX"} },
		"a kind":        func(r *phone.Rules) { r.Kinds = []string{"pager"} },
		"a type":        func(r *phone.Rules) { r.Types = map[string]phone.When{"cards": "sometimes"} },
	} {
		err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
			r, err := phone.LoadRules(ctx, tx)
			if err != nil {
				return err
			}
			change(&r)
			_, err = phone.ChangeRules(ctx, tx, r.Version, r)
			return err
		})
		if err == nil || errors.Is(err, phone.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What would make another engine think for years is over at once here: RE2 has no way back.
	h.set(func(r *phone.Rules) { r.Filter = "^(3|35|353|1)*(a|aa)+$|^353(8|6|86)*[0-9]+$" })
	began := time.Now()
	if err := h.begin(h.customer(), number(), ""); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
		r, err := phone.LoadRules(ctx, tx)
		if err == nil {
			_, err = phone.ChangeRules(ctx, tx, r.Version-1, r)
		}
		return err
	})
	if !errors.Is(err, phone.ErrChanged) {
		t.Errorf("what somebody changed meanwhile: %v", err)
	}
}

// The narrowest setting that says something wins; over several lines, the strictest.
func TestWhatAsksForANumber(t *testing.T) {
	t.Parallel()
	h := open(t)
	product := func(kind string, when phone.When) uuid.UUID {
		t.Helper()
		var made billing.Product
		h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			if made, err = billing.AddProduct(ctx, tx, billing.ProductInput{Name: "Thing", UnitPrice: decimal.NewFromInt(1)}); err != nil {
				return err
			}
			if _, err = tx.Exec(ctx, `UPDATE product SET product_type = $2 WHERE id = $1`, made.ID, kind); err != nil {
				return err
			}
			return phone.SetProductRule(ctx, tx, made.ID.UUID, when)
		})
		return made.ID.UUID
	}
	plain, card, service := product("", phone.Unsaid), product("Gift cards", phone.Unsaid), product("service", phone.Unsaid)
	free, strict := product("gift cards", phone.Never), product("service", phone.Before)
	c := h.customer()
	for _, on := range []struct {
		all   phone.When
		types map[string]phone.When
		want  map[uuid.UUID]phone.When
	}{
		{phone.Never, nil, map[uuid.UUID]phone.When{plain: phone.Never, card: phone.Never, free: phone.Never, strict: phone.Before}},
		{phone.After, map[string]phone.When{"gift cards": phone.Before, "service": phone.Never},
			map[uuid.UUID]phone.When{plain: phone.After, card: phone.Before, service: phone.Never, free: phone.Never, strict: phone.Before}},
		{phone.Before, map[string]phone.When{"service": phone.After}, map[uuid.UUID]phone.When{plain: phone.Before, service: phone.After, free: phone.Never}},
	} {
		h.set(func(r *phone.Rules) { r.When, r.Types = on.all, on.types })
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			for p, want := range on.want {
				if n, err := phone.NeedForProducts(ctx, tx, c, []uuid.UUID{p}); err != nil || n.When != want {
					t.Errorf("%v: %v, want %v (%v)", on, n.When, want, err)
				}
			}
			all := slices.Collect(maps.Keys(on.want))
			if n, err := phone.NeedForProducts(ctx, tx, c, all); err != nil || !n.First() {
				t.Errorf("all together: %+v (%v)", n, err)
			}
			return nil
		})
	}
	var rules []phone.ProductRule
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		rules, err = phone.ProductRules(ctx, tx)
		return err
	})
	if len(rules) != 2 {
		t.Errorf("%d products with a rule of their own", len(rules))
	}
}

// Whatever filter an organization saves, a number is looked at in no time: patterns that make others go back again and again.
func TestFiltersAreNeverSlow(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, filter := range []string{`^(([0-9]+)+)+x$`, `^([0-9]|[0-9][0-9])+x$`, `^(\d*)*(\d*)*(\d*)*(\d*)*x$`, `(.*)*(.*)*(.*)*(.*)*\D$`, `^(\d?){900}x$`, strings.Repeat(`\d?`, 60) + `x`} {
		saved := h.try(func(ctx context.Context, tx *tenant.Tx) error {
			r, err := phone.LoadRules(ctx, tx)
			if err != nil {
				return err
			}
			r.Filter = filter
			_, err = phone.ChangeRules(ctx, tx, 0, r)
			return err
		})
		if errors.Is(saved, phone.ErrFilter) {
			continue
		} else if saved != nil {
			t.Fatal(saved)
		}
		c, to := h.customer(), number()
		began := time.Now()
		err := h.begin(c, to, "")
		if took := time.Since(began); !errors.Is(err, phone.ErrDenied) || took > 3*time.Second {
			t.Errorf("%q: %v after %s", filter, err, took)
		}
	}
}
