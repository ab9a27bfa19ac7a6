package tenant_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// What must not compile is compiled here, so that the day it does is noticed.
func TestCompilerRefuses(t *testing.T) {
	t.Parallel()
	for folder, complaint := range map[string]string{
		"scope":   "cannot refer to unexported field s",
		"query":   "cannot use \"SELECT \" + os.Args[1]",
		"convert": "cannot convert tx",
		"handle":  "tx.Commit undefined",
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			out, err := exec.Command("go", "build", "-o", os.DevNull, "./testdata/forbidden/"+folder).CombinedOutput()
			if err == nil {
				t.Fatal("it compiles")
			}
			if !strings.Contains(string(out), complaint) {
				t.Fatalf("refused for another reason:\n%s", out)
			}
		})
	}
}

func TestDatabaseRefusesAnotherTenant(t *testing.T) {
	t.Parallel()
	db, ctx := tenanttest.DB(), context.Background()
	mine := tenanttest.Found(t, db, nil)
	theirs := tenanttest.Found(t, db, addCounter)
	// The name is a secret in effect; the attacker of this test knows it all the same.
	schema := schemaOf(t, theirs)
	for name, attack := range map[string]string{
		"by qualified name":    "SELECT value FROM " + schema + ".counter",
		"after RESET ROLE":     "RESET ROLE; SELECT value FROM " + schema + ".counter",
		"after COMMIT":         "COMMIT; SELECT value FROM " + schema + ".counter",
		"as none":              "SET ROLE NONE; SELECT value FROM " + schema + ".counter",
		"as the owner":         "SET ROLE countinghouse_owner",
		"by search path":       "SET LOCAL search_path = " + schema + "; SELECT value FROM counter",
		"own after COMMIT":     "COMMIT; SELECT value FROM " + schemaOf(t, mine) + ".counter",
		"the platform's":       "SELECT email FROM platform.person",
		"sessions":             "SELECT token_hash FROM platform.session",
		"claiming from inside": "SELECT platform.claim_organization('stolen', 'Stolen', now())",
		"making a table":       "CREATE TABLE mine (a int)",
		"making a temp table":  "CREATE TEMP TABLE mine (a int)",
	} {
		t.Run(name, func(t *testing.T) {
			err := tenant.Do(ctx, db, mine.Scope, func(tx *tenant.Tx) error {
				return tenant.ExecUnchecked(ctx, tx, attack)
			})
			switch tenant.SQLState(err) {
			case "42501": // no right to it
			case "42P01": // a schema that one may not use shows no table
			default:
				t.Fatalf("not refused by Postgres, but: %v", err)
			}
		})
	}
	// And afterwards nobody stands in a wrong place.
	checkPool(t, db, mine, theirs)
}

func addCounter(ctx context.Context, tx *tenant.Tx) error {
	_, err := tx.Exec(ctx, `INSERT INTO counter (name, value) VALUES ('mine', 42)`)
	return err
}

func schemaOf(t *testing.T, o tenanttest.Organization) string {
	t.Helper()
	var schema string
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &schema, `SELECT current_schema()`)
	})
	return schema
}

// checkPool uses every connection of the pools and looks where it stands.
func checkPool(t *testing.T, db *tenant.DB, organizations ...tenanttest.Organization) {
	t.Helper()
	ctx := context.Background()
	want := map[string]string{}
	for _, o := range organizations {
		want[o.Slug] = schemaOf(t, o)
	}
	var wait sync.WaitGroup
	for range 8 {
		for _, o := range organizations {
			wait.Go(func() {
				err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
					var at struct{ Role, Schema string }
					if err := tx.Get(ctx, &at, `SELECT current_user AS role, current_schema() AS schema`); err != nil {
						return err
					}
					if at.Role != want[o.Slug] || at.Schema != want[o.Slug] {
						return fmt.Errorf("in %s as %s, and ought to be in %s", at.Schema, at.Role, want[o.Slug])
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
}

func TestDo(t *testing.T) {
	t.Parallel()
	db, ctx := tenanttest.DB(), context.Background()
	o := tenanttest.Found(t, db, nil)

	t.Run("refuses a zero scope", func(t *testing.T) {
		err := tenant.Do(ctx, db, tenant.Scope{}, func(*tenant.Tx) error { t.Error("entered"); return nil })
		if err == nil {
			t.Fatal("no error")
		}
	})
	t.Run("ends with its function", func(t *testing.T) {
		var kept *tenant.Tx
		tenanttest.Do(t, db, o, func(_ context.Context, tx *tenant.Tx) error { kept = tx; return nil })
		if _, err := kept.Exec(ctx, `DELETE FROM member`); !errors.Is(err, sql.ErrTxDone) {
			t.Fatalf("a kept handle gave %v", err)
		}
	})
	t.Run("keeps nothing of a function that fails", func(t *testing.T) {
		failure := errors.New("no")
		err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error { return errors.Join(addCounter(ctx, tx), failure) })
		if !errors.Is(err, failure) {
			t.Fatal(err)
		}
		if n := countRows(t, o); n != 0 {
			t.Fatalf("%d rows were kept", n)
		}
	})
	t.Run("keeps nothing of a function that overlooks a failure", func(t *testing.T) {
		err := tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
			if err := addCounter(ctx, tx); err != nil {
				return err
			}
			_, _ = tx.Exec(ctx, `SELECT 1/0`)
			return nil
		})
		if tenant.SQLState(err) != "22012" {
			t.Fatalf("it looks as if it had been committed: %v", err)
		}
		if n := countRows(t, o); n != 0 {
			t.Fatalf("%d rows were kept", n)
		}
	})
	t.Run("keeps nothing of a panic, and goes on", func(t *testing.T) {
		func() {
			defer func() { _ = recover() }()
			_ = tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
				if err := addCounter(ctx, tx); err != nil {
					return err
				}
				panic("on purpose")
			})
		}()
		if n := countRows(t, o); n != 0 {
			t.Fatalf("%d rows were kept", n)
		}
		checkPool(t, db, o)
	})
}

func countRows(t *testing.T, o tenanttest.Organization) (n int) {
	t.Helper()
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &n, `SELECT count(*) FROM counter`)
	})
	return n
}

// Many callers of many tenants, some of whom hang up: nobody sees another's row, and no connection is left in
// another's place.
func TestMixedCallsUnderCancellation(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	var organizations []tenanttest.Organization
	for i := range 6 {
		organizations = append(organizations, tenanttest.Found(t, db, func(ctx context.Context, tx *tenant.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO counter (name, value) VALUES ('mine', $1)`, i)
			return err
		}))
	}
	var wait sync.WaitGroup
	for worker := range 12 {
		wait.Go(func() {
			for i := range 120 {
				which := (worker*7 + i) % len(organizations)
				ctx, cancel := context.WithCancel(context.Background())
				if i%9 == 0 {
					go cancel()
				}
				err := tenant.Do(ctx, db, organizations[which].Scope, func(tx *tenant.Tx) error {
					var got int
					if err := tx.Get(ctx, &got, `SELECT value FROM counter WHERE name = 'mine'`); err != nil {
						return err
					}
					if got != which {
						t.Errorf("organization %d was shown the row of %d", which, got)
					}
					return nil
				})
				if err != nil && ctx.Err() == nil {
					t.Errorf("call %d: %v", i, err)
				}
				cancel()
			}
		})
	}
	wait.Wait()
	checkPool(t, db, organizations...)
}
