package web

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// listFile is a list as a file: exactly what its address leaves of it.
type listFile[T any] struct {
	name, object string
	head         []any
	narrow       func(tx *tenant.Tx) error // reads the address
	read         func(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[T], error)
	id           func(T) uuid.UUID
	row          func(T) []any
}

// sendListFile has it on record that someone took the list, and sends it page by page, each in its own transaction.
func sendListFile[T any](v *visit, f listFile[T]) error {
	err := v.run(func(tx *tenant.Tx) error {
		if err := f.narrow(tx); err != nil {
			return err
		}
		if _, err := f.read(v.ctx, tx, cursor.Query{Limit: 1}); err != nil { // what it refuses is told before the first byte
			return err
		}
		return tx.Record(v.ctx, tenant.Act{Action: f.object + ".export", Object: f.object, Detail: f.name})
	})
	if err != nil {
		return err
	}
	return v.stream(f.name, "text/csv; charset=utf-8", func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		g, err := sheet.New(w, sheet.CSV)
		if err != nil {
			return err
		}
		if err := f.write(ctx, run, g); err != nil {
			return err
		}
		return g.Close()
	})
}

func (f listFile[T]) write(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, g sheet.Grid) error {
	if err := g.Row(f.head...); err != nil {
		return err
	}
	q := cursor.Query{Limit: cursor.Max}
	for {
		var found cursor.Page[T]
		err := run(func(tx *tenant.Tx) (err error) {
			found, err = f.read(ctx, tx, q)
			return err
		})
		if err != nil {
			return err
		}
		for _, item := range found.Items {
			if err := g.Row(f.row(item)...); err != nil {
				return err
			}
		}
		if !found.HasMore || len(found.Items) == 0 {
			return nil
		}
		q.After = f.id(found.Items[len(found.Items)-1])
	}
}
