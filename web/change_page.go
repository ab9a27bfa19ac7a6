package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/web/page"
)

const (
	changeCookie  = "__Host-change"
	changeSeconds = 30 * 60
)

// registerChange registers what stands between a sign-in and the session of who has to change their password.
func (s *Server) registerChange() {
	s.public("GET", "/sign-in/change", s.showChange)
	s.public("POST", "/sign-in/change", s.sendChange)
	s.public("POST", "/password-check", s.checkPassword)
}

// toChange leads on whoever has to change their password first; ok is false for any other error.
func toChange(c *fiber.Ctx, err error, next string) (ok bool, answer error) {
	var needed *identity.ChangeNeeded
	if !errors.As(err, &needed) {
		return false, nil
	}
	c.Cookie(&fiber.Cookie{Name: changeCookie, Value: needed.Token, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", MaxAge: changeSeconds})
	to := "/sign-in/change"
	if next = wayBack(next); next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	return true, c.Redirect(to, http.StatusSeeOther)
}

func (s *Server) showChange(c *fiber.Ctx) error {
	return s.renderChange(c, http.StatusOK, page.NewForm("next", wayBack(c.Query("next"))))
}

func (s *Server) renderChange(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.Identity.CheckChange(c.UserContext(), c.Cookies(changeCookie))
	if err != nil {
		return err
	}
	hint, err := s.passwordHint(c.UserContext())
	if err != nil {
		return err
	}
	gate, err := s.passwordGate(c.UserContext(), "Set a new password", page.Person{})
	if err != nil {
		return err
	}
	form.Values.Del("password")
	return render(c, status, "sign-in-change", page.SignInChange{Gate: gate, Form: form, Email: person.Email, Hint: hint})
}

func (s *Server) sendChange(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	from, err := deviceInfo(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	person, session, err := s.Identity.CompleteChange(c.UserContext(), c.Cookies(changeCookie), sent.Get("password"), from)
	if isFormFault(err) && form.Refused(err) {
		return s.renderChange(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	keepDevice(c, from)
	clearCookie(c, changeCookie)
	return s.letIn(c, person, session, sent.Get("next"))
}

// keptRule is one rule in the answer of checkPassword.
type keptRule struct {
	Say  string `json:"say"`
	Kept bool   `json:"kept"`
}

// checkPassword tells of each rule whether what someone types keeps to it. It keeps nothing. Whose password it is to
// become is taken from the mailed link, the sign-in or the session that the page is about, and else nobody's.
func (s *Server) checkPassword(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	email, name := s.typedBy(c, sent)
	rules, err := s.Identity.TryPassword(c.UserContext(), sent.Get("password"), email, name)
	if err != nil {
		return err
	}
	answer := make([]keptRule, 0, len(rules))
	for _, r := range rules {
		answer = append(answer, keptRule{r.Say, r.Kept})
	}
	return c.JSON(answer)
}

// typedBy finds who types. A link or session that is over names nobody: the form itself is refused later.
func (s *Server) typedBy(c *fiber.Ctx, sent url.Values) (email, name string) {
	ctx := c.UserContext()
	if token := sent.Get("token"); token != "" {
		if address, err := s.Identity.CheckSignUp(ctx, token); err == nil {
			return address, sent.Get("name")
		}
		if p, err := s.Identity.CheckRecovery(ctx, token); err == nil {
			return p.Email, p.Name
		}
		if i, err := s.invited(c, token); err == nil {
			return i.offer.Email, sent.Get("name")
		}
		return "", sent.Get("name")
	}
	if p, err := s.Identity.CheckChange(ctx, c.Cookies(changeCookie)); err == nil {
		return p.Email, p.Name
	}
	if p, err := s.person(ctx, c); err == nil {
		return p.Email, p.Name
	}
	return "", ""
}
