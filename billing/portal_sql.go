package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

const portalColumns = `portal_sign_up, shop_open, portal_captcha, portal_version`

func selectPortal(ctx context.Context, tx *tenant.Tx) (p Portal, err error) {
	if err := tx.Get(ctx, &p, `SELECT `+portalColumns+` FROM settings`); err != nil {
		return p, fmt.Errorf("reading the portal's settings: %w", err)
	}
	return p, nil
}

func updatePortal(ctx context.Context, tx *tenant.Tx, version int, in PortalInput) (p Portal, err error) {
	err = tx.Get(ctx, &p, `UPDATE settings SET portal_sign_up = $2, shop_open = $3, portal_version = portal_version + 1
		WHERE $1 = 0 OR portal_version = $1 RETURNING `+portalColumns, version, in.SignUp, in.ShopOpen)
	if errors.Is(err, tenant.ErrNoRows) {
		return p, ErrPortalChanged
	} else if err != nil {
		return p, fmt.Errorf("changing the portal's settings: %w", err)
	}
	return p, nil
}

func selectOwed(ctx context.Context, tx *tenant.Tx, customer CustomerID, today civil.Date) ([]Owed, error) {
	var rows []struct {
		Currency      money.Currency
		Open, Overdue int64
		Invoices      int
	}
	err := tx.Select(ctx, &rows, `
		SELECT d.currency, sum(d.total - d.settled)::bigint AS open, count(*)::integer AS invoices,
		       coalesce(sum(d.total - d.settled) FILTER (WHERE d.due_date < $2), 0)::bigint AS overdue
		  FROM document d
		 WHERE d.customer_id = $1 AND d.kind::text = 'invoice' AND d.state::text = 'issued' AND d.settled < d.total
		 GROUP BY d.currency ORDER BY d.currency`, customer, today)
	if err != nil {
		return nil, fmt.Errorf("adding up what a customer owes: %w", err)
	}
	all := make([]Owed, len(rows))
	for i, r := range rows {
		all[i] = Owed{Amount: money.Amount{Minor: r.Open, Currency: r.Currency}, Overdue: money.Amount{Minor: r.Overdue, Currency: r.Currency}, Invoices: r.Invoices}
	}
	return all, nil
}
