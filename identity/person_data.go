package identity

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// PersonData is all that is held of a person, as they take it along. It holds no password, key, code or token, nor
// anything that would open a door.
type PersonData struct {
	ExportedAt    time.Time          `json:"exported_at"`
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Email         string             `json:"email"`
	SignedUpAt    time.Time          `json:"signed_up_at"`
	PasswordSince *time.Time         `json:"password_since"`
	Phone         *PhoneData         `json:"phone"`
	SecondFactors FactorData         `json:"second_factors"`
	Devices       []time.Time        `json:"known_browsers_since"`
	Sessions      []SessionData      `json:"open_sessions"`
	Logins        []LoginData        `json:"logins"`
	Organizations []OrganizationData `json:"organizations"`
}

// PhoneData is the person's phone.
type PhoneData struct {
	Number string    `json:"number"`
	Since  time.Time `json:"verified_at"`
}

// FactorData is what a person has beside their password.
type FactorData struct {
	AppSince      *time.Time    `json:"authenticator_app_since"`
	RecoveryCodes int           `json:"recovery_codes_left"`
	Passkeys      []PasskeyData `json:"passkeys"`
}

// PasskeyData is one passkey.
type PasskeyData struct {
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"last_used_at"`
}

// SessionData is one open session.
type SessionData struct {
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"last_seen_at"`
	Network   string    `json:"network"`
	Place     string    `json:"place"`
	UserAgent string    `json:"user_agent"`
}

// LoginData is one entry of the login history.
type LoginData struct {
	At        time.Time `json:"at"`
	Network   string    `json:"network"`
	Place     string    `json:"place"`
	UserAgent string    `json:"user_agent"`
	Method    string    `json:"method"`
	Outcome   string    `json:"outcome"`
}

// OrganizationData is what one organization holds of a member or former member.
type OrganizationData struct {
	Name    string      `json:"name"`
	Address string      `json:"address"`
	Member  *MemberData `json:"member"`
	Entries []EntryData `json:"entries"`
	Tokens  []TokenData `json:"api_tokens"`
}

// MemberData is a row of an organization's members.
type MemberData struct {
	Name     string    `db:"name" json:"name"`
	Email    string    `db:"email" json:"email"`
	Role     string    `db:"role" json:"role"`
	State    string    `db:"state" json:"state"`
	JoinedAt time.Time `db:"joined_at" json:"joined_at"`
}

// EntryData is a login with which the person came into the organization.
type EntryData struct {
	At        time.Time `db:"at" json:"at"`
	Network   string    `db:"network" json:"network"`
	UserAgent string    `db:"user_agent" json:"user_agent"`
}

// TokenData is an API token that the person made there.
type TokenData struct {
	Name      string     `db:"name" json:"name"`
	Hint      string     `db:"hint" json:"hint"`
	CreatedAt time.Time  `db:"created_at" json:"created_at"`
	UsedAt    *time.Time `db:"last_used_at" json:"last_used_at"`
	RevokedAt *time.Time `db:"revoked_at" json:"revoked_at"`
}

// allLogins is more than anyone has.
const allLogins = 1_000_000

// ExportPerson gathers all that is held of whoever's session it is: on the platform, and in the members' list of each
// organization that they belong to or did. It fails with tenant.ErrNotSignedIn and ErrProofNeeded.
func (i *Identity) ExportPerson(ctx context.Context, session string) (d PersonData, err error) {
	hash, ok := HashToken(session)
	if !ok {
		return d, tenant.ErrNotSignedIn
	}
	var belongs []tenant.OrganizationID
	var rows []OrganizationData
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := i.proved(ctx, tx, session)
		if err != nil {
			return err
		}
		if d, err = i.gatherPerson(ctx, tx, p, hash); err != nil {
			return err
		}
		if belongs, err = membershipsEver(ctx, tx, p.ID); err != nil {
			return err
		}
		rows, err = organizationData(ctx, tx, p.ID, belongs)
		return err
	})
	if err != nil {
		return PersonData{}, err
	}
	d.Organizations = rows
	for n, o := range belongs {
		if err := i.memberData(ctx, hash, o, &d.Organizations[n]); err != nil {
			return PersonData{}, err
		}
	}
	return d, nil
}

// memberData reads the organization's own row of the person.
func (i *Identity) memberData(ctx context.Context, session tenant.Hash, o tenant.OrganizationID, into *OrganizationData) error {
	var err error
	for range 3 {
		var scope tenant.Scope
		if scope, err = tenant.EnterSelf(ctx, i.db, session, o); err != nil {
			return err
		}
		err = tenant.Do(ctx, i.db, scope, func(tx *tenant.Tx) error {
			into.Name, into.Address = scope.Organization().Name, scope.Organization().Slug
			into.Member, err = ownMember(ctx, tx)
			return err
		})
		if !errors.Is(err, tenant.ErrStale) {
			return err
		}
	}
	return tenant.ErrUnavailable.Because(err)
}

func (i *Identity) gatherPerson(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, session tenant.Hash) (PersonData, error) {
	d := PersonData{ExportedAt: tx.Now(), ID: p.ID.String(), Name: p.Name, Email: p.Email}
	if err := personDates(ctx, tx, p.ID, &d); err != nil {
		return d, err
	}
	phone, err := phoneOf(ctx, tx, p.ID)
	if err != nil {
		return d, err
	}
	if phone != nil {
		d.Phone = &PhoneData{phone.Number, phone.Since}
	}
	factors, err := secondFactorsOf(ctx, tx, p.ID)
	if err != nil {
		return d, err
	}
	d.SecondFactors = FactorData{AppSince: factors.TOTPSince, RecoveryCodes: factors.RecoveryCodes, Passkeys: []PasskeyData{}}
	for _, k := range factors.Passkeys {
		d.SecondFactors.Passkeys = append(d.SecondFactors.Passkeys, PasskeyData{k.Name, k.CreatedAt, k.LastUsedAt})
	}
	sessions, err := openSessions(ctx, tx, p.ID, session)
	if err != nil {
		return d, err
	}
	d.Sessions, d.Logins = []SessionData{}, []LoginData{}
	for _, s := range sessions {
		d.Sessions = append(d.Sessions, SessionData{s.CreatedAt.UTC(), s.SeenAt.UTC(), s.Network, i.placeOf(s.Network), s.UserAgent})
	}
	all, err := logins(ctx, tx, p.ID, allLogins)
	for _, l := range all {
		d.Logins = append(d.Logins, LoginData{l.At.UTC(), l.Network, i.placeOf(l.Network), l.UserAgent, l.Method, l.Outcome})
	}
	return d, err
}
