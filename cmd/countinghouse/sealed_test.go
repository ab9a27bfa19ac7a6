package main

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestEverySealedColumnIsListed finds by its name each column that holds what a key sealed: it is called sealed, or
// ends in _sealed. One that is not listed would be left behind by a rotation, and be unreadable after it.
func TestEverySealedColumnIsListed(t *testing.T) {
	t.Parallel()
	var found []struct{ Schema, Table, Column, Key string }
	err := tenant.DoPlatform(t.Context(), tenanttest.DB(), func(tx *tenant.PlatformTx) error {
		ctx := context.Background()
		return tx.Select(ctx, &found, `
			SELECT n.nspname AS schema, c.relname AS table, a.attname AS column,
			       coalesce((SELECT string_agg(k.attname || ' ' || format_type(k.atttypid, NULL), ', ') FROM pg_index i
			                   JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey)
			                  WHERE i.indrelid = c.oid AND i.indisprimary), '') AS key
			  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			 WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '(^|_)sealed$'
			   AND a.atttypid::regtype::text IN ('character varying', 'text', 'bytea')
			   AND n.nspname IN ('platform', 'jobs', (SELECT min(o.schema_name) FROM platform.organization o WHERE o.state::text IN ('ready', 'active')))`)
	})
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, column := range found {
		name := column.Table + "." + column.Column
		if column.Schema == "platform" {
			name = "platform." + name
			if !slices.ContainsFunc(platformSealed, func(c tenant.PlatformSealedColumn) bool { return c.String() == name }) {
				t.Errorf("%s is not in platformSealed (sealed.go)", name)
			}
			continue
		}
		there = append(there, fmt.Sprintf("%s by %s", name, column.Key))
		if !slices.ContainsFunc(sealedColumns, func(c tenant.SealedColumn) bool { return c.String() == name }) {
			t.Errorf("%s holds what the keyring sealed. Add to sealedColumns (sealed.go): {Table: %q, Column: %q, Key: \"id\"}", name, column.Table, column.Column)
		}
	}
	for _, column := range sealedColumns {
		if want := fmt.Sprintf("%s by %s uuid", column, column.Key); !slices.Contains(there, want) {
			t.Errorf("sealedColumns has %s; there are %q", want, there)
		}
	}
	if len(found) == 0 {
		t.Error("nothing is found at all, not even platform.totp")
	}
}
