package takeout

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"path"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/tenant"
)

// manifest lists what is in the archive of everything, so that whoever has it can tell that it is whole.
type manifest struct {
	Format       string         `json:"format"`
	Organization string         `json:"organization"`
	Name         string         `json:"name"`
	ExportedAt   string         `json:"exported_at"`
	Files        []manifestFile `json:"files"`
}

type manifestFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const manifestFormat = "countinghouse export 1"

// archive is a ZIP file that keeps a list of what went in.
type archive struct {
	zip  *zip.Writer
	list manifest
	at   time.Time
}

// measured counts and digests what is written through it.
type measured struct {
	io.Writer
	size   int64
	digest hash.Hash
}

func (m *measured) Write(part []byte) (int, error) {
	n, err := m.Writer.Write(part)
	m.size += int64(n)
	m.digest.Write(part[:n])
	return n, err
}

// add puts a file into the archive.
func (a *archive) add(name string, write func(w io.Writer) error) error {
	entry, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at})
	if err != nil {
		return fmt.Errorf("adding %s: %w", name, err)
	}
	m := &measured{Writer: entry, digest: sha256.New()}
	if err := write(m); err != nil {
		return fmt.Errorf("adding %s: %w", name, err)
	}
	a.list.Files = append(a.list.Files, manifestFile{name, m.size, hex.EncodeToString(m.digest.Sum(nil))})
	return nil
}

// writeAll writes the archive of everything: all tables, both journals, the record with its seals, what is attached, and
// last the manifest.
func (p *pieces) writeAll(ctx context.Context, tx *tenant.Tx) error {
	o := tx.Scope().Organization()
	a := &archive{zip: zip.NewWriter(p), at: tx.Now(), list: manifest{Format: manifestFormat, Organization: o.ID.String(), Name: o.Name,
		ExportedAt: tx.Now().Format(time.RFC3339), Files: []manifestFile{}}}
	last, err := export.LastEntry(ctx, tx)
	if err != nil {
		return err
	}
	for _, c := range choices {
		if c.Formats[0] != CSV {
			continue
		}
		err := a.add(string(c.Subject)+".csv", func(w io.Writer) error { return p.writeTable(ctx, tx, c.Subject, sheet.CSV, last, w) })
		if err != nil {
			return err
		}
	}
	for name, format := range map[string]export.Format{"books.journal": export.Hledger, "books.beancount": export.Beancount} {
		if err := a.add(name, func(w io.Writer) error { return export.WriteThrough(ctx, tx, format, last, byLine{w, p}) }); err != nil {
			return err
		}
	}
	once := func(fn func(tx *tenant.Tx) error) error { return fn(tx) }
	err = a.add("record.jsonl", func(w io.Writer) error { return audit.WriteSealed(ctx, once, w, tx.Now()) })
	if err != nil {
		return err
	}
	if err := a.addAttachments(ctx, tx); err != nil {
		return err
	}
	return a.close()
}

// addAttachments adds each under its own id, since names repeat.
func (a *archive) addAttachments(ctx context.Context, tx *tenant.Tx) error {
	const most = 100
	once := func(fn func(tx *tenant.Tx) error) error { return fn(tx) }
	for after := uuid.Nil; ; {
		files, err := selectAttachments(ctx, tx, after, most)
		if err != nil {
			return err
		}
		for _, f := range files {
			err := a.add(path.Join("files", f.ID.String(), f.Name), func(w io.Writer) error { return file.Write(ctx, once, f, w) })
			if err != nil {
				return err
			}
			after = f.ID.UUID
		}
		if len(files) < most {
			return nil
		}
	}
}

func (a *archive) close() error {
	list, err := json.MarshalIndent(a.list, "", "\t")
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: "manifest.json", Method: zip.Deflate, Modified: a.at})
	if err == nil {
		_, err = w.Write(append(list, '\n'))
	}
	if err == nil {
		err = a.zip.Close()
	}
	if err != nil {
		return fmt.Errorf("closing the archive: %w", err)
	}
	return nil
}
