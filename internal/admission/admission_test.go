package admission_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/admission"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// town is two organizations with an owner each, and someone who is a member of both.
type town struct {
	db           *tenant.DB
	clock        *tenanttest.Clock
	strict, easy tenanttest.Organization
	person       tenant.Person
	session      tenant.Hash
}

func newTown(t *testing.T) town {
	t.Helper()
	w := town{clock: &tenanttest.Clock{}}
	w.db = tenanttest.OpenWith(t, w.clock)
	w.person, w.session = tenanttest.NewPerson(t, w.db)
	found := func() tenanttest.Organization {
		o := tenanttest.Found(t, w.db, nil)
		tenanttest.Do(t, w.db, o, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO settings (name, base_currency, time_zone, country) VALUES ('Tidewater', 'EUR', 'UTC', 'IE')`)
			if err == nil {
				err = authz.AddMember(ctx, tx, w.person, "bookkeeper")
			}
			return err
		})
		w.password(t, o.Owner)
		return o
	}
	w.password(t, w.person)
	w.strict, w.easy = found(), found()
	w.exec(t, func(ctx context.Context, tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `UPDATE platform.session SET idle_seconds = 100000000, expires_at = $1`, tx.Now().AddDate(9, 0, 0))
		return err
	})
	return w
}

func (w town) exec(t *testing.T, fn func(ctx context.Context, tx *tenant.PlatformTx) error) {
	t.Helper()
	if err := tenant.DoPlatform(context.Background(), w.db, func(tx *tenant.PlatformTx) error { return fn(context.Background(), tx) }); err != nil {
		t.Fatal(err)
	}
}

type credential struct{}

func (w town) password(t *testing.T, p tenant.Person) {
	t.Helper()
	w.exec(t, func(ctx context.Context, tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `INSERT INTO platform.credential (id, person_id, kind, secret, created_at, length_class, score) VALUES ($1, $2, 'password', 'x', $3, 15, 3)`,
			id.New[credential](), p.ID, tx.Now())
		return err
	})
}

func (w town) factor(t *testing.T, p tenant.Person) {
	t.Helper()
	w.exec(t, func(ctx context.Context, tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `INSERT INTO platform.totp (person_id, sealed, created_at, confirmed_at) VALUES ($1, 'x', $2, $2)`, p.ID, tx.Now())
		return err
	})
}

// set has the owner of the strict organization change its rules.
func (w town) set(t *testing.T, change func(r *admission.Rules), confirmed bool) error {
	t.Helper()
	ctx := context.Background()
	scope, err := tenant.EnterMember(ctx, w.db, w.strict.Session, w.strict.Slug)
	if err != nil {
		t.Fatal(err)
	}
	try := func() error {
		return tenant.Do(ctx, w.db, scope, func(tx *tenant.Tx) error {
			r, err := admission.Load(ctx, tx)
			if err != nil {
				return err
			}
			change(&r)
			_, err = admission.Change(ctx, tx, r.Version, r, confirmed)
			return err
		})
	}
	if err = try(); errors.Is(err, tenant.ErrStale) {
		if scope, err = tenant.EnterMember(ctx, w.db, w.strict.Session, w.strict.Slug); err != nil {
			t.Fatal(err)
		}
		err = try()
	}
	return err
}

// enters tells whether the person gets into the strict organization, and fails unless they get into the easy one.
func (w town) enters(t *testing.T) error {
	t.Helper()
	ctx := context.Background()
	scope, err := tenant.EnterMember(ctx, w.db, w.session, w.easy.Slug)
	if err == nil {
		err = tenant.Do(ctx, w.db, scope, func(*tenant.Tx) error { return nil })
	}
	if errors.Is(err, tenant.ErrStale) {
		_, err = tenant.EnterMember(ctx, w.db, w.session, w.easy.Slug)
	}
	if err != nil {
		t.Errorf("the rules of one organization keep out of the other: %v", err)
	}
	if scope, err = tenant.EnterMember(ctx, w.db, w.session, w.strict.Slug); err != nil {
		return err
	}
	if err = tenant.Do(ctx, w.db, scope, func(*tenant.Tx) error { return nil }); errors.Is(err, tenant.ErrStale) {
		_, err = tenant.EnterMember(ctx, w.db, w.session, w.strict.Slug)
	}
	return err
}

func wants(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestSecondFactorRule(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := context.Background()
	rule := func(r *admission.Rules) { r.SecondFactor = true }
	wants(t, "an owner without a second factor", w.set(t, rule, true), admission.ErrSelf)
	w.factor(t, w.strict.Owner)
	err := w.set(t, rule, false)
	wants(t, "without a word to the others", err, admission.ErrConfirm)
	if !strings.Contains(err.Error(), "1 of 2 members has no second factor") {
		t.Errorf("it says %v", err)
	}
	ok(t, "nothing has changed yet", w.enters(t))
	before, err := tenant.EnterMember(ctx, w.db, w.session, w.strict.Slug)
	ok(t, "entering before", err)
	ok(t, "the rule", w.set(t, rule, true))
	wants(t, "a scope from before", tenant.Do(ctx, w.db, before, func(*tenant.Tx) error { return nil }), tenant.ErrStale)
	wants(t, "without a second factor", w.enters(t), tenant.ErrEntrySecondFactor)
	w.factor(t, w.person)
	ok(t, "with one", w.enters(t))
	w.exec(t, func(ctx context.Context, tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `DELETE FROM platform.totp WHERE person_id = $1`, w.person.ID)
		return err
	})
	wants(t, "after it was turned off", w.enters(t), tenant.ErrEntrySecondFactor)
	ok(t, "exempting them", w.set(t, func(r *admission.Rules) { r.Exempt = []tenant.PersonID{w.person.ID} }, false))
	ok(t, "exempt", w.enters(t))
	wants(t, "exempting a stranger", w.set(t, func(r *admission.Rules) { r.Exempt = []tenant.PersonID{w.easy.Owner.ID} }, false), admission.ErrExempt)
}

// A token is no way round the rules: it works for as long as its maker satisfies them.
func TestTokensKeepToTheRules(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := context.Background()
	w.factor(t, w.strict.Owner)
	token := tenant.Hash{1, 2, 3}
	copy(token[:], tenanttest.Random(16))
	scope, err := tenant.EnterMember(ctx, w.db, w.session, w.strict.Slug)
	ok(t, "entering", err)
	ok(t, "making a token", tenant.Do(ctx, w.db, scope, func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT platform.add_api_token($1, $2, $3, 'test', 'ch_', '{*:read}', $4, NULL)`, token[:], id.New[credential](), w.person.ID, tx.Now())
		return err
	}))
	enter := func() error {
		s, err := tenant.EnterToken(ctx, w.db, token)
		if err == nil {
			err = tenant.Do(ctx, w.db, s, func(*tenant.Tx) error { return nil })
		}
		if errors.Is(err, tenant.ErrStale) {
			_, err = tenant.EnterToken(ctx, w.db, token)
		}
		return err
	}
	ok(t, "the token", enter())
	ok(t, "the rule", w.set(t, func(r *admission.Rules) { r.SecondFactor, r.IdleMinutes = true, 5 }, true))
	wants(t, "the token of someone without a second factor", enter(), tenant.ErrEntrySecondFactor)
	w.factor(t, w.person)
	w.clock.Advance(time.Hour)
	ok(t, "the token of someone with one, an hour later", enter())
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	change := func(p tenant.Person, length int) {
		w.exec(t, func(ctx context.Context, tx *tenant.PlatformTx) error {
			_, err := tx.Exec(ctx, `UPDATE platform.credential SET secret = secret || 'x', length_class = $2, changed_at = $3 WHERE person_id = $1`, p.ID, length, tx.Now())
			return err
		})
	}
	longer := func(r *admission.Rules) { r.PasswordLength = 20 }
	wants(t, "more than one's own has", w.set(t, longer, true), admission.ErrSelf)
	change(w.strict.Owner, 20)
	ok(t, "20 characters", w.set(t, longer, true))
	wants(t, "with 15 characters", w.enters(t), tenant.ErrEntryPassword)
	change(w.person, 20)
	ok(t, "with 20", w.enters(t))
	ok(t, "30 days", w.set(t, func(r *admission.Rules) { r.PasswordDays = 30 }, false))
	w.clock.Advance(29 * 24 * time.Hour)
	ok(t, "after 29 days", w.enters(t))
	w.clock.Advance(25 * time.Hour)
	wants(t, "after 30 days, although the scope is remembered", w.enters(t), tenant.ErrEntryPasswordAge)
	change(w.person, 20)
	ok(t, "with a new one", w.enters(t))
}

func TestSessionRules(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := context.Background()
	use := func(slug string) {
		scope, err := tenant.EnterMember(ctx, w.db, w.session, slug)
		if err == nil {
			err = tenant.Seen(ctx, w.db, scope)
		}
		ok(t, "using "+slug, err)
	}
	prove := func() {
		w.exec(t, func(ctx context.Context, tx *tenant.PlatformTx) error { // what identity does with a proof
			_, err := tx.Exec(ctx, `UPDATE platform.session SET authenticated_at = $2, last_seen_at = $2, idle_gap_seconds = 0,
				access_version = access_version + 1 WHERE token_hash IN ($1, $3)`, w.session[:], tx.Now(), w.strict.Session[:])
			return err
		})
	}
	ok(t, "ten minutes", w.set(t, func(r *admission.Rules) { r.IdleMinutes = 10 }, false))
	prove()
	for range 3 {
		w.clock.Advance(9 * time.Minute)
		ok(t, "within ten minutes", w.enters(t))
		use(w.strict.Slug)
	}
	if left, err := tenant.SessionLeft(ctx, w.db, w.session, w.strict.Slug); err != nil || left.Idle.Round(time.Minute) != 10*time.Minute {
		t.Errorf("left: %v, %v", left, err)
	}
	w.clock.Advance(9*time.Minute + 30*time.Second)
	if left, err := tenant.Stay(ctx, w.db, w.session, w.strict.Slug); err != nil || left.Idle.Round(time.Minute) != 10*time.Minute {
		t.Errorf("after staying: %v, %v", left, err)
	}
	w.clock.Advance(9 * time.Minute)
	ok(t, "after staying", w.enters(t))
	w.clock.Advance(2 * time.Minute)
	wants(t, "after eleven minutes", w.enters(t), tenant.ErrEntryProof)
	_, err := tenant.Stay(ctx, w.db, w.session, w.strict.Slug)
	wants(t, "staying too late", err, tenant.ErrNotSignedIn)
	// A stroll elsewhere is no proof.
	use(w.easy.Slug)
	wants(t, "after using the other", w.enters(t), tenant.ErrEntryProof)
	_, err = tenant.SessionLeft(ctx, w.db, w.session, w.strict.Slug)
	wants(t, "what is left", err, tenant.ErrNotSignedIn)
	prove()
	ok(t, "after a proof", w.enters(t))
	ok(t, "eight hours", w.set(t, func(r *admission.Rules) { r.IdleMinutes, r.SessionHours = 0, 8 }, false))
	prove()
	ok(t, "at once", w.enters(t))
	w.clock.Advance(8*time.Hour + time.Second)
	wants(t, "after eight hours", w.enters(t), tenant.ErrEntryProof)
}

func TestChange(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := context.Background()
	for field, change := range map[error]func(r *admission.Rules){
		admission.ErrLength:  func(r *admission.Rules) { r.PasswordLength = 13 },
		admission.ErrScore:   func(r *admission.Rules) { r.PasswordScore = 5 },
		admission.ErrDays:    func(r *admission.Rules) { r.PasswordDays = 7 },
		admission.ErrIdle:    func(r *admission.Rules) { r.IdleMinutes = 2 },
		admission.ErrSession: func(r *admission.Rules) { r.SessionHours = 10_000 },
	} {
		wants(t, "out of bounds", w.set(t, change, true), field)
	}
	answers := make([]error, 6)
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() {
			scope, err := tenant.EnterMember(ctx, w.db, w.strict.Session, w.strict.Slug)
			if err == nil {
				err = tenant.Do(ctx, w.db, scope, func(tx *tenant.Tx) error {
					_, err := admission.Change(ctx, tx, 1, admission.Rules{PasswordLength: 15, PasswordScore: 2, IdleMinutes: 10 + n}, true)
					return err
				})
			}
			answers[n] = err
		})
	}
	all.Wait()
	good := 0
	for _, err := range answers {
		if err == nil {
			good++
		} else if !errors.Is(err, admission.ErrChanged) && !errors.Is(err, tenant.ErrStale) {
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d of 6 set the rules that they all looked at", good)
	}
}
