package payables

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// today is the organization's date at the moment $1.
const today = `(SELECT ($1::timestamptz AT TIME ZONE s.time_zone)::date FROM settings s)`

func updateRepeat(ctx context.Context, tx *tenant.Tx, recurring BillID, in RecurringInput, next civil.Date) error {
	if !in.Until.IsZero() && next.After(in.Until) {
		next = civil.Date{}
	}
	_, err := tx.Exec(ctx, `
		UPDATE document SET repeat_unit = $2, repeat_every = $3, repeat_on = $4, repeat_until = $5, repeat_enters = $6, repeat_problem = ''
		 WHERE id = $1`, recurring, in.Unit, in.Every, next, in.Until, in.Enters)
	if err != nil {
		return fmt.Errorf("writing how a bill repeats: %w", err)
	}
	return nil
}

func updateNext(ctx context.Context, tx *tenant.Tx, recurring BillID, next civil.Date) error {
	_, err := tx.Exec(ctx, `UPDATE document SET repeat_on = $2, repeat_problem = '', version = version + 1 WHERE id = $1`, recurring, next)
	if err != nil {
		return fmt.Errorf("moving a recurring bill on: %w", err)
	}
	return nil
}

func updateProblem(ctx context.Context, tx *tenant.Tx, recurring BillID, code string) error {
	_, err := tx.Exec(ctx, `UPDATE document SET repeat_problem = left($2, 40) WHERE id = $1 AND repeat_on IS NOT NULL`, recurring, code)
	if err != nil {
		return fmt.Errorf("keeping what keeps a recurring bill: %w", err)
	}
	return nil
}

// selectLastMade gives the day of the last bill that was made; zero for none.
func selectLastMade(ctx context.Context, tx *tenant.Tx, recurring BillID) (last civil.Date, err error) {
	err = tx.Get(ctx, &last, `SELECT max(d.issue_date) FROM document d WHERE d.origin_id = $1 AND d.kind::text = 'bill'`, recurring)
	if err != nil {
		return last, fmt.Errorf("looking for the bills of a recurring one: %w", err)
	}
	return last, nil
}

func selectDue(ctx context.Context, tx *tenant.Tx, last BillID, limit int) (due []BillID, err error) {
	err = tx.Select(ctx, &due, `
		SELECT d.id FROM document d
		 WHERE d.kind::text = 'recurring' AND d.repeat_on <= `+today+` AND d.id > $2 ORDER BY d.id LIMIT $3`, tx.Now(), last, limit)
	if err != nil {
		return nil, fmt.Errorf("looking for recurring bills that are due: %w", err)
	}
	return due, nil
}

// lockDue locks a recurring bill that is still due; due is false if it is not, or if another has it.
func lockDue(ctx context.Context, tx *tenant.Tx, recurring BillID) (due bool, err error) {
	err = tx.Get(ctx, &due, `
		SELECT true FROM document d WHERE d.id = $2 AND d.kind::text = 'recurring' AND d.repeat_on <= `+today+`
		   FOR NO KEY UPDATE SKIP LOCKED`, tx.Now(), recurring)
	if errors.Is(err, tenant.ErrNoRows) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("locking a recurring bill: %w", err)
	}
	return due, nil
}
