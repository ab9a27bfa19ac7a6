package web

import (
	"context"
	"net/http"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
)

// PayLinkView is a link by which a customer sees and pays one invoice.
type PayLinkView struct {
	URL       string    `json:"url" doc:"It is shown this once: only its digest is kept"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (s *Server) registerPayLinkAPI() {
	if s.Till == nil {
		return
	}
	handle(s, operation{id: "make-pay-link", method: "POST", path: "/v1/invoices/{id}/pay-link", right: authz.Right{Module: authz.Payments, Action: authz.Create}, tag: "Invoices", summary: "Make a link by which the customer sees and pays an issued invoice", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[PayLinkView], error) {
			return act(ctx, c, in.ID, func(tx *tenant.Tx, i billing.InvoiceID) (PayLinkView, int, error) {
				_, link, err := c.server.payLink(ctx, tx, i)
				return PayLinkView{link, tx.Now().Add(linkLifetime)}, 0, err
			})
		})
}
