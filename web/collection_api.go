package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/tenant"
)

// CollectionView is how an invoice is collected by itself, as a program reads it.
type CollectionView struct {
	State  string  `json:"state" doc:"none: it has not begun; running, stopped, done" example:"running"`
	Tries  int     `json:"tries" doc:"How often it was tried"`
	Of     int     `json:"of" doc:"How often it is tried at most"`
	NextOn *string `json:"next_on" doc:"When it is tried again, while it is running"`
	Reason string  `json:"reason,omitempty" doc:"Why it stopped, in a few words for people"`
}

func viewCollection(c billing.Collection) CollectionView {
	out := CollectionView{State: string(c.State), Tries: c.Step, Of: billing.CollectionTries, NextOn: dateText(c.NextOn), Reason: c.Reason}
	if out.State == "" {
		out.State = "none"
	}
	return out
}

func (s *Server) registerCollectionAPI() {
	if s.Till == nil {
		return
	}
	const tag = "Invoices"
	change := authz.Right{Module: authz.Payments, Action: authz.Change}
	handle(s, operation{id: "get-collection", method: "GET", path: "/v1/invoices/{id}/collection", right: authz.Right{Module: authz.Payments, Action: authz.Read}, tag: tag, summary: "Read how far an invoice is collected by itself"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[CollectionView], error) {
			return collect(ctx, c, in, func(*tenant.Tx, billing.InvoiceID) error { return nil })
		})
	handle(s, operation{id: "start-collection", method: "POST", path: "/v1/invoices/{id}/collection/start", right: change, tag: tag, summary: "Collect an invoice by itself, from the first try on: today, or when it falls due"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[CollectionView], error) {
			return collect(ctx, c, in, func(tx *tenant.Tx, i billing.InvoiceID) error { return billing.ResumeCollection(ctx, tx, i) })
		})
	handle(s, operation{id: "stop-collection", method: "POST", path: "/v1/invoices/{id}/collection/stop", right: change, tag: tag, summary: "Stop collecting an invoice by itself, begun or not"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[CollectionView], error) {
			return collect(ctx, c, in, func(tx *tenant.Tx, i billing.InvoiceID) error { return billing.StopCollection(ctx, tx, i) })
		})
}

// collect does something to the collection of an invoice and answers with how it stands then.
func collect(ctx context.Context, c *call, in *ByID, do func(tx *tenant.Tx, i billing.InvoiceID) error) (*Versioned[CollectionView], error) {
	return act(ctx, c, in.ID, func(tx *tenant.Tx, i billing.InvoiceID) (CollectionView, int, error) {
		if _, err := billing.InvoiceByID(ctx, tx, i); err != nil {
			return CollectionView{}, 0, err
		}
		if err := do(tx, i); err != nil {
			return CollectionView{}, 0, err
		}
		now, err := billing.CollectionOf(ctx, tx, i)
		return viewCollection(now), 0, err
	})
}
