package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

type feedRow struct {
	recordRow
	Name string
	Seal int64
}

func (r feedRow) entry() Entry {
	return Entry{ID: id.Of[Entry]{UUID: r.ID}, At: r.At.UTC(), By: r.ActorKind, Actor: r.Actor.UUID, Name: r.Name, Grant: r.Grant.UUID,
		Action: r.Action, ObjectKind: r.ObjectKind, Object: r.Object.UUID, Request: r.RequestID, Network: r.Network, Detail: r.Detail,
		Changes: readChanges(r.Before, r.After), Seal: r.Seal}
}

const feedWhere = `SELECT ` + recordColumns + `, coalesce(m.name, nullif(k.name, ''), k.email, '') AS name, coalesce(s.seq, 0) AS seal
	  FROM audit_log a LEFT JOIN member m ON m.person_id = a.actor_id LEFT JOIN contact k ON k.id = a.actor_id AND a.actor_kind = 'customer' LEFT JOIN seal s ON s.row_id = a.id
	 WHERE ($1::uuid IS NULL OR a.actor_id = $1)
	   AND ($2 = '' OR a.object_kind IN (SELECT jsonb_array_elements_text($2::jsonb)))
	   AND ($3::uuid IS NULL OR a.object_id = $3)
	   AND ($4::timestamptz IS NULL OR a.at >= $4) AND ($5::timestamptz IS NULL OR a.at < $5)
	   AND (NOT $6 OR a.grant_id IS NOT NULL)`

func selectFeed(ctx context.Context, tx *tenant.Tx, f Filter, q cursor.Query) ([]Entry, error) {
	kinds, err := f.kinds()
	if err != nil {
		return nil, err
	}
	var rows []feedRow
	if q.Backwards() {
		err = tx.Select(ctx, &rows, feedWhere+` AND a.id > $7 ORDER BY a.id LIMIT $8`,
			orNull(f.Actor), kinds, orNull(f.Object), timeOrNull(f.From), timeOrNull(f.To), f.Support, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, feedWhere+` AND ($7::uuid IS NULL OR a.id < $7) ORDER BY a.id DESC LIMIT $8`,
			orNull(f.Actor), kinds, orNull(f.Object), timeOrNull(f.From), timeOrNull(f.To), f.Support, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record: %w", err)
	}
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry()
	}
	if err := addVisits(ctx, tx, entries); err != nil {
		return nil, err
	}
	if !f.Personal {
		return entries, nil
	}
	return entries, addPersonal(ctx, tx, entries)
}

// kinds is the list of object kinds as JSON; "" for all.
func (f Filter) kinds() (string, error) {
	var wanted []string
	switch {
	case f.ObjectKind != "":
		wanted = []string{f.ObjectKind}
	case f.Group != "":
		wanted = kindsOf(f.Group)
	default:
		return "", nil
	}
	b, err := json.Marshal(wanted)
	if err != nil {
		return "", fmt.Errorf("reading the record: %w", err)
	}
	return string(b), nil
}

// selectVisit gives what was done under a grant, oldest first.
func selectVisit(ctx context.Context, tx *tenant.Tx, grant, after uuid.UUID, limit int) (rows []recordRow, err error) {
	err = tx.Select(ctx, &rows, `SELECT `+recordColumns+` FROM audit_log a WHERE a.grant_id = $1 AND ($2::uuid IS NULL OR a.id > $2) ORDER BY a.id LIMIT $3`,
		grant, orNull(after), limit)
	if err != nil {
		return nil, fmt.Errorf("reading what was done in a visit: %w", err)
	}
	return rows, nil
}

type grantRow struct {
	ID      uuid.UUID
	Staff   string        `db:"staff_title"`
	LetInBy uuid.NullUUID `db:"decided_by"`
	Owner   string        `db:"name"` // so that masking knows it; who of support was in stands open
	Ticket  string
	Reason  string
}

// addVisits says of what support did who it was and by whose leave. Grants stand outside the organization: the function
// gives this one's alone.
func addVisits(ctx context.Context, tx *tenant.Tx, entries []Entry) error {
	if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Grant != uuid.Nil }) {
		return nil
	}
	var rows []grantRow
	err := tx.Select(ctx, &rows, `SELECT g.id, g.staff_name AS staff_title, g.decided_by, coalesce(m.name, '') AS name, g.ticket, g.reason
		  FROM platform.list_support() g LEFT JOIN member m ON m.person_id = g.decided_by`)
	if err != nil {
		return fmt.Errorf("reading by whose leave support was in: %w", err)
	}
	grants := make(map[uuid.UUID]grantRow, len(rows))
	for _, r := range rows {
		grants[r.ID] = r
	}
	for i, e := range entries {
		g, ok := grants[e.Grant]
		if !ok {
			continue
		}
		entries[i].Visit = Visit{LetInBy: g.LetInBy.UUID, Owner: g.Owner, Ticket: g.Ticket, Reason: g.Reason}
		if g.Staff != "" {
			entries[i].Name = g.Staff
		}
	}
	return nil
}

type personalRow struct {
	Audit         uuid.UUID `db:"audit_id"`
	Field         string
	Salt          uuid.UUID
	Before, After string
}

func addPersonal(ctx context.Context, tx *tenant.Tx, entries []Entry) error {
	byID, ids := map[uuid.UUID]*Entry{}, []string{}
	for i := range entries {
		for _, c := range entries[i].Changes {
			if c.Personal {
				byID[entries[i].ID.UUID] = &entries[i]
				ids = append(ids, entries[i].ID.String())
				break
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("reading the record: %w", err)
	}
	var rows []personalRow
	err = tx.Select(ctx, &rows, `SELECT p.audit_id, p.field, p.salt, p.before, p.after
		FROM audit_private p JOIN jsonb_array_elements_text($1::jsonb) AS w (id) ON p.audit_id = w.id::uuid`, string(wanted))
	if err != nil {
		return fmt.Errorf("reading the record: %w", err)
	}
	for _, p := range rows {
		byID[p.Audit].addPersonal(p)
	}
	return nil
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
