package web

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerEntryPages registers who came into the organization, and what guards their accounts.
func (s *Server) registerEntryPages() {
	s.member("GET", "/members/entries", rightTo(authz.Read, authz.Members), showEntries)
}

func showEntries(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "entries", func(tx *tenant.Tx) (any, error) {
		data := page.Entries{}
		var err error
		if data.Shell, err = v.frame(tx, "Entries", "entries"); err != nil {
			return nil, err
		}
		if data.Factors, err = identity.Factors(v.ctx, tx); err != nil {
			return nil, err
		}
		found, err := identity.Entries(v.ctx, tx, q)
		data.Items = v.server.Identity.WithPlaces(found.Items)
		data.Pager = pager(v, q, found, func(e identity.Entry) uuid.UUID { return e.ID.UUID }, "")
		return data, err
	})
}
