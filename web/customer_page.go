package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// shownInvoices is how many of a customer's invoices stand on their page.
const shownInvoices = 10

func (s *Server) registerCustomerPages() {
	s.member("GET", "/customers", rightTo(authz.Read, authz.Customers), showCustomers)
	s.member("GET", "/customers/new", rightTo(authz.Create, authz.Customers), showNewCustomer)
	s.member("POST", "/customers", rightTo(authz.Create, authz.Customers), sendCustomer)
	s.member("GET", "/customers/:id", rightTo(authz.Read, authz.Customers), func(v *visit) error { return showCustomer(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/customers/:id/edit", rightTo(authz.Change, authz.Customers), func(v *visit) error { return showCustomerEdit(v, http.StatusOK, nil) })
	s.member("POST", "/customers/:id", rightTo(authz.Change, authz.Customers), sendCustomerChange)
	registerShelfPages(s, "/customers", authz.Customers, billing.ArchiveCustomer, billing.RestoreCustomer,
		func(v *visit, i billing.CustomerID) string { return v.at("customers", i.String()) },
		func(v *visit, form page.Form) error { return showCustomer(v, http.StatusUnprocessableEntity, form) })
}

func showCustomers(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "customers", func(tx *tenant.Tx) (any, error) {
		data := page.Customers{Archived: v.query("archived") != "", Tabs: v.usedTabs("customers"),
			Find: v.find("customers", "Name, company or email", "archived")}
		var err error
		if data.Shell, err = v.frame(tx, "Customers", "customers"); err != nil {
			return nil, err
		}
		found, err := billing.Customers(v.ctx, tx, billing.CustomerFilter{Search: data.Find.Search, Archived: data.Archived}, q)
		data.Items = found.Items
		data.Pager = pager(v, q, found, func(c billing.Customer) uuid.UUID { return c.ID.UUID }, "")
		data.Pager.ByName = true
		return data, err
	})
}

func showCustomer(v *visit, status int, form page.Form) error {
	id, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	owed, ok, err := v.owedBy(id)
	if err != nil {
		return err
	}
	return v.show(status, "customer", func(tx *tenant.Tx) (any, error) {
		data := page.Customer{Taken: v.server.Till != nil, Form: form, Owed: owed, TooLarge: !ok}
		var err error
		if data.Customer, err = billing.CustomerByID(v.ctx, tx, id); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, data.Customer.Name, "customers"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		invoices, err := billing.Invoices(v.ctx, tx, billing.InvoiceFilter{CustomerID: id}, cursor.Query{Limit: shownInvoices})
		data.Invoices, data.More = page.NewInvoiceTable(data.Shell, settings.BaseCurrency, invoices.Items), invoices.HasMore
		data.Invoices.OfOne = true
		if v.may(rightTo(authz.Read, authz.Payments)) {
			if data.Credit, err = creditRows(v, tx, id, money.Currency{}); err != nil {
				return nil, err
			}
		}
		if v.may(rightTo(authz.Delete, authz.Customers)) {
			data.Acts = append(data.Acts, archiveAct(v.at("customers", id.String()), data.Customer.Archived, data.Customer.Version))
		}
		return data, err
	})
}

// owedBy reads what a customer owes, like figures in a transaction of its own.
func (v *visit) owedBy(customer billing.CustomerID) (owed []page.Owed, ok bool, err error) {
	var balances []report.CustomerBalance
	err = v.run(func(tx *tenant.Tx) (err error) {
		balances, err = report.CustomerBalances(v.ctx, tx, civil.Date{})
		return err
	})
	if errors.Is(err, report.ErrSumTooLarge) {
		return nil, false, nil
	}
	for _, b := range balances {
		if b.Customer == customer.UUID {
			owed = append(owed, page.Owed{Amount: b.Owed, Overdue: b.Overdue, Invoices: b.Invoices})
		}
	}
	return owed, true, err
}

func customerInput(sent url.Values) (billing.CustomerInput, error) {
	var terms *int
	if written := strings.TrimSpace(sent.Get("payment_terms_days")); written != "" {
		days, err := strconv.Atoi(written)
		if err != nil {
			return billing.CustomerInput{}, errDays
		}
		terms = &days
	}
	return CustomerBody{TaxNumber: sent.Get("tax_number"), Language: sent.Get("language"), TermsDays: terms,
		ExternalID: sent.Get("external_id"), Name: sent.Get("name"), Company: sent.Get("company"), Email: sent.Get("email"),
		Phone: sent.Get("phone"), Street: sent.Get("street"), City: sent.Get("city"), Region: sent.Get("region"),
		PostalCode: sent.Get("postal_code"), Country: sent.Get("country")}.input(), nil
}

func customerForm(c billing.Customer) page.Form {
	terms := ""
	if c.TermsDays != nil {
		terms = strconv.Itoa(*c.TermsDays)
	}
	return page.NewForm("tax_number", c.TaxNumber, "language", c.Language, "payment_terms_days", terms, "external_id", c.ExternalID, "name", c.Name, "company", c.Company, "email", c.Email, "phone", c.Phone,
		"street", c.Street, "city", c.City, "region", c.Region, "postal_code", c.PostalCode, "country", c.Country,
		"version", strconv.Itoa(c.Version))
}

func showNewCustomer(v *visit) error {
	return renderNewCustomer(v, http.StatusOK, keyed(page.NewForm()))
}

func renderNewCustomer(v *visit, status int, form page.Form) error {
	return v.show(status, "customer-edit", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Add customer", "customers")
		return page.CustomerForm{Shell: shell, Form: form, Action: v.at("customers"), Back: v.at("customers"), Does: "Add customer"}, err
	})
}

func sendCustomer(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := customerInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		made, err := billing.AddCustomer(v.ctx, tx, in)
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Customer added")
		return v.at("customers", made.String())
	}, func(form page.Form) error { return renderNewCustomer(v, http.StatusUnprocessableEntity, form) })
}

func showCustomerEdit(v *visit, status int, refused *page.Form) error {
	id, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "customer-edit", func(tx *tenant.Tx) (any, error) {
		c, err := billing.CustomerByID(v.ctx, tx, id)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Change customer", "customers")
		form := orFresh(refused, func() page.Form { return customerForm(c) })
		renewVersion(&form, c.Version)
		at := v.at("customers", id.String())
		return page.CustomerForm{Shell: shell, Form: form, Action: at, Back: at, Does: "Save customer", Name: c.Name}, err
	})
}

func sendCustomerChange(v *visit) error {
	id, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return id.UUID, err
		}
		in, err := customerInput(sent)
		if err != nil {
			return id.UUID, err
		}
		_, err = billing.ChangeCustomer(v.ctx, tx, id, version, in)
		return id.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Customer saved")
		return v.at("customers", id.String())
	}, func(form page.Form) error { return showCustomerEdit(v, http.StatusUnprocessableEntity, &form) })
}
