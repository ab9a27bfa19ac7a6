package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNoPercent = fault.New(fault.Invalid, "tax.percent_missing", "Give the percentage; 0 for a rate of nothing.").At("percent")

func (s *Server) registerTaxPages() {
	s.member("GET", "/taxes", rightTo(authz.Read, authz.Taxes), showTaxes)
	s.member("GET", "/taxes/new", rightTo(authz.Create, authz.Taxes), func(v *visit) error { return renderNewTax(v, http.StatusOK, nil) })
	s.member("POST", "/taxes", rightTo(authz.Create, authz.Taxes), sendTax)
	s.member("GET", "/taxes/:id", rightTo(authz.Change, authz.Taxes), func(v *visit) error { return showTaxEdit(v, http.StatusOK, nil, nil) })
	s.member("POST", "/taxes/:id", rightTo(authz.Change, authz.Taxes), sendTaxChange)
	registerShelfPages(s, "/taxes", authz.Taxes, tax.ArchiveRate, tax.RestoreRate,
		func(v *visit, _ tax.RateID) string { return v.at("taxes") },
		func(v *visit, form page.Form) error {
			return showTaxEdit(v, http.StatusUnprocessableEntity, nil, form.Faults)
		})
}

func showTaxes(v *visit) error {
	return v.show(http.StatusOK, "taxes", func(tx *tenant.Tx) (any, error) {
		data := page.Taxes{Archived: v.query("archived") != "", Tabs: v.usedTabs("taxes")}
		var err error
		if data.Shell, err = v.frame(tx, "Taxes", "taxes"); err != nil {
			return nil, err
		}
		accounts, err := ledger.Accounts(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		names := map[ledger.AccountID]string{}
		for _, a := range accounts {
			names[a.ID] = a.Code + " " + a.Name
		}
		rates, err := tax.Rates(v.ctx, tx)
		for _, r := range rates {
			if r.Archived == data.Archived {
				data.Rates = append(data.Rates, page.TaxRate{OwnRate: r, Owed: names[r.Account]})
			}
		}
		return data, err
	})
}

func taxInput(sent url.Values) (tax.RateInput, error) {
	percent := strings.TrimSpace(sent.Get("percent"))
	in, err := TaxRateBody{Code: sent.Get("code"), Name: sent.Get("name"), Percent: percent,
		Compound: sent.Get("compound") != "", AccountID: sent.Get("account_id")}.input()
	if percent == "" {
		return in, errNoPercent
	}
	return in, err
}

func renderNewTax(v *visit, status int, refused *page.Form) error {
	return v.show(status, "tax-edit", func(tx *tenant.Tx) (any, error) {
		form := orFresh(refused, func() page.Form { return page.NewForm() })
		return taxEditor(v, tx, page.TaxForm{Form: form, Action: v.at("taxes"), Back: v.at("taxes"), Does: "Add tax rate"}, "Add tax rate")
	})
}

func taxEditor(v *visit, tx *tenant.Tx, data page.TaxForm, title string) (any, error) {
	var err error
	if data.Shell, err = v.frame(tx, title, "taxes"); err != nil {
		return nil, err
	}
	accounts, err := ledger.Accounts(v.ctx, tx)
	data.Accounts = accountOptions(accounts, inUse(data.Form.Value("account_id"), ledger.KindLiability, ledger.KindExpense))
	return data, err
}

func sendTax(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := taxInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := tax.AddRate(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Tax rate added")
		return v.at("taxes")
	}, func(form page.Form) error { return renderNewTax(v, http.StatusUnprocessableEntity, &form) })
}

// showTaxEdit shows a rate's form: as it was refused, or afresh with what an act beside it was refused for.
func showTaxEdit(v *visit, status int, refused *page.Form, acting fault.List) error {
	id, err := idParam[tax.Rate](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "tax-edit", func(tx *tenant.Tx) (any, error) {
		r, err := tax.RateByID(v.ctx, tx, id)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form {
			fresh := page.NewForm("code", r.Code, "name", r.Name, "percent", r.Percent.String(), "account_id", r.Account.String(), "version", strconv.Itoa(r.Version))
			if r.Compound {
				fresh.Values.Set("compound", "yes")
			}
			return fresh
		})
		form.Faults = append(form.Faults, acting...)
		renewVersion(&form, r.Version)
		at := v.at("taxes", id.String())
		data := page.TaxForm{Form: form, Action: at, Back: v.at("taxes"), Does: "Save tax rate", Name: r.Name, Archived: r.Archived}
		if v.may(rightTo(authz.Delete, authz.Taxes)) {
			data.Acts = append(data.Acts, archiveAct(at, r.Archived, r.Version))
		}
		return taxEditor(v, tx, data, "Change "+r.Name)
	})
}

func sendTaxChange(v *visit) error {
	id, err := idParam[tax.Rate](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return id.UUID, err
		}
		in, err := taxInput(sent)
		if err != nil {
			return id.UUID, err
		}
		_, err = tax.ChangeRate(v.ctx, tx, id, version, in)
		return id.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Tax rate saved")
		return v.at("taxes")
	}, func(form page.Form) error { return showTaxEdit(v, http.StatusUnprocessableEntity, &form, nil) })
}
