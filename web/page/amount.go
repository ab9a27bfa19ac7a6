package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
)

// minus is the sign for figures (U+2212), which is as wide as a digit.
const minus = "−"

// figures writes an amount for a column whose head names the currency: 1,240.00.
func figures(a money.Amount) string {
	return money.Format(a, money.FormatOptions{Group: ",", Show: money.ShowFigures})
}

// Figures is an amount as a column shows it whose head names the currency.
func Figures(a money.Amount) string { return figures(a) }

// symboled writes a total or a lone figure: €1,240.00.
func symboled(a money.Amount) string {
	return money.Format(a, money.FormatOptions{Group: ",", Show: money.ShowSymbol})
}

// Symboled is an amount as a lone figure is written: €1,240.00.
func Symboled(a money.Amount) string { return symboled(a) }

// coded writes an amount for a column of several currencies: 1,240.00 EUR.
func coded(a money.Amount) string {
	return money.Format(a, money.FormatOptions{Group: ",", Show: money.ShowCode})
}

// figure writes an amount large, with its decimals small.
func figure(a money.Amount) template.HTML {
	whole, cents := symboled(a), ""
	if at := strings.LastIndexByte(whole, '.'); at >= 0 && a.Currency.Digits() > 0 {
		whole, cents = whole[:at], whole[at:]
	}
	drawn := template.HTMLEscapeString(whole)
	if cents != "" {
		drawn += `<span class="cents">` + template.HTMLEscapeString(cents) + `</span>`
	}
	return template.HTML(drawn)
}

// open writes what is still owed: a dash when it is nothing.
func open(a money.Amount) template.HTML {
	if a.IsZero() {
		return `<span class="faint">–</span>`
	}
	return template.HTML(template.HTMLEscapeString(figures(a)))
}

// side writes one side of a journal line: nothing when the line has no amount there.
func side(a money.Amount) string {
	if a.IsZero() {
		return ""
	}
	return figures(a)
}

// sum writes a total of a column: one rule above, two below.
func sum(a money.Amount) template.HTML { return ruled(figures(a)) }

// sumOf is sum with the symbol, for the last line of a document.
func sumOf(a money.Amount) template.HTML { return ruled(symboled(a)) }

func ruled(amount string) template.HTML {
	return template.HTML(`<span class="sum">` + template.HTMLEscapeString(amount) + `</span>`)
}

// quantity writes a plain decimal (a string, or anything whose String is one) without needless zeros: 2.500 is 2.5.
func quantity(value any) string {
	text := strings.TrimSpace(fmt.Sprint(value))
	text, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	written := group(whole)
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		written += "." + fraction
	}
	if negative && strings.Trim(text, "0.") != "" {
		written = minus + written
	}
	return written
}

// number writes a count: 2,240.
func number(count int) string { return quantity(count) }

// plural writes a count with its noun: 1 invoice, 2,240 invoices.
func plural(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return number(count) + " " + many
}

func group(digits string) string {
	var b strings.Builder
	for i, digit := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
