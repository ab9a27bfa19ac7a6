package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errDays = fault.New(fault.Invalid, "payment_terms.malformed", "Give a whole number of days, from 0 to 365.").At("payment_terms_days")

func (s *Server) registerSettingsPages() {
	s.member("GET", "/settings", rightTo(authz.Read, authz.Settings), func(v *visit) error { return showSettings(v, http.StatusOK, nil) })
	s.member("POST", "/settings", rightTo(authz.Change, authz.Settings), sendSettings)
}

func showSettings(v *visit, status int, refused *page.Form) error {
	return v.show(status, "settings", func(tx *tenant.Tx) (any, error) {
		s, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form {
			collect := ""
			if s.CollectAutomatically {
				collect = "yes"
			}
			return page.NewForm("collect_automatically", collect, "name", s.Name, "time_zone", s.TimeZone, "country", s.Country, "street", s.Street, "city", s.City,
				"region", s.Region, "postal_code", s.PostalCode, "tax_number", s.TaxNumber, "invoice_prefix", s.InvoicePrefix,
				"invoice_numbering", s.InvoiceNumbering.String(), "quote_numbering", s.QuoteNumbering.String(),
				"credit_note_numbering", s.CreditNoteNumbering.String(), "quote_days", strconv.Itoa(s.QuoteDays),
				"payment_terms_days", strconv.Itoa(s.PaymentTermsDays), "tax_rounding", s.TaxRounding.String(), "version", strconv.Itoa(s.Version))
		})
		renewVersion(&form, s.Version)
		next, err := billing.NextNumbers(v.ctx, tx, s)
		if err != nil {
			return nil, err
		}
		shell, err := v.frame(tx, "Settings", "settings")
		return page.Settings{Shell: shell, Form: form, Next: next, Currency: s.BaseCurrency, Closed: s.BooksClosedThrough,
			Rounding: []page.Option{{Value: "line", Label: "On each line"}, {Value: "document", Label: "Once a document"}}}, err
	})
}

func settingsInput(sent url.Values) (billing.SettingsInput, error) {
	days, err := strconv.Atoi(strings.TrimSpace(sent.Get("payment_terms_days")))
	if err != nil {
		return billing.SettingsInput{}, errDays
	}
	var stands *int
	if written := strings.TrimSpace(sent.Get("quote_days")); written != "" {
		days, err := strconv.Atoi(written)
		if err != nil {
			return billing.SettingsInput{}, billing.ErrQuoteDays.At("quote_days")
		}
		stands = &days
	}
	return SettingsBody{InvoiceNumbering: sent.Get("invoice_numbering"), QuoteNumbering: sent.Get("quote_numbering"),
		CreditNoteNumbering: sent.Get("credit_note_numbering"), QuoteDays: stands, Name: sent.Get("name"), TimeZone: sent.Get("time_zone"), Country: sent.Get("country"), Street: sent.Get("street"),
		City: sent.Get("city"), Region: sent.Get("region"), PostalCode: sent.Get("postal_code"), TaxNumber: sent.Get("tax_number"),
		InvoicePrefix: sent.Get("invoice_prefix"), PaymentTermsDays: days, TaxRounding: sent.Get("tax_rounding"),
		Collect: sent.Get("collect_automatically") != ""}.input()
}

func sendSettings(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := settingsInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = billing.ChangeSettings(v.ctx, tx, version, in)
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Settings saved")
		return v.at("settings")
	}, func(form page.Form) error { return showSettings(v, http.StatusUnprocessableEntity, &form) })
}
