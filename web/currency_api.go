package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// ExchangeRateBody is what a program writes about a rate.
type ExchangeRateBody struct {
	Unit     string `json:"unit" doc:"One of this currency" example:"USD" maxLength:"3"`
	Currency string `json:"currency" doc:"is so much of this one" example:"EUR" maxLength:"3"`
	Date     string `json:"date" doc:"The day; it holds for 10 more, until there is a newer one" example:"2026-11-20" maxLength:"10"`
	Rate     string `json:"rate" doc:"Decimal, at most 12 digits before the point and 12 after" example:"0.8677" maxLength:"26"`
}

// ExchangeRateView is a rate as a program reads it.
type ExchangeRateView struct {
	ExchangeRateBody
	Source string `json:"source" doc:"manual, or ecb for the European Central Bank"`
}

// QuoteView is what one currency is worth in another on a day.
type QuoteView struct {
	Rate string             `json:"rate"`
	By   []ExchangeRateView `json:"by" doc:"The rates that it rests on: one, or two through the euro"`
}

// ExchangeRatesBody is a file of rates.
type ExchangeRatesBody struct {
	CSV   string `json:"csv" doc:"As the European Central Bank publishes it: Date, USD, JPY and so on, per euro"`
	Since string `json:"since,omitempty" doc:"Days before are left out" maxLength:"10"`
}

// ExchangeRatesView says what was imported.
type ExchangeRatesView struct {
	Rates   int      `json:"rates"`
	First   *string  `json:"first"`
	Last    *string  `json:"last"`
	Skipped []string `json:"skipped" doc:"Codes that are of no active currency"`
}

// DropRateBody names a rate.
type DropRateBody struct {
	Unit     string `json:"unit" maxLength:"3"`
	Currency string `json:"currency" maxLength:"3"`
	Date     string `json:"date" maxLength:"10"`
}

// PositionView is what there is of a foreign currency on an account.
type PositionView struct {
	AccountID string `json:"account_id"`
	Code      string `json:"code"`
	Name      string `json:"name"`
	Balance   Money  `json:"balance"`
	Rate      string `json:"rate" doc:"One unit in the base currency, on the day"`
	Carried   Money  `json:"carried" doc:"What it was worth when it came"`
	Worth     Money  `json:"worth"`
	Gain      Money  `json:"gain"`
}

// ValuationView is what foreign currency is worth at the end of a day.
type ValuationView struct {
	Date      string             `json:"date"`
	Positions []PositionView     `json:"positions"`
	Gain      Money              `json:"gain"`
	Missing   []ExchangeRateBody `json:"missing" doc:"Currencies and days without a rate; nothing can be posted before there is one"`
}

// RevaluationBody asks for a revaluation.
type RevaluationBody struct {
	Date string `json:"date" doc:"The day at whose end; a revaluation of the same day is replaced" example:"2026-12-31" maxLength:"10"`
}

// RevaluationView is a revaluation that was posted.
type RevaluationView struct {
	ID       string `json:"id"`
	Date     string `json:"date"`
	EntryID  string `json:"journal_entry_id"`
	BackID   string `json:"taken_back_by" doc:"The entry of the next day that takes it back"`
	Gain     Money  `json:"gain"`
	Replaced bool   `json:"replaced"`
}

type ratesInput struct {
	Currency string `query:"currency" doc:"On either side" maxLength:"3"`
	Until    string `query:"until" maxLength:"10"`
}

type quoteInput struct {
	From string `query:"from" required:"true" maxLength:"3"`
	To   string `query:"to" required:"true" maxLength:"3"`
	Date string `query:"date" required:"true" maxLength:"10"`
}

type valuationInput struct {
	Date string `query:"date" required:"true" maxLength:"10"`
}

func (b ExchangeRateBody) rate() (r currency.Rate, err error) {
	if r.Unit, err = money.ParseCurrency(b.Unit); err != nil {
		return r, at("unit", err)
	}
	if r.Currency, err = money.ParseCurrency(b.Currency); err != nil {
		return r, at("currency", err)
	}
	if r.Date, err = bodyDate("date", b.Date); err != nil {
		return r, err
	}
	r.Rate, err = money.ParseDecimal(b.Rate, currency.RateIntDigits, currency.RateFracDigits)
	return r, at("rate", err)
}

func viewExchangeRate(r currency.Rate) ExchangeRateView {
	return ExchangeRateView{ExchangeRateBody{r.Unit.Code(), r.Currency.Code(), r.Date.String(), r.Rate.String()}, r.Source}
}

func viewValuation(v currency.Valuation) ValuationView {
	out := ValuationView{Date: v.Date.String(), Positions: []PositionView{}, Gain: moneyOf(v.Gain), Missing: []ExchangeRateBody{}}
	for _, p := range v.Positions {
		out.Positions = append(out.Positions, PositionView{p.Account.String(), p.Code, p.Name, moneyOf(p.Balance), p.Rate.String(), moneyOf(p.Carried), moneyOf(p.Worth), moneyOf(p.Gain)})
	}
	for _, m := range v.Missing {
		out.Missing = append(out.Missing, ExchangeRateBody{Unit: m.Unit.Code(), Currency: m.Currency.Code(), Date: m.Date.String()})
	}
	return out
}

func viewRevaluation(r currency.Revaluation) RevaluationView {
	return RevaluationView{r.ID.String(), r.Date.String(), r.Entry.String(), r.Back.String(), moneyOf(r.Gain), r.Replaced}
}

func (s *Server) registerCurrencyAPI() {
	const tag = "Currencies"
	reading, writing := authz.Right{Module: authz.Journal, Action: authz.Read}, authz.Right{Module: authz.Journal, Action: authz.Create}
	handle(s, operation{id: "list-exchange-rates", method: "GET", path: "/v1/exchange-rates", right: reading, tag: tag, summary: "List exchange rates, the newest first, at most 300"},
		func(ctx context.Context, c *call, in *ratesInput) (*Body[List[ExchangeRateView]], error) {
			return listExchangeRates(ctx, c, in)
		})
	handle(s, operation{id: "quote-exchange-rate", method: "GET", path: "/v1/exchange-rates/quote", right: reading, tag: tag, summary: "What one currency is worth in another on a day"},
		func(ctx context.Context, c *call, in *quoteInput) (*Body[QuoteView], error) {
			return quoteExchangeRate(ctx, c, in)
		})
	handle(s, operation{id: "set-exchange-rate", method: "PUT", path: "/v1/exchange-rates", right: writing, tag: tag, summary: "Enter an exchange rate, in the place of one of the same day"},
		func(ctx context.Context, c *call, in *struct{ Body ExchangeRateBody }) (*Body[ExchangeRateView], error) {
			rate, err := in.Body.rate()
			if err != nil {
				return nil, err
			}
			out := &Body[ExchangeRateView]{}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				kept, err := currency.SetRate(ctx, tx, rate)
				out.Body = viewExchangeRate(kept)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "drop-exchange-rate", method: "POST", path: "/v1/exchange-rates/drop", right: writing, tag: tag, summary: "Take an exchange rate back; what was issued and paid keeps it", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *struct{ Body DropRateBody }) (*struct{}, error) {
			rate, err := ExchangeRateBody{in.Body.Unit, in.Body.Currency, in.Body.Date, "1"}.rate()
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return currency.DropRate(ctx, tx, rate.Unit, rate.Currency, rate.Date) })
		})
	handle(s, operation{id: "import-exchange-rates", method: "POST", path: "/v1/exchange-rates/import", right: writing, tag: tag, summary: "Import a file of rates of the European Central Bank; what was entered by hand stays"},
		func(ctx context.Context, c *call, in *struct{ Body ExchangeRatesBody }) (*Body[ExchangeRatesView], error) {
			return importExchangeRates(ctx, c, in.Body)
		})
	handle(s, operation{id: "preview-revaluation", method: "GET", path: "/v1/revaluations/preview", right: reading, tag: tag, summary: "What foreign currency is worth at the end of a day"},
		func(ctx context.Context, c *call, in *valuationInput) (*Body[ValuationView], error) {
			day, err := bodyDate("date", in.Date)
			if err != nil {
				return nil, err
			}
			out := &Body[ValuationView]{}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				v, err := currency.ValuationOn(ctx, tx, day)
				if err == nil {
					out.Body = viewValuation(v)
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "list-revaluations", method: "GET", path: "/v1/revaluations", right: reading, tag: tag, summary: "List revaluations, the newest day first"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[RevaluationView]], error) {
			out := &Body[List[RevaluationView]]{Body: List[RevaluationView]{Items: []RevaluationView{}}}
			err := c.do(ctx, func(tx *tenant.Tx) error {
				all, err := currency.Revaluations(ctx, tx)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, r := range all {
					out.Body.Items = append(out.Body.Items, viewRevaluation(r))
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "revalue", method: "POST", path: "/v1/revaluations", right: writing, tag: tag, summary: "Post what a day's foreign currency gained or lost, and take it back on the next day", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[RevaluationBody]) (*Versioned[ValuationView], error) {
			day, err := bodyDate("date", in.Body.Date)
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				r, err := currency.Revalue(ctx, tx, day)
				return r.ID.UUID, err
			}, func(tx *tenant.Tx, _ uuid.UUID) (ValuationView, int, error) {
				v, err := currency.ValuationOn(ctx, tx, day)
				if err != nil {
					return ValuationView{}, 0, err
				}
				return viewValuation(v), 0, nil
			})
		})
}

func listExchangeRates(ctx context.Context, c *call, in *ratesInput) (*Body[List[ExchangeRateView]], error) {
	filter := currency.Filter{}
	var err error
	if in.Currency != "" {
		if filter.Currency, err = money.ParseCurrency(in.Currency); err != nil {
			return nil, at("currency", err)
		}
	}
	if filter.Until, err = bodyDate("until", in.Until); err != nil {
		return nil, err
	}
	out := &Body[List[ExchangeRateView]]{Body: List[ExchangeRateView]{Items: []ExchangeRateView{}}}
	err = c.do(ctx, func(tx *tenant.Tx) error {
		all, err := currency.Rates(ctx, tx, filter)
		out.Body.Items = out.Body.Items[:0] // it may run twice
		for _, r := range all {
			out.Body.Items = append(out.Body.Items, viewExchangeRate(r))
		}
		out.Body.HasMore = len(all) == currency.ListLimit
		return err
	})
	return out, err
}

func quoteExchangeRate(ctx context.Context, c *call, in *quoteInput) (*Body[QuoteView], error) {
	from, err := money.ParseCurrency(in.From)
	if err != nil {
		return nil, at("from", err)
	}
	to, err := money.ParseCurrency(in.To)
	if err != nil {
		return nil, at("to", err)
	}
	day, err := bodyDate("date", in.Date)
	if err != nil {
		return nil, err
	}
	out := &Body[QuoteView]{}
	err = c.do(ctx, func(tx *tenant.Tx) error {
		q, err := currency.QuoteOn(ctx, tx, from, to, day)
		out.Body = QuoteView{Rate: q.Rate.String(), By: []ExchangeRateView{}}
		for _, r := range q.Parts {
			out.Body.By = append(out.Body.By, viewExchangeRate(r))
		}
		return err
	})
	return out, err
}

func importExchangeRates(ctx context.Context, c *call, body ExchangeRatesBody) (*Body[ExchangeRatesView], error) {
	since, err := bodyDate("since", body.Since)
	if err != nil {
		return nil, err
	}
	out := &Body[ExchangeRatesView]{}
	err = c.do(ctx, func(tx *tenant.Tx) error {
		done, err := currency.ImportECB(ctx, tx, strings.NewReader(body.CSV), since)
		out.Body = ExchangeRatesView{done.Rates, dateText(done.First), dateText(done.Last), append([]string{}, done.Skipped...)}
		return err
	})
	return out, err
}
