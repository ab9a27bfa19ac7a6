// Package file keeps files in the books: what is attached to a document, and the logo.
//
// They are rows of the organization's own schema, in pieces, so that one export, one backup and one deletion take
// everything along, and nobody holds a large file whole. What a file is, is told by its content and never by its name:
// what a browser would run is not kept at all.
package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about files.
var (
	ErrNotFound = fault.New(fault.NotFound, "file.not_found", "There is no such file.")
	ErrEmpty    = fault.New(fault.Invalid, "file.empty", "This file is empty. Choose another.").At("file")
	ErrTooLarge = fault.New(fault.Invalid, "file.too_large", "A file has at most 10 MB. Make it smaller, or share it in another way.").At("file")
	ErrTooMany  = fault.New(fault.Conflict, "file.too_many", "There are 20 files here already. Remove one first.").At("file")
	ErrFull     = fault.New(fault.Conflict, "plan.storage", "This file is more than your plan still has room for. Remove files, or choose a larger plan under Settings, Plan.").At("file")
	ErrKind     = fault.New(fault.Invalid, "file.kind", "Attach a PDF, a PNG, JPEG or WebP picture, plain text, CSV, or a document of Word, Excel or OpenDocument.").At("file")
	ErrNamed    = fault.New(fault.Invalid, "file.name_disagrees", "The name says one kind of file and the content another. Save it again as what it is.").At("file")
	ErrName     = fault.New(fault.Invalid, "file.name", "Give the file a name of at most 120 characters, with an ending such as .pdf.").At("name")
)

// MaxBytes is how large one file may be, MaxFiles how many there may be on one thing.
const (
	MaxBytes = 10 << 20
	MaxFiles = 20

	pieceBytes = 256 << 10
)

// ID names a file.
type ID = id.Of[File]

// Kind is what a file is for.
type Kind string

// The kinds.
const (
	Attachment Kind = "attachment"
	Logo       Kind = "logo"
	Import     Kind = "import" // waits for a yes to be imported
)

// File is a file without its bytes.
type File struct {
	ID        ID        `db:"id"`
	Kind      Kind      `db:"kind"`
	Subject   uuid.UUID `db:"subject_id"` // what it is attached to
	Name      string    `db:"file_name"`
	MediaType string    `db:"media_type"` // by its content
	Size      int64     `db:"size"`       // in bytes
	Digest    string    `db:"digest"`     // SHA-256, hexadecimal
	Mailed    bool      `db:"mailed"`     // it goes along when its document is mailed
	CreatedAt time.Time `db:"created_at"`
}

// Input is a file that is to be kept.
type Input struct {
	Kind    Kind
	Subject uuid.UUID
	Name    string
	Bytes   []byte
	Mailed  bool
}

// Keep keeps a file. It fails with what is wrong with it: ErrEmpty, ErrTooLarge, ErrName, ErrKind, ErrNamed, ErrTooMany, or ErrFull.
// The caller has locked the subject, or two at once may make one too many.
func Keep(ctx context.Context, tx *tenant.Tx, in Input) (File, error) {
	name, mediaType, err := Look(in.Name, in.Bytes)
	if err != nil {
		return File{}, err
	}
	count, err := countFiles(ctx, tx, in.Subject)
	if err != nil {
		return File{}, err
	}
	if count >= MaxFiles {
		return File{}, ErrTooMany
	}
	if err := checkRoom(ctx, tx, int64(len(in.Bytes))); err != nil {
		return File{}, err
	}
	sum := sha256.Sum256(in.Bytes)
	f := File{ID: id.New[File](), Kind: in.Kind, Subject: in.Subject, Name: name, MediaType: mediaType, Size: int64(len(in.Bytes)),
		Digest: hex.EncodeToString(sum[:]), Mailed: in.Mailed, CreatedAt: tx.Now()}
	if err := insertFile(ctx, tx, f, in.Bytes); err != nil {
		return File{}, err
	}
	return f, tx.Record(ctx, tenant.Act{Action: "file.add", Object: "file", ID: f.ID.UUID, Detail: fmt.Sprintf("%s, %d bytes, %s", f.MediaType, f.Size, f.Digest)})
}

// checkRoom refuses what the plan has no room for. The limit is asked for first, which lets one caller at a time count.
func checkRoom(ctx context.Context, tx *tenant.Tx, size int64) error {
	most, ok, err := tx.PlanLimit(ctx, tenant.LimitStorageMB)
	if err != nil || !ok {
		return err
	}
	kept, err := Stored(ctx, tx)
	if err != nil {
		return err
	}
	if kept+size > most*1_000_000 {
		return ErrFull.Sayf("Your plan has room for %d MB of files, and with this one there would be more. Remove files, or choose a larger plan under Settings, Plan.", most)
	}
	return nil
}

// Stored is how many bytes the organization's files have together. Exports and imports, which go away by themselves, do
// not count.
func Stored(ctx context.Context, tx *tenant.Tx) (int64, error) { return sumFiles(ctx, tx) }

// Hold keeps a file that is to be imported, until it is removed or the time is over. It is looked at by who imports it. It
// fails with ErrEmpty, ErrTooLarge and ErrName.
func Hold(ctx context.Context, tx *tenant.Tx, name string, body []byte, until time.Time) (File, error) {
	switch {
	case len(body) == 0:
		return File{}, ErrEmpty
	case len(body) > MaxBytes:
		return File{}, ErrTooLarge
	}
	name, err := cleanName(name)
	if err != nil {
		return File{}, err
	}
	sum := sha256.Sum256(body)
	f := File{ID: id.New[File](), Kind: Import, Name: name, MediaType: txt.mediaType, Size: int64(len(body)), Digest: hex.EncodeToString(sum[:]), CreatedAt: tx.Now()}
	if err := insertFile(ctx, tx, f, body); err != nil {
		return File{}, err
	}
	return f, setExpiry(ctx, tx, f.ID, until)
}

// Of lists what is attached to a thing, the oldest first.
func Of(ctx context.Context, tx *tenant.Tx, subject uuid.UUID) ([]File, error) {
	return selectFiles(ctx, tx, subject)
}

// ByID gives one file; ErrNotFound.
func ByID(ctx context.Context, tx *tenant.Tx, file ID) (File, error) {
	return selectFile(ctx, tx, file)
}

// Remove deletes a file with its bytes; ErrNotFound. That there was one stays on the record, with its digest.
func Remove(ctx context.Context, tx *tenant.Tx, file ID) (File, error) {
	f, err := selectFile(ctx, tx, file)
	if err != nil {
		return f, err
	}
	if err := deleteFile(ctx, tx, file); err != nil {
		return f, err
	}
	return f, tx.Record(ctx, tenant.Act{Action: "file.remove", Object: "file", ID: file.UUID, Detail: f.Digest})
}

// Read gives all of a file at once.
func Read(ctx context.Context, tx *tenant.Tx, f File) ([]byte, error) {
	all := make([]byte, 0, f.Size)
	for position := 0; int64(len(all)) < f.Size; position++ {
		piece, err := selectPiece(ctx, tx, f.ID, position)
		if err != nil {
			return nil, err
		}
		all = append(all, piece...)
	}
	return all, nil
}

// Write writes a file piece by piece, each read by run in a transaction of its own, so that none waits for whoever
// reads. A file that is removed meanwhile breaks off with ErrNotFound.
func Write(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, f File, w io.Writer) error {
	var written int64
	for position := 0; written < f.Size; position++ {
		var piece []byte
		err := run(func(tx *tenant.Tx) (err error) {
			piece, err = selectPiece(ctx, tx, f.ID, position)
			return err
		})
		if err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return fmt.Errorf("writing a file: %w", err)
		}
		written += int64(len(piece))
	}
	return nil
}
