package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/trace"
	"github.com/countinghouse/countinghouse/tenant"
)

var (
	errNoPage    = fault.New(fault.NotFound, "page.not_found", "There is nothing at this address.")
	errCrossed   = fault.New(fault.Forbidden, "request.cross_origin", "This request came from another site. Open the page here and send it again.")
	errBadURL    = fault.New(fault.Invalid, "request.url", "This address cannot be read.")
	errMethod    = fault.New(fault.Invalid, "request.method", "This address does not take that method.")
	errMalformed = fault.New(fault.Invalid, "request.malformed", "This request cannot be read.")
	errPacked    = fault.New(fault.Invalid, "request.content_encoding", "Send the body as it is, not compressed.")
	errTooLarge  = fault.New(fault.Invalid, "request.too_large", "This is more than one request may carry: 1 MB.")
)

// contentPolicy leaves a page nothing but what comes from here: no inline script or style, no eval, no frame.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A draft on paper stands beside its editor. These are the only page that shows another in itself, and the only answer
// that lets itself be shown so, by us alone.
var (
	editorPolicy = contentPolicy + "; frame-src 'self'"
	besidePolicy = strings.Replace(contentPolicy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1)
)

func (s *Server) useMiddleware() {
	s.app.Use(s.toPortal, s.identify(s.answerError), s.recoverPanic, s.secure, s.limitNetwork, s.checkRequest)
}

// identify gives the request its id, its time limit and its line in the log; refuse answers whatever went wrong.
func (s *Server) identify(refuse fiber.ErrorHandler) fiber.Handler {
	return func(c *fiber.Ctx) error { return s.identified(c, refuse) }
}

func (s *Server) identified(c *fiber.Ctx, refuse fiber.ErrorHandler) error {
	began, end := time.Now(), s.Meter.Begin()
	tracer := s.Tracer
	if isProbe(c.Path()) {
		tracer = nil
	}
	request := tenant.Request{ID: newRequestID(), Network: s.network(c)}
	ctx, traced, told := tracer.Serve(context.Background(), c.Get(trace.Header))
	ctx, cancel := context.WithTimeout(tenant.WithRequest(ctx, request), requestTimeout)
	defer cancel()
	s.lead(c)
	c.SetUserContext(ctx)
	c.Set("X-Request-Id", request.ID)
	err := c.Next()
	if err != nil { // answer here, so that the log tells the status
		err = refuse(c, err)
	}
	sayWhen(c)
	route, status, took := s.routeOf(c), c.Response().StatusCode(), time.Since(began)
	end(c.Method(), route, status, took)
	organization := ""
	if in := callFrom(c.UserContext()); in != nil && in.scope != (tenant.Scope{}) {
		organization = in.scope.Organization().ID.String()
	}
	told(trace.Served{Method: c.Method(), Route: route, Status: status, Request: request.ID, Organization: organization})
	if isProbe(route) && status == http.StatusOK { // several a second, which say nothing
		return err
	}
	attributes := []any{"request_id", request.ID, "trace_id", traced.ID, "method", c.Method(), "route", route,
		"status", status, "ms", took.Milliseconds()}
	if organization != "" {
		attributes = append(attributes, "organization", organization)
	}
	s.Log.Info("request", attributes...)
	if c.Response().StatusCode() == http.StatusNotFound {
		s.watchMissing(c)
	}
	return err
}

// routeOf is the route that answered, "none" where there was none: the path itself may hold what is secret.
func (s *Server) routeOf(c *fiber.Ctx) string {
	if route := c.Route().Path; route != "/" || c.Path() == "/" {
		return route
	}
	return "none"
}

func newRequestID() string {
	b := make([]byte, 10)
	if _, err := rand.Read(b); err != nil {
		panic(fmt.Errorf("no randomness: %w", err))
	}
	return base32.StdEncoding.EncodeToString(b)
}

func (s *Server) recoverPanic(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.Next()
}

func (s *Server) secure(c *fiber.Ctx) error {
	c.Set("Content-Security-Policy", contentPolicy)
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("Referrer-Policy", "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	c.Set("Cache-Control", "no-store")
	if s.origin.Scheme == "https" {
		c.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return c.Next()
}

// checkRequest refuses what no route should have to think of: an address that cannot be read, another host's
// name, a form that another site sends.
func (s *Server) checkRequest(c *fiber.Ctx) error {
	parsed, err := readableRequest(c)
	if err != nil {
		return err
	}
	if !isProbe(parsed.Path) && !s.ownHost(string(c.Request().Host())) {
		return errNoPage
	}
	if err := checkCrossed(c, s.crossed, parsed, s.origin.Host); err != nil {
		return err
	}
	return c.Next()
}

// readableRequest gives a request's address, and refuses one that cannot be read and a body that is packed.
func readableRequest(c *fiber.Ctx) (*url.URL, error) {
	target := string(c.Request().RequestURI())
	parsed, err := url.ParseRequestURI(target)
	if err != nil || !utf8.ValidString(parsed.Path) || strings.ContainsRune(parsed.Path, 0) {
		return nil, errBadURL
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return nil, errBadURL
	}
	for key, values := range query {
		for _, v := range append(values, key) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, errBadURL
			}
		}
	}
	// Fiber would unpack it in memory, however large it becomes, and count only what came over the wire.
	if encoding := c.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, refused(http.StatusUnsupportedMediaType, errPacked)
	}
	return parsed, nil
}

// checkCrossed refuses a form that another origin than host sends.
func checkCrossed(c *fiber.Ctx, protection *http.CrossOriginProtection, parsed *url.URL, host string) error {
	request := &http.Request{Method: c.Method(), Host: host, URL: parsed, Header: http.Header{}}
	for _, name := range []string{"Origin", "Sec-Fetch-Site"} {
		if v := c.Get(name); v != "" {
			request.Header.Set(name, v)
		}
	}
	if err := protection.Check(request); err != nil {
		return errCrossed.Because(err)
	}
	return nil
}

// ownHost says whether a Host header names the one origin that members and the API use. On a machine of one's
// own, its loopback address is as good.
func (s *Server) ownHost(host string) bool {
	if strings.EqualFold(host, s.origin.Host) {
		return true
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	return s.Outbox != nil && port == s.origin.Port() && (name == "127.0.0.1" || name == "::1" || name == "localhost")
}
