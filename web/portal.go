package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
	"github.com/countinghouse/countinghouse/web/static"
)

// An organization's customers come to its own host, acme.BASE_DOMAIN. It has a router of its own: no page of the books can
// be asked for there and none of these at the members' origin, and since cookies are bound to their host neither side ever
// sees the other's.

// customerCookie holds the session of one of a customer's people.
const customerCookie = "__Host-customer"

var errPortalRight = fault.New(fault.Forbidden, "portal.forbidden", "This is not open to you. Ask whoever looks after your company's people here.")

// guest is a request at an organization's own host: of one of a customer's people, or of nobody that is known yet.
type guest struct {
	server *Server
	c      *fiberCtx
	ctx    context.Context
	slug   string
	right  contact.Rights
	enter  func(ctx context.Context) (tenant.Scope, error)
}

func (s *Server) newPortal() *fiber.App {
	config := s.app.Config()
	config.ErrorHandler = s.answerPortalError
	app := fiber.New(config)
	app.Use(s.identify(s.answerPortalError), s.recoverPanic, s.secure, s.limitNetwork, s.checkPortalRequest)
	return app
}

// registerPortal puts everything that customers can reach on a router of its own.
func (s *Server) registerPortal() {
	s.portalPublic("GET", static.Prefix+"*", func(g *guest) error { return showStatic(g.c) })
	s.portalPublic("GET", "/favicon.ico", func(g *guest) error {
		return g.c.Redirect(static.URL("favicon.svg"), http.StatusMovedPermanently)
	})
	s.portalPublic("POST", "/language", func(g *guest) error { return chooseLanguage(g.c) })
	s.portalPublic("GET", "/brand.css", showPortalColour)
	s.portalPublic("GET", "/logo", showPortalLogo)
	s.registerPortalEntry()
	s.registerPortalPeople()
	s.registerPortalOverview()
	s.registerPortalInvoices()
	s.registerPortalSubscriptions()
	s.registerPortalShop()
	s.registerPortalPhone()
}

// toPortal hands a request for an organization's own host to the portal's router.
func (s *Server) toPortal(c *fiberCtx) error {
	if _, ok := s.portalSlug(string(c.Request().Host())); !ok {
		return c.Next()
	}
	s.portalApp.Handler()(c.Context())
	return nil
}

// portalSlug reads which organization a Host header names; ok is false for every other host.
func (s *Server) portalSlug(host string) (slug string, ok bool) {
	slug, found := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(s.origin.Host))
	if !found || tenant.CheckSlug(slug) != nil {
		return "", false
	}
	return slug, true
}

// portalOrigin is the address of an organization's own host. Links are made from it, never from a request.
func (s *Server) portalOrigin(slug string) string {
	return s.origin.Scheme + "://" + slug + "." + s.origin.Host
}

// checkPortalRequest is checkRequest for an organization's own host, whose forms come from that host alone: another
// organization's is of the same site and must not send any.
func (s *Server) checkPortalRequest(c *fiberCtx) error {
	parsed, err := readableRequest(c)
	if err != nil {
		return err
	}
	slug, ok := s.portalSlug(string(c.Request().Host()))
	if !ok {
		return errNoPage
	}
	if err := checkCrossed(c, s.portalCrossed, parsed, slug+"."+s.origin.Host); err != nil {
		return err
	}
	return c.Next()
}

// portalPublic registers what anyone may ask for at an organization's own host.
func (s *Server) portalPublic(method, path string, show func(g *guest) error) {
	s.portalRoutes = append(s.portalRoutes, Route{Method: method, Path: path, Public: true})
	s.answerPortal(method, path, contact.None, func(g *guest) error {
		g.enter = func(ctx context.Context) (tenant.Scope, error) { return tenant.EnterVisitor(ctx, s.DB, g.slug) }
		return show(g)
	})
}

// customer registers what one of a customer's people may do, with the right that it takes; contact.None is for every one
// of them.
func (s *Server) customer(method, path string, right contact.Rights, show func(g *guest) error) {
	s.portalRoutes = append(s.portalRoutes, Route{Method: method, Path: path, Contact: right, Kinds: []tenant.Kind{tenant.Customer}})
	s.answerPortal(method, path, right, func(g *guest) error {
		g.enter = g.enterCustomer
		scope, err := g.enter(g.ctx)
		if err != nil {
			return err
		}
		if err := tenant.Seen(g.ctx, s.DB, scope); err != nil {
			return err
		}
		// A form is read and refused only after its sender was found to hold the right.
		if method != http.MethodGet {
			if err := g.run(func(*tenant.Tx) error { return nil }); err != nil {
				return err
			}
		}
		return show(g)
	})
}

func (s *Server) answerPortal(method, path string, right contact.Rights, show func(g *guest) error) {
	answer := func(c *fiberCtx) error {
		slug, ok := s.portalSlug(string(c.Request().Host()))
		if !ok {
			return errNoPage
		}
		return show(&guest{server: s, c: c, ctx: c.UserContext(), slug: slug, right: right})
	}
	s.portalApp.Add(method, path, answer)
	if method == http.MethodGet {
		s.portalApp.Add(http.MethodHead, path, answer)
	}
}

func (g *guest) enterCustomer(ctx context.Context) (tenant.Scope, error) {
	hash, ok := tenant.HashDoor(g.c.Cookies(customerCookie))
	if !ok {
		return tenant.Scope{}, tenant.ErrNotSignedIn
	}
	return tenant.EnterCustomer(ctx, g.server.DB, hash, g.slug)
}

// run runs fn in the organization, if the right still is there. What the guest may do is decided in the very transaction,
// by a scope that the database has found to be as things are now; where it was not, they enter anew. fn may run several
// times, all but the last without any effect.
func (g *guest) run(fn func(tx *tenant.Tx) error) error {
	var err error
	for range attempts {
		var scope tenant.Scope
		if scope, err = g.enter(g.ctx); err != nil {
			return err
		}
		err = tenant.Do(g.ctx, g.server.DB, scope, func(tx *tenant.Tx) error {
			if !g.may(tx, g.right) {
				return errPortalRight
			}
			return fn(tx)
		})
		if !errors.Is(err, tenant.ErrStale) && tenant.SQLState(err) != deadlock {
			return err
		}
	}
	return tenant.ErrUnavailable.Because(err)
}

func (g *guest) may(tx *tenant.Tx, right contact.Rights) bool {
	return contact.Rights(tx.Scope().CustomerRights()).Has(right)
}

// customerOf is whom the guest belongs to.
func customerOf(tx *tenant.Tx) billing.CustomerID {
	return billing.CustomerID{UUID: tx.Scope().Subject()}
}

// show draws a page with what read finds in one transaction.
func (g *guest) show(status int, name string, read func(tx *tenant.Tx) (any, error)) error {
	var data any
	err := g.run(func(tx *tenant.Tx) (err error) {
		data, err = read(tx)
		return err
	})
	if err != nil {
		return err
	}
	return render(g.c, status, name, data)
}

// send handles a form that creates or changes something: act runs once for the form's own key. A form that is refused is
// shown again by refused, with all it held.
func (g *guest) send(many []string, act func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error), done func(made uuid.UUID) error, refused func(form page.Form) error) error {
	sent, err := readForm(g.c, many...)
	if err != nil {
		return err
	}
	key := sent.Get("idempotency_key")
	if !visible(key) || len(key) > 60 {
		return errKeyShape
	}
	digest := g.server.digestOf(g.c.Method(), g.c.Path(), g.c.Body())
	var made uuid.UUID
	err = g.run(func(tx *tenant.Tx) (err error) {
		if key != "" { // nobody meets another's key
			key = strings.TrimPrefix(key, tx.Scope().Contact().String()+" ")
			key = tx.Scope().Contact().String() + " " + key
		}
		made, _, err = tx.Once(g.ctx, key, digest, func() (uuid.UUID, error) { return act(tx, sent) })
		return err
	})
	form := page.FormOf(sent)
	if errors.Is(err, phone.ErrNeeded) {
		return g.goTo(toPhone(g.here()), "")
	} else if isFormFault(err) && form.Refused(err) {
		form.Key = newFormKey()
		return refused(form)
	} else if err != nil {
		return err
	}
	return done(made)
}

// goTo leads on, with a sentence for the next page; empty for none.
func (g *guest) goTo(path, sentence string) error {
	if sentence != "" {
		say(g.c, sentence)
	}
	return g.c.Redirect(path, http.StatusSeeOther)
}

// frame is what stands around every page at an organization's own host.
func (g *guest) frame(tx *tenant.Tx, title, nav string) (page.Portal, error) {
	p := page.Portal{Title: title, Nav: nav, Flash: said(g.c)}
	settings, err := billing.LoadSettings(g.ctx, tx)
	if err != nil {
		return p, err
	}
	branding, err := billing.LoadBranding(g.ctx, tx)
	if err != nil {
		return p, err
	}
	portal, err := billing.LoadPortal(g.ctx, tx)
	if err != nil {
		return p, err
	}
	p.Name, p.Logo, p.Today = settings.Name, !branding.Logo.IsZero(), tx.Now().In(settings.Zone())
	p.SignUp, p.ShopOpen = portal.SignUp, portal.ShopOpen
	if p.ShopOpen {
		p.Cart = len(g.cart())
	}
	if tx.Scope().Kind() != tenant.Customer {
		return p, nil
	}
	me, err := contact.Current(g.ctx, tx)
	p.Person, p.Customer, p.May = page.Person{Name: me.Name, Email: me.Email}, me.CustomerSay, me.Rights
	if me.Language != "" {
		p.Language = me.Language
	}
	if err != nil || !g.verifies(tx) {
		return p, err
	}
	p.Here = g.here()
	p.Phone, err = g.need(tx)
	return p, err
}

// pathOf reads an id of the path; one that could not be an id names nothing.
func pathOf[T any](g *guest, name string) (id.Of[T], error) { return pathID[T](g.c.Params(name)) }

// showPortalColour is the organization's colour as a stylesheet: the content policy lets no page hold a style.
func showPortalColour(g *guest) error {
	var colour string
	err := g.run(func(tx *tenant.Tx) error {
		b, err := billing.LoadBranding(g.ctx, tx)
		colour = b.Colour
		return err
	})
	if err != nil {
		return err
	}
	g.c.Set("Content-Type", "text/css; charset=utf-8")
	if colour == "" {
		return g.c.SendString("")
	}
	return g.c.SendString(".portal-top { border-color: " + colour + "; }\n")
}

func showPortalLogo(g *guest) error {
	var picture []byte
	var logo file.File
	err := g.run(func(tx *tenant.Tx) error {
		b, err := billing.LoadBranding(g.ctx, tx)
		if err != nil {
			return err
		}
		if logo, err = file.ByID(g.ctx, tx, b.Logo); err != nil {
			return err
		}
		picture, err = file.Read(g.ctx, tx, logo)
		return err
	})
	if err != nil {
		return err
	}
	g.c.Set("Content-Type", logo.MediaType)
	return g.c.Send(picture)
}

// answerPortalError is answerError at an organization's own host.
func (s *Server) answerPortalError(c *fiberCtx, err error) error {
	if tenant.RequestFrom(c.UserContext()).ID == "" {
		c.SetUserContext(tenant.WithRequest(c.UserContext(), tenant.Request{ID: newRequestID(), Network: c.IP()}))
	}
	if errors.Is(err, fiber.ErrRequestEntityTooLarge) {
		drain(c)
	}
	p := problemOf(c.UserContext(), ofFiber(err))
	s.logError(c.UserContext(), p, err)
	if p.Status == http.StatusUnauthorized {
		return toSignIn(c)
	}
	say := p.Detail
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable {
		say = ""
	}
	data := page.NewError(p.Status, say, p.RequestID)
	data.URL, data.Label = "/", "Go to the start"
	return render(c, p.Status, "portal-error", data)
}
