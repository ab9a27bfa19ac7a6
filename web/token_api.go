package web

import (
	"context"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// TokenView is an API token as a program reads it. Nothing in it opens anything. A token is made by a person, on
// the page for it: one that could make others would outlive its own end.
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
}

func viewToken(t identity.Token) TokenView {
	return TokenView{ID: t.ID.String(), Name: t.Name, Hint: t.Hint, Scopes: t.Scopes, MadeBy: t.MakerName, CreatedAt: t.CreatedAt,
		ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt, RevokedAt: t.RevokedAt}
}

// mayHandOn says whether the caller may make a token with a scope.
func (c *call) mayHandOn(scope string) error {
	return c.server.Policy.CheckScope(authz.HolderOf(c.scope), scope)
}

func (s *Server) registerTokenAPI() {
	const tag = "API tokens"
	handle(s, operation{id: "list-tokens", method: "GET", path: "/v1/tokens", right: authz.Right{Module: authz.Tokens, Action: authz.Read}, tag: tag, summary: "List API tokens, newest first"},
		func(ctx context.Context, c *call, in *PageInput) (*Body[List[TokenView]], error) {
			return list(ctx, c, *in, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[identity.Token], error) {
				return identity.Tokens(ctx, tx, q)
			}, viewToken)
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
