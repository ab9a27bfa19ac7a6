package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/secrets"
)

// keyringFlags say who keeps the organizations' keys.
type keyringFlags struct {
	Keyring    string `env:"COUNTINGHOUSE_KEYRING" required:"" enum:"local,vault" help:"Who keeps the organizations' keys: vault, or local, in files of this machine."`
	KeyringDir string `env:"COUNTINGHOUSE_KEYRING_DIR" type:"path" placeholder:"DIR" help:"The folder of the local keyring."`
	vaultFlags
}

// vaultFlags say where Vault is and how to get in.
type vaultFlags struct {
	VaultAddress      string        `env:"COUNTINGHOUSE_VAULT_ADDRESS,VAULT_ADDR" placeholder:"URL" help:"Where Vault is, such as https://vault.example:8200."`
	VaultCAFile       string        `name:"vault-ca-file" env:"COUNTINGHOUSE_VAULT_CA_FILE,VAULT_CACERT" type:"path" placeholder:"FILE" help:"The certificate of the authority that vouches for it, if this machine does not know it."`
	VaultNamespace    string        `env:"COUNTINGHOUSE_VAULT_NAMESPACE,VAULT_NAMESPACE" help:"The namespace in it."`
	VaultMount        string        `env:"COUNTINGHOUSE_VAULT_MOUNT" default:"transit" help:"Where its Transit engine is mounted."`
	VaultAuth         string        `env:"COUNTINGHOUSE_VAULT_AUTH" default:"approle" enum:"approle,kubernetes" help:"How the service gets in: approle or kubernetes."`
	VaultAuthMount    string        `env:"COUNTINGHOUSE_VAULT_AUTH_MOUNT" help:"Where that is mounted; left out, under its own name."`
	VaultRoleID       string        `name:"vault-role-id" env:"COUNTINGHOUSE_VAULT_ROLE_ID" help:"The id of the AppRole."`
	VaultSecretIDFile string        `name:"vault-secret-id-file" env:"COUNTINGHOUSE_VAULT_SECRET_ID_FILE" type:"path" placeholder:"FILE" help:"A file that holds its secret id. It is read at each login, so that the secret may be changed."`
	VaultRole         string        `env:"COUNTINGHOUSE_VAULT_ROLE" help:"The role of the Kubernetes account."`
	VaultTokenFile    string        `env:"COUNTINGHOUSE_VAULT_TOKEN_FILE" type:"path" placeholder:"FILE" help:"The account's token; left out, where Kubernetes puts it."`
	VaultTimeout      time.Duration `env:"COUNTINGHOUSE_VAULT_TIMEOUT" default:"3s" help:"How long Vault may take for one answer."`
}

// open opens the keyring. What is wrong with a setting is said with the setting's name.
func (f keyringFlags) open() (secrets.Keyring, error) {
	if f.Keyring == "vault" {
		return f.openVault()
	}
	if f.KeyringDir == "" {
		return nil, errors.New("the local keyring needs its folder: --keyring-dir, or COUNTINGHOUSE_KEYRING_DIR")
	}
	keyring, err := secrets.OpenLocal(f.KeyringDir)
	return keyring, wrong("keyring-dir", err)
}

func (f vaultFlags) openVault() (secrets.Keyring, error) {
	keyring, err := secrets.NewVault(secrets.VaultConfig{
		Address: f.VaultAddress, CAFile: f.VaultCAFile, Namespace: f.VaultNamespace, Mount: f.VaultMount,
		Auth: f.VaultAuth, AuthMount: f.VaultAuthMount, RoleID: f.VaultRoleID, SecretIDFile: f.VaultSecretIDFile,
		Role: f.VaultRole, TokenFile: f.VaultTokenFile, Timeout: f.VaultTimeout,
	})
	var wrong *fault.Error
	if errors.As(err, &wrong) && wrong.Field != "" {
		return nil, fmt.Errorf("--%s: %s", wrong.Field, wrong.Say)
	} else if err != nil {
		return nil, err
	}
	return keyring, nil
}
