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
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// shownBills is how many of a payee's bills stand on their page.
const shownBills = 10

func (s *Server) registerPayeePages() {
	s.member("GET", "/payees", rightTo(authz.Read, authz.Payees), showPayees)
	s.member("GET", "/payees/new", rightTo(authz.Create, authz.Payees), func(v *visit) error { return showPayeeEdit(v, http.StatusOK, nil, true) })
	s.member("POST", "/payees", rightTo(authz.Create, authz.Payees), sendPayee)
	s.member("GET", "/payees/:id", rightTo(authz.Read, authz.Payees), func(v *visit) error { return showPayee(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/payees/:id/edit", rightTo(authz.Change, authz.Payees), func(v *visit) error { return showPayeeEdit(v, http.StatusOK, nil, false) })
	s.member("POST", "/payees/:id", rightTo(authz.Change, authz.Payees), sendPayeeChange)
	s.member("POST", "/payees/:id/customer", rightTo(authz.Create, authz.Customers), sendPayeeSold)
	s.member("POST", "/customers/:id/payee", rightTo(authz.Create, authz.Payees), sendCustomerBought)
	registerShelfPages(s, "/payees", authz.Payees, billing.ArchivePayee, billing.RestorePayee,
		func(v *visit, i billing.PayeeID) string { return v.at("payees", i.String()) },
		func(v *visit, form page.Form) error { return showPayee(v, http.StatusUnprocessableEntity, form) })
}

func showPayees(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "payees", func(tx *tenant.Tx) (any, error) {
		data := page.Payees{Archived: v.query("archived") != "", Tabs: v.usedTabs("payees"), Find: v.find("payees", "Name, company or email", "archived")}
		var err error
		if data.Shell, err = v.frame(tx, "Payees", "payees"); err != nil {
			return nil, err
		}
		found, err := billing.Payees(v.ctx, tx, billing.PayeeFilter{Search: data.Find.Search, Archived: data.Archived}, q)
		data.Items = found.Items
		data.Pager = pager(v, q, found, func(p billing.Payee) uuid.UUID { return p.ID.UUID }, "")
		data.Pager.ByName = true
		return data, err
	})
}

func showPayee(v *visit, status int, form page.Form) error {
	payee, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "payee", func(tx *tenant.Tx) (any, error) {
		data := page.Payee{Form: form, SoldKey: newFormKey()}
		var err error
		if data.Payee, err = billing.PayeeByID(v.ctx, tx, payee); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, data.Payee.Name, "payees"); err != nil {
			return nil, err
		}
		if !data.Payee.ExpenseAccount.IsZero() {
			account, err := ledger.AccountByID(v.ctx, tx, data.Payee.ExpenseAccount)
			if err != nil {
				return nil, err
			}
			data.Account = account.Code + " " + account.Name
		}
		if v.may(rightTo(authz.Delete, authz.Payees)) {
			data.Acts = append(data.Acts, archiveAct(v.at("payees", payee.String()), data.Payee.Archived, data.Payee.Version))
		}
		if !v.may(rightTo(authz.Read, authz.Bills)) {
			return data, nil
		}
		if data.Owed, err = billing.OwedTo(v.ctx, tx, payee); err != nil {
			return nil, err
		}
		bills, err := billing.Purchases(v.ctx, tx, billing.Bill, billing.PurchaseFilter{Payee: payee}, cursor.Query{Limit: shownBills})
		for _, h := range bills.Items {
			data.Bills = append(data.Bills, billRow(v, billDesk(), billing.Bill, h))
		}
		data.More = bills.HasMore
		return data, err
	})
}

func payeeInput(sent url.Values) (in billing.PayeeInput, err error) {
	if in.CustomerInput, err = customerInput(sent); err != nil {
		return in, err
	}
	in.ExpenseAccount, err = bodyID[ledger.Account]("expense_account_id", sent.Get("expense_account_id"))
	return in, err
}

func showPayeeEdit(v *visit, status int, refused *page.Form, fresh bool) error {
	var payee billing.PayeeID
	if !fresh {
		var err error
		if payee, err = idParam[billing.Customer](v, "id"); err != nil {
			return err
		}
	}
	return v.show(status, "payee-edit", func(tx *tenant.Tx) (any, error) {
		data := page.PayeeForm{Action: v.at("payees"), Back: v.at("payees"), Does: "Add payee"}
		title, empty := "Add payee", page.NewForm
		if !fresh {
			p, err := billing.PayeeByID(v.ctx, tx, payee)
			if err != nil {
				return nil, err
			}
			at := v.at("payees", payee.String())
			title, data.Action, data.Back, data.Does, data.Name = "Change payee", at, at, "Save payee", p.Name
			if refused != nil {
				renewVersion(refused, p.Version)
			}
			empty = func(...string) page.Form { return payeeForm(p) }
		}
		data.Form = orFresh(refused, func() page.Form { return empty() })
		var err error
		if data.Shell, err = v.frame(tx, title, "payees"); err != nil {
			return nil, err
		}
		data.Accounts, err = costAccounts(v.ctx, tx)
		return data, err
	})
}

func payeeForm(p billing.Payee) page.Form {
	c := p.Customer
	c.TermsDays = p.PayeeTermsDays
	form := customerForm(c)
	if !p.ExpenseAccount.IsZero() {
		form.Values.Set("expense_account_id", p.ExpenseAccount.String())
	}
	form.Values.Set("version", strconv.Itoa(p.Version))
	return form
}

func sendPayee(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := payeeInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := billing.AddPayee(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Payee added")
		return v.at("payees", made.String())
	}, func(form page.Form) error { return showPayeeEdit(v, http.StatusUnprocessableEntity, &form, true) })
}

func sendPayeeChange(v *visit) error {
	payee, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return payee.UUID, err
		}
		in, err := payeeInput(sent)
		if err != nil {
			return payee.UUID, err
		}
		_, err = billing.ChangePayee(v.ctx, tx, payee, version, in)
		return payee.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Payee saved")
		return v.at("payees", payee.String())
	}, func(form page.Form) error { return showPayeeEdit(v, http.StatusUnprocessableEntity, &form, false) })
}

func sendPayeeSold(v *visit) error {
	payee, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		p, err := billing.SellToPayee(v.ctx, tx, payee)
		return p.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "A customer too")
		return v.at("customers", payee.String())
	}, func(form page.Form) error { return showPayee(v, http.StatusUnprocessableEntity, form) })
}

func sendCustomerBought(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		p, err := billing.BuyFromCustomer(v.ctx, tx, customer)
		return p.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "A payee too")
		return v.at("payees", customer.String())
	}, func(form page.Form) error { return showCustomer(v, http.StatusUnprocessableEntity, form) })
}

// trimmed is a value of a form without the spaces around it.
func trimmed(sent url.Values, name string) string { return strings.TrimSpace(sent.Get(name)) }
