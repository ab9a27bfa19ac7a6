package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// TaxRateBody is what a program writes about a tax rate.
type TaxRateBody struct {
	Code      string `json:"code" doc:"Short and unique; invoice lines name it" example:"VAT23"`
	Name      string `json:"name" doc:"As documents show it" example:"VAT 23 %"`
	Percent   string `json:"percent" doc:"0 to 100, at most 6 decimals" example:"9.975"`
	Compound  bool   `json:"compound,omitempty" doc:"On the net amount and the taxes before it on the line"`
	AccountID string `json:"account_id,omitempty" doc:"Where the tax is owed; left out, the account for taxes"`
}

// TaxRateView is a tax rate as a program reads it.
type TaxRateView struct {
	ID string `json:"id"`
	TaxRateBody
	Archived bool `json:"archived"`
}

func (b TaxRateBody) input() (tax.RateInput, error) {
	in := tax.RateInput{Code: b.Code, Name: b.Name, Compound: b.Compound}
	var err error
	if in.Percent, err = bodyPercent("percent", b.Percent); err != nil {
		return in, err
	}
	in.Account, err = bodyID[ledger.Account]("account_id", b.AccountID)
	return in, err
}

// bodyPercent reads a percentage; empty is none.
func bodyPercent(field, s string) (decimal.Decimal, error) {
	if s == "" {
		return decimal.Zero, nil
	}
	d, err := money.ParseDecimal(s, money.PercentIntDigits, money.PercentFracDigits)
	return d, at(field, err)
}

func viewTaxRate(r tax.OwnRate) TaxRateView {
	return TaxRateView{ID: r.ID.String(), Archived: r.Archived, TaxRateBody: TaxRateBody{
		Code: r.Code, Name: r.Name, Percent: r.Percent.String(), Compound: r.Compound, AccountID: idText(r.Account)}}
}

func (s *Server) registerTaxAPI() {
	const tag = "Taxes"
	handle(s, operation{id: "list-tax-rates", method: "GET", path: "/v1/tax-rates", right: authz.Right{Module: authz.Taxes, Action: authz.Read}, tag: tag, summary: "List tax rates"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[TaxRateView]], error) {
			out := &Body[List[TaxRateView]]{Body: List[TaxRateView]{Items: []TaxRateView{}}}
			err := c.do(ctx, func(tx *tenant.Tx) error {
				rates, err := tax.Rates(ctx, tx)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, r := range rates {
					out.Body.Items = append(out.Body.Items, viewTaxRate(r))
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "add-tax-rate", method: "POST", path: "/v1/tax-rates", right: authz.Right{Module: authz.Taxes, Action: authz.Create}, tag: tag, summary: "Add a tax rate", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[TaxRateBody]) (*Versioned[TaxRateView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := tax.AddRate(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (TaxRateView, int, error) {
				v, err := tax.RateByID(ctx, tx, id.Of[tax.Rate]{UUID: made})
				return viewTaxRate(v), v.Version, err
			})
		})
	handle(s, operation{id: "get-tax-rate", method: "GET", path: "/v1/tax-rates/{id}", right: authz.Right{Module: authz.Taxes, Action: authz.Read}, tag: tag, summary: "Read a tax rate"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[TaxRateView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i tax.RateID) (TaxRateView, int, error) {
				v, err := tax.RateByID(ctx, tx, i)
				return viewTaxRate(v), v.Version, err
			})
		})
	handle(s, operation{id: "change-tax-rate", method: "PUT", path: "/v1/tax-rates/{id}", right: authz.Right{Module: authz.Taxes, Action: authz.Change}, tag: tag, summary: "Write a tax rate anew; what was invoiced stays as it was"},
		func(ctx context.Context, c *call, in *Change[TaxRateBody]) (*Versioned[TaxRateView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i tax.RateID, version int) (TaxRateView, int, error) {
				v, err := tax.ChangeRate(ctx, tx, i, version, input)
				return viewTaxRate(v), v.Version, err
			})
		})
	registerShelf(s, tag, "tax-rate", authz.Taxes, tax.ArchiveRate, tax.RestoreRate,
		func(v tax.OwnRate) (TaxRateView, int) { return viewTaxRate(v), v.Version })
}
