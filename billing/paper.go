package billing

import (
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/locale"
)

// Paper is an invoice as it stands on paper: its stored figures, and the issuer as the settings have it today.
func Paper(invoice Invoice, issuer Settings) invoicepdf.Document {
	d := invoicepdf.Document{
		Kind: invoicepdf.Invoice, Language: locale.English, Number: invoice.Number,
		Issuer: invoicepdf.Party{Name: issuer.Name, Country: issuer.Country,
			Address: addressLines("", issuer.Street, issuer.PostalCode, issuer.City, issuer.Region, issuer.Country)},
		Customer:  customerOnPaper(invoice.Customer, issuer.Country),
		IssueDate: invoice.IssueDate, DueDate: invoice.DueDate, Reference: invoice.Reference, Currency: invoice.Currency,
		Net: invoice.Net, Tax: invoice.Tax, Total: invoice.Total, Settled: invoice.Settled, Open: invoice.Open(),
		Note: invoice.Note, Written: invoice.IssuedAt,
	}
	if issuer.TaxNumber != "" {
		d.Issuer.Numbers = []invoicepdf.Number{{Label: "Tax number", Value: issuer.TaxNumber}}
	}
	for _, n := range invoice.Registrations(issuer.TaxNumber) {
		d.Issuer.Numbers = append(d.Issuer.Numbers, invoicepdf.Number{Label: n.Tax, Value: n.Value})
	}
	d.Remarks = invoice.TaxReasons()
	if d.Written.IsZero() {
		d.Written = invoice.CreatedAt
	}
	for _, l := range invoice.Lines {
		line := invoicepdf.Line{Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			DiscountPercent: l.DiscountPercent, Net: l.Net}
		for _, t := range l.Taxes {
			line.Taxes = append(line.Taxes, t.Code)
		}
		d.Lines = append(d.Lines, line)
	}
	for _, t := range invoice.TaxTotals() {
		d.Taxes = append(d.Taxes, invoicepdf.Tax{Code: t.Code, Name: t.Name, Percent: t.Percent, Base: t.Base, Amount: t.Amount})
	}
	return d
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
