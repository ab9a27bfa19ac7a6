package money

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Show says what stands beside the figures.
type Show uint8

// What may stand beside the figures: nothing, where the column's head names the currency; the symbol, for totals and
// lone figures; the code, where cells hold several currencies.
const (
	ShowFigures Show = iota
	ShowSymbol
	ShowCode
)

// FormatOptions says how figures are written. The zero value writes "−1240.00".
type FormatOptions struct {
	Group   string // between each three digits before the point; empty for none
	Decimal string // before the decimals; empty for "."
	Minus   string // before all else; empty for U+2212
	Show    Show
	// SymbolLast puts the symbol after the figures and a no-break space, as French does.
	SymbolLast bool
}

const noBreakSpace = "\u00a0"

// Format writes an amount for people: "1,240.00", "−€40.00", "−40.00 EUR". All decimals of the currency are always
// shown, and a minus comes before the symbol. A symbol that ends in a letter, and a code, keep a no-break space.
func Format(a Amount, o FormatOptions) string {
	var b strings.Builder
	if a.Minor < 0 {
		b.WriteString(cmp.Or(o.Minus, "−"))
	}
	if o.Show == ShowSymbol && !o.SymbolLast {
		symbol := a.Currency.Symbol()
		b.WriteString(symbol)
		if last, _ := utf8.DecodeLastRuneInString(symbol); unicode.IsLetter(last) {
			b.WriteString(noBreakSpace)
		}
	}
	whole, fraction := a.figures()
	for i, digit := range whole {
		if left := len(whole) - i; i > 0 && left%3 == 0 {
			b.WriteString(o.Group)
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString(cmp.Or(o.Decimal, "."))
		b.WriteString(fraction)
	}
	switch {
	case o.Show == ShowCode:
		b.WriteString(noBreakSpace)
		b.WriteString(a.Currency.Code())
	case o.Show == ShowSymbol && o.SymbolLast:
		b.WriteString(noBreakSpace)
		b.WriteString(a.Currency.Symbol())
	}
	return b.String()
}
