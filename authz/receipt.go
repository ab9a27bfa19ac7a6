package authz

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// ReceiptHead is what a receipt comes down to.
type ReceiptHead struct {
	At     time.Time
	Rows   int    // lines of the organization's record
	Digest []byte // SHA-256 over them: see receiptDigest
}

// Seal is the digest in hex.
func (h ReceiptHead) Seal() string { return hex.EncodeToString(h.Digest) }

// Deed is one thing that was done under a grant: a line of the organization's record, where it can be found by its id.
type Deed struct {
	ID      uuid.UUID
	At      time.Time
	Action  string // "support.read", "support.change", "support.refused", or what was done: "customer.change"
	Object  string // the module or kind of thing
	Thing   uuid.UUID
	Request string
	Detail  string
	Seal    string // the hash of its seal in the record's chain; empty while it is not sealed
}

// Deeds gives what was done under a grant, newest first, at most limit.
func Deeds(ctx context.Context, tx *tenant.Tx, grant GrantID, limit int) ([]Deed, error) {
	rows, err := selectDone(ctx, tx, grant, true, limit)
	return deedsOf(rows), err
}

func deedsOf(rows []visitRow) []Deed {
	all := make([]Deed, 0, len(rows))
	for _, r := range rows {
		d := Deed{ID: r.ID, At: r.At.UTC(), Action: r.Action, Object: r.Object, Request: r.Request, Detail: r.Detail, Seal: r.Seal}
		if r.ObjectID != nil {
			d.Thing = *r.ObjectID
		}
		all = append(all, d)
	}
	return all
}

// receiptRowsMax bounds what one receipt reads: more than a person can do in seven days.
const receiptRowsMax = 200_000

// settleReceipt writes the receipt of a visit that is over, once, and gives it back with what was done, oldest first.
// It closes the visit first: what is under way in it is waited for and on the receipt, and nothing is done in it
// afterwards, also where the clock of whoever would do it runs behind.
func settleReceipt(ctx context.Context, tx *tenant.Tx, grant GrantID) (SupportGrant, []Deed, error) {
	held, err := closeSupport(ctx, tx, grant)
	if err != nil {
		return SupportGrant{}, nil, err
	}
	rows, err := selectDone(ctx, tx, grant, false, receiptRowsMax)
	if err != nil {
		return SupportGrant{}, nil, err
	}
	if held {
		digest := receiptDigest(rows)
		if kept, err := keepReceipt(ctx, tx, grant, len(rows), digest); err != nil || !kept {
			return SupportGrant{}, nil, orOver(err)
		}
		act := tenant.Act{Action: "support.receipt", Object: "support", ID: grant.UUID, Detail: fmt.Sprintf("%d lines, SHA-256 %x", len(rows), digest)}
		if err := tx.Record(ctx, act); err != nil {
			return SupportGrant{}, nil, err
		}
	}
	g, err := SupportByID(ctx, tx, grant)
	return g, deedsOf(rows), err
}

// receiptDigest is SHA-256 over the netstrings of "countinghouse support receipt 1" and, for each line in the order of
// its id, its id, moment (RFC 3339, UTC), action, object's kind and id, request, detail, before and after: all of it is
// in an export of the record.
func receiptDigest(rows []visitRow) []byte {
	h := sha256.New()
	write := func(s string) { fmt.Fprintf(h, "%d:%s,", len(s), s) }
	write("countinghouse support receipt 1")
	for _, r := range rows {
		object := ""
		if r.ObjectID != nil {
			object = r.ObjectID.String()
		}
		for _, s := range []string{r.ID.String(), r.At.UTC().Format(time.RFC3339Nano), r.Action, r.Object, object, r.Request, r.Detail, r.Before, r.After} {
			write(s)
		}
	}
	return h.Sum(nil)
}
