package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

func erasing(err error) error {
	if err != nil {
		return fmt.Errorf("erasing a customer's data: %w", err)
	}
	return nil
}

func selectErasure(ctx context.Context, tx *tenant.Tx, customer CustomerID) (e Erasure, err error) {
	var row struct {
		Done  bool       `db:"done"`
		After civil.Date `db:"erase_after"`
	}
	err = tx.Get(ctx, &row, `SELECT erased_at IS NOT NULL AS done, erase_after FROM party WHERE id = $1`, customer)
	if errors.Is(err, tenant.ErrNoRows) {
		return e, ErrCustomerNotFound
	}
	return Erasure{row.Done, row.After}, erasing(err)
}

// erasureState is what an erasure goes by.
type erasureState struct {
	Done       bool       `db:"done"`
	Owes       bool       `db:"owes"`
	Subscribed bool       `db:"subscribed"`
	Last       civil.Date `db:"last"` // the day of the last document or payment
	Years      int        `db:"keep_years"`
}

func selectErasureState(ctx context.Context, tx *tenant.Tx, customer CustomerID) (s erasureState, err error) {
	err = tx.Get(ctx, &s, `
		SELECT p.erased_at IS NOT NULL AS done, s.keep_years,
		       EXISTS (SELECT FROM document d WHERE d.customer_id = p.id AND d.kind::text IN ('invoice', 'bill') AND d.state::text = 'issued'
		                  AND d.settled + d.written_off < d.total) AS owes,
		       EXISTS (SELECT FROM subscription b WHERE b.customer_id = p.id AND b.state::text <> 'ended') AS subscribed,
		       greatest((SELECT max(d.issue_date) FROM document d WHERE d.customer_id = p.id AND d.state::text <> 'draft' AND d.kind::text NOT IN ('quote', 'order')),
		                (SELECT max(y.date) FROM payment y WHERE y.customer_id = p.id)) AS last
		  FROM party p CROSS JOIN settings s WHERE p.id = $1`, customer)
	return s, erasing(err)
}

// eraseContact erases what nobody has to keep.
func eraseContact(ctx context.Context, tx *tenant.Tx, customer CustomerID, after civil.Date) error {
	_, err := tx.Exec(ctx, `
		UPDATE party SET email = '', phone = '', verified_phone = '', phone_verified_at = NULL, archived_at = coalesce(archived_at, $2), erased_at = $2, erase_after = $3, version = version + 1
		 WHERE id = $1`, customer, tx.Now(), after)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE document SET ordered_network = '', ordered_country = '' WHERE customer_id = $1 AND ordered_network <> ''`, customer)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE mailing SET to_email = '', message = '' WHERE customer_id = $1`, customer)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `
			UPDATE payment_method SET sealed = '', last_four = '', expires = '', automatic = false, archived_at = coalesce(archived_at, $2), version = version + 1
			 WHERE customer_id = $1`, customer, tx.Now())
	}
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM audit_private WHERE audit_id IN (SELECT id FROM audit_log WHERE object_id = $1)`, customer)
	}
	if err == nil { // by itself: what erases may change nothing else
		_, err = tx.Exec(ctx, `UPDATE document SET held_for = '' WHERE customer_id = $1 AND kind::text = 'order' AND held_for <> ''`, customer)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `
			UPDATE document SET billed_to = jsonb_build_object('name', $2::text), accepted_by = '', note = '', reference = '', purchase_order = ''
			 WHERE customer_id = $1 AND kind::text IN ('quote', 'order') AND state::text <> 'draft'`, customer, erasedName)
	}
	return erasing(err)
}

// erasePeople erases those whom a customer let in at the portal, and signs them out.
func erasePeople(ctx context.Context, tx *tenant.Tx, customer CustomerID) error {
	var people []struct {
		ID    uuid.UUID `db:"id"`
		Email string    `db:"email"`
	}
	if err := tx.Select(ctx, &people, `SELECT id, email FROM contact WHERE party_id = $1 ORDER BY id FOR UPDATE`, customer); err != nil {
		return erasing(err)
	}
	for _, p := range people {
		if err := tx.ForgetContact(ctx, p.ID, p.Email); err != nil {
			return err
		}
	}
	if err := tx.ForgetCustomer(ctx, customer.UUID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		UPDATE contact SET name = '', email = '', password_hash = NULL, removed_at = coalesce(removed_at, $2), version = version + 1 WHERE party_id = $1`, customer, tx.Now())
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM audit_private WHERE audit_id IN (
			SELECT a.id FROM audit_log a WHERE a.object_id IN (SELECT c.id FROM contact c WHERE c.party_id = $1))`, customer)
	}
	return erasing(err)
}

// eraseRest erases what was kept for the books' sake.
func eraseRest(ctx context.Context, tx *tenant.Tx, customer CustomerID) error {
	_, err := tx.Exec(ctx, `
		UPDATE party SET name = $2, company = '', street = '', city = '', region = '', postal_code = '', tax_number = '', external_id = NULL,
		       erase_after = NULL, version = version + 1
		 WHERE id = $1`, customer, erasedName)
	if err == nil {
		_, err = tx.Exec(ctx, `
			UPDATE document SET billed_to = jsonb_build_object('name', $2::text), accepted_by = '', note = '', reference = '', purchase_order = ''
			 WHERE customer_id = $1 AND state::text <> 'draft'`, customer, erasedName)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `
			DELETE FROM audit_private WHERE audit_id IN (
				SELECT a.id FROM audit_log a WHERE a.object_id = $1 OR a.object_id IN (SELECT d.id FROM document d WHERE d.customer_id = $1))`, customer)
	}
	return erasing(err)
}

func eraseFiles(ctx context.Context, tx *tenant.Tx, customer CustomerID) error {
	_, err := tx.Exec(ctx, `DELETE FROM file WHERE kind::text = 'attachment' AND subject_id IN (SELECT id FROM document WHERE customer_id = $1)`, customer)
	return erasing(err)
}

func selectErasuresDue(ctx context.Context, tx *tenant.Tx, today civil.Date, most int) (due []CustomerID, err error) {
	err = tx.Select(ctx, &due, `SELECT id FROM party WHERE erase_after < $1 ORDER BY id LIMIT $2 FOR UPDATE`, today, most)
	return due, erasing(err)
}

func selectKeepYears(ctx context.Context, tx *tenant.Tx) (years int, err error) {
	if err := tx.Get(ctx, &years, `SELECT keep_years FROM settings`); err != nil {
		return 0, fmt.Errorf("reading how long documents are kept: %w", err)
	}
	return years, nil
}

func updateKeepYears(ctx context.Context, tx *tenant.Tx, years int) error {
	if _, err := tx.Exec(ctx, `UPDATE settings SET keep_years = $1, version = version + 1`, years); err != nil {
		return fmt.Errorf("saving how long documents are kept: %w", err)
	}
	return nil
}
