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
// it failed, nothing is kept. No network call belongs inside fn.
func DoPlatform(ctx context.Context, db *DB, fn func(tx *PlatformTx) error) (err error) {
	ctx, told := trace.Part(ctx, "transaction on the platform")
	defer func() { told(failureOf(err)) }()
	conn, err := db.platform.Connx(ctx)
	if err != nil {
		return reached(ctx, err)
	}
	return finish(ctx, conn, nil, func() (*handle, error) {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return nil, reached(ctx, err)
		}
		tx := &PlatformTx{handle: handle{q: conn, within: trace.At(ctx)}, now: db.Now()}
		defer tx.close()
		return &tx.handle, fn(tx)
	})
}

var _ querier = (*sqlx.Conn)(nil)
