package bank

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

type ruleRow struct {
	ID        RuleID            `db:"id"`
	Position  int               `db:"position"`
	Bank      *ledger.AccountID `db:"account_id"`
	BankName  string            `db:"bank_account_name"`
	Words     string            `db:"words"`
	Way       string            `db:"way"`
	Direction string            `db:"direction"`
	Least     *decimal.Decimal  `db:"least"`
	Most      *decimal.Decimal  `db:"most"`
	BookTo    ledger.AccountID  `db:"book_to"`
	BookCode  string            `db:"book_code"`
	BookName  string            `db:"book_account_name"`
	Tax       string            `db:"tax_code"`
	Say       string            `db:"description"`
	Automatic bool              `db:"automatic"`
	Version   int               `db:"version"`
}

func selectRules(ctx context.Context, tx *tenant.Tx) ([]Rule, error) {
	var rows []ruleRow
	err := tx.Select(ctx, &rows, `
		SELECT r.id, r.position, r.account_id, coalesce(b.name, '') AS bank_account_name, r.words, r.way, r.direction, r.least, r.most, r.book_to,
		       t.code AS book_code, t.name AS book_account_name, r.tax_code, r.description, r.automatic, r.version
		  FROM bank_rule r JOIN account t ON t.id = r.book_to LEFT JOIN account b ON b.id = r.account_id ORDER BY r.position, r.id`)
	if err != nil {
		return nil, fmt.Errorf("listing bank rules: %w", err)
	}
	all := make([]Rule, len(rows))
	for i, r := range rows {
		all[i] = Rule{ID: r.ID, Position: r.Position, BookCode: r.BookCode, BookName: r.BookName, BankName: r.BankName, Version: r.Version,
			RuleInput: RuleInput{Words: r.Words, Way: r.Way, Direction: r.Direction, Least: r.Least, Most: r.Most, BookTo: r.BookTo, Tax: r.Tax, Say: r.Say, Automatic: r.Automatic}}
		if r.Bank != nil {
			all[i].Bank = *r.Bank
		}
	}
	return all, nil
}

// lockRules lets one transaction at a time change the order of the rules.
func lockRules(ctx context.Context, tx *tenant.Tx) ([]Rule, error) {
	var locked []uuid.UUID
	if err := tx.Select(ctx, &locked, `SELECT id FROM bank_rule ORDER BY id FOR UPDATE`); err != nil {
		return nil, fmt.Errorf("locking bank rules: %w", err)
	}
	return selectRules(ctx, tx)
}

func insertRule(ctx context.Context, tx *tenant.Tx, rule RuleID, position int, in RuleInput) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO bank_rule (id, position, account_id, words, way, direction, least, most, book_to, description, automatic, tax_code)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		rule, position, orNull(in.Bank.UUID), in.Words, in.Way, in.Direction, in.Least, in.Most, in.BookTo, in.Say, in.Automatic, in.Tax)
	if err != nil {
		return fmt.Errorf("adding a bank rule: %w", err)
	}
	return nil
}

func updateRule(ctx context.Context, tx *tenant.Tx, rule RuleID, version int, in RuleInput) error {
	var kept uuid.UUID
	err := tx.Get(ctx, &kept, `
		UPDATE bank_rule SET account_id = $3, words = $4, way = $5, direction = $6, least = $7, most = $8, book_to = $9, description = $10,
		       automatic = $11, tax_code = $12, version = version + 1
		 WHERE id = $1 AND ($2 = 0 OR version = $2) RETURNING id`,
		rule, version, orNull(in.Bank.UUID), in.Words, in.Way, in.Direction, in.Least, in.Most, in.BookTo, in.Say, in.Automatic, in.Tax)
	return ruleFault(ctx, tx, rule, err)
}

func deleteRule(ctx context.Context, tx *tenant.Tx, rule RuleID, version int) error {
	var gone uuid.UUID
	err := tx.Get(ctx, &gone, `DELETE FROM bank_rule WHERE id = $1 AND ($2 = 0 OR version = $2) RETURNING id`, rule, version)
	return ruleFault(ctx, tx, rule, err)
}

// ruleFault tells why a change met no row.
func ruleFault(ctx context.Context, tx *tenant.Tx, rule RuleID, err error) error {
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, tenant.ErrNoRows):
		return fmt.Errorf("changing a bank rule: %w", err)
	}
	if _, err := RuleByID(ctx, tx, rule); err != nil {
		return err
	}
	return ErrRuleChanged
}

func updatePositions(ctx context.Context, tx *tenant.Tx, a RuleID, toA int, b RuleID, toB int) error {
	_, err := tx.Exec(ctx, `UPDATE bank_rule SET position = CASE WHEN id = $1 THEN $2::integer ELSE $4::integer END, version = version + 1 WHERE id IN ($1, $3)`, a, toA, b, toB)
	if err != nil {
		return fmt.Errorf("moving a bank rule: %w", err)
	}
	return nil
}

// selectLinesByID gives lines by day, in the order of their files.
func selectLinesByID(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, ids []LineID) ([]Line, error) {
	argument, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("writing an argument: %w", err)
	}
	var rows []lineRow
	err = tx.Select(ctx, &rows, linesFrom+` WHERE n.account_id = $1 AND n.id IN (SELECT x::uuid FROM jsonb_array_elements_text($2::jsonb) AS x) ORDER BY n.date, n.id`,
		account, string(argument))
	if err != nil {
		return nil, fmt.Errorf("reading new bank lines: %w", err)
	}
	return linesOf(rows), nil
}
