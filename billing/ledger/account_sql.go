package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/tenant"
)

const accountColumns = `a.id, a.code, a.name, a.kind, coalesce(a.purpose, '') AS purpose,
	a.archived_at IS NOT NULL AS archived, a.version`

func insertAccount(ctx context.Context, tx *tenant.Tx, account AccountID, in AccountInput) (a Account, err error) {
	err = tx.Get(ctx, &a, `
		INSERT INTO account AS a (id, code, name, kind) VALUES ($1, $2, $3, $4) RETURNING `+accountColumns,
		account, in.Code, in.Name, in.Kind)
	if tenant.Violates(err) == "account_code_key" {
		return a, ErrAccountCodeTaken.Because(err)
	} else if err != nil {
		return a, fmt.Errorf("adding an account: %w", err)
	}
	return a, nil
}

func updateAccountName(ctx context.Context, tx *tenant.Tx, account AccountID, version int, name string) (a Account, err error) {
	err = tx.Get(ctx, &a, `
		UPDATE account AS a SET name = $3, version = a.version + 1
		 WHERE a.id = $1 AND ($2 = 0 OR a.version = $2)
		RETURNING `+accountColumns, account, version, name)
	return a, accountFault(ctx, tx, account, "renaming an account", err)
}

func updateAccountArchived(ctx context.Context, tx *tenant.Tx, account AccountID, version int, archived bool) (a Account, err error) {
	err = tx.Get(ctx, &a, `
		UPDATE account AS a SET archived_at = CASE WHEN $3 THEN coalesce(a.archived_at, $4) END, version = a.version + 1
		 WHERE a.id = $1 AND ($2 = 0 OR a.version = $2)
		RETURNING `+accountColumns, account, version, archived, tx.Now())
	return a, accountFault(ctx, tx, account, "archiving an account", err)
}

// accountFault tells why an update met no row.
func accountFault(ctx context.Context, tx *tenant.Tx, account AccountID, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, tenant.ErrNoRows):
		return fmt.Errorf("%s: %w", doing, err)
	}
	if _, err := selectAccount(ctx, tx, account); err != nil {
		return err
	}
	return ErrAccountChanged
}

func selectAccount(ctx context.Context, tx *tenant.Tx, account AccountID) (a Account, err error) {
	err = tx.Get(ctx, &a, `SELECT `+accountColumns+` FROM account a WHERE a.id = $1`, account)
	if errors.Is(err, tenant.ErrNoRows) {
		return a, ErrAccountNotFound
	} else if err != nil {
		return a, fmt.Errorf("reading an account: %w", err)
	}
	return a, nil
}

func selectAccountFor(ctx context.Context, tx *tenant.Tx, purpose string) (a Account, err error) {
	err = tx.Get(ctx, &a, `SELECT `+accountColumns+` FROM account a WHERE a.purpose = $1`, purpose)
	if err != nil {
		return a, fmt.Errorf("looking for the account for %q: %w", purpose, err)
	}
	return a, nil
}

func selectAccounts(ctx context.Context, tx *tenant.Tx) ([]Account, error) {
	accounts := []Account{}
	err := tx.Select(ctx, &accounts, `SELECT `+accountColumns+` FROM account a ORDER BY a.code COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	return accounts, nil
}

func selectAccountEmpty(ctx context.Context, tx *tenant.Tx, account AccountID) (empty bool, err error) {
	err = tx.Get(ctx, &empty, `
		SELECT NOT EXISTS (SELECT FROM journal_line l WHERE l.account_id = $1 GROUP BY l.currency HAVING sum(l.amount) <> 0)`, account)
	if err != nil {
		return false, fmt.Errorf("looking for an account's balance: %w", err)
	}
	return empty, nil
}

// lockJournal waits until no posting is under way and keeps others from beginning until the transaction ends.
func lockJournal(ctx context.Context, tx *tenant.Tx) error {
	var number int64
	if err := tx.Get(ctx, &number, `SELECT value FROM counter WHERE name = 'journal' FOR UPDATE`); err != nil {
		return fmt.Errorf("locking the journal: %w", err)
	}
	return nil
}
