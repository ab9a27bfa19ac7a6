package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

type tokenRow struct {
	ID         TokenID         `db:"id"`
	Maker      tenant.PersonID `db:"person_id"`
	MakerName  string          `db:"maker_name"`
	Name       string          `db:"name"`
	Hint       string          `db:"hint"`
	Scopes     string          `db:"scopes"`
	CreatedAt  time.Time       `db:"created_at"`
	ExpiresAt  *time.Time      `db:"expires_at"`
	LastUsedAt *time.Time      `db:"last_used_at"`
	RevokedAt  *time.Time      `db:"revoked_at"`
	RotatedAt  *time.Time      `db:"rotated_at"`
	Until      *time.Time      `db:"former_until"`
	FormerUsed *time.Time      `db:"former_used_at"`
}

// insertToken hands the scopes over as words divided by spaces, which no scope contains.
func insertToken(ctx context.Context, tx *tenant.Tx, t Token, hash tenant.Hash) error {
	_, err := tx.Exec(ctx, `SELECT platform.add_api_token($1, $2, $3, $4, $5, string_to_array($6::text, ' ')::varchar[], $7, $8)`,
		hash[:], t.ID, t.Maker, t.Name, t.Hint, strings.Join(t.Scopes, " "), t.CreatedAt, t.ExpiresAt)
	if err != nil {
		return fmt.Errorf("keeping an API token: %w", err)
	}
	return nil
}

const (
	tokenColumns = `
		SELECT t.id, t.person_id, coalesce(m.name, '') AS maker_name, t.name, t.hint,
		       array_to_string(t.scopes, ' ') AS scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at,
		       t.rotated_at, t.former_until, t.former_used_at
		  FROM platform.list_api_tokens() t LEFT JOIN member m ON m.person_id = t.person_id`
	tokensAfter  = tokenColumns + ` WHERE $1::uuid IS NULL OR t.id < $1 ORDER BY t.id DESC LIMIT $2`
	tokensBefore = tokenColumns + ` WHERE t.id > $1 ORDER BY t.id LIMIT $2`
	tokenByID    = tokenColumns + ` WHERE t.id = $1`
)

func selectTokens(ctx context.Context, tx *tenant.Tx, q cursor.Query) ([]Token, error) {
	var rows []tokenRow
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, tokensBefore, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, tokensAfter, nullable(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing API tokens: %w", err)
	}
	tokens := make([]Token, 0, len(rows))
	for _, r := range rows {
		tokens = append(tokens, r.token())
	}
	return tokens, nil
}

func selectToken(ctx context.Context, tx *tenant.Tx, token TokenID) (Token, error) {
	var row tokenRow
	err := tx.Get(ctx, &row, tokenByID, token)
	if errors.Is(err, tenant.ErrNoRows) {
		return Token{}, ErrNoToken
	} else if err != nil {
		return Token{}, fmt.Errorf("looking for an API token: %w", err)
	}
	return row.token(), nil
}

func (r tokenRow) token() Token {
	return Token{
		ID: r.ID, Name: r.Name, Hint: r.Hint, Scopes: strings.Fields(r.Scopes), Maker: r.Maker, MakerName: r.MakerName,
		CreatedAt: r.CreatedAt.UTC(), ExpiresAt: utc(r.ExpiresAt), LastUsedAt: utc(r.LastUsedAt), RevokedAt: utc(r.RevokedAt),
		RotatedAt: utc(r.RotatedAt), FormerUntil: utc(r.Until), FormerUsedAt: utc(r.FormerUsed),
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// rotateToken is false for a token that has ended.
func rotateToken(ctx context.Context, tx *tenant.Tx, t Token, hash tenant.Hash, hint string, until time.Time) (rotated bool, err error) {
	err = tx.Get(ctx, &rotated, `SELECT platform.rotate_api_token($1, $2, $3, $4, $5, $6)`, t.ID, t.Maker, hash[:], hint, tx.Now(), until)
	if err != nil {
		return false, fmt.Errorf("rotating an API token: %w", err)
	}
	return rotated, nil
}

func revokeToken(ctx context.Context, tx *tenant.Tx, token TokenID) (ended bool, err error) {
	if err := tx.Get(ctx, &ended, `SELECT platform.revoke_api_token($1, $2)`, token, tx.Now()); err != nil {
		return false, fmt.Errorf("revoking an API token: %w", err)
	}
	return ended, nil
}
