package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

const (
	// secondStepCookie holds a sign-in that has done its first step. It opens nothing by itself.
	secondStepCookie  = "__Host-second-step"
	secondStepSeconds = 600

	secondFactorPath = "/account/second-step"
	appPath          = secondFactorPath + "/app"
)

func (s *Server) registerSecondFactorPages() {
	s.public("GET", "/sign-in/second-step", s.showSecondStep)
	s.public("POST", "/sign-in/second-step", s.sendSecondStep)
	s.public("GET", "/account/prove", s.showProve)
	s.public("POST", "/account/prove", s.sendProve)
	s.public("POST", "/account/prove/passkey/challenge", s.sendProofChallenge)
	s.public("POST", "/account/prove/passkey", s.sendPasskeyProof)
	s.public("GET", secondFactorPath, s.showSecondFactors)
	s.public("POST", appPath, s.afterProof(secondFactorPath, s.sendApp))
	s.public("GET", appPath, s.afterProof(appPath, s.showApp))
	s.public("GET", appPath+"/qr.png", s.showAppQR)
	s.public("POST", appPath+"/confirm", s.afterProof(appPath, s.sendAppConfirm))
	s.public("POST", appPath+"/turn-off", s.afterProof(secondFactorPath, s.sendAppTurnOff))
	s.registerPasskeyPages()
	s.public("POST", secondFactorPath+"/codes", s.afterProof(secondFactorPath, s.sendRecoveryCodes))
}

// toSecondStep leads someone whose password was right on to their second factor.
func toSecondStep(c *fiber.Ctx, owed *identity.SecondStepNeeded, next string) error {
	c.Cookie(&fiber.Cookie{Name: secondStepCookie, Value: owed.Token, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", MaxAge: secondStepSeconds})
	to := "/sign-in/second-step"
	if next = wayBack(next); next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(to, http.StatusSeeOther)
}

func (s *Server) showSecondStep(c *fiber.Ctx) error {
	if _, ok := identity.HashToken(c.Cookies(secondStepCookie)); !ok {
		return toSignIn(c)
	}
	return s.renderSecondStep(c, http.StatusOK, page.NewForm("next", wayBack(c.Query("next"))))
}

func (s *Server) renderSecondStep(c *fiber.Ctx, status int, form page.Form) error {
	form.Values.Del("code")
	return render(c, status, "second-step", page.SecondStep{Gate: page.Gate{Title: "Second step"}, Form: form})
}

func (s *Server) sendSecondStep(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	person, session, err := s.Identity.CompleteSecondStep(c.UserContext(), c.Cookies(secondStepCookie), sent.Get("code"), requestInfo(c))
	if ok, answer := toChange(c, err, sent.Get("next")); ok {
		clearCookie(c, secondStepCookie)
		return answer
	}
	form := page.FormOf(sent)
	switch {
	case errors.Is(err, identity.ErrSecondStepOver):
		return s.signInAgain(c, sent, err)
	case form.Refused(err):
		return s.renderSecondStep(c, statusOf(form.Faults[0].Kind), form)
	case err != nil:
		return err
	}
	clearCookie(c, secondStepCookie)
	return s.letIn(c, person, session, sent.Get("next"))
}

// signInAgain shows the sign-in page with why it has to begin anew.
func (s *Server) signInAgain(c *fiber.Ctx, sent url.Values, why error) error {
	clearCookie(c, secondStepCookie)
	form := page.NewForm("next", wayBack(sent.Get("next")))
	form.Refused(why)
	return s.renderSignIn(c, http.StatusUnprocessableEntity, form)
}

func (s *Server) showSecondFactors(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	return s.renderSecondFactors(c, http.StatusOK, person, page.Form{})
}

func (s *Server) renderSecondFactors(c *fiber.Ctx, status int, person tenant.Person, form page.Form) error {
	has, err := s.Identity.SecondFactors(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	return render(c, status, "second-factors", page.SecondFactors{
		Gate: page.Gate{Title: "Second step", Person: personPage(person)}, Flash: said(c), Form: form, Today: s.DB.Now(), Has: has,
	})
}

// refusedSecondFactor shows the page again with why nothing was done.
func (s *Server) refusedSecondFactor(c *fiber.Ctx, err error) error {
	var form page.Form
	if !isFormFault(err) || !form.Refused(err) {
		return err
	}
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	return s.renderSecondFactors(c, http.StatusConflict, person, form)
}

func (s *Server) sendApp(c *fiber.Ctx) error {
	if err := s.Identity.BeginTOTP(c.UserContext(), c.Cookies(sessionCookie)); err != nil {
		return s.refusedSecondFactor(c, err)
	}
	return c.Redirect(appPath, http.StatusSeeOther)
}

func (s *Server) showApp(c *fiber.Ctx) error {
	return s.renderApp(c, http.StatusOK, page.NewForm())
}

func (s *Server) renderApp(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	key, err := s.Identity.NewTOTP(c.UserContext(), c.Cookies(sessionCookie))
	if errors.Is(err, identity.ErrTOTPNone) {
		return c.Redirect(secondFactorPath, http.StatusSeeOther)
	} else if err != nil {
		return err
	}
	form.Values.Del("code")
	return render(c, status, "second-factor-app", page.SecondFactorApp{
		Gate: page.Gate{Title: "Set up an authenticator app", Person: personPage(person)}, Form: form, Secret: key.Secret, QR: appPath + "/qr.png",
	})
}

// showAppQR draws the code on an address of its own, because the content policy takes no picture from inside a page.
func (s *Server) showAppQR(c *fiber.Ctx) error {
	key, err := s.Identity.NewTOTP(c.UserContext(), c.Cookies(sessionCookie))
	if err != nil {
		return err
	}
	drawn, err := key.QR()
	if err != nil {
		return err
	}
	c.Set("Content-Type", "image/png")
	return c.Send(drawn)
}

func (s *Server) sendAppConfirm(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	codes, err := s.Identity.ConfirmTOTP(c.UserContext(), c.Cookies(sessionCookie), sent.Get("code"))
	form := page.FormOf(sent)
	switch {
	case errors.Is(err, identity.ErrTOTPNone):
		return c.Redirect(secondFactorPath, http.StatusSeeOther)
	case errors.Is(err, identity.ErrSecondStep) || errors.Is(err, identity.ErrSecondStepWait):
		form.Refused(err)
		return s.renderApp(c, statusOf(form.Faults[0].Kind), form)
	case err != nil:
		return err
	}
	return s.renderRecoveryCodes(c, codes, true)
}

func (s *Server) sendAppTurnOff(c *fiber.Ctx) error {
	if err := s.Identity.TurnOffTOTP(c.UserContext(), c.Cookies(sessionCookie)); err != nil {
		return err
	}
	say(c, "The second step is off.")
	return c.Redirect(secondFactorPath, http.StatusSeeOther)
}

func (s *Server) sendRecoveryCodes(c *fiber.Ctx) error {
	codes, err := s.Identity.RenewRecoveryCodes(c.UserContext(), c.Cookies(sessionCookie))
	if err != nil {
		return s.refusedSecondFactor(c, err)
	}
	return s.renderRecoveryCodes(c, codes, false)
}

// renderRecoveryCodes answers with the codes themselves, because they are shown this once: they must be in no address
// and no cookie.
func (s *Server) renderRecoveryCodes(c *fiber.Ctx, codes []string, on bool) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, "recovery-codes", page.RecoveryCodes{
		Gate: page.Gate{Title: "Recovery codes", Person: personPage(person)}, Codes: codes, On: on,
	})
}
