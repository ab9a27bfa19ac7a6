package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// TextGatewayBody is what a program writes about a text gateway. What is secret in it is never given back.
type TextGatewayBody struct {
	Kind    string `json:"kind,omitempty" enum:",twilio,vonage" doc:"twilio is also any other whose API has the shape of Twilio's; it stays as it was added"`
	Name    string `json:"name" maxLength:"60"`
	URL     string `json:"url,omitempty" doc:"Of the API; left out, the gateway's own" maxLength:"200" example:"https://api.twilio.com"`
	Account string `json:"account" doc:"Twilio: the account SID; Vonage: the API key" maxLength:"60"`
	Key     string `json:"key,omitempty" doc:"The auth token or API secret, write-only; left out on a change, it stays, unless url or account change" maxLength:"200"`
	Sender  string `json:"sender" doc:"The number that messages come from, or a name of at most 11 letters and digits; calls need a number" maxLength:"40" example:"+353860123456"`
	Sends   string `json:"sends" enum:"text,call,text call" doc:"Text messages, calls, or both"`
}

// TextGatewayView is a text gateway as a program reads it.
type TextGatewayView struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	URL       string     `json:"url"`
	Account   string     `json:"account"`
	Hint      string     `json:"hint" doc:"The last characters of its secret"`
	Sender    string     `json:"sender"`
	Sends     string     `json:"sends"`
	Place     int        `json:"place" doc:"1 is tried first; one that failed in the last five minutes is tried after the others"`
	State     string     `json:"state" enum:"on,off"`
	Trouble   string     `json:"trouble,omitempty" doc:"How the last try failed, where it did: refused with the status of HTTP and the gateway's own code, unreachable, internal (its name leads inside a network), sealed, or late (there was no answer, and the message may have gone out)"`
	TroubleAt *time.Time `json:"trouble_at"`
	CreatedAt time.Time  `json:"created_at"`
}

// TextGatewayPlace says when a gateway is tried.
type TextGatewayPlace struct {
	Place int `json:"place" doc:"Among the text gateways; 1 is tried first" minimum:"1" maximum:"10"`
}

// TextGatewayTest asks for a message that says it is a test.
type TextGatewayTest struct {
	Number string `json:"number" doc:"With its country code" maxLength:"40" example:"+353860123456"`
	Way    string `json:"way" enum:"text,call"`
}

// TextGatewayTried is how a gateway did.
type TextGatewayTried struct {
	Outcome string `json:"outcome" doc:"sent: the gateway took it over; otherwise as in trouble, or number or texts: it is the number's fault"`
}

func (b TextGatewayBody) input() phone.GatewayInput {
	return phone.GatewayInput{Kind: phone.GatewayKind(b.Kind), Name: b.Name, URL: b.URL, Account: b.Account, Key: b.Key, Sender: b.Sender, Sends: b.Sends}
}

func viewTextGateway(g phone.Gateway) TextGatewayView {
	state := "on"
	if g.Off {
		state = "off"
	}
	return TextGatewayView{ID: g.ID.String(), Kind: string(g.Kind), Name: g.Name, URL: g.URL, Account: g.Account, Hint: g.Hint, Sender: g.Sender, Sends: g.Sends,
		Place: g.Turn, State: state, Trouble: g.Trouble, TroubleAt: g.TroubleAt, CreatedAt: g.CreatedAt}
}

// What a test says of a gateway that did not take it over.
var (
	errTestRefused     = fault.New(fault.Invalid, "text_gateway.refused", "The gateway refused it. Look at account, secret and sender, and at the gateway's own log.").At("number")
	errTestUnreachable = fault.New(fault.Invalid, "text_gateway.unreachable", "The gateway could not be reached. Look at its address.").At("number")
	errTestInternal    = fault.New(fault.Invalid, "text_gateway.internal", "The address of the gateway leads inside a network, where nothing is sent. Give one on the public internet.").At("number")
	errTestLate        = fault.New(fault.Invalid, "text_gateway.late", "The gateway did not answer in time. The message may have gone out all the same.").At("number")
	errTestSealed      = fault.New(fault.Unavailable, "text_gateway.sealed", "The gateway's secret could not be opened. Try again in a few minutes.").At("number")
)

// tryFault says what is wrong with a try; nil where nothing is.
func tryFault(t phone.Try) error {
	switch t.Word() {
	case "sent":
		return nil
	case "number", "texts":
		return phone.ErrNumber
	case "unreachable":
		return errTestUnreachable
	case "internal":
		return errTestInternal
	case "late":
		return errTestLate
	case "sealed":
		return errTestSealed
	}
	return errTestRefused
}

// testTextGateway sends outside of any transaction and keeps how it went.
func (s *Server) testTextGateway(ctx context.Context, organization tenant.OrganizationID, run func(fn func(tx *tenant.Tx) error) error, g phone.Gateway, way, number string) (phone.Try, error) {
	try, err := s.Phones.TestGateway(ctx, organization, g, way, number)
	if err != nil {
		return try, err
	}
	s.Log.Info("a test of a text gateway", "request_id", tenant.RequestFrom(ctx).ID, "gateway", g.ID, "way", way, "outcome", try.Outcome)
	return try, run(func(tx *tenant.Tx) error { return phone.NoteTest(ctx, tx, try) })
}

// registerTextGatewayAPI needs what seals their secrets.
func (s *Server) registerTextGatewayAPI() {
	if !s.keepsTextGateways() {
		return
	}
	const tag = "Text gateways"
	read, write := rightTo(authz.Read, authz.Settings), rightTo(authz.Change, authz.Settings)
	handle(s, operation{id: "list-text-gateways", method: "GET", path: "/v1/text-gateways", right: read, tag: tag, summary: "List the gateways by which customers are sent codes, in the order in which they are tried"}, listTextGateways)
	handle(s, operation{id: "add-text-gateway", method: "POST", path: "/v1/text-gateways", right: write, tag: tag, summary: "Add a text gateway, to be tried after the others", status: http.StatusCreated}, addTextGateway)
	handle(s, operation{id: "get-text-gateway", method: "GET", path: "/v1/text-gateways/{id}", right: read, tag: tag, summary: "Read a text gateway"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[TextGatewayView], error) {
			return readTextGatewayAPI(ctx, c, in.ID)
		})
	handle(s, operation{id: "change-text-gateway", method: "PUT", path: "/v1/text-gateways/{id}", right: write, tag: tag, summary: "Write a text gateway anew"}, changeTextGateway)
	handle(s, operation{id: "remove-text-gateway", method: "DELETE", path: "/v1/text-gateways/{id}", right: write, tag: tag, summary: "Remove a text gateway and its secret", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			i, err := pathID[phone.Gateway](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return phone.RemoveGateway(ctx, tx, i) })
		})
	for name, on := range map[string]bool{"enable": true, "disable": false} {
		handle(s, operation{id: name + "-text-gateway", method: "POST", path: "/v1/text-gateways/{id}/" + name, right: write, tag: tag, summary: map[bool]string{true: "Turn a text gateway on", false: "Turn a text gateway off"}[on]},
			func(ctx context.Context, c *call, in *ByID) (*Versioned[TextGatewayView], error) {
				return act(ctx, c, in.ID, func(tx *tenant.Tx, i phone.GatewayID) (TextGatewayView, int, error) {
					g, err := phone.TurnGateway(ctx, tx, i, on)
					return viewTextGateway(g), g.Version, err
				})
			})
	}
	handle(s, operation{id: "move-text-gateway", method: "PUT", path: "/v1/text-gateways/{id}/place", right: write, tag: tag, summary: "Give a text gateway its place among the others"},
		func(ctx context.Context, c *call, in *Change[TextGatewayPlace]) (*Versioned[TextGatewayView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i phone.GatewayID, _ int) (TextGatewayView, int, error) {
				g, err := phone.MoveGateway(ctx, tx, i, in.Body.Place)
				return viewTextGateway(g), g.Version, err
			})
		})
	handle(s, operation{id: "test-text-gateway", method: "POST", path: "/v1/text-gateways/{id}/test", right: write, tag: tag, summary: "Send a sentence that says it is a test through one text gateway"}, tryTextGateway)
}

func readTextGatewayAPI(ctx context.Context, c *call, text string) (*Versioned[TextGatewayView], error) {
	return read(ctx, c, text, func(tx *tenant.Tx, i phone.GatewayID) (TextGatewayView, int, error) {
		g, err := phone.GatewayByID(ctx, tx, i)
		return viewTextGateway(g), g.Version, err
	})
}

func listTextGateways(ctx context.Context, c *call, _ *struct{}) (*Body[List[TextGatewayView]], error) {
	out := &Body[List[TextGatewayView]]{Body: List[TextGatewayView]{Items: []TextGatewayView{}}}
	err := c.do(ctx, func(tx *tenant.Tx) error {
		all, err := phone.Gateways(ctx, tx)
		out.Body.Items = out.Body.Items[:0] // it may run twice
		for _, g := range all {
			out.Body.Items = append(out.Body.Items, viewTextGateway(g))
		}
		return err
	})
	return out, err
}

func addTextGateway(ctx context.Context, c *call, in *Create[TextGatewayBody]) (*Versioned[TextGatewayView], error) {
	sealed, err := c.server.Phones.SealGateway(ctx, c.scope.Organization().ID, in.Body.input())
	if err != nil {
		return nil, err
	}
	return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
		g, err := phone.AddGateway(ctx, tx, sealed)
		return g.ID.UUID, err
	}, func(tx *tenant.Tx, made uuid.UUID) (TextGatewayView, int, error) {
		g, err := phone.GatewayByID(ctx, tx, phone.GatewayID{UUID: made})
		return viewTextGateway(g), g.Version, err
	})
}

// textGateway is one as it is, for what is done outside the transaction.
func textGateway(ctx context.Context, c *call, text string) (g phone.Gateway, err error) {
	i, err := pathID[phone.Gateway](text)
	if err != nil {
		return g, err
	}
	err = c.do(ctx, func(tx *tenant.Tx) (err error) {
		g, err = phone.GatewayByID(ctx, tx, i)
		return err
	})
	return g, err
}

func changeTextGateway(ctx context.Context, c *call, in *Change[TextGatewayBody]) (*Versioned[TextGatewayView], error) {
	is, err := textGateway(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Kind != "" && in.Body.Kind != string(is.Kind) {
		return nil, phone.ErrGatewayKind
	}
	sealed, err := c.server.Phones.ResealGateway(ctx, c.scope.Organization().ID, is, in.Body.input())
	if err != nil {
		return nil, err
	}
	return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, _ phone.GatewayID, version int) (TextGatewayView, int, error) {
		g, err := phone.ChangeGateway(ctx, tx, version, sealed)
		return viewTextGateway(g), g.Version, err
	})
}

func tryTextGateway(ctx context.Context, c *call, in *struct {
	ID   string `path:"id" maxLength:"36"`
	Body TextGatewayTest
}) (*Body[TextGatewayTried], error) {
	g, err := textGateway(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	run := func(fn func(tx *tenant.Tx) error) error { return c.do(ctx, fn) }
	try, err := c.server.testTextGateway(ctx, c.scope.Organization().ID, run, g, in.Body.Way, in.Body.Number)
	if err != nil {
		return nil, err
	}
	return &Body[TextGatewayTried]{TextGatewayTried{try.Outcome}}, nil
}
