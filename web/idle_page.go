package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
)

// registerIdle registers what a page asks by itself: for how long its reader stays signed in. Asking does not count as
// use; staying does.
func (s *Server) registerIdle() {
	s.public("GET", "/session/left", s.sessionLeft(tenant.SessionLeft))
	s.public("POST", "/session/stay", s.sessionLeft(tenant.Stay))
}

// leftAnswer is what is left of a session, in whole seconds. Over, both are 0.
type leftAnswer struct {
	Idle int `json:"idle"` // if nothing is done
	End  int `json:"end"`  // whatever is done
}

func (s *Server) sessionLeft(ask func(ctx context.Context, db *tenant.DB, session tenant.Hash, slug string) (tenant.Left, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		hash, ok := identity.HashToken(c.Cookies(sessionCookie))
		if !ok {
			return c.JSON(leftAnswer{})
		}
		left, err := ask(c.UserContext(), s.DB, hash, c.Query("organization"))
		if isNotSignedIn(err) {
			return c.JSON(leftAnswer{})
		} else if err != nil {
			return err
		}
		return c.JSON(leftAnswer{Idle: int(left.Idle.Seconds()), End: int(left.End.Seconds())})
	}
}
