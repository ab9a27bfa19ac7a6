package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// Founding is an organization as its founder describes it.
type Founding struct {
	Slug     string
	Name     string
	Currency string
	Country  string
	TimeZone string
}

// opening checks all of it and gives every fault at once.
func (f Founding) opening(ctx context.Context, db *tenant.DB) (billing.Opening, error) {
	var faults fault.List
	opening := billing.Opening{Name: strings.TrimSpace(f.Name), Country: f.Country, TimeZone: f.TimeZone}
	var err error
	if opening.Currency, err = money.ParseCurrency(f.Currency); !faults.Add("currency", err) {
		return opening, err
	}
	if err := billing.CheckOpening(opening); !faults.Add("", err) {
		return opening, err
	}
	err = tenant.CheckSlug(f.Slug)
	if err == nil {
		var free bool
		if free, err = tenant.SlugFree(ctx, db, f.Slug); err == nil && !free {
			err = tenant.ErrSlugTaken
		}
	}
	if !faults.Add("slug", err) {
		return opening, err
	}
	for i, e := range faults { // the form's field has another name than the rule's
		if e.Field == "name" {
			faults[i] = e.At("organization")
		}
	}
	return opening, faults.Err()
}

// Found opens an organization's books with a person as its owner.
func Found(ctx context.Context, db *tenant.DB, owner tenant.Person, f Founding) error {
	opening, err := f.opening(ctx, db)
	if err != nil {
		return err
	}
	return tenant.Found(ctx, db, owner, f.Slug, opening.Name, func(tx *tenant.Tx) error {
		if err := authz.AddMember(ctx, tx, owner, "owner"); err != nil {
			return err
		}
		return billing.OpenBooks(ctx, tx, opening)
	})
}

func foundingOf(sent url.Values) Founding {
	return Founding{Slug: sent.Get("slug"), Name: sent.Get("organization"), Currency: sent.Get("currency"),
		Country: sent.Get("country"), TimeZone: sent.Get("time_zone")}
}

func (s *Server) registerSignUp() {
	s.public("GET", "/sign-up", s.showSignUp)
	s.public("POST", "/sign-up", s.sendSignUp)
	s.public("GET", "/set-up", s.showSetUp)
	s.public("POST", "/set-up", s.sendSetUp)
	s.public("GET", "/open", s.showOpen)
	s.public("POST", "/open", s.sendOpen)
}

func (s *Server) showSignUp(c *fiber.Ctx) error {
	return s.renderSignUp(c, http.StatusOK, page.Form{})
}

func (s *Server) renderSignUp(c *fiber.Ctx, status int, form page.Form) error {
	captcha, err := s.showCaptcha(c, captchaSignUp)
	if err != nil {
		return err
	}
	return render(c, status, "sign-up", page.SignUp{Gate: page.Gate{Title: "Open your books"}, Form: form, Captcha: captcha})
}

func (s *Server) sendSignUp(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	err = s.checkCaptcha(c, captchaSignUp, sent)
	if err == nil {
		err = s.Identity.RequestSignUp(c.UserContext(), sent.Get("email"))
	}
	if form.Refused(err) {
		return s.renderSignUp(c, http.StatusUnprocessableEntity, form)
	} else if err != nil {
		return err
	}
	data := page.SignUpSent{Gate: page.Gate{Title: "Look in your mail"}, Email: strings.TrimSpace(sent.Get("email"))}
	if s.Outbox != nil {
		data.Outbox = "/dev/outbox"
	}
	return render(c, http.StatusOK, "sign-up-sent", data)
}

func (s *Server) showSetUp(c *fiber.Ctx) error {
	token := c.Query("token")
	email, err := s.Identity.CheckSignUp(c.UserContext(), token)
	if err != nil {
		return err
	}
	return s.renderSetUp(c, http.StatusOK, email, page.NewForm("token", token, "currency", "EUR", "time_zone", "UTC"))
}

func (s *Server) renderSetUp(c *fiber.Ctx, status int, email string, form page.Form) error {
	hint, err := s.passwordHint(c.UserContext())
	if err != nil {
		return err
	}
	gate, err := s.passwordGate(c.UserContext(), "Set up your books", page.Person{})
	if err != nil {
		return err
	}
	form.Values.Del("password")
	return render(c, status, "set-up", page.SetUp{Gate: gate, Form: form, Email: email,
		AddressPrefix: s.origin.Host + "/o/", PasswordHint: hint})
}

func (s *Server) sendSetUp(c *fiber.Ctx) error {
	ctx := c.UserContext()
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	email, err := s.Identity.CheckSignUp(ctx, sent.Get("token"))
	if err != nil {
		return err
	}
	// Everything that can be refused is looked at before the link is used up.
	form := page.FormOf(sent)
	_, err = foundingOf(sent).opening(ctx, s.DB)
	_, named := text.Required("name", sent.Get("name"), 200)
	err = errors.Join(asFault(&form, err), asFault(&form, named),
		asFault(&form, s.Identity.CheckPassword(ctx, sent.Get("password"), email, sent.Get("name"))))
	if err != nil {
		return err
	}
	if len(form.Faults) > 0 {
		return s.renderSetUp(c, http.StatusUnprocessableEntity, email, form)
	}
	from, err := deviceInfo(c)
	if err != nil {
		return err
	}
	person, session, err := s.Identity.CompleteSignUp(ctx, sent.Get("token"), sent.Get("name"), sent.Get("password"), from)
	if form.Refused(err) {
		return s.renderSetUp(c, http.StatusUnprocessableEntity, email, form)
	} else if err != nil {
		return err
	}
	keepDevice(c, from)
	s.setSession(c, session)
	if err := Found(ctx, s.DB, person, foundingOf(sent)); form.Refused(err) {
		// Someone took the address in this very moment. The person is signed in by now: let them choose another.
		return s.renderOpen(c, http.StatusUnprocessableEntity, person, form)
	} else if err != nil {
		return err
	}
	say(c, "Your books are open.")
	return c.Redirect("/o/"+sent.Get("slug"), http.StatusSeeOther)
}

// asFault puts the faults of err into the form and gives back what is none.
func asFault(form *page.Form, err error) error {
	if form.Refused(err) {
		return nil
	}
	return err
}

func (s *Server) showOpen(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	return s.renderOpen(c, http.StatusOK, person, page.NewForm("currency", "EUR", "time_zone", "UTC"))
}

func (s *Server) renderOpen(c *fiber.Ctx, status int, person tenant.Person, form page.Form) error {
	return render(c, status, "open", page.Open{Gate: page.Gate{Title: "Open another organization", Person: personPage(person)},
		Form: form, AddressPrefix: s.origin.Host + "/o/"})
}

func (s *Server) sendOpen(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	if err := Found(c.UserContext(), s.DB, person, foundingOf(sent)); form.Refused(err) {
		return s.renderOpen(c, http.StatusUnprocessableEntity, person, form)
	} else if err != nil {
		return err
	}
	say(c, "The books of "+strings.TrimSpace(sent.Get("organization"))+" are open.")
	return c.Redirect("/o/"+sent.Get("slug"), http.StatusSeeOther)
}

// passwordHint tells the rules before anyone types.
func (s *Server) passwordHint(ctx context.Context) (string, error) {
	all, err := s.Identity.PasswordRules(ctx)
	if err != nil {
		return "", err
	}
	var rules []string
	for _, r := range all {
		rules = append(rules, r.Say)
	}
	return strings.Join(rules, "; ") + ".", nil
}
