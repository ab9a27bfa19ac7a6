package custody

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrUnderWay says that somebody else renews this organization's key at this moment.
var ErrUnderWay = fault.New(fault.Conflict, "rotation.under_way",
	"The key of this organization is being renewed by another process. Wait until it has ended, or a minute if it was killed.")

const (
	pieceRows = 100 // sealed values for each call to the keyring
	leaseFor  = time.Minute
	// settles is longer than any request of ours may take: what a request that began before the rotation sealed, or
	// read, is stored or opened by then.
	settles = 2 * time.Minute
)

// Rotator renews keys: a new version of the key is made, every stored secret is sealed anew by it, and only when
// none is left does what older versions sealed stop opening.
type Rotator struct {
	DB      *tenant.DB
	Keyring secrets.Keyring
	Columns []tenant.SealedColumn
	// Progress is told after each piece; it may be nil.
	Progress func(Progress)
}

// Progress is how far a rotation is.
type Progress struct {
	Column     string
	Version    int   // that everything is to be sealed by
	Rewrapped  int64 // values sealed anew so far
	Unreadable int64 // values that opened under no version, and were left as they are
}

// Outcome is what a run came to.
type Outcome struct {
	Progress
	Done bool
	// RetireAt is, unless it is done, when the next run may retire the older versions.
	RetireAt time.Time
}

// Rotate renews the key of the scope's organization, or goes on with a rotation that was cut short. It may be cut
// short at any moment: until the last value is sealed anew, every version opens. All but the retirement of the
// older versions is done in one run; that waits two minutes for requests under way. It answers ErrUnderWay, and
// the keyring's faults.
func (r Rotator) Rotate(ctx context.Context, s tenant.Scope) (out Outcome, err error) {
	return r.run(ctx, s, time.Time{})
}

// RotateIfOlder goes on with a rotation that was cut short, or begins one if the last was begun before that long.
// An organization whose key was never renewed counts from when this first ran for it.
func (r Rotator) RotateIfOlder(ctx context.Context, s tenant.Scope, age time.Duration) (Outcome, error) {
	return r.run(ctx, s, r.DB.Now().Add(-age))
}

func (r Rotator) run(ctx context.Context, s tenant.Scope, before time.Time) (out Outcome, err error) {
	step := rotation{Rotator: r, scope: s, lease: id.New[rotation](), walked: r.DB.Now()}
	if step.row, err = step.take(ctx, before); err != nil {
		return out, err
	}
	if step.row.State == "done" { // not old enough
		return Outcome{Progress: step.progress(""), Done: true}, nil
	}
	defer func() {
		// A lease that is not given back ends by itself.
		back, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		err = errors.Join(err, step.giveBack(back))
	}()
	if step.row.AtColumn != "" {
		step.walked = time.Time{} // not the whole walk is this run's
	}
	if err := step.make(ctx); err != nil {
		return out, err
	}
	if err := step.walk(ctx); err != nil {
		return out, err
	}
	return step.finish(ctx)
}

// rotation is one run.
type rotation struct {
	Rotator
	scope  tenant.Scope
	lease  id.Of[rotation]
	row    rotationRow
	walked time.Time // when the walk from the very first value began; zero if that is not this run's
}

func (r *rotation) organization() string { return r.scope.Organization().ID.String() }

// make adds the version, unless that was done.
func (r *rotation) make(ctx context.Context) error {
	if r.row.Version != 0 {
		return nil
	}
	version, err := r.Keyring.RotateKey(ctx, r.organization())
	if err != nil {
		return fmt.Errorf("making a new version of the key: %w", err)
	}
	r.row.Version = version
	r.row.RotatedAt = r.DB.Now()
	return r.noteVersion(ctx)
}

// walk seals anew what an older version sealed, from where the last run was cut short.
func (r *rotation) walk(ctx context.Context) error {
	columns := slices.SortedFunc(slices.Values(r.Columns), func(a, b tenant.SealedColumn) int { return cmp.Compare(a.String(), b.String()) })
	for _, column := range columns {
		after := id.Of[rotation]{}.String()
		switch cmp.Compare(column.String(), r.row.AtColumn) {
		case -1:
			continue
		case 0:
			after = r.row.AtRow
		}
		for more := true; more; {
			var err error
			if after, more, err = r.piece(ctx, column, after); err != nil {
				return err
			}
		}
	}
	return nil
}

// piece takes the next values of a column. No transaction is open while the keyring is asked.
func (r *rotation) piece(ctx context.Context, column tenant.SealedColumn, after string) (last string, more bool, err error) {
	var read []tenant.SealedValue
	err = tenant.Do(ctx, r.DB, r.scope, func(tx *tenant.Tx) error {
		read, err = tenant.ListSealed(ctx, tx, column, after, pieceRows)
		return err
	})
	if err != nil || len(read) == 0 {
		return after, false, err
	}
	last = read[len(read)-1].Row
	var old []tenant.SealedValue
	var items []secrets.Sealed
	for _, value := range read {
		if version, ok := secrets.Version(value.Text); ok && version >= r.row.Version {
			continue
		}
		old = append(old, value)
		items = append(items, secrets.Sealed{Text: value.Text, Place: secrets.Place{
			Organization: r.organization(), Table: string(column.Table), Column: string(column.Column), Row: value.Row}})
	}
	if err := r.rewrap(ctx, column, old, items); err != nil {
		return after, false, err
	}
	err = r.notePiece(ctx, column.String(), last)
	if err == nil && r.Progress != nil {
		r.Progress(r.progress(column.String()))
	}
	return last, len(read) == pieceRows, err
}

func (r *rotation) rewrap(ctx context.Context, column tenant.SealedColumn, old []tenant.SealedValue, items []secrets.Sealed) error {
	if len(items) == 0 {
		return nil
	}
	var done []tenant.SealedValue
	var texts []string
	var unreadable int64
	for i, result := range r.Keyring.RewrapAll(ctx, items) {
		switch {
		case errors.Is(result.Err, secrets.ErrUnreadable), errors.Is(result.Err, secrets.ErrRetired):
			unreadable++ // it opens under no version, so that nothing is lost by going on
		case result.Err != nil:
			return fmt.Errorf("sealing %s anew: %w", column, result.Err)
		default:
			done = append(done, old[i])
			texts = append(texts, result.Value)
		}
	}
	if len(done) > 0 {
		err := tenant.Do(ctx, r.DB, r.scope, func(tx *tenant.Tx) error { return tenant.ReplaceSealed(ctx, tx, column, done, texts) })
		if err != nil {
			return err
		}
	}
	r.row.Rewrapped += int64(len(done))
	r.row.Unreadable += unreadable
	return nil
}

// finish retires the older versions, if this walk began when nothing that they sealed could come in any more.
// Otherwise the next run walks once more, which costs little: all but nothing is left to do.
func (r *rotation) finish(ctx context.Context) (Outcome, error) {
	out := Outcome{Progress: r.progress(""), RetireAt: r.row.RotatedAt.Add(settles)}
	if r.walked.Before(out.RetireAt) {
		return out, r.noteSettling(ctx)
	}
	if err := r.Keyring.RaiseMinimumVersion(ctx, r.organization(), r.row.Version); err != nil {
		return out, fmt.Errorf("retiring older versions of the key: %w", err)
	}
	out.Done = true
	if err := r.noteDone(ctx); err != nil {
		return out, err
	}
	return out, tenant.Do(ctx, r.DB, r.scope, func(tx *tenant.Tx) error {
		return tx.Record(ctx, tenant.Act{Action: "secrets.rotate", Object: "key",
			Detail: fmt.Sprintf("version %d, %d values sealed anew", r.row.Version, r.row.Rewrapped)})
	})
}

func (r *rotation) progress(column string) Progress {
	return Progress{Column: column, Version: r.row.Version, Rewrapped: r.row.Rewrapped, Unreadable: r.row.Unreadable}
}
