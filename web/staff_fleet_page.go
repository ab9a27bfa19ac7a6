package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerStaffFleetPages() {
	s.staff("GET", "/fleet", staffTo(authz.Read, authz.StaffFleet), showStaffFleet)
}

// showStaffFleet shows how schemas, database and keyring stand. While schemas are behind, the page asks for itself again.
func showStaffFleet(v *staffVisit) error {
	state, err := tenant.LookAtFleet(v.ctx, v.server.DB)
	if err != nil {
		return err
	}
	at := state.Database
	data := page.StaffFleet{StaffShell: v.frame("Fleet", "fleet"), URL: v.c.Path(), Version: state.Version, Platform: state.Platform, Last: state.Last,
		Failed: state.Failed, Server: at.Server, Size: sizeText(at.Bytes), Connections: at.Connections, Most: at.Most, Spare: at.Spare, Parts: v.server.stands(v.ctx)}
	for _, c := range state.Compartments {
		data.Compartments = append(data.Compartments, page.FleetCompartment{ID: c.ID, Organizations: c.Organizations, Ready: c.Ready, Behind: c.Behind})
	}
	for _, f := range state.Failures {
		data.Failures = append(data.Failures, page.FleetFailure{Slug: f.Slug, Schema: f.Schema, SQLState: f.SQLState, Reason: f.Reason, Version: f.Version, At: f.At})
	}
	return render(v.c, http.StatusOK, "staff-fleet", data)
}

// stands says of each part whether it stands. Why one does not names hosts, and is told on the operators' own listener.
func (s *Server) stands(ctx context.Context) (parts []page.FleetPart) {
	if s.Ready == nil {
		return []page.FleetPart{{Name: "Database", OK: s.DB.Reach(ctx) == nil}}
	}
	_, found := s.Ready.Look(ctx)
	for _, f := range found {
		parts = append(parts, page.FleetPart{Name: strings.ToUpper(f.Name[:1]) + f.Name[1:], OK: f.OK})
	}
	return parts
}
