package web

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// Where those who watch over processes ask. They ask by address, under no name of ours.
const (
	livePath  = "/livez"
	readyPath = "/readyz"
)

func isProbe(path string) bool { return path == livePath || path == readyPath }

// registerProbes answers whether the process lives, and whether it takes work. Why it does not is for operators, on
// their own listener.
func (s *Server) registerProbes() {
	s.public("GET", livePath, func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	s.public("GET", readyPath, func(c *fiber.Ctx) error {
		if s.Ready != nil {
			if ready, _ := s.Ready.Look(c.UserContext()); !ready {
				return c.Status(http.StatusServiceUnavailable).SendString("not ready\n")
			}
		}
		return c.SendString("ready\n")
	})
}

// lead tells a client of a process that is ending to come back on another connection, which another process may take.
func (s *Server) lead(c *fiber.Ctx) {
	if s.Ready != nil && s.Ready.Draining() {
		c.Context().SetConnectionClose()
	}
}
