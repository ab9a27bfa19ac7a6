package tenant_test

import (
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
)

// Whoever runs the platform sees how many schemas are behind, and which could not be brought forward and why.
func TestLookAtFleet(t *testing.T) {
	ctx := context.Background()
	config, owner := fleetOf(t, 3)
	db, err := tenant.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	before, err := tenant.LookAtFleet(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if total, behind := before.Total(); total != 3 || behind != 0 || len(before.Failures) != 0 || before.Last == nil {
		t.Errorf("fresh: %d schemas, %d behind: %+v", total, behind, before)
	}
	if before.Version == 0 || before.Platform == 0 || before.Database.Bytes == 0 || before.Database.Connections == 0 || before.Database.Most == 0 || before.Database.Server == "" {
		t.Errorf("fresh: %+v", before)
	}
	var odd string
	if err := owner.Get(&odd, `SELECT schema_name FROM platform.organization ORDER BY id LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	change(t, owner, "UPDATE platform.organization SET state = 'active', slug = 'elm-row', name = 'Elm Row', claimed_at = now() WHERE schema_name = '"+odd+"'")
	if shapes, err := tenant.Shapes(ctx, db, []string{"elm-row", "nobody"}); err != nil || len(shapes) != 1 || shapes["elm-row"].Behind || shapes["elm-row"].Version != before.Version || shapes["elm-row"].Bytes < 100_000 {
		t.Errorf("%+v, %v", shapes, err)
	}

	change(t, owner, "DELETE FROM platform.schema_version WHERE schema_name = '"+odd+"' AND version = (SELECT max(version) FROM platform.schema_version WHERE schema_name = '"+odd+"')")
	change(t, owner, "INSERT INTO platform.migration_failure VALUES ('"+odd+"', 21, '42701', 'column exists', now())")
	after, err := tenant.LookAtFleet(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if total, behind := after.Total(); total != 3 || behind != 1 || after.Failed != 1 {
		t.Errorf("one behind: %d schemas, %d behind, %d failed", total, behind, after.Failed)
	}
	if f := after.Failures[0]; f.Schema != odd || f.Slug != "elm-row" || f.Version != 21 || f.SQLState != "42701" || f.Reason != "column exists" || f.At.IsZero() {
		t.Errorf("%+v", f)
	}
	if shapes, err := tenant.Shapes(ctx, db, []string{"elm-row"}); err != nil || !shapes["elm-row"].Behind || shapes["elm-row"].Version >= before.Version {
		t.Errorf("behind: %+v, %v", shapes, err)
	}
}
