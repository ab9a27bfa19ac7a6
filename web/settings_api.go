package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

var errTaxRounding = fault.New(fault.Invalid, "tax_rounding.unknown", "Round taxes per line or per document: line, document.").At("tax_rounding")

// SettingsBody is what may be changed of an organization's settings.
type SettingsBody struct {
	Name                string `json:"name"`
	TimeZone            string `json:"time_zone" doc:"IANA name; business dates are taken in it" example:"Europe/Dublin"`
	Country             string `json:"country" doc:"ISO 3166-1 alpha-2" example:"IE"`
	Street              string `json:"street,omitempty"`
	City                string `json:"city,omitempty"`
	Region              string `json:"region,omitempty"`
	PostalCode          string `json:"postal_code,omitempty"`
	TaxNumber           string `json:"tax_number,omitempty"`
	InvoicePrefix       string `json:"invoice_prefix" doc:"What invoice numbers begin with" example:"INV-"`
	InvoiceNumbering    string `json:"invoice_numbering,omitempty" doc:"How numbers look; left out, as it is" example:"{YYYY}-{0000}"`
	QuoteNumbering      string `json:"quote_numbering,omitempty" doc:"Left out, as it is" example:"QUO-{0000}"`
	CreditNoteNumbering string `json:"credit_note_numbering,omitempty" doc:"Left out, as it is" example:"CN-{0000}"`
	QuoteDays           *int   `json:"quote_days,omitempty" doc:"For how many days a quote stands, 0 to 365; left out, as it is"`
	PaymentTermsDays    int    `json:"payment_terms_days" doc:"Days from issue to due, 0 to 365"`
	TaxRounding         string `json:"tax_rounding" doc:"line or document" example:"line"`
	Collect             bool   `json:"collect_automatically,omitempty" doc:"Charge the cards that customers left, and remind by mail, when an invoice falls due"`
}

// SettingsView is an organization's settings.
type SettingsView struct {
	SettingsBody
	BaseCurrency       string  `json:"base_currency" doc:"The currency that the books are kept in"`
	BooksClosedThrough *string `json:"books_closed_through" doc:"Nothing is posted on or before this date"`
}

func (b SettingsBody) input() (billing.SettingsInput, error) {
	rounding, ok := tax.ParsePolicy(b.TaxRounding)
	if !ok {
		return billing.SettingsInput{}, errTaxRounding
	}
	return billing.SettingsInput{Name: b.Name, TimeZone: b.TimeZone, Country: b.Country, Street: b.Street, City: b.City, Region: b.Region,
		PostalCode: b.PostalCode, TaxNumber: b.TaxNumber, InvoicePrefix: b.InvoicePrefix, PaymentTermsDays: b.PaymentTermsDays, TaxRounding: rounding,
		CollectAutomatically: b.Collect, InvoiceNumbering: b.InvoiceNumbering, QuoteNumbering: b.QuoteNumbering,
		CreditNoteNumbering: b.CreditNoteNumbering, QuoteDays: b.QuoteDays}, nil
}

func viewSettings(s billing.Settings) SettingsView {
	return SettingsView{BaseCurrency: s.BaseCurrency.Code(), BooksClosedThrough: dateText(s.BooksClosedThrough), SettingsBody: SettingsBody{
		Name: s.Name, TimeZone: s.TimeZone, Country: s.Country, Street: s.Street, City: s.City, Region: s.Region, PostalCode: s.PostalCode,
		TaxNumber: s.TaxNumber, InvoicePrefix: s.InvoicePrefix, PaymentTermsDays: s.PaymentTermsDays, TaxRounding: s.TaxRounding.String(), Collect: s.CollectAutomatically,
		InvoiceNumbering: s.InvoiceNumbering.String(), QuoteNumbering: s.QuoteNumbering.String(),
		CreditNoteNumbering: s.CreditNoteNumbering.String(), QuoteDays: &s.QuoteDays}}
}

type settingsChange struct {
	IfMatch
	Body SettingsBody
}

func (s *Server) registerSettingsAPI() {
	const tag = "Settings"
	handle(s, operation{id: "get-settings", method: "GET", path: "/v1/settings", right: authz.Right{Module: authz.Settings, Action: authz.Read}, tag: tag, summary: "Read the organization's settings"},
		func(ctx context.Context, c *call, _ *struct{}) (out *Versioned[SettingsView], err error) {
			err = c.do(ctx, func(tx *tenant.Tx) error {
				v, err := billing.LoadSettings(ctx, tx)
				out = versioned(viewSettings(v), v.Version)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "change-settings", method: "PUT", path: "/v1/settings", right: authz.Right{Module: authz.Settings, Action: authz.Change}, tag: tag, summary: "Write the organization's settings anew"},
		func(ctx context.Context, c *call, in *settingsChange) (out *Versioned[SettingsView], err error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				v, err := billing.ChangeSettings(ctx, tx, version, input)
				out = versioned(viewSettings(v), v.Version)
				return err
			})
			return out, err
		})
}
