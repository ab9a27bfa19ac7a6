package web

import (
	"errors"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/admission"
	"github.com/countinghouse/countinghouse/web/page"
)

const (
	securityPath = "/account"
	passwordPath = "/account/password"
)

// registerSecurityPages registers what a person sees of their own account, whatever organizations they are in.
func (s *Server) registerSecurityPages() {
	s.public("GET", securityPath, s.showSecurity)
	s.public("POST", "/account/sessions/end-others", s.sendEndOthers)
	s.public("POST", "/account/sessions/:id/end", s.sendEndSession)
	s.public("POST", "/account/sessions/:id/disown", s.sendDisown)
	s.public("GET", passwordPath, s.showPassword)
	s.public("POST", passwordPath, s.sendPassword)
}

func (s *Server) showSecurity(c *fiber.Ctx) error {
	ctx := c.UserContext()
	person, err := s.person(ctx, c)
	if err != nil {
		return err
	}
	sessions, err := s.Identity.Sessions(ctx, person.ID, c.Cookies(sessionCookie))
	if err != nil {
		return err
	}
	logins, err := s.Identity.Logins(ctx, person.ID)
	if err != nil {
		return err
	}
	factors, err := s.Identity.SecondFactors(ctx, person.ID)
	if err != nil {
		return err
	}
	phone, err := s.Identity.Phone(ctx, person.ID)
	if err != nil {
		return err
	}
	texts, _ := s.Identity.Texts()
	data := page.Security{Phone: phone, Texts: texts, Gate: page.Gate{Title: "Sign-in and security", Person: personPage(person)}, Flash: said(c), Today: s.DB.Now(),
		SecondSteps: factors.TOTPSince != nil, Others: len(sessions) > 1}
	memberships, err := s.Identity.Organizations(ctx, person.ID)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		if admission.Warns(m.PasswordUntil, s.DB.Now()) {
			data.Due = append(data.Due, page.PasswordDue{Organization: m.Organization.Name, Until: m.PasswordUntil.UTC()})
		}
	}
	var present identity.SessionID
	for _, one := range sessions {
		row := page.SessionRow{Session: one}
		if one.Current {
			present = one.ID
		} else {
			row.Acts = []page.Act{{URL: sessionPath(one.ID, "end"), Label: "Sign out", Icon: "log-out", Class: "btn-small"}}
		}
		data.Sessions = append(data.Sessions, row)
	}
	for _, l := range logins {
		data.Logins = append(data.Logins, loginRow(l, present))
	}
	return render(c, http.StatusOK, "security", data)
}

func sessionPath(session identity.SessionID, act string) string {
	return "/account/sessions/" + session.String() + "/" + act
}

// loginRow lets every login be disowned but the present one, from which someone asks.
func loginRow(l identity.Login, present identity.SessionID) page.LoginRow {
	row := page.LoginRow{Login: l, State: l.Outcome}
	switch {
	case l.Disowned:
		row.State = identity.LoginDisowned
	case !l.Session.IsZero() && l.Session != present:
		row.Acts = []page.Act{{URL: sessionPath(l.Session, "disown"), Label: "This wasn’t me", Icon: "triangle-alert", Class: "btn-small",
			Ask:  "That login is ended, you are signed out everywhere else, your API tokens are revoked, and you set a new password.",
			Does: "End it and secure my account"}}
	}
	return row
}

func (s *Server) sendEndOthers(c *fiber.Ctx) error {
	if err := s.Identity.EndOtherSessions(c.UserContext(), c.Cookies(sessionCookie)); err != nil {
		return err
	}
	say(c, "Signed out everywhere else.")
	return c.Redirect(securityPath, http.StatusSeeOther)
}

func (s *Server) sendEndSession(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	session, err := pathID[identity.Session](c.Params("id"))
	if err != nil {
		return err
	}
	if err := s.Identity.EndSession(c.UserContext(), person.ID, session); err != nil {
		return err
	}
	say(c, "Signed out there.")
	return c.Redirect(securityPath, http.StatusSeeOther)
}

func (s *Server) sendDisown(c *fiber.Ctx) error {
	session, err := pathID[identity.Session](c.Params("id"))
	if err != nil {
		return err
	}
	if err := s.Identity.Disown(c.UserContext(), c.Cookies(sessionCookie), session, requestInfo(c)); err != nil {
		return err
	}
	say(c, "That login is ended, and your API tokens are revoked. Now set a new password.")
	return c.Redirect(passwordPath, http.StatusSeeOther)
}

func (s *Server) showPassword(c *fiber.Ctx) error {
	return s.renderPassword(c, http.StatusOK, page.Form{})
}

func (s *Server) renderPassword(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	hint, err := s.passwordHint(c.UserContext())
	if err != nil {
		return err
	}
	gate, err := s.passwordGate(c.UserContext(), "Change password", personPage(person))
	if err != nil {
		return err
	}
	return render(c, status, "password-edit", page.PasswordEdit{
		Gate: gate, Flash: said(c), Form: form, Hint: hint,
	})
}

func (s *Server) sendPassword(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	session, err := s.Identity.ChangePassword(c.UserContext(), c.Cookies(sessionCookie), sent.Get("present"), sent.Get("password"), requestInfo(c))
	var form page.Form
	if (isFormFault(err) || errors.Is(err, identity.ErrWait)) && form.Refused(err) {
		return s.renderPassword(c, refusedStatus(c, err), form)
	} else if err != nil {
		return err
	}
	s.setSession(c, session)
	say(c, "Password changed. Everywhere else you are signed out.")
	return c.Redirect(securityPath, http.StatusSeeOther)
}
