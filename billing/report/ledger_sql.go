package report

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// sumRow is an account in one currency with its sums.
type sumRow struct {
	Account  ledger.AccountID `db:"account_id"`
	Code     string           `db:"code"`
	Name     string           `db:"name"`
	Kind     ledger.Kind      `db:"kind"`
	Currency money.Currency   `db:"currency"`
	Opening  int64            `db:"opening"`
	Debit    int64            `db:"debit"`
	Credit   int64            `db:"credit"`
}

func (r sumRow) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: r.Currency}
}

func (r sumRow) account() (LedgerAccount, error) {
	a := LedgerAccount{
		ID: r.Account, Code: r.Code, Name: r.Name, Kind: r.Kind, Currency: r.Currency,
		Opening: r.amount(r.Opening), Debit: r.amount(r.Debit), Credit: r.amount(r.Credit),
	}
	change, err := sub(a.Debit, a.Credit)
	if err != nil {
		return a, err
	}
	a.Closing, err = add(a.Opening, change)
	return a, err
}

// lineRow is a line beside its account's sums; without a line, only those.
type lineRow struct {
	sumRow
	Count       int64          `db:"lines"`
	Entry       ledger.EntryID `db:"entry_id"`
	Number      int64          `db:"number"`
	Date        civil.Date     `db:"date"`
	Description string         `db:"description"`
	Memo        string         `db:"memo"`
	Party       string         `db:"party_name"`
	Minor       int64          `db:"amount"`
}

func (r lineRow) hasLine() bool { return r.Minor != 0 } // the ledger has no line without an amount

func (r lineRow) line(before money.Amount) (LedgerLine, error) {
	balance, err := add(before, r.amount(r.Minor))
	return LedgerLine{
		Entry: r.Entry, Number: r.Number, Date: r.Date, Description: r.Description, Memo: r.Memo, Party: r.Party,
		Amount: r.amount(r.Minor), Balance: balance,
	}, err
}

// The sums of an account and currency: $1 is the first day, $2 the last, either may be NULL.
const sums = `
	coalesce(sum(l.amount) FILTER (WHERE e.date < $1::date), 0)::bigint AS opening,
	coalesce(sum(l.amount) FILTER (WHERE l.amount > 0 AND ($1::date IS NULL OR e.date >= $1::date)), 0)::bigint AS debit,
	coalesce(-sum(l.amount) FILTER (WHERE l.amount < 0 AND ($1::date IS NULL OR e.date >= $1::date)), 0)::bigint AS credit,
	count(*) FILTER (WHERE $1::date IS NULL OR e.date >= $1::date) AS lines
	FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
	WHERE ($2::date IS NULL OR e.date <= $2::date) `

const summed = `WITH total AS (SELECT l.account_id, l.currency, ` + sums + `GROUP BY l.account_id, l.currency) `

func selectSums(ctx context.Context, tx *tenant.Tx, period Period) ([]LedgerAccount, error) {
	var rows []sumRow
	err := tx.Select(ctx, &rows, summed+`
		SELECT t.account_id, a.code, a.name, a.kind, t.currency, t.opening, t.debit, t.credit
		  FROM total t JOIN account a ON a.id = t.account_id
		 WHERE t.opening <> 0 OR t.lines > 0
		 ORDER BY a.code COLLATE "C", t.currency COLLATE "C"`, period.From, period.To)
	if err != nil {
		return nil, reading("the sums of accounts", err)
	}
	accounts := make([]LedgerAccount, len(rows))
	for i, r := range rows {
		if accounts[i], err = r.account(); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

const lineRowColumns = `a.id AS account_id, a.code, a.name, a.kind, t.currency, t.opening, t.debit, t.credit, t.lines,
	n.entry_id, coalesce(n.number, 0) AS number, n.date, coalesce(n.description, '') AS description,
	coalesce(n.memo, '') AS memo, coalesce(p.name, '') AS party_name, coalesce(n.amount, 0) AS amount`

// listed are the lines of the period.
const listed = `
	SELECT l.account_id, l.currency, l.entry_id, l.line, l.party_id, l.memo, l.amount, e.number, e.date, e.description
	  FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
	 WHERE ($1::date IS NULL OR e.date >= $1::date) AND ($2::date IS NULL OR e.date <= $2::date) `

// selectAccountLines gives at least one row for an account that exists.
func selectAccountLines(ctx context.Context, tx *tenant.Tx, period Period, account ledger.AccountID) ([]lineRow, error) {
	var rows []lineRow
	err := tx.Select(ctx, &rows, `
		WITH moved AS (
			SELECT l.currency, `+sums+`AND l.account_id = $3 GROUP BY l.currency
		), total AS (
			SELECT currency, opening, debit, credit, lines FROM moved
			UNION ALL
			SELECT s.base_currency, 0, 0, 0, 0 FROM settings s WHERE NOT EXISTS (SELECT FROM moved)
		), placed AS (
			SELECT l.*, row_number() OVER (PARTITION BY l.currency ORDER BY l.date, l.number, l.line) AS place
			  FROM (`+listed+`AND l.account_id = $3) l
		)
		SELECT `+lineRowColumns+`
		  FROM account a CROSS JOIN total t
		  LEFT JOIN placed n ON n.currency = t.currency AND n.place <= $4
		  LEFT JOIN party p ON p.id = n.party_id
		 WHERE a.id = $3
		 ORDER BY t.currency COLLATE "C", n.place`, period.From, period.To, account, MaxLines)
	return rows, reading("the lines of an account", err)
}

func eachLine(ctx context.Context, tx *tenant.Tx, period Period, fn func(lineRow) error) error {
	err := tx.Each(ctx, func(scan func(any) error) error {
		var row lineRow
		if err := scan(&row); err != nil {
			return err
		}
		return fn(row)
	}, summed+`
		SELECT `+lineRowColumns+`
		  FROM total t JOIN account a ON a.id = t.account_id
		  LEFT JOIN (`+listed+`) n ON n.account_id = t.account_id AND n.currency = t.currency
		  LEFT JOIN party p ON p.id = n.party_id
		 WHERE t.opening <> 0 OR t.lines > 0
		 ORDER BY a.code COLLATE "C", t.currency COLLATE "C", n.date, n.number, n.line`, period.From, period.To)
	return reading("the general ledger", err)
}
