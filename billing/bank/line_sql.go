package bank

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

const linesFrom = `
	SELECT n.id, n.account_id, n.date, a.bank_currency AS currency, n.amount, n.memo, n.party_name, n.reference, coalesce(n.how, '') AS how,
	       n.entry_id, coalesce(e.number, 0) AS entry_number, coalesce(e.description, '') AS entry_say, n.rule_id, coalesce(r.words, '') AS rule_words,
	       n.statement_id, n.version
	  FROM bank_line n
	  JOIN account a ON a.id = n.account_id
	  LEFT JOIN journal_entry e ON e.id = n.entry_id
	  LEFT JOIN bank_rule r ON r.id = n.rule_id`

type lineRow struct {
	ID          LineID            `db:"id"`
	Account     ledger.AccountID  `db:"account_id"`
	Date        civil.Date        `db:"date"`
	Currency    money.Currency    `db:"currency"`
	Amount      int64             `db:"amount"`
	Memo        string            `db:"memo"`
	PartyName   string            `db:"party_name"`
	Reference   string            `db:"reference"`
	How         How               `db:"how"`
	Entry       *ledger.EntryID   `db:"entry_id"`
	EntryNumber int64             `db:"entry_number"`
	EntrySay    string            `db:"entry_say"`
	Rule        *RuleID           `db:"rule_id"`
	RuleWords   string            `db:"rule_words"`
	Statement   *id.Of[Statement] `db:"statement_id"`
	Version     int               `db:"version"`
}

func (r lineRow) line() Line {
	l := Line{ID: r.ID, Account: r.Account, Date: r.Date, Amount: money.Amount{Minor: r.Amount, Currency: r.Currency}, Memo: r.Memo,
		PartyName: r.PartyName, Reference: r.Reference, How: r.How, EntryNumber: r.EntryNumber, EntrySay: r.EntrySay, RuleWords: r.RuleWords, Version: r.Version}
	if r.Entry != nil {
		l.Entry = *r.Entry
	}
	if r.Rule != nil {
		l.Rule = *r.Rule
	}
	if r.Statement != nil {
		l.Statement = *r.Statement
	}
	return l
}

func linesOf(rows []lineRow) []Line {
	all := make([]Line, len(rows))
	for i, r := range rows {
		all[i] = r.line()
	}
	return all
}

const linesWhere = linesFrom + `
	 WHERE n.account_id = $1
	   AND CASE $2::text WHEN '' THEN true WHEN 'open' THEN n.how IS NULL WHEN 'excluded' THEN n.how::text = 'excluded'
	                     ELSE n.entry_id IS NOT NULL END`

func selectLines(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, state string, q cursor.Query) ([]Line, error) {
	var rows []lineRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, linesWhere+`
		   AND (n.date, n.id) > (SELECT x.date, x.id FROM bank_line x WHERE x.id = $3) ORDER BY n.date, n.id LIMIT $4`, account, state, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, linesWhere+`
		   AND ($3::uuid IS NULL OR (n.date, n.id) < (SELECT x.date, x.id FROM bank_line x WHERE x.id = $3))
		 ORDER BY n.date DESC, n.id DESC LIMIT $4`, account, state, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing bank lines: %w", err)
	}
	return linesOf(rows), nil
}

func selectLine(ctx context.Context, tx *tenant.Tx, line LineID) (Line, error) {
	var row lineRow
	err := tx.Get(ctx, &row, linesFrom+` WHERE n.id = $1`, line)
	if errors.Is(err, tenant.ErrNoRows) {
		return Line{}, ErrLineNotFound
	} else if err != nil {
		return Line{}, fmt.Errorf("reading a bank line: %w", err)
	}
	return row.line(), nil
}

// insertLines keeps those lines of a file that are new, and gives their ids in the file's order. The caller holds the
// account's lock.
func insertLines(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, lines []FileLine, prints []uuid.UUID) ([]LineID, error) {
	type row struct {
		ID        LineID     `json:"id"`
		Print     uuid.UUID  `json:"fingerprint"`
		Date      civil.Date `json:"date"`
		Amount    int64      `json:"amount"`
		Memo      string     `json:"memo"`
		PartyName string     `json:"party_name"`
		Reference string     `json:"reference"`
	}
	rows := make([]row, len(lines))
	for i, l := range lines {
		rows[i] = row{id.New[Line](), prints[i], l.Date, l.Amount.Minor, l.Memo, l.PartyName, l.Reference}
	}
	argument, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("writing an argument: %w", err)
	}
	var kept []LineID
	err = tx.Select(ctx, &kept, `
		WITH kept AS (
			INSERT INTO bank_line (id, account_id, fingerprint, date, amount, memo, party_name, reference, added_at)
			SELECT x.id, $1, x.fingerprint, x.date, x.amount, x.memo, x.party_name, x.reference, $3::timestamptz
			  FROM jsonb_to_recordset($2::jsonb)
			       AS x (id uuid, fingerprint uuid, date date, amount bigint, memo varchar, party_name varchar, reference varchar)
			ON CONFLICT (account_id, fingerprint) DO NOTHING RETURNING id)
		SELECT id FROM kept ORDER BY id`, account, string(argument), tx.Now())
	if err != nil {
		return nil, fmt.Errorf("keeping bank lines: %w", err)
	}
	return kept, nil
}

// foundLine is what an account has already of a file's line.
type foundLine struct {
	At    int  `db:"at"`
	Known bool `db:"known"` // it is there
	Alike bool `db:"alike"` // another with its day and amount is
}

// selectKnown looks for lines that are there already.
func selectKnown(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, lines []FileLine, prints []uuid.UUID) ([]foundLine, error) {
	type row struct {
		At     int        `json:"at"`
		Print  uuid.UUID  `json:"fingerprint"`
		Date   civil.Date `json:"date"`
		Amount int64      `json:"amount"`
	}
	rows := make([]row, len(lines))
	for i, l := range lines {
		rows[i] = row{i, prints[i], l.Date, l.Amount.Minor}
	}
	argument, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("writing an argument: %w", err)
	}
	var found []foundLine
	err = tx.Select(ctx, &found, `
		SELECT x.at, EXISTS (SELECT FROM bank_line n WHERE n.account_id = $1 AND n.fingerprint = x.fingerprint) AS known, d.date IS NOT NULL AS alike
		  FROM jsonb_to_recordset($2::jsonb) AS x (at integer, fingerprint uuid, date date, amount bigint)
		  LEFT JOIN (SELECT DISTINCT n.date, n.amount FROM bank_line n WHERE n.account_id = $1) d ON d.date = x.date AND d.amount = x.amount
		 ORDER BY x.at`, account, string(argument))
	if err != nil {
		return nil, fmt.Errorf("looking for bank lines: %w", err)
	}
	return found, nil
}

// updateLine matches a line, or with Open unmatches it.
func updateLine(ctx context.Context, tx *tenant.Tx, line LineID, how How, entry ledger.EntryID, rule RuleID) error {
	_, err := tx.Exec(ctx, `UPDATE bank_line SET how = nullif($2, ''), entry_id = $3, rule_id = $4, version = version + 1 WHERE id = $1`,
		line, string(how), orNull(entry.UUID), orNull(rule.UUID))
	if err != nil {
		return fmt.Errorf("matching a bank line: %w", err)
	}
	return nil
}
