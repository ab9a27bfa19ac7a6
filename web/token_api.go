package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// TokenBody is what a program asks of a new API token.
type TokenBody struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes" doc:"module:read or module:write; *:read and *:write stand for all modules" example:"[\"invoices:read\"]" maxItems:"50"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Left out, the token does not expire"`
}

// TokenView is an API token as a program reads it. Nothing in it opens anything, but the secret, which is given
// once, when the token is made.
type TokenView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"Its first characters, to tell one from another"`
	Scopes     []string   `json:"scopes"`
	MadeBy     string     `json:"made_by" doc:"On whose behalf it acts, with at most their rights"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	Secret     string     `json:"secret,omitempty" doc:"The token itself; shown this once"`
}

func viewToken(t identity.Token) TokenView {
	return TokenView{ID: t.ID.String(), Name: t.Name, Hint: t.Hint, Scopes: t.Scopes, MadeBy: t.MakerName, CreatedAt: t.CreatedAt,
		ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt, RevokedAt: t.RevokedAt}
}

// mayHandOn says whether the caller may make a token with a scope.
func (c *call) mayHandOn(scope string) error {
	return c.server.Policy.CheckScope(c.scope.Role(), c.scope.Ceiling(), scope)
}

func (s *Server) registerTokenAPI() {
	const tag = "API tokens"
	handle(s, operation{id: "list-tokens", method: "GET", path: "/v1/tokens", right: authz.Right{Module: authz.Tokens, Action: authz.Read}, tag: tag, summary: "List API tokens, newest first"},
		func(ctx context.Context, c *call, in *PageInput) (*Body[List[TokenView]], error) {
			return list(ctx, c, *in, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[identity.Token], error) {
				return identity.Tokens(ctx, tx, q)
			}, viewToken)
		})
	handle(s, operation{id: "add-token", method: "POST", path: "/v1/tokens", right: authz.Right{Module: authz.Tokens, Action: authz.Create}, tag: tag, summary: "Make an API token, with no more rights than one's own", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[TokenBody]) (*Versioned[TokenView], error) {
			var made identity.Token
			var secret string
			return create(ctx, c, func(tx *tenant.Tx) (_ uuid.UUID, err error) {
				made, secret, err = identity.AddToken(ctx, tx, identity.TokenInput{Name: in.Body.Name, Scopes: in.Body.Scopes, ExpiresAt: in.Body.ExpiresAt}, c.mayHandOn)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, i uuid.UUID) (TokenView, int, error) {
				if secret == "" { // a repeated request: the secret was given to the first, and is kept nowhere
					t, err := identity.TokenByID(ctx, tx, identity.TokenID{UUID: i})
					return viewToken(t), 0, err
				}
				v := viewToken(made)
				v.Secret = secret
				return v, 0, nil
			})
		})
	handle(s, operation{id: "revoke-token", method: "DELETE", path: "/v1/tokens/{id}", right: authz.Right{Module: authz.Tokens, Action: authz.Delete}, tag: tag, summary: "Revoke an API token from the next request on", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			i, err := pathID[identity.Token](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return identity.RevokeToken(ctx, tx, i) })
		})
}
