package tenant

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/trace"
)

// PlatformTx is a transaction on the platform's own tables: people, sessions, who belongs where. It sees no
// organization's books. It is good until the function that was given it returns.
type PlatformTx struct {
	now time.Time
	handle
}

// Now is the moment of the transaction, in UTC.
func (tx *PlatformTx) Now() time.Time { return tx.now }

// DoPlatform runs fn in one transaction on the platform's tables. If fn returns an error, or any statement in
// it failed, nothing is kept. While the database is out of reach the error is ErrUnavailable, and ErrUnsure where it went
// away during the end. No network call belongs inside fn.
func DoPlatform(ctx context.Context, db *DB, fn func(tx *PlatformTx) error) (err error) {
	ctx, told := trace.Part(ctx, "transaction on the platform")
	defer func() { told(failureOf(err)) }()
	for spare := db.config.Connections; ; spare-- {
		lost, err := db.tryPlatform(ctx, fn)
		if !lost || spare == 0 || ctx.Err() != nil {
			return err
		}
	}
}

// tryPlatform is one run of a transaction; lost says that its connection was dead before fn was called.
func (db *DB) tryPlatform(ctx context.Context, fn func(tx *PlatformTx) error) (lost bool, err error) {
	conn, err := db.platform.Connx(ctx)
	if err != nil {
		return false, reached(ctx, err)
	}
	err = finish(ctx, conn, nil, func() (*handle, error) {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			lost = gone(err)
			return nil, reached(ctx, err)
		}
		tx := &PlatformTx{handle: handle{q: conn, within: trace.At(ctx)}, now: db.Now()}
		defer tx.close()
		return &tx.handle, fn(tx)
	})
	return lost, err
}

var _ querier = (*sqlx.Conn)(nil)
