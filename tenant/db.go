package tenant

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrUnavailable is the answer while the database does not answer.
var ErrUnavailable = fault.New(fault.Unavailable, "database.unavailable", "The books cannot be reached right now. Nothing was changed; try again in a moment.")

// ErrUnsure is the answer when the database went away while it was told to keep what was done: nobody knows whether it did.
var ErrUnsure = fault.New(fault.Unavailable, "database.unsure", "The books went out of reach just when this was to be kept. Look whether it is there before you do it again.")

// DB is the service's way into its database: one pool for the platform's tables, lanes for each compartment.
// It is safe for concurrent use.
type DB struct {
	config   Config
	owner    *sqlx.DB // provisioning and migrations
	platform *sqlx.DB

	mu           sync.Mutex
	compartments map[int]*lanes

	scopes *lru.Cache[scopeKey, *scope]
	turns  turns
}

// Open connects to a database that Migrate has brought to this version. Close it when done.
func Open(ctx context.Context, config Config) (*DB, error) {
	config = config.withDefaults()
	scopes, err := lru.New[scopeKey, *scope](20_000)
	if err != nil {
		return nil, fmt.Errorf("making the scope cache: %w", err)
	}
	db := &DB{config: config, compartments: map[int]*lanes{}, scopes: scopes, turns: turns{most: config.PerOrganization}}
	if db.owner, err = openPool(config, ownerLogin, 4, nil); err != nil {
		return nil, err
	}
	if db.platform, err = openPool(config, appLogin, config.Connections, nil); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.platform.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("entering the database: %w", err), db.Close())
	}
	if err := checkCitus(ctx, config, db.owner); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close ends all connections; calls in flight finish first.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	var all error
	for _, held := range db.compartments {
		all = errors.Join(all, held.close())
	}
	for _, pool := range []*sqlx.DB{db.platform, db.owner} {
		if pool != nil {
			all = errors.Join(all, pool.Close())
		}
	}
	return all
}

// Now is the service's clock, to the microsecond that the database keeps, in UTC.
func (db *DB) Now() time.Time { return db.config.Now().UTC().Truncate(time.Microsecond) }

// compartment gives the connections of the compartment that holds a tenant: the one answer to "which pool?".
func (db *DB) compartment(n int) (*lanes, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if held, ok := db.compartments[n]; ok {
		return held, nil
	}
	made, err := db.openLanes(n)
	if err != nil {
		return nil, err
	}
	db.compartments[n] = made
	return made, nil
}

func openPool(config Config, login string, connections int, onConnect []string) (*sqlx.DB, error) {
	settings := map[string]string{"application_name": "countinghouse"}
	address, err := config.loginURL(login, settings)
	if err != nil {
		return nil, err
	}
	inner, err := pq.NewConnector(address)
	if err != nil {
		return nil, fmt.Errorf("reading the database address of %s: %w", login, err)
	}
	pool := sqlx.NewDb(sql.OpenDB(connector{inner, onConnect, config.Unprepared, config.mostMet}), "postgres")
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool, nil
}

// SQLState is the five-character code of a database error in err's tree, or "".
func SQLState(err error) string {
	var e *pq.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return ""
}

// Violates is the name of the constraint or unique index that err says was violated, or "".
func Violates(err error) string {
	var e *pq.Error
	if errors.As(err, &e) {
		return e.Constraint
	}
	return ""
}

// gone reports whether an error says that a connection is dead, or that the server behind it is going away. What had not
// been committed by then never will be.
func gone(err error) bool {
	var network net.Error
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return true
	}
	state := SQLState(err)
	return strings.HasPrefix(state, "08") || state == "57P01" || state == "57P02" || state == "57P03"
}

// reached turns a failure to get a connection into ErrUnavailable, and leaves a caller's own cancellation.
func reached(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return ErrUnavailable.Because(err)
}
