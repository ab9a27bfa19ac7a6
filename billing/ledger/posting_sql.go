package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// lineArgument is a line on its way into the statement below.
type lineArgument struct {
	Line     int            `json:"line"`
	Account  AccountID      `json:"account"`
	Party    *uuid.UUID     `json:"party"`
	Currency money.Currency `json:"currency"`
	Minor    int64          `json:"amount"`
	Memo     string         `json:"memo"`
}

// postedRow is a line on its way back, with what there is to say of the whole.
type postedRow struct {
	AccountCode     *string    `db:"code"`
	AccountName     *string    `db:"name"`
	AccountArchived bool       `db:"archived"`
	PartyName       *string    `db:"party_name"`
	Number          *int64     `db:"number"`
	Date            civil.Date `db:"date"`
	Closed          civil.Date `db:"closed"`
	PostedByName    string     `db:"posted_by_name"`
}

// postStatement takes the number, writes the entry and writes its lines in one round trip, so that the number's row is
// locked as briefly as can be. Where an account, a party or the date stands in the way, no number is taken and nothing
// is written; its rows tell why. Parties are looked up one by one, since a join would read all of them.
const postStatement = `
	WITH given AS MATERIALIZED (
		SELECT l.*, a.code, a.name, a.archived_at IS NOT NULL AS archived,
		       (SELECT p.name FROM party p WHERE p.id = l.party) AS party_name
		  FROM jsonb_to_recordset($10::jsonb)
		       AS l(line smallint, account uuid, party uuid, currency varchar, amount bigint, memo varchar)
		  LEFT JOIN account a ON a.id = l.account
	), period AS MATERIALIZED (
		SELECT s.closed, CASE WHEN $3::boolean THEN greatest($2::date, s.closed + 1) ELSE $2::date END AS date
		  FROM (SELECT max(books_closed_through) AS closed FROM settings) s
	), number AS (
		UPDATE counter SET value = value + 1
		 WHERE name = 'journal'
		   AND NOT EXISTS (SELECT FROM given g WHERE g.code IS NULL OR g.archived OR (g.party IS NOT NULL AND g.party_name IS NULL))
		   AND NOT EXISTS (SELECT FROM period WHERE period.date <= period.closed)
		RETURNING value
	), entry AS (
		INSERT INTO journal_entry (id, number, date, description, source_kind, source_id, reverses_id, posted_at, posted_by)
		SELECT $1::uuid, number.value, period.date, $4, $5, $6::uuid, $7::uuid, $8::timestamptz, $9::uuid FROM number, period
		RETURNING id, number, date
	), written AS (
		INSERT INTO journal_line (entry_id, line, account_id, party_id, currency, amount, memo)
		SELECT entry.id, g.line, g.account, g.party, g.currency, g.amount, g.memo FROM entry, given g
	)
	SELECT g.code, g.name, g.archived, g.party_name,
	       (SELECT entry.number FROM entry) AS number, (SELECT entry.date FROM entry) AS date,
	       (SELECT period.closed FROM period) AS closed,
	       coalesce((SELECT m.name FROM member m WHERE m.person_id = $9), '') AS posted_by_name
	  FROM given g ORDER BY g.line`

func insertEntry(ctx context.Context, tx *tenant.Tx, entry EntryID, p Posting) (Entry, error) {
	arguments := make([]lineArgument, len(p.Lines))
	for i, l := range p.Lines {
		arguments[i] = lineArgument{i + 1, l.Account, nil, l.Amount.Currency, l.Amount.Minor, l.Memo}
		if l.Party != uuid.Nil {
			arguments[i].Party = &l.Party
		}
	}
	lines, err := toJSON(arguments)
	if err != nil {
		return Entry{}, err
	}
	person := tx.Scope().Person().ID
	var rows []postedRow
	err = tx.Select(ctx, &rows, postStatement, entry, p.Date, p.Automatic, p.Description, p.Source,
		orNull(p.SourceID), orNull(p.reverses.UUID), tx.Now(), orNull(person.UUID), lines)
	if err != nil {
		return Entry{}, postFault(err)
	}
	if len(rows) != len(p.Lines) {
		return Entry{}, fmt.Errorf("posting an entry: %d lines came back as %d", len(p.Lines), len(rows))
	}
	if rows[0].Number == nil {
		return Entry{}, whyNotPosted(p, rows)
	}
	e := Entry{
		ID: entry, Number: *rows[0].Number, Date: rows[0].Date, Description: p.Description, Source: p.Source,
		SourceID: p.SourceID, Reverses: p.reverses, PostedAt: tx.Now(), PostedBy: person,
		PostedByName: rows[0].PostedByName, Lines: make([]EntryLine, len(rows)),
	}
	for i, r := range rows {
		e.Lines[i] = EntryLine{Line: p.Lines[i], AccountCode: *r.AccountCode, AccountName: *r.AccountName}
		if r.PartyName != nil {
			e.Lines[i].PartyName = *r.PartyName
		}
	}
	return e, nil
}

// whyNotPosted finds in the lines that came back what kept the entry from being written.
func whyNotPosted(p Posting, rows []postedRow) error {
	var faults fault.List
	for i, r := range rows {
		at := fmt.Sprintf("lines[%d].", i)
		switch {
		case r.AccountCode == nil:
			faults = append(faults, ErrAccountUnknown.At(at+"account_id"))
		case r.AccountArchived:
			faults = append(faults, ErrAccountArchived.Sayf("Account %s is archived. Restore it or choose another.", *r.AccountCode).At(at+"account_id"))
		}
		if p.Lines[i].Party != uuid.Nil && r.PartyName == nil {
			faults = append(faults, ErrPartyUnknown.At(at+"party_id"))
		}
	}
	if closed := rows[0].Closed; !closed.IsZero() && !p.Automatic && !p.Date.After(closed) {
		faults = append(faults, closedThrough(closed))
	}
	if len(faults) == 0 {
		return errors.New("posting an entry: the journal has no counter")
	}
	return faults
}

func closedThrough(closed civil.Date) *fault.Error {
	return ErrPeriodClosed.Sayf("The books are closed through %s. Choose a later day.", closed)
}

// postFault is for what only the database can see: what other transactions did in the same moment.
func postFault(err error) error {
	switch {
	case tenant.SQLState(err) == "LG003":
		return ErrPeriodClosed.Because(err)
	case tenant.Violates(err) == "journal_entry_reverses_id_key":
		return ErrAlreadyReversed.Because(err)
	}
	return fmt.Errorf("posting an entry: %w", err)
}

// orNull is an id for a column that may have none.
func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
