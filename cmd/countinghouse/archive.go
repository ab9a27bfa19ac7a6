package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

// archiveKey signs the archives that this installation makes.
func archiveKey(key []byte) (ed25519.PrivateKey, error) {
	seed, err := derive(key, "archives")
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// archive writes the archive, whole or not at all.
func (e orgExport) archive(ctx context.Context, out io.Writer) error {
	key, err := e.serviceKey()
	if err != nil {
		return err
	}
	options := tenant.ArchiveOptions{Version: version, Columns: sealedColumns}
	if options.Sign, err = archiveKey(key); err != nil {
		return err
	}
	if e.RecipientKey != "" {
		recipients, err := readRecipients(e.RecipientKey)
		if err != nil {
			return err
		}
		keyring, err := e.openKeyring()
		if err != nil {
			return err
		}
		options.Secrets = custody.SealForRecipients(keyring, recipients...)
	}
	return e.use(ctx, func(db *tenant.DB) error {
		var m tenant.Manifest
		err := writeWhole(e.To, func(w io.Writer) (err error) {
			m, err = tenant.ArchiveOrganization(ctx, db, e.Slug, w, options)
			return err
		})
		if err != nil {
			return err
		}
		return sayArchived(out, e.To, m, options.Sign)
	})
}

func sayArchived(out io.Writer, name string, m tenant.Manifest, key ed25519.PrivateKey) error {
	rows := 0
	for _, n := range m.Rows() {
		rows += int(n)
	}
	secrets := "No secrets travel with it."
	if m.Secrets > 0 {
		secrets = several(m.Secrets, "secrets") + " travel sealed for the recipient."
	}
	public, _ := key.Public().(ed25519.PublicKey)
	_, err := fmt.Fprintf(out, "%s holds %s: %s of %s, record and journal up to row %d of the chain. %s\nTo restore it elsewhere, give --public-key %s\n",
		name, m.Organization.Slug, several(rows, "rows"), several(len(m.Tables), "tables"), m.Chain.Rows, secrets, base64.StdEncoding.EncodeToString(public))
	return err
}

func readRecipients(name string) (_ []age.Recipient, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err // it names the file
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	recipients, err := age.ParseRecipients(file)
	if err != nil {
		return nil, fmt.Errorf("%s holds no public keys of age, which begin with age1: %w", name, err)
	}
	return recipients, nil
}

func readIdentities(name string) (_ []age.Identity, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err // it names the file
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	identities, err := age.ParseIdentities(file)
	if err != nil {
		// What it could not read may be half of a key.
		return nil, fmt.Errorf("%s holds no private keys of age: age-keygen makes one", name)
	}
	return identities, nil
}

// archiveRestore is what org restore takes for an archive.
type archiveRestore struct {
	From      string `type:"existingfile" placeholder:"FILE" help:"An archive that org export --to made. Without it an organization is opened again that was to be deleted."`
	PublicKey string `placeholder:"BASE64" help:"The key that signed the archive, where another installation made it. Take it from that installation's operator, not from the archive."`
	Identity  string `type:"existingfile" placeholder:"FILE" help:"The private key of age that the archive's secrets are sealed for. Without it they are entered anew."`
	Owner     string `placeholder:"ADDRESS" help:"The e-mail address of somebody with a login here, who becomes its owner and invites the others again."`
}

func (c orgRestore) trusted() ([]ed25519.PublicKey, error) {
	if c.PublicKey != "" {
		public, err := base64.StdEncoding.DecodeString(c.PublicKey)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return nil, errors.New("--public-key: give 32 bytes in base64")
		}
		return []ed25519.PublicKey{public}, nil
	}
	key, err := c.serviceKey()
	if err != nil {
		return nil, err
	}
	sign, err := archiveKey(key)
	if err != nil {
		return nil, err
	}
	public, _ := sign.Public().(ed25519.PublicKey)
	return []ed25519.PublicKey{public}, nil
}

// fromArchive restores an archive, proves it, and leaves it suspended.
func (c orgRestore) fromArchive(ctx context.Context, out io.Writer) (err error) {
	trusted, err := c.trusted()
	if err != nil {
		return err
	}
	archive, err := os.Open(c.From)
	if err != nil {
		return err // it names the file
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	m, sealed, err := tenant.ReadManifest(archive, trusted...)
	if err != nil {
		return err
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return err // it names the file
	}
	keyring, err := c.openKeyring()
	if err != nil {
		return err
	}
	restoring := tenant.Restoring{Manifest: m, Slug: c.Slug, Archive: archive, Columns: sealedColumns}
	if restoring.Slug == "" {
		restoring.Slug = m.Organization.Slug
	}
	if err := keyring.CreateKey(ctx, m.Organization.ID.String()); err != nil {
		return fmt.Errorf("making its key: %w", err)
	}
	if c.Identity != "" && sealed != nil {
		identities, err := readIdentities(c.Identity)
		if err != nil {
			return err
		}
		if restoring.Secrets, err = custody.SealHere(ctx, keyring, m.Organization.ID, sealed, identities...); err != nil {
			return err
		}
	}
	return c.use(ctx, func(db *tenant.DB) error {
		owner, err := c.findOwner(ctx, db)
		if err != nil {
			return err
		}
		if err := tenant.RestoreArchive(ctx, db, restoring); err != nil {
			return err
		}
		return finishRestore(ctx, db, restoring, owner, out)
	})
}

func (c orgRestore) findOwner(ctx context.Context, db *tenant.DB) (tenant.Person, error) {
	if c.Owner == "" {
		return tenant.Person{}, nil
	}
	mute := identity.MailerFunc(func(context.Context, identity.Mail) error { return nil }) // nothing is mailed from here
	people, err := identity.New(db, mute, identity.Options{Origin: "https://countinghouse.invalid"})
	if err != nil {
		return tenant.Person{}, err
	}
	return people.PersonByEmail(ctx, c.Owner)
}

var errRestoredOtherwise = errors.New("the chain of what was restored does not end as the archive's does")

// finishRestore proves what was restored before it says so. What does not prove stays suspended, to be looked at.
func finishRestore(ctx context.Context, db *tenant.DB, r tenant.Restoring, owner tenant.Person, out io.Writer) error {
	scope, err := tenant.EnterOperator(ctx, db, r.Slug)
	if err != nil {
		return err
	}
	rows := 0
	for _, n := range r.Manifest.Rows() {
		rows += int(n)
	}
	if _, err := fmt.Fprintf(out, "Restored as %s: %s of %s, as many as the archive has.\n", r.Slug, several(rows, "rows"), several(len(r.Manifest.Tables), "tables")); err != nil {
		return err
	}
	var head string
	var gone []struct{ Name, Email, Role string }
	err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
		err := tx.Get(ctx, &head, `SELECT coalesce((SELECT hash FROM seal ORDER BY seq DESC LIMIT 1), '')`)
		if err == nil {
			err = tx.Select(ctx, &gone, `SELECT name, email, role FROM member WHERE role <> 'removed' ORDER BY lower(name)`)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("looking at what was restored: %w", err)
	}
	if head != r.Manifest.Chain.Head {
		return errRestoredOtherwise
	}
	if err := proveBooks(ctx, db, r.Slug, out); err != nil {
		return err
	}
	if !owner.ID.IsZero() {
		if err := tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return welcome(ctx, tx, owner) }); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s is its owner.\n", owner.Email); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		var names []string
		for _, m := range gone {
			names = append(names, fmt.Sprintf("  %s <%s>, %s", m.Name, m.Email, m.Role))
		}
		if _, err := fmt.Fprintf(out, "Its members are to be invited again:\n%s\n", strings.Join(names, "\n")); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "It is suspended. When it is shut where it came from, open it here: countinghouse org resume %s\n", r.Slug)
	return err
}

// welcome makes somebody the owner of what was restored.
func welcome(ctx context.Context, tx *tenant.Tx, owner tenant.Person) error {
	if err := tx.SetMember(ctx, owner, "owner", tenant.Active); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "organization.restore", Object: "member", ID: owner.ID.UUID})
}

type orgSuspend struct {
	orgDatabase
	Slug string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Run shuts an organization for a while.
func (c orgSuspend) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error {
		if err := tenant.SuspendOrganization(ctx, db, c.Slug); err != nil {
			return err
		}
		_, err := fmt.Printf("%s is shut for its members, tokens and customers. To open it: countinghouse org resume %s\n", c.Slug, c.Slug)
		return err
	})
}

type orgResume struct {
	orgDatabase
	Slug string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Run opens an organization that was shut.
func (c orgResume) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error {
		if err := tenant.ResumeOrganization(ctx, db, c.Slug); err != nil {
			return err
		}
		_, err := fmt.Printf("%s is open.\n", c.Slug)
		return err
	})
}

type orgMove struct {
	orgDatabase
	Compartment int    `required:"" help:"The number of the compartment that it is to be entered by."`
	Slug        string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Help is what --help adds.
func (orgMove) Help() string {
	return "A compartment is a login of the database with connections of its own. The organization may be in use meanwhile: nobody is " +
		"kept waiting, and its data stay where they are."
}

// Run moves an organization to another compartment.
func (c orgMove) Run(ctx context.Context) error {
	return c.use(ctx, func(db *tenant.DB) error {
		if err := tenant.MoveOrganization(ctx, db, c.Slug, c.Compartment); err != nil {
			return err
		}
		_, err := fmt.Printf("%s is in compartment %d.\n", c.Slug, c.Compartment)
		return err
	})
}
