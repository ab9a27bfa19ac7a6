package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/id"
)

// SpentToken is ErrBadToken for an API token that was good and has ended. Its bearer is told no more than anyone
// else; whoever watches wants to know.
type SpentToken struct {
	Token        uuid.UUID // its id, which opens nothing
	Organization OrganizationID
	Person       PersonID
	EndedAt      time.Time
}

// Error names the token by its id.
func (s *SpentToken) Error() string { return "the API token " + s.Token.String() + " has ended" }

// Unwrap is ErrBadToken.
func (*SpentToken) Unwrap() error { return ErrBadToken }

// spentToken tells a token that has ended from one that never was.
func (db *DB) spentToken(ctx context.Context, token Hash) error {
	var row struct {
		ID           uuid.UUID
		Organization uuid.UUID `db:"organization_id"`
		Person       uuid.UUID `db:"person_id"`
		Ended        time.Time
	}
	const q = `
		SELECT t.id, t.organization_id, t.person_id,
		       least(t.revoked_at, t.expires_at, CASE WHEN t.token_hash <> $1 THEN t.former_until END) AS ended
		  FROM platform.api_token t
		 WHERE (t.token_hash = $1 OR t.former_hash = $1)
		   AND (t.revoked_at IS NOT NULL OR t.expires_at <= $2 OR (t.token_hash <> $1 AND t.former_until <= $2))`
	err := db.platform.GetContext(ctx, &row, q, token[:], db.Now())
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrBadToken
	case err != nil:
		return reached(ctx, fmt.Errorf("entering by token: %w", err))
	}
	return &SpentToken{Token: row.ID, Organization: id.Of[Organization]{UUID: row.Organization}, Person: id.Of[Person]{UUID: row.Person}, EndedAt: row.Ended.UTC()}
}
