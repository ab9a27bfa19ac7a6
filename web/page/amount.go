package page

import (
	"html/template"

	"github.com/countinghouse/countinghouse/billing/money"
)

// minus is the sign for figures (U+2212), which is as wide as a digit.
const minus = "−"

// figures writes an amount in English for a column whose head names the currency: 1,240.00.
func figures(a money.Amount) string { return speech{}.figures(a) }

// Figures is an amount as a column shows it whose head names the currency.
func Figures(a money.Amount) string { return figures(a) }

// symboled writes a total or a lone figure in English: €1,240.00.
func symboled(a money.Amount) string { return speech{}.symboled(a) }

// Symboled is an amount as a lone figure is written: €1,240.00.
func Symboled(a money.Amount) string { return symboled(a) }

// quantity, number and plural write counts in English.
func quantity(value any) string                 { return speech{}.quantity(value) }
func number(count int) string                   { return speech{}.number(count) }
func plural(count int, one, many string) string { return speech{}.plural(count, one, many) }

func ruled(amount string) template.HTML {
	return template.HTML(`<span class="sum">` + template.HTMLEscapeString(amount) + `</span>`)
}

// Plural counts things: "1 invoice", "1,204 invoices".
func Plural(count int, one, many string) string { return plural(count, one, many) }
