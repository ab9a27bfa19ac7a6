package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerShelfPages registers how a thing is taken off the lists and put back from its page. back is where that
// leads; refused draws the page again with what stood in the way.
func registerShelfPages[E, V any](s *Server, path string, module authz.Module, archive, restore func(context.Context, *tenant.Tx, id.Of[E], int) (V, error),
	back func(v *visit, i id.Of[E]) string, refused func(v *visit, form page.Form) error) {
	for _, way := range []struct {
		verb, done string
		do         func(context.Context, *tenant.Tx, id.Of[E], int) (V, error)
	}{{"archive", "Archived", archive}, {"restore", "Restored", restore}} {
		s.member("POST", path+"/:id/"+way.verb, rightTo(authz.Delete, module), func(v *visit) error {
			i, err := idParam[E](v, "id")
			if err != nil {
				return err
			}
			return v.act(func(tx *tenant.Tx, version int) error {
				_, err := way.do(v.ctx, tx, i, version)
				return err
			}, func() string {
				say(v.c, way.done)
				return back(v, i)
			}, func(form page.Form) error { return refused(v, form) })
		})
	}
}
