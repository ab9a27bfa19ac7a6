package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childURL) != "" {
		os.Exit(workAsChild())
	}
	os.Exit(tenanttest.Main(m))
}

// The tests share one queue, so they run one after another and with the same kinds; what a job does is looked up by
// its ticket.
var acts sync.Map

type ticket struct {
	Ticket string `json:"ticket"`
}

// act gives the arguments of a job that does fn.
func act(fn func(ctx context.Context, s tenant.Scope) error) ticket {
	t := ticket{tenanttest.Random(8)}
	acts.Store(t.Ticket, fn)
	return t
}

func perform(ctx context.Context, s tenant.Scope, args json.RawMessage) error {
	var t ticket
	if err := json.Unmarshal(args, &t); err != nil {
		return err
	}
	if fn, ok := acts.Load(t.Ticket); ok {
		return fn.(func(ctx context.Context, s tenant.Scope) error)(ctx, s)
	}
	return nil
}

func registry() *jobs.Registry {
	r := &jobs.Registry{}
	r.Organization("test.act", perform)
	r.Organization("test.guarded", perform, jobs.Needs("reports:read"))
	r.Organization("test.always", perform, jobs.WhileSuspended())
	r.Organization("test.brief", perform, jobs.Within(time.Second))
	r.Platform("platform.test", func(ctx context.Context, args json.RawMessage) error {
		return perform(ctx, tenant.Scope{}, args)
	})
	return r
}

// work runs a worker until the test ends or stop is called.
func work(t *testing.T, db *tenant.DB, r *jobs.Registry, o jobs.Options) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	if o.Poll == 0 {
		o.Poll = 20 * time.Millisecond
	}
	go func() { ended <- jobs.Work(ctx, db, r, slog.New(slog.DiscardHandler), o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func enqueue(t *testing.T, o tenanttest.Organization, j jobs.Job) {
	t.Helper()
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error { return jobs.Enqueue(ctx, tx, j) })
}

// row is a job as the queue keeps it.
type row struct {
	ID       int64  `db:"id"`
	State    string `db:"state"`
	Attempt  int    `db:"attempt"`
	Errors   string `db:"errors"`
	Metadata string `db:"metadata"`
}

// find gives the jobs that carry a ticket.
func find(t *testing.T, of ticket) (rows []row) {
	t.Helper()
	ctx := context.Background()
	err := tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		return tx.Select(ctx, &rows, `SELECT id, state::text, attempt, coalesce(errors::text, '') AS errors, metadata::text
			FROM jobs.river_job WHERE args->>'ticket' = $1`, of.Ticket)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// await waits until the one job of a ticket is in a state.
func await(t *testing.T, of ticket, state string) row {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		rows := find(t, of)
		if len(rows) == 1 && rows[0].State == state {
			return rows[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job did not become %s: %+v", state, rows)
		}
	}
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came within 30 seconds")
		panic("unreached")
	}
}

func TestEnqueueIsPartOfItsCause(t *testing.T) {
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	ctx, boom := context.Background(), errors.New("boom")
	undone := act(func(context.Context, tenant.Scope) error { t.Error("a job ran whose cause was undone"); return nil })
	err := tenant.Do(ctx, tenanttest.DB(), o.Scope, func(tx *tenant.Tx) error {
		if err := jobs.Enqueue(ctx, tx, jobs.Job{Kind: "test.act", Args: undone}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	ran := make(chan tenant.Scope, 10)
	done := act(func(_ context.Context, s tenant.Scope) error { ran <- s; return nil })
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: done})
	if got := find(t, undone); len(got) != 0 {
		t.Errorf("a rollback left %+v", got)
	}
	work(t, tenanttest.DB(), registry(), jobs.Options{})
	s := receive(t, ran)
	if s.Kind() != tenant.Job || s.Organization().ID != o.Scope.Organization().ID || s.Person() != o.Owner || s.Role() != "owner" {
		t.Errorf("the job ran as %s %s in %s", s.Kind(), s.Role(), s.Organization().Slug)
	}
	await(t, done, "completed")
}

// In an organization that is suspended jobs wait, but for those that keep its record or export it.
func TestJobsOfASuspendedOrganization(t *testing.T) {
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	waits := act(func(context.Context, tenant.Scope) error {
		t.Error("a job ran in a suspended organization")
		return nil
	})
	runs := act(func(ctx context.Context, s tenant.Scope) error {
		return tenant.Do(ctx, tenanttest.DB(), s, func(tx *tenant.Tx) error {
			return tx.Record(ctx, tenant.Act{Action: "test.done", Object: "test"})
		})
	})
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: waits})
	enqueue(t, o, jobs.Job{Kind: "test.always", Args: runs})
	err := tenant.DoPlatform(t.Context(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(t.Context(), `SELECT platform.set_account_state($1, 'suspended', NULL, $2)`, o.Slug, tx.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	work(t, tenanttest.DB(), registry(), jobs.Options{Runs: 1})
	await(t, runs, "completed")
	await(t, waits, "scheduled")
}

func TestJobWritesIntoItsOwnOrganization(t *testing.T) {
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: act(func(ctx context.Context, s tenant.Scope) error {
		return tenant.Do(ctx, tenanttest.DB(), s, func(tx *tenant.Tx) error {
			return tx.Record(ctx, tenant.Act{Action: "test.done", Object: "test"})
		})
	})})
	ended := act(func(context.Context, tenant.Scope) error { return nil })
	work(t, tenanttest.DB(), registry(), jobs.Options{Runs: 1})
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: ended})
	await(t, ended, "completed")
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		var got struct {
			Kind    string    `db:"actor_kind"`
			Actor   uuid.UUID `db:"actor_id"`
			Request string    `db:"request_id"`
		}
		if err := tx.Get(ctx, &got, `SELECT actor_kind, actor_id, request_id FROM audit_log WHERE action = 'test.done'`); err != nil {
			return err
		}
		if got.Kind != "job" || got.Actor.String() != o.Owner.ID.String() || !strings.HasPrefix(got.Request, "job-") {
			t.Errorf("recorded as %+v", got)
		}
		return nil
	})
}

// What a job was queued by may not do, the job may not do either, whatever happened in between.
func TestJobOfSomeoneShutOutIsRefused(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	person, session := tenanttest.NewPerson(t, db)
	set := func(role, state string) {
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error { return tx.SetMember(ctx, person, role, state) })
	}
	set("accountant", tenant.Active)
	scope, err := tenant.EnterMember(context.Background(), db, session, o.Slug)
	if err != nil {
		t.Fatal(err)
	}
	theirs := tenanttest.Organization{Scope: scope, Slug: o.Slug, Owner: person, Session: session}
	never := func(context.Context, tenant.Scope) error {
		t.Error("the job of someone who was shut out ran")
		return nil
	}
	shutOut, demoted := act(never), act(never)
	enqueue(t, theirs, jobs.Job{Kind: "test.act", Args: shutOut})
	enqueue(t, theirs, jobs.Job{Kind: "test.guarded", Args: demoted})

	t.Run("removed before it runs", func(t *testing.T) {
		set("accountant", tenant.Denied)
		work(t, db, registry(), jobs.Options{})
		if got := await(t, shutOut, "cancelled"); !strings.Contains(got.Errors, "job.refused") {
			t.Errorf("the state is not clear: %+v", got)
		}
		await(t, demoted, "cancelled")
	})
	t.Run("without the right that the kind needs", func(t *testing.T) {
		set("sales", tenant.Active)
		theirs.Scope, err = tenant.EnterMember(context.Background(), db, session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		again := act(never)
		enqueue(t, theirs, jobs.Job{Kind: "test.guarded", Args: again})
		work(t, db, registry(), jobs.Options{Allow: func(s tenant.Scope, right string) error {
			if s.Role() == "accountant" && right == "reports:read" {
				return nil
			}
			return errors.New("no")
		}})
		await(t, again, "cancelled")
	})
	t.Run("removed while it runs: it writes nothing more", func(t *testing.T) {
		theirs.Scope, err = tenant.EnterMember(context.Background(), db, session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		tries := 0
		running := act(func(ctx context.Context, s tenant.Scope) error {
			tries++
			set("sales", tenant.Denied)
			return write(ctx, db, s, func() { t.Error("someone who was shut out wrote") })
		})
		enqueue(t, theirs, jobs.Job{Kind: "test.act", Args: running})
		work(t, db, registry(), jobs.Options{})
		if await(t, running, "cancelled"); tries != 1 {
			t.Errorf("it was begun %d times", tries)
		}
	})
}

func TestCeilingOfATokenHoldsForItsJobs(t *testing.T) {
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)
	secret := tenant.Hash(uuidBytes())
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT platform.add_api_token($1, $2, $3, 'till', 'ch_till', '{invoices:read}', $4, NULL)`,
			secret[:], uuid.New(), o.Owner.ID, tx.Now())
		return err
	})
	scope, err := tenant.EnterToken(ctx, db, secret)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan []string, 1)
	args := act(func(_ context.Context, s tenant.Scope) error { ran <- s.Ceiling(); return nil })
	err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return jobs.Enqueue(ctx, tx, jobs.Job{Kind: "test.act", Args: args}) })
	if err != nil {
		t.Fatal(err)
	}
	work(t, db, registry(), jobs.Options{})
	if got := receive(t, ran); len(got) != 1 || got[0] != "invoices:read" {
		t.Errorf("the job of a token may do %v", got)
	}
}

func uuidBytes() (b [32]byte) {
	first, second := uuid.New(), uuid.New()
	copy(b[:16], first[:])
	copy(b[16:], second[:])
	return b
}

func TestKeyStandsOncePerOrganization(t *testing.T) {
	db := tenanttest.DB()
	one, other := tenanttest.Found(t, db, nil), tenanttest.Found(t, db, nil)
	args := act(func(context.Context, tenant.Scope) error { return nil })
	later := time.Now().Add(time.Hour)
	for range 3 {
		enqueue(t, one, jobs.Job{Kind: "test.act", Args: args, Key: "seal", RunAt: later})
		enqueue(t, other, jobs.Job{Kind: "test.act", Args: args, Key: "seal", RunAt: later})
		enqueue(t, other, jobs.Job{Kind: "test.brief", Args: args, Key: "seal", RunAt: later})
	}
	got := find(t, args)
	if len(got) != 3 {
		t.Fatalf("%d jobs stand, not one for each organization and kind", len(got))
	}
	for _, r := range got {
		if r.State != "scheduled" {
			t.Errorf("a job of later is %s", r.State)
		}
	}
	t.Run("and again once it has finished", func(t *testing.T) {
		args := act(func(context.Context, tenant.Scope) error { return nil })
		enqueue(t, one, jobs.Job{Kind: "test.act", Args: args, Key: "again"})
		work(t, db, registry(), jobs.Options{})
		await(t, args, "completed")
		enqueue(t, one, jobs.Job{Kind: "test.act", Args: args, Key: "again", RunAt: later})
		if got := find(t, args); len(got) != 2 {
			t.Errorf("%d jobs stand", len(got))
		}
	})
}

func TestTwoWorkersNeverRunOneJobAtOnce(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	const many = 60
	var mu sync.Mutex
	runs, all := make([]int, many), make(chan int, 2*many)
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		for i := range many {
			err := jobs.Enqueue(ctx, tx, jobs.Job{Kind: "test.act", Args: act(func(context.Context, tenant.Scope) error {
				mu.Lock()
				runs[i]++
				mu.Unlock()
				all <- i
				return nil
			})})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		work(t, db, registry(), jobs.Options{Poll: 5 * time.Millisecond})
	}
	for range many {
		receive(t, all)
	}
	mu.Lock()
	defer mu.Unlock()
	for i, n := range runs {
		if n != 1 {
			t.Errorf("job %d ran %d times", i, n)
		}
	}
}

// What the queue keeps of an error is read by those who look after all organizations.
func TestErrorsKeepNothingOfAnyone(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	const secret = "mara@tidewater.example"
	for name, fail := range map[string]func(ctx context.Context, s tenant.Scope) error{
		"an error": func(context.Context, tenant.Scope) error { return errors.New("cannot write to " + secret) },
		"a panic":  func(context.Context, tenant.Scope) error { panic(secret) },
		"a fault": func(context.Context, tenant.Scope) error {
			return fault.New(fault.Invalid, "test.code", "x").Sayf("%s is wrong", secret)
		},
		"the database": func(ctx context.Context, s tenant.Scope) error {
			return tenant.Do(ctx, db, s, func(tx *tenant.Tx) error {
				_, err := tx.Exec(ctx, `SELECT $1::text::int`, secret)
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			args := act(fail)
			enqueue(t, o, jobs.Job{Kind: "test.act", Args: args})
			work(t, db, registry(), jobs.Options{})
			if got := await(t, args, "retryable"); strings.Contains(got.Errors+got.Metadata, secret) || len(got.Errors) < 20 {
				t.Errorf("kept: %s", got.Errors)
			}
		})
	}
}

func TestStopGivesBack(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	began, leave := make(chan struct{}, 2), make(chan struct{})
	finishes := act(func(context.Context, tenant.Scope) error { began <- struct{}{}; <-leave; return nil })
	hangs := act(func(ctx context.Context, _ tenant.Scope) error { began <- struct{}{}; <-ctx.Done(); return ctx.Err() })
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: finishes})
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: hangs})
	stop := work(t, db, registry(), jobs.Options{Finish: 500 * time.Millisecond})
	receive(t, began)
	receive(t, began)
	close(leave)
	stop()
	if got := find(t, finishes); got[0].State != "completed" {
		t.Errorf("a job that could finish is %s", got[0].State)
	}
	if got := find(t, hangs)[0]; got.State != "available" || got.Attempt != 0 || got.Errors != "" {
		t.Errorf("a job that could not finish is not given back as it was: %+v", got)
	}
	acts.Delete(hangs.Ticket) // the next one has nothing to wait for
	work(t, db, registry(), jobs.Options{})
	await(t, hangs, "completed")
}

// A run whose job is another's by now, as after a pause of the machine, writes nothing.
func TestOvertakenRunWritesNothing(t *testing.T) {
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)
	scopes, leave := make(chan tenant.Scope, 1), make(chan struct{})
	args := act(func(_ context.Context, s tenant.Scope) error { scopes <- s; <-leave; return nil })
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: args})
	work(t, db, registry(), jobs.Options{})
	s := receive(t, scopes)
	nothing := func(*tenant.Tx) error { return nil }
	if err := tenant.Do(ctx, db, s, nothing); err != nil {
		t.Fatal(err)
	}
	close(leave)
	done := await(t, args, "completed")
	if err := tenant.Do(ctx, db, s, nothing); !errors.Is(err, tenant.ErrStale) {
		t.Errorf("a run that has ended still writes: %v", err)
	}
	if _, err := tenant.EnterJob(ctx, db, done.ID, done.Attempt); !errors.Is(err, tenant.ErrJobOver) {
		t.Errorf("a run that has ended still enters: %v", err)
	}
}

func TestPlatformJob(t *testing.T) {
	db, ctx := tenanttest.DB(), context.Background()
	args := act(func(context.Context, tenant.Scope) error { return nil })
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		return jobs.EnqueuePlatform(ctx, tx, jobs.Job{Kind: "platform.test", Args: args})
	})
	if err != nil {
		t.Fatal(err)
	}
	work(t, db, registry(), jobs.Options{})
	await(t, args, "completed")
}

func TestEveryRunsOnceInEachSpan(t *testing.T) {
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	ran, swept := make(chan struct{}, 100), make(chan tenant.Scope, 10_000)
	r := registry()
	name := "nightly_" + tenanttest.Random(4) // another's spans are its own
	r.Every("platform."+name, 24*time.Hour, func(context.Context) error { ran <- struct{}{}; return nil })
	r.EachOrganization("test."+name, time.Minute, func(_ context.Context, s tenant.Scope) error { swept <- s; return nil })
	clock := &tenanttest.Clock{}
	moved := tenanttest.OpenWith(t, clock)
	for range 3 { // workers come and go
		stop := work(t, moved, r, jobs.Options{Clock: clock.Now})
		work(t, moved, r, jobs.Options{Clock: clock.Now})
		await(t, mark(t, o), "completed")
		stop()
	}
	receive(t, ran)
	clock.Advance(time.Minute) // the sweep's runs are spread over half of its span
	for s := receive(t, swept); s.Organization().ID != o.Scope.Organization().ID; s = receive(t, swept) {
		if s.Kind() != tenant.Job || !s.Person().ID.IsZero() || s.Role() != "job" {
			t.Fatalf("a sweep runs as %s", s.Role())
		}
	}
	if len(ran) != 0 {
		t.Errorf("it ran %d times more in the same span", len(ran))
	}
	clock.Advance(24 * time.Hour)
	receive(t, ran)
}

// mark is a job that a worker that runs finishes at once.
func mark(t *testing.T, o tenanttest.Organization) ticket {
	args := act(func(context.Context, tenant.Scope) error { return nil })
	enqueue(t, o, jobs.Job{Kind: "test.act", Args: args})
	return args
}

func TestAttackOnTheQueue(t *testing.T) {
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)
	stranger, _ := tenanttest.NewPerson(t, db)
	refused := func(name, state string, attack func(tx *tenant.Tx) error) {
		t.Run(name, func(t *testing.T) {
			if err := tenant.Do(ctx, db, o.Scope, attack); tenant.SQLState(err) != state {
				t.Errorf("not refused: %v", err)
			}
		})
	}
	refused("reading jobs", "42501", func(tx *tenant.Tx) error {
		var n int
		return tx.Get(ctx, &n, `SELECT count(*) FROM jobs.river_job`)
	})
	refused("adding a job by hand", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO jobs.river_job (kind, args, max_attempts) VALUES ('test.act', '{}', 1)`)
		return err
	})
	refused("changing one", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE jobs.river_job SET state = 'available'`)
		return err
	})
	refused("deleting one", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM jobs.river_job`)
		return err
	})
	refused("taking the lead", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM jobs.river_leader`)
		return err
	})
	refused("pausing a queue", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE jobs.river_queue SET paused_at = now()`)
		return err
	})
	refused("stamping another organization", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT jobs.put($1, NULL, NULL, 'test.act', '{}', now(), '', 1::smallint, now())`, uuid.New())
		return err
	})
	refused("queueing for everyone", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT jobs.enqueue_each('test.act', '0', now())`)
		return err
	})
	refused("queueing as the platform", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT jobs.enqueue_platform('platform.test', '{}', now(), '', now())`)
		return err
	})
	refused("a platform's kind through the door", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT jobs.enqueue('platform.test', '{}', now(), '', NULL, NULL, now())`)
		return err
	})
	refused("on behalf of someone who is no member", "42501", func(tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT jobs.enqueue('test.act', '{}', now(), '', $1, NULL, now())`, stranger.ID)
		return err
	})
	refused("data in place of ids", "22001", func(tx *tenant.Tx) error {
		return jobs.Enqueue(ctx, tx, jobs.Job{Kind: "test.act", Args: map[string]string{"x": strings.Repeat("x", 3000)}})
	})
	t.Run("and the door is still open afterwards", func(t *testing.T) {
		for range 20 {
			enqueue(t, o, jobs.Job{Kind: "test.act", Key: "open"})
		}
	})
	t.Run("the names that Go takes", func(t *testing.T) {
		for _, kind := range []string{"platform.test", "", "Test.act", "test", "test.act; x"} {
			err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error { return jobs.Enqueue(ctx, tx, jobs.Job{Kind: kind}) })
			if err == nil {
				t.Errorf("%q was taken", kind)
			}
		}
	})
}

// A support person who is a member too would have it run as the member that they are: after the visit, and unmasked.
func TestSupportCausesNoJobs(t *testing.T) {
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)
	nadia, session := tenanttest.NewPerson(t, db)
	grant, link := uuid.New(), uuidBytes()
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(ctx, `INSERT INTO platform.totp (person_id, sealed, created_at, confirmed_at) VALUES ($1, '\x00', $2, $2)`, nadia.ID, tx.Now())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT platform.set_staff($1, 'support', NULL, 'active', $2)`, nadia.ID, tx.Now()); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT platform.request_support($1, $2, $3, 'A payment is not shown', '1', '{invoices:read}', true, 60, $4)`,
			grant, o.Slug, nadia.ID, tx.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, `SELECT platform.decide_support($1, $2, true, '{invoices:read}', true, 60, $3, $4)`, grant, o.Owner.ID, link[:], tx.Now())
		if err != nil {
			return err
		}
		return tx.SetMember(ctx, nadia, "viewer", tenant.Active)
	})
	scope, err := tenant.EnterSupport(ctx, db, session, o.Slug)
	if err != nil {
		t.Fatal(err)
	}
	args := act(nil)
	err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return jobs.Enqueue(ctx, tx, jobs.Job{Kind: "test.act", Args: args}) })
	if !errors.Is(err, jobs.ErrSupport) || len(find(t, args)) != 0 {
		t.Errorf("queued %v, %v", find(t, args), err)
	}
}

// What a job costs its cause: the transaction alone, and with a job.
func BenchmarkEnqueue(b *testing.B) {
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(b, db, nil)
	for _, c := range []struct {
		name string
		jobs int
		key  bool
	}{{"a recorded act alone", 0, false}, {"and a job", 1, false}, {"and a job with a key of its own", 1, true}, {"and ten jobs", 10, false}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
					for range c.jobs {
						j := jobs.Job{Kind: "test.act", Args: ticket{"0123456789abcdef"}, RunAt: time.Now().Add(time.Hour)}
						if c.key {
							j.Key = tenanttest.Random(8)
						}
						if err := jobs.Enqueue(ctx, tx, j); err != nil {
							return err
						}
					}
					return tx.Record(ctx, tenant.Act{Action: "test.done", Object: "test"})
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
