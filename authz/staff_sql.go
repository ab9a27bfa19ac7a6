package authz

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

type staffRow struct {
	ID      tenant.PersonID `db:"person_id"`
	Name    string
	Email   string
	Role    string
	Rights  *string
	State   string
	AddedAt time.Time `db:"added_at"`
	Factor  bool
}

func (r staffRow) member() StaffMember {
	m := StaffMember{Person: tenant.Person{ID: r.ID, Name: r.Name, Email: r.Email}, Role: r.Role, State: r.State,
		AddedAt: r.AddedAt.UTC(), SecondFactor: r.Factor}
	if r.Rights != nil {
		m.Rights = strings.Fields(*r.Rights)
	}
	return m
}

const staffColumns = `
	SELECT f.person_id, p.name, p.email, f.role, array_to_string(f.rights, ' ') AS rights, f.state, f.added_at,
	       EXISTS (SELECT FROM platform.totp t WHERE t.person_id = f.person_id AND t.confirmed_at IS NOT NULL)
	       OR EXISTS (SELECT FROM platform.passkey k WHERE k.person_id = f.person_id) AS factor
	  FROM platform.staff f JOIN platform.person p ON p.id = f.person_id`

func selectStaffByID(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (StaffMember, error) {
	var row staffRow
	if err := tx.Get(ctx, &row, staffColumns+` WHERE f.person_id = $1`, person); err != nil {
		return StaffMember{}, fmt.Errorf("finding someone of the staff: %w", err)
	}
	return row.member(), nil
}

func selectPersonAt(ctx context.Context, tx *tenant.PlatformTx, address string) (tenant.Person, error) {
	var row struct {
		ID          tenant.PersonID
		Name, Email string
	}
	if err := tx.Get(ctx, &row, `SELECT id, name, email FROM platform.person WHERE email = $1`, address); err != nil {
		return tenant.Person{}, fmt.Errorf("finding a person: %w", err)
	}
	return tenant.Person(row), nil
}

func selectStaff(ctx context.Context, tx *tenant.PlatformTx) ([]StaffMember, error) {
	var rows []staffRow
	if err := tx.Select(ctx, &rows, staffColumns+` ORDER BY lower(p.name), f.person_id`); err != nil {
		return nil, fmt.Errorf("listing the staff: %w", err)
	}
	all := make([]StaffMember, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.member())
	}
	return all, nil
}

// lockStaff lets one change of the staff happen at a time, so that of the last two administrators one stays.
func lockStaff(ctx context.Context, tx *tenant.PlatformTx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('platform.staff'))`); err != nil {
		return fmt.Errorf("waiting for other changes of the staff: %w", err)
	}
	return nil
}

func upsertStaff(ctx context.Context, tx *tenant.PlatformTx, m StaffMember) error {
	var rights any
	if m.Rights != nil {
		rights = strings.Join(m.Rights, " ")
	}
	_, err := tx.Exec(ctx, `SELECT platform.set_staff($1, $2, string_to_array($3::text, ' ')::varchar[], $4, $5)`,
		m.Person.ID, m.Role, rights, m.State, tx.Now())
	if err != nil {
		return fmt.Errorf("setting someone of the staff: %w", err)
	}
	return nil
}

func countFullAdministrators(ctx context.Context, tx *tenant.PlatformTx) (n int, err error) {
	err = tx.Get(ctx, &n, `SELECT count(*) FROM platform.staff f
		WHERE f.role::text = 'administrator' AND f.rights IS NULL AND f.state::text = 'active'`)
	if err != nil {
		return 0, fmt.Errorf("counting administrators: %w", err)
	}
	return n, nil
}

// RecordStaff puts on the staff's record what one of them did outside any organization; nobody is the operator.
func RecordStaff(ctx context.Context, tx *tenant.PlatformTx, by tenant.PersonID, act tenant.Act) error {
	return recordStaff(ctx, tx, by, act)
}

func recordStaff(ctx context.Context, tx *tenant.PlatformTx, by tenant.PersonID, act tenant.Act) error {
	var actor any
	if !by.IsZero() {
		actor = by
	}
	r := tenant.RequestFrom(ctx)
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.staff_log (id, at, actor_id, action, object_kind, object_id, request_id, network, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, left($9, 400))`,
		id.New[StaffMember](), tx.Now(), actor, act.Action, act.Object, nullable(act.ID), r.ID, r.Network, act.Detail)
	if err != nil {
		return fmt.Errorf("recording %s: %w", act.Action, err)
	}
	return nil
}

type staffOrganizationRow struct {
	Slug        string
	State       string
	Compartment int       `db:"compartment_id"`
	CreatedAt   time.Time `db:"claimed_at"`
}

func selectStaffOrganizations(ctx context.Context, tx *tenant.PlatformTx, after string, limit int) ([]StaffOrganization, error) {
	var rows []staffOrganizationRow
	err := tx.Select(ctx, &rows, `
		SELECT o.slug, o.state, o.compartment_id, coalesce(o.claimed_at, o.created_at) AS claimed_at FROM platform.organization o
		 WHERE o.slug > $1 ORDER BY o.slug LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing organizations: %w", err)
	}
	all := make([]StaffOrganization, 0, len(rows))
	for _, r := range rows {
		all = append(all, StaffOrganization{r.Slug, r.State, r.Compartment, r.CreatedAt.UTC()})
	}
	return all, nil
}
