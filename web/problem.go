package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Problem is the answer to a request that was refused (RFC 9457). Nothing of the request is echoed in it.
type Problem struct {
	Type      string         `json:"type" doc:"Always about:blank; programs switch on code" example:"about:blank"`
	Title     string         `json:"title" doc:"The status in words" example:"Unprocessable Entity"`
	Status    int            `json:"status" doc:"The HTTP status" example:"422"`
	Detail    string         `json:"detail" doc:"What is wrong and how to put it right" example:"Line 3 needs a quantity."`
	Code      string         `json:"code" doc:"Stable and dotted" example:"quantity.zero"`
	RequestID string         `json:"request_id" doc:"Tell us this when you ask for help"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"Every field that is at fault"`
}

// ProblemField is one field at fault.
type ProblemField struct {
	Field  string `json:"field" doc:"Where in the request" example:"lines[2].quantity"`
	Code   string `json:"code" example:"quantity.zero"`
	Detail string `json:"detail"`
}

// Error makes a Problem an error that huma can pass on.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// statusOf is the one place where kinds of fault become HTTP statuses.
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// refused is a problem with a status of its own, where the kind of its fault has another.
func refused(status int, f *fault.Error) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Say}
}

// problemOf tells a client what err is: a fault in its own words, anything else in none.
func problemOf(ctx context.Context, err error) *Problem {
	var ready *Problem
	if errors.As(err, &ready) {
		ready.RequestID = tenant.RequestFrom(ctx).ID
		return ready
	}
	p := &Problem{Type: "about:blank", RequestID: tenant.RequestFrom(ctx).ID}
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		p.Status, p.Code, p.Detail = statusOf(f.Kind), f.Code, f.Say
	case errors.Is(err, context.DeadlineExceeded):
		p.Status, p.Code, p.Detail = http.StatusServiceUnavailable, "request.timeout", "This took too long and was given up. Nothing was saved; try again."
	default:
		p.Status, p.Code, p.Detail = http.StatusInternalServerError, "internal", "Something broke on our side. Nothing was saved."
	}
	for _, f := range faultsOf(err) {
		if f.Field != "" {
			p.Errors = append(p.Errors, ProblemField{f.Field, f.Code, f.Say})
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// faultsOf lists the faults in err.
func faultsOf(err error) fault.List {
	var list fault.List
	if errors.As(err, &list) {
		return list
	}
	var one *fault.Error
	if errors.As(err, &one) {
		return fault.List{one}
	}
	return nil
}

// ofFiber gives the router's own refusals our words.
func ofFiber(err error) error {
	var e *fiber.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case fiber.StatusRequestEntityTooLarge:
		return refused(e.Code, errTooLarge)
	case fiber.StatusNotFound:
		return errNoPage
	case fiber.StatusMethodNotAllowed:
		return refused(e.Code, errMethod)
	}
	if e.Code >= 400 && e.Code < 500 {
		return refused(e.Code, errMalformed)
	}
	return err
}

// answerError answers whatever went wrong: the API's callers get a problem, people a page. An error that is no
// fault is logged, here and nowhere else.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	if tenant.RequestFrom(c.UserContext()).ID == "" { // refused before any middleware ran
		c.SetUserContext(tenant.WithRequest(c.UserContext(), tenant.Request{ID: newRequestID(), Network: s.network(c)}))
	}
	if errors.Is(err, fiber.ErrRequestEntityTooLarge) {
		drain(c)
	}
	p := problemOf(c.UserContext(), ofFiber(err))
	s.logError(c.UserContext(), p, err)
	if isAPI(c.Path()) {
		return writeProblem(c, p)
	}
	if p.Status == http.StatusUnauthorized {
		return toSignIn(c)
	}
	if ok, answer := leadToAdmission(c, err); ok {
		return answer
	}
	return s.renderProblem(c, p)
}

// drain reads on for a moment what is left of a body that is too large: a client that is still sending when the
// connection closes sees a broken pipe in place of the answer.
func drain(c *fiber.Ctx) {
	conn := c.Context().Conn()
	if err := conn.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return
	}
	// How much is left makes no difference: the connection ends with this answer.
	_, _ = io.CopyN(io.Discard, conn, 32<<20)
}

func (s *Server) logError(ctx context.Context, p *Problem, err error) {
	var f *fault.Error
	switch {
	case p.Status >= 500:
		s.Log.Error("request failed", "request_id", tenant.RequestFrom(ctx).ID, "code", p.Code, "error", err, "cause", errors.Unwrap(err))
	case errors.As(err, &f) && f.Unwrap() != nil:
		s.Log.Info("request refused", "request_id", tenant.RequestFrom(ctx).ID, "code", p.Code, "cause", f.Unwrap())
	}
}

func isNotSignedIn(err error) bool { return errors.Is(err, tenant.ErrNotSignedIn) }

func isAPI(path string) bool { return strings.HasPrefix(path, "/v1/") || path == "/v1" }

// challenge says how one may be known at an address of the API; RFC 9110 section 15.5.2 asks for it with every 401. A
// person's own account takes their browser's session and no token. No scheme is registered for that; this one is of
// draft-broyer-http-cookie-auth, and browsers and clients pass over what they do not know.
func challenge(path string) string {
	if path == accountAPI || strings.HasPrefix(path, accountAPI+"/") {
		return `Cookie realm="countinghouse", form-action="/sign-in", cookie-name="` + sessionCookie + `"`
	}
	return `Bearer realm="countinghouse"`
}

func writeProblem(c *fiber.Ctx, p *Problem) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if p.Status == http.StatusUnauthorized {
		c.Set("WWW-Authenticate", challenge(c.Path()))
	}
	c.Set("Content-Type", "application/problem+json")
	return c.Status(p.Status).Send(body)
}

// hideHuma gives huma's own refusals (validation, decoding) our shape, without the values that they echo. They
// are settings of the whole process, so they are made once.
var hideHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: codeOf(status), Detail: sentence(message)}
		for _, err := range errs {
			var d huma.ErrorDetailer
			if errors.As(err, &d) {
				detail := d.ErrorDetail()
				p.Errors = append(p.Errors, ProblemField{strings.TrimPrefix(detail.Location, "body."), "request.field", sentence(detail.Message)})
			}
		}
		return p
	}
})

func codeOf(status int) string {
	switch status {
	case http.StatusUnprocessableEntity:
		return "request.invalid"
	case http.StatusRequestEntityTooLarge:
		return errTooLarge.Code
	case http.StatusUnsupportedMediaType:
		return "request.content_type"
	case http.StatusNotAcceptable:
		return "request.accept"
	case http.StatusInternalServerError:
		return "internal"
	}
	return "request.malformed"
}

// sentence gives huma's lower-case words a beginning and an end.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
