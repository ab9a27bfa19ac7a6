package tenant

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrSamples refuses one more sample.
var ErrSamples = fault.New(fault.TooMany, "sample.too_many", "There are no more samples to be had just now. Try again tomorrow.")

// A schema is dear: a person has one sample at a time and a few a day, and all people together a bounded number.
const (
	samplesAtOnce = 200
	samplesADay   = 3
	sampleLasts   = 7 * 24 * time.Hour
)

// Sample is an organization of a person's own to look around in, whose data nobody needs. It is an organization like any
// other, so that everything in it works, but ends by itself, and nothing is mailed from it.
type Sample struct {
	Slug   string    `db:"slug"`
	Person PersonID  `db:"person_id"`
	Until  time.Time `db:"until"`
	Filled int       `db:"filled"` // percent of what it is filled with
	Back   string    `db:"back"`   // the path that its person came from
}

const sampleColumns = `SELECT s.slug, s.person_id, s.until, s.filled, s.back FROM platform.sample s `

// ReserveSample gives a person their sample: the one that they have, or a new address for one, at which the caller founds
// it. back is the path that they came from. It fails with ErrSamples.
func ReserveSample(ctx context.Context, db *DB, person PersonID, back string) (s Sample, err error) {
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return s, fmt.Errorf("naming a sample: %w", err)
	}
	now := db.Now()
	_, err = db.platform.ExecContext(ctx, `
		INSERT INTO platform.sample (slug, person_id, made_at, until, back)
		SELECT $1, $2, $3, $4, $5
		 WHERE (SELECT count(*) FROM platform.sample s WHERE s.person_id = $2 AND s.made_at > $3::timestamptz - interval '1 day') < $6
		   AND (SELECT count(*) FROM platform.sample s WHERE s.ended_at IS NULL) < $7
		ON CONFLICT (person_id) WHERE ended_at IS NULL DO NOTHING`,
		"sample-"+hex.EncodeToString(random), person, now, now.Add(sampleLasts), back, samplesADay, samplesAtOnce)
	if err != nil {
		return s, reached(ctx, fmt.Errorf("keeping a sample: %w", err))
	}
	err = db.platform.GetContext(ctx, &s, `
		UPDATE platform.sample s SET back = $2 WHERE s.person_id = $1 AND s.ended_at IS NULL
		RETURNING s.slug, s.person_id, s.until, s.filled, s.back`, person, back)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrSamples
	} else if err != nil {
		return s, reached(ctx, fmt.Errorf("reading a sample: %w", err))
	}
	return s, nil
}

// SampleOf is the sample that a person has; false for none.
func SampleOf(ctx context.Context, db *DB, person PersonID) (Sample, bool, error) {
	return selectSample(ctx, db, sampleColumns+`WHERE s.person_id = $1 AND s.ended_at IS NULL`, person)
}

// SampleAt is the sample at an address; false where there is none.
func SampleAt(ctx context.Context, db *DB, slug string) (Sample, bool, error) {
	return selectSample(ctx, db, sampleColumns+`WHERE s.slug = $1 AND s.ended_at IS NULL`, slug)
}

func selectSample(ctx context.Context, db *DB, q string, by any) (s Sample, ok bool, err error) {
	err = db.platform.GetContext(ctx, &s, q, by)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	} else if err != nil {
		return s, false, reached(ctx, fmt.Errorf("looking for a sample: %w", err))
	}
	return s, true, nil
}

// TellSample notes how far a sample is filled, in percent. It never goes back.
func TellSample(ctx context.Context, db *DB, slug string, percent int) error {
	_, err := db.platform.ExecContext(ctx, `UPDATE platform.sample SET filled = greatest(filled, $2) WHERE slug = $1`, slug, percent)
	if err != nil {
		return reached(ctx, fmt.Errorf("noting how far a sample is filled: %w", err))
	}
	return nil
}

// EndSample shuts a sample at once, and has it deleted without a time of grace. A sample that has ended stays so.
func EndSample(ctx context.Context, db *DB, s Sample) error {
	_, err := CloseOrganization(ctx, db, s.Slug, 0)
	if err != nil && !errors.Is(err, ErrClosing) && !errors.Is(err, ErrNoOrganization) {
		return err
	}
	if _, err := db.platform.ExecContext(ctx, `UPDATE platform.sample SET ended_at = $2 WHERE slug = $1 AND ended_at IS NULL`, s.Slug, db.Now()); err != nil {
		return reached(ctx, fmt.Errorf("ending a sample: %w", err))
	}
	return nil
}

// EndSamples ends those whose time has come, and forgets those that ended long ago. One that fails does not keep the others.
func EndSamples(ctx context.Context, db *DB) (ended int, err error) {
	var due []Sample
	now := db.Now()
	if err := db.platform.SelectContext(ctx, &due, sampleColumns+`WHERE s.ended_at IS NULL AND s.until <= $1 ORDER BY s.until`, now); err != nil {
		return 0, reached(ctx, fmt.Errorf("looking for samples that end: %w", err))
	}
	for _, s := range due {
		one := EndSample(ctx, db, s)
		if err = errors.Join(err, one); one == nil {
			ended++
		}
	}
	if _, gone := db.platform.ExecContext(ctx, `DELETE FROM platform.sample WHERE ended_at < $1`, now.Add(-30*24*time.Hour)); gone != nil {
		err = errors.Join(err, reached(ctx, fmt.Errorf("forgetting samples: %w", gone)))
	}
	return ended, err
}
