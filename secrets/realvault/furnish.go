package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/vault/api"
)

// entrance is how the service gets in; one line of JSON on standard output says so once all is ready.
type entrance struct {
	Address      string `json:"address"`
	CAFile       string `json:"ca_file,omitempty"`
	RoleID       string `json:"role_id"`
	SecretIDFile string `json:"secret_id_file"`
	KeysFile     string `json:"keys_file"`
}

// furnish gives a Vault the engine, the policy and the role that the service needs, as far as it has not got them.
func furnish(ctx context.Context, address, ca string, k keys, o options) (entrance, error) {
	in := entrance{Address: address, CAFile: ca, SecretIDFile: filepath.Join(o.data, "secret_id"), KeysFile: filepath.Join(o.data, "keys.json")}
	config := api.DefaultConfig()
	config.Address = address
	if ca != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: ca}); err != nil {
			return in, err
		}
	}
	client, err := api.NewClient(config)
	if err != nil {
		return in, err
	}
	client.SetToken(k.Root)
	client.ClearNamespace()
	if err := await(ctx, client); err != nil {
		return in, err
	}
	policy, err := os.ReadFile(o.policy)
	if err != nil {
		return in, fmt.Errorf("reading the policy: %w", err)
	}
	if err := client.Sys().PutPolicyWithContext(ctx, "countinghouse", string(policy)); err != nil {
		return in, fmt.Errorf("setting the policy: %w", err)
	}
	mounts, err := client.Sys().ListMountsWithContext(ctx)
	if err != nil {
		return in, fmt.Errorf("listing engines: %w", err)
	}
	if mounts["transit/"] == nil {
		err = client.Sys().MountWithContext(ctx, "transit", &api.MountInput{Type: "transit"})
	}
	if err != nil {
		return in, fmt.Errorf("mounting transit: %w", err)
	}
	in.RoleID, err = furnishRole(ctx, client, in.SecretIDFile)
	return in, err
}

// await waits until Vault, which has just been unsealed, is active.
func await(ctx context.Context, client *api.Client) error {
	for {
		health, err := client.Sys().HealthWithContext(ctx)
		if err == nil && health.Initialized && !health.Sealed && !health.Standby {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// furnishRole makes the role and, in a file, its secret; it gives the role's id.
func furnishRole(ctx context.Context, client *api.Client, secretFile string) (string, error) {
	methods, err := client.Sys().ListAuthWithContext(ctx)
	if err != nil {
		return "", fmt.Errorf("listing ways to log in: %w", err)
	}
	if methods["approle/"] == nil {
		if err := client.Sys().EnableAuthWithOptionsWithContext(ctx, "approle", &api.EnableAuthOptions{Type: "approle"}); err != nil {
			return "", fmt.Errorf("mounting approle: %w", err)
		}
	}
	const role = "auth/approle/role/countinghouse"
	_, err = client.Logical().WriteWithContext(ctx, role, map[string]any{
		"token_policies": "countinghouse", "token_no_default_policy": true, "token_ttl": "1h", "token_max_ttl": "24h",
	})
	if err != nil {
		return "", fmt.Errorf("making the role: %w", err)
	}
	id, err := client.Logical().ReadWithContext(ctx, role+"/role-id")
	if err != nil {
		return "", fmt.Errorf("reading the role's id: %w", err)
	}
	if _, err := os.Stat(secretFile); err != nil {
		secret, err := client.Logical().WriteWithContext(ctx, role+"/secret-id", nil)
		if err != nil {
			return "", fmt.Errorf("making the role's secret: %w", err)
		}
		if err := os.WriteFile(secretFile, []byte(secret.Data["secret_id"].(string)), 0o600); err != nil {
			return "", err
		}
	}
	return id.Data["role_id"].(string), nil
}
