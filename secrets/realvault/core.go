package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/vault"
)

func openCore(data, address string, log hclog.Logger) (*vault.Core, error) {
	storage, err := file.NewFileBackend(map[string]string{"path": filepath.Join(data, "storage")}, log)
	if err != nil {
		return nil, err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical: storage, StorageType: "file", Logger: log, LogLevel: "error", RedirectAddr: "http://" + address,
		DisableMlock:       true, // it needs a capability, and what it protects lies in the data folder anyway
		LogicalBackends:    map[string]logical.Factory{"transit": transit.Factory},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory},
		BuiltinRegistry:    engines{},
	})
	if err != nil {
		return nil, fmt.Errorf("opening Vault: %w", err)
	}
	return core, nil
}

// engines names the two engines that this Vault has. They are given to it as factories, so none is a plugin.
type engines struct{}

func (engines) Get(string, consts.PluginType) (func() (interface{}, error), bool) { return nil, false }
func (engines) Contains(name string, kind consts.PluginType) bool {
	return name == "transit" && kind == consts.PluginTypeSecrets || name == "approle" && kind == consts.PluginTypeCredential
}
func (engines) Keys(kind consts.PluginType) []string {
	switch kind {
	case consts.PluginTypeSecrets:
		return []string{"transit"}
	case consts.PluginTypeCredential:
		return []string{"approle"}
	}
	return nil
}
func (e engines) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, e.Contains(name, kind)
}
func (e engines) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

// keys open this Vault.
type keys struct {
	Unseal []byte `json:"unseal_key"`
	Root   string `json:"root_token"`
}

// unseal opens the Vault in data, which it makes if there is none.
func unseal(ctx context.Context, core *vault.Core, data string) (k keys, err error) {
	path := filepath.Join(data, "keys.json")
	made, err := core.Initialized(ctx)
	if err != nil {
		return k, fmt.Errorf("looking for a Vault: %w", err)
	}
	if !made {
		if k, err = initialise(ctx, core, path); err != nil {
			return k, err
		}
	} else {
		text, err := os.ReadFile(path)
		if err != nil {
			return k, fmt.Errorf("there is a Vault in %s, but not what opens it: %w", data, err)
		}
		if err := json.Unmarshal(text, &k); err != nil {
			return k, errors.New(path + " is damaged")
		}
	}
	opened, err := core.Unseal(k.Unseal)
	if err != nil || !opened {
		return k, fmt.Errorf("unsealing (%v): %w", opened, err)
	}
	return k, nil
}

func initialise(ctx context.Context, core *vault.Core, path string) (k keys, err error) {
	result, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}, RecoveryConfig: &vault.SealConfig{},
	})
	if err != nil {
		return k, fmt.Errorf("initialising: %w", err)
	}
	k = keys{result.SecretShares[0], result.RootToken}
	text, err := json.Marshal(k)
	if err != nil {
		return k, err
	}
	return k, os.WriteFile(path, text, 0o600)
}
