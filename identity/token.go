package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why an API token is refused.
var (
	ErrTokenScopes  = fault.New(fault.Invalid, "token.scopes", "Give 1 to 50 scopes such as invoices:read or *:write.").At("scopes")
	ErrTokenExpiry  = fault.New(fault.Invalid, "token.expiry", "Let the token end at a time to come, or never.").At("expires_at")
	ErrTokenMaker   = fault.New(fault.Forbidden, "token.no_maker", "A token acts for a member of the organization, who makes it on its page after signing in.")
	ErrTokenOther   = fault.New(fault.Forbidden, "token.not_yours", "Only who made a token can rotate it, because it acts with their rights. Revoke it and make one of your own.")
	ErrTokenOverlap = fault.New(fault.Invalid, "token.overlap", "Let the old secret work for 0 to 7 days more.").At("overlap")
	ErrTokenEnded   = fault.New(fault.Conflict, "token.ended", "This token has ended. Make a new one.")
	ErrNoToken      = fault.New(fault.NotFound, "token.not_found", "There is no such token here, or it is revoked already.")
)

const (
	tokenNameMax  = 100
	tokenScopeMax = 60
	tokenScopes   = 50
)

// TokenID names an API token.
type TokenID = id.Of[Token]

// Token is an API token as its organization sees it: what is shown of it opens nothing.
type Token struct {
	ID         TokenID
	Name       string
	Hint       string // its first characters, to tell one from another
	Scopes     []string
	Maker      tenant.PersonID // on whose behalf it acts, with no more rights than they have on that day
	MakerName  string
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil: never
	LastUsedAt *time.Time
	RevokedAt  *time.Time
	RotatedAt  *time.Time // when it got the secret that it has; nil for the first one
	// FormerUntil is how long the secret before the last rotation is good too, and FormerUsedAt when it last was used;
	// both nil when there is none.
	FormerUntil  *time.Time
	FormerUsedAt *time.Time
}

// TokenInput is what a token is made of.
type TokenInput struct {
	Name      string
	Scopes    []string // "module:read" or "module:write"; "*" for all modules
	ExpiresAt *time.Time
}

// AddToken makes an API token that acts for the caller in this organization. The secret is given this once.
// may says whether the caller may hand on a scope, or why not (authz.Policy.CheckScope). It fails
// with ErrTokenMaker, and with a fault.List of what is wrong with the name, ErrTokenScopes, ErrTokenExpiry and what may
// refuses.
func AddToken(ctx context.Context, tx *tenant.Tx, in TokenInput, may func(scope string) error) (t Token, secret string, err error) {
	maker := tx.Scope().Person()
	if tx.Scope().Kind() != tenant.Member {
		return t, "", ErrTokenMaker
	}
	if in, err = checkToken(in, tx.Now(), may); err != nil {
		return t, "", err
	}
	secret, hash, err := newAPISecret()
	if err != nil {
		return t, "", err
	}
	t = Token{
		ID: id.New[Token](), Name: in.Name, Hint: secret[:apiHint], Scopes: in.Scopes,
		Maker: maker.ID, MakerName: maker.Name, CreatedAt: tx.Now(), ExpiresAt: in.ExpiresAt,
	}
	if err := insertToken(ctx, tx, t, hash); err != nil {
		return Token{}, "", err
	}
	act := tenant.Act{Action: "token.add", Object: "token", ID: t.ID.UUID, Detail: cut(strings.Join(t.Scopes, " "), 400)}
	if err := tx.Record(ctx, act); err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

func checkToken(in TokenInput, now time.Time, may func(scope string) error) (TokenInput, error) {
	var refused fault.List
	name, err := checkName(in.Name, tokenNameMax)
	if !refused.Add("name", err) {
		return in, err
	}
	in.Name = name
	if in.ExpiresAt != nil {
		at := in.ExpiresAt.UTC().Truncate(time.Microsecond)
		in.ExpiresAt = &at
		if !at.After(now) || at.Year() > 9999 {
			refused = append(refused, ErrTokenExpiry)
		}
	}
	if len(in.Scopes) == 0 || len(in.Scopes) > tokenScopes {
		return in, append(refused, ErrTokenScopes)
	}
	in.Scopes = slices.Clone(in.Scopes)
	for n, scope := range in.Scopes {
		field := fmt.Sprintf("scopes[%d]", n)
		if !scopeShaped(scope) {
			refused = append(refused, ErrTokenScopes.At(field))
		} else if err := may(scope); !refused.Add(field, err) {
			return in, fmt.Errorf("checking a scope: %w", err)
		}
	}
	slices.Sort(in.Scopes)
	in.Scopes = slices.Compact(in.Scopes)
	return in, refused.Err()
}

// scopeShaped keeps out what could not be stored in a list divided by spaces.
func scopeShaped(s string) bool {
	module, access, _ := strings.Cut(s, ":")
	if len(s) > tokenScopeMax || module == "" || access != "read" && access != "write" {
		return false
	}
	return module == "*" || strings.Trim(module, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// Tokens lists the organization's API tokens, newest first, those that ended among them.
func Tokens(ctx context.Context, tx *tenant.Tx, q cursor.Query) (cursor.Page[Token], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[Token]{}, err
	}
	tokens, err := selectTokens(ctx, tx, q)
	if err != nil {
		return cursor.Page[Token]{}, err
	}
	return cursor.Cut(q, tokens), nil
}

// TokenByID gives one token of this organization, also one that has ended. It fails with ErrNoToken.
func TokenByID(ctx context.Context, tx *tenant.Tx, token TokenID) (Token, error) {
	return selectToken(ctx, tx, token)
}

// RevokeToken ends a token of this organization from the next request on. It fails with ErrNoToken.
func RevokeToken(ctx context.Context, tx *tenant.Tx, token TokenID) error {
	ended, err := revokeToken(ctx, tx, token)
	if err != nil {
		return err
	}
	if !ended {
		return ErrNoToken
	}
	return tx.Record(ctx, tenant.Act{Action: "token.revoke", Object: "token", ID: token.UUID})
}

// MaxTokenOverlap is the longest that a rotated token's old secret stays good.
const MaxTokenOverlap = 7 * 24 * time.Hour

// RotateToken gives a token that the caller made a new secret, which is given this once. The old one stays good for
// overlap, 0 to MaxTokenOverlap, so that programs can be changed one after the other; one that was kept by an earlier
// rotation ends now. Revoking the token ends both. It fails with ErrTokenMaker, ErrNoToken, ErrTokenOther,
// ErrTokenOverlap and ErrTokenEnded.
func RotateToken(ctx context.Context, tx *tenant.Tx, token TokenID, overlap time.Duration) (t Token, secret string, err error) {
	if tx.Scope().Kind() != tenant.Member {
		return t, "", ErrTokenMaker
	}
	if overlap < 0 || overlap > MaxTokenOverlap {
		return t, "", fault.List{ErrTokenOverlap}
	}
	if t, err = selectToken(ctx, tx, token); err != nil {
		return Token{}, "", err
	}
	if t.Maker != tx.Scope().Person().ID {
		return Token{}, "", ErrTokenOther
	}
	secret, hash, err := newAPISecret()
	if err != nil {
		return Token{}, "", err
	}
	rotated, err := rotateToken(ctx, tx, t, hash, secret[:apiHint], tx.Now().Add(overlap))
	if err != nil {
		return Token{}, "", err
	}
	if !rotated {
		return Token{}, "", ErrTokenEnded
	}
	act := tenant.Act{Action: "token.rotate", Object: "token", ID: token.UUID, Detail: "overlap " + overlap.String()}
	if err := tx.Record(ctx, act); err != nil {
		return Token{}, "", err
	}
	if t, err = selectToken(ctx, tx, token); err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

func nullable(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
