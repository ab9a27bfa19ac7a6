package authz

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why an invitation is refused.
var (
	ErrNoInvitation = fault.New(fault.NotFound, "invitation.not_found", "There is no such invitation, or it is over.")
	ErrInvitation   = fault.New(fault.NotFound, "invitation.invalid", "This invitation is not valid, or no longer. Ask whoever invited you for a new one.")
	ErrInvited      = fault.New(fault.Conflict, "invitation.exists", "This address is invited already. Send that invitation again, or revoke it.").At("email")
	ErrInvitedOther = fault.New(fault.Forbidden, "invitation.another", "This invitation is for another e-mail address. Sign in with that one.")
	ErrInvitations  = fault.New(fault.Conflict, "invitation.too_many", "100 invitations are open. Revoke some before you invite more.")
	ErrHandoverSelf = fault.New(fault.Conflict, "handover.self", "You are an owner already. Choose someone else.")
	ErrHandover     = fault.New(fault.Forbidden, "handover.not_owner", "Only an owner hands the organization over.")
	ErrMailNotSent  = fault.New(fault.Unavailable, "mail.unavailable", "The mail could not be sent right now. The invitation stands: send it again in a few minutes.")
)

const (
	// InvitationLifetime is how long an invitation is good.
	InvitationLifetime = 7 * 24 * time.Hour
	invitationsMax     = 100
)

// What an invitation is to.
const (
	Join     = "join"
	Handover = "handover" // a member becomes owner, and the owner who offers it an administrator
)

// InvitationID names an invitation. It opens nothing.
type InvitationID = id.Of[Invitation]

// Invitation is a mailed link by which somebody becomes a member, or an owner.
type Invitation struct {
	ID          InvitationID
	Kind        string
	Email       string
	Role        string
	RoleTitle   string
	InvitedBy   tenant.PersonID
	InviterName string
	CreatedAt   time.Time
	SentAt      time.Time
	ExpiresAt   time.Time
}

// Invite is whom to invite and as what.
type Invite struct {
	Email string // normalized
	Role  string
}

// InviteMember makes an invitation; whoever has its secret and the address may join with the role. The secret is
// given this once, for a mail. It fails with ErrRoleUnknown, ErrRoleExceeds, ErrMember, ErrInvited and ErrInvitations.
func (p *Policy) InviteMember(ctx context.Context, tx *tenant.Tx, in Invite) (Invitation, string, error) {
	return p.invite(ctx, tx, Join, in)
}

// OfferOwnership makes an invitation to a member to become owner, in place of the caller. It fails with ErrHandover,
// ErrNoMember, ErrHandoverSelf, ErrInvited.
func (p *Policy) OfferOwnership(ctx context.Context, tx *tenant.Tx, person tenant.PersonID) (Invitation, string, error) {
	if tx.Scope().Role() != Owner || tx.Scope().Kind() != tenant.Member {
		return Invitation{}, "", ErrHandover
	}
	m, err := MemberByID(ctx, tx, person)
	if err != nil {
		return Invitation{}, "", err
	}
	if m.Role == Owner || m.State != tenant.Active {
		return Invitation{}, "", ErrHandoverSelf
	}
	return p.invite(ctx, tx, Handover, Invite{Email: m.Person.Email, Role: Owner})
}

func (p *Policy) invite(ctx context.Context, tx *tenant.Tx, kind string, in Invite) (Invitation, string, error) {
	if err := tx.LockRights(ctx); err != nil {
		return Invitation{}, "", err
	}
	if err := p.MayGive(ctx, tx, in.Role); err != nil {
		return Invitation{}, "", err
	}
	if kind == Join {
		if there, err := memberByEmail(ctx, tx, in.Email); err != nil {
			return Invitation{}, "", err
		} else if !there.ID.IsZero() {
			return Invitation{}, "", ErrMember.At("email")
		}
	}
	open, err := selectInvitations(ctx, tx)
	if err != nil {
		return Invitation{}, "", err
	}
	if len(open) >= invitationsMax {
		return Invitation{}, "", ErrInvitations
	}
	title, err := Title(ctx, tx, in.Role)
	if err != nil {
		return Invitation{}, "", err
	}
	secret, hash, err := newSecret()
	if err != nil {
		return Invitation{}, "", err
	}
	inviter := tx.Scope().Person()
	i := Invitation{ID: id.New[Invitation](), Kind: kind, Email: in.Email, Role: in.Role, RoleTitle: title, InvitedBy: inviter.ID,
		InviterName: inviter.Name, CreatedAt: tx.Now(), SentAt: tx.Now(), ExpiresAt: tx.Now().Add(InvitationLifetime)}
	if err := keepInvitation(ctx, tx, i, hash); err != nil {
		return Invitation{}, "", err
	}
	return i, secret, recordInvitation(ctx, tx, "invitation.add", i)
}

// RenewInvitation gives an invitation a new link and time; the caller stands for it from now on. It fails with
// ErrNoInvitation and ErrRoleExceeds.
func (p *Policy) RenewInvitation(ctx context.Context, tx *tenant.Tx, invitation InvitationID) (Invitation, string, error) {
	if err := tx.LockRights(ctx); err != nil {
		return Invitation{}, "", err
	}
	i, err := InvitationByID(ctx, tx, invitation)
	if err != nil {
		return i, "", err
	}
	if err := p.MayGive(ctx, tx, i.Role); err != nil {
		return i, "", err
	}
	if i.Kind == Handover && tx.Scope().Person().ID != i.InvitedBy {
		return i, "", ErrHandover
	}
	secret, hash, err := newSecret()
	if err != nil {
		return i, "", err
	}
	inviter := tx.Scope().Person()
	i.InvitedBy, i.InviterName, i.SentAt, i.ExpiresAt = inviter.ID, inviter.Name, tx.Now(), tx.Now().Add(InvitationLifetime)
	if err := renewInvitation(ctx, tx, i, hash); err != nil {
		return i, "", err
	}
	return i, secret, recordInvitation(ctx, tx, "invitation.renew", i)
}

// RevokeInvitation ends an invitation. It fails with ErrNoInvitation.
func RevokeInvitation(ctx context.Context, tx *tenant.Tx, invitation InvitationID) error {
	if err := tx.LockRights(ctx); err != nil {
		return err
	}
	i, err := InvitationByID(ctx, tx, invitation)
	if err != nil {
		return err
	}
	if err := endInvitation(ctx, tx, i.ID, "revoked"); err != nil {
		return err
	}
	return recordInvitation(ctx, tx, "invitation.revoke", i)
}

// ListInvitations gives the invitations that were neither accepted nor taken back, newest first; those that ran out
// are among them until they are sent again or revoked.
func ListInvitations(ctx context.Context, tx *tenant.Tx) ([]Invitation, error) {
	return selectInvitations(ctx, tx)
}

// InvitationByID gives one of them. It fails with ErrNoInvitation.
func InvitationByID(ctx context.Context, tx *tenant.Tx, invitation InvitationID) (Invitation, error) {
	all, err := selectInvitations(ctx, tx)
	if err != nil {
		return Invitation{}, err
	}
	for _, i := range all {
		if i.ID == invitation {
			return i, nil
		}
	}
	return Invitation{}, ErrNoInvitation
}

// Offer is an open invitation as whoever has its link sees it.
type Offer struct {
	Organization string
	Kind         string
	Email        string
	RoleTitle    string
	InviterName  string
}

// FindOffer reads an open invitation by the digest of its secret, and says whether its address has an identity. It
// fails with ErrInvitation.
func FindOffer(ctx context.Context, db *tenant.DB, secret tenant.Hash) (o Offer, known bool, err error) {
	err = tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		o, known, err = selectOffer(ctx, tx, secret)
		return err
	})
	return o, known, err
}

// AcceptInvitation uses an invitation up and makes the person of the scope, which EnterInvited minted with the same
// secret, a member, or an owner. It fails with ErrInvitation when it is over, or when whoever sent it could not give
// the role any more; with ErrInvitedOther for a person of another address; and with ErrMember.
func (p *Policy) AcceptInvitation(ctx context.Context, tx *tenant.Tx, secret tenant.Hash) error {
	if err := tx.LockRights(ctx); err != nil {
		return err
	}
	i, err := useInvitation(ctx, tx, secret)
	if err != nil {
		return err
	}
	person := tx.Scope().Person()
	if tx.Scope().Kind() != tenant.Invited || person.Email != i.Email {
		return ErrInvitedOther
	}
	if good, err := p.stillGood(ctx, tx, i); err != nil {
		return err
	} else if !good {
		return ErrInvitation
	}
	if i.Kind == Handover {
		return p.takeOver(ctx, tx, person, i)
	}
	m, err := MemberByID(ctx, tx, person.ID)
	switch {
	case err == nil && m.State == tenant.Denied: // a denial is lifted by who may, not by an older link
		return ErrInvitation
	case err == nil:
		return ErrMember
	case !errors.Is(err, ErrNoMember):
		return err
	}
	return join(ctx, tx, person, i.Role)
}

// takeOver makes a member owner first, so that there is one at every moment.
func (p *Policy) takeOver(ctx context.Context, tx *tenant.Tx, person tenant.Person, i Invitation) error {
	m, err := MemberByID(ctx, tx, person.ID)
	if errors.Is(err, ErrNoMember) || err == nil && m.State != tenant.Active {
		return ErrInvitation
	} else if err != nil {
		return err
	}
	giver, err := MemberByID(ctx, tx, i.InvitedBy)
	if err != nil {
		return err
	}
	if err := setMember(ctx, tx, m.Person, Owner, tenant.Active); err != nil {
		return err
	}
	if err := setMember(ctx, tx, giver.Person, Administrator, tenant.Active); err != nil {
		return err
	}
	if err := p.voidInvitations(ctx, tx); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "member.handover", Object: "member", ID: person.ID.UUID, Detail: "from " + giver.Person.ID.String()})
}

// stillGood says whether whoever sent an invitation is a member who holds what it gives.
func (p *Policy) stillGood(ctx context.Context, tx *tenant.Tx, i Invitation) (bool, error) {
	inviter, err := MemberByID(ctx, tx, i.InvitedBy)
	if errors.Is(err, ErrNoMember) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	given, err := p.holderOfRole(ctx, tx, i.Role)
	if errors.Is(err, ErrRoleUnknown) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	held, err := p.holderOfRole(ctx, tx, inviter.Role)
	if err != nil {
		return false, err
	}
	return inviter.State == tenant.Active && p.covers(held, given), nil
}

// voidInvitations ends those that whoever sent them could not send any more. It belongs behind every change of rights:
// what was void once does not come back when they are given more again.
func (p *Policy) voidInvitations(ctx context.Context, tx *tenant.Tx) error {
	all, err := selectInvitations(ctx, tx)
	if err != nil {
		return err
	}
	for _, i := range all {
		good, err := p.stillGood(ctx, tx, i)
		if err != nil {
			return err
		}
		if good {
			continue
		}
		if err := endInvitation(ctx, tx, i.ID, "void"); err != nil {
			return err
		}
		if err := recordInvitation(ctx, tx, "invitation.void", i); err != nil {
			return err
		}
	}
	return nil
}

func recordInvitation(ctx context.Context, tx *tenant.Tx, action string, i Invitation) error {
	return tx.Record(ctx, tenant.Act{Action: action, Object: "invitation", ID: i.ID.UUID, Detail: i.Kind + " " + i.Role})
}

// newSecret makes what is in a mailed link: 256 bits in base64url, and the digest that is kept of it.
func newSecret() (secret string, hash tenant.Hash, err error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", hash, fmt.Errorf("making a link: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, sha256.Sum256([]byte(secret)), nil
}
