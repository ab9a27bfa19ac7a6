package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// The prefix makes browsers refuse the cookie from anywhere but this very origin, and without TLS (except on
// localhost).
const (
	sessionCookie = "__Host-session"
	flashCookie   = "__Host-said"
	deviceCookie  = "__Host-device"
)

var (
	errFormType     = fault.New(fault.Invalid, "form.content_type", "This page takes forms.")
	errFormRepeated = fault.New(fault.Invalid, "form.repeated", "A field of this form was sent twice.")
	errFormText     = fault.New(fault.Invalid, "text.invalid", "The text is not valid UTF-8, or holds a NUL character.")
)

// render answers with a page.
func render(c *fiberCtx, status int, name string, data any) error {
	var body bytes.Buffer
	if err := page.Render(&body, languageOf(c), name, data); err != nil {
		return err
	}
	c.Set("Content-Type", "text/html; charset=utf-8")
	return c.Status(status).Send(body.Bytes())
}

// renderProblem tells a person that a request was refused.
func (s *Server) renderProblem(c *fiber.Ctx, p *Problem) error {
	say := p.Detail
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable {
		say = ""
	}
	data := page.NewError(p.Status, say, p.RequestID)
	data.URL, data.Label = "/", "Go to your organizations"
	return render(c, p.Status, "error", data)
}

// toSignIn leads someone who is not signed in to where they can, and back afterwards.
func toSignIn(c *fiber.Ctx) error {
	to := "/sign-in"
	if c.Method() == http.MethodGet && c.Path() != "/" {
		to += "?next=" + url.QueryEscape(c.OriginalURL())
	}
	return c.Redirect(to, http.StatusSeeOther)
}

// wayBack is where to go after signing in: a path of our own, or "/".
func wayBack(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return "/"
	}
	return next
}

// readForm gives the fields of a form that was sent, each as often as it may be: those named in many more than
// once, all others once. A form is text: UTF-8 without NUL.
func readForm(c *fiber.Ctx, many ...string) (url.Values, error) {
	mediaType, _, _ := strings.Cut(c.Get("Content-Type"), ";")
	if strings.TrimSpace(strings.ToLower(mediaType)) != "application/x-www-form-urlencoded" {
		return nil, refused(http.StatusUnsupportedMediaType, errFormType)
	}
	sent, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return nil, errFormText
	}
	for name, values := range sent {
		if len(values) > 1 && !repeats(name, many) {
			return nil, errFormRepeated
		}
		for _, v := range append(values, name) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, errFormText
			}
		}
	}
	return sent, nil
}

// repeats says whether a field may come more than once: "taxes" by its name, "lines[0].taxes" by its end.
func repeats(name string, many []string) bool {
	for _, m := range many {
		if name == m || strings.HasSuffix(name, "."+m) {
			return true
		}
	}
	return false
}

func (s *Server) setSession(c *fiber.Ctx, token string) { setCookie(c, sessionCookie, token) }

func setCookie(c *fiber.Ctx, name, value string) {
	c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax"})
}

func clearCookie(c *fiber.Ctx, name string) {
	c.Cookie(&fiber.Cookie{Name: name, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", Expires: time.Unix(0, 0)})
}

// say keeps a sentence for the next page.
func say(c *fiber.Ctx, sentence string) {
	c.Cookie(&fiber.Cookie{Name: flashCookie, Value: url.QueryEscape(sentence), Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", MaxAge: 60})
}

// sayLogin is say of a login, with its session, which the next page lets one disown.
func sayLogin(c *fiber.Ctx, session identity.SessionID, sentence string) {
	if !session.IsZero() {
		sentence = session.String() + loginMark + sentence
	}
	say(c, sentence)
}

// loginMark parts a session's id from what is said of it; no sentence of ours holds one.
const loginMark = "\x1f"

// said takes the kept sentence, once. It is shown as text, whatever it is.
func said(c *fiber.Ctx) page.Flash {
	if c.Cookies(flashCookie) == "" {
		return page.Flash{}
	}
	clearCookie(c, flashCookie)
	return heldFlash(c)
}

// heldFlash is the kept sentence, left where it is.
func heldFlash(c *fiber.Ctx) page.Flash { return readFlash(c.Cookies(flashCookie)) }

func readFlash(kept string) page.Flash {
	sentence, err := url.QueryUnescape(kept)
	if err != nil || len(sentence) > 1200 || !utf8.ValidString(sentence) {
		return page.Flash{}
	}
	if session, rest, ok := strings.Cut(sentence, loginMark); ok {
		if of, ok := id.Parse[identity.Session](session); ok {
			return page.Flash{Say: rest, Login: of.String()}
		}
		return page.Flash{}
	}
	return page.Flash{Say: sentence}
}

// person is whoever is signed in; ErrNotSignedIn for nobody.
func (s *Server) person(ctx context.Context, c *fiber.Ctx) (tenant.Person, error) {
	token := c.Cookies(sessionCookie)
	if _, ok := identity.HashToken(token); !ok {
		return tenant.Person{}, tenant.ErrNotSignedIn
	}
	p, err := s.Identity.PersonBySession(ctx, token)
	if err == nil {
		err = s.limitPerson(c, p)
	}
	return p, err
}

func requestInfo(c *fiber.Ctx) identity.RequestInfo {
	return identity.RequestInfo{Network: tenant.RequestFrom(c.UserContext()).Network, UserAgent: c.Get("User-Agent"), Device: c.Cookies(deviceCookie)}
}

// deviceInfo is requestInfo with a device even for a browser that comes for the first time. It is that browser's
// when keepDevice follows.
func deviceInfo(c *fiber.Ctx) (from identity.RequestInfo, err error) {
	from = requestInfo(c)
	if _, ok := identity.HashToken(from.Device); !ok {
		from.Device, err = identity.NewDevice()
	}
	return from, err
}

// deviceSeconds is 400 days, the longest that browsers keep a cookie.
const deviceSeconds = 400 * 24 * 60 * 60

func keepLanguage(c *fiber.Ctx, language locale.Language) {
	c.Cookie(&fiber.Cookie{Name: languageCookie, Value: string(language), Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", MaxAge: deviceSeconds})
}

// keepDevice lets a browser be known again. Its token opens nothing: it only has tries of its own.
func keepDevice(c *fiber.Ctx, from identity.RequestInfo) {
	c.Cookie(&fiber.Cookie{Name: deviceCookie, Value: from.Device, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", MaxAge: deviceSeconds})
}

// refusedStatus is the status of a form that was refused, and says when to come again.
func refusedStatus(c *fiber.Ctx, err error) int {
	var w *identity.Wait
	if errors.As(err, &w) {
		c.Set("Retry-After", strconv.Itoa(w.Seconds()))
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

func personPage(p tenant.Person) page.Person { return page.Person{Name: p.Name, Email: p.Email} }
