package bank

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

const accountsFrom = `
	SELECT a.id, a.code, a.name, a.archived_at IS NOT NULL AS archived, a.bank_currency, a.bank_name, a.bank_last_four, a.bank_since,
	       a.bank_opening, a.bank_stated, a.bank_stated_on, a.bank_mapping, a.version,
	       coalesce((SELECT sum(l.amount) FROM journal_line l WHERE l.account_id = a.id AND l.currency = a.bank_currency), 0)::bigint AS book,
	       b.total, b.at_stated, b.lines, b.open,
	       (SELECT max(s.ends_on) FROM bank_statement s WHERE s.account_id = a.id AND s.finished_at IS NOT NULL) AS reconciled
	  FROM account a
	 CROSS JOIN LATERAL (
		SELECT coalesce(sum(n.amount), 0)::bigint AS total, count(*) AS lines, count(*) FILTER (WHERE n.how IS NULL) AS open,
		       coalesce(sum(n.amount) FILTER (WHERE n.date <= a.bank_stated_on), 0)::bigint AS at_stated
		  FROM bank_line n WHERE n.account_id = a.id AND n.how::text IS DISTINCT FROM 'excluded') b
	 WHERE a.bank_currency IS NOT NULL`

type accountRow struct {
	ID         ledger.AccountID `db:"id"`
	Code       string           `db:"code"`
	Name       string           `db:"name"`
	Archived   bool             `db:"archived"`
	Currency   money.Currency   `db:"bank_currency"`
	BankName   string           `db:"bank_name"`
	LastFour   string           `db:"bank_last_four"`
	Since      civil.Date       `db:"bank_since"`
	Opening    int64            `db:"bank_opening"`
	Stated     *int64           `db:"bank_stated"`
	StatedOn   civil.Date       `db:"bank_stated_on"`
	Mapping    string           `db:"bank_mapping"`
	Version    int              `db:"version"`
	Book       int64            `db:"book"`
	Total      int64            `db:"total"`
	AtStated   int64            `db:"at_stated"`
	Lines      int              `db:"lines"`
	Open       int              `db:"open"`
	Reconciled civil.Date       `db:"reconciled"`
}

func (r accountRow) account() Account {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	a := Account{
		ID: r.ID, Code: r.Code, Name: r.Name, Archived: r.Archived, Currency: r.Currency, BankName: r.BankName, LastFour: r.LastFour,
		Since: r.Since, Opening: amount(r.Opening), Book: amount(r.Book), Bank: amount(r.Opening + r.Total), AtStated: amount(r.Opening + r.AtStated),
		Lines: r.Lines, ToLookAt: r.Open, Reconciled: r.Reconciled, Version: r.Version,
	}
	if r.Stated != nil {
		a.Stated = &Balance{Date: r.StatedOn, Amount: amount(*r.Stated)}
	}
	if m, ok := readMapping(r.Mapping); ok {
		a.Mapping = &m
	}
	return a
}

func selectAccounts(ctx context.Context, tx *tenant.Tx) ([]Account, error) {
	var rows []accountRow
	if err := tx.Select(ctx, &rows, accountsFrom+` ORDER BY a.code COLLATE "C"`); err != nil {
		return nil, fmt.Errorf("listing bank accounts: %w", err)
	}
	all := make([]Account, len(rows))
	for i, r := range rows {
		all[i] = r.account()
	}
	return all, nil
}

func selectAccount(ctx context.Context, tx *tenant.Tx, account ledger.AccountID) (Account, error) {
	var row accountRow
	err := tx.Get(ctx, &row, accountsFrom+` AND a.id = $1`, account)
	if errors.Is(err, tenant.ErrNoRows) {
		return Account{}, ErrAccountNotFound
	} else if err != nil {
		return Account{}, fmt.Errorf("reading a bank account: %w", err)
	}
	return row.account(), nil
}

// lockAccount lets one transaction at a time match, import and reconcile in an account. Postings do not wait for it.
func lockAccount(ctx context.Context, tx *tenant.Tx, account ledger.AccountID) (Account, error) {
	var locked uuid.UUID
	err := tx.Get(ctx, &locked, `SELECT a.id FROM account a WHERE a.id = $1 AND a.bank_currency IS NOT NULL FOR NO KEY UPDATE`, account)
	if errors.Is(err, tenant.ErrNoRows) {
		return Account{}, ErrAccountNotFound
	} else if err != nil {
		return Account{}, fmt.Errorf("locking a bank account: %w", err)
	}
	return selectAccount(ctx, tx, account)
}

func updateOpened(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, currency money.Currency, d Details) error {
	opening := int64(0)
	if d.Opening != nil {
		opening = d.Opening.Minor
	}
	var known struct {
		Usable bool `db:"usable"`
		Taken  bool `db:"taken"`
	}
	err := tx.Get(ctx, &known, `
		SELECT a.kind::text = 'asset' AND a.archived_at IS NULL AND coalesce(a.purpose, 'bank') = 'bank' AS usable, a.bank_currency IS NOT NULL AS taken
		  FROM account a WHERE a.id = $1 FOR NO KEY UPDATE`, account)
	switch {
	case errors.Is(err, tenant.ErrNoRows), err == nil && !known.Usable:
		return ErrAccountKind
	case err != nil:
		return fmt.Errorf("looking at an account: %w", err)
	case known.Taken:
		return ErrAccountTaken
	}
	_, err = tx.Exec(ctx, `
		UPDATE account SET bank_currency = $2, bank_name = $3, bank_last_four = $4, bank_opening = $5, version = version + 1 WHERE id = $1`,
		account, currency, d.BankName, d.LastFour, opening)
	if err != nil {
		return fmt.Errorf("opening a bank account: %w", err)
	}
	return nil
}

func updateDetails(ctx context.Context, tx *tenant.Tx, a Account) error {
	_, err := tx.Exec(ctx, `UPDATE account SET bank_name = $2, bank_last_four = $3, bank_opening = $4, version = version + 1 WHERE id = $1`,
		a.ID, a.BankName, a.LastFour, a.Opening.Minor)
	if err != nil {
		return fmt.Errorf("changing a bank account: %w", err)
	}
	return nil
}

func updateMapping(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, m Mapping) error {
	if _, err := tx.Exec(ctx, `UPDATE account SET bank_mapping = $2 WHERE id = $1`, account, m.stored()); err != nil {
		return fmt.Errorf("keeping how a bank's files are read: %w", err)
	}
	return nil
}

// updateBeginning keeps what an import found out: from when lines are known, what was there before, and the newest
// balance.
func updateBeginning(ctx context.Context, tx *tenant.Tx, a Account) error {
	var stated any
	var on civil.Date
	if a.Stated != nil {
		stated, on = a.Stated.Amount.Minor, a.Stated.Date
	}
	_, err := tx.Exec(ctx, `UPDATE account SET bank_since = $2, bank_opening = $3, bank_stated = $4, bank_stated_on = $5 WHERE id = $1`,
		a.ID, a.Since, a.Opening.Minor, stated, on)
	if err != nil {
		return fmt.Errorf("keeping a bank's balance: %w", err)
	}
	return nil
}

// selectBegun says whether a finished statement rests on the opening balance.
func selectBegun(ctx context.Context, tx *tenant.Tx, account ledger.AccountID) (begun bool, err error) {
	if err = tx.Get(ctx, &begun, `SELECT EXISTS (SELECT FROM bank_statement WHERE account_id = $1 AND finished_at IS NOT NULL)`, account); err != nil {
		return false, fmt.Errorf("looking for statements: %w", err)
	}
	return begun, nil
}

// orNull is an id for a column that may have none.
func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
