package web

import (
	"context"
	"strings"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// registerShelf registers how a thing is taken off the lists and put back. noun is its name in the singular, as
// operations have it: "tax-rate" is at /v1/tax-rates.
func registerShelf[E, V, T any](s *Server, tag, noun string, module authz.Module,
	archive, restore func(context.Context, *tenant.Tx, id.Of[E], int) (V, error), view func(V) (T, int)) {
	for _, way := range []struct {
		verb, say string
		do        func(context.Context, *tenant.Tx, id.Of[E], int) (V, error)
	}{{"archive", "Archive a ", archive}, {"restore", "Restore a ", restore}} {
		handle(s, operation{
			id: way.verb + "-" + noun, method: "POST", path: "/v1/" + noun + "s/{id}/" + way.verb, tag: tag,
			right: authz.Right{Module: module, Action: authz.Delete}, summary: way.say + strings.ReplaceAll(noun, "-", " "),
		}, func(ctx context.Context, c *call, in *Act) (*Versioned[T], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i id.Of[E], version int) (T, int, error) {
				v, err := way.do(ctx, tx, i, version)
				body, now := view(v)
				return body, now, err
			})
		})
	}
}
