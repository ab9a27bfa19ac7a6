package takeout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// pieceBytes is what is held of a file at once.
	pieceBytes = 256 << 10
	// maxBytes bounds a file; its size is kept in 32 bits.
	maxBytes = 2_000_000_000
)

// pieces takes a file as it is written and keeps it piece by piece.
type pieces struct {
	ctx    context.Context // of the run, which writes through an io.Writer
	db     *tenant.DB
	scope  tenant.Scope
	export ID
	all    int // about how many rows there will be
	rows   int // so far
	held   []byte
	kept   int // pieces
	size   int64
	digest hash.Hash
}

func newPieces(ctx context.Context, db *tenant.DB, s tenant.Scope, e Export) *pieces {
	return &pieces{ctx: ctx, db: db, scope: s, export: e.ID, all: e.All, held: make([]byte, 0, pieceBytes), digest: sha256.New()}
}

// count notes rows that were written. There are never more than were expected: that would look odd.
func (p *pieces) count(rows int) { p.rows = min(p.rows+rows, max(p.all, 1)) }

func (p *pieces) Write(part []byte) (int, error) {
	for rest := part; len(rest) > 0; {
		n := min(len(rest), pieceBytes-len(p.held))
		p.held = append(p.held, rest[:n]...)
		rest = rest[n:]
		if len(p.held) == pieceBytes {
			if err := p.keep(); err != nil {
				return 0, err
			}
		}
	}
	return len(part), nil
}

// keep stores what is held. It fails with errStopped where the file is not wanted any more.
func (p *pieces) keep() error {
	if len(p.held) == 0 {
		return nil
	}
	if p.size += int64(len(p.held)); p.size > maxBytes {
		return ErrTooLarge
	}
	err := tenant.Do(p.ctx, p.db, p.scope, func(tx *tenant.Tx) error {
		running, err := insertPiece(p.ctx, tx, p.export, p.kept, p.held, p.rows)
		if err == nil && !running {
			return errStopped
		}
		return err
	})
	if err != nil {
		return err
	}
	p.digest.Write(p.held)
	p.kept++
	p.held = p.held[:0]
	return nil
}

// end keeps the last piece and says that the file is whole.
func (p *pieces) end() error {
	p.rows = max(p.rows, p.all)
	if err := p.keep(); err != nil {
		return err
	}
	return tenant.Do(p.ctx, p.db, p.scope, func(tx *tenant.Tx) error {
		ended, err := endExport(p.ctx, tx, p.export, hex.EncodeToString(p.digest.Sum(nil)), p.rows)
		if err != nil {
			return err
		} else if !ended {
			return errStopped
		}
		return tx.Record(p.ctx, tenant.Act{Action: "export.finish", Object: "export", ID: p.export.UUID, Detail: hex.EncodeToString(p.digest.Sum(nil))})
	})
}
