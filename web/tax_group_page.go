package web

import (
	"net/http"

	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// shownGroupRates is how many rates a form has room for at first.
const shownGroupRates = 4

func renderNewTaxGroup(v *visit, status int, refused *page.Form) error {
	form := orFresh(refused, func() page.Form { return page.NewForm() })
	return v.show(status, "tax-group-edit", func(tx *tenant.Tx) (any, error) {
		return taxGroupEditor(v, tx, page.TaxGroupForm{Form: form, Action: v.at("taxes"), Back: v.at("taxes"), Does: "Add group"}, "Add tax group")
	})
}

func showTaxGroup(v *visit, status int, r tax.OwnRate, form page.Form) error {
	return v.show(status, "tax-group-edit", func(tx *tenant.Tx) (any, error) {
		return taxGroupEditor(v, tx, page.TaxGroupForm{Form: form, Action: v.at("taxes", r.ID.String()), Back: v.at("taxes"), Does: "Save group",
			Name: r.Name, Archived: r.Archived, Acts: taxActs(v, r)}, "Change "+r.Name)
	})
}

func taxGroupEditor(v *visit, tx *tenant.Tx, data page.TaxGroupForm, title string) (any, error) {
	var err error
	if data.Shell, err = v.frame(tx, title, "taxes"); err != nil {
		return nil, err
	}
	data.Form.Move("rates", data.RateField(0))
	for i := range tax.MaxRates {
		if i < shownGroupRates || data.Form.Value(data.RateField(i-1)) != "" {
			data.Places = append(data.Places, i)
		}
	}
	rates, err := tax.Rates(v.ctx, tx)
	for _, r := range rates {
		if r.Kind != tax.Group && !r.Archived {
			data.Rates = append(data.Rates, page.Option{Value: r.Code, Label: r.Code + ", " + r.Name})
		}
	}
	return data, err
}

// showReadyTaxes shows the lists that taxes can be added from.
func showReadyTaxes(v *visit, status int, refused *page.Form) error {
	return v.show(status, "taxes-ready", func(tx *tenant.Tx) (any, error) {
		var data page.ReadyTaxes
		var err error
		if refused != nil {
			data.Form = *refused
		}
		if data.Shell, err = v.frame(tx, "Ready taxes", "taxes"); err != nil {
			return nil, err
		}
		rates, err := tax.Rates(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		there := map[string]bool{}
		for _, r := range rates {
			there[r.Code] = true
		}
		for _, list := range tax.ReadyLists() {
			shown := page.ReadyTaxList{ReadyList: list}
			for _, item := range list.Items {
				row := page.ReadyTax{Ready: item, Have: true, Act: page.Act{URL: v.at("taxes", "ready", item.Key), Label: "Add", Icon: "plus",
					Class: "btn-small", Key: newFormKey(), Version: 1}}
				for _, code := range item.Codes() {
					row.Have = row.Have && there[code]
				}
				shown.Rows = append(shown.Rows, row)
			}
			data.Lists = append(data.Lists, shown)
		}
		return data, nil
	})
}

func addReadyTaxes(v *visit) error {
	key := v.c.Params("key")
	return v.act(func(tx *tenant.Tx, _ int) error {
		_, err := tax.AddReady(v.ctx, tx, key)
		return err
	}, func() string {
		say(v.c, "Taxes added")
		return v.at("taxes")
	}, func(form page.Form) error { return showReadyTaxes(v, http.StatusUnprocessableEntity, &form) })
}
