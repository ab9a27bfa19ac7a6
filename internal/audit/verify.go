package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// Proof is what a whole chain proves.
type Proof struct {
	Organization string // its id
	ExportedAt   string
	Rows         int64
	Head         string
	SealedAt     string // when the last row was sealed; empty for none
	// KeptAt is the number of the row whose hash is the head that was asked for; 0 for none.
	KeptAt int64
}

// Broken is where a chain breaks first.
type Broken struct {
	Line int    // of the file, from 1
	Row  int64  // the number in the chain; 0 when it is the file's first or last line
	Name string // what the row says it is; empty when it cannot be told
	Say  string // what is wrong
}

// Error names line and row.
func (b *Broken) Error() string {
	where := fmt.Sprintf("line %d", b.Line)
	if b.Row > 0 {
		where += fmt.Sprintf(", row %d", b.Row)
	}
	if b.Name != "" {
		where += " (" + b.Name + ")"
	}
	return where + ": " + b.Say
}

// lineMax bounds a line of an export; a journal entry of 500 lines with the longest memos takes a part of it.
const lineMax = 8 << 20

// Verify reads an export of WriteSealed and proves it, with nothing else at hand. kept may be a head that was kept
// from before, to be looked for in the chain; "" is none. What is broken is told as a *Broken, the first of it; other
// errors are the reader's.
//
// A chain that is whole may still have been made anew from the beginning by someone who owns the database: that is
// what a kept head shows.
func Verify(r io.Reader, kept string) (Proof, error) {
	return verify(r, kept, func(int64, sealable) {})
}

// verify gives each row that holds to seen.
func verify(r io.Reader, kept string, seen func(seq int64, what sealable)) (Proof, error) {
	v := &verifier{in: bufio.NewReader(r), digest: sha256.New(), kept: kept, seen: seen}
	if err := v.begin(); err != nil {
		return v.proof, err
	}
	for {
		line, err := v.next()
		if err != nil {
			return v.proof, err
		}
		if bytes.HasPrefix(line, []byte(`{"end":`)) {
			return v.proof, v.end(line)
		}
		if err := v.seal(line); err != nil {
			return v.proof, err
		}
		v.digest.Write(line)
	}
}

type verifier struct {
	in     *bufio.Reader
	digest hash.Hash
	kept   string
	seen   func(seq int64, what sealable)
	line   int
	proof  Proof
	newest string // the latest time of what is sealed so far
}

func (v *verifier) broken(row int64, name, say string) error {
	return &Broken{Line: v.line, Row: row, Name: name, Say: say}
}

// next gives a line with its end.
func (v *verifier) next() ([]byte, error) {
	v.line++
	var line []byte
	for {
		part, err := v.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, v.broken(v.proof.Rows+1, "", "the file ends here, before its end. Fetch it again; if it stays so, this row and those after it were cut off.")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("reading the export: %w", err)
		case len(line) > lineMax:
			return nil, v.broken(v.proof.Rows+1, "", "the line is longer than any that we write.")
		}
	}
}

// same reads a line into v and says whether it is, byte for byte, what we would have written.
func same(line []byte, v any) bool {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil {
		return false
	}
	again, err := plainJSON(v)
	return err == nil && bytes.Equal(append(again, '\n'), line)
}

func (v *verifier) begin() error {
	line, err := v.next()
	if err != nil {
		var b *Broken
		if errors.As(err, &b) {
			return v.broken(0, "", "this is no export of an audit record.")
		}
		return err
	}
	var head headLine
	if !same(line, &head) || head.Format != exportFormat {
		return v.broken(0, "", "this is no export of an audit record, or of a version that is not known here, or its first line was changed.")
	}
	organization, ok := id.Parse[tenant.Organization](head.Organization)
	if !ok {
		return v.broken(0, "", "the first line names no organization.")
	}
	v.proof = Proof{Organization: head.Organization, ExportedAt: head.ExportedAt, Head: genesis(organization)}
	v.digest.Write(line)
	return nil
}

func (v *verifier) seal(line []byte) error {
	want := v.proof.Rows + 1
	var s sealLine
	if !same(line, &s) {
		return v.broken(want, "", "the line was changed: it is not written as we write it.")
	}
	switch {
	case s.Seq > want:
		return v.broken(want, "", fmt.Sprintf("the row is missing: the file goes on with row %d.", s.Seq))
	case s.Seq < want:
		return v.broken(want, s.ID, fmt.Sprintf("row %d stands here once more, or in the wrong place.", s.Seq))
	}
	if string(s.Row) == "null" {
		return v.broken(want, s.ID, "the row was deleted: only its seal is left.")
	}
	what, err := readRow(s)
	if err != nil {
		return v.broken(want, s.ID, "the row was changed: it is not written as we write it.")
	}
	if what.id() != s.ID {
		return v.broken(want, what.name(), "the seal is of another row.")
	}
	if link(v.proof.Head, s.Seq, s.SealedAt, what) != s.Hash {
		return v.broken(want, what.name(), "the row is not what was sealed: it was changed, put in or moved after its sealing, or the seal was.")
	}
	if s.SealedAt < v.proof.SealedAt {
		return v.broken(want, what.name(), "it was sealed before the row that comes before it.")
	}
	if late(what.at(), v.newest) {
		return v.broken(want, what.name(), "it says to be of "+what.at()+", but was not there when rows of "+v.newest+" were sealed: it was put in later.")
	}
	v.newest = max(v.newest, what.at())
	v.proof.Rows, v.proof.Head, v.proof.SealedAt = s.Seq, s.Hash, s.SealedAt
	v.seen(s.Seq, what)
	if v.kept == s.Hash {
		v.proof.KeptAt = s.Seq
	}
	return nil
}

func readRow(s sealLine) (sealable, error) {
	var what sealable
	switch s.Shape {
	case shapeRecord:
		what = &record{}
	case shapePosting:
		what = &posting{}
	default:
		return nil, errShape
	}
	if !same(append(bytes.Clone(s.Row), '\n'), what) {
		return nil, errShape
	}
	return what, nil
}

// late says whether something is older than what was sealed before it by more than a transaction can take.
func late(at, newest string) bool {
	a, err := time.Parse(stampLayout, at)
	if err != nil {
		return true
	}
	n, err := time.Parse(stampLayout, newest)
	return err == nil && n.Sub(a) > lateness
}

func (v *verifier) end(line []byte) error {
	var last endLine
	switch {
	case !same(line, &last) || !last.End:
		return v.broken(0, "", "the last line was changed.")
	case last.Rows > v.proof.Rows:
		return v.broken(v.proof.Rows+1, "", fmt.Sprintf("the row is missing, with all after it: there were %d rows.", last.Rows))
	case last.Rows < v.proof.Rows || last.Head != v.proof.Head:
		return v.broken(0, "", "the last line does not belong to the rows before it.")
	case last.File != hex.EncodeToString(v.digest.Sum(nil)):
		return v.broken(0, "", "the first or the last line was changed; the rows between them are whole.")
	}
	if rest, err := v.in.Peek(1); len(rest) > 0 || !errors.Is(err, io.EOF) {
		v.line++
		return v.broken(0, "", "there is more after the last line.")
	}
	return nil
}
