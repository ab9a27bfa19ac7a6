package web

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// showRoutes lists every route as text, a line each: method, path, and who may come. Only `dev` shows it, for whoever
// writes against the service and for tests that no page may escape. Those of the organizations' own hosts follow an empty line.
func (s *Server) showRoutes(c *fiber.Ctx) error {
	var all strings.Builder
	for _, r := range s.routes {
		who := r.Right.String()
		switch {
		case r.Public:
			who = "anyone"
		case r.Person:
			who = "person"
		case r.Staff.Name() != "":
			who = "staff"
		}
		fmt.Fprintln(&all, r.Method, r.Path, who)
	}
	fmt.Fprintln(&all)
	for _, r := range s.portalRoutes {
		who := "customer"
		if r.Public {
			who = "anyone"
		}
		fmt.Fprintln(&all, r.Method, r.Path, who)
	}
	c.Set("Content-Type", "text/plain; charset=utf-8")
	return c.SendString(all.String())
}
