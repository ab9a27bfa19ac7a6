package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Contact is who of a customer's people the bearer is; the zero id for every kind but Customer.
func (s Scope) Contact() uuid.UUID { return s.s.contact }

// CustomerRights are the rights of the contact, as billing/contact names the bits: those of this very moment, since a
// change of them makes every older scope stale. 0 for every kind but Customer.
func (s Scope) CustomerRights() int { return s.s.may }

// EnterVisitor mints a scope for whoever comes to an organization's own host: to sign in, and for nothing else. Nobody is
// known by it, and it holds no right. It fails with ErrNoOrganization.
func EnterVisitor(ctx context.Context, db *DB, slug string) (Scope, error) {
	return db.enter(scopeKey{Visitor, Hash{}, slug}, func() (*scope, error) {
		const q = `
			SELECT 1 AS access, '00000000-0000-0000-0000-000000000000'::uuid AS person_id, '' AS person_name, '' AS email,
			       o.id AS organization_id, o.slug, o.name, o.schema_name, o.compartment_id, o.policy_version, 'visitor' AS role
			  FROM platform.organization o WHERE o.slug = $1 AND o.state::text = 'active'`
		var row scopeRow
		err := db.platform.GetContext(ctx, &row, q, slug)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNoOrganization
		} else if err != nil {
			return nil, reached(ctx, fmt.Errorf("entering as a visitor: %w", err))
		}
		return row.scope(Visitor, Hash{})
	})
}

// EnterCustomer mints a scope for one of a customer's people, whose session it is, in the organization at that address.
// It holds no right of a member: what it may do is CustomerRights, about the customer that Subject names. It fails with
// ErrNotSignedIn, also where the session is another organization's.
func EnterCustomer(ctx context.Context, db *DB, session Hash, slug string) (Scope, error) {
	return db.enter(scopeKey{Customer, session, slug}, func() (*scope, error) {
		const q = `
			SELECT s.access_version AS access, s.last_seen_at AS seen, '00000000-0000-0000-0000-000000000000'::uuid AS person_id,
			       '' AS person_name, '' AS email, o.id AS organization_id, o.slug, o.name, o.schema_name, o.compartment_id,
			       o.policy_version, 'customer' AS role, s.contact_id, s.customer_id, s.rights AS contact_rights
			  FROM platform.customer_session s
			  JOIN platform.organization o ON o.id = s.organization_id AND o.state::text = 'active'
			 WHERE s.token_hash = $1 AND o.slug = $2 AND s.ended_at IS NULL AND s.expires_at > $3
			   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $3`
		var row struct {
			scopeRow
			Contact  uuid.UUID `db:"contact_id"`
			Customer uuid.UUID `db:"customer_id"`
			May      int       `db:"contact_rights"`
		}
		err := db.platform.GetContext(ctx, &row, q, session[:], slug, db.Now())
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNotSignedIn
		} else if err != nil {
			return nil, reached(ctx, fmt.Errorf("entering as a customer: %w", err))
		}
		s, err := row.scope(Customer, session)
		if err == nil {
			s.ceiling = []string{}
			s.contact, s.subject, s.may = row.Contact, row.Customer, row.May
		}
		return s, err
	})
}

const touchCustomerSession = `
	UPDATE platform.customer_session SET last_seen_at = $2
	 WHERE token_hash = $1 AND last_seen_at < $2 AND ended_at IS NULL AND expires_at > $2
	   AND last_seen_at + make_interval(secs => idle_seconds) > $2`

// CustomerSession is how long a session of a customer's people lasts.
type CustomerSession struct {
	Idle     time.Duration // without use
	Lifetime time.Duration // at most
}

// OpenCustomerSession opens a session for one of a customer's people and gives its token, of which only the hash is kept.
// The caller holds the contact's row locked, so that whoever is removed at the same moment has no session left.
func (tx *Tx) OpenCustomerSession(ctx context.Context, contact, customer uuid.UUID, rights int, lasts CustomerSession) (string, error) {
	token, hash, err := newDoorSecret()
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `SELECT platform.open_customer_session($1, $2, $3, $4, $5, $6, $7)`,
		hash[:], contact, customer, rights, tx.now, int(lasts.Idle/time.Second), tx.now.Add(lasts.Lifetime))
	if err != nil {
		return "", fmt.Errorf("opening a customer's session: %w", err)
	}
	return token, nil
}

// EndCustomerSessions ends all sessions of one of a customer's people, from the next request on, and says how many there
// were.
func (tx *Tx) EndCustomerSessions(ctx context.Context, contact uuid.UUID) (ended int, err error) {
	return tx.endCustomerSessions(ctx, contact, nil)
}

// EndCustomerSession ends the session that the transaction's scope was entered by; the scope's kind is Customer.
func (tx *Tx) EndCustomerSession(ctx context.Context) error {
	_, err := tx.endCustomerSessions(ctx, tx.scope.contact, tx.scope.credential[:])
	return err
}

func (tx *Tx) endCustomerSessions(ctx context.Context, contact uuid.UUID, token []byte) (ended int, err error) {
	if err := tx.Get(ctx, &ended, `SELECT platform.end_customer_sessions($1, $2, $3)`, contact, token, tx.now); err != nil {
		return 0, fmt.Errorf("ending a customer's sessions: %w", err)
	}
	return ended, nil
}

// SetCustomerRights gives every open session of one of a customer's people those rights, from the next request on.
func (tx *Tx) SetCustomerRights(ctx context.Context, contact uuid.UUID, rights int) error {
	if _, err := tx.Exec(ctx, `SELECT platform.set_customer_rights($1, $2)`, contact, rights); err != nil {
		return fmt.Errorf("setting a customer's rights: %w", err)
	}
	return nil
}

// ContactLink is what a mailed link is for.
type ContactLink struct {
	Kind    string    `db:"kind"` // "invite", "recover" or "sign_up"
	Email   string    `db:"email"`
	Contact uuid.UUID `db:"contact_id"` // zero for none
}

// OpenContactLink keeps a link for an address, good once and until expiry, and gives the secret part of its address. ok
// is false, and nothing was kept, when most of them were asked for since then.
func (tx *Tx) OpenContactLink(ctx context.Context, l ContactLink, expiry, since time.Time, most int) (secret string, ok bool, err error) {
	secret, hash, err := newDoorSecret()
	if err != nil {
		return "", false, err
	}
	err = tx.Get(ctx, &ok, `SELECT platform.open_contact_link($1, $2, $3, $4, $5, $6, $7, $8)`,
		hash[:], l.Kind, l.Email, orNull(l.Contact), tx.now, expiry, since, most)
	if err != nil {
		return "", false, fmt.Errorf("opening a link for a customer: %w", err)
	}
	return secret, ok, nil
}

// CheckContactLink says what a link of this organization is for, without using it up. It fails with ErrNoDoor.
func (tx *Tx) CheckContactLink(ctx context.Context, secret string) (ContactLink, error) {
	return tx.takeContactLink(ctx, secret, false)
}

// UseContactLink uses a link of this organization up, and with it every other that its address was sent. It fails with
// ErrNoDoor.
func (tx *Tx) UseContactLink(ctx context.Context, secret string) (ContactLink, error) {
	return tx.takeContactLink(ctx, secret, true)
}

func (tx *Tx) takeContactLink(ctx context.Context, secret string, use bool) (ContactLink, error) {
	hash, ok := HashDoor(secret)
	if !ok {
		return ContactLink{}, ErrNoDoor
	}
	var row struct {
		Kind, Email string
		Contact     uuid.NullUUID `db:"contact_id"`
	}
	err := tx.Get(ctx, &row, `SELECT kind, email, contact_id FROM platform.take_contact_link($1, $2, $3)`, hash[:], tx.now, use)
	if errors.Is(err, sql.ErrNoRows) {
		return ContactLink{}, ErrNoDoor
	} else if err != nil {
		return ContactLink{}, fmt.Errorf("reading a customer's link: %w", err)
	}
	return ContactLink{Kind: row.Kind, Email: row.Email, Contact: row.Contact.UUID}, nil
}

// EndContactLinks ends every open link of one of a customer's people.
func (tx *Tx) EndContactLinks(ctx context.Context, contact uuid.UUID) error {
	if _, err := tx.Exec(ctx, `SELECT platform.end_contact_links($1, $2)`, contact, tx.now); err != nil {
		return fmt.Errorf("ending a customer's links: %w", err)
	}
	return nil
}

// ForgetCustomer leaves nothing of a customer at the platform: sessions, from the next request on, and codes for phone
// numbers.
func (tx *Tx) ForgetCustomer(ctx context.Context, customer uuid.UUID) error {
	if _, err := tx.Exec(ctx, `SELECT platform.forget_customer($1)`, customer); err != nil {
		return fmt.Errorf("forgetting a customer: %w", err)
	}
	return nil
}

// ForgetContact leaves nothing at the platform of the links that one of a customer's people was sent.
func (tx *Tx) ForgetContact(ctx context.Context, contact uuid.UUID, email string) error {
	if _, err := tx.Exec(ctx, `SELECT platform.forget_contact($1, $2)`, contact, email); err != nil {
		return fmt.Errorf("forgetting a customer's person: %w", err)
	}
	return nil
}
