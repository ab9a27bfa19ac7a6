package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerRecovery() {
	s.public("GET", "/recover", func(c *fiber.Ctx) error { return s.renderRecover(c, http.StatusOK, page.NewForm("by", "mail")) })
	s.public("POST", "/recover", s.sendRecover)
	s.public("GET", "/recover/set", s.showRecoverSet)
	s.public("POST", "/recover/set", s.sendRecoverSet)
}

func (s *Server) renderRecover(c *fiber.Ctx, status int, form page.Form) error {
	captcha, err := s.showCaptcha(c, captchaRecovery)
	if err != nil {
		return err
	}
	return render(c, status, "recover", page.Recover{Gate: page.Gate{Title: "Set a new password"}, Form: form, Captcha: captcha, Ways: s.recoverWays()})
}

func (s *Server) sendRecover(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	err = s.checkCaptcha(c, captchaRecovery, sent)
	if by := sent.Get("by"); err == nil && (by == "text" || by == "call") {
		return s.sendRecoverByText(c, form, by == "call")
	}
	if err == nil {
		err = s.Identity.RequestRecovery(c.UserContext(), sent.Get("email"))
	}
	if (isFormFault(err) || errors.Is(err, identity.ErrNoRecovery)) && form.Refused(err) {
		return s.renderRecover(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	data := page.RecoverSent{Gate: page.Gate{Title: "Look in your mail"}, Email: strings.TrimSpace(sent.Get("email"))}
	if s.Outbox != nil {
		data.Outbox = "/dev/outbox"
	}
	return render(c, http.StatusOK, "recover-sent", data)
}

func (s *Server) sendRecoverByText(c *fiber.Ctx, form page.Form, voice bool) error {
	email := strings.TrimSpace(form.Value("email"))
	request, err := s.Identity.RequestRecoveryByText(c.UserContext(), email, voice, requestInfo(c))
	if form.Refused(err) {
		return s.renderRecover(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	return s.renderRecoverCode(c, http.StatusOK, page.NewForm("request", request, "email", email))
}

func (s *Server) showRecoverSet(c *fiber.Ctx) error {
	return s.renderRecoverSet(c, http.StatusOK, page.NewForm("token", c.Query("token")))
}

func (s *Server) renderRecoverSet(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.Identity.CheckRecovery(c.UserContext(), form.Value("token"))
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
	return render(c, status, "recover-set", page.RecoverSet{Gate: gate, Form: form,
		Email: person.Email, Hint: hint})
}

func (s *Server) sendRecoverSet(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	from, err := deviceInfo(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	err = s.Identity.Recover(c.UserContext(), sent.Get("token"), sent.Get("password"), from)
	if isFormFault(err) && form.Refused(err) {
		return s.renderRecoverSet(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	keepDevice(c, from)
	clearCookie(c, sessionCookie)
	return render(c, http.StatusOK, "recover-done", page.SignIn{Gate: page.Gate{Title: "Your password is set"}, Form: page.NewForm()})
}
