package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// mostKept is how many findings are kept in all; they are counted whole.
const mostKept = 20

// keepProof keeps a proof in the place of the one before.
func keepProof(ctx context.Context, tx *tenant.Tx, p Proof) error {
	list, err := json.Marshal(p.Findings[:min(len(p.Findings), mostKept)])
	if err != nil {
		return fmt.Errorf("writing what does not agree: %w", err)
	}
	_, err = tx.Exec(ctx, `SELECT platform.keep_proof($1, $2, $3, $4, $5, $6, $7)`, p.At, orNull(p.WholeAt), p.Found, string(list), p.Entries, p.Seals, p.Head)
	if err != nil {
		return fmt.Errorf("keeping a proof: %w", err)
	}
	return nil
}

func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// Latest gives what became of the books' last proof; the zero Proof when there was none.
func Latest(ctx context.Context, tx *tenant.Tx) (Proof, error) {
	var row struct {
		At      time.Time  `db:"proved_at"`
		WholeAt *time.Time `db:"whole_at"`
		Found   int
		List    string `db:"findings"`
		Entries int64
		Seals   int64
		Head    string
	}
	err := tx.Get(ctx, &row, `SELECT proved_at, whole_at, found, findings, entries, seals, head FROM platform.read_proof()`)
	if errors.Is(err, tenant.ErrNoRows) {
		return Proof{}, nil
	} else if err != nil {
		return Proof{}, fmt.Errorf("reading a proof: %w", err)
	}
	p := Proof{At: row.At, Found: row.Found, Entries: row.Entries, Seals: row.Seals, Head: row.Head}
	if row.WholeAt != nil {
		p.WholeAt = *row.WholeAt
	}
	if err := json.Unmarshal([]byte(row.List), &p.Findings); err != nil {
		return p, fmt.Errorf("reading what does not agree: %w", err)
	}
	return p, nil
}

// selectZone is where the organization's nights are; nil before its books are opened.
func selectZone(ctx context.Context, tx *tenant.Tx) (*time.Location, error) {
	var name string
	err := tx.Get(ctx, &name, `SELECT time_zone FROM settings`)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the time zone: %w", err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("stored time zone: %w", err)
	}
	return zone, nil
}
