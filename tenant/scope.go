package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

// Why nobody gets in. They say no more than the caller may know: another organization's address is as unknown
// as one that does not exist.
var (
	ErrNotSignedIn    = fault.New(fault.Unauthenticated, "session.none", "Sign in to go on.")
	ErrBadToken       = fault.New(fault.Unauthenticated, "token.invalid", "This API token is not valid, or no longer.")
	ErrNoOrganization = fault.New(fault.NotFound, "organization.not_found", "There is no such organization, or you are not in it.")
)

// ErrStale says that what a scope's bearer may do has changed since it was minted. Nothing was done. Enter
// again, decide again, and try once more.
var ErrStale = errors.New("tenant: the scope is out of date")

var errNoScope = errors.New("tenant: a scope that was not minted")

// OrganizationID names an organization.
type OrganizationID = id.Of[Organization]

// PersonID names a person.
type PersonID = id.Of[Person]

// Organization is what everyone in it may know of it.
type Organization struct {
	ID   OrganizationID
	Slug string // its address: /o/slug
	Name string
	// Canary says that nobody has business with it: whoever enters is to be told of.
	Canary bool
}

// Person is someone with an identity of their own.
type Person struct {
	ID    PersonID
	Name  string
	Email string
}

// Kind is how the bearer of a scope got in. Each route says which kinds it admits.
type Kind uint8

// The kinds of scope.
const (
	Member   Kind = iota + 1 // a person with a session, in their organization
	Token                    // a program with an API token, on behalf of the member who made it
	Job                      // a background job, on behalf of a member or of nobody
	Operator                 // the operator's command line
	Link                     // whoever was given a link to one thing, such as an invoice to pay
	Webhook                  // a payment gateway that has something to tell
	Self                     // a person, for what is held of them where they belong or did; no route admits it
	Support                  // someone on the staff, whom an owner let in for a while
	Invited                  // a person with a session and an open invitation, who is about to join
	Payer                    // an organization that the platform bills, at its own bills
	Customer                 // one of a customer's people, with a session at the organization's own host
	Visitor                  // whoever comes to the organization's own host and is not signed in
)

// String is the word that the audit log keeps.
func (k Kind) String() string {
	switch k {
	case Member:
		return "member"
	case Token:
		return "token"
	case Job:
		return "job"
	case Operator:
		return "operator"
	case Link:
		return "link"
	case Webhook:
		return "webhook"
	case Self:
		return "self"
	case Support:
		return "support"
	case Invited:
		return "invited"
	case Payer:
		return "payer"
	case Customer:
		return "customer"
	case Visitor:
		return "visitor"
	}
	return "none"
}

// Hash is the SHA-256 of a session's or API token's secret: what the database keeps of it.
type Hash [32]byte

// Scope is the right to enter one organization. Only this package can make one; the zero Scope enters nothing.
type Scope struct {
	s    *scope
	open bool // it may write although the organization is suspended
}

type scope struct {
	kind         Kind
	verdicts     Verdicts // beside what every request reads anyhow
	organization Organization
	person       Person
	role         string
	rights       string
	ceiling      []string
	schema       string
	compartment  int
	grant        uuid.UUID // the support grant that it was minted by
	masks        Masks     // of people's data, as it leaves the database
	ticket       string    // of the grant
	reason       string
	credential   Hash
	access       int64
	policy       int64
	terms
	account
	subject uuid.UUID    // of a link or webhook: the one thing that it leads to; of a customer: which one
	contact uuid.UUID    // of a customer: who of their people
	may     int          // of a customer: the contact's rights
	seen    atomic.Int64 // Unix seconds of the last time that the credential's use was written down
	entered atomic.Bool  // it was written down that the session entered the organization
}

type scopeKey struct {
	kind       Kind
	credential Hash
	slug       string
}

// Kind is how the bearer got in.
func (s Scope) Kind() Kind { return s.s.kind }

// Organization is the one that the scope enters.
func (s Scope) Organization() Organization { return s.s.organization }

// Person is who acts; the zero Person for the operator and for a job on nobody's behalf.
func (s Scope) Person() Person { return s.s.person }

// Role is the member's role in the organization; "operator" for the operator, "job" for a job on nobody's behalf.
func (s Scope) Role() string { return s.s.role }

// Rights is what a role of the organization's own may do, as authz wrote it; empty for a ready-made role.
func (s Scope) Rights() string { return s.s.rights }

// PolicyVersion changes with everything that changes what anyone in the organization may do. What was decided
// under one version says nothing about another.
func (s Scope) PolicyVersion() int64 { return s.s.policy }

// Ceiling bounds the role's rights: the scopes of an API token, and of the jobs that it caused, as "module:read",
// "module:write" or with "*".
// Nil is no bound.
func (s Scope) Ceiling() []string { return s.s.ceiling }

// Grant is the support grant by which the bearer got in, which every act of theirs is recorded under; the zero id
// for everyone else.
func (s Scope) Grant() uuid.UUID { return s.s.grant }

// PasswordUntil is when the organization's own rules keep the bearer out unless their password is changed before; zero
// for never.
func (s Scope) PasswordUntil() time.Time { return s.s.passwordUntil }

// Credential tells apart what bearers got in with, and is of no use to get in by.
func (s Scope) Credential() string { return string(s.s.credential[:]) }

// Subject is the one thing that a link or webhook leads to, and of a Customer which one they belong to; none for every
// other kind.
func (s Scope) Subject() uuid.UUID { return s.s.subject }

// scopeRow is one answer of the queries below.
type scopeRow struct {
	Access       int64
	Seen         *time.Time
	PersonID     PersonID       `db:"person_id"`
	PersonName   string         `db:"person_name"`
	Email        string         `db:"email"`
	Organization *string        `db:"organization_id"`
	Slug         string         `db:"slug"`
	Name         string         `db:"name"`
	Canary       bool           `db:"canary"`
	Schema       string         `db:"schema_name"`
	Compartment  int            `db:"compartment_id"`
	Policy       int64          `db:"policy_version"`
	Role         *string        `db:"role"`
	Rights       string         `db:"rights"`
	Scopes       pq.StringArray `db:"scopes"`
	entryRow
	account
}

func (r scopeRow) scope(kind Kind, credential Hash) (*scope, error) {
	if r.Organization == nil || r.Role == nil {
		return nil, ErrNoOrganization
	}
	organization, ok := id.Parse[Organization](*r.Organization)
	if !ok {
		return nil, fmt.Errorf("organization id %q cannot be read", *r.Organization)
	}
	s := &scope{
		kind: kind, organization: Organization{ID: organization, Slug: r.Slug, Name: r.Name, Canary: r.Canary},
		person: Person{r.PersonID, r.PersonName, r.Email}, role: *r.Role, rights: r.Rights,
		schema: r.Schema, compartment: r.Compartment, credential: credential, access: r.Access, policy: r.Policy, account: r.account,
	}
	if r.Seen != nil {
		s.seen.Store(r.Seen.Unix())
	}
	return s, nil
}

// EnterMember mints a scope for the person whose session it is, in the organization at that address. It fails
// with ErrNotSignedIn, ErrNoOrganization, or one of the ErrEntry when the organization's own rules keep them out. The
// answer may be remembered: Do asks the database again.
func EnterMember(ctx context.Context, db *DB, session Hash, slug string) (Scope, error) {
	return db.enter(scopeKey{Member, session, slug}, func() (*scope, error) {
		const q = `
			SELECT s.access_version AS access, s.last_seen_at AS seen, p.id AS person_id, p.name AS person_name, p.email,
			       o.id AS organization_id, coalesce(o.slug, '') AS slug, coalesce(o.name, '') AS name, coalesce(o.canary, false) AS canary,
			       coalesce(o.schema_name, '') AS schema_name, coalesce(o.compartment_id, 0) AS compartment_id,
			       coalesce(o.policy_version, 0) AS policy_version, m.role, coalesce(w.rights, '') AS rights, s.authenticated_at, s.idle_gap_seconds,` + accountColumns + `,
			       coalesce(e.idle_minutes, 0) AS idle_minutes, coalesce(e.session_hours, 0) AS session_hours,` + entryColumns + `
			  FROM platform.session s
			  JOIN platform.person p ON p.id = s.person_id
			  LEFT JOIN platform.organization o ON o.slug = $2 AND o.state::text = 'active'
			  LEFT JOIN platform.membership m ON m.organization_id = o.id AND m.person_id = p.id AND m.state::text = 'active'
			  LEFT JOIN platform.own_role w ON w.organization_id = o.id AND w.role = m.role` + entryJoins + `
			 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $3
			   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $3`
		var row scopeRow
		err := db.platform.GetContext(ctx, &row, q, session[:], slug, db.Now())
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNotSignedIn
		} else if err != nil {
			return nil, reached(ctx, fmt.Errorf("entering by session: %w", err))
		}
		s, err := row.scope(Member, session)
		if err == nil {
			s.terms, err = row.check(row.Name, row.Seen, db.Now())
		}
		return s, err
	})
}

// EnterToken mints a scope for the bearer of an API token, in the one organization that the token is of, with
// at most the rights that its maker has there today, and for as long as they satisfy the organization's own rules: a
// token is no way round them. The secret that a rotation replaced is good until its overlap ends. It fails with
// ErrBadToken, for one that has ended with a *SpentToken, which matches it, and with ErrEntrySecondFactor,
// ErrEntryPassword and ErrEntryPasswordAge.
func EnterToken(ctx context.Context, db *DB, token Hash) (Scope, error) {
	return db.enter(scopeKey{Token, token, ""}, func() (*scope, error) {
		const q = `
			SELECT t.access_version AS access, CASE WHEN t.token_hash = $1 THEN t.last_used_at ELSE t.former_used_at END AS seen, t.scopes, p.id AS person_id, p.name AS person_name,
			       p.email, o.id AS organization_id, o.slug, o.name, o.canary, o.schema_name, o.compartment_id, o.policy_version,
			       m.role, coalesce(w.rights, '') AS rights,` + accountColumns + `,` + entryColumns + `
			  FROM platform.api_token t
			  JOIN platform.person p ON p.id = t.person_id
			  JOIN platform.organization o ON o.id = t.organization_id AND o.state::text = 'active'
			  JOIN platform.membership m ON m.organization_id = o.id AND m.person_id = p.id AND m.state::text = 'active'
			  LEFT JOIN platform.own_role w ON w.organization_id = o.id AND w.role = m.role` + entryJoins + `
			 WHERE (t.token_hash = $1 OR t.former_hash = $1 AND t.former_until > $2)
			   AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)`
		var row scopeRow
		err := db.platform.GetContext(ctx, &row, q, token[:], db.Now())
		if errors.Is(err, sql.ErrNoRows) {
			return nil, db.spentToken(ctx, token)
		} else if err != nil {
			return nil, reached(ctx, fmt.Errorf("entering by token: %w", err))
		}
		s, err := row.scope(Token, token)
		if err == nil {
			s.ceiling = append([]string{}, row.Scopes...)
			s.terms, err = row.check(row.Name, row.Seen, db.Now())
		}
		return s, err
	})
}

// EnterOperator mints a scope for the operator's command line, which is trusted as whoever holds the
// database's own password is. It fails with ErrNoOrganization.
func EnterOperator(ctx context.Context, db *DB, slug string) (Scope, error) {
	const q = `
		SELECT 1 AS access, '00000000-0000-0000-0000-000000000000'::uuid AS person_id, '' AS person_name, '' AS email,
		       o.id AS organization_id, o.slug, o.name, o.schema_name, o.compartment_id, o.policy_version, 'operator' AS role,` + accountColumns + `
		  FROM platform.organization o WHERE o.slug = $1 AND o.state::text IN ('active', 'suspended')`
	var row scopeRow
	err := db.platform.GetContext(ctx, &row, q, slug)
	if errors.Is(err, sql.ErrNoRows) {
		return Scope{}, ErrNoOrganization
	} else if err != nil {
		return Scope{}, reached(ctx, fmt.Errorf("entering as operator: %w", err))
	}
	s, err := row.scope(Operator, Hash{})
	return Scope{s: s}, err
}

// EnterSelf mints a scope for the person whose session it is in an organization that they belong to or did, also
// where they were denied and where it is suspended, so that they can have what is held of them there or take it away.
// It holds no right. It fails with ErrNotSignedIn or ErrNoOrganization.
func EnterSelf(ctx context.Context, db *DB, session Hash, organization OrganizationID) (Scope, error) {
	const q = `
		SELECT s.access_version AS access, p.id AS person_id, p.name AS person_name, p.email,
		       o.id AS organization_id, coalesce(o.slug, '') AS slug, coalesce(o.name, '') AS name,
		       coalesce(o.schema_name, '') AS schema_name, coalesce(o.compartment_id, 0) AS compartment_id,
		       coalesce(o.policy_version, 0) AS policy_version, m.role
		  FROM platform.session s
		  JOIN platform.person p ON p.id = s.person_id
		  LEFT JOIN platform.membership m ON m.organization_id = $2 AND m.person_id = p.id
		  LEFT JOIN platform.organization o ON o.id = m.organization_id AND o.state::text IN ('active', 'suspended')
		 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $3
		   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $3`
	var row scopeRow
	err := db.platform.GetContext(ctx, &row, q, session[:], organization, db.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return Scope{}, ErrNotSignedIn
	} else if err != nil {
		return Scope{}, reached(ctx, fmt.Errorf("entering for oneself: %w", err))
	}
	s, err := row.scope(Self, session)
	if err != nil {
		return Scope{}, err
	}
	s.ceiling = []string{}
	return Scope{s: s}, nil
}

// EnterInvited mints a scope for a person with a session, in the organization that an open invitation is of: to
// accept it, and for nothing else. It fails with ErrNotSignedIn or ErrNoOrganization.
func EnterInvited(ctx context.Context, db *DB, session, invitation Hash) (Scope, error) {
	const q = `
		SELECT 1 AS access, p.id AS person_id, p.name AS person_name, p.email, o.id AS organization_id,
		       coalesce(o.slug, '') AS slug, coalesce(o.name, '') AS name, coalesce(o.schema_name, '') AS schema_name,
		       coalesce(o.compartment_id, 0) AS compartment_id, coalesce(o.policy_version, 0) AS policy_version, 'invited' AS role,` + accountColumns + `
		  FROM platform.session s
		  JOIN platform.person p ON p.id = s.person_id
		  LEFT JOIN platform.invitation i ON i.token_hash = $2 AND i.ended_at IS NULL AND i.expires_at > $3
		  LEFT JOIN platform.organization o ON o.id = i.organization_id AND o.state::text = 'active'
		 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $3
		   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $3`
	var row scopeRow
	err := db.platform.GetContext(ctx, &row, q, session[:], invitation[:], db.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return Scope{}, ErrNotSignedIn
	} else if err != nil {
		return Scope{}, reached(ctx, fmt.Errorf("entering by invitation: %w", err))
	}
	s, err := row.scope(Invited, invitation)
	return Scope{s: s}, err
}

func (db *DB) enter(key scopeKey, mint func() (*scope, error)) (Scope, error) {
	if s, ok := db.scopes.Get(key); ok && s.hold(db.Now()) {
		return Scope{s: s}, nil
	}
	s, err := mint()
	if err != nil {
		return Scope{}, err
	}
	db.scopes.Add(key, s)
	return Scope{s: s}, nil
}

func (db *DB) forget(s *scope) {
	slug := s.organization.Slug
	if s.kind == Token || s.kind == Link || s.kind == Webhook {
		slug = ""
	}
	db.scopes.Remove(scopeKey{s.kind, s.credential, slug})
}

// Seen writes down, once a minute at most, that the scope's credential was used, so that idle sessions end; and once
// that a session entered the organization, for its owners.
// Do not call it for what a page asks by itself, without a person.
func Seen(ctx context.Context, db *DB, s Scope) error {
	if s.s == nil {
		return errNoScope
	}
	if err := db.noteEntry(ctx, s.s); err != nil {
		return err
	}
	now, before := db.Now(), s.s.seen.Load()
	if now.Unix()-before < 60 || !s.s.seen.CompareAndSwap(before, now.Unix()) {
		return nil
	}
	credential := s.s.credential[:]
	var err error
	switch s.s.kind {
	case Member, Support:
		_, err = db.platform.ExecContext(ctx, touchSession, credential, now)
	case Customer:
		_, err = db.platform.ExecContext(ctx, touchCustomerSession, credential, now)
	case Token:
		// The old secret of a rotated token has a time of its own, which tells whether anyone still uses it.
		_, err = db.platform.ExecContext(ctx, `UPDATE platform.api_token
			SET last_used_at = CASE WHEN token_hash = $1 THEN greatest(last_used_at, $2) ELSE last_used_at END,
			    former_used_at = CASE WHEN former_hash = $1 THEN greatest(former_used_at, $2) ELSE former_used_at END
			WHERE token_hash = $1 OR former_hash = $1`, credential, now)
	}
	if err != nil {
		return reached(ctx, fmt.Errorf("noting that a credential was used: %w", err))
	}
	return nil
}

// noteEntry writes down that a session entered an organization, from where it was opened: once, however often a
// process forgets that it has.
func (db *DB) noteEntry(ctx context.Context, s *scope) error {
	if s.kind != Member || !s.entered.CompareAndSwap(false, true) {
		return nil
	}
	_, err := db.platform.ExecContext(ctx, `
		INSERT INTO platform.entry (organization_id, id, person_id, at, network, user_agent)
		SELECT $2, s.id, s.person_id, $3, s.network, s.user_agent FROM platform.session s WHERE s.token_hash = $1
		ON CONFLICT (organization_id, id) DO NOTHING`, s.credential[:], s.organization.ID, db.Now())
	if err != nil {
		s.entered.Store(false)
		return reached(ctx, fmt.Errorf("noting that a session entered: %w", err))
	}
	return nil
}
