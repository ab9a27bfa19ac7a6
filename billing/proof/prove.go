package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
)

// Hour is the hour of the night, in the organization's own time zone, from which on its books are proved.
const Hour = 3

// Prove proves an organization's books and keeps what became of it, for Latest. It seals what waits for that first, so that
// the chain has all there is. It may take as long as reading the whole journal, and holds no transaction for that long.
func Prove(ctx context.Context, db *tenant.DB, s tenant.Scope) (Proof, error) {
	if _, err := audit.Seal(ctx, db, s); err != nil {
		return Proof{}, err
	}
	run := func(fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, db, s, fn) }
	var last, p Proof
	err := run(func(tx *tenant.Tx) (err error) {
		if last, err = Latest(ctx, tx); err != nil {
			return err
		}
		p = Proof{}
		if p.Findings, p.Found, err = Books(ctx, tx); err != nil {
			return err
		}
		p.Entries, err = selectEntryCount(ctx, tx)
		return err
	})
	if err != nil {
		return p, err
	}
	if err := p.proveChain(ctx, run, db.Now(), last); err != nil {
		return p, err
	}
	err = run(func(tx *tenant.Tx) error {
		p.At, p.WholeAt = tx.Now(), last.WholeAt
		if p.Whole() {
			p.WholeAt = p.At
		}
		return keepProof(ctx, tx, p)
	})
	return p, err
}

// proveChain reads the whole chain, and looks for the end that it had when it was proved last. An end that was proved is
// kept until there is a later one.
func (p *Proof) proveChain(ctx context.Context, run audit.Run, now time.Time, last Proof) error {
	p.Seals, p.Head = last.Seals, last.Head
	out, in := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := audit.WriteSealed(ctx, run, in, now)
		written <- errors.Join(err, in.CloseWithError(err))
	}()
	proved, err := audit.Verify(out, last.Head)
	// The writer may still be at it when the reader has seen enough.
	closed := out.CloseWithError(errSeen)
	if failed := <-written; failed != nil && !errors.Is(failed, errSeen) {
		return errors.Join(failed, closed)
	}
	var broken *audit.Broken
	switch {
	case errors.As(err, &broken):
		p.add(Finding{Check: chain, Say: fmt.Sprintf("The chain breaks at row %d: %s", broken.Row, broken.Say)})
	case err != nil:
		return errors.Join(err, closed)
	case last.Head != "" && proved.KeptAt == 0:
		p.add(Finding{Check: chain, Say: fmt.Sprintf("The chain is not the one that was proved on %s: it was made anew since, or its end was cut off.", last.At.UTC().Format("2006-01-02"))})
	case proved.Rows > 0:
		p.Seals, p.Head = proved.Rows, proved.Head
	}
	return closed
}

var errSeen = errors.New("proof: seen enough")

func (p *Proof) add(f Finding) {
	p.Findings = append(p.Findings, f)
	p.Found++
}

// ProveWhenDue proves the books if no proof was made since 3 o'clock of the last night, in the organization's own time
// zone; done is false where it was not due. Books that are new are proved at once.
func ProveWhenDue(ctx context.Context, db *tenant.DB, s tenant.Scope) (p Proof, done bool, err error) {
	var due bool
	err = tenant.Do(ctx, db, s, func(tx *tenant.Tx) error {
		last, err := Latest(ctx, tx)
		if err != nil {
			return err
		}
		zone, err := selectZone(ctx, tx)
		if err != nil || zone == nil { // it has no books yet
			return err
		}
		due = last.At.Before(nightBefore(tx.Now().In(zone)))
		return nil
	})
	if err != nil || !due {
		return p, false, err
	}
	p, err = Prove(ctx, db, s)
	return p, err == nil, err
}

// nightBefore is the last time that the clock showed 3 in the morning.
func nightBefore(now time.Time) time.Time {
	night := time.Date(now.Year(), now.Month(), now.Day(), Hour, 0, 0, 0, now.Location())
	if night.After(now) {
		night = time.Date(now.Year(), now.Month(), now.Day()-1, Hour, 0, 0, 0, now.Location())
	}
	return night
}
