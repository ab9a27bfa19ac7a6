package web

import (
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/tenant"
)

// Route is one entry of the router, and what it admits.
type Route struct {
	Method string
	Path   string // as Fiber writes it: /o/:slug/invoices/:id
	// Right is what the caller must hold; the zero Right only where Public says that anyone may come.
	Right authz.Right
	// AnyRight says that whoever holds any right at all may come, and is shown what their rights let them see.
	AnyRight bool
	Kinds    []tenant.Kind
	Public   bool
	// Contact is what one of a customer's people must hold, on a route of the portal.
	Contact contact.Rights
	// Closed says that support is refused, whatever it was let in to see.
	Closed bool
	// Unasked says that pages ask it by themselves: it keeps no session open.
	Unasked bool
	// Plan says that it is about the organization's plan, which is there for those who are suspended too.
	Plan bool
	// Person says that anyone signed in may come, by their session, about themselves; such a route is in no organization.
	Person bool
	// Staff is what the caller must hold on the staff of the platform; such a route is in no organization.
	Staff authz.StaffRight
}

// admits says whether the holder of a scope has the right that it takes.
func (r Route) admits(policy *authz.Policy, scope tenant.Scope) bool {
	if !r.AnyRight {
		return policy.May(scope, r.Right).Allowed
	}
	for _, group := range authz.Rights() {
		for _, grant := range group.Rights {
			if policy.May(scope, grant.Right).Allowed {
				return true
			}
		}
	}
	return false
}

// object is what the record of a support person's request says that it was about.
func (r Route) object() string {
	if r.AnyRight {
		return "page"
	}
	return string(r.Right.Module)
}

// goesOn says whether a route of an organization works while that is suspended: what reads, which may leave its trace on
// the record; exports; what has to do with the plan itself; and what ends the access of others, which must never wait for a bill.
func (r Route) goesOn() bool {
	switch {
	case r.Method == "GET", r.Right.Module == authz.Exports, r.Plan:
		return true
	case r.Right.Action == authz.Delete:
		return r.Right.Module == authz.Tokens || r.Right.Module == authz.Support || r.Right.Module == authz.Members
	}
	return false
}

// Routes lists what is registered, for the documentation and for tests that no route may escape.
func (s *Server) Routes() []Route { return slices.Clone(s.routes) }

// PortalRoutes lists what is registered at the organizations' own hosts.
func (s *Server) PortalRoutes() []Route { return slices.Clone(s.portalRoutes) }

// checkRoutes refuses a router with a route that was registered past the list, or that names no right.
func (s *Server) checkRoutes() error {
	known := map[string]bool{}
	for _, r := range s.routes {
		if staff := r.Staff != (authz.StaffRight{}); staff && r.Staff.Name() == "" || staff && (r.Public || len(r.Kinds) > 0) {
			return fmt.Errorf("route %s %s names no right of staff, or lets others in too", r.Method, r.Path)
		} else if r.Person && (staff || r.Public || len(r.Kinds) > 0) {
			return fmt.Errorf("route %s %s is of a person, and lets others in too", r.Method, r.Path)
		} else if !staff && !r.Public && !r.Person && ((r.Right == authz.Right{}) != r.AnyRight || len(r.Kinds) == 0) {
			return fmt.Errorf("route %s %s names no right or admits nobody", r.Method, r.Path)
		}
		known[r.Method+" "+r.Path] = true
	}
	if err := checkKnown(s.app, known); err != nil {
		return err
	}
	known = map[string]bool{}
	for _, r := range s.portalRoutes {
		if r.Public == (len(r.Kinds) > 0) || r.Right != (authz.Right{}) {
			return fmt.Errorf("route %s %s of the portal admits nobody, or members", r.Method, r.Path)
		}
		known[r.Method+" "+r.Path] = true
	}
	return checkKnown(s.portalApp, known)
}

func checkKnown(app *fiber.App, known map[string]bool) error {
	for _, r := range app.GetRoutes(true) {
		// HEAD stands beside its GET, by answer.
		if r.Method == "HEAD" {
			continue
		}
		if !known[r.Method+" "+r.Path] {
			return fmt.Errorf("route %s %s was registered without naming its right", r.Method, r.Path)
		}
	}
	return nil
}
