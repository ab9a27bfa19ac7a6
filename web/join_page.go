package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// invited is an open invitation, by the secret that a mailed link brought, and whoever is signed in.
type invited struct {
	hash   tenant.Hash
	offer  authz.Offer
	known  bool // its address has an identity
	person tenant.Person
}

// way says what its reader can do with it.
func (i invited) way() string {
	switch {
	case i.person.Email == i.offer.Email:
		return "join"
	case i.person.Email != "":
		return "other"
	case i.known:
		return "sign-in"
	}
	return "new"
}

func (s *Server) invited(c *fiber.Ctx, secret string) (i invited, err error) {
	hash, ok := identity.HashToken(secret)
	if !ok {
		return i, authz.ErrInvitation
	}
	i.hash = hash
	if i.offer, i.known, err = authz.FindOffer(c.UserContext(), s.DB, hash); err != nil {
		return i, err
	}
	i.person, err = s.person(c.UserContext(), c)
	if errors.Is(err, tenant.ErrNotSignedIn) {
		return i, nil
	}
	return i, err
}

func (s *Server) showJoin(c *fiber.Ctx) error {
	secret := c.Query("token")
	i, err := s.invited(c, secret)
	if err != nil {
		return err
	}
	return s.renderJoin(c, http.StatusOK, i, page.NewForm("token", secret))
}

func (s *Server) renderJoin(c *fiber.Ctx, status int, i invited, form page.Form) error {
	hint, err := s.passwordHint(c.UserContext())
	if err != nil {
		return err
	}
	gate, err := s.passwordGate(c.UserContext(), "Join "+i.offer.Organization, personPage(i.person))
	if err != nil {
		return err
	}
	form.Values.Del("password")
	data := page.Join{Gate: gate, Form: form, Offer: i.offer,
		Handover: i.offer.Kind == authz.Handover, Way: i.way(), PasswordHint: hint,
		SignIn: "/sign-in?next=" + url.QueryEscape("/join?token="+url.QueryEscape(form.Value("token")))}
	if data.Handover {
		data.Title = "Take over " + i.offer.Organization
	}
	return render(c, status, "join", data)
}

func (s *Server) sendJoin(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	i, err := s.invited(c, sent.Get("token"))
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	session := c.Cookies(sessionCookie)
	switch i.way() {
	case "other":
		return authz.ErrInvitedOther
	case "sign-in":
		return s.renderJoin(c, http.StatusOK, i, form)
	case "new":
		from, err := deviceInfo(c)
		if err != nil {
			return err
		}
		_, session, err = s.Identity.AddInvited(c.UserContext(), i.offer.Email, sent.Get("name"), sent.Get("password"), from)
		if form.Refused(err) {
			return s.renderJoin(c, http.StatusUnprocessableEntity, i, form)
		} else if err != nil {
			return err
		}
		keepDevice(c, from)
		s.setSession(c, session)
	}
	o, err := s.accept(c.UserContext(), session, i.hash)
	if err != nil {
		return err
	}
	say(c, "You are in. Welcome to "+o.Name)
	return c.Redirect("/o/"+o.Slug, http.StatusSeeOther)
}

// accept enters by the invitation and uses it up, anew while rights change at the same moment.
func (s *Server) accept(ctx context.Context, session string, invitation tenant.Hash) (o tenant.Organization, err error) {
	hash, ok := identity.HashToken(session)
	if !ok {
		return o, tenant.ErrNotSignedIn
	}
	for range attempts {
		scope, err := tenant.EnterInvited(ctx, s.DB, hash, invitation)
		if errors.Is(err, tenant.ErrNoOrganization) { // somebody else used it up meanwhile
			return o, authz.ErrInvitation
		} else if err != nil {
			return o, err
		}
		err = tenant.Do(ctx, s.DB, scope, func(tx *tenant.Tx) error { return s.Policy.AcceptInvitation(ctx, tx, invitation) })
		if !errors.Is(err, tenant.ErrStale) {
			return scope.Organization(), err
		}
	}
	return o, tenant.ErrUnavailable
}
