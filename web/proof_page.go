package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/web/page"
)

// afterProof lets only someone in who has shown lately that it is them. Everyone else is asked to, and led to next,
// a page of ours, afterwards: a form that they had sent is to be sent again from there.
func (s *Server) afterProof(next string, h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		fresh, err := s.Identity.Proved(c.UserContext(), c.Cookies(sessionCookie), 0)
		if err != nil {
			return err
		}
		if !fresh {
			return toProve(c, next)
		}
		// Between the two questions the proof may have grown too old.
		if err := h(c); !errors.Is(err, identity.ErrProofNeeded) {
			return err
		}
		return toProve(c, next)
	}
}

func toProve(c *fiber.Ctx, next string) error {
	return c.Redirect("/account/prove?next="+url.QueryEscape(next), http.StatusSeeOther)
}

func (s *Server) showProve(c *fiber.Ctx) error {
	return s.renderProve(c, http.StatusOK, page.NewForm("next", wayBack(c.Query("next"))))
}

func (s *Server) renderProve(c *fiber.Ctx, status int, form page.Form) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	has, err := s.Identity.SecondFactors(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	gate, err := s.passwordGate(c.UserContext(), "Is it still you?", personPage(person))
	if err != nil {
		return err
	}
	form.Values.Del("password")
	form.Values.Del("code")
	return render(c, status, "prove", page.Prove{
		Gate: gate, Flash: said(c), Form: form, Code: has.TOTPSince != nil,
		Passkey: len(has.Passkeys) > 0,
	})
}

func (s *Server) sendProve(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	session, err := s.Identity.Prove(c.UserContext(), c.Cookies(sessionCookie), identity.Proof{Password: sent.Get("password"), Code: sent.Get("code")})
	switch {
	case errors.Is(err, identity.ErrProof) || errors.Is(err, identity.ErrSecondStep) || errors.Is(err, identity.ErrSecondStepWait):
		form.Refused(err)
		return s.renderProve(c, statusOf(form.Faults[0].Kind), form)
	case err != nil:
		return err
	}
	s.setSession(c, session)
	return c.Redirect(wayBack(sent.Get("next")), http.StatusSeeOther)
}

func (s *Server) sendProofChallenge(c *fiber.Ctx) error {
	challenge, err := s.Identity.BeginPasskeyProof(c.UserContext(), c.Cookies(sessionCookie))
	if err != nil {
		return err
	}
	return c.JSON(challenge)
}

func (s *Server) sendPasskeyProof(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	session, err := s.Identity.ProveByPasskey(c.UserContext(), c.Cookies(sessionCookie), sent.Get("ceremony"), []byte(sent.Get("response")))
	form := page.NewForm("next", wayBack(sent.Get("next")))
	if errors.Is(err, identity.ErrPasskey) && form.Refused(err) {
		return s.renderProve(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	s.setSession(c, session)
	return c.Redirect(wayBack(sent.Get("next")), http.StatusSeeOther)
}
