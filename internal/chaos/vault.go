package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
)

// vault is a real Vault, of which we hold what seals it and unseals it.
type vault struct {
	Address      string `json:"address"`
	RoleID       string `json:"role_id"`
	SecretIDFile string `json:"secret_id_file"`
	KeysFile     string `json:"keys_file"`

	process *exec.Cmd
	hold    io.Closer // it ends when this is closed
	keys    struct {
		Unseal string `json:"unseal_key"`
		Root   string `json:"root_token"`
	}
}

// startVault runs the program of secrets/realvault; nil where there is none.
func startVault(ctx context.Context, program, folder string) (*vault, error) {
	if program == "" {
		return nil, nil
	}
	v := &vault{process: exec.Command(program, "-data", folder, "-policy", filepath.FromSlash("charts/countinghouse/vault/policy.hcl"))}
	v.process.Stderr = os.Stderr
	out, err := v.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if v.hold, err = v.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := v.process.Start(); err != nil {
		return nil, fmt.Errorf("%w (make vault builds it)", err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		return v, fmt.Errorf("the Vault does not say how to get in: %w", err)
	}
	text, err := os.ReadFile(v.KeysFile)
	if err == nil {
		err = json.Unmarshal(text, &v.keys)
	}
	return v, err
}

func (v *vault) seal(ctx context.Context) error { return v.put(ctx, "/v1/sys/seal", nil) }

func (v *vault) unseal(ctx context.Context) error {
	return v.put(ctx, "/v1/sys/unseal", map[string]string{"key": v.keys.Unseal})
}

func (v *vault) put(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, v.Address+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("X-Vault-Token", v.keys.Root)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("the Vault answers %s with %d", path, answer.StatusCode)
	}
	return nil
}

func (v *vault) stop() error {
	if v == nil || v.process == nil {
		return nil
	}
	if err := v.hold.Close(); err != nil {
		return err
	}
	return v.process.Wait()
}
