package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why nothing is written in an organization for a while.
var (
	ErrSuspended = fault.New(fault.Forbidden, "plan.suspended", "This organization is suspended: everything can be read and exported, and nothing changed. Under Settings, Plan, stand the bills that are unpaid; once they are paid all works again at once. If there are none, write to our support.")
	// ErrClosedForNow is what those are told who are not in it.
	ErrClosedForNow = fault.New(fault.Forbidden, "organization.read_only", "This cannot be done at the moment. Ask whoever sent you here.")
	// ErrNobodyBills says that the platform has no bills.
	ErrNobodyBills = fault.New(fault.NotFound, "plan.none", "This organization has no plan, and so nothing to pay or to choose.")
)

// account is what follows for an organization from how it stands with the platform.
type account struct {
	ReadOnly    bool `db:"read_only"`
	Limited     bool `db:"limited"`
	BillsOthers bool `db:"bills_others"`
}

const accountColumns = ` coalesce(o.read_only, false) AS read_only, coalesce(o.limited, false) AS limited, coalesce(o.bills_others, false) AS bills_others`

// ReadOnly says that the organization is suspended: Do reads only.
func (s Scope) ReadOnly() bool { return s.s.ReadOnly && s.s.kind != Operator && s.s.kind != Self }

// WhileSuspended is the scope for what goes on while the organization is suspended: reading, which may leave its trace on
// the record, exports, and ending what others may do.
func (s Scope) WhileSuspended() Scope { return Scope{s.s, true} }

func (s Scope) shut() bool { return s.ReadOnly() && !s.open }

// refuseWriting puts the database's refusal in words.
func refuseWriting(s Scope, h *handle, err error) error {
	const readOnlyTransaction = "25006"
	if !s.shut() || SQLState(err) != readOnlyTransaction && SQLState(h.failed) != readOnlyTransaction {
		return err
	}
	switch s.s.kind {
	case Link, Webhook, Invited, Customer, Visitor:
		return ErrClosedForNow.Because(err)
	}
	return ErrSuspended.Because(err)
}

// A Limit is something of which a plan lets an organization have so many.
type Limit string

// The limits that are counted in an organization's own tables. That of members is held by the platform's index of them.
const (
	LimitInvoices  Limit = "invoices"   // issued in a calendar month
	LimitStorageMB Limit = "storage_mb" // of files, 1,000,000 bytes each
)

// PlanLimit is how many of something the organization may have; ok is false where there is no limit. Until the
// transaction ends, others that ask wait: what is counted after it stays true.
func (tx *Tx) PlanLimit(ctx context.Context, limit Limit) (most int64, ok bool, err error) {
	if !tx.scope.Limited {
		return 0, false, nil
	}
	var found sql.NullInt64
	if err := tx.Get(ctx, &found, `SELECT platform.plan_limit($1)`, string(limit)); err != nil {
		return 0, false, fmt.Errorf("reading the plan's limits: %w", err)
	}
	return found.Int64, found.Valid, nil
}

// EnterPayer mints a scope for the bearer of another, in the organization that bills the others and for the bills of
// their own alone: its Subject is what they are as a customer there, none before their first bill. Nobody is known by it,
// and it holds no right. It fails with ErrNobodyBills.
func EnterPayer(ctx context.Context, db *DB, of Scope) (Scope, error) {
	const q = `
		SELECT 1 AS access, '00000000-0000-0000-0000-000000000000'::uuid AS person_id, '' AS person_name, '' AS email,
		       o.id AS organization_id, o.slug, o.name, o.schema_name, o.compartment_id, o.policy_version, 'payer' AS role,` + accountColumns + `,
		       coalesce(a.customer_id, '00000000-0000-0000-0000-000000000000') AS subject_id
		  FROM platform.organization o JOIN platform.plan_account a ON a.organization_id = $1
		 WHERE o.bills_others AND o.state::text = 'active'`
	if of.s == nil {
		return Scope{}, errNoScope
	}
	var row struct {
		scopeRow
		Subject uuid.UUID `db:"subject_id"`
	}
	err := db.platform.GetContext(ctx, &row, q, of.s.organization.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return Scope{}, ErrNobodyBills
	} else if err != nil {
		return Scope{}, reached(ctx, fmt.Errorf("entering as a payer: %w", err))
	}
	s, err := row.scope(Payer, Hash{})
	if err != nil {
		return Scope{}, err
	}
	s.subject = row.Subject
	return Scope{s: s}, nil
}
