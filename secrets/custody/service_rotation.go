package custody

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// ServiceRotator renews the service's own key, as Rotator does an organization's. It needs no note of how far it is:
// what is sealed says by which version. Several may run at once; what one has sealed anew the others pass over.
type ServiceRotator struct {
	Keys    *ServiceKeys
	Columns []tenant.PlatformSealedColumn
	// Progress is told after each piece; it may be nil.
	Progress func(Progress)
}

// Rotate renews the key, or goes on with a rotation that was cut short: until the last value is sealed anew, every
// version opens. It is done once older versions are retired, which waits two minutes for requests under way.
func (r ServiceRotator) Rotate(ctx context.Context) (Outcome, error) { return r.run(ctx, time.Time{}) }

// RotateIfOlder goes on with a rotation that was cut short, or begins one if the newest version was made before that
// long. A first version counts from when this first ran.
func (r ServiceRotator) RotateIfOlder(ctx context.Context, age time.Duration) (Outcome, error) {
	return r.run(ctx, r.Keys.db.Now().Add(-age))
}

func (r ServiceRotator) run(ctx context.Context, before time.Time) (out Outcome, err error) {
	row, err := r.begin(ctx, before)
	if err != nil {
		return out, err
	}
	out.Version = row.Version
	if row.AloneAt != nil { // not old enough
		out.Done = true
		return out, nil
	}
	out.RetireAt = row.MadeAt.Add(settles)
	began := r.Keys.db.Now()
	for _, column := range r.Columns {
		if err := r.walk(ctx, column, &out.Progress); err != nil {
			return out, err
		}
	}
	if began.Before(out.RetireAt) {
		return out, nil
	}
	if err := retireServiceKeys(ctx, r.Keys.db, row.Version); err != nil {
		return out, err
	}
	out.Done = true
	return out, r.reread(row.Version)
}

// begin gives the version that everything is to be sealed by; one that is alone already needs nothing.
func (r ServiceRotator) begin(ctx context.Context, before time.Time) (serviceKeyRow, error) {
	rows, err := listServiceKeys(ctx, r.Keys.db)
	if err != nil {
		return serviceKeyRow{}, err
	}
	if len(rows) == 0 {
		if err := insertServiceKey(ctx, r.Keys.db, 1, nil); err != nil {
			return serviceKeyRow{}, err
		}
		if rows, err = listServiceKeys(ctx, r.Keys.db); err != nil {
			return serviceKeyRow{}, err
		}
	}
	newest := rows[0]
	if err := r.reread(newest.Version); err != nil || newest.AloneAt == nil || !before.IsZero() && !newest.MadeAt.Before(before) {
		return newest, err
	}
	if err := r.Keys.renew(ctx, newest.Version+1); err != nil {
		return newest, err
	}
	if rows, err = listServiceKeys(ctx, r.Keys.db); err != nil {
		return newest, err
	}
	return rows[0], r.reread(rows[0].Version)
}

// reread takes up the versions that there are, and fails where this one was not wrapped under the service's key: what
// the wrong key would make, nobody could open.
func (r ServiceRotator) reread(version int) error {
	r.Keys.mu.Lock()
	defer r.Keys.mu.Unlock()
	if err := r.Keys.read(); err != nil {
		return err
	}
	if r.Keys.ring[version] == nil {
		return errServiceKey
	}
	return nil
}

// walk seals anew what an older version sealed.
func (r ServiceRotator) walk(ctx context.Context, column tenant.PlatformSealedColumn, p *Progress) error {
	p.Column = column.String()
	for after := ""; ; {
		var read []tenant.PlatformSealedValue
		err := tenant.DoPlatform(ctx, r.Keys.db, func(tx *tenant.PlatformTx) (err error) {
			read, err = tenant.ListPlatformSealed(ctx, tx, column, after, pieceRows)
			return err
		})
		if err != nil || len(read) == 0 {
			return err
		}
		if err := r.reseal(ctx, column, read, p); err != nil {
			return err
		}
		if r.Progress != nil {
			r.Progress(*p)
		}
		after = read[len(read)-1].Row
	}
}

func (r ServiceRotator) reseal(ctx context.Context, column tenant.PlatformSealedColumn, read []tenant.PlatformSealedValue, p *Progress) error {
	anew := map[int][]byte{} // by its place in read
	for i, value := range read {
		if version, _, ok := parseServiceSealed(value.Sealed); ok && version >= p.Version {
			continue
		}
		plain, err := r.Keys.Open(column.Place+value.Row, value.Sealed)
		if errors.Is(err, ErrServiceSealed) || errors.Is(err, ErrServiceRetired) {
			p.Unreadable++ // it opens under no version, so that nothing is lost by going on
			continue
		} else if err != nil {
			return err
		}
		if anew[i], err = r.Keys.Seal(column.Place+value.Row, plain); err != nil {
			return err
		}
		clear(plain)
	}
	err := tenant.DoPlatform(ctx, r.Keys.db, func(tx *tenant.PlatformTx) error {
		for i, sealed := range anew {
			if err := tenant.ReplacePlatformSealed(ctx, tx, column, read[i], sealed); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		p.Rewrapped += int64(len(anew))
	}
	return err
}
