package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/audit"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errEventFilter = fault.New(fault.Invalid, "event.filter", "There is no such kind or severity of event. Choose one of the list.")

func (s *Server) registerEventPages() {
	s.member("GET", "/settings/security-events", rightTo(authz.Read, authz.Security), showSecurityEvents)
	s.staff("GET", "/events", staffTo(authz.Read, authz.StaffEvents), showStaffEvents)
}

func showSecurityEvents(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "security-events", func(tx *tenant.Tx) (any, error) {
		var data page.SecurityEvents
		var err error
		if data.Shell, err = v.frame(tx, "Security events", "security-events"); err != nil {
			return nil, err
		}
		found, err := watch.Events(v.ctx, tx, q)
		if err != nil {
			return nil, err
		}
		people, err := audit.Actors(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		names := map[uuid.UUID]string{}
		for _, p := range people {
			names[p.ID] = p.Name
		}
		for _, e := range found.Items {
			data.Items = append(data.Items, page.EventRow{Raised: e, Name: names[e.Person.UUID]})
		}
		data.Pager = pager(v, q, found, func(e watch.Raised) uuid.UUID { return e.ID.UUID }, "")
		return data, nil
	})
}

func showStaffEvents(v *staffVisit) error {
	q, err := PageInput{StartingAfter: v.c.Query("starting_after"), EndingBefore: v.c.Query("ending_before")}.query()
	if err != nil {
		return err
	}
	f := watch.Filter{Kind: v.c.Query("kind"), Severity: watch.Severity(v.c.Query("severity"))}
	if _, ok := watch.InfoOf(f.Kind); (f.Kind != "" && !ok) || (f.Severity != "" && f.Severity != watch.Low && f.Severity != watch.Medium && f.Severity != watch.High) {
		return errEventFilter
	}
	data := page.StaffEvents{StaffShell: v.frame("Security events", "events"), Form: page.NewForm("kind", f.Kind, "severity", string(f.Severity)),
		Kinds: page.EventKinds(), Severities: page.EventSeverities(), Narrowed: f != watch.Filter{}}
	var found cursor.Page[watch.Raised]
	err = v.run(func(tx *tenant.PlatformTx) (err error) {
		found, err = watch.AllEvents(v.ctx, tx, f, q)
		return err
	})
	if err != nil {
		return err
	}
	data.Items = found.Items
	way := func(key string, e watch.Raised) string {
		query := url.Values{key: {e.ID.String()}}
		if f.Kind != "" {
			query.Set("kind", f.Kind)
		}
		if f.Severity != "" {
			query.Set("severity", string(f.Severity))
		}
		return "/staff/events?" + query.Encode()
	}
	if n := len(found.Items); n > 0 {
		if q.After != uuid.Nil || (q.Backwards() && found.HasMore) {
			data.Pager.Newer = way("ending_before", found.Items[0])
		}
		if q.Backwards() || found.HasMore {
			data.Pager.Older = way("starting_after", found.Items[n-1])
		}
	}
	return render(v.c, http.StatusOK, "staff-events", data)
}
