package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/web/page"
)

const dataPath = "/account/data"

var errNotTyped = fault.New(fault.Invalid, "person.not_typed", "Type the e-mail address of this account to delete it.").At("email")

// registerPersonPages registers what a person can do about all that is held of them.
func (s *Server) registerPersonPages() {
	s.public("GET", dataPath, func(c *fiber.Ctx) error { return s.renderData(c, http.StatusOK, page.NewForm()) })
	s.public("POST", dataPath+"/export", s.afterProof(dataPath, s.sendExport))
	s.public("POST", "/account/delete", s.afterProof(dataPath, s.sendDelete))
	s.public("GET", "/account/sessions/:id/disown", s.showDisown)
}

func (s *Server) renderData(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	return render(c, status, "account-data", page.Data{Gate: page.Gate{Title: "Your data", Person: personPage(person)}, Form: form})
}

func (s *Server) sendExport(c *fiber.Ctx) error {
	data, err := s.Identity.ExportPerson(c.UserContext(), c.Cookies(sessionCookie))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return fmt.Errorf("writing a person's data: %w", err)
	}
	c.Set("Content-Type", "application/json")
	c.Set("Content-Disposition", `attachment; filename="countinghouse-account.json"`)
	return c.Send(text)
}

func (s *Server) sendDelete(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	if !strings.EqualFold(strings.TrimSpace(sent.Get("email")), person.Email) {
		err = errNotTyped
	} else {
		err = s.Identity.ErasePerson(c.UserContext(), c.Cookies(sessionCookie))
	}
	if isFormFault(err) && form.Refused(err) {
		return s.renderData(c, statusOfError(err), form)
	} else if err != nil {
		return err
	}
	clearCookie(c, sessionCookie)
	clearCookie(c, deviceCookie)
	return render(c, http.StatusOK, "account-deleted", page.Gate{Title: "Your account is deleted"})
}

// showDisown asks whether a login was someone else's, before anything is ended.
func (s *Server) showDisown(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	session, err := pathID[identity.Session](c.Params("id"))
	if err != nil {
		return err
	}
	all, err := s.Identity.Logins(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	for _, l := range all {
		if l.Session == session && !l.Disowned {
			return render(c, http.StatusOK, "disown", page.Disown{Gate: page.Gate{Title: "Was this you?", Person: personPage(person)}, Today: s.DB.Now(),
				Login: l, Action: sessionPath(session, "disown")})
		}
	}
	return identity.ErrLogin
}

// statusOfError is the status that an error is answered with.
func statusOfError(err error) int {
	var f *fault.Error
	var all fault.List
	switch {
	case errors.As(err, &all) && len(all) > 0:
		return statusOf(all[0].Kind)
	case errors.As(err, &f):
		return statusOf(f.Kind)
	}
	return http.StatusInternalServerError
}
