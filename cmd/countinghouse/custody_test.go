package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

// TestOrgDelete closes, restores and ends an organization as an operator does.
func TestOrgDelete(t *testing.T) {
	t.Parallel()
	ctx, data := t.Context(), dataFolder(t)
	stop := runDev(t, data)
	defer stop()
	in := orgDatabase{Data: data}
	keys := orgKeys{orgDatabase: in, Keyring: "local"}
	keyring, err := keys.openKeyring()
	if err != nil {
		t.Fatal(err)
	}
	place := secrets.Place{Table: "thing", Column: "sealed", Row: "1"}
	err = in.use(ctx, func(db *tenant.DB) error {
		scope, err := tenant.EnterOperator(ctx, db, "acme")
		place.Organization = scope.Organization().ID.String()
		return errors.Join(err, keyring.CreateKey(ctx, place.Organization))
	})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keyring.Seal(ctx, place, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (orgDelete{orgKeys: keys, Grace: 30 * 24 * time.Hour, Slug: "acme"}).run(ctx, &out); err != nil || !strings.Contains(out.String(), "countinghouse org restore acme") {
		t.Errorf("it says %q (%v)", out.String(), err)
	}
	if err := (orgRestore{orgKeys: orgKeys{orgDatabase: in}, Slug: "acme"}).Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := keyring.Open(ctx, place, sealed); err != nil {
		t.Errorf("restored, a secret does not open: %v", err)
	}
	retention := retentionFlags{DatabaseBackups: 35 * 24 * time.Hour, KeyBackups: 35 * 24 * time.Hour}
	out.Reset()
	if err := (orgDelete{orgKeys: keys, retentionFlags: retention, Slug: "acme"}).run(ctx, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(ctx, place, sealed); !errors.Is(err, secrets.ErrKeyGone) {
		t.Errorf("deleted, a secret opens: %v", err)
	}
	testVerify(t, in, out.Bytes())
	out.Reset()
	if err := in.use(ctx, func(db *tenant.DB) error { return listOrganizations(ctx, db, &out) }); err != nil || out.Len() != 0 {
		t.Errorf("it lists %q (%v)", out.String(), err)
	}
}

func testVerify(t *testing.T, in orgDatabase, certificate []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "acme.json")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	verify := certificateVerify{orgDatabase: in, File: file}
	if err := verify.run(&out); err != nil || !strings.HasPrefix(out.String(), "Genuine, signed by ") || !strings.Contains(out.String(), `"address": "acme"`) {
		t.Errorf("it says %q (%v)", out.String(), err)
	}
	// Elsewhere, with the public key alone.
	public, _, _ := strings.Cut(strings.TrimPrefix(out.String(), "Genuine, signed by "), ".")
	verify.orgDatabase, verify.PublicKey = orgDatabase{Data: "nowhere"}, public
	if err := verify.run(&out); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(file, bytes.Replace(certificate, []byte("acme"), []byte("acne"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := verify.run(&out); !errors.Is(err, custody.ErrCertificate) || out.Len() != 0 {
		t.Errorf("changed, it says %q (%v)", out.String(), err)
	}
}

func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	data := dataFolder(t)
	stop := runDev(t, data)
	defer stop()
	keys := orgKeys{orgDatabase: orgDatabase{Data: data}, Keyring: "local"}
	if err := (secretsRotate{orgKeys: keys, Org: "acme"}).run(t.Context(), &bytes.Buffer{}); !errors.Is(err, secrets.ErrKeyMissing) {
		t.Errorf("without a key: %v", err)
	}
	keyring, err := keys.openKeyring()
	if err != nil {
		t.Fatal(err)
	}
	err = keys.use(t.Context(), func(db *tenant.DB) error {
		scope, err := tenant.EnterOperator(t.Context(), db, "acme")
		return errors.Join(err, keyring.CreateKey(t.Context(), scope.Organization().ID.String()))
	})
	if err != nil {
		t.Fatal(err)
	}
	// It waits for two minutes, or until it is interrupted; the next goes on.
	ctx, cancel := context.WithCancel(t.Context())
	out := stopAt{until: "Older versions are retired in", stop: cancel}
	if err := (secretsRotate{orgKeys: keys, Org: "acme"}).run(ctx, &out); !errors.Is(err, context.Canceled) {
		t.Errorf("it says %q (%v)", out.String(), err)
	}
	if !strings.Contains(out.String(), "All is sealed by version 2.") {
		t.Errorf("it says %q", out.String())
	}
	testServiceRotate(t, keys)
}

// testServiceRotate renews the service's own key while the service runs: a secret setting opens all the while.
func testServiceRotate(t *testing.T, keys orgKeys) {
	t.Helper()
	secret := "the captcha's own secret"
	read := func() {
		t.Helper()
		err := keys.keep(t.Context(), func(k *setting.Keeper) error {
			now, err := k.Now(t.Context())
			if err == nil && now.CaptchaSecret != secret {
				t.Error("the secret setting does not open")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	err := keys.keep(t.Context(), func(k *setting.Keeper) error {
		_, err := k.Set(t.Context(), tenant.PersonID{}, setting.Latest, []setting.Change{{Name: "captcha.secret", Value: &secret}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	read()
	ctx, cancel := context.WithCancel(t.Context())
	out := stopAt{until: "Older versions are retired in", stop: cancel}
	if err := (secretsRotate{orgKeys: keys, Service: true}).run(ctx, &out); !errors.Is(err, context.Canceled) || !strings.Contains(out.String(), "platform.setting_secret.sealed: 1 secret") {
		t.Errorf("it says %q (%v)", out.String(), err)
	}
	read()
}

// stopAt stops when something is written.
type stopAt struct {
	bytes.Buffer
	until string
	stop  func()
}

func (s *stopAt) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if strings.Contains(s.String(), s.until) {
		s.stop()
	}
	return n, err
}
