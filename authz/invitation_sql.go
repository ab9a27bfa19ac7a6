package authz

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type invitationRow struct {
	ID          InvitationID
	Kind        string
	Email       string
	Role        string
	RoleTitle   string          `db:"role_title"`
	InvitedBy   tenant.PersonID `db:"invited_by"`
	InviterName string          `db:"inviter_name"`
	CreatedAt   time.Time       `db:"created_at"`
	SentAt      time.Time       `db:"sent_at"`
	ExpiresAt   time.Time       `db:"expires_at"`
}

func (r invitationRow) invitation() Invitation {
	return Invitation{ID: r.ID, Kind: r.Kind, Email: r.Email, Role: r.Role, RoleTitle: r.RoleTitle, InvitedBy: r.InvitedBy,
		InviterName: r.InviterName, CreatedAt: r.CreatedAt.UTC(), SentAt: r.SentAt.UTC(), ExpiresAt: r.ExpiresAt.UTC()}
}

func selectInvitations(ctx context.Context, tx *tenant.Tx) ([]Invitation, error) {
	var rows []invitationRow
	err := tx.Select(ctx, &rows, `SELECT i.*, coalesce(m.name, '') AS inviter_name
		  FROM platform.list_invitations() i LEFT JOIN member m ON m.person_id = i.invited_by ORDER BY i.id DESC`)
	if err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	all := make([]Invitation, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.invitation())
	}
	return all, nil
}

func keepInvitation(ctx context.Context, tx *tenant.Tx, i Invitation, hash tenant.Hash) error {
	_, err := tx.Exec(ctx, `SELECT platform.add_invitation($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		hash[:], i.ID, i.Kind, i.Email, i.Role, i.RoleTitle, i.InvitedBy, i.CreatedAt, i.ExpiresAt)
	if tenant.Violates(err) == "invitation_open" {
		return ErrInvited
	} else if tenant.Violates(err) == "plan_members" {
		return ErrNoRoom
	} else if err != nil {
		return fmt.Errorf("keeping an invitation: %w", err)
	}
	return nil
}

func renewInvitation(ctx context.Context, tx *tenant.Tx, i Invitation, hash tenant.Hash) error {
	var found bool
	err := tx.Get(ctx, &found, `SELECT platform.renew_invitation($1, $2, $3, $4, $5)`, i.ID, hash[:], i.InvitedBy, i.SentAt, i.ExpiresAt)
	if err != nil {
		return fmt.Errorf("renewing an invitation: %w", err)
	}
	if !found {
		return ErrNoInvitation
	}
	return nil
}

func endInvitation(ctx context.Context, tx *tenant.Tx, invitation InvitationID, how string) error {
	var found bool
	err := tx.Get(ctx, &found, `SELECT platform.end_invitation($1, $2, $3)`, invitation, how, tx.Now())
	if err != nil {
		return fmt.Errorf("ending an invitation: %w", err)
	}
	if !found {
		return ErrNoInvitation
	}
	return nil
}

func useInvitation(ctx context.Context, tx *tenant.Tx, hash tenant.Hash) (Invitation, error) {
	var row invitationRow
	err := tx.Get(ctx, &row, `SELECT id, kind, email, role, invited_by FROM platform.use_invitation($1, $2)`, hash[:], tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return Invitation{}, ErrInvitation
	} else if err != nil {
		return Invitation{}, fmt.Errorf("using an invitation: %w", err)
	}
	return row.invitation(), nil
}

func selectOffer(ctx context.Context, tx *tenant.PlatformTx, hash tenant.Hash) (Offer, bool, error) {
	var row struct {
		Organization string
		Kind         string
		Email        string
		RoleTitle    string `db:"role_title"`
		Inviter      string
		Known        bool
	}
	err := tx.Get(ctx, &row, `
		SELECT o.name AS organization, i.kind, i.email, i.role_title, p.name AS inviter,
		       EXISTS (SELECT FROM platform.person k WHERE k.email = i.email) AS known
		  FROM platform.invitation i
		  JOIN platform.organization o ON o.id = i.organization_id AND o.state::text = 'active'
		  JOIN platform.person p ON p.id = i.invited_by
		 WHERE i.token_hash = $1 AND i.ended_at IS NULL AND i.expires_at > $2`, hash[:], tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return Offer{}, false, ErrInvitation
	} else if err != nil {
		return Offer{}, false, fmt.Errorf("looking for an invitation: %w", err)
	}
	return Offer{row.Organization, row.Kind, row.Email, row.RoleTitle, row.Inviter}, row.Known, nil
}
