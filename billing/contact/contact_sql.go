package contact

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

const contactColumns = `c.id, c.party_id, coalesce(nullif(p.company, ''), p.name) AS customer_name, c.name, c.email,
	coalesce(c.password_hash, '') AS password_hash, c.rights, p.language, c.created_at, c.seen_at, c.removed_at IS NOT NULL AS removed, c.version`

const contactTables = ` FROM contact c JOIN party p ON p.id = c.party_id`

type contactRow struct {
	ID           ID
	Party        billing.CustomerID `db:"party_id"`
	CustomerName string             `db:"customer_name"`
	Name, Email  string
	PasswordHash string `db:"password_hash"`
	Rights       int
	Language     string
	CreatedAt    time.Time  `db:"created_at"`
	SeenAt       *time.Time `db:"seen_at"`
	Removed      bool
	Version      int
}

func (r contactRow) contact() Contact {
	c := Contact{ID: r.ID, Customer: r.Party, CustomerSay: r.CustomerName, Name: r.Name, Email: r.Email, Rights: Rights(r.Rights),
		Joined: r.PasswordHash != "", Removed: r.Removed, Language: locale.Language(r.Language), CreatedAt: r.CreatedAt, Version: r.Version,
		passwordHash: r.PasswordHash}
	if r.SeenAt != nil {
		c.SeenAt = *r.SeenAt
	}
	if c.Language == "" {
		c.Language = locale.English
	}
	return c
}

func found(row contactRow, err error) (Contact, error) {
	if errors.Is(err, tenant.ErrNoRows) {
		return Contact{}, ErrNotFound
	} else if err != nil {
		return Contact{}, fmt.Errorf("reading a contact: %w", err)
	}
	return row.contact(), nil
}

func selectContact(ctx context.Context, tx *tenant.Tx, contact ID) (Contact, error) {
	var row contactRow
	err := tx.Get(ctx, &row, `SELECT `+contactColumns+contactTables+` WHERE c.id = $1`, contact)
	return found(row, err)
}

// lockContact reads one so that nobody changes it before the transaction ends.
func lockContact(ctx context.Context, tx *tenant.Tx, contact ID) (Contact, error) {
	var row contactRow
	err := tx.Get(ctx, &row, `SELECT `+contactColumns+contactTables+` WHERE c.id = $1 FOR UPDATE OF c`, contact)
	return found(row, err)
}

func selectByEmail(ctx context.Context, tx *tenant.Tx, email string) (Contact, error) {
	var row contactRow
	err := tx.Get(ctx, &row, `SELECT `+contactColumns+contactTables+` WHERE lower(c.email) = lower($1) AND c.removed_at IS NULL`, email)
	return found(row, err)
}

const contactsOf = `SELECT ` + contactColumns + contactTables + ` WHERE c.party_id = $1 AND c.removed_at IS NULL ORDER BY c.id`

func selectContacts(ctx context.Context, tx *tenant.Tx, customer billing.CustomerID) ([]Contact, error) {
	var rows []contactRow
	if err := tx.Select(ctx, &rows, contactsOf, customer); err != nil {
		return nil, fmt.Errorf("listing contacts: %w", err)
	}
	return contactsIn(rows), nil
}

// lockContacts reads all of a customer's, always in the same order, so that two who leave at once follow each other.
func lockContacts(ctx context.Context, tx *tenant.Tx, customer billing.CustomerID) ([]Contact, error) {
	var rows []contactRow
	if err := tx.Select(ctx, &rows, contactsOf+` FOR UPDATE OF c`, customer); err != nil {
		return nil, fmt.Errorf("listing contacts: %w", err)
	}
	return contactsIn(rows), nil
}

func contactsIn(rows []contactRow) []Contact {
	all := make([]Contact, len(rows))
	for i, r := range rows {
		all[i] = r.contact()
	}
	return all
}

func insertContact(ctx context.Context, tx *tenant.Tx, contact ID, in Input) error {
	_, err := tx.Exec(ctx, `INSERT INTO contact (id, party_id, name, email, rights, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		contact, in.Customer, in.Name, in.Email, int(in.Rights), tx.Now())
	switch {
	case err == nil:
		return nil
	case tenant.Violates(err) == "contact_email":
		return ErrEmailTaken.Because(err)
	}
	return fmt.Errorf("keeping a contact: %w", err)
}

func updateContact(ctx context.Context, tx *tenant.Tx, contact ID, in ChangeInput) error {
	_, err := tx.Exec(ctx, `UPDATE contact SET name = $2, rights = $3, version = version + 1 WHERE id = $1`, contact, in.Name, int(in.Rights))
	if err != nil {
		return fmt.Errorf("changing a contact: %w", err)
	}
	return nil
}

func updatePassword(ctx context.Context, tx *tenant.Tx, contact ID, hash string) error {
	if _, err := tx.Exec(ctx, `UPDATE contact SET password_hash = $2 WHERE id = $1`, contact, hash); err != nil {
		return fmt.Errorf("keeping a contact's password: %w", err)
	}
	return nil
}

func updateSeen(ctx context.Context, tx *tenant.Tx, contact ID) error {
	if _, err := tx.Exec(ctx, `UPDATE contact SET seen_at = $2 WHERE id = $1`, contact, tx.Now()); err != nil {
		return fmt.Errorf("noting that a contact came: %w", err)
	}
	return nil
}

// updateRemoved forgets the password with the access.
func updateRemoved(ctx context.Context, tx *tenant.Tx, contact ID) error {
	_, err := tx.Exec(ctx, `UPDATE contact SET removed_at = $2, password_hash = NULL, rights = 0, version = version + 1 WHERE id = $1`, contact, tx.Now())
	if err != nil {
		return fmt.Errorf("removing a contact: %w", err)
	}
	return nil
}
