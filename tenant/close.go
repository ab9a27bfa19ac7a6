package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why an organization is not closed, restored or ended.
var (
	ErrClosing    = fault.New(fault.Conflict, "organization.closing", "This organization is being closed already.")
	ErrNotClosing = fault.New(fault.Conflict, "organization.not_closing", "This organization is not being closed, or its end has come already.")
	ErrNotDue     = fault.New(fault.Conflict, "organization.not_due", "The time in which this organization may be restored is not over.")
)

// Closure is an organization that is shut and waits for its end.
type Closure struct {
	Organization OrganizationID `db:"organization_id"`
	Slug         string         `db:"slug"`
	Schema       string         `db:"schema_name"`
	AskedAt      time.Time      `db:"asked_at"`
	DueAt        time.Time      `db:"due_at"`
	KeyGoneAt    *time.Time     `db:"key_gone_at"`
	BooksGoneAt  *time.Time     `db:"books_gone_at"`
	Certificate  string         `db:"certificate"`
}

// owned runs fn in one transaction of the database's owner.
func (db *DB) owned(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.owner.BeginTxx(ctx, nil)
	if err != nil {
		return reached(ctx, err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// CloseOrganization shuts an organization at once, for everyone and on every replica from their next request on. Its
// books and key stay as they are for the time of grace, in which RestoreOrganization takes it back. It fails with
// ErrNoOrganization and ErrClosing.
func CloseOrganization(ctx context.Context, db *DB, slug string, grace time.Duration) (c Closure, err error) {
	now := db.Now()
	err = db.owned(ctx, func(tx *sqlx.Tx) error {
		var state string
		err := tx.GetContext(ctx, &state, `SELECT state FROM platform.organization WHERE slug = $1 FOR UPDATE`, slug)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoOrganization
		} else if err != nil {
			return fmt.Errorf("looking for an organization: %w", err)
		}
		if state == "closing" {
			return ErrClosing
		}
		if err := setState(ctx, tx, slug, "closing"); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO platform.closure (organization_id, slug, asked_at, due_at)
			SELECT id, slug, $2, $3 FROM platform.organization WHERE slug = $1`, slug, now, now.Add(grace))
		if err != nil {
			return fmt.Errorf("noting a closure: %w", err)
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	return FindClosure(ctx, db, slug)
}

func setState(ctx context.Context, tx *sqlx.Tx, slug, state string) error {
	_, err := tx.ExecContext(ctx, `UPDATE platform.organization SET state = $2, policy_version = policy_version + 1 WHERE slug = $1`, slug, state)
	if err != nil {
		return fmt.Errorf("changing an organization's state: %w", err)
	}
	return nil
}

// RestoreOrganization opens an organization that is being closed, as it was. It fails with ErrNotClosing once the
// key's end has begun.
func RestoreOrganization(ctx context.Context, db *DB, slug string) error {
	return db.owned(ctx, func(tx *sqlx.Tx) error {
		gone, err := tx.ExecContext(ctx, `DELETE FROM platform.closure WHERE slug = $1 AND key_gone_at IS NULL AND books_gone_at IS NULL`, slug)
		if err != nil {
			return fmt.Errorf("taking a closure back: %w", err)
		}
		if n, err := gone.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotClosing)
		}
		return setState(ctx, tx, slug, "active")
	})
}

const selectClosure = `SELECT c.organization_id, c.slug, o.schema_name, c.asked_at, c.due_at, c.key_gone_at, c.books_gone_at,
	coalesce(c.certificate, '') AS certificate FROM platform.closure c JOIN platform.organization o ON o.id = c.organization_id`

// FindClosure is the closure of the organization that has, or last had, that address; ErrNotClosing when there is none.
func FindClosure(ctx context.Context, db *DB, slug string) (c Closure, err error) {
	err = db.owner.GetContext(ctx, &c, selectClosure+` WHERE c.slug = $1 ORDER BY c.asked_at DESC LIMIT 1`, slug)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotClosing
	} else if err != nil {
		return c, reached(ctx, fmt.Errorf("looking for a closure: %w", err))
	}
	return c, nil
}

// DueClosures lists the organizations whose time of grace is over and whose end is not complete.
func DueClosures(ctx context.Context, db *DB) (due []Closure, err error) {
	err = db.owner.SelectContext(ctx, &due, selectClosure+` WHERE c.due_at <= $1 AND c.certificate IS NULL ORDER BY c.due_at`, db.Now())
	if err != nil {
		return nil, reached(ctx, fmt.Errorf("listing closures: %w", err))
	}
	return due, nil
}

// BeginEnd notes that the end of a closed organization has come: from here on it cannot be restored, and its key may
// be destroyed. It fails with ErrNotClosing, and with ErrNotDue before its time.
func BeginEnd(ctx context.Context, db *DB, c Closure) error {
	if db.Now().Before(c.DueAt) {
		return ErrNotDue
	}
	done, err := db.owner.ExecContext(ctx, `UPDATE platform.closure SET key_gone_at = coalesce(key_gone_at, $2) WHERE organization_id = $1 AND due_at <= $2`,
		c.Organization, db.Now())
	if err != nil {
		return reached(ctx, fmt.Errorf("beginning an organization's end: %w", err))
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotClosing)
	}
	return nil
}

// DropOrganization removes the books and the role of an organization whose key is gone, and what the platform keeps
// of it: its address is free again, and only its id and the closure stay. It lists the platform's tables that would
// not let go of their rows. Doing it again does nothing.
func DropOrganization(ctx context.Context, db *DB, c Closure) (kept []string, err error) {
	err = db.owned(ctx, func(tx *sqlx.Tx) error {
		var schema string
		err := tx.GetContext(ctx, &schema, `SELECT o.schema_name FROM platform.organization o JOIN platform.closure c ON c.organization_id = o.id
			WHERE o.id = $1 AND o.state::text = 'closing' AND c.key_gone_at IS NOT NULL FOR UPDATE`, c.Organization)
		if errors.Is(err, sql.ErrNoRows) { // done before
			kept, err = forgetOrganization(ctx, tx, c.Organization)
			return err
		} else if err != nil {
			return fmt.Errorf("looking for the books: %w", err)
		}
		// Its name is what provisioning made: t_ and hexadecimal digits.
		for _, statement := range []string{"DROP SCHEMA " + schema + " CASCADE", "DROP ROLE " + schema} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("removing the books: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM platform.schema_version WHERE schema_name = $1`, schema); err != nil {
			return fmt.Errorf("removing the books' history: %w", err)
		}
		if kept, err = forgetOrganization(ctx, tx, c.Organization); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE platform.organization SET state = 'gone', slug = $2, name = 'A deleted organization',
			policy_version = policy_version + 1 WHERE id = $1`, c.Organization, "gone-"+strings.ReplaceAll(c.Organization.String(), "-", ""))
		if err != nil {
			return fmt.Errorf("removing an organization's name: %w", err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE platform.closure SET books_gone_at = $2 WHERE organization_id = $1`, c.Organization, db.Now())
		return err
	})
	return kept, err
}

// forgetOrganization deletes the rows that tables of the platform keep of an organization, whichever tables there
// are: those of its closure stay, and those of tables that refuse.
func forgetOrganization(ctx context.Context, tx *sqlx.Tx, organization OrganizationID) (kept []string, err error) {
	var left []string
	err = tx.SelectContext(ctx, &left, `
		SELECT DISTINCT k.conrelid::regclass::text FROM pg_constraint k
		  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
		 WHERE k.contype = 'f' AND k.confrelid = 'platform.organization'::regclass AND a.attname = 'organization_id'
		   AND k.conrelid <> 'platform.closure'::regclass ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("listing what the platform keeps: %w", err)
	}
	// A table that another refers to goes after that one.
	for tried := -1; len(left) > 0 && tried != len(left); {
		tried = len(left)
		var still []string
		for _, table := range left {
			ok, err := tryDelete(ctx, tx, table, organization)
			if err != nil {
				return nil, err
			}
			if !ok {
				still = append(still, table)
			}
		}
		left = still
	}
	return left, nil
}

func tryDelete(ctx context.Context, tx *sqlx.Tx, table string, organization OrganizationID) (bool, error) {
	if _, err := tx.ExecContext(ctx, `SAVEPOINT forget`); err != nil {
		return false, err
	}
	// The name comes from the catalog, quoted where it has to be.
	_, refused := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE organization_id = $1", organization)
	if refused == nil {
		_, err := tx.ExecContext(ctx, `RELEASE SAVEPOINT forget`)
		return true, err
	}
	var ofDatabase *pq.Error
	if !errors.As(refused, &ofDatabase) {
		return false, refused
	}
	_, err := tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT forget`)
	return false, err
}

// KeepCertificate notes the certificate of an organization's end, which completes it. The first one stays.
func KeepCertificate(ctx context.Context, db *DB, c Closure, certificate string) error {
	_, err := db.owner.ExecContext(ctx, `UPDATE platform.closure SET certificate = $2 WHERE organization_id = $1 AND books_gone_at IS NOT NULL AND certificate IS NULL`,
		c.Organization, certificate)
	if err != nil {
		return reached(ctx, fmt.Errorf("keeping a certificate: %w", err))
	}
	return nil
}
