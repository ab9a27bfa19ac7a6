package page

import (
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/contact"
	"github.com/countinghouse/countinghouse/identity"
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
