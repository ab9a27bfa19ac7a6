package bank

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// A statement under way opens with what there is to open with now; a finished one with what it was finished on.
const statementsFrom = `
	SELECT s.id, s.account_id, a.bank_currency AS currency, s.ends_on, s.closing, s.finished_at, coalesce(m.name, '') AS member_name, s.version,
	       CASE WHEN s.finished_at IS NOT NULL THEN s.opening
	            ELSE coalesce((SELECT p.closing FROM bank_statement p WHERE p.account_id = s.account_id AND p.finished_at IS NOT NULL
	                            ORDER BY p.ends_on DESC LIMIT 1), a.bank_opening) END AS opening,
	       b.cleared, b.lines, b.open,
	       NOT EXISTS (SELECT FROM bank_statement p WHERE p.account_id = s.account_id AND p.ends_on > s.ends_on) AS newest
	  FROM bank_statement s
	  JOIN account a ON a.id = s.account_id
	  LEFT JOIN member m ON m.person_id = s.finished_by
	 CROSS JOIN LATERAL (
		SELECT coalesce(sum(n.amount) FILTER (WHERE n.entry_id IS NOT NULL), 0)::bigint AS cleared, count(*) FILTER (WHERE n.entry_id IS NOT NULL) AS lines,
		       count(*) FILTER (WHERE n.entry_id IS NULL) AS open
		  FROM bank_line n
		 WHERE n.account_id = s.account_id AND n.how::text IS DISTINCT FROM 'excluded'
		   AND (n.statement_id = s.id OR s.finished_at IS NULL AND n.statement_id IS NULL AND n.date <= s.ends_on)) b`

type statementRow struct {
	ID       StatementID      `db:"id"`
	Account  ledger.AccountID `db:"account_id"`
	Currency money.Currency   `db:"currency"`
	EndsOn   civil.Date       `db:"ends_on"`
	Opening  int64            `db:"opening"`
	Closing  int64            `db:"closing"`
	Finished *time.Time       `db:"finished_at"`
	ByName   string           `db:"member_name"`
	Version  int              `db:"version"`
	Cleared  int64            `db:"cleared"`
	Lines    int              `db:"lines"`
	Open     int              `db:"open"`
	Newest   bool             `db:"newest"`
}

func (r statementRow) statement() Statement {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	return Statement{ID: r.ID, Account: r.Account, EndsOn: r.EndsOn, Opening: amount(r.Opening), Closing: amount(r.Closing), Cleared: amount(r.Cleared),
		Lines: r.Lines, ToLookAt: r.Open, Finished: r.Finished, ByName: r.ByName, Newest: r.Newest, Version: r.Version}
}

func selectStatements(ctx context.Context, tx *tenant.Tx, account ledger.AccountID) ([]Statement, error) {
	var rows []statementRow
	if err := tx.Select(ctx, &rows, statementsFrom+` WHERE s.account_id = $1 ORDER BY s.ends_on DESC, s.id DESC`, account); err != nil {
		return nil, fmt.Errorf("listing bank statements: %w", err)
	}
	all := make([]Statement, len(rows))
	for i, r := range rows {
		all[i] = r.statement()
	}
	return all, nil
}

func selectStatement(ctx context.Context, tx *tenant.Tx, statement StatementID) (Statement, error) {
	var row statementRow
	err := tx.Get(ctx, &row, statementsFrom+` WHERE s.id = $1`, statement)
	if errors.Is(err, tenant.ErrNoRows) {
		return Statement{}, ErrStatementNotFound
	} else if err != nil {
		return Statement{}, fmt.Errorf("reading a bank statement: %w", err)
	}
	return row.statement(), nil
}

func selectStatementLines(ctx context.Context, tx *tenant.Tx, s Statement) ([]Line, error) {
	var rows []lineRow
	err := tx.Select(ctx, &rows, linesFrom+`
		 WHERE n.account_id = $1 AND n.how::text IS DISTINCT FROM 'excluded'
		   AND (n.statement_id = $2 OR $3::boolean AND n.statement_id IS NULL AND n.date <= $4)
		 ORDER BY n.date, n.id`, s.Account, s.ID, s.Finished == nil, s.EndsOn)
	if err != nil {
		return nil, fmt.Errorf("listing a bank statement's lines: %w", err)
	}
	return linesOf(rows), nil
}

func insertStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, account ledger.AccountID, in StatementInput, opening money.Amount) error {
	_, err := tx.Exec(ctx, `INSERT INTO bank_statement (id, account_id, ends_on, opening, closing, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		statement, account, in.EndsOn, opening.Minor, in.Closing.Minor, tx.Now())
	if err != nil {
		return fmt.Errorf("beginning a bank statement: %w", err)
	}
	return nil
}

func updateStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, in StatementInput) error {
	_, err := tx.Exec(ctx, `UPDATE bank_statement SET ends_on = $2, closing = $3, version = version + 1 WHERE id = $1`, statement, in.EndsOn, in.Closing.Minor)
	if err != nil {
		return fmt.Errorf("changing a bank statement: %w", err)
	}
	return nil
}

func updateFinished(ctx context.Context, tx *tenant.Tx, s Statement) error {
	_, err := tx.Exec(ctx, `
		WITH done AS (
			UPDATE bank_statement SET opening = $2, finished_at = $3, finished_by = $4, version = version + 1 WHERE id = $1
		)
		UPDATE bank_line SET statement_id = $1, version = version + 1
		 WHERE account_id = $5 AND entry_id IS NOT NULL AND statement_id IS NULL AND date <= $6`,
		s.ID, s.Opening.Minor, tx.Now(), orNull(tx.Scope().Person().ID.UUID), s.Account, s.EndsOn)
	if err != nil {
		return fmt.Errorf("finishing a bank statement: %w", err)
	}
	return nil
}

func updateReopened(ctx context.Context, tx *tenant.Tx, statement StatementID) error {
	_, err := tx.Exec(ctx, `
		WITH done AS (
			UPDATE bank_statement SET finished_at = NULL, finished_by = NULL, version = version + 1 WHERE id = $1
		)
		UPDATE bank_line SET statement_id = NULL, version = version + 1 WHERE statement_id = $1`, statement)
	if err != nil {
		return fmt.Errorf("reopening a bank statement: %w", err)
	}
	return nil
}

func deleteStatement(ctx context.Context, tx *tenant.Tx, statement StatementID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM bank_statement WHERE id = $1`, statement); err != nil {
		return fmt.Errorf("discarding a bank statement: %w", err)
	}
	return nil
}
