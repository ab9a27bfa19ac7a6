package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// EnterSupport mints a scope for someone on the staff whose session it is, in an organization whose owner let them in,
// for as long and as far as they were let in. It fails with ErrNoOrganization for everyone else. The answer may be
// remembered: Do asks the database again, and until its transaction ends nobody can end the grant behind its back.
func EnterSupport(ctx context.Context, db *DB, session Hash, slug string) (Scope, error) {
	return db.enter(scopeKey{Support, session, slug}, func() (*scope, error) {
		const q = `
			SELECT g.access_version AS access, s.last_seen_at AS seen, p.id AS person_id, p.name AS person_name, p.email,
			       o.id AS organization_id, o.slug, o.name, o.schema_name, o.compartment_id, o.policy_version, 'support' AS role,` + accountColumns + `,
			       g.scopes, g.id AS grant_id, g.masked, coalesce(g.masks, '') AS masks, g.ticket, g.reason
			  FROM platform.session s
			  JOIN platform.staff f ON f.person_id = s.person_id
			  JOIN platform.person p ON p.id = f.person_id
			  JOIN platform.support_grant g ON g.staff_id = f.person_id
			  JOIN platform.organization o ON o.id = g.organization_id
			 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $3
			   AND s.last_seen_at + make_interval(secs => s.idle_seconds) > $3
			   AND f.state::text = 'active'
			   AND (EXISTS (SELECT FROM platform.totp t WHERE t.person_id = f.person_id AND t.confirmed_at IS NOT NULL)
			     OR EXISTS (SELECT FROM platform.passkey k WHERE k.person_id = f.person_id))
			   AND g.granted AND g.ended_at IS NULL AND g.until_at > $3 AND g.receipt_at IS NULL
			   AND o.slug = $2 AND o.state::text = 'active'
			 ORDER BY g.access_version DESC LIMIT 1`
		var row struct {
			scopeRow
			Grant          uuid.UUID `db:"grant_id"`
			Masked         bool
			Masks          string
			Ticket, Reason string
		}
		err := db.platform.GetContext(ctx, &row, q, session[:], slug, db.Now())
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNoOrganization
		} else if err != nil {
			return nil, reached(ctx, fmt.Errorf("entering by a support grant: %w", err))
		}
		s, err := row.scope(Support, session)
		if err == nil {
			s.ceiling = append([]string{}, row.Scopes...)
			s.grant, s.ticket, s.reason = row.Grant, row.Ticket, row.Reason
			if row.Masked {
				s.masks = ReadMasks(row.Masks)
			}
		}
		return s, err
	})
}

// Masks says which of people's data are masked for the bearer: every transaction of the scope reads them masked.
func (s Scope) Masks() Masks { return s.s.masks }

// Purpose is why a support person was let in: the number of their ticket, which may be empty, and a sentence.
func (s Scope) Purpose() (ticket, reason string) { return s.s.ticket, s.s.reason }
