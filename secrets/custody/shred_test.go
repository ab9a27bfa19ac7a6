package custody_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestShred runs beside no other test: it dumps the whole database.
func TestShred(t *testing.T) {
	h := newHouse(t, 5)
	_, sign, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	shredder := custody.Shredder{DB: h.db, Keyring: h.keyring, Sign: sign, DatabaseBackups: 35 * 24 * time.Hour, KeyBackups: 7 * 24 * time.Hour}

	// Closed, it is shut for its owner; restored, it is as it was.
	closure, err := tenant.CloseOrganization(t.Context(), h.db, h.Slug, 30*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	shut := func() error {
		return tenant.Do(t.Context(), h.db, h.Scope, func(*tenant.Tx) error { return nil })
	}
	if err := shut(); !errors.Is(err, tenant.ErrStale) {
		t.Errorf("a scope of before still enters: %v", err)
	}
	if _, err := tenant.EnterMember(t.Context(), h.db, h.Session, h.Slug); !errors.Is(err, tenant.ErrNoOrganization) {
		t.Errorf("the owner still enters: %v", err)
	}
	if _, err := tenant.CloseOrganization(t.Context(), h.db, h.Slug, 0); !errors.Is(err, tenant.ErrClosing) {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := shredder.Shred(t.Context(), closure); !errors.Is(err, tenant.ErrNotDue) {
		t.Errorf("destroyed before its time: %v", err)
	}
	if err := tenant.RestoreOrganization(t.Context(), h.db, h.Slug); err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.EnterMember(t.Context(), h.db, h.Session, h.Slug); err != nil {
		t.Errorf("restored, the owner does not enter: %v", err)
	}
	if h.scope, err = tenant.EnterOperator(t.Context(), h.db, h.Slug); err != nil {
		t.Fatal(err)
	}
	if err := h.read(t.Context(), h.rows[0]); err != nil {
		t.Errorf("restored, a secret does not open: %v", err)
	}

	dump := filepath.Join(t.TempDir(), "before.dump")
	run(t, "countinghouse", "pg_dump", "--format=custom", "--file="+dump)

	if closure, err = tenant.CloseOrganization(t.Context(), h.db, h.Slug, 30*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(31 * 24 * time.Hour)
	text, err := shredder.Shred(t.Context(), closure)
	if err != nil {
		t.Fatal(err)
	}
	h.checkGone(t)
	h.checkCertificate(t, text, sign)
	h.checkDump(t, dump)

	again, err := tenant.FindClosure(t.Context(), h.db, h.Slug)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := shredder.Shred(t.Context(), again); err != nil || !bytes.Equal(second, text) {
		t.Errorf("destroyed again: %v, %s", err, second)
	}
	if err := tenant.RestoreOrganization(t.Context(), h.db, h.Slug); !errors.Is(err, tenant.ErrNotClosing) {
		t.Errorf("restored after its end: %v", err)
	}
	if _, err := tenant.Migrate(t.Context(), tenanttest.Config()); err != nil {
		t.Errorf("after an end the rest cannot be migrated: %v", err)
	}
	if free, err := tenant.SlugFree(t.Context(), h.db, h.Slug); err != nil || !free {
		t.Errorf("its address is not free: %v", err)
	}
}

func (h *house) checkGone(t *testing.T) {
	t.Helper()
	for what, q := range map[string]string{
		"schema":      "SELECT count(*) FROM pg_namespace WHERE nspname = '" + h.schema + "'",
		"role":        "SELECT count(*) FROM pg_roles WHERE rolname = '" + h.schema + "'",
		"memberships": "SELECT count(*) FROM platform.membership WHERE organization_id = '" + h.id() + "'",
		"name":        "SELECT count(*) FROM platform.organization WHERE slug = '" + h.Slug + "'",
		"history":     "SELECT count(*) FROM platform.schema_version WHERE schema_name = '" + h.schema + "'",
	} {
		if got := psql(t, "countinghouse", q); got != "0" {
			t.Errorf("%s: %s left", what, got)
		}
	}
	if _, err := tenant.EnterOperator(t.Context(), h.db, h.Slug); !errors.Is(err, tenant.ErrNoOrganization) {
		t.Errorf("the operator still enters: %v", err)
	}
}

func (h *house) checkCertificate(t *testing.T, text []byte, sign ed25519.PrivateKey) {
	t.Helper()
	public, _ := sign.Public().(ed25519.PublicKey)
	c, err := custody.Verify(text, public)
	if err != nil {
		t.Fatal(err)
	}
	if c.Organization != h.id() || c.Address != h.Slug || len(c.Gone) != 4 || len(c.Remains) != 3 {
		t.Errorf("it says %+v", c)
	}
	if got := c.Remains[0].Until.Sub(c.BooksGoneAt); got != 35*24*time.Hour {
		t.Errorf("the books remain for %v", got)
	}
	if got := c.Remains[1].Until.Sub(c.KeyGoneAt); got != 7*24*time.Hour {
		t.Errorf("the key remains for %v", got)
	}
	if _, err := custody.Verify(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), public); err != nil {
		t.Errorf("other line ends undo it: %v", err)
	}
	for what, other := range map[string][]byte{
		"another organization": bytes.ReplaceAll(text, []byte(h.Slug), []byte("other-"+h.Slug[6:])),
		"another year":         bytes.ReplaceAll(text, []byte(`"until": "20`), []byte(`"until": "19`)),
		"no JSON":              text[1:],
		"nothing":              nil,
	} {
		if _, err := custody.Verify(other, public); !errors.Is(err, custody.ErrCertificate) {
			t.Errorf("with %s it is genuine: %v", what, err)
		}
	}
	stranger, forger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := custody.Sign(c, forger)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := custody.Verify(forged, public); !errors.Is(err, custody.ErrCertificate) {
		t.Errorf("one that somebody else signed is genuine: %v", err)
	}
	if _, err := custody.Verify(text, stranger); !errors.Is(err, custody.ErrCertificate) {
		t.Errorf("it is genuine under another key: %v", err)
	}
}

// checkDump restores what was dumped before the end: the books read, the secrets do not.
func (h *house) checkDump(t *testing.T, dump string) {
	t.Helper()
	psql(t, "postgres", "CREATE DATABASE restored")
	run(t, "restored", "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", dump)
	if got := psql(t, "restored", "SELECT count(*) > 5 FROM "+h.schema+".account"); got != "t" {
		t.Errorf("the books of the backup: %s", got)
	}
	values := strings.Fields(psql(t, "restored", "SELECT id || ' ' || sealed FROM "+h.schema+".thing ORDER BY id"))
	if len(values) != 2*len(h.rows) {
		t.Fatalf("the backup has %d values", len(values)/2)
	}
	for i := 0; i < len(values); i += 2 {
		if got, err := h.keyring.Open(t.Context(), h.place(values[i]), values[i+1]); !errors.Is(err, secrets.ErrKeyGone) {
			t.Errorf("a secret of the backup opens: %q, %v", got, err)
		}
	}
}
