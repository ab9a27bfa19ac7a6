package tenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// keptStatements and keptFirsts bound how many prepared statements a connection keeps, since each costs its backend
// memory. Those that transactions begin with have names of ours.
const (
	keptStatements = 400
	keptFirsts     = 200
)

// mostMet bounds how many organizations a connection serves in its life. A backend forgets nothing of the tables that it
// met, about 1.3 MB an organization that reads an invoice and 2.5 MB one that posts too: a hundred of those are 256 MB.
const mostMet = 100

// connector makes connections that remember prepared statements by tenant.
type connector struct {
	driver.Connector
	onConnect  []string
	unprepared bool
	mostMet    int
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dialed, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	made := &conn{pqConn: dialed.(pqConn), met: map[string]struct{}{}, mostMet: c.mostMet}
	for _, statement := range c.onConnect {
		if _, err := made.ExecContext(ctx, statement, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing a connection: %w", err), made.Close())
		}
	}
	if c.unprepared {
		return made, nil
	}
	if made.named, err = lru.NewLRU(keptFirsts, func(_ statementKey, old string) {
		made.forgotten = append(made.forgotten, "DEALLOCATE "+old)
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing a connection: %w", err), made.Close())
	}
	made.statements, err = lru.NewLRU(keptStatements, func(_ statementKey, old driver.Stmt) {
		made.evicted = errors.Join(made.evicted, old.Close())
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing a connection: %w", err), made.Close())
	}
	return made, nil
}

// pqConn is what lib/pq's connection can do; hiding any of it would make database/sql take slower ways.
type pqConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// conn prepares each statement once per tenant. Postgres plans a prepared statement anew whenever the search
// path differs from the one that it was planned under, so one statement for all tenants would be planned at
// every call; each tenant has its own.
type conn struct {
	pqConn
	schema     string // of the tenant that the transaction is in; "" outside
	masks      Masks  // of people's data that leaves it, until the transaction ends
	entry      *entry // of the transaction; nil outside a tenant
	statements *lru.LRU[statementKey, driver.Stmt]
	evicted    error
	named      *lru.LRU[statementKey, string] // first statements; nil where nothing may be prepared
	names      int64                          // given so far
	forgotten  []string                       // names to be let go with the next one that is given
	met        map[string]struct{}            // schemas
	mostMet    int
}

type statementKey struct{ schema, query string }

func (c *conn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if c.masks == 0 {
		return c.query(ctx, q, args)
	}
	if err := checkUnmasked(args); err != nil {
		return nil, err
	}
	rows, err := c.query(ctx, q, args)
	if err != nil {
		return nil, err
	}
	return maskRows(rows, q, c.masks), nil
}

func (c *conn) query(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if c.outside() {
		return c.first(ctx, q, args)
	}
	statement, err := c.prepared(ctx, q, len(args))
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.pqConn.QueryContext(ctx, q, args)
	}
	return statement.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (c *conn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if c.masks != 0 {
		if err := checkUnmasked(args); err != nil {
			return nil, err
		}
	}
	if c.outside() {
		if err := c.enter(ctx); err != nil {
			return nil, err
		}
	}
	statement, err := c.prepared(ctx, q, len(args))
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.pqConn.ExecContext(ctx, q, args)
	}
	return statement.(driver.StmtExecContext).ExecContext(ctx, args)
}

// prepared gives the tenant's own prepared statement; nil where the query goes as it is: outside a tenant, and
// without arguments, where one message may hold several statements.
func (c *conn) prepared(ctx context.Context, q string, args int) (driver.Stmt, error) {
	if c.schema == "" || c.statements == nil || args == 0 {
		return nil, nil
	}
	key := statementKey{c.schema, q}
	if kept, ok := c.statements.Get(key); ok {
		return kept, nil
	}
	made, err := c.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	c.statements.Add(key, made)
	if err := c.evicted; err != nil {
		c.evicted = nil
		return nil, fmt.Errorf("letting an old statement go: %w", err)
	}
	return made, nil
}

// outside reports whether a tenant is yet to be entered, for the first time or after a glance.
func (c *conn) outside() bool { return c.entry != nil && !c.entry.open }

// IsValid reports, after each use, whether the connection is to be used again: until it has met as many organizations as
// its backend's memory is for.
func (c *conn) IsValid() bool { return len(c.met) <= c.mostMet && c.pqConn.IsValid() }

// ResetSession runs before a connection is used again.
func (c *conn) ResetSession(ctx context.Context) error {
	c.schema, c.masks, c.entry = "", 0, nil
	return c.pqConn.ResetSession(ctx)
}
