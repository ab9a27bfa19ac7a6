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
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNoPercent = fault.New(fault.Invalid, "tax.percent_missing", "Give the percentage; 0 for a rate of nothing.").At("percent")

func (s *Server) registerTaxPages() {
	s.member("GET", "/taxes", rightTo(authz.Read, authz.Taxes), showTaxes)
	s.member("GET", "/taxes/new", rightTo(authz.Create, authz.Taxes), func(v *visit) error { return renderNewTax(v, http.StatusOK, nil) })
	s.member("GET", "/taxes/new-group", rightTo(authz.Create, authz.Taxes), func(v *visit) error { return renderNewTaxGroup(v, http.StatusOK, nil) })
	s.member("GET", "/taxes/ready", rightTo(authz.Create, authz.Taxes), func(v *visit) error { return showReadyTaxes(v, http.StatusOK, nil) })
	s.member("POST", "/taxes/ready/:key", rightTo(authz.Create, authz.Taxes), addReadyTaxes)
	s.member("POST", "/taxes", rightTo(authz.Create, authz.Taxes), sendTax)
	s.member("GET", "/taxes/:id", rightTo(authz.Change, authz.Taxes), func(v *visit) error { return showTaxEdit(v, http.StatusOK, nil, nil) })
	s.member("POST", "/taxes/:id", rightTo(authz.Change, authz.Taxes), sendTaxChange)
	s.member("POST", "/taxes/:id/percents/:since/drop", rightTo(authz.Change, authz.Taxes), dropTaxPercent)
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
	percent, kind := strings.TrimSpace(sent.Get("percent")), tax.Kind(sent.Get("kind"))
	body := TaxRateBody{Code: sent.Get("code"), Name: sent.Get("name"), Kind: string(kind), Percent: percent, Since: sent.Get("since"),
		Compound: sent.Get("compound") != "", AccountID: sent.Get("account_id"), Reason: sent.Get("reason"), Registration: sent.Get("registration"),
		Unrecoverable: sent.Get("unrecoverable") != "", InputAccountID: sent.Get("input_account_id")}
	for i := range tax.MaxRates {
		if code := sent.Get("rates[" + strconv.Itoa(i) + "]"); code != "" {
			body.Rates = append(body.Rates, code)
		}
	}
	in, err := body.input()
	if percent == "" && (kind == "" || kind == tax.Standard) {
		return in, errNoPercent
	}
	return in, err
}

func renderNewTax(v *visit, status int, refused *page.Form) error {
	return v.show(status, "tax-edit", func(tx *tenant.Tx) (any, error) {
		form := orFresh(refused, func() page.Form { return page.NewForm("kind", string(tax.Standard)) })
		return taxEditor(v, tx, page.TaxForm{Form: form, Action: v.at("taxes"), Back: v.at("taxes"), Does: "Add tax rate", Kinds: page.TaxKinds()}, "Add tax rate")
	})
}

func taxEditor(v *visit, tx *tenant.Tx, data page.TaxForm, title string) (any, error) {
	var err error
	if data.Shell, err = v.frame(tx, title, "taxes"); err != nil {
		return nil, err
	}
	accounts, err := ledger.Accounts(v.ctx, tx)
	data.Accounts = accountOptions(accounts, inUse(data.Form.Value("account_id"), ledger.KindLiability, ledger.KindExpense))
	data.Inputs = accountOptions(accounts, inUse(data.Form.Value("input_account_id"), ledger.KindAsset, ledger.KindLiability))
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
		say(v.c, "Tax added")
		return v.at("taxes")
	}, func(form page.Form) error {
		if form.Value("kind") == string(tax.Group) {
			return renderNewTaxGroup(v, http.StatusUnprocessableEntity, &form)
		}
		return renderNewTax(v, http.StatusUnprocessableEntity, &form)
	})
}

// showTaxEdit shows a rate's form: as it was refused, or afresh with what an act beside it was refused for.
func showTaxEdit(v *visit, status int, refused *page.Form, acting fault.List) error {
	id, err := idParam[tax.Rate](v, "id")
	if err != nil {
		return err
	}
	var r tax.OwnRate
	err = v.run(func(tx *tenant.Tx) (err error) {
		r, err = tax.RateByID(v.ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	form := orFresh(refused, func() page.Form { return taxFormOf(r) })
	form.Faults = append(form.Faults, acting...)
	renewVersion(&form, r.Version)
	if r.Kind == tax.Group {
		return showTaxGroup(v, status, r, form)
	}
	return v.show(status, "tax-edit", func(tx *tenant.Tx) (any, error) {
		at := v.at("taxes", r.ID.String())
		data := page.TaxForm{Form: form, Action: at, Back: v.at("taxes"), Does: "Save tax rate", Name: r.Name, Archived: r.Archived, Kind: r.Kind,
			First: r.First.String(), Acts: taxActs(v, r)}
		for _, p := range r.Percents {
			data.Percents = append(data.Percents, page.TaxPercent{DatedPercent: p, Acts: []page.Act{{URL: at + "/percents/" + p.Since.String() + "/drop",
				Label: "Take back", Icon: "trash-2", Class: "btn-small", Key: newFormKey(), Version: r.Version}}})
		}
		return taxEditor(v, tx, data, "Change "+r.Name)
	})
}

func taxActs(v *visit, r tax.OwnRate) []page.Act {
	if !v.may(rightTo(authz.Delete, authz.Taxes)) {
		return nil
	}
	return []page.Act{archiveAct(v.at("taxes", r.ID.String()), r.Archived, r.Version)}
}

func taxFormOf(r tax.OwnRate) page.Form {
	fresh := page.NewForm("code", r.Code, "name", r.Name, "kind", string(r.Kind), "percent", r.Percent.String(), "account_id", r.Account.String(),
		"reason", r.Reason, "registration", r.Registration, "version", strconv.Itoa(r.Version))
	if r.Compound {
		fresh.Values.Set("compound", "yes")
	}
	if !r.Recoverable {
		fresh.Values.Set("unrecoverable", "yes")
	}
	if !r.InputAccount.IsZero() {
		fresh.Values.Set("input_account_id", r.InputAccount.String())
	}
	for i, code := range r.MemberCodes() {
		fresh.Values.Set("rates["+strconv.Itoa(i)+"]", code)
	}
	return fresh
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
		say(v.c, "Tax saved")
		return v.at("taxes")
	}, func(form page.Form) error { return showTaxEdit(v, http.StatusUnprocessableEntity, &form, nil) })
}

func dropTaxPercent(v *visit) error {
	id, err := idParam[tax.Rate](v, "id")
	if err != nil {
		return err
	}
	since, err := civil.Parse(v.c.Params("since"))
	if err != nil {
		return errNoID
	}
	return v.act(func(tx *tenant.Tx, version int) error {
		_, err := tax.DropPercent(v.ctx, tx, id, version, since)
		return err
	}, func() string {
		say(v.c, "Percent taken back")
		return v.at("taxes", id.String())
	}, func(form page.Form) error {
		return showTaxEdit(v, http.StatusUnprocessableEntity, nil, form.Faults)
	})
}
