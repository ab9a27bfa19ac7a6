package web

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerRecovery() {
	s.public("GET", "/recover", func(c *fiber.Ctx) error { return renderRecover(c, http.StatusOK, page.Form{}) })
	s.public("POST", "/recover", s.sendRecover)
	s.public("GET", "/recover/set", s.showRecoverSet)
	s.public("POST", "/recover/set", s.sendRecoverSet)
}

func renderRecover(c *fiber.Ctx, status int, form page.Form) error {
	return render(c, status, "recover", page.Recover{Gate: page.Gate{Title: "Set a new password"}, Form: form})
}

func (s *Server) sendRecover(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	if err := s.Identity.RequestRecovery(c.UserContext(), sent.Get("email")); form.Refused(err) {
		return renderRecover(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	data := page.RecoverSent{Gate: page.Gate{Title: "Look in your mail"}, Email: strings.TrimSpace(sent.Get("email"))}
	if s.Outbox != nil {
		data.Outbox = "/dev/outbox"
	}
	return render(c, http.StatusOK, "recover-sent", data)
}

func (s *Server) showRecoverSet(c *fiber.Ctx) error {
	return s.renderRecoverSet(c, http.StatusOK, page.NewForm("token", c.Query("token")))
}

func (s *Server) renderRecoverSet(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.Identity.CheckRecovery(c.UserContext(), form.Value("token"))
	if err != nil {
		return err
	}
	form.Values.Del("password")
	return render(c, status, "recover-set", page.RecoverSet{Gate: page.Gate{Title: "Set a new password"}, Form: form,
		Email: person.Email, Hint: s.passwordHint()})
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
