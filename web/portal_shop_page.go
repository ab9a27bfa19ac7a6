package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/shop"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// cartCookie holds what is in the cart: ids and quantities, and no price. Whoever writes it themselves orders what they
// could have chosen.
const cartCookie = "__Host-cart"

func (s *Server) registerPortalShop() {
	s.portalEither("GET", "/shop", showShop)
	s.portalEither("GET", "/shop/:id", func(g *guest) error { return showShopProduct(g, http.StatusOK, page.NewForm("quantity", "1")) })
	s.portalEither("GET", "/cart", func(g *guest) error { return showCart(g, http.StatusOK, nil) })
	s.portalEither("POST", "/cart", sendCart)
	s.customer("POST", "/orders", contact.Order, sendPortalOrder)
	s.customer("GET", "/orders", contact.Order, showPortalOrders)
	s.customer("GET", "/orders/:id", contact.Order, func(g *guest) error { return showPortalOrder(g, http.StatusOK, page.Form{}) })
	s.customer("POST", "/orders/:id/continue", contact.Order, sendPortalContinue)
}

// portalEither registers what anyone may ask for, and what shows those who are signed in as themselves.
func (s *Server) portalEither(method, path string, show func(g *guest) error) {
	s.portalRoutes = append(s.portalRoutes, Route{Method: method, Path: path, Public: true})
	s.answerPortal(method, path, contact.None, func(g *guest) error {
		g.enter = func(ctx context.Context) (tenant.Scope, error) {
			scope, err := g.enterCustomer(ctx)
			if errors.Is(err, tenant.ErrNotSignedIn) {
				return tenant.EnterVisitor(ctx, s.DB, g.slug)
			}
			return scope, err
		}
		return show(g)
	})
}

// cart reads what the browser holds; what cannot be read is not in it.
func (g *guest) cart() (lines []shop.Line) {
	seen := map[billing.ProductID]bool{}
	for _, part := range strings.Split(g.c.Cookies(cartCookie), ".") {
		product, count, _ := strings.Cut(part, "x")
		wanted, ok := id.Parse[billing.Product](product)
		quantity, err := strconv.ParseInt(count, 10, 32)
		if ok && err == nil && quantity > 0 && !seen[wanted] && len(lines) < 20 {
			seen[wanted] = true
			lines = append(lines, shop.Line{Product: wanted, Quantity: quantity})
		}
	}
	return lines
}

func (g *guest) keepCart(lines []shop.Line) {
	parts := make([]string, len(lines))
	for i, l := range lines {
		parts[i] = l.Product.String() + "x" + strconv.FormatInt(l.Quantity, 10)
	}
	if len(parts) == 0 {
		clearCookie(g.c, cartCookie)
		return
	}
	setCookie(g.c, cartCookie, strings.Join(parts, "."))
}

func showShop(g *guest) error {
	q, err := guestPage(g)
	if err != nil {
		return err
	}
	return g.show(http.StatusOK, "portal-shop", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Shop", "shop")
		if err != nil {
			return nil, err
		}
		if !frame.ShopOpen {
			return nil, shop.ErrShut
		}
		data := page.PortalShop{Portal: frame, Search: strings.TrimSpace(g.c.Query("q"))}
		found, err := shop.Sold(g.ctx, tx, data.Search, q)
		data.Items = found.Items
		data.Pager = pagerOf(g.c, q, found, func(p billing.Product) uuid.UUID { return p.ID.UUID }, "")
		data.Pager.ByName = true
		return data, err
	})
}

func showShopProduct(g *guest, status int, form page.Form) error {
	product, err := pathOf[billing.Product](g, "id")
	if err != nil {
		return err
	}
	return g.show(status, "portal-product", func(tx *tenant.Tx) (any, error) {
		p, err := shop.ProductSold(g.ctx, tx, product)
		if err != nil {
			return nil, err
		}
		frame, err := g.frame(tx, p.Name, "shop")
		return page.PortalProduct{Portal: frame, Form: form, Product: p}, err
	})
}

// sendCart puts a product into the cart, in so many as the form says; none takes it out.
func sendCart(g *guest) error {
	sent, err := readForm(g.c)
	if err != nil {
		return err
	}
	product, ok := id.Parse[billing.Product](sent.Get("product"))
	if !ok {
		return billing.ErrProductNotFound
	}
	quantity, err := strconv.ParseInt(strings.TrimSpace(sent.Get("quantity")), 10, 32)
	form := page.FormOf(sent)
	if err != nil || quantity < 0 || quantity > 1000 {
		form.Key = newFormKey()
		form.Refused(shop.ErrQuantity)
		return showCart(g, http.StatusUnprocessableEntity, &form)
	}
	lines, found := g.cart(), false
	kept := make([]shop.Line, 0, len(lines)+1)
	for _, l := range lines {
		if l.Product == product {
			found = true
			if sent.Get("add") != "" {
				quantity += l.Quantity
			}
			l.Quantity = min(quantity, 1000)
		}
		if l.Quantity > 0 {
			kept = append(kept, l)
		}
	}
	if !found && quantity > 0 {
		if len(kept) >= 20 {
			form.Key = newFormKey()
			form.Refused(shop.ErrTooMany)
			return showCart(g, http.StatusUnprocessableEntity, &form)
		}
		kept = append(kept, shop.Line{Product: product, Quantity: quantity})
	}
	// What is not sold here gets into no cart, and a host without a shop has none.
	if err := g.run(func(tx *tenant.Tx) error {
		if quantity == 0 {
			return nil
		}
		_, err := shop.ProductSold(g.ctx, tx, product)
		return err
	}); err != nil {
		return err
	}
	g.keepCart(kept)
	return g.goTo("/cart", "")
}

func showCart(g *guest, status int, refused *page.Form) error {
	lines := g.cart()
	return g.show(status, "portal-cart", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Cart", "cart")
		if err != nil {
			return nil, err
		}
		data := page.PortalCart{Portal: frame, Form: orFresh(refused, func() page.Form { return page.NewForm() }), MayOrder: g.may(tx, contact.Order)}
		whole := len(lines) > 0
		if tx.Scope().Kind() == tenant.Customer && whole {
			products := make([]uuid.UUID, len(lines))
			for i, l := range lines {
				products[i] = l.Product.UUID
			}
			if data.Need, err = phone.NeedForProducts(g.ctx, tx, tx.Scope().Subject(), products); err != nil {
				return nil, err
			}
		}
		for _, l := range lines {
			p, err := shop.ProductSold(g.ctx, tx, l.Product)
			if errors.Is(err, billing.ErrProductNotFound) {
				p, whole = billing.Product{ID: l.Product, Name: "Not sold any more"}, false
				data.Rows = append(data.Rows, page.CartRow{Product: p, Quantity: l.Quantity, Gone: true})
				continue
			} else if err != nil {
				return nil, err
			}
			data.Rows = append(data.Rows, page.CartRow{Product: p, Quantity: l.Quantity})
		}
		if whole {
			data.Net, data.Tax, data.Total, err = g.server.orders().Price(g.ctx, tx, customerOf(tx), lines)
			if fault.KindOf(err) == fault.Invalid {
				data.Form.Refused(err)
				return data, nil
			}
			data.Priced = err == nil
		}
		return data, err
	})
}

// orders is the shop that the server was given; without one nothing is asked of an order.
func (s *Server) orders() *shop.Shop {
	if s.Shop == nil {
		return &shop.Shop{}
	}
	return s.Shop
}

func sendPortalOrder(g *guest) error {
	lines := g.cart()
	return g.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		o, err := g.server.orders().PlaceOrder(g.ctx, tx, shop.Request{Lines: lines, PurchaseOrder: sent.Get("purchase_order"), Note: sent.Get("note")})
		return o.ID.UUID, err
	}, func(made uuid.UUID) error {
		clearCookie(g.c, cartCookie)
		return g.orderPlaced(billing.OrderID{UUID: made})
	}, func(form page.Form) error { return showCart(g, http.StatusUnprocessableEntity, &form) })
}

// orderPlaced leads to the order, by way of the page on which a number is verified where it waits for that.
func (g *guest) orderPlaced(order billing.OrderID) error {
	asked := false
	err := g.run(func(tx *tenant.Tx) error {
		o, err := shop.Own(g.ctx, tx, order)
		if err != nil || o.State != billing.OrderPlaced {
			asked = false
			return err
		}
		need, err := phone.NeedOf(g.ctx, tx, order.UUID)
		asked = need.Open()
		return err
	})
	if err != nil {
		return err
	}
	at := "/orders/" + order.String()
	if asked {
		return g.goTo(toPhone(at), "Your order is with us. It goes on when your number is verified")
	}
	return g.goTo(at, "Thank you. Your order is with us")
}

func showPortalOrders(g *guest) error {
	q, err := guestPage(g)
	if err != nil {
		return err
	}
	return g.show(http.StatusOK, "portal-orders", func(tx *tenant.Tx) (any, error) {
		frame, err := g.frame(tx, "Orders", "orders")
		if err != nil {
			return nil, err
		}
		found, err := billing.Orders(g.ctx, tx, billing.OrderFilter{CustomerID: customerOf(tx)}, q)
		return page.PortalOrders{Portal: frame, Items: found.Items,
			Pager: pagerOf(g.c, q, found, func(o billing.OrderHead) uuid.UUID { return o.ID.UUID }, "")}, err
	})
}

func showPortalOrder(g *guest, status int, form page.Form) error {
	wanted, err := pathOf[billing.Order](g, "id")
	if err != nil {
		return err
	}
	return g.show(status, "portal-order", func(tx *tenant.Tx) (any, error) {
		o, err := shop.Own(g.ctx, tx, wanted)
		if err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(g.ctx, tx)
		if err != nil {
			return nil, err
		}
		frame, err := g.frame(tx, "Order "+o.Number, "orders")
		if err != nil {
			return nil, err
		}
		data := page.PortalOrder{Portal: frame, Form: form, Order: o, Settings: settings, Key: newFormKey()}
		if data.Need, err = phone.NeedOf(g.ctx, tx, o.ID.UUID); err != nil {
			return nil, err
		}
		if !o.Invoice.IsZero() {
			if data.Invoice, err = billing.InvoiceByID(g.ctx, tx, o.Invoice); err != nil {
				return nil, err
			}
			data.Payable = g.server.Till != nil && g.may(tx, contact.Pay) && data.Invoice.State == billing.Issued && !data.Invoice.Open().IsZero()
		}
		return data, nil
	})
}

// sendPortalContinue lets an order go on when what it waited for has been done.
func sendPortalContinue(g *guest) error {
	wanted, err := pathOf[billing.Order](g, "id")
	if err != nil {
		return err
	}
	return g.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		o, err := g.server.orders().ContinueOrder(g.ctx, tx, wanted)
		return o.ID.UUID, err
	}, func(made uuid.UUID) error { return g.goTo("/orders/"+made.String(), "Your order goes on") },
		func(form page.Form) error { return showPortalOrder(g, http.StatusUnprocessableEntity, form) })
}
