package file_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 3))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archive(t *testing.T, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range entries {
		name, content, _ := strings.Cut(name, "=")
		part, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLook(t *testing.T) {
	t.Parallel()
	pdf := []byte("%PDF-1.7\n")
	for _, c := range []struct {
		name, body string
		kept, kind string
		want       *fault.Error
	}{
		{"plan.pdf", string(pdf), "plan.pdf", "application/pdf", nil},
		{`C:\Users\me\Plan Été.PDF`, string(pdf), "Plan Été.PDF", "application/pdf", nil},
		{"../../etc/plan.pdf", string(pdf), "plan.pdf", "application/pdf", nil},
		{"fdp.\u202eexe.pdf", string(pdf), "fdp.exe.pdf", "application/pdf", nil},
		{"dot.png", string(picture(t)), "dot.png", "image/png", nil},
		{"hours.csv", "day,hours\n1,8\n", "hours.csv", "text/csv", nil},
		{"read me.txt", "Grüße\r\n", "read me.txt", "text/plain", nil},
		{"terms.docx", string(archive(t, "[Content_Types].xml", "word/document.xml")), "terms.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", nil},
		{"list.xlsx", string(archive(t, "[Content_Types].xml", "xl/workbook.xml")), "list.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", nil},
		{"list.ods", string(archive(t, "mimetype=application/vnd.oasis.opendocument.spreadsheet")), "list.ods", "application/vnd.oasis.opendocument.spreadsheet", nil},

		{"none.pdf", "", "", "", file.ErrEmpty},
		{"page.html", "<html><script>alert(1)</script>", "", "", file.ErrKind},
		{"page.txt", " \n<svg onload=alert(1)>", "", "", file.ErrKind},
		{"page.txt", "\ufeff<html>", "", "", file.ErrKind},
		{"picture.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`, "", "", file.ErrKind},
		{"run.pdf", "MZ\x90\x00\x03", "", "", file.ErrKind},
		{"run.exe", string(pdf), "", "", file.ErrNamed},
		{"plan.png", string(pdf), "", "", file.ErrNamed},
		{"half.png", "\x89PNG\r\n\x1a\nnothing", "", "", file.ErrKind},
		{"tools.zip", string(archive(t, "run.exe")), "", "", file.ErrKind},
		{"macro.docx", string(archive(t, "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")), "", "", file.ErrKind},
		{"plan", string(pdf), "", "", file.ErrName},
		{".pdf", string(pdf), "", "", file.ErrName},
		{"a\x00.pdf", string(pdf), "", "", file.ErrName},
		{strings.Repeat("x", 120) + ".pdf", string(pdf), "", "", file.ErrName},
	} {
		kept, kind, err := file.Look(c.name, []byte(c.body))
		if c.want == nil && (err != nil || kept != c.kept || kind != c.kind) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%q is %q, %q, %v; want %q, %q, %v", c.name, kept, kind, err, c.kept, c.kind, c.want)
		}
	}
	if _, _, err := file.Look("long.txt", bytes.Repeat([]byte("x"), file.MaxBytes+1)); !errors.Is(err, file.ErrTooLarge) {
		t.Errorf("a file of more than the limit: %v", err)
	}
}

func TestKeepAndRead(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	o, other := tenanttest.Found(t, db, nil), tenanttest.Found(t, db, nil)
	subject := uuid.New()
	body := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("0123456789abcdef"), 50_000)...) // more than three pieces
	var kept file.File
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) (err error) {
		kept, err = file.Keep(ctx, tx, file.Input{Kind: file.Attachment, Subject: subject, Name: "plan.pdf", Bytes: body})
		return err
	})
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		again, err := file.Read(ctx, tx, kept)
		if err == nil && !bytes.Equal(again, body) {
			t.Errorf("%d bytes came back, %d went in", len(again), len(body))
		}
		return err
	})
	ctx := context.Background()
	run := func(fn func(tx *tenant.Tx) error) error { return tenant.Do(ctx, db, o.Scope, fn) }
	var out bytes.Buffer
	if err := file.Write(ctx, run, kept, &out); err != nil || !bytes.Equal(out.Bytes(), body) {
		t.Errorf("%d bytes were written, %v", out.Len(), err)
	}
	tenanttest.Do(t, db, other, func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := file.ByID(ctx, tx, kept.ID); !errors.Is(err, file.ErrNotFound) {
			t.Errorf("another organization's file: %v", err)
		}
		return nil
	})
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := file.Remove(ctx, tx, kept.ID)
		return err
	})
	if err := file.Write(ctx, run, kept, &out); !errors.Is(err, file.ErrNotFound) {
		t.Errorf("a removed file: %v", err)
	}
}

func TestKeepRefusesOneTooMany(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, nil)
	subject := uuid.New()
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		in := file.Input{Kind: file.Attachment, Subject: subject, Name: "a.txt", Bytes: []byte("a")}
		for range file.MaxFiles {
			if _, err := file.Keep(ctx, tx, in); err != nil {
				return err
			}
		}
		if _, err := file.Keep(ctx, tx, in); !errors.Is(err, file.ErrTooMany) {
			t.Errorf("one more: %v", err)
		}
		in.Subject = uuid.New()
		_, err := file.Keep(ctx, tx, in)
		return err
	})
}
