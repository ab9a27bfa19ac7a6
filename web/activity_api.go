package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// ActivityList asks for a page of the feed.
type ActivityList struct {
	PageInput
	ActivityFilter
}

func (s *Server) registerActivityAPI() {
	const tag = "Activity"
	handle(s, operation{id: "list-activity", method: "GET", path: "/v1/activity", right: rightTo(authz.Read, authz.Audit), tag: tag, summary: "List who did what, newest first"},
		func(ctx context.Context, c *call, in *ActivityList) (*Body[List[audit.View]], error) {
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[audit.Entry], error) {
				settings, err := billing.LoadSettings(ctx, tx)
				if err != nil {
					return cursor.Page[audit.Entry]{}, err
				}
				f, err := in.parse(settings.Zone())
				if err != nil {
					return cursor.Page[audit.Entry]{}, err
				}
				found, err := audit.Feed(ctx, tx, f, q)
				for i := range found.Items {
					c.reader().Veil(&found.Items[i])
				}
				return found, err
			}, audit.Entry.View)
		})
}
