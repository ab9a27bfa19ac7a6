package web

import (
	"bytes"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerStatementPages() {
	s.member("GET", "/customers/:id/statement", rightTo(authz.Read, authz.Reports), func(v *visit) error { return showStatement(v, http.StatusOK, nil) })
	for _, format := range fileFormats {
		s.member("GET", "/customers/:id/statement."+string(format), rightTo(authz.Export, authz.Reports), func(v *visit) error { return fetchStatement(v, format) })
	}
	s.member("GET", "/customers/:id/statement.pdf", rightTo(authz.Read, authz.Reports), fetchStatementPDF)
	s.member("POST", "/customers/:id/statement/send", rightTo(authz.Approve, authz.Invoices), sendStatement)
}

// statementPeriod reads the days of the address; left out, from the first of the month before last to today.
func statementPeriod(v *visit, tx *tenant.Tx, from, to string) (p report.Period, err error) {
	if p.From, err = bodyDate("from", from); err != nil {
		return p, err
	}
	if p.To, err = bodyDate("to", to); err != nil {
		return p, err
	}
	today, err := ledger.Today(v.ctx, tx)
	if err != nil {
		return p, err
	}
	if p.To.IsZero() {
		p.To = today
	}
	if p.From.IsZero() {
		p.From = civil.On(p.To.Year(), p.To.Month()-2, 1)
	}
	return p, nil
}

func showStatement(v *visit, status int, sent *page.Form) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "statement", func(tx *tenant.Tx) (any, error) {
		from, to := v.query("from"), v.query("to")
		if sent != nil {
			from, to = sent.Value("from"), sent.Value("to")
		}
		period, err := statementPeriod(v, tx, from, to)
		if err != nil {
			return nil, err
		}
		c, err := billing.CustomerByID(v.ctx, tx, customer)
		if err != nil {
			return nil, err
		}
		data := page.Statement{Customer: c, From: period.From, To: period.To,
			Form: orFresh(sent, func() page.Form { return keyed(page.NewForm("to_email", c.Email)) })}
		query := "?from=" + period.From.String() + "&to=" + period.To.String()
		data.PDF = v.at("customers", customer.String(), "statement.pdf") + query
		if v.may(rightTo(authz.Export, authz.Reports)) {
			data.CSV = v.at("customers", customer.String(), "statement.csv") + query
		}
		if data.Parts, err = report.StatementOf(v.ctx, tx, customer.UUID, period); err != nil {
			return nil, err
		}
		data.Shell, err = v.frame(tx, "Statement of "+c.Name, "customers")
		return data, err
	})
}

func fetchStatement(v *visit, format report.Format) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	var parts []report.Statement
	err = v.run(func(tx *tenant.Tx) error {
		period, err := statementPeriod(v, tx, v.query("from"), v.query("to"))
		if err != nil {
			return err
		}
		if _, err := billing.CustomerByID(v.ctx, tx, customer); err != nil {
			return err
		}
		parts, err = report.StatementOf(v.ctx, tx, customer.UUID, period)
		return err
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := report.WriteStatement(&out, format, parts); err != nil {
		return err
	}
	return v.fileAs("statement", format, out.Bytes())
}

func fetchStatementPDF(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	var paper invoicepdf.Statement
	err = v.run(func(tx *tenant.Tx) error {
		period, err := statementPeriod(v, tx, v.query("from"), v.query("to"))
		if err != nil {
			return err
		}
		paper, err = billing.StatementPaperOf(v.ctx, tx, customer, period)
		return err
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := invoicepdf.WriteStatement(&out, paper); err != nil {
		return err
	}
	v.c.Set("Content-Type", "application/pdf")
	v.c.Set("Content-Disposition", `inline; filename="statement.pdf"`)
	return v.c.Send(out.Bytes())
}

func sendStatement(v *visit) error {
	customer, err := idParam[billing.Customer](v, "id")
	if err != nil {
		return err
	}
	to := ""
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		period, err := statementPeriod(v, tx, sent.Get("from"), sent.Get("to"))
		if err != nil {
			return uuid.Nil, err
		}
		m, err := billing.MailStatementOf(v.ctx, tx, customer, period.From, period.To, billing.MailInput{To: sent.Get("to_email"), Message: sent.Get("message")})
		to = m.Email
		return m.ID.UUID, at("to_email", err)
	}, func(uuid.UUID) string {
		if to != "" {
			say(v.c, "On its way to "+to)
		}
		return v.at("customers", customer.String())
	}, func(form page.Form) error { return showStatement(v, http.StatusUnprocessableEntity, &form) })
}
