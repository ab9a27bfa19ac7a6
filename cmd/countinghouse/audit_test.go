package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestAuditVerify(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	o := tenanttest.Found(t, db, func(ctx context.Context, tx *tenant.Tx) error {
		for _, action := range []string{"thing.add", "thing.change", "thing.archive"} {
			if err := tx.Record(ctx, tenant.Act{Action: action, Object: "thing"}); err != nil {
				return err
			}
		}
		return nil
	})
	var export bytes.Buffer
	if err := exportRecord(t.Context(), db, o.Slug, &export); err != nil {
		t.Fatal(err)
	}
	check := func(file []byte, head string) (string, error) {
		path := filepath.Join(t.TempDir(), "record.jsonl")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := auditVerify{File: path, Head: head}.run(&out)
		return out.String(), err
	}
	out, err := check(export.Bytes(), "")
	if err != nil || !strings.Contains(out, "The chain is whole") || !strings.Contains(out, "Rows          3\n") {
		t.Fatalf("%v, %s", err, out)
	}
	_, head, _ := strings.Cut(out, "Head          ")
	head, _, _ = strings.Cut(head, "\n")
	if out, err = check(export.Bytes(), head); err != nil || !strings.Contains(out, "that of row 3") {
		t.Fatalf("%v, %s", err, out)
	}
	if _, err = check(export.Bytes(), strings.Repeat("0", 64)); err == nil {
		t.Fatal("a head of another chain is found")
	}
	_, err = check(bytes.Replace(export.Bytes(), []byte("thing.change"), []byte("thing.glance"), 1), "")
	if err == nil || !strings.Contains(err.Error(), "row 2 (thing.glance") {
		t.Fatalf("%v", err)
	}
}
