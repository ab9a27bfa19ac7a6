package page

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/web/words"
)

// speech is how a page speaks one language: its words, figures and dates. The zero value speaks English.
type speech struct {
	language locale.Language
	words    *words.Catalogue // nil for English, which everything is written in
}

// Speaker is the data of a page that is drawn in a language which was chosen for its reader, whatever their browser asks
// for: a customer's, say.
type Speaker interface {
	// Speaks is the language; empty for none.
	Speaks() locale.Language
}

// speechOf is how one speaks a language.
func speechOf(language locale.Language) speech { return speech{language, words.In(language)} }

// Say gives a sentence of ours in a language, for what is told to a script and not drawn.
func Say(language locale.Language, english string) string { return speechOf(language).say(english) }

// say gives a sentence of ours in the language; one that the catalogue does not know stays English.
func (s speech) say(english string) string {
	said, _ := s.words.Say(english)
	return said
}

// functions are what templates call whose answer depends on the language.
func (s speech) functions() template.FuncMap {
	return template.FuncMap{
		"language": func() string { return string(cmp.Or(s.language, locale.English)) },
		"words":    s.say,
		"badge":    s.badge,
		"spoken":   s.spoken,
		// figures
		"money":    s.figures,
		"symboled": s.symboled,
		"coded":    s.coded,
		"figure":   s.figure,
		"open":     s.open,
		"side":     s.side,
		"sum":      s.sum,
		"sumOf":    s.sumOf,
		"quantity": s.quantity,
		"number":   s.number,
		"plural":   s.plural,
		"price":    s.price,
		// time
		"date":     s.date,
		"day":      s.day,
		"when":     s.when,
		"moment":   s.moment,
		"fullDate": s.fullDate,
		"longDate": s.longDate,
		"plot":     s.plot,
		"cashPlot": s.cashPlot,
		"monthly":  s.monthly,
		"ahead":    s.ahead,
		// words
		"country":         func(code string) string { return s.say(country.Name(code)) },
		"countries":       func() []Option { return s.options(Countries()) },
		"rhythm":          func(of subscription.Schedule) string { return s.say(rhythm(of)) },
		"offerRhythm":     func(of billing.Offer) string { return s.say(offerRhythm(of)) },
		"methodKind":      func(k billing.MethodKind) string { return s.say(methodKind(k)) },
		"textGatewayKind": textGatewayKind,
		"textTrouble":     textTrouble,
		"gatewayKind":     func(k gateway.Kind) string { return s.say(gatewayKind(k)) },
	}
}

// spoken is a value that writes figures by itself, as one that does so in the language. Every other stays as it is.
func (s speech) spoken(value any) any {
	if c, ok := value.(Column); ok {
		c.speech = s
		return c
	}
	return value
}

// options says what can be chosen.
func (s speech) options(all []Option) []Option {
	if s.words == nil {
		return all
	}
	said := make([]Option, len(all))
	for i, o := range all {
		said[i] = o
		said[i].Label = s.say(o.Label)
	}
	return said
}

func (s speech) format(a money.Amount, show money.Show) string {
	return money.Format(a, money.FormatOptions{Group: s.language.Group(), Decimal: s.language.Decimal(), Show: show, SymbolLast: s.language == locale.French})
}

// figures writes an amount for a column whose head names the currency: 1,240.00.
func (s speech) figures(a money.Amount) string { return s.format(a, money.ShowFigures) }

// symboled writes a total or a lone figure: €1,240.00.
func (s speech) symboled(a money.Amount) string { return s.format(a, money.ShowSymbol) }

// coded writes an amount for a column of several currencies: 1,240.00 EUR.
func (s speech) coded(a money.Amount) string { return s.format(a, money.ShowCode) }

// figure writes an amount large, with its decimals small.
func (s speech) figure(a money.Amount) template.HTML {
	whole, cents := s.symboled(a), ""
	if at := strings.LastIndex(whole, s.language.Decimal()); at >= 0 && a.Currency.Digits() > 0 {
		whole, cents = whole[:at], whole[at:]
	}
	drawn := template.HTMLEscapeString(whole)
	if cents != "" {
		drawn += `<span class="cents">` + template.HTMLEscapeString(cents) + `</span>`
	}
	return template.HTML(drawn)
}

// open writes what is still owed: a dash when it is nothing.
func (s speech) open(a money.Amount) template.HTML {
	if a.IsZero() {
		return `<span class="faint">–</span>`
	}
	return template.HTML(template.HTMLEscapeString(s.figures(a)))
}

// side writes one side of a journal line: nothing when the line has no amount there.
func (s speech) side(a money.Amount) string {
	if a.IsZero() {
		return ""
	}
	return s.figures(a)
}

// sum writes a total of a column: one rule above, two below.
func (s speech) sum(a money.Amount) template.HTML { return ruled(s.figures(a)) }

// sumOf is sum with the symbol, for the last line of a document.
func (s speech) sumOf(a money.Amount) template.HTML { return ruled(s.symboled(a)) }

// quantity writes a plain decimal (a string, or anything whose String is one) without needless zeros: 2.500 is 2.5.
func (s speech) quantity(value any) string {
	text := strings.TrimSpace(fmt.Sprint(value))
	text, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	written := s.group(whole)
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		written += s.language.Decimal() + fraction
	}
	if negative && strings.Trim(text, "0.") != "" {
		written = minus + written
	}
	return written
}

// number writes a count: 2,240.
func (s speech) number(count int) string { return s.quantity(count) }

// plural writes a count with its noun: 1 invoice, 2,240 invoices. In French none is one, too.
func (s speech) plural(count int, one, many string) string {
	if count == 1 || count == 0 && s.language == locale.French {
		return s.number(count) + " " + one
	}
	return s.number(count) + " " + many
}

// price writes a unit price: with all decimals of its currency, and more where it has more.
func (s speech) price(value decimal.Decimal, currency money.Currency) string {
	whole, fraction, ok := strings.Cut(PlainPrice(value, currency), ".")
	if ok {
		fraction = s.language.Decimal() + fraction
	}
	return s.group(whole) + fraction
}

func (s speech) group(digits string) string {
	var b strings.Builder
	for i, digit := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 {
			b.WriteString(s.language.Group())
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// date writes a date: 9 Nov this year, 9 Nov 2025 in another; a dash for none.
func (s speech) date(today, value any) (template.HTML, error) { return s.dated(today, value, s.short) }

// day is date, but names a day close by: Today, Yesterday, Tomorrow, Friday.
func (s speech) day(today, value any) (template.HTML, error) { return s.dated(today, value, s.near) }

func (s speech) dated(today, value any, write func(today, day time.Time) string) (template.HTML, error) {
	now, _, err := calendarDay(today)
	if err != nil {
		return "", err
	}
	day, ok, err := calendarDay(value)
	if err != nil {
		return "", err
	}
	if !ok {
		return noDate, nil
	}
	return timed(day.Format(isoLayout), write(now, day)), nil
}

// when writes a moment: Today, 16:41, or 9 Nov, 16:41. now gives the day and the time zone to tell it in.
func (s speech) when(now, moment time.Time) template.HTML {
	if moment.IsZero() {
		return noDate
	}
	return s.clocked(now, moment, s.near)
}

// moment is when for the middle of a sentence: 9 Nov, 16:41. now gives the time zone to tell it in.
func (s speech) moment(now, moment time.Time) template.HTML { return s.clocked(now, moment, s.short) }

func (s speech) clocked(now, moment time.Time, write func(today, day time.Time) string) template.HTML {
	local := moment.In(now.Location())
	today, _, _ := calendarDay(now)
	day, _, _ := calendarDay(local)
	return timed(local.Format(time.RFC3339), write(today, day)+", "+local.Format("15:04"))
}

// fullDate writes a date in full: Monday 23 November 2026.
func (s speech) fullDate(value any) (template.HTML, error) {
	return s.written(value, "Monday 2 January 2006")
}

// longDate writes a date with its year, for paper: 9 Nov 2026.
func (s speech) longDate(value any) (template.HTML, error) { return s.written(value, "2 Jan 2006") }

func (s speech) written(value any, layout string) (template.HTML, error) {
	day, ok, err := calendarDay(value)
	if err != nil || !ok {
		return noDate, err
	}
	return timed(day.Format(isoLayout), s.language.Format(day, layout)), nil
}

func (s speech) short(today, day time.Time) string {
	if day.Year() == today.Year() {
		return s.language.Format(day, "2 Jan")
	}
	return s.language.Format(day, "2 Jan 2006")
}

func (s speech) near(today, day time.Time) string {
	switch days := int(day.Sub(today) / oneDay); {
	case days == 0:
		return s.say("Today")
	case days == -1:
		return s.say("Yesterday")
	case days == 1:
		return s.say("Tomorrow")
	case -daysNearby <= days && days <= daysNearby:
		return capital(s.language.Format(day, "Monday"))
	}
	return s.short(today, day)
}
