package page

import (
	_ "embed"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/locale"
)

// Option is one choice of a select.
type Option struct {
	Value, Label string
	Group        string // heading above it; empty for none

	Currency, Zone, Country string // what a country or a zone proposes to the fields beside it; may be empty
}

// OptionGroup is choices under one heading.
type OptionGroup struct {
	Label   string
	Options []Option
}

// country.txt: code, currency and first time zone of each country. zone.txt: time zones and their countries. Both
// follow the IANA time zone database (iso3166.tab and zone.tab, public domain).
var (
	//go:embed country.txt
	countryText string
	//go:embed zone.txt
	zoneText string

	countries = readCountries(countryText)
	zones     = readZones(zoneText)
)

// Countries are all countries by name, with the ISO 3166-1 code as value.
func Countries() []Option { return countries }

// bare are options without what they propose for other fields, for a form in which nothing follows from them.
func bare(options []Option) []Option {
	left := make([]Option, len(options))
	for i, o := range options {
		left[i] = Option{Value: o.Value, Label: o.Label, Group: o.Group}
	}
	return left
}

// Zones are the IANA time zones by continent.
func Zones() []Option { return zones }

// Currencies are all currencies by code: "EUR, euro".
func Currencies() []Option {
	all := money.All()
	options := make([]Option, len(all))
	for i, c := range all {
		options[i] = Option{Value: c.Code(), Label: c.Code() + ", " + c.Name()}
	}
	return options
}

// Languages are those that documents are written in.
func Languages() []Option {
	var options []Option
	for _, l := range locale.Languages() {
		options = append(options, Option{Value: string(l), Label: l.Name()})
	}
	return options
}

// readCountries gives each country of ISO 3166-1 what the text proposes for it.
func readCountries(text string) []Option {
	proposed := map[string][]string{}
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		proposed[fields[0]] = fields
	}
	var read []Option
	for _, c := range country.All() {
		option := Option{Value: c.Code, Label: c.Name}
		if fields := proposed[c.Code]; len(fields) == 3 {
			option.Currency, option.Zone = fields[1], fields[2]
		}
		read = append(read, option)
	}
	return read
}

func readZones(text string) []Option {
	read := []Option{{Value: "UTC", Label: "UTC"}}
	for line := range strings.Lines(text) {
		zone, code, _ := strings.Cut(strings.TrimSpace(line), "\t")
		continent, place, _ := strings.Cut(zone, "/")
		read = append(read, Option{Value: zone, Label: strings.ReplaceAll(strings.ReplaceAll(place, "_", " "), "/", ", "), Group: continent, Country: code})
	}
	return read
}
