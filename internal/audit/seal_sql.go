package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// lockChain lets one transaction at a time add to the organization's chain.
func lockChain(ctx context.Context, tx *tenant.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.seal', 0))`); err != nil {
		return fmt.Errorf("waiting for the chain: %w", err)
	}
	return nil
}

func selectHead(ctx context.Context, tx *tenant.Tx) (Head, error) {
	var row struct {
		Seq      int64
		Hash     string
		SealedAt time.Time `db:"sealed_at"`
	}
	err := tx.Get(ctx, &row, `SELECT seq, hash, sealed_at FROM seal ORDER BY seq DESC LIMIT 1`)
	if errors.Is(err, tenant.ErrNoRows) {
		return Head{}, nil
	} else if err != nil {
		return Head{}, fmt.Errorf("reading the head of the chain: %w", err)
	}
	return Head{row.Seq, row.Hash, row.SealedAt.UTC()}, nil
}

func selectNewestSealed(ctx context.Context, tx *tenant.Tx) (u uuid.UUID, err error) {
	if err := tx.Get(ctx, &u, `SELECT row_id FROM seal ORDER BY row_id DESC LIMIT 1`); err != nil {
		return u, fmt.Errorf("reading what was sealed last: %w", err)
	}
	return u, nil
}

type sealRow struct {
	Seq      int64  `json:"seq" db:"seq"`
	Shape    int    `json:"shape" db:"shape"`
	Row      string `json:"row_id" db:"row_id"`
	SealedAt string `json:"sealed_at" db:"sealed_at"`
	Hash     string `json:"hash" db:"hash"`
}

func insertSeals(ctx context.Context, tx *tenant.Tx, seals []sealRow) error {
	list, err := json.Marshal(seals)
	if err != nil {
		return fmt.Errorf("writing seals: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO seal (seq, shape, row_id, sealed_at, hash)
		SELECT s.seq, s.shape, s.row_id, s.sealed_at, s.hash
		  FROM jsonb_to_recordset($1::jsonb) AS s (seq bigint, shape smallint, row_id uuid, sealed_at timestamptz, hash varchar)`, string(list))
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	return nil
}

const recordColumns = `a.id, a.at, a.actor_kind, a.actor_id, a.grant_id, a.action, a.object_kind, a.object_id, a.request_id, a.network,
	a.detail, a.before, a.after`

type recordRow struct {
	ID         uuid.UUID
	At         time.Time
	ActorKind  string        `db:"actor_kind"`
	Actor      uuid.NullUUID `db:"actor_id"`
	Grant      uuid.NullUUID `db:"grant_id"`
	Action     string
	ObjectKind string        `db:"object_kind"`
	Object     uuid.NullUUID `db:"object_id"`
	RequestID  string        `db:"request_id"`
	Network    string
	Detail     string
	Before     string
	After      string
}

func (r recordRow) record() *record {
	return &record{ID: r.ID.String(), At: stamp(r.At), ActorKind: r.ActorKind, ActorID: idText(r.Actor), GrantID: idText(r.Grant),
		Action: r.Action, ObjectKind: r.ObjectKind, ObjectID: idText(r.Object), RequestID: r.RequestID, Network: r.Network,
		Detail: r.Detail, Before: r.Before, After: r.After}
}

func recordsOf(rows []recordRow) []*record {
	all := make([]*record, len(rows))
	for i, r := range rows {
		all[i] = r.record()
	}
	return all
}

func selectUnsealedRecords(ctx context.Context, tx *tenant.Tx, from uuid.UUID) ([]*record, error) {
	var rows []recordRow
	err := tx.Select(ctx, &rows, `SELECT `+recordColumns+` FROM audit_log a
		WHERE a.id > $1 AND NOT EXISTS (SELECT FROM seal s WHERE s.row_id = a.id) ORDER BY a.id LIMIT $2`, from, sealBatch)
	if err != nil {
		return nil, fmt.Errorf("looking for what is not sealed: %w", err)
	}
	return recordsOf(rows), nil
}

const postingColumns = `e.id, e.number, e.date, e.description, e.source_kind, e.source_id, e.reverses_id, e.posted_at, e.posted_by`

type postingRow struct {
	ID          uuid.UUID
	Number      int64
	Date        civil.Date
	Description string
	SourceKind  string        `db:"source_kind"`
	Source      uuid.NullUUID `db:"source_id"`
	Reverses    uuid.NullUUID `db:"reverses_id"`
	PostedAt    time.Time     `db:"posted_at"`
	PostedBy    uuid.NullUUID `db:"posted_by"`
}

type lineRow struct {
	Entry    uuid.UUID `db:"entry_id"`
	Line     int
	Account  uuid.UUID     `db:"account_id"`
	Party    uuid.NullUUID `db:"party_id"`
	Currency string
	Amount   int64
	Memo     string
}

func selectUnsealedPostings(ctx context.Context, tx *tenant.Tx, from uuid.UUID) ([]*posting, error) {
	var rows []postingRow
	err := tx.Select(ctx, &rows, `SELECT `+postingColumns+` FROM journal_entry e
		WHERE e.id > $1 AND NOT EXISTS (SELECT FROM seal s WHERE s.row_id = e.id) ORDER BY e.id LIMIT $2`, from, sealBatch)
	if err != nil {
		return nil, fmt.Errorf("looking for what is not sealed: %w", err)
	}
	return withLines(ctx, tx, rows)
}

// withLines gives entries their lines.
func withLines(ctx context.Context, tx *tenant.Tx, rows []postingRow) ([]*posting, error) {
	entries, byID, ids := make([]*posting, len(rows)), map[uuid.UUID]*posting{}, make([]string, len(rows))
	for i, r := range rows {
		entries[i] = &posting{ID: r.ID.String(), Number: r.Number, Date: r.Date.String(), Description: r.Description, SourceKind: r.SourceKind,
			SourceID: idText(r.Source), ReversesID: idText(r.Reverses), PostedAt: stamp(r.PostedAt), PostedBy: idText(r.PostedBy), Lines: []postingLine{}}
		byID[r.ID], ids[i] = entries[i], entries[i].ID
	}
	if len(rows) == 0 {
		return entries, nil
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("reading lines: %w", err)
	}
	var lines []lineRow
	err = tx.Select(ctx, &lines, `
		SELECT l.entry_id, l.line, l.account_id, l.party_id, l.currency, l.amount, l.memo
		  FROM journal_line l JOIN jsonb_array_elements_text($1::jsonb) AS w (id) ON l.entry_id = w.id::uuid
		 ORDER BY l.entry_id, l.line`, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("reading lines: %w", err)
	}
	for _, l := range lines {
		e := byID[l.Entry]
		e.Lines = append(e.Lines, postingLine{Line: l.Line, AccountID: l.Account.String(), PartyID: idText(l.Party), Currency: l.Currency, Amount: l.Amount, Memo: l.Memo})
	}
	return entries, nil
}

type sealedRow struct {
	Seq      int64
	Shape    int
	Row      uuid.UUID `db:"row_id"`
	SealedAt time.Time `db:"sealed_at"`
	Hash     string
}

func selectSeals(ctx context.Context, tx *tenant.Tx, after, upTo int64, most int) (rows []sealedRow, err error) {
	err = tx.Select(ctx, &rows, `SELECT seq, shape, row_id, sealed_at, hash FROM seal WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
		after, upTo, most)
	if err != nil {
		return nil, fmt.Errorf("reading seals: %w", err)
	}
	return rows, nil
}

// selectSealed gives what seals name, by id.
func selectSealed(ctx context.Context, tx *tenant.Tx, seals []sealedRow) (map[string]sealable, error) {
	ids := make([]string, len(seals))
	for i, s := range seals {
		ids[i] = s.Row.String()
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("reading what is sealed: %w", err)
	}
	var records []recordRow
	err = tx.Select(ctx, &records, `SELECT `+recordColumns+` FROM audit_log a JOIN jsonb_array_elements_text($1::jsonb) AS w (id) ON a.id = w.id::uuid`, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("reading what is sealed: %w", err)
	}
	var rows []postingRow
	err = tx.Select(ctx, &rows, `SELECT `+postingColumns+` FROM journal_entry e JOIN jsonb_array_elements_text($1::jsonb) AS w (id) ON e.id = w.id::uuid`, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("reading what is sealed: %w", err)
	}
	entries, err := withLines(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	found := make(map[string]sealable, len(seals))
	for _, r := range recordsOf(records) {
		found[r.ID] = r
	}
	for _, e := range entries {
		found[e.ID] = e
	}
	return found, nil
}
