package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/captcha"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// The forms of the portal that a CAPTCHA may stand before.
const (
	captchaPortalSignUp   = "portal_sign_up"
	captchaPortalRecovery = "portal_recovery"
)

var errPortalLink = fault.New(fault.NotFound, "portal.link", "This link is good no more. Ask for a new one from the sign-in page.")

func (s *Server) registerPortalEntry() {
	s.portalPublic("GET", "/sign-in", func(g *guest) error {
		return showPortalSignIn(g, http.StatusOK, page.NewForm("next", wayBack(g.c.Query("next"))))
	})
	s.portalPublic("POST", "/sign-in", sendPortalSignIn)
	s.customer("POST", "/sign-out", contact.None, sendPortalSignOut)
	s.portalPublic("GET", "/sign-up", func(g *guest) error { return showPortalAsk(g, http.StatusOK, askSignUp, page.NewForm()) })
	s.portalPublic("POST", "/sign-up", func(g *guest) error { return sendPortalAsk(g, askSignUp) })
	s.portalPublic("GET", "/recover", func(g *guest) error { return showPortalAsk(g, http.StatusOK, askRecovery, page.NewForm()) })
	s.portalPublic("POST", "/recover", func(g *guest) error { return sendPortalAsk(g, askRecovery) })
	for _, path := range []string{"/join", "/set"} {
		s.portalPublic("GET", path, func(g *guest) error {
			return showPortalSet(g, http.StatusOK, page.NewForm("token", g.c.Query("token")))
		})
		s.portalPublic("POST", path, sendPortalSet)
	}
	s.portalPublic("GET", "/captcha", setPortalCaptcha)
}

func showPortalSignIn(g *guest, status int, form page.Form) error {
	noSave, err := g.noSave()
	if err != nil {
		return err
	}
	form.Values.Del("password")
	return g.show(status, "portal-sign-in", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Sign in", "")
		frame.NoSave = noSave
		return page.PortalForm{Portal: frame, Form: form}, err
	})
}

// noSave says whether browsers are kept from saving what is typed into a form with a password.
func (g *guest) noSave() (bool, error) {
	now, err := g.server.settings(g.ctx)
	return !now.SaveLogins, err
}

// portalAddress is the one form of an address; what is none is as unknown as any.
func portalAddress(typed string) string {
	address, err := identity.NormalizeEmail(typed)
	if err != nil {
		return ""
	}
	return address
}

func sendPortalSignIn(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	token, err := g.signIn(sent)
	if form.Refused(err) {
		return showPortalSignIn(g, refusedStatus(g.c, err), form)
	} else if err != nil {
		return err
	}
	g.setCustomer(token)
	return g.goTo(wayBack(sent.Get("next")), "")
}

// signIn finds who it is, checks the password outside of any transaction, and opens a session. Known or unknown, the work
// and the answer are the same.
func (g *guest) signIn(sent url.Values) (token string, err error) {
	var who contact.Contact
	var account identity.CustomerAccount
	err = g.run(func(tx *tenant.Tx) (err error) {
		account = identity.CustomerAccount{Organization: tx.Scope().Organization().ID, Email: sent.Get("email")}
		who, _, err = contact.ByEmail(g.ctx, tx, portalAddress(sent.Get("email")))
		return err
	})
	if err != nil {
		return "", err
	}
	if err := g.server.Identity.TryCustomerPassword(g.ctx, account, sent.Get("password"), who.PasswordHash(), requestInfo(g.c)); err != nil {
		return "", err
	}
	err = g.run(func(tx *tenant.Tx) (err error) {
		token, err = contact.SignIn(g.ctx, tx, who)
		return err
	})
	if errors.Is(err, contact.ErrNotFound) {
		err = identity.ErrRefused
	}
	return token, err
}

func (g *guest) setCustomer(token string) { setCookie(g.c, customerCookie, token) }

func sendPortalSignOut(g *guest) error {
	if err := g.run(func(tx *tenant.Tx) error { return contact.SignOut(g.ctx, tx) }); err != nil {
		return err
	}
	clearCookie(g.c, customerCookie)
	return g.goTo("/sign-in", "")
}

// portalAsk is a form that takes an address and answers by mail.
type portalAsk struct {
	page.PortalAsking
	captcha string
	signUp  bool
}

var (
	askSignUp = portalAsk{page.PortalAsking{Head: "Open an account", Say: "We send you a link. It is good for a day, and once.",
		Action: "/sign-up", Does: "Send the link"}, captchaPortalSignUp, true}
	askRecovery = portalAsk{page.PortalAsking{Head: "Set a new password", Say: "We send you a way in. It is good for half an hour, and once.",
		Action: "/recover", Does: "Send it"}, captchaPortalRecovery, false}
)

func showPortalAsk(g *guest, status int, ask portalAsk, form page.Form) error {
	shown, err := g.showCaptcha(ask.captcha)
	if err != nil {
		return err
	}
	return g.show(status, "portal-ask", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, ask.Head, "")
		if err == nil && ask.signUp && !frame.SignUp {
			err = contact.ErrSignUpShut
		}
		return page.PortalAsk{Portal: frame, Form: form, Captcha: shown, PortalAsking: ask.PortalAsking}, err
	})
}

// sendPortalAsk answers the same whether the address is known or not.
func sendPortalAsk(g *guest, ask portalAsk) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	if err = g.checkCaptcha(ask.captcha, sent); err == nil {
		err = g.mailLink(ask.signUp, sent.Get("email"))
	}
	if isFormFault(err) && form.Refused(err) {
		return showPortalAsk(g, http.StatusUnprocessableEntity, ask, form)
	} else if err != nil {
		return err
	}
	return g.show(http.StatusOK, "portal-sent", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Look in your mail", "")
		data := page.PortalSent{Portal: frame, Email: strings.TrimSpace(sent.Get("email"))}
		if g.server.Outbox != nil {
			data.Outbox = g.server.Config.Origin + "/dev/outbox"
		}
		return data, err
	})
}

func (g *guest) mailLink(signUp bool, typed string) error {
	address, err := identity.NormalizeEmail(typed)
	if err != nil {
		return err
	}
	var letter contact.Letter
	var from tenant.Organization
	send := false
	err = g.run(func(tx *tenant.Tx) (err error) {
		from = tx.Scope().Organization()
		if signUp {
			letter, send, err = contact.AskSignUp(g.ctx, tx, address)
		} else {
			letter, send, err = contact.AskRecovery(g.ctx, tx, address)
		}
		return err
	})
	if err != nil || !send {
		return err
	}
	origin := g.server.portalOrigin(g.slug)
	if signUp {
		g.server.post(g.ctx, g.slug, signUpLetter(from.Name, origin, letter))
	} else {
		g.server.post(g.ctx, g.slug, recoveryLetter(from.Name, origin, letter))
	}
	return nil
}

func showPortalSet(g *guest, status int, form page.Form) error {
	hint, err := g.server.passwordHint(g.ctx)
	if err != nil {
		return err
	}
	noSave, err := g.noSave()
	if err != nil {
		return err
	}
	form.Values.Del("password")
	return g.show(status, "portal-set", func(tx *tenant.Tx) (any, error) {
		link, err := portalLink(g, tx, form.Value("token"))
		if err != nil {
			return nil, err
		}
		if !form.Values.Has("name") {
			form.Values.Set("name", link.Name)
		}
		title := "Set your password"
		if link.SignUp {
			title = "Open your account"
		}
		frame, err := g.frame(tx, title, "")
		frame.NoSave = noSave
		return page.PortalSet{Portal: frame, Form: form, Action: g.c.Path(), Email: link.Email, First: link.First, SignUp: link.SignUp, Hint: hint}, err
	})
}

func portalLink(g *guest, tx *tenant.Tx, token string) (contact.Link, error) {
	link, err := contact.CheckLink(g.ctx, tx, token)
	if errors.Is(err, tenant.ErrNoDoor) {
		err = errPortalLink
	}
	return link, err
}

func sendPortalSet(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	session, asked, err := g.follow(sent)
	if isFormFault(err) && form.Refused(err) {
		return showPortalSet(g, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	if session == "" {
		return g.goTo("/sign-in", "Your password is set. Sign in with it")
	}
	g.setCustomer(session)
	if asked {
		return g.goTo(toPhone("/"), "Your password is set")
	}
	return g.goTo("/", "Your password is set")
}

// follow uses a link up. Whatever can be refused is looked at before, and the password is hashed outside of any
// transaction. asked says that a number is to be verified before anything else.
func (g *guest) follow(sent url.Values) (session string, asked bool, err error) {
	var link contact.Link
	var from tenant.Organization
	if err := g.run(func(tx *tenant.Tx) (err error) {
		from = tx.Scope().Organization()
		link, err = portalLink(g, tx, sent.Get("token"))
		return err
	}); err != nil {
		return "", false, err
	}
	name := sent.Get("name")
	if !link.First {
		name = link.Name
	}
	hash, err := g.server.Identity.HashCustomerPassword(g.ctx, sent.Get("password"), link.Email, name)
	if err != nil {
		return "", false, err
	}
	var who contact.Contact
	err = g.run(func(tx *tenant.Tx) (err error) {
		if who, session, err = contact.Follow(g.ctx, tx, sent.Get("token"), contact.Entrant{Name: name, Company: sent.Get("company")}, hash); err != nil {
			return err
		}
		need, err := phone.NeedOfCustomer(g.ctx, tx, who.Customer.UUID, nil)
		asked = need.Joined && need.Open()
		return err
	})
	if errors.Is(err, tenant.ErrNoDoor) {
		return "", false, errPortalLink
	} else if err != nil {
		return "", false, err
	}
	if session == "" {
		g.server.post(g.ctx, g.slug, contactPasswordChanged(from.Name, g.server.portalOrigin(g.slug), who))
	}
	return session, asked, g.server.Identity.ForgetCustomerTries(g.ctx, identity.CustomerAccount{Organization: from.ID, Email: link.Email})
}

// captchaTask is what stands before a form: where the platform asks for it at its own, and where the organization does.
func (g *guest) captchaTask(form string) (t captcha.Task, asked bool, err error) {
	now, err := g.server.settings(g.ctx)
	if err != nil {
		return t, false, err
	}
	ours, ok := map[string]bool{captchaPortalSignUp: now.CaptchaSignUp, captchaPortalRecovery: now.CaptchaRecovery}[form]
	if !ok {
		return t, false, errNoPage
	}
	err = g.run(func(tx *tenant.Tx) error {
		p, err := portalSettings(g, tx)
		asked = ours || p.Captcha
		return err
	})
	return taskOf(now, form), asked, err
}

func (g *guest) showCaptcha(form string) (*page.Captcha, error) {
	t, asked, err := g.captchaTask(form)
	if err != nil || !asked {
		return nil, err
	}
	openCaptcha(g.c, t)
	return &page.Captcha{Provider: string(t.Provider), SiteKey: t.SiteKey, For: t.For}, nil
}

func (g *guest) checkCaptcha(form string, sent url.Values) error {
	t, asked, err := g.captchaTask(form)
	if err != nil || !asked {
		return err
	}
	return g.server.checkTask(g.c, t, sent)
}

func setPortalCaptcha(g *guest) error {
	t, asked, err := g.captchaTask(g.c.Query("for"))
	if err != nil {
		return err
	}
	return g.server.setTask(g.c, t, asked)
}
