package audit

import (
	"context"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

func selectActors(ctx context.Context, tx *tenant.Tx) (all []Actor, err error) {
	if err := tx.Select(ctx, &all, `
		SELECT * FROM (
		    SELECT m.person_id AS id, m.name, false AS support FROM member m
		    UNION ALL
		    SELECT DISTINCT g.staff_id, g.staff_name, true FROM platform.list_support() g
		     WHERE g.granted AND g.staff_id IS NOT NULL AND g.staff_id NOT IN (SELECT m.person_id FROM member m)
		) AS a ORDER BY a.support, lower(a.name), a.id LIMIT 500`); err != nil {
		return nil, fmt.Errorf("listing people: %w", err)
	}
	return all, nil
}

func selectMailsHead(ctx context.Context, tx *tenant.Tx) (on bool, err error) {
	if err := tx.Get(ctx, &on, `SELECT coalesce(bool_or(mail_chain_head), false) FROM settings`); err != nil {
		return false, fmt.Errorf("reading whether the head is mailed: %w", err)
	}
	return on, nil
}

func updateMailsHead(ctx context.Context, tx *tenant.Tx, on bool) (was bool, err error) {
	err = tx.Get(ctx, &was, `
		UPDATE settings s SET mail_chain_head = $1 FROM (SELECT mail_chain_head FROM settings FOR UPDATE) AS w RETURNING w.mail_chain_head`, on)
	if err != nil {
		return false, fmt.Errorf("setting whether the head is mailed: %w", err)
	}
	return was, nil
}

func selectOwners(ctx context.Context, tx *tenant.Tx) (all []string, err error) {
	if err := tx.Select(ctx, &all, `SELECT email FROM member WHERE role = 'owner' AND state = 'active' ORDER BY person_id`); err != nil {
		return nil, fmt.Errorf("listing owners: %w", err)
	}
	return all, nil
}
