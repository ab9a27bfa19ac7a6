package vaulttest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/secretstest"
)

// program is the built Vault.
var program string

// shared is the Vault of the tests that leave it as it is.
var shared *realVault

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "countinghouse-vault-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	if program, err = filepath.Abs("../../.cache/realvault"); err == nil {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
		build.Dir, build.Stderr = "../realvault", os.Stderr
		err = build.Run()
	}
	if err == nil {
		shared, err = startVault(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "running a Vault:", err)
		return 1
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping Vault:", err)
		return 1
	}
	return code
}

// realVault is one that runs.
type realVault struct {
	Address      string `json:"address"`
	CAFile       string `json:"ca_file"`
	RoleID       string `json:"role_id"`
	SecretIDFile string `json:"secret_id_file"`
	KeysFile     string `json:"keys_file"`

	folder  string
	process *exec.Cmd
	stdin   io.Closer
	root    *api.Client
	unseal  string
}

// startVault runs a Vault on what lies in folder.
func startVault(folder string, flags ...string) (*realVault, error) {
	v := &realVault{folder: folder}
	v.process = exec.Command(program, append([]string{"-data", folder, "-policy", "../../charts/countinghouse/vault/policy.hcl"}, flags...)...)
	v.process.Stderr = os.Stderr
	out, err := v.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if v.stdin, err = v.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := v.process.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("it ended: %w", err)
	}
	if err := json.Unmarshal(line, v); err != nil {
		return nil, err
	}
	return v, v.becomeRoot()
}

func (v *realVault) becomeRoot() error {
	var keys struct {
		Unseal string `json:"unseal_key"`
		Root   string `json:"root_token"`
	}
	text, err := os.ReadFile(v.KeysFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &keys); err != nil {
		return err
	}
	config := api.DefaultConfig()
	config.Address = v.Address
	if v.CAFile != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: v.CAFile}); err != nil {
			return err
		}
	}
	if v.root, err = api.NewClient(config); err != nil {
		return err
	}
	v.root.SetToken(keys.Root)
	v.unseal = keys.Unseal
	return nil
}

func (v *realVault) stop() error {
	if err := v.stdin.Close(); err != nil {
		return err
	}
	return v.process.Wait()
}

// newVault runs a Vault for one test.
func newVault(t *testing.T, flags ...string) *realVault {
	t.Helper()
	v, err := startVault(t.TempDir(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.stop(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// config is how the service gets in.
func (v *realVault) config() secrets.VaultConfig {
	return secrets.VaultConfig{Address: v.Address, CAFile: v.CAFile, Auth: "approle", RoleID: v.RoleID, SecretIDFile: v.SecretIDFile}
}

// write does what an operator does.
func (v *realVault) write(t *testing.T, path string, data map[string]any) map[string]any {
	t.Helper()
	secret, err := v.root.Logical().Write(path, data)
	if err != nil {
		t.Fatal(err)
	}
	if secret == nil {
		return nil
	}
	return secret.Data
}

func open(t *testing.T, config secrets.VaultConfig) *secrets.Vault {
	t.Helper()
	keyring, err := secrets.NewVault(config)
	if err != nil {
		t.Fatal(err)
	}
	return keyring
}

// newOrganization has a key.
func newOrganization(t *testing.T, keyring secrets.Keyring) secrets.Place {
	t.Helper()
	p := secrets.Place{Organization: secretstest.NewOrganization(), Table: "bank_account", Column: "iban", Row: "1"}
	if err := keyring.CreateKey(t.Context(), p.Organization); err != nil {
		t.Fatal(err)
	}
	return p
}

func seal(t *testing.T, keyring secrets.Keyring, p secrets.Place) string {
	t.Helper()
	sealed, err := keyring.Seal(t.Context(), p, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestKeyring(t *testing.T) {
	t.Parallel()
	secretstest.Run(t, func(t *testing.T) secrets.Keyring { return open(t, shared.config()) })
}
