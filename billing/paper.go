package billing

import (
	"context"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

// PaperOf is an invoice as it stands on paper today, with the organization's own look.
func PaperOf(ctx context.Context, tx *tenant.Tx, invoice Invoice) (invoicepdf.Document, error) {
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return invoicepdf.Document{}, err
	}
	d := Paper(invoice, settings)
	return d, DressPaper(ctx, tx, &d)
}

// DressPaper gives a document the organization's own look: logo, colour, small print, and how to pay what is open.
func DressPaper(ctx context.Context, tx *tenant.Tx, d *invoicepdf.Document) error {
	branding, err := selectBranding(ctx, tx)
	if err != nil {
		return err
	}
	d.Colour, d.Foot = branding.Colour, branding.Foot
	if d.Kind == invoicepdf.Invoice && !d.Open.IsZero() {
		d.PayTo = branding.PayTo
	}
	d.Logo, err = branding.logoOf(ctx, tx)
	return err
}

// Paper is an invoice as it stands on paper: its stored figures, and the issuer as the settings have it today.
func Paper(invoice Invoice, issuer Settings) invoicepdf.Document {
	d := paper(Document{invoice.DocumentHead, invoice.DocumentBody}, invoicepdf.Invoice, issuer)
	d.Settled, d.Open = invoice.Settled, invoice.Open()
	return d
}

// PaperCreditNote is a credit note as it stands on paper.
func PaperCreditNote(note CreditNote, issuer Settings) invoicepdf.Document {
	d := paper(Document{note.DocumentHead, note.DocumentBody}, invoicepdf.CreditNote, issuer)
	d.Credits = note.OriginNumber
	return d
}

// PaperQuote is a quote as it stands on paper.
func PaperQuote(quote Quote, issuer Settings) invoicepdf.Document {
	return paper(Document{quote.DocumentHead, quote.DocumentBody}, invoicepdf.Quote, issuer)
}

// paper is what every kind of document has on paper.
func paper(document Document, kind invoicepdf.Kind, issuer Settings) invoicepdf.Document {
	d := invoicepdf.Document{
		Kind: kind, Language: document.Language, Number: document.Number, Void: document.State == Void,
		Issuer:    issuerOnPaper(issuer, document.Language),
		Customer:  customerOnPaper(document.Customer, issuer.Country),
		IssueDate: document.IssueDate, DueDate: document.DueDate, Reference: document.Reference, PurchaseOrder: document.PurchaseOrder, Currency: document.Currency,
		PricesWithTax: document.PricesWithTax, Discount: document.Discount,
		Net: document.Net, Tax: document.Tax, Total: document.Total,
		Note: document.Note, Written: document.IssuedAt,
	}
	if document.Customer.TaxNumber != "" {
		d.Customer.Numbers = []invoicepdf.Number{{Label: taxNumberLabel[document.Language], Value: document.Customer.TaxNumber}}
	}
	for _, n := range document.Registrations(issuer.TaxNumber) {
		d.Issuer.Numbers = append(d.Issuer.Numbers, invoicepdf.Number{Label: n.Tax, Value: n.Value})
	}
	d.Remarks = document.TaxReasons()
	if d.Written.IsZero() {
		d.Written = document.CreatedAt
	}
	amounts := document.Amounts()
	for i, l := range document.Lines {
		line := invoicepdf.Line{Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			DiscountPercent: l.DiscountPercent, Net: amounts[i]}
		for _, t := range l.Taxes {
			line.Taxes = append(line.Taxes, t.Code)
		}
		d.Lines = append(d.Lines, line)
	}
	for _, t := range document.TaxTotals() {
		d.Taxes = append(d.Taxes, invoicepdf.Tax{Code: t.Code, Name: t.Name, Percent: t.Percent, Base: t.Base, Amount: t.Amount})
	}
	return d
}

// taxNumberLabel is what a tax number is called.
var taxNumberLabel = map[locale.Language]string{locale.English: "Tax number", locale.French: "Numéro de taxe"}

func issuerOnPaper(issuer Settings, language locale.Language) invoicepdf.Party {
	p := invoicepdf.Party{Name: issuer.Name, Country: issuer.Country,
		Address: addressLines("", issuer.Street, issuer.PostalCode, issuer.City, issuer.Region, issuer.Country)}
	if issuer.TaxNumber != "" {
		p.Numbers = []invoicepdf.Number{{Label: taxNumberLabel[language], Value: issuer.TaxNumber}}
	}
	return p
}

// customerOnPaper has the company first and the person beneath, as on an envelope.
func customerOnPaper(c Customer, from string) invoicepdf.Party {
	name, person := c.Name, ""
	if c.Company != "" && c.Company != c.Name {
		name, person = c.Company, c.Name
	}
	abroad := c.Country
	if abroad == from {
		abroad = ""
	}
	return invoicepdf.Party{Name: name, Address: addressLines(person, c.Street, c.PostalCode, c.City, c.Region, abroad)}
}

func addressLines(person, street, postalCode, city, region, countryCode string) []string {
	lines := []string{person, street, strings.TrimSpace(postalCode + " " + city), region, country.Name(countryCode)}
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}
