package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/search"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// shownHits is how many of a kind the page shows; the list behind has all.
const shownHits = 6

// findable says of each kind what it takes to see it, where it is looked at, and which list can be searched for more.
var findable = map[search.Kind]struct {
	right             authz.Right
	label, icon, path string // the path without the id
	list              string // empty for a list that has no search
}{
	search.Customer:    {rightTo(authz.Read, authz.Customers), "Customers", "contact", "customers/", "customers"},
	search.Payee:       {rightTo(authz.Read, authz.Payees), "Payees", "building-2", "payees/", "payees"},
	search.Invoice:     {rightTo(authz.Read, authz.Invoices), "Invoices", "file-text", "invoices/", "invoices"},
	search.Quote:       {rightTo(authz.Read, authz.Invoices), "Quotes", "handshake", "quotes/", "quotes"},
	search.Order:       {rightTo(authz.Read, authz.Orders), "Orders", "inbox", "orders/", "orders"},
	search.CreditNote:  {rightTo(authz.Read, authz.Invoices), "Credit notes", "receipt", "credit-notes/", "credit-notes"},
	search.Bill:        {rightTo(authz.Read, authz.Bills), "Bills", "scroll-text", "bills/", "bills"},
	search.PayeeCredit: {rightTo(authz.Read, authz.Bills), "Payee credits", "undo-2", "payee-credits/", ""},
	search.Recurring:   {rightTo(authz.Read, authz.Bills), "Recurring bills", "rotate-cw", "recurring-bills/", ""},
	search.Payment:     {rightTo(authz.Read, authz.Payments), "Payments", "hand-coins", "payments/", "payments"},
	search.BillPayment: {rightTo(authz.Read, authz.Bills), "Bill payments", "wallet", "bill-payments/", ""},
	search.Entry:       {rightTo(authz.Read, authz.Journal), "Journal entries", "notebook-pen", "journal/", ""},
	search.Product:     {rightTo(authz.Read, authz.Products), "Products", "package", "products/", "products"},
	search.Account:     {rightTo(authz.Read, authz.Reports), "Accounts", "list-tree", "ledger?account=", ""},
	search.Person:      {rightTo(authz.Read, authz.Members), "People", "users", "members/", ""},
}

func (s *Server) registerSearchPages() {
	s.anyMember("GET", "/search", showSearch)
	s.public("GET", keysPath, s.showKeys)
	s.public("POST", keysPath, s.sendKeys)
}

// findableBy are the kinds that the caller may see.
func (c *call) findableBy(scope tenant.Scope) []search.Kind {
	var may []search.Kind
	for _, kind := range search.Kinds() {
		if c.server.Policy.May(scope, findable[kind].right).Allowed {
			may = append(may, kind)
		}
	}
	return may
}

// showSearch shows what was found, as a page or as the part of it that stands under the field as one types.
func showSearch(v *visit) error {
	words := strings.TrimSpace(v.query("q"))
	data := page.Search{Words: words, Find: v.find("search", "Number, name, order number or amount"),
		Short: utf8.RuneCountInString(words) < search.LeastRunes}
	read := func(tx *tenant.Tx) (any, error) {
		var err error
		if data.Shell, err = v.frame(tx, "Search", ""); err != nil {
			return nil, err
		}
		hits, err := search.Find(v.ctx, tx, words, v.findableBy(tx.Scope()), shownHits+1)
		data.Groups = searchGroups(v, words, hits)
		if !data.Short {
			data.Ways = data.Shell.Ways(words)
		}
		return data, err
	}
	if v.query("part") == "" {
		return v.show(http.StatusOK, "search", read)
	}
	if words == "" {
		v.c.Set("Content-Type", "text/html; charset=utf-8")
		return v.c.Status(http.StatusOK).SendString("")
	}
	if err := v.run(func(tx *tenant.Tx) error { _, err := read(tx); return err }); err != nil {
		return err
	}
	return v.part("search", "hits", data)
}

// searchGroups puts what was found under its kinds, and leads to the list where there is more.
func searchGroups(v *visit, words string, hits []search.Hit) []page.SearchGroup {
	var groups []page.SearchGroup
	var last search.Kind
	for _, h := range hits {
		kind := findable[h.Kind]
		if h.Kind != last {
			groups, last = append(groups, page.SearchGroup{Label: kind.label, Icon: kind.icon}), h.Kind
		}
		g := &groups[len(groups)-1]
		if len(g.Hits) == shownHits {
			if kind.list != "" && !search.IsAmount(words) {
				g.All = v.at(kind.list) + "?" + url.Values{"q": {words}}.Encode()
			}
			continue
		}
		g.Hits = append(g.Hits, searchHit(v.at(kind.path)+h.ID.String(), h))
	}
	return groups
}

func searchHit(at string, h search.Hit) page.SearchHit {
	hit := page.SearchHit{URL: at, Date: h.Date, Amount: h.Amount}
	who := h.Name
	if h.Company != "" {
		who = h.Company
		if h.Name != "" {
			who += ", " + h.Name
		}
	}
	var say []string
	switch h.Kind {
	case search.Customer, search.Payee, search.Person:
		hit.Title, say = who, []string{h.Say}
	case search.Payment, search.BillPayment:
		hit.Title, say = who, []string{h.Say}
	case search.Entry, search.Account:
		hit.Title, say = h.Number, []string{h.Say}
	case search.Product:
		hit.Title = h.Say
	default:
		hit.Title, say = h.Number, []string{who, h.Say}
		if h.Number == "" {
			hit.Title = "Draft"
		}
		if h.State == "void" || h.State == "accepted" || h.State == "declined" {
			hit.State = h.State
		}
	}
	for _, part := range say {
		if part == "" {
			continue
		}
		if hit.Say != "" {
			hit.Say += " · "
		}
		hit.Say += part
	}
	return hit
}

const (
	keysPath   = "/account/keys"
	keysCookie = "__Host-keys"
	keysOff    = "off"
)

// showKeys tells of the keys. They are switched off for one browser, since it is its keyboard, or what speaks in its
// place, that they get in the way of.
func (s *Server) showKeys(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	on := c.Cookies(keysCookie) != keysOff
	act := page.Act{URL: keysPath, Label: "Switch them off", Icon: "x"}
	if !on {
		act = page.Act{URL: keysPath, Label: "Switch them on", Icon: "check"}
	}
	return render(c, http.StatusOK, "keys", page.Keys{Gate: page.Gate{Title: "Keys", Person: personPage(person)}, Flash: said(c), Keys: page.KeyList(), On: on, Act: act})
}

func (s *Server) sendKeys(c *fiber.Ctx) error {
	if _, err := s.person(c.UserContext(), c); err != nil {
		return err
	}
	if c.Cookies(keysCookie) == keysOff {
		clearCookie(c, keysCookie)
		say(c, "The keys are on.")
	} else {
		c.Cookie(&fiber.Cookie{Name: keysCookie, Value: keysOff, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax", MaxAge: deviceSeconds})
		say(c, "The keys are off.")
	}
	return c.Redirect(keysPath, http.StatusSeeOther)
}
