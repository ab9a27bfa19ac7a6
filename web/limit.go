package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/limit"
	"github.com/countinghouse/countinghouse/tenant"
)

var errTooMany = fault.New(fault.TooMany, "rate.limited", "These are more requests than one caller may send in a minute. Wait a little, then go on more slowly.")

// Limits bound how many requests a minute each caller may send, in each process; 0 is no bound.
type Limits struct {
	Network      int // an IPv4 address, or a /64 of IPv6
	Person       int // signed in, in all their browsers
	Token        int
	Organization int // all who are in it together
}

// counters count for the limits.
type counters struct{ network, person, token, organization *limit.Counter }

func newCounters(l Limits, now func() time.Time) counters {
	return counters{limit.NewCounter(l.Network, now), limit.NewCounter(l.Person, now), limit.NewCounter(l.Token, now), limit.NewCounter(l.Organization, now)}
}

// limitNetwork refuses a network that asks for too much, before anything is done for it. Those who watch over us are not
// counted.
func (s *Server) limitNetwork(c *fiber.Ctx) error {
	if isProbe(c.Path()) {
		return c.Next()
	}
	if err := s.take(c, "network", s.counters.network, networkKey(tenant.RequestFrom(c.UserContext()).Network)); err != nil {
		return err
	}
	return c.Next()
}

// networkKey takes a /64 of IPv6 for one: whoever has one address there has all of them.
func networkKey(network string) string {
	a, err := netip.ParseAddr(network)
	if err != nil {
		return network
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return network
	}
	return p.String()
}

// limitCaller refuses a person, a token or an organization that asks for too much.
func (s *Server) limitCaller(c *fiber.Ctx, scope tenant.Scope) error {
	if scope.Kind() == tenant.Token {
		if err := s.take(c, "token", s.counters.token, scope.Credential()); err != nil {
			return err
		}
	} else if err := s.limitPerson(c, scope.Person()); err != nil {
		return err
	}
	return s.take(c, "organization", s.counters.organization, scope.Organization().ID.String())
}

func (s *Server) limitPerson(c *fiber.Ctx, p tenant.Person) error {
	return s.take(c, "person", s.counters.person, p.ID.String())
}

// take counts a request, and tells the caller how they stand (draft-ietf-httpapi-ratelimit-headers-10).
func (s *Server) take(c *fiber.Ctx, by string, counter *limit.Counter, caller string) error {
	if counter == nil {
		return nil
	}
	state := counter.Take(caller)
	c.Append("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=60", by, state.Quota))
	c.Append("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", by, state.Left, upToSeconds(state.Whole)))
	if !state.Refused {
		return nil
	}
	s.Meter.Refused(by)
	c.Set("Retry-After", strconv.Itoa(upToSeconds(state.Retry)))
	return errTooMany
}

// sayWhen tells whoever has to wait when to come again, where what refused them has not: every 429 and 503 says so
// (RFC 6585, section 4; RFC 9110, section 10.2.3).
func sayWhen(c *fiber.Ctx) {
	if len(c.Response().Header.Peek("Retry-After")) > 0 {
		return
	}
	switch c.Response().StatusCode() {
	case http.StatusTooManyRequests:
		c.Set("Retry-After", "30")
	case http.StatusServiceUnavailable:
		c.Set("Retry-After", "5")
	}
}

// upToSeconds rounds up: a moment too early is refused again.
func upToSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
