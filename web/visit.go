package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/admission"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// visit is a member's request for a page of their organization.
type visit struct {
	*call
	c      *fiber.Ctx
	ctx    context.Context
	others []page.Organization // of the same person, for a whole page
	sample *page.Sample        // what its reader is told where the organization is one to look around in
	offer  bool                // one may look around in a sample
}

// member registers a page at /o/:slug + path, with the right that it needs.
func (s *Server) member(method, path string, right authz.Right, show func(v *visit) error) {
	s.answerMember(Route{Method: method, Path: "/o/:slug" + path, Right: right, Kinds: []tenant.Kind{tenant.Member, tenant.Support}}, show)
}

// anyMember is member for a page that whoever holds any right may see, each as much of it as their rights let them.
func (s *Server) anyMember(method, path string, show func(v *visit) error) {
	s.answerMember(Route{Method: method, Path: "/o/:slug" + path, AnyRight: true, Kinds: []tenant.Kind{tenant.Member, tenant.Support}}, show)
}

// closedToSupport is member for what cannot be masked: support is refused, whatever it was let in to see, and that is on
// the record too.
func (s *Server) closedToSupport(method, path string, right authz.Right, show func(v *visit) error) {
	s.answerMember(Route{Method: method, Path: "/o/:slug" + path, Right: right, Kinds: []tenant.Kind{tenant.Member, tenant.Support}, Closed: true}, show)
}

func (s *Server) answerMember(route Route, show func(v *visit) error) {
	s.routes = append(s.routes, route)
	s.answer(route.Method, route.Path, func(c *fiber.Ctx) error {
		v := &visit{call: s.memberCall(route, c), c: c, ctx: c.UserContext()}
		if err := v.admit(v.ctx); err != nil {
			return err
		}
		if err := s.limitCaller(c, v.scope); err != nil {
			return err
		}
		if c.Query("live") == "" && !route.Unasked { // what a page asks by itself keeps no session open
			if err := tenant.Seen(v.ctx, s.DB, v.scope); err != nil {
				return err
			}
		}
		c.SetUserContext(context.WithValue(v.ctx, callKey{}, v.call)) // for the log
		return show(v)
	})
}

func (s *Server) memberCall(route Route, c *fiber.Ctx) *call {
	slug, token := c.Params("slug"), c.Cookies(sessionCookie)
	return &call{server: s, route: route, slug: slug, thing: c.Params("id"),
		enter: func(ctx context.Context) (tenant.Scope, error) {
			hash, ok := identity.HashToken(token)
			if !ok {
				return tenant.Scope{}, tenant.ErrNotSignedIn
			}
			scope, err := tenant.EnterMember(ctx, s.DB, hash, slug)
			if errors.Is(err, tenant.ErrNoOrganization) {
				return tenant.EnterSupport(ctx, s.DB, hash, slug)
			}
			return scope, err
		},
		digest: func() []byte { return s.digestOf(c.Method(), c.Path(), c.Body()) },
	}
}

// run runs fn in the organization.
func (v *visit) run(fn func(tx *tenant.Tx) error) error { return v.do(v.ctx, fn) }

// at is an address inside the organization.
func (v *visit) at(parts ...string) string {
	return "/o/" + v.scope.Organization().Slug + "/" + strings.Join(parts, "/")
}

// home is the address of the overview.
func (v *visit) home() string { return "/o/" + v.scope.Organization().Slug }

// shell fills in what every page of an organization shows. It reads inside the page's own transaction.
func (v *visit) shell(tx *tenant.Tx, title, nav string) (page.Shell, error) {
	settings, err := billing.LoadSettings(v.ctx, tx)
	if err != nil {
		return page.Shell{}, err
	}
	counts, err := billing.InvoiceCounts(v.ctx, tx)
	if err != nil {
		return page.Shell{}, err
	}
	visits, err := v.visitBanners(tx)
	if err != nil {
		return page.Shell{}, err
	}
	o := v.scope.Organization()
	var due time.Time
	if until := v.scope.PasswordUntil(); admission.Warns(until, tx.Now()) {
		due = until.In(settings.Zone())
	}
	return page.Shell{
		Visits: visits, PasswordDue: due, Suspended: v.scope.ReadOnly(), Support: isSupport(v.scope),
		Others: v.others, Sample: v.sample, SampleOffer: v.offer, Keys: v.c.Cookies(keysCookie) != keysOff,
		Title: title, Nav: nav, Organization: page.Organization{Name: settings.Name, Slug: o.Slug},
		Person: personPage(v.scope.Person()), Flash: said(v.c), Open: page.Counts{Invoices: counts[billing.StandingOpen] + counts[billing.StandingPartPaid] + counts[billing.StandingOverdue]},
		Today: tx.Now().In(settings.Zone()),
	}, nil
}

// show draws a page with what read finds in one transaction.
func (v *visit) show(status int, name string, read func(tx *tenant.Tx) (any, error)) error {
	if err := v.findOthers(); err != nil {
		return err
	}
	var data any
	err := v.run(func(tx *tenant.Tx) (err error) {
		data, err = read(tx)
		return err
	})
	if err != nil {
		return err
	}
	return render(v.c, status, name, data)
}

// mostOthers is how many organizations the switch lists; the page of all has the rest.
const mostOthers = 12

// findOthers finds where else its reader may go. It has a transaction of its own, before the page's: two at once would
// need two connections.
func (v *visit) findOthers() error {
	if isSupport(v.scope) {
		return nil
	}
	all, err := v.server.Identity.Organizations(v.ctx, v.scope.Person().ID)
	if err != nil {
		return err
	}
	v.others, v.offer = nil, true
	for _, m := range all {
		v.offer = v.offer && !m.Sample
		if m.Sample && m.Organization.ID == v.scope.Organization().ID {
			if v.sample, err = v.server.sampleOf(v.ctx, v.scope); err != nil {
				return err
			}
		}
		if m.Organization.ID != v.scope.Organization().ID && len(v.others) < mostOthers {
			v.others = append(v.others, page.Organization{Name: m.Organization.Name, Slug: m.Organization.Slug})
		}
	}
	return nil
}

// checkForm refuses a form whose key could not be one, for acts that may be done twice.
func (v *visit) checkForm() error {
	sent, err := readForm(v.c)
	if err == nil && !visible(sent.Get("idempotency_key")) {
		err = errKeyShape
	}
	return err
}

// send handles a form that creates or changes something: act runs once for the form's own key, and its result
// is where to go. A form that is refused is shown again by refused, with all it held.
func (v *visit) send(many []string, act func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error), done func(made uuid.UUID) string, refused func(form page.Form) error) error {
	sent, err := readForm(v.c, many...)
	if err != nil {
		return err
	}
	return v.perform(sent, act, done, refused)
}

// perform is send for a form that was read.
func (v *visit) perform(sent url.Values, act func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error), done func(made uuid.UUID) string, refused func(form page.Form) error) error {
	key := sent.Get("idempotency_key")
	if !visible(key) {
		return errKeyShape
	}
	var made uuid.UUID
	err := v.run(func(tx *tenant.Tx) (err error) {
		made, _, err = tx.Once(v.ctx, key, v.digest(), func() (uuid.UUID, error) { return act(tx, sent) })
		return err
	})
	form := page.FormOf(sent)
	if isFormFault(err) && form.Refused(err) {
		form.Key = newFormKey()
		return refused(form)
	} else if err != nil {
		return err
	}
	return v.c.Redirect(done(made), http.StatusSeeOther)
}

// isFormFault tells what the person at the form can put right from what no form can: a lost session, a missing
// right, another's thing.
func isFormFault(err error) bool {
	p := problemOf(context.Background(), err)
	return p.Status == http.StatusUnprocessableEntity || (p.Status == http.StatusConflict && !errors.Is(err, tenant.ErrKeyInFlight))
}

// newFormKey names one sending of one form, so that pressing its button twice does one thing.
func newFormKey() string {
	return uuid.NewString()
}

// idParam reads an id of the path; one that could not be an id names nothing.
func idParam[T any](v *visit, name string) (id.Of[T], error) { return pathID[T](v.c.Params(name)) }

// page reads the part of a list that the address asks for.
func (v *visit) page() (cursor.Query, error) {
	return PageInput{StartingAfter: v.c.Query("starting_after"), EndingBefore: v.c.Query("ending_before")}.query()
}

// pager leads to the parts before and after, with the rest of the address as it is.
func pager[T any](v *visit, q cursor.Query, p cursor.Page[T], idOf func(T) uuid.UUID, said string) page.Pager {
	return pagerOf(v.c, q, p, idOf, said)
}

func pagerOf[T any](c *fiber.Ctx, q cursor.Query, p cursor.Page[T], idOf func(T) uuid.UUID, said string) page.Pager {
	out := page.Pager{Said: said}
	if len(p.Items) == 0 {
		return out
	}
	way := func(key string, item T) string {
		query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
		if err != nil {
			return ""
		}
		query.Del("starting_after")
		query.Del("ending_before")
		query.Set(key, idOf(item).String())
		return c.Path() + "?" + query.Encode()
	}
	// Whoever came from an item knows that there is something on its side.
	if q.After != uuid.Nil || (q.Backwards() && p.HasMore) {
		out.Newer = way("ending_before", p.Items[0])
	}
	if q.Backwards() || p.HasMore {
		out.Older = way("starting_after", p.Items[len(p.Items)-1])
	}
	return out
}
