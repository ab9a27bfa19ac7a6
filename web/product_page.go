package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerProductPages() {
	s.member("GET", "/products", rightTo(authz.Read, authz.Products), showProducts)
	s.member("GET", "/products/new", rightTo(authz.Create, authz.Products), showNewProduct)
	s.member("POST", "/products", rightTo(authz.Create, authz.Products), sendProduct)
	s.member("GET", "/products/:id", rightTo(authz.Read, authz.Products), func(v *visit) error { return showProduct(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/products/:id/edit", rightTo(authz.Change, authz.Products), func(v *visit) error { return showProductEdit(v, http.StatusOK, nil) })
	s.member("POST", "/products/:id", rightTo(authz.Change, authz.Products), sendProductChange)
	registerShelfPages(s, "/products", authz.Products, billing.ArchiveProduct, billing.RestoreProduct,
		func(v *visit, i billing.ProductID) string { return v.at("products", i.String()) },
		func(v *visit, form page.Form) error { return showProduct(v, http.StatusUnprocessableEntity, form) })
}

func showProducts(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "products", func(tx *tenant.Tx) (any, error) {
		data := page.Products{Archived: v.query("archived") != "", Tabs: v.usedTabs("products"),
			Find: v.find("products", "Name or description", "archived")}
		var err error
		if data.Shell, err = v.frame(tx, "Products", "products"); err != nil {
			return nil, err
		}
		found, err := billing.Products(v.ctx, tx, billing.ProductFilter{Search: data.Find.Search, Archived: data.Archived}, q)
		data.Items = found.Items
		data.Pager = pager(v, q, found, func(p billing.Product) uuid.UUID { return p.ID.UUID }, "")
		data.Pager.ByName = true
		return data, err
	})
}

func showProduct(v *visit, status int, form page.Form) error {
	id, err := idParam[billing.Product](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "product", func(tx *tenant.Tx) (any, error) {
		data := page.Product{Form: form}
		var err error
		if data.Product, err = billing.ProductByID(v.ctx, tx, id); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, data.Product.Name, "products"); err != nil {
			return nil, err
		}
		var account ledger.Account
		if data.Product.IncomeAccount.IsZero() {
			account, err = ledger.AccountFor(v.ctx, tx, ledger.Income)
		} else {
			account, err = ledger.AccountByID(v.ctx, tx, data.Product.IncomeAccount)
		}
		data.Account = account.Code + " " + account.Name
		if v.may(rightTo(authz.Delete, authz.Products)) {
			data.Acts = append(data.Acts, archiveAct(v.at("products", id.String()), data.Product.Archived, data.Product.Version))
		}
		return data, err
	})
}

func productInput(sent url.Values) (billing.ProductInput, error) {
	return ProductBody{ExternalID: sent.Get("external_id"), Name: sent.Get("name"), Description: sent.Get("description"),
		UnitPrice: strings.TrimSpace(sent.Get("unit_price")), Currency: sent.Get("currency"), IncomeAccountID: sent.Get("income_account_id"),
		Shop: shopOffer(sent)}.input()
}

// shopOffer reads how a product is sold in the shop.
func shopOffer(sent url.Values) *OfferBody {
	every, err := strconv.Atoi(strings.TrimSpace(sent.Get("recurring_every")))
	if err != nil { // what is no number is refused as what is none, unless it is not asked for
		every = 0
	}
	return &OfferBody{InShop: sent.Get("in_shop") != "", Type: sent.Get("product_type"), Unit: sent.Get("recurring_unit"), Every: every,
		Taxes: strings.Fields(sent.Get("tax_codes"))}
}

func productForm(p billing.Product) page.Form {
	account := ""
	if !p.IncomeAccount.IsZero() {
		account = p.IncomeAccount.String()
	}
	return page.NewForm("external_id", p.ExternalID, "name", p.Name, "description", p.Description,
		"unit_price", page.PlainPrice(p.UnitPrice, p.Currency), "currency", p.Currency.Code(), "income_account_id", account,
		"in_shop", box(p.InShop), "product_type", p.Type, "recurring_unit", p.Unit, "recurring_every", strconv.Itoa(p.Every), "tax_codes", p.Codes,
		"version", strconv.Itoa(p.Version))
}

func showNewProduct(v *visit) error { return renderNewProduct(v, http.StatusOK, nil) }

func renderNewProduct(v *visit, status int, refused *page.Form) error {
	return v.show(status, "product-edit", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form { return page.NewForm("currency", settings.BaseCurrency.Code()) })
		return productEditor(v, tx, page.ProductForm{Form: form, Action: v.at("products"), Back: v.at("products"), Does: "Add product"}, "Add product")
	})
}

func productEditor(v *visit, tx *tenant.Tx, data page.ProductForm, title string) (any, error) {
	data.Form.Move("account_id", "income_account_id")
	var err error
	if data.Shell, err = v.frame(tx, title, "products"); err != nil {
		return nil, err
	}
	accounts, err := ledger.Accounts(v.ctx, tx)
	data.Accounts = accountOptions(accounts, inUse(data.Form.Value("income_account_id"), ledger.KindIncome))
	return data, err
}

func sendProduct(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := productInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := billing.AddProduct(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Product added")
		return v.at("products", made.String())
	}, func(form page.Form) error { return renderNewProduct(v, http.StatusUnprocessableEntity, &form) })
}

func showProductEdit(v *visit, status int, refused *page.Form) error {
	id, err := idParam[billing.Product](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "product-edit", func(tx *tenant.Tx) (any, error) {
		p, err := billing.ProductByID(v.ctx, tx, id)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form { return productForm(p) })
		renewVersion(&form, p.Version)
		at := v.at("products", id.String())
		return productEditor(v, tx, page.ProductForm{Form: form, Action: at, Back: at, Does: "Save product", Name: p.Name}, "Change product")
	})
}

func sendProductChange(v *visit) error {
	id, err := idParam[billing.Product](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return id.UUID, err
		}
		in, err := productInput(sent)
		if err != nil {
			return id.UUID, err
		}
		_, err = billing.ChangeProduct(v.ctx, tx, id, version, in)
		return id.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Product saved")
		return v.at("products", id.String())
	}, func(form page.Form) error { return showProductEdit(v, http.StatusUnprocessableEntity, &form) })
}
