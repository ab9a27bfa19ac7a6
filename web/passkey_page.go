package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/web/page"
)

// Each use of a passkey is two requests: the script fetches a challenge, the browser's authenticator answers it, and
// a plain form carries the answer.
func (s *Server) registerPasskeyPages() {
	const passkeys = secondFactorPath + "/passkeys"
	s.public("POST", passkeys+"/challenge", s.afterProof(secondFactorPath, s.sendPasskeyChallenge))
	s.public("POST", passkeys, s.afterProof(secondFactorPath, s.sendPasskey))
	s.public("POST", passkeys+"/:id/remove", s.afterProof(secondFactorPath, s.sendPasskeyRemove))
	s.public("POST", "/sign-in/second-step/passkey/challenge", s.sendStepChallenge)
	s.public("POST", "/sign-in/second-step/passkey", s.sendPasskeyStep)
	s.public("POST", "/sign-in/passkey/challenge", s.sendLoginChallenge)
	s.public("POST", "/sign-in/passkey", s.sendPasskeyLogin)
}

func (s *Server) sendPasskeyChallenge(c *fiber.Ctx) error {
	challenge, err := s.Identity.BeginPasskey(c.UserContext(), c.Cookies(sessionCookie))
	if err != nil {
		return err
	}
	return c.JSON(challenge)
}

func (s *Server) sendStepChallenge(c *fiber.Ctx) error {
	challenge, err := s.Identity.BeginPasskeyStep(c.UserContext(), c.Cookies(secondStepCookie))
	if err != nil {
		return err
	}
	return c.JSON(challenge)
}

func (s *Server) sendLoginChallenge(c *fiber.Ctx) error {
	challenge, err := s.Identity.BeginPasskeyLogin(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(challenge)
}

func (s *Server) sendPasskey(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(sent.Get("name"))
	if name == "" {
		name = "Passkey of " + identity.DescribeAgent(requestInfo(c).UserAgent)
	}
	codes, err := s.Identity.AddPasskey(c.UserContext(), c.Cookies(sessionCookie), sent.Get("ceremony"), name, []byte(sent.Get("response")))
	if err != nil {
		return s.refusedSecondFactor(c, err)
	}
	if codes != nil {
		return s.renderRecoveryCodes(c, codes, true)
	}
	say(c, "Passkey added.")
	return c.Redirect(secondFactorPath, http.StatusSeeOther)
}

func (s *Server) sendPasskeyRemove(c *fiber.Ctx) error {
	passkey, err := pathID[identity.Passkey](c.Params("id"))
	if err != nil {
		return err
	}
	if err := s.Identity.RemovePasskey(c.UserContext(), c.Cookies(sessionCookie), passkey); err != nil {
		return err
	}
	say(c, "Passkey removed.")
	return c.Redirect(secondFactorPath, http.StatusSeeOther)
}

func (s *Server) sendPasskeyStep(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	person, session, err := s.Identity.CompletePasskeyStep(c.UserContext(), c.Cookies(secondStepCookie), sent.Get("ceremony"), []byte(sent.Get("response")), requestInfo(c))
	if ok, answer := toChange(c, err, sent.Get("next")); ok {
		clearCookie(c, secondStepCookie)
		return answer
	}
	form := page.NewForm("next", wayBack(sent.Get("next")))
	switch {
	case errors.Is(err, identity.ErrSecondStepOver):
		return s.signInAgain(c, sent, err)
	case errors.Is(err, identity.ErrPasskey):
		form.Refused(err)
		return s.renderSecondStep(c, http.StatusUnprocessableEntity, form)
	case err != nil:
		return err
	}
	clearCookie(c, secondStepCookie)
	return s.letIn(c, person, session, sent.Get("next"))
}

func (s *Server) sendPasskeyLogin(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	from, err := deviceInfo(c)
	if err != nil {
		return err
	}
	person, session, err := s.Identity.CompletePasskeyLogin(c.UserContext(), sent.Get("ceremony"), []byte(sent.Get("response")), from)
	if ok, answer := toChange(c, err, sent.Get("next")); ok {
		keepDevice(c, from)
		return answer
	}
	if errors.Is(err, identity.ErrPasskey) {
		return s.signInAgain(c, sent, err)
	} else if err != nil {
		return err
	}
	keepDevice(c, from)
	return s.letIn(c, person, session, sent.Get("next"))
}
