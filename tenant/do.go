package tenant

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/trace"
)

// prepareAlive runs once per connection, so that asking whether a credential is good costs no planning.
var prepareAlive = []string{
	"PREPARE session_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.session_alive($1, $2, $3)",
	"PREPARE token_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.token_alive($1, $2, $3)",
	"PREPARE self_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.self_alive($1, $2, $3)",
	"PREPARE support_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.support_alive($1, $2, $3)",
	"PREPARE organization_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.organization_alive($1, $2, $3)",
	"PREPARE door_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.door_alive($1, $2, $3)",
	"PREPARE customer_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.customer_alive($1, $2, $3)",
	"PREPARE visitor_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.visitor_alive($1, $2, $3)",
	"PREPARE invitation_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.invitation_alive($1, $2, $3)",
	"PREPARE job_alive(bytea, uuid, timestamptz) AS SELECT * FROM platform.job_alive($1, $2, $3)",
}

// Tx is a transaction inside one organization's schema and role. It is good until the function that was given
// it returns; afterwards every call fails with sql.ErrTxDone. It is for one goroutine.
type Tx struct {
	handle
	scope *scope
	now   time.Time
	open  bool
	acts  []Act // recorded, and kept for Config.Recorded
}

// Scope is what the transaction was entered with.
func (tx *Tx) Scope() Scope { return Scope{tx.scope, tx.open} }

// Now is the moment of the transaction: the same for all that happens in it, in UTC.
func (tx *Tx) Now() time.Time { return tx.now }

// Do runs fn in one transaction inside the scope's organization: in its schema, as its role, which may touch
// nothing else. Of one organization so many run at once as Config.PerOrganization says; the others wait in line, and
// with too many of them, or after too long, the error is ErrBusy. The database is asked in the same transaction, with
// fn's first statement, whether the scope's credential is still good and its rights unchanged: if not, that statement
// answers nothing, nothing is kept, and the error is ErrStale. In an organization that is suspended the transaction
// reads only, unless the scope is from WhileSuspended: what writes in it fails with ErrSuspended. If fn returns an
// error, or any statement in it failed, nothing is kept.
//
// While the database is out of reach the error is ErrUnavailable, and nothing was kept; where it went away during the
// end, so that nobody knows, it is ErrUnsure. A connection that is dead already when the transaction is to begin is
// replaced by another, and fn, which has had no answer yet, is run again.
//
// No network call belongs inside fn.
func Do(ctx context.Context, db *DB, s Scope, fn func(tx *Tx) error) error {
	return do(ctx, db, s, entry{opening: "BEGIN"}, fn)
}

// Glance is Do for an fn that only reads, which the database sees to, and most often by one statement: that one is a
// transaction of its own and costs one message in all. Further ones share a second transaction.
func Glance(ctx context.Context, db *DB, s Scope, fn func(tx *Tx) error) error {
	return do(ctx, db, s, entry{opening: "BEGIN READ ONLY", glance: true}, fn)
}

func do(ctx context.Context, db *DB, s Scope, how entry, fn func(tx *Tx) error) (err error) {
	if s.s == nil {
		return errNoScope
	}
	ctx, told := trace.Part(ctx, "transaction")
	defer func() { told(failureOf(err)) }()
	home, err := db.compartment(s.s.compartment)
	if err != nil {
		return err
	}
	leave, err := db.turns.take(ctx, s.s.organization.ID)
	if err != nil {
		return err
	}
	defer leave()
	// After the database went away each connection is dead, and says so when it is used.
	for spare := db.config.Connections; ; spare-- {
		e := how
		err := db.try(ctx, home, s, &e, fn)
		if !e.lost || spare == 0 || ctx.Err() != nil {
			return err
		}
	}
}

// try is one run of a transaction. Where the connection is lost with its first message, nothing has happened, and it may
// be run again on another.
func (db *DB) try(ctx context.Context, home *lanes, s Scope, e *entry, fn func(tx *Tx) error) (err error) {
	conn, free, err := home.connect(ctx, s.s.organization.ID)
	if err != nil {
		return reached(ctx, err)
	}
	defer free()
	now := db.Now()
	e.ask, e.access, e.policy = db.ask(s.s, now), s.s.access, s.s.policy
	if s.shut() && e.opening == "BEGIN" {
		e.opening = "BEGIN READ ONLY"
	}
	err = finish(ctx, conn, e, func() (*handle, error) {
		if err := e.wait(conn, s.s); err != nil {
			return nil, reached(ctx, err)
		}
		tx := &Tx{handle: handle{q: conn, within: trace.At(ctx)}, scope: s.s, now: now, open: s.open}
		defer tx.close()
		err := fn(tx)
		if err == nil && s.s.BillsOthers && tx.wrote && db.config.Billed != nil {
			err = db.config.Billed(ctx, tx)
		}
		if err == nil {
			err = tx.tell(ctx, db)
		}
		if !e.sent {
			// It asked the database for nothing. Whether it may go on is asked all the same, and also whether what it
			// refused it refused by what still holds.
			if asked := enterNow(ctx, conn); err == nil || e.stale {
				err = asked
			}
		}
		return &tx.handle, refuseWriting(s, &tx.handle, err)
	})
	if e.stale {
		err = ErrStale // whatever fn made of it
	}
	if gone := ctx.Err(); err != nil && gone != nil && !errors.Is(err, gone) {
		err = fmt.Errorf("%w (%w)", gone, err) // whatever the cut connection said
	}
	if errors.Is(err, ErrStale) { // or LockRights found it
		db.forget(s.s)
	}
	return err
}

func (tx *Tx) tell(ctx context.Context, db *DB) error {
	if db.config.Recorded == nil || len(tx.acts) == 0 {
		return nil
	}
	return db.config.Recorded(ctx, tx, tx.acts)
}

// LockRights lets changes of what anyone in the organization may do follow each other, until the transaction ends.
// It fails with ErrStale when there was one since the scope was entered: what the caller may do was decided before
// it. Whatever changes rights calls it before it reads what it decides by.
func (tx *Tx) LockRights(ctx context.Context) error {
	var version int64
	if err := tx.Get(ctx, &version, `SELECT platform.lock_rights()`); err != nil {
		return fmt.Errorf("waiting for other changes of rights: %w", err)
	}
	if version != tx.scope.policy {
		return ErrStale
	}
	return nil
}

// finish runs the body of a transaction on conn and then commits or rolls back, and gives the connection back
// only in a state in which the next caller can use it.
func finish(ctx context.Context, conn *sqlx.Conn, e *entry, body func() (*handle, error)) (err error) {
	healthy := false
	defer func() {
		if !healthy { // a panic on its way up, or a connection that nothing can be said of
			discard(conn)
		}
		err = errors.Join(err, closeConn(conn))
	}()
	h, err := body()
	if err == nil && h.failed != nil {
		err = fmt.Errorf("a statement failed and was overlooked: %w", h.failed)
	}
	if err != nil && e != nil && !e.sent {
		healthy = true
		return err
	}
	if err != nil && gone(err) && ctx.Err() == nil && fault.KindOf(err) == fault.Internal {
		err = ErrUnavailable.Because(err)
	}
	if err != nil {
		// The caller's context may be over; the connection must be freed all the same.
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_, failed := conn.ExecContext(undo, "ROLLBACK")
		// A statement that the connection remembers and Postgres does not, or no longer so: begin afresh.
		switch SQLState(err) {
		case "26000", "0A000":
		default:
			healthy = failed == nil
		}
		return err
	}
	if e != nil && !e.open { // a glance
		healthy = true
		return nil
	}
	if _, err = conn.ExecContext(ctx, "COMMIT"); gone(err) && ctx.Err() == nil {
		return ErrUnsure.Because(err)
	} else if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	healthy = true
	return nil
}

func discard(conn *sqlx.Conn) {
	// The error is the one that we return ourselves to say that the connection is bad.
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

func closeConn(conn *sqlx.Conn) error {
	if err := conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) && !errors.Is(err, driver.ErrBadConn) {
		return fmt.Errorf("giving a connection back: %w", err)
	}
	return nil
}

// ask is the part of a message that asks about a credential and enters its tenant. Its parts are names that
// provisioning made and digits: nothing that a caller sent.
func (db *DB) ask(s *scope, now time.Time) string {
	function := map[Kind]string{Member: "session_alive", Token: "token_alive", Job: "job_alive", Operator: "organization_alive",
		Link: "door_alive", Webhook: "door_alive", Self: "self_alive", Support: "support_alive", Invited: "invitation_alive",
		Payer: "organization_alive", Customer: "customer_alive", Visitor: "visitor_alive"}[s.kind]
	call := "EXECUTE " + function
	if db.config.Unprepared {
		call = "SELECT * FROM platform." + function
	}
	return call + `('\x` + hex.EncodeToString(s.credential[:]) + "','" + s.organization.ID.String() +
		"','" + now.Format(time.RFC3339Nano) + "');" + enterMessage(s.schema)
}

// enterMessage puts the transaction into a tenant's role and schema. A schema name is t_ and hex digits.
func enterMessage(schema string) string {
	return "SET LOCAL ROLE " + schema + "; SET LOCAL search_path = " + schema + ", pg_temp"
}
