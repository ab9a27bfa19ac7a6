package vaulttest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/secrets"
)

// refuses fails unless every use of the keyring answers want, as something that will pass.
func refuses(t *testing.T, keyring secrets.Keyring, p secrets.Place, sealed string, want *fault.Error) {
	t.Helper()
	_, opening := keyring.Open(t.Context(), p, sealed)
	_, sealing := keyring.Seal(t.Context(), p, []byte("secret"))
	for use, err := range map[string]error{"Open": opening, "Seal": sealing, "CreateKey": keyring.CreateKey(t.Context(), p.Organization)} {
		if !errors.Is(err, want) || !errors.Is(err, secrets.ErrUnavailable) || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v, want %v", use, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s says to the client: %v", use, err)
		}
	}
}

func opens(t *testing.T, keyring secrets.Keyring, p secrets.Place, sealed string) {
	t.Helper()
	if got, err := keyring.Open(t.Context(), p, sealed); err != nil || string(got) != "secret" {
		t.Errorf("Open: %q, %v", got, err)
	}
}

func TestSealedVault(t *testing.T) {
	t.Parallel()
	v, now := newVault(t), newClock()
	config := v.config()
	config.Now = now.Now
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	if err := v.root.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
	refuses(t, keyring, p, sealed, secrets.ErrSealed)
	refuses(t, open(t, config), p, sealed, secrets.ErrSealed) // one that has never been in
	if _, err := v.root.Sys().Unseal(v.unseal); err != nil {
		t.Fatal(err)
	}
	now.advance(3 * time.Second) // the breaker has opened
	opens(t, keyring, p, sealed)
}

func TestRestartedVault(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	v, err := startVault(folder)
	if err != nil {
		t.Fatal(err)
	}
	now := newClock()
	config := v.config()
	config.Now = now.Now
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	if err := v.stop(); err != nil {
		t.Fatal(err)
	}
	refuses(t, keyring, p, sealed, secrets.ErrUnreachable)
	again, err := startVault(folder, "-listen", strings.TrimPrefix(v.Address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := again.stop(); err != nil {
			t.Error(err)
		}
	})
	now.advance(3 * time.Second)
	opens(t, keyring, p, sealed)
}

// TestSlowVault has a line that takes what is sent and answers nothing.
func TestSlowVault(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	config := shared.config()
	config.Address, config.Timeout = "http://"+listener.Addr().String(), 100*time.Millisecond
	p := newOrganization(t, open(t, shared.config()))
	sealed := seal(t, open(t, shared.config()), p)
	began := time.Now()
	refuses(t, open(t, config), p, sealed, secrets.ErrSlow)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("three calls took %v", took)
	}
}

func TestLostPermission(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	keyring := open(t, v.config())
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	policy, err := v.root.Sys().GetPolicy("countinghouse")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.root.Sys().PutPolicy("countinghouse", `path "auth/token/lookup-self" { capabilities = ["read"] }`); err != nil {
		t.Fatal(err)
	}
	refuses(t, keyring, p, sealed, secrets.ErrRefused)
	if err := v.root.Sys().DeletePolicy("countinghouse"); err != nil {
		t.Fatal(err)
	}
	refuses(t, keyring, p, sealed, secrets.ErrRefused)
	if err := v.root.Sys().PutPolicy("countinghouse", policy); err != nil {
		t.Fatal(err)
	}
	opens(t, keyring, p, sealed)

	// The role itself is gone, and the token with it.
	if _, err := v.root.Logical().Delete("auth/approle/role/countinghouse"); err != nil {
		t.Fatal(err)
	}
	if err := v.root.Sys().RevokePrefix("auth/approle"); err != nil {
		t.Fatal(err)
	}
	refuses(t, keyring, p, sealed, secrets.ErrRefused)
}

// TestDeletedByHand takes a key away behind the service's back: nothing makes it again but CreateKey.
func TestDeletedByHand(t *testing.T) {
	t.Parallel()
	keyring := open(t, shared.config())
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	path := "transit/keys/organization-" + p.Organization
	shared.write(t, path+"/config", map[string]any{"deletion_allowed": true})
	if _, err := shared.root.Logical().Delete(path); err != nil {
		t.Fatal(err)
	}
	_, opening := keyring.Open(t.Context(), p, sealed)
	_, sealing := keyring.Seal(t.Context(), p, []byte("secret"))
	if !errors.Is(opening, secrets.ErrKeyMissing) || !errors.Is(sealing, secrets.ErrKeyMissing) {
		t.Errorf("Open: %v, Seal: %v, want ErrKeyMissing", opening, sealing)
	}
	if key, err := shared.root.Logical().Read(path); err != nil || key != nil {
		t.Errorf("sealing made a key: %v, %v", key, err)
	}
}

// TestPolicy holds what the service must not be able to do, whatever its code does.
func TestPolicy(t *testing.T) {
	t.Parallel()
	keyring := open(t, shared.config())
	p := newOrganization(t, keyring)
	if err := keyring.DeleteKey(t.Context(), newOrganization(t, keyring).Organization); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(shared.SecretIDFile)
	if err != nil {
		t.Fatal(err)
	}
	service, err := shared.root.Clone()
	if err != nil {
		t.Fatal(err)
	}
	in, err := service.Logical().Write("auth/approle/login", map[string]any{"role_id": shared.RoleID, "secret_id": string(secret)})
	if err != nil {
		t.Fatal(err)
	}
	service.SetToken(in.Auth.ClientToken)
	mine := "transit/keys/organization-" + p.Organization
	for name, try := range map[string]func() error{
		"make an exportable key": func() error {
			_, err := service.Logical().Write("transit/keys/organization-x", map[string]any{"type": "aes256-gcm96", "derived": true, "exportable": true})
			return err
		},
		"make a key with convergent encryption": func() error {
			_, err := service.Logical().Write("transit/keys/organization-x", map[string]any{"type": "aes256-gcm96", "derived": true, "convergent_encryption": true})
			return err
		},
		"make a key exportable": func() error {
			_, err := service.Logical().Write(mine+"/config", map[string]any{"exportable": true})
			return err
		},
		"destroy old versions": func() error {
			_, err := service.Logical().Write(mine+"/trim", map[string]any{"min_available_version": 1})
			return err
		},
		"export a key": func() error {
			_, err := service.Logical().Read("transit/export/encryption-key/organization-" + p.Organization)
			return err
		},
		"back a key up": func() error {
			_, err := service.Logical().Read("transit/backup/organization-" + p.Organization)
			return err
		},
		"list keys":          func() error { _, err := service.Logical().List("transit/keys"); return err },
		"take the mark back": func() error { _, err := service.Logical().Delete("transit/keys/gone-" + p.Organization); return err },
		"make the mark deletable": func() error {
			_, err := service.Logical().Write("transit/keys/gone-"+p.Organization+"/config", map[string]any{"deletion_allowed": true})
			return err
		},
		"use another's key": func() error {
			_, err := service.Logical().Write("transit/encrypt/other", map[string]any{"plaintext": "eA=="})
			return err
		},
		"seal with a key that isn't": func() error {
			_, err := service.Logical().Write("transit/encrypt/organization-y", map[string]any{"plaintext": "eA==", "context": "eA=="})
			return err
		},
		"change policies": func() error { return service.Sys().PutPolicy("countinghouse", "") },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("the service may %s: %v", name, err)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	v, now := newVault(t), newClock()
	way := standBetween(t, v)
	config := v.config()
	config.Address, config.Now = way.address, now.Now
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	logins := func() (logins, renewals int) {
		for _, path := range way.asked() {
			switch path {
			case "/v1/auth/approle/login":
				logins++
			case "/v1/auth/token/renew-self":
				renewals++
			}
		}
		return logins, renewals
	}
	if in, renewed := logins(); in != 1 || renewed != 0 {
		t.Errorf("at first %d logins and %d renewals", in, renewed)
	}
	now.advance(41 * time.Minute) // of an hour
	opens(t, keyring, p, sealed)
	opens(t, keyring, p, sealed)
	if in, renewed := logins(); in != 0 || renewed != 1 {
		t.Errorf("after two thirds of its time %d logins and %d renewals", in, renewed)
	}
	now.advance(2 * time.Hour)
	opens(t, keyring, p, sealed)
	if in, renewed := logins(); in != 1 || renewed != 0 {
		t.Errorf("after its end %d logins and %d renewals", in, renewed)
	}
	if err := v.root.Sys().RevokePrefix("auth/approle"); err != nil {
		t.Fatal(err)
	}
	opens(t, keyring, p, sealed)
	if in, _ := logins(); in != 1 {
		t.Errorf("after it was revoked %d logins", in)
	}
}

// TestChangedSecret gives the role another secret, in the same file, and ends the old one.
func TestChangedSecret(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	config := v.config()
	config.SecretIDFile = filepath.Join(t.TempDir(), "secret_id")
	copySecret := func(text string) {
		if err := os.WriteFile(config.SecretIDFile, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := v.write(t, "auth/approle/role/countinghouse/secret-id", nil)
	copySecret(first["secret_id"].(string))
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	copySecret(v.write(t, "auth/approle/role/countinghouse/secret-id", nil)["secret_id"].(string))
	v.write(t, "auth/approle/role/countinghouse/secret-id/destroy", map[string]any{"secret_id": first["secret_id"]})
	if err := v.root.Sys().RevokePrefix("auth/approle"); err != nil {
		t.Fatal(err)
	}
	opens(t, keyring, p, sealed)
}

func TestNamespace(t *testing.T) {
	t.Parallel()
	way := standBetween(t, shared)
	config := shared.config()
	config.Address, config.Namespace = way.address, "books/"
	// This Vault has no namespaces and says so of each request, so that the header has surely come to it.
	way.answer(func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("X-Vault-Namespace")
		return false
	})
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	opens(t, keyring, p, seal(t, keyring, p))
	if len(way.seen) < 3 {
		t.Fatalf("%d requests", len(way.seen))
	}
	for i, header := range way.seen {
		if got := header.Get("X-Vault-Namespace"); strings.Trim(got, "/") != "books" {
			t.Errorf("%s has namespace %q", way.paths[i], got)
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	v := newVault(t, "-tls")
	keyring := open(t, v.config())
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	opens(t, keyring, p, sealed)
	stranger := v.config()
	stranger.CAFile = ""
	refuses(t, open(t, stranger), p, sealed, secrets.ErrUnreachable)
}

func TestBusyVault(t *testing.T) {
	t.Parallel()
	way := standBetween(t, shared)
	config := shared.config()
	config.Address = way.address
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable} {
		left := 2
		way.answer(func(w http.ResponseWriter, r *http.Request) bool {
			left--
			return left >= 0 && always(status, `{"errors":["busy"]}`)(w, r)
		})
		opens(t, keyring, p, sealed)
		if left != -1 {
			t.Errorf("of 2 failures with %d %d are left", status, left)
		}
	}
	// A rotation is not asked for twice: the first may have been heard.
	way.answer(always(http.StatusInternalServerError, `{"errors":["broken"]}`))
	way.asked()
	if _, err := keyring.RotateKey(t.Context(), p.Organization); !errors.Is(err, secrets.ErrUnreachable) {
		t.Errorf("RotateKey: %v", err)
	}
	if asked := way.asked(); len(asked) != 1 {
		t.Errorf("it asked %v", asked)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	way, now := standBetween(t, shared), newClock()
	config := shared.config()
	config.Address, config.Now = way.address, now.Now
	keyring := open(t, config)
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	way.answer(always(http.StatusBadGateway, "no"))
	for range 4 {
		refuses(t, keyring, p, sealed, secrets.ErrUnreachable)
	}
	if asked := len(way.asked()); asked > 12 {
		t.Errorf("%d requests went to a Vault that is away", asked)
	}
	refuses(t, keyring, p, sealed, secrets.ErrUnreachable)
	if asked := way.asked(); len(asked) != 0 {
		t.Errorf("an open circuit lets through %v", asked)
	}
	now.advance(3 * time.Second)
	if _, err := keyring.Open(t.Context(), p, sealed); !errors.Is(err, secrets.ErrUnreachable) {
		t.Errorf("Open: %v", err)
	}
	if asked := way.asked(); len(asked) != 1 {
		t.Errorf("the try after a while is %v", asked)
	}
	way.answer(nil)
	now.advance(3 * time.Second)
	opens(t, keyring, p, sealed)
	opens(t, keyring, p, sealed)
}

// TestKubernetes stands in for the part that needs a cluster: the login. What it gives is a real token.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	way := standBetween(t, shared)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("the account's first token"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said []string
	way.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/auth/cluster-7/login" {
			return false
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return false
		}
		said = append(said, string(body))
		made, err := shared.root.Logical().Write("auth/token/create", map[string]any{"policies": []string{"countinghouse"}, "ttl": "1h", "no_default_policy": true})
		if err != nil {
			return always(http.StatusInternalServerError, err.Error())(w, r)
		}
		return always(http.StatusOK, `{"auth":{"client_token":"`+made.Auth.ClientToken+`","lease_duration":3600,"renewable":true}}`)(w, r)
	})
	now := newClock()
	keyring := open(t, secrets.VaultConfig{Address: way.address, Auth: "kubernetes", AuthMount: "cluster-7", Role: "countinghouse", TokenFile: token, Now: now.Now})
	p := newOrganization(t, keyring)
	sealed := seal(t, keyring, p)
	if err := os.WriteFile(token, []byte("the account's second token"), 0o600); err != nil {
		t.Fatal(err)
	}
	now.advance(2 * time.Hour)
	opens(t, keyring, p, sealed)
	if len(said) != 2 || !strings.Contains(said[0], "first token") || !strings.Contains(said[1], "second token") || !strings.Contains(said[0], `"role":"countinghouse"`) {
		t.Errorf("it logged in with %q", said)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *secrets.VaultConfig){
		"vault-address":        func(c *secrets.VaultConfig) { c.Address = "http://vault.example:8200" },
		"vault-auth":           func(c *secrets.VaultConfig) { c.Auth = "magic" },
		"vault-ca-file":        func(c *secrets.VaultConfig) { c.CAFile = empty },
		"vault-role-id":        func(c *secrets.VaultConfig) { c.RoleID = "" },
		"vault-secret-id-file": func(c *secrets.VaultConfig) { c.SecretIDFile = empty + "-not" },
		"vault-role":           func(c *secrets.VaultConfig) { c.Auth = "kubernetes" },
		"vault-token-file":     func(c *secrets.VaultConfig) { c.Auth, c.Role, c.TokenFile = "kubernetes", "r", empty+"-not" },
		"vault-timeout":        func(c *secrets.VaultConfig) { c.Timeout = -1 },
	} {
		config := shared.config()
		change(&config)
		_, err := secrets.NewVault(config)
		var said *fault.Error
		if !errors.As(err, &said) || !errors.Is(err, secrets.ErrSetting) || said.Field != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}
