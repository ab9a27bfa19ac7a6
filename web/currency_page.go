package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerCurrencyPages() {
	s.member("GET", "/currencies", rightTo(authz.Read, authz.Journal), func(v *visit) error { return showCurrencies(v, http.StatusOK, nil, nil) })
	s.member("POST", "/currencies", rightTo(authz.Create, authz.Journal), sendExchangeRate)
	s.member("POST", "/currencies/import", rightTo(authz.Create, authz.Journal), sendExchangeRates)
	s.member("POST", "/currencies/drop", rightTo(authz.Create, authz.Journal), dropExchangeRate)
	s.member("GET", "/currencies/revaluation", rightTo(authz.Read, authz.Journal), func(v *visit) error { return showRevaluation(v, http.StatusOK, nil) })
	s.member("POST", "/currencies/revaluation", rightTo(authz.Create, authz.Journal), sendRevaluation)
}

// showCurrencies shows the rates, and the two forms as they were refused or afresh.
func showCurrencies(v *visit, status int, adding, importing *page.Form) error {
	return v.show(status, "currencies", func(tx *tenant.Tx) (any, error) {
		data := page.CurrencyRates{Chosen: strings.TrimSpace(v.query("currency")), Revalued: v.at("currencies", "revaluation")}
		var err error
		if data.Shell, err = v.frame(tx, "Currencies", "currencies"); err != nil {
			return nil, err
		}
		if data.Base, err = currency.Base(v.ctx, tx); err != nil {
			return nil, err
		}
		filter := currency.Filter{}
		if data.Chosen != "" {
			if filter.Currency, err = money.ParseCurrency(data.Chosen); err != nil {
				return nil, at("currency", err)
			}
		}
		today, err := ledger.Today(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(adding, func() page.Form {
			return page.NewForm("currency", data.Base.Code(), "date", today.String())
		})
		data.Import = orFresh(importing, func() page.Form { return page.NewForm("since", civil.On(today.Year()-1, 1, 1).String()) })
		data.Form.ID, data.Import.ID = "add", "import"
		data.Rates, err = currency.Rates(v.ctx, tx, filter)
		data.More = len(data.Rates) == currency.ListLimit
		return data, err
	})
}

func exchangeRateBody(sent url.Values) ExchangeRateBody {
	return ExchangeRateBody{Unit: sent.Get("unit"), Currency: sent.Get("currency"), Date: sent.Get("date"), Rate: strings.TrimSpace(sent.Get("rate"))}
}

func sendExchangeRate(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		rate, err := exchangeRateBody(sent).rate()
		if err == nil {
			_, err = currency.SetRate(v.ctx, tx, rate)
		}
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Exchange rate saved")
		return v.at("currencies")
	}, func(form page.Form) error { return showCurrencies(v, http.StatusUnprocessableEntity, &form, nil) })
}

func sendExchangeRates(v *visit) error {
	var done currency.Imported
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		since, err := bodyDate("since", sent.Get("since"))
		if err == nil {
			done, err = currency.ImportECB(v.ctx, tx, strings.NewReader(sent.Get("csv")), since)
		}
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, fmt.Sprintf("%d rates imported", done.Rates))
		return v.at("currencies")
	}, func(form page.Form) error { return showCurrencies(v, http.StatusUnprocessableEntity, nil, &form) })
}

func dropExchangeRate(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		body := exchangeRateBody(sent)
		body.Rate = "1" // which rate it is says the day
		rate, err := body.rate()
		if err == nil {
			err = currency.DropRate(v.ctx, tx, rate.Unit, rate.Currency, rate.Date)
		}
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Exchange rate taken back")
		return v.at("currencies")
	}, func(form page.Form) error { return showCurrencies(v, http.StatusUnprocessableEntity, &form, nil) })
}

// showRevaluation shows what foreign currency is worth on the day of the form or of the address; without one it is the last day of the
// month before.
func showRevaluation(v *visit, status int, refused *page.Form) error {
	return v.show(status, "revaluation", func(tx *tenant.Tx) (any, error) {
		data := page.Revaluation{MayPost: v.may(rightTo(authz.Create, authz.Journal))}
		var err error
		if data.Shell, err = v.frame(tx, "Revaluation", "currencies"); err != nil {
			return nil, err
		}
		today, err := ledger.Today(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Day = civil.On(today.Year(), today.Month(), 1).AddDays(-1)
		asked := v.query("date")
		if refused != nil {
			asked = refused.Value("date")
		}
		if day, err := civil.Parse(asked); err == nil {
			data.Day = day
		} else if asked != "" && refused == nil {
			return nil, at("date", err)
		}
		data.Form = orFresh(refused, func() page.Form { return page.NewForm("date", data.Day.String()) })
		if data.Valuation, err = currency.ValuationOn(v.ctx, tx, data.Day); err != nil && (refused == nil || !isFormFault(err)) {
			return nil, err
		}
		data.Done, err = currency.Revaluations(v.ctx, tx)
		for _, r := range data.Done {
			data.Stands = data.Stands || r.Date == data.Day && !r.Replaced
		}
		return data, err
	})
}

func sendRevaluation(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		day, err := bodyDate("date", sent.Get("date"))
		if err != nil {
			return uuid.Nil, err
		}
		r, err := currency.Revalue(v.ctx, tx, day)
		return r.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Revaluation posted")
		return v.at("currencies", "revaluation")
	}, func(form page.Form) error { return showRevaluation(v, http.StatusUnprocessableEntity, &form) })
}
