package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

const mailingColumns = `id, kind, state, customer_id, coalesce(document_id, '00000000-0000-0000-0000-000000000000') AS document_id,
	coalesce(step_days, 0) AS step_days, from_date, to_date, to_email, message, tries, problem, created_at, sent_at`

func insertMailing(ctx context.Context, tx *tenant.Tx, m Mailing) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO mailing (id, kind, state, customer_id, document_id, from_date, to_date, to_email, message, created_at)
		VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9)`,
		m.ID, string(m.Kind), m.Customer, orNull(m.Document.UUID), m.From, m.To, m.Email, m.Message, m.CreatedAt)
	if err != nil {
		return fmt.Errorf("queueing a mail: %w", err)
	}
	return nil
}

// insertReminder is false where this step of this document was taken before.
func insertReminder(ctx context.Context, tx *tenant.Tx, m Mailing) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO mailing (id, kind, state, customer_id, document_id, step_days, to_email, created_at)
		VALUES ($1, 'reminder', 'queued', $2, $3, $4, $5, $6)
		ON CONFLICT (document_id, step_days) WHERE kind::text = 'reminder' DO NOTHING`,
		m.ID, m.Customer, m.Document, m.StepDays, m.Email, m.CreatedAt)
	if err != nil {
		return false, fmt.Errorf("queueing a reminder: %w", err)
	}
	return n == 1, nil
}

// remindable is an open invoice and the step that is to remind of it.
type remindable struct {
	Document InvoiceID  `db:"document_id"`
	Customer CustomerID `db:"customer_id"`
	Email    string     `db:"email"`
	Step     int        `db:"step"`
}

// selectRemindable finds for each open invoice the latest step that has come. A step of before the invoice was issued never
// comes; one that was stopped by hand, or that collecting speaks for, is left alone.
func selectRemindable(ctx context.Context, tx *tenant.Tx, steps []int, today civil.Date, late int, collects bool, limit int) (due []remindable, err error) {
	days, err := toJSON(steps)
	if err != nil {
		return nil, err
	}
	err = tx.Select(ctx, &due, `
		SELECT d.id AS document_id, d.customer_id, p.email, s.step
		  FROM document d
		  JOIN party p ON p.id = d.customer_id AND p.email <> ''
		 CROSS JOIN LATERAL (
			SELECT max(j.step::integer) AS step FROM json_array_elements_text($1::json) AS j(step)
			 WHERE d.due_date + j.step::integer <= $2::date
		 ) s
		 WHERE d.state::text = 'issued' AND d.kind::text = 'invoice' AND d.settled < d.total
		   AND s.step IS NOT NULL AND d.due_date + s.step >= $2::date - $3::integer AND d.due_date + s.step > d.issue_date
		   AND NOT EXISTS (SELECT FROM mailing m WHERE m.document_id = d.id AND m.kind::text = 'reminder' AND m.step_days = s.step)
		   AND NOT EXISTS (SELECT FROM collection c WHERE c.document_id = d.id AND (c.state::text = 'stopped' OR $4::boolean AND c.state::text = 'running'))
		   AND NOT ($4::boolean AND s.step >= 0)
		 ORDER BY d.due_date, d.id LIMIT $5`, days, today, late, collects, limit)
	if err != nil {
		return nil, fmt.Errorf("finding what to remind of: %w", err)
	}
	return due, nil
}

func countMailings(ctx context.Context, tx *tenant.Tx, since time.Time) (n int, err error) {
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM mailing WHERE created_at > $1`, since); err != nil {
		return 0, fmt.Errorf("counting mails: %w", err)
	}
	return n, nil
}

func selectMailing(ctx context.Context, tx *tenant.Tx, mailing MailingID) (m Mailing, err error) {
	return m, mailingError(tx.Get(ctx, &m, `SELECT `+mailingColumns+` FROM mailing WHERE id = $1`, mailing))
}

func lockMailing(ctx context.Context, tx *tenant.Tx, mailing MailingID) (m Mailing, err error) {
	return m, mailingError(tx.Get(ctx, &m, `SELECT `+mailingColumns+` FROM mailing WHERE id = $1 FOR UPDATE`, mailing))
}

func mailingError(err error) error {
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrMailNotFound
	} else if err != nil {
		return fmt.Errorf("reading a mail: %w", err)
	}
	return nil
}

func selectDocumentKind(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (stored string, err error) {
	if err := tx.Get(ctx, &stored, `SELECT kind FROM document WHERE id = $1`, document); err != nil {
		return "", fmt.Errorf("looking for what is mailed: %w", err)
	}
	return stored, nil
}

func selectMailings(ctx context.Context, tx *tenant.Tx, document InvoiceID) (all []Mailing, err error) {
	if err := tx.Select(ctx, &all, `SELECT `+mailingColumns+` FROM mailing WHERE document_id = $1 ORDER BY id DESC LIMIT 50`, document); err != nil {
		return nil, fmt.Errorf("listing mails: %w", err)
	}
	return all, nil
}

func countMailingTry(ctx context.Context, tx *tenant.Tx, mailing MailingID) error {
	if _, err := tx.Exec(ctx, `UPDATE mailing SET tries = tries + 1 WHERE id = $1`, mailing); err != nil {
		return fmt.Errorf("counting a try of a mail: %w", err)
	}
	return nil
}

func updateMailingQueued(ctx context.Context, tx *tenant.Tx, mailing MailingID) error {
	if _, err := tx.Exec(ctx, `UPDATE mailing SET state = 'queued', tries = 0, problem = '' WHERE id = $1`, mailing); err != nil {
		return fmt.Errorf("queueing a mail again: %w", err)
	}
	return nil
}

func updateMailingSent(ctx context.Context, tx *tenant.Tx, mailing MailingID) error {
	if _, err := tx.Exec(ctx, `UPDATE mailing SET state = 'sent', problem = '', sent_at = $2 WHERE id = $1 AND state::text = 'queued'`, mailing, tx.Now()); err != nil {
		return fmt.Errorf("keeping that a mail was sent: %w", err)
	}
	return nil
}

func updateMailingProblem(ctx context.Context, tx *tenant.Tx, mailing MailingID, code string) error {
	if _, err := tx.Exec(ctx, `UPDATE mailing SET problem = $2 WHERE id = $1`, mailing, code); err != nil {
		return fmt.Errorf("keeping why a mail waits: %w", err)
	}
	return nil
}

func updateMailingFailed(ctx context.Context, tx *tenant.Tx, mailing MailingID, code string) error {
	if _, err := tx.Exec(ctx, `UPDATE mailing SET state = 'failed', problem = $2 WHERE id = $1`, mailing, code); err != nil {
		return fmt.Errorf("keeping that a mail failed: %w", err)
	}
	return nil
}
