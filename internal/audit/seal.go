package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// sealBatch is how many rows one transaction seals: so many that it is worth its while, so few that it is short.
	sealBatch = 500
	// lateness is longer than any transaction is open: what is committed after something sealed is at most so much
	// older than it.
	lateness = time.Hour
	// lookBack is how far below the newest sealed row the sealer looks; once a day it looks at everything.
	lookBack = 24 * time.Hour
)

// Head is the end of a chain: whoever keeps it can tell later whether anything before it was changed.
type Head struct {
	Seq      int64
	Hash     string // SHA-256 in hex
	SealedAt time.Time
}

// Seal seals what has been committed and is not sealed yet, and says how much that was. Two at once make one chain:
// the second waits for the first, batch by batch. Run again after a failure, it goes on where it ended.
func Seal(ctx context.Context, db *tenant.DB, s tenant.Scope) (sealed int, err error) {
	from, err := sealFloor(ctx, db, s)
	if err != nil {
		return 0, err
	}
	for {
		var n int
		err := tenant.Do(ctx, db, s, func(tx *tenant.Tx) (err error) {
			n, from, err = sealBatchAfter(ctx, tx, from)
			return err
		})
		if err != nil {
			return sealed, err
		}
		sealed += n
		if n < sealBatch {
			return sealed, nil
		}
	}
}

// sealFloor is the id below which everything is sealed, or will be looked at by the first run of a day.
func sealFloor(ctx context.Context, db *tenant.DB, s tenant.Scope) (floor uuid.UUID, err error) {
	err = tenant.Do(ctx, db, s, func(tx *tenant.Tx) error {
		head, err := selectHead(ctx, tx)
		if err != nil || head.Seq == 0 || head.SealedAt.Truncate(24*time.Hour) != tx.Now().Truncate(24*time.Hour) {
			return err
		}
		newest, err := selectNewestSealed(ctx, tx)
		if err != nil {
			return err
		}
		seconds, nanos := newest.Time().UnixTime()
		floor = idFloor(time.Unix(seconds, nanos).Add(-lookBack))
		return nil
	})
	return floor, err
}

// idFloor is the least UUIDv7 (RFC 9562 section 5.7) of a moment.
func idFloor(t time.Time) (u uuid.UUID) {
	ms := uint64(max(t.UnixMilli(), 0))
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	return u
}

func sealBatchAfter(ctx context.Context, tx *tenant.Tx, from uuid.UUID) (int, uuid.UUID, error) {
	if err := lockChain(ctx, tx); err != nil {
		return 0, from, err
	}
	head, err := selectHead(ctx, tx)
	if err != nil {
		return 0, from, err
	}
	if head.Seq == 0 {
		head.Hash = genesis(tx.Scope().Organization().ID)
	}
	found, err := selectUnsealed(ctx, tx, from)
	if err != nil || len(found) == 0 {
		return 0, from, err
	}
	// It may have waited for a sealer that began later.
	at := stamp(tx.Now())
	if head.SealedAt.After(tx.Now()) {
		at = stamp(head.SealedAt)
	}
	seals := make([]sealRow, len(found))
	for i, what := range found {
		head.Seq, head.Hash = head.Seq+1, link(head.Hash, head.Seq+1, at, what)
		seals[i] = sealRow{Seq: head.Seq, Shape: what.shape(), Row: what.id(), SealedAt: at, Hash: head.Hash}
	}
	from, err = uuid.Parse(found[len(found)-1].id())
	if err != nil {
		return 0, from, err
	}
	return len(seals), from, insertSeals(ctx, tx, seals)
}

// selectUnsealed gives rows of the record and of the journal that have no seal, by id, at most a batch.
func selectUnsealed(ctx context.Context, tx *tenant.Tx, from uuid.UUID) ([]sealable, error) {
	records, err := selectUnsealedRecords(ctx, tx, from)
	if err != nil {
		return nil, err
	}
	entries, err := selectUnsealedPostings(ctx, tx, from)
	if err != nil {
		return nil, err
	}
	found := make([]sealable, 0, len(records)+len(entries))
	for _, r := range records {
		found = append(found, r)
	}
	for _, e := range entries {
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b sealable) int { return cmp.Compare(a.id(), b.id()) })
	return found[:min(len(found), sealBatch)], nil
}

// HeadOf gives the end of the organization's chain; the zero Head when nothing is sealed yet.
func HeadOf(ctx context.Context, tx *tenant.Tx) (Head, error) { return selectHead(ctx, tx) }

var errShape = errors.New("audit: a seal of a shape that this version does not know")
