package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// GatewayBody is what a program writes about a payment gateway. What is secret in it is never given back.
type GatewayBody struct {
	Kind          string `json:"kind,omitempty" doc:"stripe or transfer; it stays as it was added" example:"stripe"`
	Name          string `json:"name"`
	Key           string `json:"key,omitempty" doc:"The secret key of the gateway's API, write-only; left out on a change, it stays"`
	WebhookSecret string `json:"webhook_secret,omitempty" doc:"What the gateway signs its messages with, write-only; left out on a change, it stays"`
	Instructions  string `json:"instructions,omitempty" doc:"For transfers: where to send the money"`
}

// GatewayView is a payment gateway as a program reads it.
type GatewayView struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind"`
	Name         string    `json:"name"`
	Hint         string    `json:"hint,omitempty" doc:"The last characters of its key, to tell one from another"`
	Instructions string    `json:"instructions,omitempty"`
	AccountID    string    `json:"account_id" doc:"The account in the books that holds its money"`
	Archived     bool      `json:"archived"`
	CreatedAt    time.Time `json:"created_at"`
}

// GatewayAddressView is where a gateway sends its messages.
type GatewayAddressView struct {
	URL string `json:"url" doc:"It is shown this once. Enter it at the gateway; the one before it no longer works."`
}

func (b GatewayBody) input() billing.GatewayAccountInput {
	return billing.GatewayAccountInput{Kind: gateway.Kind(b.Kind), Name: b.Name, Key: b.Key, WebhookSecret: b.WebhookSecret, Instructions: b.Instructions}
}

func viewGateway(a billing.GatewayAccount) GatewayView {
	return GatewayView{ID: a.ID.String(), Kind: string(a.Kind), Name: a.Name, Hint: a.Hint, Instructions: a.Instructions,
		AccountID: a.Account.String(), Archived: a.Archived, CreatedAt: a.CreatedAt}
}

func (s *Server) offers(kind gateway.Kind) bool {
	return slices.ContainsFunc(s.offered(), func(o page.Option) bool { return o.Value == string(kind) })
}

func (s *Server) registerGatewayAPI() {
	if s.Till == nil {
		return
	}
	const tag = "Payment gateways"
	handle(s, operation{id: "list-gateways", method: "GET", path: "/v1/gateways", right: authz.Right{Module: authz.Gateways, Action: authz.Read}, tag: tag, summary: "List payment gateways, those out of use last"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[GatewayView]], error) {
			out := &Body[List[GatewayView]]{Body: List[GatewayView]{Items: []GatewayView{}}}
			err := c.do(ctx, func(tx *tenant.Tx) error {
				all, err := billing.GatewayAccounts(ctx, tx)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, a := range all {
					out.Body.Items = append(out.Body.Items, viewGateway(a))
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "add-gateway", method: "POST", path: "/v1/gateways", right: authz.Right{Module: authz.Gateways, Action: authz.Create}, tag: tag, summary: "Add a payment gateway", status: http.StatusCreated},
		addGateway)
	handle(s, operation{id: "get-gateway", method: "GET", path: "/v1/gateways/{id}", right: authz.Right{Module: authz.Gateways, Action: authz.Read}, tag: tag, summary: "Read a payment gateway"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[GatewayView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.GatewayAccountID) (GatewayView, int, error) {
				a, err := billing.GatewayAccountByID(ctx, tx, i)
				return viewGateway(a), a.Version, err
			})
		})
	handle(s, operation{id: "change-gateway", method: "PUT", path: "/v1/gateways/{id}", right: authz.Right{Module: authz.Gateways, Action: authz.Change}, tag: tag, summary: "Write a payment gateway anew; a key that is left out stays"},
		changeGateway)
	handle(s, operation{id: "archive-gateway", method: "POST", path: "/v1/gateways/{id}/archive", right: authz.Right{Module: authz.Gateways, Action: authz.Delete}, tag: tag, summary: "Take a payment gateway out of use; what was charged can still be refunded"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[GatewayView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i billing.GatewayAccountID, version int) (GatewayView, int, error) {
				if err := billing.RemoveGatewayAccount(ctx, tx, i, version); err != nil {
					return GatewayView{}, 0, err
				}
				a, err := billing.GatewayAccountByID(ctx, tx, i)
				return viewGateway(a), a.Version, err
			})
		})
	handle(s, operation{id: "open-gateway-address", method: "POST", path: "/v1/gateways/{id}/address", right: authz.Right{Module: authz.Gateways, Action: authz.Change}, tag: tag, summary: "Make a new secret address for the gateway's messages, and close the one before", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[GatewayAddressView], error) {
			return act(ctx, c, in.ID, func(tx *tenant.Tx, i billing.GatewayAccountID) (GatewayAddressView, int, error) {
				secret, err := billing.OpenGatewayAddress(ctx, tx, i)
				return GatewayAddressView{c.server.Origin + webhookPath + secret}, 0, err
			})
		})
}

func addGateway(ctx context.Context, c *call, in *Create[GatewayBody]) (*Versioned[GatewayView], error) {
	if !c.server.offers(gateway.Kind(in.Body.Kind)) {
		return nil, billing.ErrGatewayKind
	}
	sealed, err := billing.SealGatewayAccount(ctx, c.server.Till.Sealer, c.scope.Organization().ID, in.Body.input())
	if err != nil {
		return nil, err
	}
	return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
		made, err := billing.AddGatewayAccount(ctx, tx, sealed)
		return made.ID.UUID, err
	}, func(tx *tenant.Tx, made uuid.UUID) (GatewayView, int, error) {
		a, err := billing.GatewayAccountByID(ctx, tx, id.Of[billing.GatewayAccount]{UUID: made})
		return viewGateway(a), a.Version, err
	})
}

func changeGateway(ctx context.Context, c *call, in *Change[GatewayBody]) (*Versioned[GatewayView], error) {
	account, err := pathID[billing.GatewayAccount](in.ID)
	if err != nil {
		return nil, err
	}
	var before billing.SealedCredentials
	if err := c.do(ctx, func(tx *tenant.Tx) (err error) {
		before, err = billing.GatewayCredentials(ctx, tx, account)
		return err
	}); err != nil {
		return nil, err
	}
	input := in.Body.input()
	if input.Kind == "" {
		input.Kind = before.Kind
	}
	sealed, err := billing.ResealGatewayAccount(ctx, c.server.Till.Sealer, before, input)
	if err != nil {
		return nil, err
	}
	return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, _ billing.GatewayAccountID, version int) (GatewayView, int, error) {
		a, err := billing.ChangeGatewayAccount(ctx, tx, version, sealed)
		return viewGateway(a), a.Version, err
	})
}
