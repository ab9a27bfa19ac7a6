package secrets

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"
)

const vaultKind = "vault"

// Vault is a keyring in HashiCorp Vault's Transit engine, which never gives a key away. Each organization has a
// derived key of its own (AES-256-GCM), and the place is the derivation's context: associated data would bind it
// too, but Vault cannot rewrap what carries associated data. Convergent encryption is off, so that equal secrets
// do not look equal.
//
// Vault forgets a deleted key, so a second key, gone-ORGANIZATION, which the service's policy lets nobody delete,
// is the mark that there was one. The policy that the service needs is charts/countinghouse/vault/policy.hcl.
//
// Of what Vault's own programs read from the environment (VAULT_ADDR and so on) nothing is used: a setting that
// nobody sees must not turn off the check of a certificate.
type Vault struct {
	client  *api.Client
	mount   string
	timeout time.Duration
	door    *door
	breaker *breaker
}

var _ Keyring = (*Vault)(nil)

// NewVault is a keyring in the Vault that config names. It calls nothing yet: a Vault that is sealed or away must
// not keep the service from starting. It answers ErrSetting, pointing at the setting at fault.
func NewVault(config VaultConfig) (*Vault, error) {
	config = config.withDefaults()
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	method, err := config.method()
	if err != nil {
		return nil, err
	}
	return &Vault{
		client: client, mount: config.Mount, timeout: config.Timeout,
		door:    &door{client: client, method: method, now: config.Now, turn: make(chan struct{}, 1)},
		breaker: &breaker{now: config.Now},
	}, nil
}

// Check says whether Vault answers and lets the service in: nil, or the error that a secret would now meet.
func (v *Vault) Check(ctx context.Context) error {
	return plain(v.call(ctx, http.MethodGet, "auth/token/lookup-self", nil, nil))
}

func (v *Vault) keyPath(organization string) string {
	return v.mount + "/keys/organization-" + organization
}
func (v *Vault) markPath(organization string) string { return v.mount + "/keys/gone-" + organization }

// newVaultKey is what a key is made of.
var newVaultKey = map[string]any{"type": "aes256-gcm96", "derived": true}

// vaultKey is what Vault tells of a key.
type vaultKey struct {
	Latest  int `json:"latest_version"`
	Minimum int `json:"min_decryption_version"`
}

// there answers ErrKeyGone, ErrKeyMissing, or nothing if the organization has a key.
func (v *Vault) there(ctx context.Context, organization string) (key vaultKey, err error) {
	if err := v.gone(ctx, organization); err != nil {
		return key, err
	}
	err = v.call(ctx, http.MethodGet, v.keyPath(organization), nil, &key)
	if errors.Is(err, errNotFound) {
		return key, ErrKeyMissing
	}
	return key, err
}

// gone answers ErrKeyGone where the mark is.
func (v *Vault) gone(ctx context.Context, organization string) error {
	err := v.call(ctx, http.MethodGet, v.markPath(organization), nil, nil)
	if err == nil {
		return ErrKeyGone
	}
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}

func ready(ctx context.Context, organization string) error {
	return errors.Join(ctx.Err(), checkOrganization(organization))
}

// CreateKey is Keyring's.
func (v *Vault) CreateKey(ctx context.Context, organization string) error {
	if err := ready(ctx, organization); err != nil {
		return err
	}
	if err := v.gone(ctx, organization); err != nil {
		return plain(err)
	}
	if err := v.call(ctx, http.MethodPut, v.keyPath(organization), newVaultKey, nil); err != nil {
		return plain(err)
	}
	// A deletion that came between would have been undone by this key.
	err := v.gone(ctx, organization)
	if errors.Is(err, ErrKeyGone) {
		return errors.Join(err, v.destroy(ctx, organization))
	}
	return plain(err)
}

// RotateKey is Keyring's.
func (v *Vault) RotateKey(ctx context.Context, organization string) (version int, err error) {
	if err := ready(ctx, organization); err != nil {
		return 0, err
	}
	err = v.callOnce(ctx, http.MethodPut, v.keyPath(organization)+"/rotate", map[string]any{}, nil)
	var refused *refusal
	if err != nil && !errors.As(err, &refused) {
		return 0, plain(err)
	}
	// Vault 1.13 tells no version, and no way in which a missing key differs from a bad request.
	key, known := v.there(ctx, organization)
	if known != nil {
		return 0, plain(known)
	}
	return key.Latest, plain(err)
}

// RaiseMinimumVersion is Keyring's. Vault has no way to raise a minimum only if it is lower: two callers at once
// could lower it again, so that what raises it must run once at a time for an organization.
func (v *Vault) RaiseMinimumVersion(ctx context.Context, organization string, version int) error {
	if err := ready(ctx, organization); err != nil {
		return err
	}
	key, err := v.there(ctx, organization)
	if err != nil {
		return plain(err)
	}
	if version < 1 || version > key.Latest {
		return ErrVersion
	}
	if version <= key.Minimum {
		return nil
	}
	return plain(v.call(ctx, http.MethodPut, v.keyPath(organization)+"/config", map[string]any{"min_decryption_version": version}, nil))
}

// DeleteKey is Keyring's. The mark comes first: where the rest fails, the next call finishes it.
func (v *Vault) DeleteKey(ctx context.Context, organization string) error {
	if err := ready(ctx, organization); err != nil {
		return err
	}
	if err := v.call(ctx, http.MethodPut, v.markPath(organization), newVaultKey, nil); err != nil {
		return plain(err)
	}
	return v.destroy(ctx, organization)
}

// destroy deletes a key if it is there. Only now is it made deletable, so that no slip before this deletes it.
func (v *Vault) destroy(ctx context.Context, organization string) error {
	err := v.call(ctx, http.MethodGet, v.keyPath(organization), nil, nil)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err == nil {
		err = v.call(ctx, http.MethodPut, v.keyPath(organization)+"/config", map[string]any{"deletion_allowed": true}, nil)
	}
	if err == nil {
		err = v.call(ctx, http.MethodDelete, v.keyPath(organization), nil, nil)
	}
	var refused *refusal
	if errors.As(err, &refused) { // two that delete at once: the other was first
		if again := v.call(ctx, http.MethodGet, v.keyPath(organization), nil, nil); errors.Is(again, errNotFound) {
			return nil
		}
	}
	return plain(err)
}
