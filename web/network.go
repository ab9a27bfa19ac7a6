package web

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// network is the address that a request comes from. Behind proxies that the operator named it is what the outermost of
// them saw: the last address in X-Forwarded-For that is not one of theirs. What stands before it anyone may have
// written there.
func (s *Server) network(c *fiber.Ctx) string {
	from, err := netip.ParseAddr(c.IP())
	if err != nil || len(s.Proxies) == 0 || !s.trusted(from) {
		return c.IP()
	}
	// A proxy may add a line of its own in place of a longer one.
	var hops []string
	for _, line := range c.Request().Header.PeekAll("X-Forwarded-For") {
		hops = append(hops, strings.Split(string(line), ",")...)
	}
	for i := len(hops) - 1; i >= 0; i-- {
		said, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = said.Unmap().WithZone("")
		if !s.trusted(from) {
			break
		}
	}
	return from.String()
}

func (s *Server) trusted(from netip.Addr) bool {
	from = from.Unmap()
	for _, of := range s.Proxies {
		if of.Contains(from) {
			return true
		}
	}
	return false
}
