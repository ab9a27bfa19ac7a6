package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
	"github.com/countinghouse/countinghouse/web/static"
)

// registerPublic registers what needs no organization.
func (s *Server) registerPublic() {
	s.public("GET", "/", s.showHome)
	s.registerProbes()
	s.registerSecurityTxt()
	s.public("GET", static.Prefix+"*", showStatic)
	s.public("GET", "/favicon.ico", func(c *fiber.Ctx) error { return c.Redirect(static.URL("favicon.svg"), http.StatusMovedPermanently) })
	s.registerSignUp()
	s.registerSecondFactorPages()
	s.registerSecurityPages()
	s.registerRecovery()
	s.public("GET", "/join", s.showJoin)
	s.public("POST", "/join", s.sendJoin)
	s.registerPhonePages()
	s.registerPersonPages()
	s.registerChange()
	s.registerCaptcha()
	s.registerIdle()
	s.public("POST", "/language", chooseLanguage)
	s.public("GET", "/sign-in", s.showSignIn)
	s.public("POST", "/sign-in", s.sendSignIn)
	s.public("POST", "/sign-out", s.sendSignOut)
	if s.Outbox != nil {
		s.public("GET", "/dev/outbox", s.showOutbox)
		s.public("GET", "/dev/outbox/:mail/:file", s.showOutboxFile)
		s.public("GET", "/dev/routes", s.showRoutes)
	}
}

// showHome leads to the organization that a person has, or lets them choose.
func (s *Server) showHome(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	memberships, err := s.Identity.Organizations(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	data := page.Choose{Gate: page.Gate{Title: "Your organizations", Person: personPage(person)}, Flash: heldFlash(c)}
	for _, m := range memberships {
		data.Organizations = append(data.Organizations, page.Organization{Name: m.Organization.Name, Slug: m.Organization.Slug})
	}
	own := slices.DeleteFunc(slices.Clone(memberships), func(m identity.Membership) bool { return m.Sample })
	if len(own) == 1 { // a sample is on the way of nobody who has books
		return c.Redirect("/o/"+own[0].Organization.Slug, http.StatusSeeOther)
	}
	data.SampleOffer = !slices.ContainsFunc(memberships, func(m identity.Membership) bool { return m.Sample })
	said(c) // shown here, and nowhere else
	return render(c, http.StatusOK, "choose", data)
}

func (s *Server) showSignIn(c *fiber.Ctx) error {
	return s.renderSignIn(c, http.StatusOK, page.NewForm("next", wayBack(c.Query("next"))))
}

func (s *Server) renderSignIn(c *fiber.Ctx, status int, form page.Form) error {
	gate, err := s.passwordGate(c.UserContext(), "Sign in", page.Person{})
	if err != nil {
		return err
	}
	form.Values.Del("password")
	return render(c, status, "sign-in", page.SignIn{Gate: gate, Form: form})
}

// passwordGate is what stands around a form with a password in it. Whether browsers may save what is typed there, the
// platform's settings say.
func (s *Server) passwordGate(ctx context.Context, title string, person page.Person) (page.Gate, error) {
	now, err := s.settings(ctx)
	return page.Gate{Title: title, Person: person, NoSave: !now.SaveLogins}, err
}

func (s *Server) sendSignIn(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	from, err := deviceInfo(c)
	if err != nil {
		return err
	}
	form := page.FormOf(sent)
	person, token, err := s.Identity.SignIn(c.UserContext(), sent.Get("email"), sent.Get("password"), from)
	var owed *identity.SecondStepNeeded
	if errors.As(err, &owed) {
		keepDevice(c, from) // it comes again with the second step, and is known only after that
		return toSecondStep(c, owed, sent.Get("next"))
	}
	if ok, answer := toChange(c, err, sent.Get("next")); ok {
		keepDevice(c, from)
		return answer
	}
	if form.Refused(err) {
		return s.renderSignIn(c, refusedStatus(c, err), form)
	} else if err != nil {
		return err
	}
	keepDevice(c, from)
	return s.letIn(c, person, token, sent.Get("next"))
}

// letIn hands a session to who has just signed in, and tells them when they did so before: whoever remembers it
// otherwise knows that someone else was in.
func (s *Server) letIn(c *fiber.Ctx, person tenant.Person, session, next string) error {
	if err := s.endHeld(c); err != nil { // one that this browser held before is not left open behind it
		return err
	}
	s.setSession(c, session)
	last, err := s.Identity.LastLogin(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	var told []string
	var before identity.SessionID
	if last != nil {
		told, before = append(told, page.LastLogin(s.DB.Now(), *last)), last.Session
	}
	age, err := s.Identity.PasswordAge(c.UserContext(), person.ID)
	if err != nil {
		return err
	}
	if age.Warn {
		told = append(told, page.OldPassword(s.DB.Now(), age))
	}
	if told != nil {
		sayLogin(c, before, strings.Join(told, " "))
	}
	return c.Redirect(wayBack(next), http.StatusSeeOther)
}

func (s *Server) sendSignOut(c *fiber.Ctx) error {
	if err := s.endHeld(c); err != nil {
		return err
	}
	clearCookie(c, sessionCookie)
	return c.Redirect("/sign-in", http.StatusSeeOther)
}

// endHeld ends the session whose cookie came with the request, if there is one.
func (s *Server) endHeld(c *fiber.Ctx) error {
	token := c.Cookies(sessionCookie)
	if _, ok := identity.HashToken(token); !ok {
		return nil
	}
	return s.Identity.SignOut(c.UserContext(), token)
}

// showOutbox shows the mails that would have gone out. Only `dev` has one.
func (s *Server) showOutbox(c *fiber.Ctx) error {
	data := page.Outbox{Gate: page.Gate{Title: "Outbox"}, Now: time.Now()}
	for _, m := range s.Outbox.All() {
		shown := page.Mail{To: m.To, Subject: m.Subject, Text: m.Text, Sent: m.At}
		for n, a := range m.Attachments {
			shown.Files = append(shown.Files, page.File{Name: a.Name, Size: sizeText(int64(len(a.Bytes))), URL: fmt.Sprintf("/dev/outbox/%s/%d", m.ID, n)})
		}
		data.Mails = append(data.Mails, shown)
	}
	for _, m := range s.Outbox.Texts() {
		data.Texts = append(data.Texts, page.TextSent{To: m.To, Text: m.Text, Voice: m.Voice, Sent: m.At})
	}
	return render(c, http.StatusOK, "outbox", data)
}

// showOutboxFile shows a file that came along with a mail.
func (s *Server) showOutboxFile(c *fiber.Ctx) error {
	wanted, err := strconv.Atoi(c.Params("file"))
	if err != nil {
		return errNoPage
	}
	for _, m := range s.Outbox.All() {
		if m.ID != "" && m.ID == c.Params("mail") && wanted >= 0 && wanted < len(m.Attachments) {
			a := m.Attachments[wanted]
			c.Set("Content-Type", a.Type)
			c.Set("Content-Disposition", inlineAs(a.Name))
			return c.Send(a.Bytes)
		}
	}
	return errNoPage
}

// showStatic serves stylesheet, scripts and fonts. Their addresses hold their digest, so they never change.
func showStatic(c *fiber.Ctx) error {
	content, contentType, tag, ok := static.Open(c.Path())
	if !ok {
		return errNoPage
	}
	if packed, packedTag, smaller := static.Packed(c.Path()); smaller {
		c.Set("Vary", "Accept-Encoding")
		if c.Get("Accept-Encoding") != "" && c.AcceptsEncodings("gzip") == "gzip" {
			content, tag = packed, packedTag
			c.Set("Content-Encoding", "gzip")
		}
	}
	c.Set("Cache-Control", static.CacheControl)
	c.Set("ETag", tag)
	c.Set("Content-Type", contentType)
	if c.Get("If-None-Match") == tag {
		return c.SendStatus(http.StatusNotModified)
	}
	return c.Send(content)
}
