package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

const (
	receiptFormat = "countinghouse receipt 1"
	receiptName   = "countinghouse support receipt 1" // what its digest begins with
)

// Receipt is what was kept when a support visit was over.
type Receipt struct {
	Grant  uuid.UUID
	Rows   int
	Digest []byte
}

// receiptHead is the beginning of a receipt's file; the lines follow it. It says nothing that VerifyReceipt does not
// prove: who it was and why stands in the lines themselves.
type receiptHead struct {
	Format       string `json:"format"`
	Organization string `json:"organization"`
	Grant        string `json:"support_grant"`
	Rows         int    `json:"rows"`
	Digest       string `json:"digest"`
}

type receiptFile struct {
	receiptHead
	Lines []*record `json:"lines"`
}

// WriteReceipt writes a receipt and the lines of the record that it is about as one JSON object, in the shape that
// VerifyReceipt reads.
func WriteReceipt(ctx context.Context, run Run, w io.Writer, r Receipt) error {
	var organization tenant.OrganizationID
	before := `,"lines":[`
	for after, more := uuid.Nil, true; more; {
		var rows []recordRow
		err := run(func(tx *tenant.Tx) (err error) {
			organization = tx.Scope().Organization().ID
			rows, err = selectVisit(ctx, tx, r.Grant, after, exportPage)
			return err
		})
		if err != nil {
			return err
		}
		if after == uuid.Nil {
			head, err := plainJSON(receiptHead{receiptFormat, organization.String(), r.Grant.String(), r.Rows, hex.EncodeToString(r.Digest)})
			if err == nil {
				_, err = w.Write(bytes.TrimSuffix(head, []byte("}")))
			}
			if err != nil {
				return writingReceipt(err)
			}
		}
		for _, row := range rows {
			line, err := plainJSON(row.record())
			if err == nil {
				_, err = io.WriteString(w, before+"\n"+string(line))
			}
			if err != nil {
				return writingReceipt(err)
			}
			before, after = ",", row.ID
		}
		more = len(rows) == exportPage
	}
	if before != "," { // nothing was done
		if _, err := io.WriteString(w, before); err != nil {
			return writingReceipt(err)
		}
	}
	_, err := io.WriteString(w, "\n]}\n")
	return writingReceipt(err)
}

func writingReceipt(err error) error {
	if err != nil {
		return fmt.Errorf("writing a receipt: %w", err)
	}
	return nil
}

// BrokenReceipt is where a receipt and the sealed record part first.
type BrokenReceipt struct {
	Line int    // of the receipt's lines, from 1; 0: it is about none of them
	Name string // what the line says it is
	Say  string // what is wrong
}

// Error names the line.
func (b *BrokenReceipt) Error() string {
	if b.Line == 0 {
		return b.Say
	}
	return fmt.Sprintf("line %d (%s): %s", b.Line, b.Name, b.Say)
}

// ReceiptProof is what a receipt that holds proves.
type ReceiptProof struct {
	Proof        // of the record
	Grant string // the support visit
	Lines int
	Seal  string // SHA-256 over the lines, in hex
	Row   int64  // of the record, that says that this receipt was written
}

// VerifyReceipt holds a receipt of WriteReceipt against an export of WriteSealed that is younger than it, with nothing
// else at hand: the record's chain is whole, under the receipt's grant it has the receipt's lines and no others, their
// digest is the receipt's, and so the record says itself. It fails with a *Broken for the record and a *BrokenReceipt
// for the receipt, which names its first line that does not hold.
func VerifyReceipt(receipt, export io.Reader) (ReceiptProof, error) {
	r, err := readReceipt(receipt)
	if err != nil {
		return ReceiptProof{}, err
	}
	p := ReceiptProof{Grant: r.Grant, Lines: len(r.Lines), Seal: r.Digest}
	var done []*record
	var said string // of the receipt, in the record
	p.Proof, err = verify(export, "", func(seq int64, what sealable) {
		row, ok := what.(*record)
		switch {
		case !ok:
		case row.GrantID != nil && *row.GrantID == r.Grant:
			done = append(done, row)
		case row.Action == "support.receipt" && row.ObjectID != nil && *row.ObjectID == r.Grant && said == "":
			p.Row, said = seq, row.Detail
		}
	})
	if err != nil {
		return p, err
	}
	if p.Organization != r.Organization {
		return p, &BrokenReceipt{Say: "the receipt and the record are of two organizations."}
	}
	if err := compareReceipt(r.Lines, done); err != nil {
		return p, err
	}
	digest, err := digestOf(done)
	switch {
	case err != nil:
		return p, err
	case len(done) != r.Rows:
		return p, &BrokenReceipt{Say: fmt.Sprintf("the receipt says that it has %d lines, and has %d.", r.Rows, len(done))}
	case digest != r.Digest:
		return p, &BrokenReceipt{Say: "all lines are those of the record, but the digest is not theirs: they would give " + digest + "."}
	case said == "":
		return p, &BrokenReceipt{Say: "all lines are those of the record, which does not say yet that this receipt was written. Export the record again: the one at hand is older than the receipt."}
	case said != fmt.Sprintf("%d lines, SHA-256 %s", len(done), digest):
		return p, &BrokenReceipt{Say: fmt.Sprintf("row %d of the record is of another receipt of this visit: %s.", p.Row, said)}
	}
	return p, nil
}

// receiptMax bounds the file that is read: more than the longest visit leaves.
const receiptMax = 512 << 20

func readReceipt(in io.Reader) (r receiptFile, err error) {
	d := json.NewDecoder(io.LimitReader(in, receiptMax))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.Format != receiptFormat {
		return r, &BrokenReceipt{Say: "this is no receipt of a support visit, or of a version that is not known here."}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, &BrokenReceipt{Say: "there is more after the receipt's end."}
	}
	for n, line := range r.Lines {
		switch {
		case line == nil:
			return r, &BrokenReceipt{Line: n + 1, Name: "empty", Say: "there is nothing in it."}
		case n > 0 && line.ID <= r.Lines[n-1].ID:
			return r, &BrokenReceipt{Line: n + 1, Name: line.name(), Say: "it stands here once more, or in the wrong place."}
		}
	}
	return r, nil
}

// compareReceipt finds the first line that only one of them has, or that they tell differently.
func compareReceipt(lines, done []*record) error {
	slices.SortFunc(done, func(a, b *record) int { return strings.Compare(a.ID, b.ID) })
	for n := range max(len(lines), len(done)) {
		switch {
		case n >= len(done) || n < len(lines) && lines[n].ID < done[n].ID:
			return &BrokenReceipt{Line: n + 1, Name: lines[n].name(), Say: "the record has no such line of this visit. If the record is older than the receipt, export it again."}
		case n >= len(lines) || done[n].ID < lines[n].ID:
			return &BrokenReceipt{Line: n + 1, Name: done[n].name(), Say: "the record has this line of the visit, and the receipt leaves it out."}
		case !reflect.DeepEqual(lines[n], done[n]):
			return &BrokenReceipt{Line: n + 1, Name: done[n].name(), Say: "the receipt tells it otherwise than the record, where it was sealed."}
		}
	}
	return nil
}

// digestOf is SHA-256, in hex, over the netstrings of receiptName and, for each line in the order of its id, its id,
// moment (RFC 3339, UTC), action, object's kind and id (empty for none), request, detail, before and after.
func digestOf(lines []*record) (string, error) {
	n := netstrings{sha256.New()}
	n.text(receiptName)
	for _, r := range lines {
		at, err := time.Parse(stampLayout, r.At)
		if err != nil {
			return "", fmt.Errorf("reading the moment of %s: %w", r.ID, err)
		}
		object := ""
		if r.ObjectID != nil {
			object = *r.ObjectID
		}
		n.text(r.ID, at.UTC().Format(time.RFC3339Nano), r.Action, r.ObjectKind, object, r.RequestID, r.Detail, r.Before, r.After)
	}
	return n.sum(), nil
}
