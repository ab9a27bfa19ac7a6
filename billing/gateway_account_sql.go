package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

const gatewayColumns = `SELECT g.id, g.kind, g.name, g.hint, g.instructions, g.account_id, a.code AS account_code, g.created_at,
	g.archived_at IS NOT NULL AS archived, g.version FROM gateway_account g JOIN account a ON a.id = g.account_id`

func insertGatewayAccount(ctx context.Context, tx *tenant.Tx, s SealedGatewayAccount, account ledger.AccountID) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO gateway_account (id, kind, name, sealed, hint, instructions, account_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.id, string(s.in.Kind), s.in.Name, s.sealed, s.hint, s.in.Instructions, account, tx.Now())
	if err != nil {
		return fmt.Errorf("adding a gateway account: %w", err)
	}
	return nil
}

func updateGatewayAccount(ctx context.Context, tx *tenant.Tx, version int, s SealedGatewayAccount) error {
	n, err := tx.Exec(ctx, `
		UPDATE gateway_account SET name = $3, instructions = $4, version = version + 1,
		       sealed = CASE WHEN $5::text = '' THEN sealed ELSE $5::text END, hint = CASE WHEN $5::text = '' THEN hint ELSE $6::text END
		 WHERE id = $1 AND ($2 = 0 OR version = $2) AND account_id IS NOT NULL`, s.id, version, s.in.Name, s.in.Instructions, s.sealed, s.hint)
	if err != nil {
		return fmt.Errorf("changing a gateway account: %w", err)
	}
	if n == 0 {
		return ErrGatewayChanged
	}
	return nil
}

func updateGatewayArchived(ctx context.Context, tx *tenant.Tx, account GatewayAccountID, version int) error {
	n, err := tx.Exec(ctx, `
		UPDATE gateway_account SET archived_at = coalesce(archived_at, $3), version = version + 1
		 WHERE id = $1 AND ($2 = 0 OR version = $2) AND account_id IS NOT NULL`,
		account, version, tx.Now())
	if err != nil {
		return fmt.Errorf("removing a gateway account: %w", err)
	}
	if n == 0 {
		if _, err := selectGatewayAccount(ctx, tx, account); err != nil {
			return err
		}
		return ErrGatewayChanged
	}
	return nil
}

func selectGatewayAccount(ctx context.Context, tx *tenant.Tx, account GatewayAccountID) (a GatewayAccount, err error) {
	err = tx.Get(ctx, &a, gatewayColumns+` WHERE g.id = $1`, account)
	if errors.Is(err, tenant.ErrNoRows) {
		return a, ErrGatewayNotFound
	} else if err != nil {
		return a, fmt.Errorf("reading a gateway account: %w", err)
	}
	return a, nil
}

func selectGatewayAccounts(ctx context.Context, tx *tenant.Tx) (all []GatewayAccount, err error) {
	if err := tx.Select(ctx, &all, gatewayColumns+` ORDER BY g.archived_at IS NOT NULL, g.id`); err != nil {
		return nil, fmt.Errorf("listing gateway accounts: %w", err)
	}
	return all, nil
}

func selectCredentials(ctx context.Context, tx *tenant.Tx, account GatewayAccountID) (SealedCredentials, error) {
	var row struct {
		Kind    gateway.Kind `db:"kind"`
		Sealed  string       `db:"sealed"`
		Version int          `db:"version"`
	}
	err := tx.Get(ctx, &row, `SELECT kind, sealed, version FROM gateway_account WHERE id = $1 AND account_id IS NOT NULL`, account)
	if errors.Is(err, tenant.ErrNoRows) {
		return SealedCredentials{}, ErrGatewayNotFound
	} else if err != nil {
		return SealedCredentials{}, fmt.Errorf("reading a gateway's credentials: %w", err)
	}
	return SealedCredentials{Kind: row.Kind, sealed: row.Sealed, version: row.Version}, nil
}
