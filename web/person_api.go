package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

var errNoSession = fault.New(fault.NotFound, "session.not_found", "There is no such session of yours.")

// PersonView is a person as a program reads them who acts as their browser.
type PersonView struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Email         string             `json:"email"`
	Organizations []PersonMembership `json:"organizations" doc:"Where the person may enter today, by name"`
}

// PersonMembership is an organization that the person may enter.
type PersonMembership struct {
	Name string `json:"name"`
	Slug string `json:"slug" doc:"Its part of the address: /o/{slug}"`
	Role string `json:"role" example:"owner"`
	// PasswordUntil is null where no rule of the organization's own asks for it.
	PasswordUntil *time.Time `json:"password_until" doc:"When the organization's own rules keep you out unless you change your password before; null for never"`
}

// LoginView is an entry of the person's login history.
type LoginView struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Network   string    `json:"network" doc:"The address; empty when it was not known"`
	Place     string    `json:"place" doc:"City and country; empty when they are not known"`
	UserAgent string    `json:"user_agent"`
	Agent     string    `json:"agent" doc:"Browser and system in words"`
	Method    string    `json:"method" example:"password"`
	Outcome   string    `json:"outcome" example:"success"`
	SessionID string    `json:"session_id" doc:"The session that it opened; empty for none"`
	Open      bool      `json:"open" doc:"Whether that session still is"`
	Disowned  bool      `json:"disowned" doc:"Whether the person said that it was not them"`
}

func viewLogin(l identity.Login) LoginView {
	return LoginView{ID: l.ID.String(), At: l.At.UTC(), Network: l.Network, Place: l.Place, UserAgent: l.UserAgent, Agent: l.Agent(),
		Method: l.Method, Outcome: l.Outcome, SessionID: idText(l.Session), Open: l.Open, Disowned: l.Disowned}
}

// SessionView is a browser in which the person is signed in. Its id opens nothing.
type SessionView struct {
	ID         string    `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	Network    string    `json:"network"`
	Place      string    `json:"place"`
	UserAgent  string    `json:"user_agent"`
	Agent      string    `json:"agent" doc:"Browser and system in words"`
	Current    bool      `json:"current" doc:"Whether it is the one that asks"`
}

func viewSession(o identity.Session) SessionView {
	return SessionView{ID: o.ID.String(), CreatedAt: o.CreatedAt.UTC(), LastSeenAt: o.SeenAt.UTC(), Network: o.Network, Place: o.Place,
		UserAgent: o.UserAgent, Agent: o.Agent(), Current: o.Current}
}

// FactorsView is what the person has beside their password.
type FactorsView struct {
	On            bool          `json:"on" doc:"Whether signing in takes a second step"`
	AppSince      *time.Time    `json:"authenticator_app_since"`
	RecoveryCodes int           `json:"recovery_codes_left"`
	Passkeys      []PasskeyView `json:"passkeys"`
}

// PasskeyView is one passkey.
type PasskeyView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func viewFactors(f identity.SecondFactors) FactorsView {
	v := FactorsView{On: f.On(), AppSince: f.TOTPSince, RecoveryCodes: f.RecoveryCodes, Passkeys: []PasskeyView{}}
	for _, k := range f.Passkeys {
		v.Passkeys = append(v.Passkeys, PasskeyView{k.ID.String(), k.Name, k.CreatedAt, k.LastUsedAt})
	}
	return v
}

// PhoneView is the state of the person's phone. The whole number is in the export, which takes a fresh proof.
type PhoneView struct {
	Verified bool       `json:"verified"`
	Number   string     `json:"number" doc:"With all but its last two digits hidden; empty for none" example:"+••• •• ••• ••56"`
	Since    *time.Time `json:"verified_at"`
}

// viewPhone shows a verified number, or that there is none.
func viewPhone(p *identity.Phone) PhoneView {
	if p == nil {
		return PhoneView{}
	}
	since := p.Since.UTC()
	return PhoneView{Verified: true, Number: p.Hidden(), Since: &since}
}

// personCall is a request of someone who is signed in, about themselves.
type personCall struct {
	person tenant.Person
	token  string // of their session
	fiber  *fiberCtx
	from   identity.RequestInfo
}

// accountAPI is where all that is of a person's own account stands.
const accountAPI = "/v1/account"

type personCallKey struct{}

// handlePerson registers an operation on the account of whoever's session comes with the request.
func handlePerson[In, Out any](s *Server, op operation, handler func(ctx context.Context, c personCall, in *In) (*Out, error)) {
	s.routes = append(s.routes, Route{Method: op.method, Path: fiberPath(op.path), Person: true})
	huma.Register(s.api, huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Tags: []string{"Your account"}, DefaultStatus: op.status, MaxBodyBytes: bodyLimit,
		Description: "For whoever is signed in, about themselves, by the session of their browser. An API token opens nothing here.",
		Security:    []map[string][]string{{"session": {}}},
		Errors:      []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
		Middlewares: huma.Middlewares{s.admitPerson},
	}, func(ctx context.Context, in *In) (*Out, error) {
		c, _ := ctx.Value(personCallKey{}).(personCall)
		out, err := handler(ctx, c, in)
		if err != nil {
			p := problemOf(ctx, err)
			s.logError(ctx, p, err)
			return nil, p
		}
		return out, nil
	})
}

// admitPerson lets whoever has an open session through. Other sites cannot send it: checkRequest refuses what they
// begin, and the cookie does not go with it. Who brings a token as well has mistaken this for the organization's API.
func (s *Server) admitPerson(hc huma.Context, next func(huma.Context)) {
	f := humafiber.Unwrap(hc)
	var person tenant.Person
	err := error(tenant.ErrNotSignedIn)
	if hc.Header("Authorization") == "" {
		person, err = s.person(hc.Context(), f)
	}
	if err == nil {
		err = checkBody(hc, f.Body(), false)
	}
	if err != nil {
		p := problemOf(hc.Context(), err)
		s.logError(hc.Context(), p, err)
		if err := writeProblem(f, p); err != nil {
			s.Log.Error("writing a problem", "error", err)
		}
		return
	}
	next(huma.WithValue(hc, personCallKey{}, personCall{person: person, token: f.Cookies(sessionCookie), fiber: f, from: requestInfo(f)}))
}

// all is a list that is no longer than one page.
func all[E, T any](found []E, view func(E) T) *Body[List[T]] {
	out := &Body[List[T]]{Body: List[T]{Items: []T{}}}
	for _, e := range found {
		out.Body.Items = append(out.Body.Items, view(e))
	}
	return out
}

func (s *Server) registerPersonAPI() {
	const account = accountAPI
	handlePerson(s, operation{id: "get-own-account", method: "GET", path: account, summary: "Who you are, and where you may enter"}, s.readAccount)
	handlePerson(s, operation{id: "list-own-logins", method: "GET", path: account + "/logins", summary: "Your last ten logins and failures, newest first"},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[List[LoginView]], error) {
			found, err := s.Identity.Logins(ctx, c.person.ID)
			return all(found, viewLogin), err
		})
	handlePerson(s, operation{id: "list-own-sessions", method: "GET", path: account + "/sessions", summary: "Where you are signed in, the last used first"},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[List[SessionView]], error) {
			found, err := s.Identity.Sessions(ctx, c.person.ID, c.token)
			return all(found, viewSession), err
		})
	handlePerson(s, operation{id: "get-own-second-factors", method: "GET", path: account + "/second-factors", summary: "What guards your account beside the password"},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[FactorsView], error) {
			found, err := s.Identity.SecondFactors(ctx, c.person.ID)
			return &Body[FactorsView]{viewFactors(found)}, err
		})
	handlePerson(s, operation{id: "get-own-phone", method: "GET", path: account + "/phone", summary: "Whether your phone is verified"},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[PhoneView], error) {
			found, err := s.Identity.Phone(ctx, c.person.ID)
			return &Body[PhoneView]{viewPhone(found)}, err
		})
	handlePerson(s, operation{id: "export-own-data", method: "GET", path: account + "/data", summary: "All that is held of you; takes a sign-in or a proof of the last minutes"},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[identity.PersonData], error) {
			found, err := s.Identity.ExportPerson(ctx, c.token)
			return &Body[identity.PersonData]{found}, err
		})
	s.registerPersonActs(account + "/sessions")
	s.registerPersonChanges()
}

func (s *Server) registerPersonActs(sessions string) {
	handlePerson(s, operation{id: "end-own-other-sessions", method: "POST", path: sessions + "/end-others", summary: "Sign out everywhere else", status: http.StatusNoContent},
		func(ctx context.Context, c personCall, _ *struct{}) (*struct{}, error) {
			return nil, s.Identity.EndOtherSessions(ctx, c.token)
		})
	act := func(operationID, name, summary string, do func(ctx context.Context, c personCall, session identity.SessionID) error) {
		handlePerson(s, operation{id: operationID, method: "POST", path: sessions + "/{id}/" + name, summary: summary, status: http.StatusNoContent},
			func(ctx context.Context, c personCall, in *ByID) (*struct{}, error) {
				session, err := pathID[identity.Session](in.ID)
				if err != nil {
					return nil, errNoSession
				}
				return nil, do(ctx, c, session)
			})
	}
	act("end-own-session", "end", "Sign out of one session; done already when it is over", func(ctx context.Context, c personCall, session identity.SessionID) error {
		return s.Identity.EndSession(ctx, c.person.ID, session)
	})
	act("disown-own-session", "disown", "Say that this login was not you: ends every other session, revokes your API tokens, and asks for a new password",
		func(ctx context.Context, c personCall, session identity.SessionID) error {
			return s.Identity.Disown(ctx, c.token, session, c.from)
		})
}

func (s *Server) readAccount(ctx context.Context, c personCall, _ *struct{}) (*Body[PersonView], error) {
	found, err := s.Identity.Organizations(ctx, c.person.ID)
	v := PersonView{ID: c.person.ID.String(), Name: c.person.Name, Email: c.person.Email, Organizations: []PersonMembership{}}
	for _, m := range found {
		one := PersonMembership{Name: m.Organization.Name, Slug: m.Organization.Slug, Role: m.Role}
		if until := m.PasswordUntil.UTC(); !until.IsZero() {
			one.PasswordUntil = &until
		}
		v.Organizations = append(v.Organizations, one)
	}
	return &Body[PersonView]{v}, err
}
