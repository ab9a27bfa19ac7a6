package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// Run runs fn in a transaction inside the organization, once or, the first time without effect, twice.
type Run func(fn func(tx *tenant.Tx) error) error

// exportPage is how many rows one transaction reads: none waits for whoever reads the file.
const exportPage = 500

const exportFormat = "countinghouse audit 1"

// The lines of an export: the first, one for each seal, the last.
type headLine struct {
	Format       string `json:"format"`
	Organization string `json:"organization"`
	ExportedAt   string `json:"exported_at"`
}

type sealLine struct {
	Seq      int64           `json:"seq"`
	Shape    int             `json:"shape"`
	ID       string          `json:"id"`
	SealedAt string          `json:"sealed_at"`
	Hash     string          `json:"hash"`
	Row      json.RawMessage `json:"row"` // null: it is gone
}

type endLine struct {
	End  bool   `json:"end"`
	Rows int64  `json:"rows"`
	Head string `json:"head"`
	File string `json:"file"` // SHA-256 in hex of all lines before this one
}

// WriteSealed writes the organization's whole chain as lines of JSON, with every row that it seals, in the shape that
// Verify reads: what is sealed at the beginning. People's data are not in it, only their digests.
func WriteSealed(ctx context.Context, run Run, w io.Writer, now time.Time) error {
	var head Head
	var organization tenant.OrganizationID
	err := run(func(tx *tenant.Tx) (err error) {
		organization = tx.Scope().Organization().ID
		head, err = selectHead(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	digest := sha256.New()
	out := io.MultiWriter(w, digest)
	if err := writeLine(out, headLine{exportFormat, organization.String(), stamp(now)}); err != nil {
		return err
	}
	for seq := int64(0); seq < head.Seq; {
		page, last, err := sealedPage(ctx, run, seq, head.Seq)
		if err != nil {
			return err
		}
		if _, err := out.Write(page); err != nil {
			return fmt.Errorf("writing the record: %w", err)
		}
		if last == seq {
			break // the chain has a hole to its end, which Verify will tell
		}
		seq = last
	}
	last := endLine{End: true, Rows: head.Seq, Head: head.Hash, File: hex.EncodeToString(digest.Sum(nil))}
	if head.Seq == 0 {
		last.Head = genesis(organization)
	}
	return writeLine(w, last)
}

// sealedPage gives the lines of the seals after seq, and the number of the last.
func sealedPage(ctx context.Context, run Run, seq, upTo int64) (lines []byte, last int64, err error) {
	var out bytes.Buffer
	err = run(func(tx *tenant.Tx) error {
		out.Reset()
		last = seq
		seals, err := selectSeals(ctx, tx, seq, upTo, exportPage)
		if err != nil || len(seals) == 0 {
			return err
		}
		rows, err := selectSealed(ctx, tx, seals)
		if err != nil {
			return err
		}
		for _, s := range seals {
			row := json.RawMessage("null")
			if what := rows[s.Row.String()]; what != nil {
				if row, err = plainJSON(what); err != nil {
					return err
				}
			}
			line := sealLine{s.Seq, s.Shape, s.Row.String(), stamp(s.SealedAt), s.Hash, row}
			if err := writeLine(&out, line); err != nil {
				return err
			}
			last = s.Seq
		}
		return nil
	})
	return out.Bytes(), last, err
}

func writeLine(w io.Writer, v any) error {
	b, err := plainJSON(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return nil
}

// plainJSON is the one way in which we write a value: without spaces, and with < > & as they are.
func plainJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
