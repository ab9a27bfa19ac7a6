package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/phone"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPhoneCheckPages() {
	s.member("GET", "/settings/phone-check", rightTo(authz.Read, authz.Settings), func(v *visit) error { return showPhoneCheck(v, http.StatusOK, nil, nil) })
	s.member("POST", "/settings/phone-check", rightTo(authz.Change, authz.Settings), sendPhoneCheck)
	s.member("POST", "/settings/phone-check/products", rightTo(authz.Change, authz.Settings), sendPhoneCheckProduct)
}

func phoneCheckForm(r phone.Rules) page.Form {
	f := page.NewForm("when", string(r.When), "types", r.TypesText(), "filter", r.Filter, "text", r.Text, "ways", r.Ways, "minutes", strconv.Itoa(r.Minutes),
		"tries", strconv.Itoa(r.Tries), "delay", strconv.Itoa(r.Delay), "number_day", strconv.Itoa(r.NumberDay), "network_day", strconv.Itoa(r.NetworkDay),
		"denied", strings.Join(r.Denied, " "), "version", strconv.Itoa(r.Version), "join", box(r.Join))
	f.Values["kinds"] = r.Kinds
	return f
}

func showPhoneCheck(v *visit, status int, refused, product *page.Form) error {
	return v.show(status, "phone-check", func(tx *tenant.Tx) (any, error) {
		r, err := phone.LoadRules(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data := page.PhoneCheck{Form: orFresh(refused, func() page.Form { return phoneCheckForm(r) }),
			ProductForm: orFresh(product, func() page.Form { return page.NewForm("when", string(phone.Before)) }), Gateways: v.server.keepsTextGateways()}
		ways, err := v.server.Phones.Ways(v.ctx, tx, phone.Rules{Ways: "text call"})
		if err != nil {
			return nil, err
		}
		data.Sends = len(ways) > 0
		renewVersion(&data.Form, r.Version)
		data.ProductForm.ID = "own"
		if data.Shell, err = v.frame(tx, "Phone check", "phone-check"); err != nil {
			return nil, err
		}
		if data.Products, err = phone.ProductRules(v.ctx, tx); err != nil {
			return nil, err
		}
		if !v.may(rightTo(authz.Read, authz.Products)) {
			return data, nil
		}
		found, err := billing.Products(v.ctx, tx, billing.ProductFilter{}, cursor.Query{Limit: cursor.Max})
		for _, p := range found.Items {
			data.Choices = append(data.Choices, page.Option{Value: p.ID.String(), Label: p.Name})
		}
		return data, err
	})
}

// numbersOf reads whole numbers; what is none is out of all bounds.
func numberOf(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}

func sendPhoneCheck(v *visit) error {
	return v.save([]string{"kinds"}, v.at("settings", "phone-check"), "Phone check saved", func(tx *tenant.Tx, version int, sent url.Values) error {
		types, err := phone.ParseTypes(sent.Get("types"))
		if err != nil {
			return err
		}
		_, err = v.server.changePhoneCheck(v.ctx, tx, version, phone.Rules{When: phone.When(sent.Get("when")), Join: sent.Get("join") != "", Types: types, Filter: sent.Get("filter"), Text: sent.Get("text"),
			Ways: sent.Get("ways"), Minutes: numberOf(sent.Get("minutes")), Tries: numberOf(sent.Get("tries")), Delay: numberOf(sent.Get("delay")),
			NumberDay: numberOf(sent.Get("number_day")), NetworkDay: numberOf(sent.Get("network_day")),
			Denied: strings.Fields(strings.ToUpper(sent.Get("denied"))), Kinds: sent["kinds"]})
		return err
	}, func(form page.Form) error { return showPhoneCheck(v, http.StatusUnprocessableEntity, &form, nil) })
}

func sendPhoneCheckProduct(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		product, ok := id.Parse[billing.Product](sent.Get("product_id"))
		if !ok {
			return uuid.Nil, phone.ErrProduct.At("product_id")
		}
		return uuid.Nil, v.server.setProductPhoneCheck(v.ctx, tx, product, phone.When(sent.Get("when")))
	}, func(uuid.UUID) string {
		say(v.c, "Phone check saved")
		return v.at("settings", "phone-check")
	}, func(form page.Form) error { return showPhoneCheck(v, http.StatusUnprocessableEntity, nil, &form) })
}
