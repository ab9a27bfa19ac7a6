package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// Whatever a transaction begins with, it happens in its own organization, and the connection is left as it was found.
func TestManyAtOnceMeetOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	db := tenanttest.OpenWith(t, &tenanttest.Clock{}) // with connections of its own, to be looked at afterwards
	const organizations, callers, calls = 6, 12, 120
	scopes := make([]tenant.Scope, organizations)
	names := make([]string, organizations)
	for i := range scopes {
		scopes[i] = tenanttest.Found(t, tenanttest.DB(), nil).Scope
		names[i] = "Quay o'" + tenanttest.Random(6) + `"; DROP TABLE counter; --` + fmt.Sprint(i)
		err := tenant.Do(t.Context(), tenanttest.DB(), scopes[i], func(tx *tenant.Tx) error {
			if _, err := tx.Exec(t.Context(), `INSERT INTO counter (name, value) VALUES ('own', $1)`, i); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `INSERT INTO counter (name, value) VALUES (left($1, 40), $2)`, names[i], i)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(caller)))
			for range calls {
				i := random.IntN(organizations)
				if err := callAnyhow(db, scopes[i], random, i, names[i]); err != nil {
					t.Errorf("caller %d: %v", caller, err)
					return
				}
			}
		})
	}
	all.Wait()
	leftAsFound(t, db)
}

var errOnPurpose = errors.New("on purpose")

// callAnyhow reads what is this organization's own in one of the ways that there are.
func callAnyhow(db *tenant.DB, s tenant.Scope, random *rand.Rand, own int, name string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	do := []func(context.Context, *tenant.DB, tenant.Scope, func(*tenant.Tx) error) error{tenant.Do, tenant.Glance}[random.IntN(2)]
	wanted, found := error(nil), -1
	err := do(ctx, db, s, func(tx *tenant.Tx) error {
		switch random.IntN(8) {
		case 0: // nothing
			found = own
			return nil
		case 1: // text that cannot be written plainly
			return tx.Get(ctx, &found, `SELECT value FROM counter WHERE name = left($1, 40)`, name)
		case 2: // two statements
			if err := tx.Get(ctx, &found, `SELECT value FROM counter WHERE name = $1 AND value < $2`, "own", 1000); err != nil {
				return err
			}
			return tx.Get(ctx, &found, `SELECT value + $2::integer FROM counter WHERE name = $1`, "own", 0)
		case 3: // no row
			found = own
			if err := tx.Get(ctx, new(int), `SELECT value FROM counter WHERE name = $1`, "none"); !errors.Is(err, tenant.ErrNoRows) {
				return fmt.Errorf("no row is %w", err)
			}
			return nil
		case 4: // an error of the first statement, or of a later row
			wanted = errOnPurpose
			var n []int
			if err := tx.Select(ctx, &n, `SELECT 1 / (3 - v) FROM generate_series(1, $1::integer) v`, 5); tenant.SQLState(err) != "22012" {
				return fmt.Errorf("dividing by zero gives %w", err)
			}
			return errOnPurpose
		case 5: // someone who goes away
			wanted = context.Canceled
			cancel()
			return tx.Get(ctx, &found, `SELECT value FROM counter WHERE name = $1`, "own")
		case 6: // rows that are not all read
			found = own
			err := tx.Each(ctx, func(func(any) error) error { return errOnPurpose }, `SELECT v AS v FROM generate_series(1, $1::integer) v`, 100)
			if !errors.Is(err, errOnPurpose) {
				return fmt.Errorf("each gave %w", err)
			}
			return nil
		default:
			return tx.Get(ctx, &found, `SELECT value FROM counter WHERE name = $1`, "own")
		}
	})
	switch {
	case wanted == context.Canceled && err == nil && found == own: // the answer came first
		return nil
	case wanted != nil:
		if !errors.Is(err, wanted) {
			return fmt.Errorf("wanted %w, got %w", wanted, err)
		}
		return nil
	case err != nil:
		return err
	case found != own:
		return fmt.Errorf("organization %d met %d", own, found)
	}
	return nil
}

// leftAsFound looks at every connection of the compartments: none has a role, a path or a transaction left.
func leftAsFound(t *testing.T, db *tenant.DB) {
	t.Helper()
	seen := 0
	for _, pool := range tenant.CompartmentPools(db) {
		var held []*sqlx.Conn
		for range pool.Stats().OpenConnections {
			conn, err := pool.Connx(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, conn)
			var state string
			err = conn.GetContext(t.Context(), &state, `SELECT concat_ws(' ', current_setting('role'), current_setting('search_path'),
				current_setting('transaction_read_only'), (now() = statement_timestamp())::text)`)
			if err != nil || state != `none "" off true` {
				t.Errorf("a connection is left with %q (%v)", state, err)
			}
			seen++
		}
		for _, conn := range held {
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if seen < 2 {
		t.Errorf("only %d connections were looked at", seen)
	}
}

// A glance cannot write, and what it learns is nobody's but theirs who may ask.
func TestGlance(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), tenanttest.DB()
	s := tenanttest.Found(t, db, nil).Scope
	read := func(tx *tenant.Tx, n *int) error {
		return tx.Get(ctx, n, `SELECT count(*) FROM counter WHERE name <> $1`, "none")
	}
	for range 2 { // the second time in one message
		var n int
		if err := tenant.Glance(ctx, db, s, func(tx *tenant.Tx) error { return read(tx, &n) }); err != nil {
			t.Fatal(err)
		}
		write := func(tx *tenant.Tx) error {
			return tx.Get(ctx, &n, `INSERT INTO counter (name, value) VALUES ($1, 1) RETURNING value`, "glance")
		}
		if err := tenant.Do(ctx, db, s, func(tx *tenant.Tx) error { return errors.Join(write(tx), errOnPurpose) }); !errors.Is(err, errOnPurpose) {
			t.Fatal(err)
		}
		if err := tenant.Glance(ctx, db, s, write); tenant.SQLState(err) != "25006" {
			t.Fatalf("writing at a glance: %v", err)
		}
	}
}
