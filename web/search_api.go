package web

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/search"
	"github.com/countinghouse/countinghouse/tenant"
)

// SearchInput asks for what bears words or comes to an amount.
type SearchInput struct {
	Words string `query:"q" doc:"A number, name, order number or amount; fewer than two characters find nothing" maxLength:"100"`
	Limit int    `query:"limit" doc:"How many of each kind, 1 to 25" default:"10" minimum:"1" maximum:"25"`
}

// HitView is one thing that was found.
type HitView struct {
	Kind    string  `json:"kind" enum:"customer,payee,invoice,quote,order,credit_note,bill,payee_credit,recurring,payment,bill_payment,entry,product,account,person"`
	ID      string  `json:"id"`
	Number  string  `json:"number,omitempty" doc:"Of a document, an entry or an account"`
	Name    string  `json:"name,omitempty" doc:"Its own, or of the customer or payee whose it is"`
	Company string  `json:"company,omitempty"`
	Say     string  `json:"detail,omitempty" doc:"A description, a reference, an order number or an e-mail address"`
	State   string  `json:"state,omitempty" doc:"Of a document"`
	Date    *string `json:"date"`
	Amount  *Money  `json:"amount,omitempty" doc:"Of a document or payment"`
}

// SearchView is what a search found.
type SearchView struct {
	Items []HitView `json:"items" doc:"By kind, the newest of each first"`
}

func viewHit(h search.Hit) HitView {
	v := HitView{Kind: string(h.Kind), ID: h.ID.String(), Number: h.Number, Name: h.Name, Company: h.Company, Say: h.Say, State: h.State, Date: dateText(h.Date)}
	if !h.Amount.Currency.IsZero() {
		amount := moneyOf(h.Amount)
		v.Amount = &amount
	}
	return v
}

func (s *Server) registerSearchAPI() {
	handle(s, operation{id: "search", method: "GET", path: "/v1/search", anyRight: true, tag: "Search", summary: "Find by number, name, order number or amount"},
		func(ctx context.Context, c *call, in *SearchInput) (*Body[SearchView], error) {
			out := &Body[SearchView]{Body: SearchView{Items: []HitView{}}}
			err := c.glance(ctx, func(tx *tenant.Tx) error {
				hits, err := search.Find(ctx, tx, in.Words, c.findableBy(tx.Scope()), in.Limit)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, h := range hits {
					out.Body.Items = append(out.Body.Items, viewHit(h))
				}
				return err
			})
			return out, err
		})
}
