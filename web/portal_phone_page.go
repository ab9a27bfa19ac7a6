package web

import (
	"net/http"
	"path"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

const portalPhonePath = "/phone"

func (s *Server) registerPortalPhone() {
	s.customer("GET", portalPhonePath, contact.None, func(g *guest) error { return g.verifying(g.c.Query("next")).typed() })
	s.customer("POST", portalPhonePath, contact.None, sendPortalPhone)
	s.customer("POST", portalPhonePath+"/code", contact.None, sendPortalPhoneCode)
	if s.Till == nil {
		return
	}
	public := func(show func(c *fiberCtx) error) func(g *guest) error {
		return func(g *guest) error { return show(g.c) }
	}
	s.portalPublic("GET", payPath+":secret/phone", public(showLinkedPhone(s.invoiced)))
	s.portalPublic("POST", payPath+":secret/phone", public(sendLinkedPhone(s.invoiced)))
	s.portalPublic("POST", payPath+":secret/phone/code", public(sendLinkedPhoneCode(s.invoiced)))
}

// verifies says whether one of a customer's people may verify its number: whoever may do anything that waits for one.
func (g *guest) verifies(tx *tenant.Tx) bool {
	return g.may(tx, contact.Order) || g.may(tx, contact.Pay) || g.may(tx, contact.Subscriptions)
}

// need is whether a number is asked for by anything that the guest's customer has before them, the cart too.
func (g *guest) need(tx *tenant.Tx) (phone.Need, error) {
	cart := g.cart()
	products := make([]uuid.UUID, len(cart))
	for i, l := range cart {
		products[i] = l.Product.UUID
	}
	return phone.NeedOfCustomer(g.ctx, tx, tx.Scope().Subject(), products)
}

// toPhone is the page on which one verifies, and from where one goes on there.
func toPhone(next string) string { return page.PhonePath(next) }

func (g *guest) verifying(next string) verifying {
	next = wayBack(next)
	return verifying{server: g.server, c: g.c, ctx: g.ctx, wanted: phone.Need.Welcome, at: portalPhonePath, next: next, back: next, need: g.need,
		do: func(fn func(tx *tenant.Tx) error) error {
			return g.run(func(tx *tenant.Tx) error {
				if !g.verifies(tx) {
					return errPortalRight
				}
				return fn(tx)
			})
		},
		show: func(status int, asking page.PhoneAsking) error {
			asking.BackSay = "Back"
			if g.server.Outbox != nil {
				asking.Outbox = g.server.Config.Origin + "/dev/outbox"
			}
			return g.show(status, "portal-phone", func(tx *tenant.Tx) (any, error) {
				frame, err := g.frame(tx, "Verify phone number", "phone")
				return page.PortalPhone{Portal: frame, PhoneAsking: asking}, err
			})
		}}
}

func sendPortalPhone(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	return g.verifying(sent.Get("next")).number(sent)
}

// sendPortalPhoneCode takes the code, lets the orders go on that waited for it, and leads back to where one was.
func sendPortalPhoneCode(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	v := g.verifying(sent.Get("next"))
	if ok, err := v.code(sent); err != nil || !ok {
		return err
	}
	if err := g.continueOrders(); err != nil {
		return err
	}
	return g.goTo(v.back, "Your phone number is verified")
}

// continueOrders lets what waited go on, each order by itself. What waits for something else, or cannot be invoiced as it is,
// waits on; its own page says why when one presses its button.
func (g *guest) continueOrders() error {
	var waiting []billing.OrderID
	err := g.run(func(tx *tenant.Tx) (err error) {
		waiting = nil
		if g.may(tx, contact.Order) {
			waiting, err = shop.Waiting(g.ctx, tx, customerOf(tx))
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, order := range waiting {
		err := g.run(func(tx *tenant.Tx) error {
			_, err := g.server.orders().ContinueOrder(g.ctx, tx, order)
			return err
		})
		if err != nil && !isFormFault(err) {
			return err
		}
	}
	return nil
}

// here is the page that the guest is on, or for a form the page that it is part of.
func (g *guest) here() string {
	if g.c.Method() == http.MethodGet || g.c.Method() == http.MethodHead {
		return g.c.Path()
	}
	return path.Dir(g.c.Path())
}
