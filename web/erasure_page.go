package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerErasurePages() {
	s.member("GET", "/customers/:id/data", rightTo(authz.Read, authz.Customers), func(v *visit) error { return showErasure(v, http.StatusOK, nil) })
	s.closedToSupport("GET", "/customers/:id/data.zip", rightTo(authz.Export, authz.Customers), fetchPerson)
	s.closedToSupport("POST", "/customers/:id/erase", rightTo(authz.Delete, authz.Customers), sendErasure)
	s.member("POST", "/settings/keeping", rightTo(authz.Change, authz.Settings), sendKeeping)
}

func showErasure(v *visit, status int, sent *page.Form) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "customer-data", func(tx *tenant.Tx) (any, error) {
		data := page.Erasure{Form: orFresh(sent, func() page.Form { return page.NewForm() })}
		var err error
		if data.Customer, err = billing.CustomerByID(v.ctx, tx, customer); err != nil {
			return nil, err
		}
		e, err := billing.ErasureOf(v.ctx, tx, customer)
		if err != nil {
			return nil, err
		}
		data.Done, data.After = e.Done, e.After
		if data.Years, err = billing.KeepYears(v.ctx, tx); err != nil {
			return nil, err
		}
		data.Shell, err = v.frame(tx, "Personal data of "+data.Customer.Name, "customers")
		return data, err
	})
}

func sendErasure(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		_, err := billing.EraseCustomer(v.ctx, tx, customer, sent.Get("files") != "")
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Personal data erased")
		return v.at("customers", customer.String(), "data")
	}, func(form page.Form) error { return showErasure(v, http.StatusUnprocessableEntity, &form) })
}

func fetchPerson(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	if err := v.beginPerson(v.ctx, customer); err != nil {
		return err
	}
	return v.stream("person.zip", "application/zip", func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		return takeout.WritePerson(ctx, run, customer.UUID, w)
	})
}

// beginPerson looks whether there is the customer, and has it on record that someone took all that is kept of them.
func (c *call) beginPerson(ctx context.Context, customer billing.CustomerID) error {
	return c.do(ctx, func(tx *tenant.Tx) error {
		if _, err := billing.CustomerByID(ctx, tx, customer); err != nil {
			return err
		}
		return tx.Record(ctx, tenant.Act{Action: "customer.export", Object: "customer", ID: customer.UUID})
	})
}

func sendKeeping(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		years, err := strconv.Atoi(sent.Get("keep_years"))
		if err != nil {
			return uuid.Nil, billing.ErrKeepYears
		}
		return uuid.Nil, billing.ChangeKeepYears(v.ctx, tx, years)
	}, func(uuid.UUID) string {
		say(v.c, "Saved")
		return v.at("settings", "exports")
	}, func(form page.Form) error { return showExports(v, http.StatusUnprocessableEntity, &form) })
}

func erasureView(e billing.Erasure) ErasureView {
	return ErasureView{Done: e.Done, After: dateText(e.After)}
}
