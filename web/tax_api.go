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
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// TaxRateBody is what a program writes about a tax rate.
type TaxRateBody struct {
	Code      string `json:"code" doc:"Short and unique; invoice lines name it" example:"VAT23"`
	Name      string `json:"name" doc:"As documents show it" example:"VAT 23 %"`
	Kind      string `json:"kind,omitempty" doc:"Left out, standard, and on a change as it is. A group's code stands for several rates" enum:"standard,zero,exempt,reverse_charge,group"`
	Percent   string `json:"percent,omitempty" doc:"0 to 100, at most 6 decimals; as of today. Only a standard rate has one" example:"9.975"`
	Since     string `json:"since,omitempty" doc:"On a change: the day that the percent holds from; left out, today if it is another percent. A new rate's holds from the beginning" maxLength:"10" example:"2027-01-01"`
	Compound  bool   `json:"compound,omitempty" doc:"On the net amount and the taxes before it on the line"`
	AccountID string `json:"account_id,omitempty" doc:"Where the tax is owed; left out, the account for taxes"`

	Unrecoverable  bool   `json:"unrecoverable,omitempty" doc:"What bills charge of it does not come back, and is part of the cost"`
	InputAccountID string `json:"input_account_id,omitempty" doc:"Where what bills charge of it is owed back; left out, account_id"`

	Reason       string   `json:"reason,omitempty" doc:"Printed on documents: why no tax is due. An exempt rate must say so"`
	Registration string   `json:"registration,omitempty" doc:"Your number for this tax, printed on documents that charge it" example:"12345 6789 RT0001"`
	Rates        []string `json:"rates,omitempty" doc:"Of a group: the codes of its rates, in order" maxItems:"8" example:"[\"GST\",\"QST\"]"`
}

// TaxRateView is a tax rate as a program reads it.
type TaxRateView struct {
	ID string `json:"id"`
	TaxRateBody
	FirstPercent string             `json:"first_percent" doc:"Before the first of percents"`
	Percents     []DatedPercentView `json:"percents" doc:"By day; a document has the percent of its issue date"`
	Archived     bool               `json:"archived"`
}

// DatedPercentView is a percent and the day that it holds from.
type DatedPercentView struct {
	Since   string `json:"since"`
	Percent string `json:"percent"`
}

// ReadyTaxesView is an entry of the lists of taxes that can be added at once.
type ReadyTaxesView struct {
	Key    string   `json:"key" example:"ca-qc"`
	List   string   `json:"list" example:"Canada"`
	Place  string   `json:"place" example:"Quebec"`
	Codes  []string `json:"codes" doc:"What lines name; of several rates the group"`
	Source string   `json:"source" doc:"Whose figures they are"`
	AsOf   string   `json:"as_of"`
}

// ReadyTaxesAdded says what was added.
type ReadyTaxesAdded struct {
	Added []string `json:"added" doc:"The codes of what was not there yet"`
}

type percentInput struct {
	IfMatch
	ID    string `path:"id" maxLength:"36"`
	Since string `path:"since" maxLength:"10"`
}

type readyInput struct {
	Key string `path:"key" maxLength:"20"`
}

func (b TaxRateBody) input() (tax.RateInput, error) {
	in := tax.RateInput{Code: b.Code, Name: b.Name, Compound: b.Compound, Kind: tax.Kind(b.Kind), Reason: b.Reason,
		Registration: b.Registration, Rates: b.Rates, Unrecoverable: b.Unrecoverable}
	var err error
	if in.Percent, err = bodyPercent("percent", b.Percent); err != nil {
		return in, err
	}
	if in.Since, err = bodyDate("since", b.Since); err != nil {
		return in, err
	}
	if in.InputAccount, err = bodyID[ledger.Account]("input_account_id", b.InputAccountID); err != nil {
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
	v := TaxRateView{ID: r.ID.String(), Archived: r.Archived, FirstPercent: r.First.String(), Percents: []DatedPercentView{}, TaxRateBody: TaxRateBody{
		Code: r.Code, Name: r.Name, Kind: string(r.Kind), Percent: r.Percent.String(), Compound: r.Compound, AccountID: idText(r.Account),
		Reason: r.Reason, Registration: r.Registration, Rates: r.MemberCodes(),
		Unrecoverable: !r.Recoverable, InputAccountID: idText(r.InputAccount)}}
	for _, p := range r.Percents {
		v.Percents = append(v.Percents, DatedPercentView{p.Since.String(), p.Percent.String()})
	}
	return v
}

func readyTaxes() []ReadyTaxesView {
	var all []ReadyTaxesView
	for _, list := range tax.ReadyLists() {
		for _, item := range list.Items {
			all = append(all, ReadyTaxesView{item.Key, list.Name, item.Place, item.Codes(), list.Source, list.AsOf.String()})
		}
	}
	return all
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
	handle(s, operation{id: "change-tax-rate", method: "PUT", path: "/v1/tax-rates/{id}", right: authz.Right{Module: authz.Taxes, Action: authz.Change}, tag: tag, summary: "Write a tax rate anew; what was invoiced stays as it was, and another percent holds from a day on"},
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
	handle(s, operation{id: "drop-tax-percent", method: "POST", path: "/v1/tax-rates/{id}/percents/{since}/drop", right: authz.Right{Module: authz.Taxes, Action: authz.Change}, tag: tag, summary: "Take back that a rate has another percent from a day on"},
		func(ctx context.Context, c *call, in *percentInput) (*Versioned[TaxRateView], error) {
			since, err := civil.Parse(in.Since)
			if err != nil {
				return nil, at("since", err)
			}
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i tax.RateID, version int) (TaxRateView, int, error) {
				v, err := tax.DropPercent(ctx, tx, i, version, since)
				return viewTaxRate(v), v.Version, err
			})
		})
	handle(s, operation{id: "list-ready-taxes", method: "GET", path: "/v1/ready-taxes", right: authz.Right{Module: authz.Taxes, Action: authz.Read}, tag: tag, summary: "List taxes that can be added at once: VAT by country, GST, HST, PST and QST by province"},
		func(context.Context, *call, *struct{}) (*Body[List[ReadyTaxesView]], error) {
			return &Body[List[ReadyTaxesView]]{Body: List[ReadyTaxesView]{Items: readyTaxes()}}, nil
		})
	handle(s, operation{id: "add-ready-taxes", method: "POST", path: "/v1/ready-taxes/{key}/add", right: authz.Right{Module: authz.Taxes, Action: authz.Create}, tag: tag, summary: "Add the taxes of a country or province; what is there stays"},
		func(ctx context.Context, c *call, in *readyInput) (*Body[ReadyTaxesAdded], error) {
			out := &Body[ReadyTaxesAdded]{}
			err := c.do(ctx, func(tx *tenant.Tx) error {
				added, err := tax.AddReady(ctx, tx, in.Key)
				out.Body.Added = append([]string{}, added...)
				return err
			})
			return out, err
		})
	registerShelf(s, tag, "tax-rate", authz.Taxes, tax.ArchiveRate, tax.RestoreRate,
		func(v tax.OwnRate) (TaxRateView, int) { return viewTaxRate(v), v.Version })
}
