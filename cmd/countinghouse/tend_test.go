package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestTend has two organizations of a database of its own time: one grows old, the other is to end.
func TestTend(t *testing.T) {
	t.Parallel()
	data := dataFolder(t)
	stop := runDev(t, data)
	defer stop()
	ctx, clock := t.Context(), &tenanttest.Clock{}
	config, err := notedConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	config.Now = clock.Now
	db, err := tenant.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	keyring, err := secrets.OpenLocal(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	p := parts{keyring: keyring, key: make([]byte, 32), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	scope, err := tenant.EnterOperator(ctx, db, "acme")
	if err != nil {
		t.Fatal(err)
	}
	organization := scope.Organization().ID.String()
	if err := keyring.CreateKey(ctx, organization); err != nil {
		t.Fatal(err)
	}
	tend := func() {
		t.Helper()
		for _, err := range p.tendOnce(ctx, db) {
			t.Error(err)
		}
	}
	version := func() int {
		t.Helper()
		sealed, err := keyring.Seal(ctx, secrets.Place{Organization: organization, Table: "thing", Column: "sealed", Row: "1"}, []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		version, _ := secrets.Version(sealed)
		return version
	}
	tend()
	clock.Advance(89 * 24 * time.Hour)
	tend()
	if got := version(); got != 1 {
		t.Errorf("after 89 days version %d is in use", got)
	}
	clock.Advance(2 * 24 * time.Hour)
	tend()
	if got := version(); got != 2 {
		t.Errorf("after 91 days version %d is in use", got)
	}
	clock.Advance(time.Hour)
	tend()
	if _, err := tenant.CloseOrganization(ctx, db, "acme", 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	tend()
	if got := version(); got != 2 {
		t.Errorf("in the time of grace version %d is in use", got)
	}
	clock.Advance(25 * time.Hour)
	tend()
	if c, err := tenant.FindClosure(ctx, db, "acme"); err != nil || c.Certificate == "" {
		t.Errorf("after it: %+v, %v", c, err)
	}
	tend()
}
