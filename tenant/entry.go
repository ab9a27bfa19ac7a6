package tenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// entry is how a transaction gets into an organization. It is sent with the transaction's first statement, in one
// message where the statement can be part of one, since a message costs more than most reads.
type entry struct {
	ask            string // asks whether the credential is good, and enters role and schema
	access, policy int64  // the answer that lets in
	opening        string // what begins the transaction
	glance         bool   // its first statement only reads, and is likely to be its last: the transaction ends with it
	open           bool   // a transaction is open, or may be
	sent           bool   // something was
	stale          bool   // the answer was another one
	first          bool   // the message that was sent last is the transaction's first
	lost           bool   // the connection turned out to be dead with that one: nothing was asked
}

// errMessage says that Postgres answered a message otherwise than it was asked.
var errMessage = errors.New("tenant: the database's answer is not that of its question")

// begin is what a message begins with.
func (e *entry) begin() string { return e.opening + ";" + e.ask }

// admit reads the credential's answer, which is the message's first, and fails with ErrStale if it is another.
func (e *entry) admit(ctx context.Context, rows driver.Rows) error {
	answer := make([]driver.Value, 2)
	if err := rows.Next(answer); err != nil {
		e.lost = e.first && gone(err)
		return reached(ctx, fmt.Errorf("entering an organization: %w", err))
	}
	if answer[0] != driver.Value(e.access) || answer[1] != driver.Value(e.policy) {
		e.stale = true
		return ErrStale
	}
	return nil
}

// enter opens the transaction by a message of its own.
func (c *conn) enter(ctx context.Context) error {
	c.entry.glance = false
	rows, err := c.send(ctx, c.entry.begin())
	if err != nil {
		return err
	}
	return errors.Join(c.entry.admit(ctx, rows), reached(ctx, rows.Close()))
}

func (c *conn) send(ctx context.Context, message string) (driver.Rows, error) {
	c.entry.first = !c.entry.sent
	c.entry.open, c.entry.sent = true, true // and if it fails: one rolls back too often rather than too seldom
	rows, err := c.pqConn.QueryContext(ctx, message, nil)
	if err != nil {
		c.entry.lost = c.entry.first && gone(err)
		return nil, reached(ctx, fmt.Errorf("entering an organization: %w", err))
	}
	return rows, nil
}

// first runs the transaction's first statement: in one message with the entry, and with the end for one that glances,
// if it is prepared here and what it is given can be written without quoting anything.
func (c *conn) first(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	list, ok := literals(args)
	if !ok || c.masks != 0 || c.named == nil {
		if err := c.enter(ctx); err != nil {
			return nil, err
		}
		return c.query(ctx, q, args)
	}
	name, ok := c.named.Get(statementKey{c.schema, q})
	if !ok {
		if err := c.enter(ctx); err != nil {
			return nil, err
		}
		return c.prepareFirst(ctx, q, list)
	}
	message, glance := c.entry.begin()+";EXECUTE "+name+list, c.entry.glance
	if glance {
		message += ";COMMIT"
	}
	rows, err := c.send(ctx, message)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.entry.admit(ctx, rows), nextSet(rows)); err != nil {
		// What the statement answered to someone who may not ask is dropped here; so is a second error.
		_ = rows.Close()
		return nil, err
	}
	if glance { // it ended by itself, unless a row that is still to come fails: then finish rolls back
		c.entry.open, c.entry.glance = false, false
	}
	return rows, nil
}

// nextSet goes on to the next answer of a message, past the end of the one before.
func nextSet(rows driver.Rows) error {
	if err := rows.Next(nil); err == nil {
		return errMessage // a second row
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	sets, ok := rows.(driver.RowsNextResultSet)
	if !ok || !sets.HasNextResultSet() {
		return errMessage
	}
	return sets.NextResultSet()
}

// prepareFirst gives a statement a name for the next time, and runs it.
func (c *conn) prepareFirst(ctx context.Context, q, list string) (driver.Rows, error) {
	c.names++
	name := "f" + strconv.FormatInt(c.names, 10)
	message := strings.Join(append(c.forgotten, "PREPARE "+name+" AS "+q), ";")
	if _, err := c.pqConn.ExecContext(ctx, message, nil); err != nil {
		return nil, err
	}
	c.forgotten = nil
	c.named.Add(statementKey{c.schema, q}, name)
	return c.pqConn.QueryContext(ctx, "EXECUTE "+name+list, nil)
}

// literals writes arguments as a list, if each is null, a number, a truth, a moment, or text of letters, digits and the
// few signs that ids, dates and numbers have: nothing is ever quoted.
func literals(args []driver.NamedValue) (list string, ok bool) {
	var b strings.Builder
	for i, arg := range args {
		b.WriteByte("(,"[min(i, 1)])
		switch v := arg.Value.(type) {
		case nil:
			b.WriteString("NULL")
		case int64:
			b.WriteString("'" + strconv.FormatInt(v, 10) + "'")
		case bool:
			b.WriteString("'" + strconv.FormatBool(v) + "'")
		case time.Time:
			b.WriteString("'" + v.Format(time.RFC3339Nano) + "'")
		case string:
			if !plain(v) {
				return "", false
			}
			b.WriteString("'" + v + "'")
		default: // bytes may be meant as bytea or as JSON
			return "", false
		}
	}
	if len(args) > 0 {
		b.WriteByte(')')
	}
	return b.String(), true
}

func plain(s string) bool {
	if len(s) > 64 {
		return false
	}
	for _, r := range []byte(s) {
		switch {
		case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', r == '-', r == ':', r == '.', r == '+', r == '_', r == ' ':
		default:
			return false
		}
	}
	return true
}

// wait leaves the entry with a pool's connection, until its first statement.
func (e *entry) wait(on *sqlx.Conn, s *scope) error {
	return on.Raw(func(driverConn any) error {
		c := driverConn.(*conn)
		c.entry, c.schema, c.masks = e, s.schema, s.masks
		c.met[s.schema] = struct{}{}
		return nil
	})
}

// enterNow enters without a statement.
func enterNow(ctx context.Context, on *sqlx.Conn) error {
	return on.Raw(func(driverConn any) error { return driverConn.(*conn).enter(ctx) })
}

// inSchema tells the connection whose statements it runs from here to the end of the transaction.
func inSchema(on *sqlx.Conn, schema string) error {
	return on.Raw(func(driverConn any) error {
		driverConn.(*conn).schema = schema
		return nil
	})
}
