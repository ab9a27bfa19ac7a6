package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

// rotateAfter is how old a version of a key gets before the next is made.
const rotateAfter = 90 * 24 * time.Hour

// retentionFlags say how long the operator keeps backups, for certificates of deletion.
type retentionFlags struct {
	DatabaseBackups time.Duration `name:"database-backups-kept" env:"COUNTINGHOUSE_DATABASE_BACKUPS_KEPT" default:"840h" help:"How long backups of the database are kept. Certificates of deletion say so."`
	KeyBackups      time.Duration `name:"key-backups-kept" env:"COUNTINGHOUSE_KEY_BACKUPS_KEPT" default:"840h" help:"How long backups of Vault's storage, or of the local keyring, are kept. Certificates of deletion say so."`
}

// certificateKey signs this installation's certificates.
func certificateKey(key []byte) (ed25519.PrivateKey, error) {
	seed, err := derive(key, "certificates")
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func newShredder(db *tenant.DB, keyring secrets.Keyring, key []byte, kept retentionFlags) (custody.Shredder, error) {
	sign, err := certificateKey(key)
	return custody.Shredder{DB: db, Keyring: keyring, Sign: sign, DatabaseBackups: kept.DatabaseBackups, KeyBackups: kept.KeyBackups}, err
}

// orgKeys is a database, and the keyring that belongs to it.
type orgKeys struct {
	orgDatabase
	Keyring    string `env:"COUNTINGHOUSE_KEYRING" default:"local" enum:"local,vault" help:"Who keeps the organizations' keys: vault, or local, in files of this machine."`
	KeyringDir string `env:"COUNTINGHOUSE_KEYRING_DIR" type:"path" placeholder:"DIR" help:"The folder of the local keyring; left out, that of the data folder."`
	vaultFlags
}

func (k orgKeys) openKeyring() (secrets.Keyring, error) {
	if k.DatabaseURL == "" && k.Keyring == "vault" && k.VaultAddress == "" {
		if err := k.readNote(filepath.Join(k.Data, "vault")); err != nil {
			return nil, err
		}
	}
	dir := k.KeyringDir
	if dir == "" && k.DatabaseURL == "" {
		dir = filepath.Join(k.Data, "keys", "organizations")
	}
	return keyringFlags{Keyring: k.Keyring, KeyringDir: dir, vaultFlags: k.vaultFlags}.open()
}

// serviceKey is the service's own.
func (d orgDatabase) serviceKey() ([]byte, error) {
	if d.KeyFile != "" {
		return loadKey(d.KeyFile)
	}
	return loadKey(filepath.Join(d.Data, "keys", "service.key"))
}

// secretsCommands look after keys.
type secretsCommands struct {
	Rotate secretsRotate `cmd:"" help:"Renew an organization's key, or the service's own, and seal everything of it anew."`
}

type secretsRotate struct {
	orgKeys
	Org     string `required:"" xor:"whose" placeholder:"SLUG" help:"The organization's address: the acme of /o/acme."`
	Service bool   `required:"" xor:"whose" help:"The service's own, for people's second factors and the platform's secret settings."`
}

// Help is what --help adds.
func (secretsRotate) Help() string {
	return "It may be interrupted and run again: it goes on from where it was. Every secret can be read at any moment. Two minutes " +
		"after the key was renewed, when no request can be under way that uses the older versions, those are retired. The service's " +
		"own versions are kept in the database, wrapped under the service's key file, which stays as it is."
}

// Run rotates and waits until older versions are retired.
func (c secretsRotate) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c secretsRotate) run(ctx context.Context, out io.Writer) error {
	if c.Service {
		return c.runService(ctx, out)
	}
	keyring, err := c.openKeyring()
	if err != nil {
		return err
	}
	return c.use(ctx, func(db *tenant.DB) error {
		scope, err := tenant.EnterOperator(ctx, db, c.Org)
		if err != nil {
			return err
		}
		rotator := custody.Rotator{DB: db, Keyring: keyring, Columns: sealedColumns, Progress: saysProgress(out)}
		return rotateWhole(ctx, db, out, func() (custody.Outcome, error) { return rotator.Rotate(ctx, scope) })
	})
}

func (c secretsRotate) runService(ctx context.Context, out io.Writer) error {
	key, err := c.serviceKey()
	if err != nil {
		return err
	}
	return c.use(ctx, func(db *tenant.DB) error {
		keys, err := newSealer(db, key)
		if err != nil {
			return err
		}
		rotator := custody.ServiceRotator{Keys: keys, Columns: platformSealed, Progress: saysProgress(out)}
		return rotateWhole(ctx, db, out, func() (custody.Outcome, error) { return rotator.Rotate(ctx) })
	})
}

func saysProgress(out io.Writer) func(custody.Progress) {
	return func(p custody.Progress) {
		// Progress that cannot be shown is no reason to stop.
		_, _ = fmt.Fprintf(out, "%s: %s sealed anew\n", p.Column, several(int(p.Rewrapped), "secrets"))
	}
}

// rotateWhole rotates until older versions are retired.
func rotateWhole(ctx context.Context, db *tenant.DB, out io.Writer, rotate func() (custody.Outcome, error)) error {
	for {
		outcome, err := rotate()
		if err != nil {
			return err
		}
		if outcome.Done {
			return sayRotated(out, outcome.Progress)
		}
		if wait := outcome.RetireAt.Sub(db.Now()); wait > 0 {
			_, _ = fmt.Fprintf(out, "All is sealed by version %d. Older versions are retired in %s.\n", outcome.Version, wait.Round(time.Second))
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			case <-timer.C:
			}
		}
	}
}

func sayRotated(out io.Writer, p custody.Progress) error {
	_, err := fmt.Fprintf(out, "Version %d of the key is in use: %s sealed anew, older versions retired.\n", p.Version, several(int(p.Rewrapped), "secrets"))
	if err == nil && p.Unreadable > 0 {
		_, err = fmt.Fprintf(out, "%s could not be read, before as after: altered, or not of their row.\n", several(int(p.Unreadable), "secrets"))
	}
	return err
}

type orgDelete struct {
	orgKeys
	retentionFlags
	Grace time.Duration `default:"720h" help:"How long it may still be restored; 0s destroys it at once."`
	Slug  string        `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Help is what --help adds.
func (orgDelete) Help() string {
	return "It is shut at once. When the time of grace is over, a worker destroys its key, its books and its role; or this command " +
		"does, run again. A signed certificate says what is gone and what backups still hold."
}

// Run closes an organization, or ends one whose time has come.
func (c orgDelete) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c orgDelete) run(ctx context.Context, out io.Writer) error {
	return c.use(ctx, func(db *tenant.DB) error {
		closure, err := tenant.CloseOrganization(ctx, db, c.Slug, c.Grace)
		if errors.Is(err, tenant.ErrClosing) {
			closure, err = tenant.FindClosure(ctx, db, c.Slug)
		}
		if err != nil {
			return err
		}
		if db.Now().Before(closure.DueAt) {
			_, err := fmt.Fprintf(out, "%s is shut. Until %s it can be restored: countinghouse org restore %s\nAfter that a worker destroys it, or this command, run again.\n",
				c.Slug, closure.DueAt.Format(time.RFC1123), c.Slug)
			return err
		}
		keyring, err := c.openKeyring()
		if err != nil {
			return err
		}
		key, err := c.serviceKey()
		if err != nil {
			return err
		}
		shredder, err := newShredder(db, keyring, key, c.retentionFlags)
		if err != nil {
			return err
		}
		certificate, err := shredder.Shred(ctx, closure)
		if err != nil {
			return err
		}
		_, err = out.Write(certificate)
		return err
	})
}

type orgRestore struct {
	orgKeys
	archiveRestore
	Slug string `arg:"" optional:"" help:"The organization's address: the acme of /o/acme. With --from, the address that it is to have here; left out, the one that it had."`
}

// Run takes a closure back, or restores an archive.
func (c orgRestore) Run(ctx context.Context) error {
	switch {
	case c.From != "":
		return c.fromArchive(ctx, os.Stdout)
	case c.Slug == "":
		return errors.New("say which organization, or give an archive with --from")
	}
	return c.use(ctx, func(db *tenant.DB) error {
		if err := tenant.RestoreOrganization(ctx, db, c.Slug); err != nil {
			return err
		}
		_, err := fmt.Printf("%s is open again.\n", c.Slug)
		return err
	})
}

// orgCertificate is for certificates of deletion.
type orgCertificate struct {
	Show   certificateShow   `cmd:"" help:"Write the certificate of a deleted organization."`
	Verify certificateVerify `cmd:"" help:"Say whether a certificate is genuine, and what it says."`
}

type certificateShow struct {
	orgDatabase
	Slug string `arg:"" help:"The address that the organization had."`
}

// Run writes the certificate to standard output.
func (c certificateShow) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error {
		closure, err := tenant.FindClosure(ctx, db, c.Slug)
		if err != nil {
			return err
		}
		if closure.Certificate == "" {
			return fmt.Errorf("%s is not deleted yet: it is due on %s", c.Slug, closure.DueAt.Format(time.RFC1123))
		}
		_, err = fmt.Print(closure.Certificate)
		return err
	})
}

type certificateVerify struct {
	orgDatabase
	PublicKey string `placeholder:"BASE64" help:"The installation's public key, where its own key is not at hand. Take it from the installation, not from the certificate."`
	File      string `arg:"" type:"existingfile" help:"The certificate."`
}

// Run verifies. What it says is the certificate's words only if they are genuine.
func (c certificateVerify) Run() error { return c.run(os.Stdout) }

func (c certificateVerify) run(out io.Writer) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err // it names the file
	}
	public, err := c.publicKey()
	if err != nil {
		return err
	}
	certificate, err := custody.Verify(text, public)
	if err != nil {
		return err
	}
	said, err := json.MarshalIndent(certificate, "", "  ")
	if err != nil {
		return fmt.Errorf("writing a certificate: %w", err)
	}
	_, err = fmt.Fprintf(out, "Genuine, signed by %s.\n%s\n", base64.StdEncoding.EncodeToString(public), said)
	return err
}

func (c certificateVerify) publicKey() (ed25519.PublicKey, error) {
	if c.PublicKey != "" {
		public, err := base64.StdEncoding.DecodeString(c.PublicKey)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return nil, errors.New("--public-key: give 32 bytes in base64")
		}
		return public, nil
	}
	key, err := c.serviceKey()
	if err != nil {
		return nil, err
	}
	sign, err := certificateKey(key)
	if err != nil {
		return nil, err
	}
	public, _ := sign.Public().(ed25519.PublicKey)
	return public, nil
}
