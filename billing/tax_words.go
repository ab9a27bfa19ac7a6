package billing

import (
	"slices"
	"strings"
)

// Registration is the organization's number for a tax.
type Registration struct{ Tax, Value string }

// Registrations are the organization's numbers for the taxes of a document, each once, and without the number that
// stands there already.
func (b DocumentBody) Registrations(there string) []Registration {
	var all []Registration
	for _, t := range b.TaxTotals() {
		if t.Registration == "" || t.Registration == there ||
			slices.ContainsFunc(all, func(r Registration) bool { return r.Value == t.Registration }) {
			continue
		}
		all = append(all, Registration{taxName(t.Name), t.Registration})
	}
	return all
}

// taxName is the name of a rate without the percent that may end it: "VAT 23 %" is VAT.
func taxName(rate string) string {
	if name := strings.TrimRight(rate, "0123456789., %\u00a0\u202f"); name != "" {
		return name
	}
	return rate
}

// TaxReasons say why no tax is due, where none is, each once.
func (b DocumentBody) TaxReasons() []string {
	var all []string
	for _, t := range b.TaxTotals() {
		if t.Reason != "" && !slices.Contains(all, t.Reason) {
			all = append(all, t.Reason)
		}
	}
	return all
}
