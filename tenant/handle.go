package tenant

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/trace"
)

// ErrNoRows is what Get fails with when there is no row.
var ErrNoRows = sql.ErrNoRows

// query is SQL that was written in the source. The type is not exported, so outside this package only a
// constant can be passed where one is wanted: SQL cannot be built from input.
type query string

// querier is what sqlx's connections and transactions have in common.
type querier interface {
	GetContext(ctx context.Context, dest any, query string, args ...any) error
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error)
}

// handle runs statements in a transaction and remembers whether one failed: Postgres then undoes everything
// at the end whatever one says, and a COMMIT that was none must not look like one.
type handle struct {
	q      querier
	within trace.Place // the transaction, of which each statement is a part
	failed error
	wrote  bool // it may have: Exec was called
	done   bool
}

func (h *handle) close() { h.done = true }

func (h *handle) keep(err error) error {
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		h.failed = err
	}
	return err
}

// failureOf is what a trace tells of a statement that failed: a code, since the text may hold what was sent.
func failureOf(err error) string {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return ""
	}
	return cmp.Or(SQLState(err), "failed")
}

// Get reads one row into dest, a pointer to a struct with db tags or to a single value; ErrNoRows when
// there is none.
func (h *handle) Get(ctx context.Context, dest any, q query, args ...any) error {
	if h.done {
		return sql.ErrTxDone
	}
	ctx, told := h.within.Statement(ctx, string(q))
	err := h.q.GetContext(ctx, dest, string(q), args...)
	told(failureOf(err))
	return h.keep(err)
}

// Select reads all rows into dest, a pointer to a slice.
func (h *handle) Select(ctx context.Context, dest any, q query, args ...any) error {
	if h.done {
		return sql.ErrTxDone
	}
	ctx, told := h.within.Statement(ctx, string(q))
	err := h.q.SelectContext(ctx, dest, string(q), args...)
	told(failureOf(err))
	return h.keep(err)
}

// Exec runs a statement and says how many rows it touched.
func (h *handle) Exec(ctx context.Context, q query, args ...any) (int64, error) {
	if h.done {
		return 0, sql.ErrTxDone
	}
	h.wrote = true
	ctx, told := h.within.Statement(ctx, string(q))
	result, err := h.q.ExecContext(ctx, string(q), args...)
	told(failureOf(err))
	if h.keep(err) != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return n, h.keep(err)
}

// Each calls fn for every row as it comes, so that a long answer needs no memory. The scan that fn is given
// reads the row into a struct with db tags; fn must run no other statement in this transaction. An error from
// fn ends it.
func (h *handle) Each(ctx context.Context, fn func(scan func(dest any) error) error, q query, args ...any) (err error) {
	if h.done {
		return sql.ErrTxDone
	}
	ctx, told := h.within.Statement(ctx, string(q))
	defer func() { told(failureOf(err)) }()
	rows, err := h.q.QueryxContext(ctx, string(q), args...)
	if h.keep(err) != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.keep(rows.Close())) }()
	for rows.Next() {
		if err := fn(rows.StructScan); err != nil {
			return fmt.Errorf("at a row: %w", err)
		}
	}
	return h.keep(rows.Err())
}
