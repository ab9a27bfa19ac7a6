package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

type entryRow struct {
	ID           EntryID         `db:"id"`
	Number       int64           `db:"number"`
	Date         civil.Date      `db:"date"`
	Description  string          `db:"description"`
	Source       SourceKind      `db:"source_kind"`
	SourceID     uuid.UUID       `db:"source_id"`
	Reverses     EntryID         `db:"reverses_id"`
	ReversedBy   EntryID         `db:"reversed_by_id"`
	PostedAt     time.Time       `db:"posted_at"`
	PostedBy     tenant.PersonID `db:"posted_by"`
	PostedByName string          `db:"posted_by_name"`
}

func (r entryRow) entry() Entry {
	return Entry{
		ID: r.ID, Number: r.Number, Date: r.Date, Description: r.Description, Source: r.Source, SourceID: r.SourceID,
		Reverses: r.Reverses, ReversedBy: r.ReversedBy, PostedAt: r.PostedAt.UTC(), PostedBy: r.PostedBy,
		PostedByName: r.PostedByName,
	}
}

type lineRow struct {
	Entry       EntryID        `db:"entry_id"`
	Account     AccountID      `db:"account_id"`
	AccountCode string         `db:"account_code"`
	AccountName string         `db:"account_name"`
	Party       uuid.UUID      `db:"party_id"`
	PartyName   string         `db:"party_name"`
	Currency    money.Currency `db:"currency"`
	Minor       int64          `db:"amount"`
	Memo        string         `db:"memo"`
}

func (r lineRow) line() EntryLine {
	return EntryLine{
		Line:        Line{r.Account, r.Party, money.Amount{Minor: r.Minor, Currency: r.Currency}, r.Memo},
		AccountCode: r.AccountCode, AccountName: r.AccountName, PartyName: r.PartyName,
	}
}

const entryColumns = `e.id, e.number, e.date, e.description, e.source_kind, e.source_id, e.reverses_id,
	r.id AS reversed_by_id, e.posted_at, e.posted_by, coalesce(m.name, '') AS posted_by_name`

const entryTables = ` FROM journal_entry e
	LEFT JOIN journal_entry r ON r.reverses_id = e.id
	LEFT JOIN member m ON m.person_id = e.posted_by `

const lineColumns = `l.entry_id, l.account_id, a.code AS account_code, a.name AS account_name, l.party_id,
	coalesce(p.name, '') AS party_name, l.currency, l.amount, l.memo`

const lineTables = `JOIN account a ON a.id = l.account_id LEFT JOIN party p ON p.id = l.party_id `

func selectEntry(ctx context.Context, tx *tenant.Tx, entry EntryID) (Entry, error) {
	var row entryRow
	err := tx.Get(ctx, &row, `SELECT `+entryColumns+entryTables+`WHERE e.id = $1`, entry)
	if errors.Is(err, tenant.ErrNoRows) {
		return Entry{}, ErrEntryNotFound
	} else if err != nil {
		return Entry{}, fmt.Errorf("reading an entry: %w", err)
	}
	found := []Entry{row.entry()}
	err = fillLines(ctx, tx, found)
	return found[0], err
}

const entriesBetween = `WHERE ($1::date IS NULL OR e.date >= $1) AND ($2::date IS NULL OR e.date <= $2) `

const entriesWithWords = `AND (position(upper($5) in upper(e.description)) > 0 OR e.number::text = ltrim(regexp_replace(upper($5), '^J-', ''), '0')) `

const entriesOfAccount = `AND e.id IN (SELECT l.entry_id FROM journal_line l WHERE l.account_id = $5) `

const entriesAfter = `AND ($3::uuid IS NULL OR e.number < (SELECT b.number FROM journal_entry b WHERE b.id = $3)) `

const entriesBefore = `AND e.number > (SELECT b.number FROM journal_entry b WHERE b.id = $3) `

func selectEntries(ctx context.Context, tx *tenant.Tx, f EntryFilter, q cursor.Query) ([]Entry, error) {
	const read = `SELECT ` + entryColumns + entryTables + entriesBetween
	const newest, oldest = `ORDER BY e.number DESC LIMIT $4`, `ORDER BY e.number LIMIT $4`
	var rows []entryRow
	var err error
	switch after := orNull(q.After); {
	case f.Account.IsZero() && f.Search != "" && q.Backwards():
		err = tx.Select(ctx, &rows, read+entriesWithWords+entriesBefore+oldest, f.From, f.To, q.Before, q.Fetch(), f.Search)
	case f.Account.IsZero() && f.Search != "":
		err = tx.Select(ctx, &rows, read+entriesWithWords+entriesAfter+newest, f.From, f.To, after, q.Fetch(), f.Search)
	case f.Account.IsZero() && q.Backwards():
		err = tx.Select(ctx, &rows, read+entriesBefore+oldest, f.From, f.To, q.Before, q.Fetch())
	case f.Account.IsZero():
		err = tx.Select(ctx, &rows, read+entriesAfter+newest, f.From, f.To, after, q.Fetch())
	case q.Backwards():
		err = tx.Select(ctx, &rows, read+entriesOfAccount+entriesBefore+oldest, f.From, f.To, q.Before, q.Fetch(), f.Account)
	default:
		err = tx.Select(ctx, &rows, read+entriesOfAccount+entriesAfter+newest, f.From, f.To, after, q.Fetch(), f.Account)
	}
	if err != nil {
		return nil, fmt.Errorf("listing entries: %w", err)
	}
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry()
	}
	return entries, nil
}

// fillLines reads the lines of all of these entries at once.
func fillLines(ctx context.Context, tx *tenant.Tx, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	place := make(map[EntryID]int, len(entries))
	ids := make([]EntryID, len(entries))
	for i, e := range entries {
		place[e.ID], ids[i] = i, e.ID
	}
	wanted, err := toJSON(ids)
	if err != nil {
		return err
	}
	var rows []lineRow
	err = tx.Select(ctx, &rows, `SELECT `+lineColumns+` FROM journal_line l `+lineTables+`
		WHERE l.entry_id IN (SELECT x::uuid FROM jsonb_array_elements_text($1::jsonb) x) ORDER BY l.entry_id, l.line`, wanted)
	if err != nil {
		return fmt.Errorf("reading the lines of entries: %w", err)
	}
	for _, r := range rows {
		e := &entries[place[r.Entry]]
		e.Lines = append(e.Lines, r.line())
	}
	return nil
}

func walkEntries(ctx context.Context, tx *tenant.Tx, from, to civil.Date, fn func(Entry) error) error {
	var current *Entry
	err := tx.Each(ctx, func(scan func(any) error) error {
		var row struct {
			entryRow
			lineRow
		}
		if err := scan(&row); err != nil {
			return err
		}
		if current == nil || current.ID != row.entryRow.ID {
			if current != nil {
				if err := fn(*current); err != nil {
					return err
				}
			}
			e := row.entry()
			current = &e
		}
		current.Lines = append(current.Lines, row.line())
		return nil
	}, `SELECT `+entryColumns+`, `+lineColumns+entryTables+`JOIN journal_line l ON l.entry_id = e.id `+lineTables+
		entriesBetween+`ORDER BY e.number, l.line`, from, to)
	if err != nil {
		return fmt.Errorf("walking through the journal: %w", err)
	}
	if current == nil {
		return nil
	}
	return fn(*current)
}
