package page

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
)

var ines = contact.Contact{ID: id.New[contact.Contact](), Customer: hugh.ID, CustomerSay: "Apple & Co", Name: "Inês <i>", Email: "ines@apple.example",
	Rights: contact.All, Joined: true, SeenAt: now, Version: 3}

func samplePortal(title, nav string) Portal {
	return Portal{Title: title, Nav: nav, Name: "Tidewater Studios", Logo: true, SignUp: true, ShopOpen: true, Flash: Flash{Say: "Saved"}, Today: now,
		Person: Person{Name: ines.Name, Email: ines.Email}, Customer: "Apple & Co", May: contact.All}
}

func strangerPortal(title string) Portal {
	p := samplePortal(title, "")
	p.Person, p.Customer, p.May, p.NoSave = Person{}, "", contact.None, true
	return p
}

func sampleContactForm(isNew bool) ContactForm {
	wrong := contact.ErrRightUnknown
	if isNew {
		wrong = identity.ErrEmail
	}
	return ContactForm{Form: refused(NewForm("name", "Inês", "email", "ines", "version", "3"), wrong), Action: "/people", Back: "/people",
		New: isNew, Does: "Save", Functions: contact.Functions()}
}

func sampleSold(unit string) billing.Product {
	return billing.Product{ID: id.New[billing.Product](), Name: "Studio <a>", Description: "By the hour.\nWith coffee.", UnitPrice: decimal.NewFromInt(50), Currency: eur,
		Offer: billing.Offer{InShop: true, Type: "hosting", Unit: unit, Every: 1, Codes: "VAT23"}}
}

func sampleOwnQuote() billing.Quote {
	i := sampleInvoice(billing.Issued)
	i.DueDate = today.AddDays(9)
	return billing.Quote{QuoteHead: billing.QuoteHead{ID: id.New[billing.Quote](), DocumentHead: i.DocumentHead}, DocumentBody: i.DocumentBody}
}

func sampleOrder(state string) billing.Order {
	i := sampleInvoice(billing.Issued)
	i.State, i.Number = state, "ORD-0001"
	o := billing.Order{OrderHead: billing.OrderHead{ID: id.New[billing.Order](), DocumentHead: i.DocumentHead, ContactSay: "Inês <i>"}, DocumentBody: i.DocumentBody}
	if state == billing.OrderDone {
		o.Invoice, o.InvoiceNumber = id.New[billing.Invoice](), "INV-0007"
	} else {
		o.HeldFor = "Five orders within an hour\nAnother country <b>"
	}
	return o
}

func ownSubscription() subscription.Subscription {
	return subscription.Subscription{ID: id.New[subscription.Subscription](), Customer: hugh.ID, State: subscription.Active, NextOn: today.AddDays(9), Currency: eur, Price: euros(9900),
		Schedule: subscription.Schedule{Unit: subscription.Month, Every: 1, Anchor: today}, Items: []subscription.Item{{Description: "Hosting", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(99)}}}
}

func portalSamples() map[string]any {
	rows := []ContactRow{{Contact: ines, You: true, URL: "/people/1"}, {Contact: contact.Contact{ID: id.New[contact.Contact](), Email: "new@apple.example"}, URL: "/people/2"}}
	broken := NewError(403, "", "7F3K-22")
	broken.URL, broken.Label = "/", "Go to the start"
	return map[string]any{
		"portal-sign-in": PortalForm{strangerPortal("Sign in"), refused(NewForm("email", "ines@apple.example", "next", "/people"), identity.ErrRefused)},
		"portal-ask": PortalAsk{Portal: strangerPortal("Open an account"), PortalAsking: PortalAsking{"Open an account", "We send you a link.", "/sign-up", "Send the link"},
			Form: refused(NewForm("email", "ines"), identity.ErrEmail), Captcha: &Captcha{"altcha", "", "portal_sign_up"}},
		"portal-sent": PortalSent{strangerPortal("Look in your mail"), "ines@apple.example", "http://localhost:8080/dev/outbox"},
		"portal-set": PortalSet{Portal: strangerPortal("Open your account"), Form: refused(NewForm("token", "t0ken", "name", "Inês"), identity.ErrPasswordShort),
			Action: "/join", Email: "ines@apple.example", First: true, SignUp: true, Hint: "12 characters or more."},
		"portal-overview": PortalOverview{Portal: samplePortal("Overview", "overview"), Owed: []Owed{{Amount: euros(893600), Overdue: euros(243600), Invoices: 2}},
			Open: []billing.InvoiceHead{sampleInvoice(billing.Issued).InvoiceHead}},
		"portal-people":   PortalPeople{samplePortal("People", "people"), rows},
		"portal-person":   PortalPerson{samplePortal("Inês", "people"), sampleContactForm(true), ines, []Act{sampleAct()}},
		"portal-account":  PortalAccount{samplePortal("Name and password", "account"), NewForm("name", "Inês"), Form{ID: "p"}, "12 characters or more."},
		"portal-invoices": PortalInvoices{samplePortal("Invoices", "invoices"), []billing.InvoiceHead{sampleInvoice(billing.Issued).InvoiceHead}, Pager{Older: "/invoices?starting_after=x"}},
		"portal-phone": PortalPhone{samplePortal("Verify phone number", "phone"), PhoneAsking{Form: refused(NewForm("number", "086", "next", "/orders/1"), phone.ErrDenied), Asker: "Tidewater", CodeWays: []string{"text", "call"},
			Rules: phone.Rules{Minutes: 10, Tries: 5, Delay: 60}, Action: "/phone", Next: "/orders/1", Back: "/orders/1", BackSay: "Back"}},
		"portal-invoice": PortalInvoice{samplePortal("Invoice 7", "invoices"), sampleInvoice(billing.Issued), billing.Settings{Name: "Tidewater Studios"}, true, phone.Need{When: phone.Before}},
		"portal-quotes":  PortalQuotes{samplePortal("Quotes", "quotes"), []billing.QuoteHead{sampleOwnQuote().QuoteHead}, Pager{}},
		"portal-quote":   PortalQuote{samplePortal("Quote 3", "quotes"), refused(Form{Key: "k"}, billing.ErrQuoteDecided), sampleOwnQuote(), billing.Settings{Name: "Tidewater Studios"}, true, phone.Need{}},
		"portal-statement": PortalStatement{samplePortal("Statement", "statement"), today.AddDays(-60), today, []report.Statement{{Currency: eur, Opening: euros(0),
			Lines:   []report.StatementLine{{Date: today, Description: "Invoice INV-0001", Amount: euros(12000), Balance: euros(12000)}},
			Closing: euros(12000), Overdue: euros(2000)}}, "/statement.pdf"},
		"portal-subscriptions": PortalSubscriptions{samplePortal("Subscriptions", "subscriptions"), []subscription.Subscription{ownSubscription()}, Pager{}},
		"portal-subscription":  PortalSubscription{samplePortal("Subscription", "subscriptions"), Form{}, ownSubscription(), nil, []Act{sampleAct()}},
		"portal-methods": PortalMethods{samplePortal("Payment methods", "methods"), refused(NewForm("kind", "iban"), billing.ErrIBAN),
			[]PaymentMethodRow{{PaymentMethod: billing.PaymentMethod{Kind: billing.MethodIBAN, Brand: "IE", LastFour: "5678"}, Acts: []Act{sampleAct()}}},
			[]Option{{Value: "iban", Label: "IBAN"}, {Value: "us_bank", Label: "US account"}}, billing.PaymentMethodID{}},
		"portal-company": PortalForm{samplePortal("Name and address", "company"), refused(NewForm("name", "Apple", "version", "3"), billing.ErrEmailMalformed.At("email"))},
		"portal-shop":    PortalShop{strangerPortal("Shop"), []billing.Product{sampleSold("month")}, "stu", Pager{Older: "/shop?starting_after=x", ByName: true}},
		"portal-product": PortalProduct{strangerPortal("Studio"), refused(NewForm("quantity", "0"), fault.New(fault.Invalid, "shop.quantity", "Order 1 to 1000 of each.").At("quantity")), sampleSold("")},
		"portal-cart": PortalCart{Portal: samplePortal("Cart", "cart"), Form: NewForm("note", "Soon"), Rows: []CartRow{{Product: sampleSold("month"), Quantity: 2}, {Product: billing.Product{Name: "Gone"}, Quantity: 1, Gone: true}},
			Priced: true, Net: euros(10000), Tax: euros(2300), Total: euros(12300), MayOrder: true, Need: phone.Need{When: phone.Before}},
		"portal-orders":   PortalOrders{samplePortal("Orders", "orders"), []billing.OrderHead{sampleOrder("held").OrderHead, sampleOrder("placed").OrderHead, sampleOrder("refused").OrderHead, sampleOrder("done").OrderHead}, Pager{}},
		"portal-order":    PortalOrder{samplePortal("Order ORD-0001", "orders"), Form{}, sampleOrder("placed"), billing.Invoice{}, billing.Settings{Name: "Tidewater Studios"}, false, "k", phone.Need{When: phone.After}},
		"orders":          Orders{sampleShell("Orders", "orders"), false, []billing.OrderHead{sampleOrder("held").OrderHead, sampleOrder("done").OrderHead}, sampleTabs(), Find{URL: "/x", Label: "Number"}, Pager{}},
		"order":           OrderPage{sampleShell("Order ORD-0001", "orders"), Form{}, sampleOrder("held"), billing.Settings{Name: "Tidewater Studios"}, []Act{sampleAct()}},
		"portal-error":    broken,
		"contacts":        Contacts{sampleShell("People of Hugh", "customers"), sampleContactForm(true), hugh, rows, "https://tidewater.books.example"},
		"contact":         ContactPage{sampleShell("Inês", "customers"), sampleContactForm(false), hugh, ines, []Act{sampleAct()}},
		"settings-portal": PortalSettings{sampleShell("Portal and shop", "portal"), NewForm("sign_up", "yes", "version", "2"), "https://tidewater.books.example"},
	}
}

func TestPortalOffersWhatOneMayDo(t *testing.T) {
	t.Parallel()
	data := portalSamples()["portal-overview"].(PortalOverview)
	data.May, data.Open, data.Owed = contact.Pay, nil, nil
	drawing := drawn(t, set, "portal-overview", data)
	if strings.Contains(drawing, `href="/people"`) || !strings.Contains(drawing, "Ask whoever looks after your people") {
		t.Errorf("someone who may only pay is offered more: %s", drawing)
	}
}

func TestPortalAsksForANumberOnEveryPageButItsOwn(t *testing.T) {
	t.Parallel()
	data := portalSamples()["portal-overview"].(PortalOverview)
	data.Phone, data.Here = phone.Need{When: phone.Before}, "/invoices/7"
	drawing := drawn(t, set, "portal-overview", data)
	for _, want := range []string{`href="/phone?next=%2Finvoices%2F7"`, "More information", "before you order or pay"} {
		if !strings.Contains(drawing, want) {
			t.Errorf("the banner lacks %s", want)
		}
	}
	data.Phone.Number = "+353861234567"
	if strings.Contains(drawn(t, set, "portal-overview", data), "More information") {
		t.Error("it is asked for again")
	}
}
