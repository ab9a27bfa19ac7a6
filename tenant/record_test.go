package tenant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

type recorded struct {
	ID            uuid.UUID
	Before, After string
	Grant         *uuid.UUID `db:"grant_id"`
}

func record(t *testing.T, o tenanttest.Organization, changes ...tenant.Change) (row recorded) {
	t.Helper()
	thing := uuid.Must(uuid.NewV7())
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		if err := tx.Record(ctx, tenant.Act{Action: "thing.change", Object: "thing", ID: thing, Changes: changes}); err != nil {
			return err
		}
		return tx.Get(ctx, &row, `SELECT id, before, after, grant_id FROM audit_log WHERE object_id = $1`, thing)
	})
	return row
}

func TestRecord(t *testing.T) {
	t.Parallel()
	o := tenanttest.Found(t, tenanttest.DB(), nil)
	t.Run("keeps what became of what, and nothing of what stayed", func(t *testing.T) {
		t.Parallel()
		row := record(t, o, tenant.Change{Field: "terms", Before: "30", After: "14"}, tenant.Change{Field: "zone", Before: "UTC", After: "UTC"},
			tenant.Change{Field: "note", Before: "", After: "two\nlines: x"})
		if row.Before != "terms: 30\nnote: \n" || row.After != "terms: 14\nnote: two lines: x\n" || row.Grant != nil {
			t.Fatalf("%q became %q", row.Before, row.After)
		}
	})
	t.Run("keeps a person's data apart, and only a salted digest in the row", func(t *testing.T) {
		t.Parallel()
		row := record(t, o, tenant.Change{Field: "email", Before: "old@tide.example", After: "new@tide.example", Personal: true})
		var kept struct {
			Salt          uuid.UUID
			Before, After string
		}
		tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.Get(ctx, &kept, `SELECT salt, before, after FROM audit_private WHERE audit_id = $1 AND field = 'email'`, row.ID)
		})
		if strings.Contains(row.Before+row.After, "@") || kept.Before != "old@tide.example" || kept.After != "new@tide.example" {
			t.Fatalf("the row holds %q and %q, beside it stand %+v", row.Before, row.After, kept)
		}
		if row.Before != "email~ "+tenant.PersonalDigest(kept.Salt, "email", "before", kept.Before)+"\n" ||
			row.After != "email~ "+tenant.PersonalDigest(kept.Salt, "email", "after", kept.After)+"\n" {
			t.Fatal("the digests are not those of the values beside them")
		}
		if tenant.PersonalDigest(uuid.New(), "email", "before", kept.Before) == tenant.PersonalDigest(kept.Salt, "email", "before", kept.Before) {
			t.Fatal("the salt makes no difference")
		}
	})
	t.Run("takes any number and length of changes", func(t *testing.T) {
		t.Parallel()
		var many []tenant.Change
		for n := range 60 {
			many = append(many, tenant.Change{Field: fmt.Sprintf("field_%d", n), Before: strings.Repeat("ü", 500), After: strings.Repeat("日", n), Personal: n%3 == 0})
		}
		row := record(t, o, many...)
		if !strings.HasPrefix(row.Before, "field_0~ ") || strings.Count(row.Before, "\n") != strings.Count(row.After, "\n") {
			t.Fatalf("%q became %q", row.Before, row.After)
		}
	})
	t.Run("lets a person's data be erased, and nothing else be taken back", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, tenanttest.DB(), nil)
		row := record(t, o, tenant.Change{Field: "email", Before: "a@tide.example", After: "b@tide.example", Personal: true})
		for _, statement := range []string{
			`UPDATE audit_log SET detail = 'x'`, `DELETE FROM audit_log`, `TRUNCATE audit_log`,
			`UPDATE audit_private SET after = 'x'`, `UPDATE seal SET hash = hash`, `DELETE FROM seal`,
		} {
			err := tenant.Do(context.Background(), tenanttest.DB(), o.Scope, func(tx *tenant.Tx) error {
				return tenant.ExecUnchecked(context.Background(), tx, statement)
			})
			if tenant.SQLState(err) != "42501" {
				t.Errorf("%s: %v", statement, err)
			}
		}
		tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
			n, err := tx.Exec(ctx, `DELETE FROM audit_private WHERE audit_id = $1`, row.ID)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows were erased", n)
			}
			return err
		})
	})
}
