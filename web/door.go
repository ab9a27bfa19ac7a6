package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/till"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

const (
	webhookPath = "/webhook/"
	payPath     = "/pay/"
	quotePath   = "/quote/"
)

// registerDoors puts the ways in on the router that need no one to be known: their addresses are the credentials.
func (s *Server) registerDoors() {
	s.public("GET", quotePath+":secret", s.showOffer)
	s.public("POST", quotePath+":secret/accept", s.sendOfferAccept)
	s.public("POST", quotePath+":secret/decline", s.sendOfferDecline)
	s.registerPayPhone()
	if s.Till == nil {
		return
	}
	s.public("POST", webhookPath+":secret", s.receiveWebhook)
	s.public("GET", payPath+":secret", s.showPay)
	s.public("POST", payPath+":secret", s.sendPay)
	s.public("GET", payPath+":secret/back", s.showPaid)
}

// entrance enters by the secret in the address. When the organization's rights have changed meanwhile it enters anew, as call.do
// does for members.
func entrance(enter func(ctx context.Context) (tenant.Scope, error), db *tenant.DB) till.Do {
	return func(ctx context.Context, fn func(tx *tenant.Tx) error) error {
		var err error
		for range 2 {
			var scope tenant.Scope
			if scope, err = enter(ctx); err != nil {
				return err
			}
			if err = tenant.Do(ctx, db, scope, fn); !errors.Is(err, tenant.ErrStale) && tenant.SQLState(err) != deadlock {
				return err
			}
		}
		if errors.Is(err, tenant.ErrStale) {
			return tenant.ErrNoDoor
		}
		return err
	}
}

// receiveWebhook takes what a gateway tells. Whose it is, the address says; the body is believed by its signature alone.
func (s *Server) receiveWebhook(c *fiberCtx) error {
	hash, ok := tenant.HashDoor(c.Params("secret"))
	if !ok {
		return tenant.ErrNoDoor
	}
	ctx := c.UserContext()
	enter := func(ctx context.Context) (tenant.Scope, error) { return tenant.EnterWebhook(ctx, s.DB, hash) }
	scope, err := enter(ctx)
	if err != nil {
		return err
	}
	header := http.Header{}
	for name, values := range c.GetReqHeaders() {
		for _, v := range values {
			header.Add(name, v)
		}
	}
	account := id.Of[billing.GatewayAccount]{UUID: scope.Subject()}
	if err := s.Till.Receive(ctx, entrance(enter, s.DB), account, header, c.Body()); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
