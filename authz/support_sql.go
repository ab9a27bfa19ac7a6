package authz

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// supportRow is a grant as both sides read it. People's names are under columns of their own, so that masking knows them.
type supportRow struct {
	ID        GrantID
	Slug      string
	Staff     *uuid.UUID `db:"staff_id"`
	StaffName string     `db:"staff_title"`
	AskedBy   uuid.UUID  `db:"asked_by"`
	AskedAt   time.Time  `db:"asked_at"`
	Reason    string
	Ticket    string
	Scopes    string
	Masked    bool
	Masks     *string
	Minutes   int
	Granted   *bool
	DecidedBy *uuid.UUID `db:"decided_by"`
	DecidedAt *time.Time `db:"decided_at"`
	Until     *time.Time `db:"until_at"`
	EndedAt   *time.Time `db:"ended_at"`
	EndedHow  *string    `db:"ended_how"`
	ReceiptAt *time.Time `db:"receipt_at"`
	Rows      *int       `db:"receipt_rows"`
	Digest    []byte     `db:"receipt_digest"`
}

func (r supportRow) grant() SupportGrant {
	g := SupportGrant{
		ID: r.ID, Slug: r.Slug, StaffName: r.StaffName, AskedBy: tenant.PersonID{UUID: r.AskedBy}, AskedAt: r.AskedAt.UTC(),
		Terms:   Terms{Reason: r.Reason, Ticket: r.Ticket, Scopes: strings.Fields(r.Scopes), Masks: r.masks(), Minutes: r.Minutes},
		Granted: r.Granted, DecidedAt: utc(r.DecidedAt), Until: utc(r.Until), EndedAt: utc(r.EndedAt),
	}
	if r.Staff != nil {
		g.Staff = tenant.PersonID{UUID: *r.Staff}
	}
	if r.DecidedBy != nil {
		g.DecidedBy = tenant.PersonID{UUID: *r.DecidedBy}
	}
	if r.EndedHow != nil {
		g.EndedHow = *r.EndedHow
	}
	if r.ReceiptAt != nil && r.Rows != nil {
		g.Receipt = &ReceiptHead{At: r.ReceiptAt.UTC(), Rows: *r.Rows, Digest: r.Digest}
	}
	return g
}

// masks are the groups that are masked. Who masks and names none masks all.
func (r supportRow) masks() tenant.Masks {
	switch {
	case !r.Masked:
		return 0
	case r.Masks == nil:
		return tenant.MaskAll
	}
	return tenant.ReadMasks(*r.Masks)
}

// maskWords are masks as they are stored: null for all, those too that come later.
func (t Terms) maskWords() any {
	if t.Masks == 0 || t.Masks == tenant.MaskAll {
		return nil
	}
	return strings.Join(t.Masks.Words(), " ")
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func grantsOf(rows []supportRow) []SupportGrant {
	all := make([]SupportGrant, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.grant())
	}
	return all
}

const supportHere = `
	SELECT g.id, '' AS slug, g.staff_id, g.staff_name AS staff_title, g.asked_by, g.asked_at, g.reason, g.ticket,
	       array_to_string(g.scopes, ' ') AS scopes, g.masked, g.masks, g.minutes, g.granted, g.decided_by, g.decided_at, g.until_at,
	       g.ended_at, g.ended_how, g.receipt_at, g.receipt_rows, g.receipt_digest
	  FROM platform.list_support_masks() g`

func selectSupport(ctx context.Context, tx *tenant.Tx) ([]SupportGrant, error) {
	var rows []supportRow
	if err := tx.Select(ctx, &rows, supportHere+` ORDER BY g.id DESC LIMIT 200`); err != nil {
		return nil, fmt.Errorf("listing support grants: %w", err)
	}
	return grantsOf(rows), nil
}

func selectSupportPage(ctx context.Context, tx *tenant.Tx, q cursor.Query) ([]SupportGrant, error) {
	var rows []supportRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, supportHere+` WHERE g.id > $1 ORDER BY g.id LIMIT $2`, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, supportHere+` WHERE $1::uuid IS NULL OR g.id < $1 ORDER BY g.id DESC LIMIT $2`, nullable(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing support grants: %w", err)
	}
	return grantsOf(rows), nil
}

func selectSupportByID(ctx context.Context, tx *tenant.Tx, grant GrantID) (SupportGrant, error) {
	var row supportRow
	if err := tx.Get(ctx, &row, supportHere+` WHERE g.id = $1`, grant); err != nil {
		return SupportGrant{}, fmt.Errorf("finding a support grant: %w", err)
	}
	return row.grant(), nil
}

func selectOpenVisits(ctx context.Context, tx *tenant.Tx) ([]SupportGrant, error) {
	var rows []supportRow
	err := tx.Select(ctx, &rows, supportHere+` WHERE g.granted AND g.staff_id IS NOT NULL AND g.ended_at IS NULL AND g.until_at > $1 AND g.receipt_at IS NULL ORDER BY g.until_at`, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("finding open visits: %w", err)
	}
	return grantsOf(rows), nil
}

func decideSupport(ctx context.Context, tx *tenant.Tx, grant GrantID, yes bool, t Terms, link tenant.Hash) (done bool, err error) {
	err = tx.Get(ctx, &done, `SELECT platform.decide_support($1, $2, $3, string_to_array($4::text, ' ')::varchar[], $5, $6, $7, $8, $9)`,
		grant, tx.Scope().Person().ID, yes, strings.Join(t.Scopes, " "), t.Masked(), t.maskWords(), t.Minutes, link[:], tx.Now())
	if err != nil {
		return false, fmt.Errorf("deciding a support request: %w", err)
	}
	return done, nil
}

func insertInvitation(ctx context.Context, tx *tenant.Tx, grant GrantID, t Terms, link tenant.Hash) error {
	_, err := tx.Exec(ctx, `SELECT platform.invite_support($1, $2, $3, string_to_array($4::text, ' ')::varchar[], $5, $6, $7, $8, $9)`,
		grant, tx.Scope().Person().ID, t.Reason, strings.Join(t.Scopes, " "), t.Masked(), t.maskWords(), t.Minutes, link[:], tx.Now())
	if err != nil {
		return fmt.Errorf("inviting support: %w", err)
	}
	return nil
}

func endSupport(ctx context.Context, tx *tenant.Tx, grant GrantID) (done bool, err error) {
	if err = tx.Get(ctx, &done, `SELECT platform.end_support($1, $2, $3)`, grant, tx.Scope().Person().ID, tx.Now()); err != nil {
		return false, fmt.Errorf("ending support access: %w", err)
	}
	return done, nil
}

// On the staff's side.

func insertRequest(ctx context.Context, tx *tenant.PlatformTx, grant GrantID, staff tenant.PersonID, slug string, t Terms) (bool, error) {
	var organization *uuid.UUID
	err := tx.Get(ctx, &organization, `SELECT platform.request_support($1, $2, $3, $4, $5, string_to_array($6::text, ' ')::varchar[], $7, $8, $9, $10)`,
		grant, slug, staff, t.Reason, t.Ticket, strings.Join(t.Scopes, " "), t.Masked(), t.maskWords(), t.Minutes, tx.Now())
	if err != nil {
		return false, fmt.Errorf("asking to be let in: %w", err)
	}
	return organization != nil, nil
}

const supportAll = `
	SELECT g.id, coalesce(o.slug, '') AS slug, g.staff_id, coalesce(p.name, '') AS staff_title, g.asked_by, g.asked_at, g.reason, g.ticket,
	       array_to_string(g.scopes, ' ') AS scopes, g.masked, g.masks, g.minutes, g.granted, g.decided_by, g.decided_at, g.until_at,
	       g.ended_at, g.ended_how, g.receipt_at, g.receipt_rows, g.receipt_digest
	  FROM platform.support_grant g
	  JOIN platform.organization o ON o.id = g.organization_id
	  LEFT JOIN platform.person p ON p.id = g.staff_id`

func selectVisitsOf(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID) ([]SupportGrant, error) {
	var rows []supportRow
	err := tx.Select(ctx, &rows, supportAll+`
		 WHERE g.staff_id = $1
		    OR g.staff_id IS NULL AND g.granted AND g.decided_by <> $1 AND g.ended_at IS NULL AND g.until_at > $2
		 ORDER BY g.id DESC LIMIT 200`, staff, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("listing visits: %w", err)
	}
	return grantsOf(rows), nil
}

func selectGrant(ctx context.Context, tx *tenant.PlatformTx, grant GrantID) (SupportGrant, error) {
	var row supportRow
	if err := tx.Get(ctx, &row, supportAll+` WHERE g.id = $1`, grant); err != nil {
		return SupportGrant{}, fmt.Errorf("finding a support grant: %w", err)
	}
	return row.grant(), nil
}

func takeSupport(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID, grant GrantID) (done bool, err error) {
	if err = tx.Get(ctx, &done, `SELECT platform.take_support($1, $2, $3)`, grant, staff, tx.Now()); err != nil {
		return false, fmt.Errorf("taking up an invitation: %w", err)
	}
	return done, nil
}

func leaveSupport(ctx context.Context, tx *tenant.PlatformTx, staff tenant.PersonID, grant GrantID) (done bool, err error) {
	if err = tx.Get(ctx, &done, `SELECT platform.leave_support($1, $2, $3)`, grant, staff, tx.Now()); err != nil {
		return false, fmt.Errorf("leaving: %w", err)
	}
	return done, nil
}

func endByLink(ctx context.Context, tx *tenant.PlatformTx, link tenant.Hash) (GrantID, bool, error) {
	var row struct {
		Found *uuid.UUID
		Ended bool
	}
	if err := tx.Get(ctx, &row, `SELECT found, ended FROM platform.end_support_by_link($1, $2)`, link[:], tx.Now()); err != nil {
		return GrantID{}, false, fmt.Errorf("ending support access by its link: %w", err)
	}
	if row.Found == nil {
		return GrantID{}, false, nil
	}
	return GrantID{UUID: *row.Found}, row.Ended, nil
}

func selectOwners(ctx context.Context, tx *tenant.PlatformTx, grant GrantID) ([]tenant.Person, error) {
	var rows []struct {
		ID          tenant.PersonID
		Name, Email string
	}
	err := tx.Select(ctx, &rows, `
		SELECT p.id, p.name, p.email
		  FROM platform.support_grant g
		  JOIN platform.membership m ON m.organization_id = g.organization_id
		  JOIN platform.person p ON p.id = m.person_id
		 WHERE g.id = $1 AND m.role = 'owner' AND m.state::text = 'active' ORDER BY p.id`, grant)
	if err != nil {
		return nil, fmt.Errorf("finding an organization's owners: %w", err)
	}
	all := make([]tenant.Person, 0, len(rows))
	for _, r := range rows {
		all = append(all, tenant.Person(r))
	}
	return all, nil
}

type owedRow struct {
	ID   GrantID
	Slug string
}

// selectOwedReceipts finds visits that are over, for a moment at least if they ran out: what began under them is done.
func selectOwedReceipts(ctx context.Context, tx *tenant.PlatformTx, settled time.Time) (rows []owedRow, err error) {
	err = tx.Select(ctx, &rows, `
		SELECT g.id, o.slug FROM platform.support_grant g JOIN platform.organization o ON o.id = g.organization_id
		 WHERE g.granted AND g.mailed_at IS NULL AND (g.ended_at IS NOT NULL OR g.until_at <= $1) AND o.slug IS NOT NULL
		 ORDER BY g.until_at LIMIT 200`, settled)
	if err != nil {
		return nil, fmt.Errorf("finding visits that are over: %w", err)
	}
	return rows, nil
}

// claimMailing says whether the caller is the one who mails a receipt.
func claimMailing(ctx context.Context, tx *tenant.PlatformTx, grant GrantID) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE platform.support_grant SET mailed_at = $2 WHERE id = $1 AND mailed_at IS NULL`, grant, tx.Now())
	if err != nil {
		return false, fmt.Errorf("claiming a receipt's mail: %w", err)
	}
	return n == 1, nil
}

// releaseMailing lets a receipt be mailed by whoever comes next.
func releaseMailing(ctx context.Context, tx *tenant.PlatformTx, grant GrantID) error {
	if _, err := tx.Exec(ctx, `UPDATE platform.support_grant SET mailed_at = NULL WHERE id = $1`, grant); err != nil {
		return fmt.Errorf("releasing a receipt's mail: %w", err)
	}
	return nil
}

type visitRow struct {
	ID       uuid.UUID
	At       time.Time
	Action   string
	Object   string     `db:"object_kind"`
	ObjectID *uuid.UUID `db:"object_id"`
	Request  string     `db:"request_id"`
	Detail   string
	Before   string
	After    string
	Seal     string
}

func selectDone(ctx context.Context, tx *tenant.Tx, grant GrantID, newest bool, limit int) (rows []visitRow, err error) {
	const columns = `
		SELECT a.id, a.at, a.action, a.object_kind, a.object_id, a.request_id, a.detail, a.before, a.after, coalesce(s.hash, '') AS seal
		  FROM audit_log a LEFT JOIN seal s ON s.row_id = a.id WHERE a.grant_id = $1`
	if newest {
		err = tx.Select(ctx, &rows, columns+` ORDER BY a.id DESC LIMIT $2`, grant, limit)
	} else {
		err = tx.Select(ctx, &rows, columns+` ORDER BY a.id LIMIT $2`, grant, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was done in a visit: %w", err)
	}
	return rows, nil
}

// closeSupport holds a visit that is over, so that nothing can be done in it until the transaction ends; false where
// it has its receipt.
func closeSupport(ctx context.Context, tx *tenant.Tx, grant GrantID) (held bool, err error) {
	if err = tx.Get(ctx, &held, `SELECT platform.close_support($1, $2)`, grant, tx.Now()); err != nil {
		return false, fmt.Errorf("closing a visit: %w", err)
	}
	return held, nil
}

func keepReceipt(ctx context.Context, tx *tenant.Tx, grant GrantID, rows int, digest []byte) (kept bool, err error) {
	if err = tx.Get(ctx, &kept, `SELECT platform.keep_support_receipt($1, $2, $3, $4)`, grant, rows, digest, tx.Now()); err != nil {
		return false, fmt.Errorf("keeping a receipt: %w", err)
	}
	return kept, nil
}
