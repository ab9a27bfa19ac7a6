package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// SampleJob fills an organization to look around in.
const SampleJob = "sample.fill"

// A sample is an organization of one's own, and not one for all to read: people learn a program by doing, and what they do
// is nobody else's to see.
func (s *Server) registerSamplePages() {
	s.public("POST", "/sample", s.enterSample)
	s.public("POST", "/sample/leave", s.leaveSample)
	s.public("GET", "/sample/filled", s.showSampleFilled)
}

// enterSample leads to one's sample, and makes it where there is none. What was cut short goes on.
func (s *Server) enterSample(c *fiber.Ctx) error {
	ctx := c.UserContext()
	person, err := s.person(ctx, c)
	if err != nil {
		return err
	}
	sample, err := tenant.ReserveSample(ctx, s.DB, person.ID, s.cameFrom(c))
	if err != nil {
		return err
	}
	opening := billing.Opening{Name: "Chinook Music (sample)", Currency: money.MustCurrency("USD"), Country: "US", TimeZone: "America/New_York"}
	err = tenant.Found(ctx, s.DB, person, sample.Slug, opening.Name, func(tx *tenant.Tx) error {
		if err := authz.AddMember(ctx, tx, person, "owner"); err != nil {
			return err
		}
		if err := billing.OpenBooks(ctx, tx, opening); err != nil {
			return err
		}
		return jobs.Enqueue(ctx, tx, jobs.Job{Kind: SampleJob, Key: SampleJob})
	})
	if err != nil && !errors.Is(err, tenant.ErrSlugTaken) { // it is there already
		return err
	}
	return c.Redirect("/o/"+sample.Slug, http.StatusSeeOther)
}

// cameFrom is the path of ours that someone comes from, as the browser says; "/" where it says none.
func (s *Server) cameFrom(c *fiber.Ctx) string {
	from, err := url.Parse(c.Get("Referer"))
	if err != nil || from.Host != s.origin.Host || len(from.RequestURI()) > 300 {
		return "/"
	}
	return wayBack(from.RequestURI())
}

// leaveSample deletes one's sample, and leads back to where one came from.
func (s *Server) leaveSample(c *fiber.Ctx) error {
	ctx := c.UserContext()
	person, err := s.person(ctx, c)
	if err != nil {
		return err
	}
	sample, ok, err := tenant.SampleOf(ctx, s.DB, person.ID)
	if err != nil {
		return err
	}
	if !ok {
		return c.Redirect("/", http.StatusSeeOther)
	}
	if err := tenant.EndSample(ctx, s.DB, sample); err != nil {
		return err
	}
	say(c, "The sample is deleted.")
	return c.Redirect(sample.Back, http.StatusSeeOther)
}

// sampleOf is what a page of a sample tells of it; nil for another organization.
func (s *Server) sampleOf(ctx context.Context, scope tenant.Scope) (*page.Sample, error) {
	sample, ok, err := tenant.SampleAt(ctx, s.DB, scope.Organization().Slug)
	if err != nil || !ok {
		return nil, err
	}
	return s.samplePage(sample, scope.Person().ID), nil
}

func (s *Server) samplePage(sample tenant.Sample, reader tenant.PersonID) *page.Sample {
	return &page.Sample{Today: s.DB.Now(), Until: sample.Until, Filled: sample.Filled, Own: sample.Person == reader, Back: sample.Back, URL: "/o/" + sample.Slug}
}

// showSampleFilled tells how far one's sample is filled, for the page that asks.
func (s *Server) showSampleFilled(c *fiber.Ctx) error {
	person, err := s.person(c.UserContext(), c)
	if err != nil {
		return err
	}
	sample, ok, err := tenant.SampleOf(c.UserContext(), s.DB, person.ID)
	if err != nil {
		return err
	}
	if !ok {
		return errNoPage
	}
	data := s.samplePage(sample, person.ID)
	data.Done = !data.Filling()
	return renderPart(c, "overview", "sample-banner", data)
}

// deliverFrom sends a mail of an organization's to others. Of a sample none goes out: its people are made up, or
// somebody's who never heard of it.
func (s *Server) deliverFrom(ctx context.Context, slug string, m notify.Mail) error {
	if _, sample, err := tenant.SampleAt(ctx, s.DB, slug); err != nil || sample {
		return err
	}
	return s.deliver(ctx, m)
}
