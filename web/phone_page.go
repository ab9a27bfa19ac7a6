package web

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/web/page"
)

const phonePath = "/account/phone"

func (s *Server) registerPhonePages() {
	s.public("GET", phonePath, func(c *fiber.Ctx) error { return s.renderPhone(c, http.StatusOK, page.NewForm("by", "text")) })
	s.public("POST", phonePath, s.afterProof(phonePath, s.sendPhone))
	s.public("POST", phonePath+"/confirm", s.sendPhoneCode)
	s.public("POST", phonePath+"/remove", s.afterProof(phonePath, s.sendPhoneRemove))
	s.public("POST", "/recover/code", s.sendRecoverCode)
}

func (s *Server) renderPhone(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	has, err := s.Identity.Phone(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	data := page.Phone{Gate: page.Gate{Title: "Phone", Person: personPage(person)}, Flash: said(c), Form: form, Today: s.DB.Now(), Has: has}
	if _, voice := s.Identity.Texts(); voice {
		data.Ways = []page.Option{{Value: "text", Label: "Text message"}, {Value: "call", Label: "Call"}}
	}
	return render(c, status, "phone", data)
}

func (s *Server) sendPhone(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	sent.Set("number", dialled(sent.Get("number")))
	form := page.FormOf(sent)
	request, err := s.Identity.BeginPhone(c.UserContext(), c.Cookies(sessionCookie), sent.Get("number"), sent.Get("by") == "call", requestInfo(c))
	if told(&form, err) {
		return s.renderPhone(c, statusOf(form.Faults[0].Kind), form)
	} else if err != nil {
		return err
	}
	return s.renderPhoneCode(c, http.StatusOK, page.NewForm("request", request, "number", sent.Get("number")))
}

// dialled is what could be a phone number, or nothing: what else someone typed there, a password perhaps, is not shown
// to whoever looks over their shoulder.
func dialled(number string) string {
	if strings.Trim(number, "+0123456789 ()-./\u00a0") != "" {
		return ""
	}
	return strings.TrimSpace(number)
}

// told puts into the form what whoever sent it can do something about: also that it is too soon, or that nothing can
// be sent just now.
func told(form *page.Form, err error) bool {
	status := statusOfError(err)
	return (isFormFault(err) || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && form.Refused(err)
}

func (s *Server) renderPhoneCode(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	form.Values.Del("code")
	return render(c, status, "phone-code", page.PhoneCode{Gate: page.Gate{Title: "Type the code", Person: personPage(person)}, Form: form,
		Number: form.Value("number"), Outbox: s.outboxPath()})
}

// outboxPath is where messages can be read, in dev; empty elsewhere.
func (s *Server) outboxPath() string {
	if s.Outbox == nil {
		return ""
	}
	return "/dev/outbox"
}

func (s *Server) sendPhoneCode(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	sent.Set("number", dialled(sent.Get("number")))
	form := page.FormOf(sent)
	if _, err = s.Identity.ConfirmPhone(c.UserContext(), c.Cookies(sessionCookie), sent.Get("request"), sent.Get("code")); isFormFault(err) && form.Refused(err) {
		return s.renderPhoneCode(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	say(c, "Number verified.")
	return c.Redirect(phonePath, http.StatusSeeOther)
}

func (s *Server) sendPhoneRemove(c *fiber.Ctx) error {
	if err := s.Identity.RemovePhone(c.UserContext(), c.Cookies(sessionCookie)); err != nil {
		return err
	}
	say(c, "Number removed.")
	return c.Redirect(phonePath, http.StatusSeeOther)
}

// recoverWays are the ways in which a way in can be sent.
func (s *Server) recoverWays() []page.Option {
	texts, voice := s.Identity.Texts()
	if !texts {
		return nil
	}
	ways := []page.Option{{Value: "mail", Label: "E-mail"}, {Value: "text", Label: "Text message"}}
	if voice {
		ways = append(ways, page.Option{Value: "call", Label: "Call"})
	}
	return ways
}

func (s *Server) renderRecoverCode(c *fiber.Ctx, status int, form page.Form) error {
	form.Values.Del("code")
	return render(c, status, "recover-code", page.RecoverCode{Gate: page.Gate{Title: "Look at your phone"}, Form: form,
		Email: form.Value("email"), Outbox: s.outboxPath()})
}

// sendRecoverCode exchanges a right code for the page on which the new password is set.
func (s *Server) sendRecoverCode(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	link, err := s.Identity.ConfirmRecovery(c.UserContext(), sent.Get("request"), sent.Get("code"))
	if isFormFault(err) && form.Refused(err) {
		return s.renderRecoverCode(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	return s.renderRecoverSet(c, http.StatusOK, page.NewForm("token", link))
}
