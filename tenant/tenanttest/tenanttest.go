// Package tenanttest gives tests a real Postgres and organizations entered by the real door. A package's tests
// begin with
//
//	func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }
//
// and every test founds organizations of its own, so that all run in parallel on one database.
package tenanttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
	"github.com/countinghouse/countinghouse/tenant"
)

var (
	config tenant.Config
	shared *tenant.DB
	moved  Clock
)

// Main starts a private Postgres, brings it to this version with two compartments, runs the tests, and stops it.
func Main(m *testing.M) int { return MainWith(m, bytes.Repeat([]byte("scratch!"), 4)) }

// MainWith is Main with the key that the database's logins are made from, for tests that start processes of their own.
func MainWith(m *testing.M, key []byte) int {
	return pgtest.Main(m, func(url string) (err error) {
		ctx := context.Background()
		if config, err = (tenant.Config{Key: key}).OnCluster(url); err != nil {
			return err
		}
		config.Now = moved.Now
		if err := tenant.Bootstrap(ctx, url, config); err != nil {
			return err
		}
		if _, err := tenant.Migrate(ctx, config); err != nil {
			return err
		}
		if shared, err = tenant.Open(ctx, config); err != nil {
			return err
		}
		return tenant.Provision(ctx, shared, 4)
	})
}

// DB is the one that all tests of the package share. Its clock is the machine's.
func DB() *tenant.DB { return shared }

// Config is what DB was opened with, for tests that open another.
func Config() tenant.Config { return config }

// Clock is the machine's clock until it is moved. Move it only in tests that do not run beside others.
type Clock struct {
	mu    sync.Mutex
	shift time.Duration
}

// Now is the time by this clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.shift)
}

// Advance moves the clock of a database that OpenAt opened.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift += d
}

// OpenWith opens a second way into the same database with a clock of its own, as a replica has.
func OpenWith(t testing.TB, clock *Clock) *tenant.DB {
	t.Helper()
	c := config
	c.Now = clock.Now
	db, err := tenant.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Organization is one that a test founded, and its owner's way in.
type Organization struct {
	Scope   tenant.Scope
	Slug    string
	Owner   tenant.Person
	Session tenant.Hash
}

// NewPerson makes someone with an identity and an open session, and no organization.
func NewPerson(t testing.TB, db *tenant.DB) (tenant.Person, tenant.Hash) {
	t.Helper()
	token := Random(32)
	hash := tenant.Hash(sha256.Sum256([]byte(token)))
	p := tenant.Person{ID: id.New[tenant.Person](), Name: "Mara Lindqvist", Email: Random(6) + "@tidewater.example"}
	err := tenant.DoPlatform(context.Background(), db, func(tx *tenant.PlatformTx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO platform.person (id, email, name, created_at) VALUES ($1, $2, $3, $4)`,
			p.ID, p.Email, p.Name, tx.Now())
		if err != nil {
			return err
		}
		_, err = tx.Exec(context.Background(), `
			INSERT INTO platform.session (token_hash, id, person_id, created_at, authenticated_at, last_seen_at, idle_seconds, expires_at)
			VALUES ($1, $2, $3, $4, $4, $4, 3600, $5)`,
			hash[:], id.New[tenant.Tx](), p.ID, tx.Now(), tx.Now().Add(24*time.Hour))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, hash
}

// Found founds an organization whose owner is a new person, with what fill writes into it; fill may be nil.
func Found(t testing.TB, db *tenant.DB, fill func(ctx context.Context, tx *tenant.Tx) error) Organization {
	t.Helper()
	ctx := context.Background()
	owner, session := NewPerson(t, db)
	slug := "org-" + Random(8)
	err := tenant.Found(ctx, db, owner, slug, "Tidewater Studios", func(tx *tenant.Tx) error {
		if err := tx.SetMember(ctx, owner, "owner", tenant.Active); err != nil {
			return err
		}
		if fill == nil {
			return nil
		}
		return fill(ctx, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	scope, err := tenant.EnterMember(ctx, db, session, slug)
	if err != nil {
		t.Fatal(err)
	}
	return Organization{scope, slug, owner, session}
}

// Do runs fn inside the organization and fails the test on an error. Like the edge, it enters anew when rights
// have changed meanwhile.
func Do(t testing.TB, db *tenant.DB, o Organization, fn func(ctx context.Context, tx *tenant.Tx) error) {
	t.Helper()
	ctx := context.Background()
	// Asked without fn, which may end the test over an error that only says so.
	err := tenant.Do(ctx, db, o.Scope, func(*tenant.Tx) error { return nil })
	if errors.Is(err, tenant.ErrStale) {
		o.Scope, err = tenant.EnterMember(ctx, db, o.Session, o.Slug)
	}
	if err == nil {
		err = tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Random is n random bytes in hex, for names that must not meet.
func Random(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(fmt.Errorf("no randomness: %w", err))
	}
	return hex.EncodeToString(b)
}
