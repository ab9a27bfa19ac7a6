package custody

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// Shredder ends organizations whose time of grace is over.
type Shredder struct {
	DB      *tenant.DB
	Keyring secrets.Keyring
	Sign    ed25519.PrivateKey
	// How long the operator keeps backups of the database and of the keyring: the certificate says so.
	DatabaseBackups, KeyBackups time.Duration
}

// Shred destroys a closed organization: first its key, so that whatever happens next no secret of it opens, then its
// books and its role. It gives the signed certificate. It may be run again after any interruption, and does then
// what is left; it answers tenant.ErrNotDue, tenant.ErrNotClosing and the keyring's faults.
func (s Shredder) Shred(ctx context.Context, c tenant.Closure) ([]byte, error) {
	if c.Certificate != "" {
		return []byte(c.Certificate), nil
	}
	if err := tenant.BeginEnd(ctx, s.DB, c); err != nil {
		return nil, err
	}
	if err := s.Keyring.DeleteKey(ctx, c.Organization.String()); err != nil {
		return nil, fmt.Errorf("destroying the key: %w", err)
	}
	kept, err := tenant.DropOrganization(ctx, s.DB, c)
	if err != nil {
		return nil, err
	}
	if c, err = tenant.FindClosure(ctx, s.DB, c.Slug); err != nil {
		return nil, err
	}
	text, err := Sign(s.certificate(c, kept), s.Sign)
	if err != nil {
		return nil, err
	}
	return text, tenant.KeepCertificate(ctx, s.DB, c, string(text))
}

func (s Shredder) certificate(c tenant.Closure, kept []string) Certificate {
	certificate := Certificate{
		Title: "Certificate of deletion", Organization: c.Organization.String(), Address: c.Slug,
		AskedAt: c.AskedAt, KeyGoneAt: *c.KeyGoneAt, BooksGoneAt: *c.BooksGoneAt,
		Gone: []string{
			"The organization's key, in every version: what it sealed (gateway credentials, bank accounts, card numbers) opens nowhere any more, in no backup of the database either.",
			"The organization's books: schema " + c.Schema + " with all its tables.",
			"The database role of the same name.",
			"Its name and address, its memberships, API tokens and whatever else the platform kept of it.",
		},
		Remains: []Remains{
			{"The books, readable, but for what the key had sealed.", "Backups of the database made before the books were gone.", c.BooksGoneAt.Add(s.DatabaseBackups)},
			{"The key.", "The keyring's own backups made before the key was gone (for Vault: of its storage). Restored together with a backup of the database, they open what was sealed.", c.KeyGoneAt.Add(s.KeyBackups)},
			{What: "The organization's id, when it was closed and ended, and this certificate.", Where: "The platform's list of closures."},
		},
	}
	for _, table := range kept {
		certificate.Remains = append(certificate.Remains, Remains{What: "Rows of " + table + " that name its id.", Where: "The platform's database."})
	}
	return certificate
}

// ShredDue ends every organization whose time has come. One that fails does not keep the others.
func (s Shredder) ShredDue(ctx context.Context) (ended []tenant.Closure, failed []error) {
	due, err := tenant.DueClosures(ctx, s.DB)
	if err != nil {
		return nil, []error{err}
	}
	for _, c := range due {
		if _, err := s.Shred(ctx, c); err != nil {
			failed = append(failed, fmt.Errorf("ending organization %s: %w", c.Organization, err))
			continue
		}
		ended = append(ended, c)
	}
	return ended, failed
}
