package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// Mailer sends mail. An error means that the message was not taken over.
type Mailer interface {
	Send(ctx context.Context, m notify.Mail) error
}

var errNoMailer = errors.New("no mail goes out: the server was given no mailer")

// newDesk makes the support desk, which mails through what the server was given.
func (s *Server) newDesk() *authz.Desk {
	return authz.NewDesk(s.DB, authz.MailerFunc(func(ctx context.Context, m authz.Mail) error {
		return s.deliver(ctx, notify.Mail{Kind: m.Kind, To: m.To, Subject: m.Subject, Text: m.Text})
	}), s.Config.Origin, s.Log)
}

// deliver sends a mail through what the server was given.
func (s *Server) deliver(ctx context.Context, m notify.Mail) error {
	switch {
	case s.Mail != nil:
		return s.Mail.Send(ctx, m)
	case s.Outbox != nil:
		return s.Outbox.Send(ctx, m)
	}
	return errNoMailer
}

// account puts what a support person asks for on the organization's record: which page, which thing, and why they were
// let in. It is committed when this returns nil.
func (c *call) account(ctx context.Context, scope tenant.Scope, allowed bool) error {
	act := tenant.Act{Action: "support.read", Object: c.route.object()}
	switch {
	case !allowed:
		act.Action = "support.refused"
	case c.route.Method != http.MethodGet:
		act.Action = "support.change"
	}
	if thing, ok := id.Parse[struct{}](c.thing); ok {
		act.ID = thing.UUID
	}
	ticket, reason := scope.Purpose()
	act.Detail = cut(fmt.Sprintf("%s %s. %s %s", c.route.Method, c.route.Path, ticket, reason), 400)
	return tenant.Do(ctx, c.server.DB, scope, func(tx *tenant.Tx) error { return tx.Record(ctx, act) })
}

// cut leaves of a text so many characters at most.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}

// visitBanners say on every page of an organization who of support is in at this moment.
func (v *visit) visitBanners(tx *tenant.Tx) ([]page.VisitBanner, error) {
	open, err := authz.OpenVisits(v.ctx, tx)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	scope, mayEnd := tx.Scope(), v.may(rightTo(authz.Delete, authz.Support))
	var banners []page.VisitBanner
	for _, g := range open {
		b := page.VisitBanner{Who: g.StaffName, May: g.Terms.Say(), Until: *g.Until, Now: tx.Now(), Whole: g.Until.Sub(*g.DecidedAt), Masks: g.Terms.SayMasks()}
		switch {
		case isSupport(scope) && scope.Grant() == g.ID.UUID:
			b.Own, b.EndURL = true, "/staff/visits/"+g.ID.String()+"/leave"
		case isSupport(scope):
			continue // one support person need not know of another
		default:
			if v.may(rightTo(authz.Read, authz.Support)) {
				b.SeeURL = v.at("support", g.ID.String())
			}
			if mayEnd {
				b.EndURL = v.at("support", g.ID.String(), "end")
			}
		}
		banners = append(banners, b)
	}
	return banners, nil
}

// registerSupportEnd registers the page that the link in the mail leads to. It needs no session: the link is the proof,
// and all that it can do is to end one visit.
func (s *Server) registerSupportEnd() {
	s.public("GET", "/support/end", func(c *fiber.Ctx) error {
		return render(c, http.StatusOK, "support-end", page.SupportEnd{Gate: page.Gate{Title: "End support access"}, Token: c.Query("token")})
	})
	s.public("POST", "/support/end", s.sendSupportEnd)
}

func (s *Server) sendSupportEnd(c *fiber.Ctx) error {
	sent, err := readForm(c)
	if err != nil {
		return err
	}
	var grant authz.GrantID
	data := page.SupportEnd{Gate: page.Gate{Title: "Support access is over"}, Done: true}
	err = tenant.DoPlatform(c.UserContext(), s.DB, func(tx *tenant.PlatformTx) (err error) {
		grant, data.Before, err = authz.EndByLink(c.UserContext(), tx, sent.Get("token"))
		return err
	})
	if err != nil {
		return err
	}
	if !data.Before {
		s.Desk.Ended(c.UserContext(), grant)
	}
	return render(c, http.StatusOK, "support-end", data)
}
