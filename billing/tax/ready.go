package tax

import (
	"context"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/country"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrReadyNotFound says that the lists have no such entry.
var ErrReadyNotFound = fault.New(fault.NotFound, "tax.ready_not_found", "There are no ready taxes of this name.")

// Ready is a set of rates that one can add at once: those of a country or a province.
type Ready struct {
	Key   string // "eu-de", "ca-qc"
	List  string // the Name of its ReadyList
	Place string
	rates []RateInput // the percent of each is the first; dated ones follow
	dated map[string][]DatedPercent
}

// ReadyList is a list of Ready, with where its figures come from.
type ReadyList struct {
	Name   string
	Source string // whose figures they are
	AsOf   civil.Date
	Items  []Ready
}

// Codes are what lines name: of several rates the group.
func (r Ready) Codes() []string {
	if last := r.rates[len(r.rates)-1]; last.Kind == Group {
		return []string{last.Code}
	}
	codes := make([]string, len(r.rates))
	for i, rate := range r.rates {
		codes[i] = rate.Code
	}
	return codes
}

// Rates are the single rates in order, with the percents that the list knows.
func (r Ready) Rates() []OwnRate {
	var all []OwnRate
	for _, in := range r.rates {
		if in.Kind != Group {
			all = append(all, OwnRate{Rate: Rate{Code: in.Code, Name: in.Name, Kind: in.Kind, Reason: in.Reason}, First: in.Percent, Percents: r.dated[in.Code]})
		}
	}
	return all
}

// The percents of standard rates; where one changed in the last years, the one before and the day. Sources are named
// beside the lists.
var (
	euRates = []struct{ country, first, since, percent string }{
		{"AT", "20", "", ""}, {"BE", "21", "", ""}, {"BG", "20", "", ""}, {"HR", "25", "", ""}, {"CY", "19", "", ""},
		{"CZ", "21", "", ""}, {"DK", "25", "", ""}, {"EE", "22", "2025-07-01", "24"}, {"FI", "24", "2024-09-01", "25.5"},
		{"FR", "20", "", ""}, {"DE", "19", "", ""}, {"GR", "24", "", ""}, {"HU", "27", "", ""}, {"IE", "23", "", ""},
		{"IT", "22", "", ""}, {"LV", "21", "", ""}, {"LT", "21", "", ""}, {"LU", "17", "", ""}, {"MT", "18", "", ""},
		{"NL", "21", "", ""}, {"PL", "23", "", ""}, {"PT", "23", "", ""}, {"RO", "19", "2025-08-01", "21"},
		{"SK", "20", "2025-01-01", "23"}, {"SI", "22", "", ""}, {"ES", "21", "", ""}, {"SE", "25", "", ""},
	}

	gst = RateInput{Code: "GST", Name: "GST", Kind: Standard, Percent: decimal.NewFromInt(5)}

	// Since 2013 QST is on the price alone, without GST (Act respecting the Québec sales tax, s. 16).
	canadaRates = []struct{ key, place, code, name, first, since, percent string }{
		{"ca-ab", "Alberta", "", "", "", "", ""},
		{"ca-bc", "British Columbia", "PST-BC", "PST", "7", "", ""},
		{"ca-mb", "Manitoba", "RST-MB", "RST", "7", "", ""},
		{"ca-nb", "New Brunswick", "HST-NB", "HST", "15", "", ""},
		{"ca-nl", "Newfoundland and Labrador", "HST-NL", "HST", "15", "", ""},
		{"ca-nt", "Northwest Territories", "", "", "", "", ""},
		{"ca-ns", "Nova Scotia", "HST-NS", "HST", "15", "2025-04-01", "14"},
		{"ca-nu", "Nunavut", "", "", "", "", ""},
		{"ca-on", "Ontario", "HST-ON", "HST", "13", "", ""},
		{"ca-pe", "Prince Edward Island", "HST-PE", "HST", "15", "", ""},
		{"ca-qc", "Quebec", "QST", "QST", "9.975", "", ""},
		{"ca-sk", "Saskatchewan", "PST-SK", "PST", "6", "", ""},
		{"ca-yt", "Yukon", "", "", "", "", ""},
	}

	readyLists = []ReadyList{euList(), canadaList()}
)

func euList() ReadyList {
	list := ReadyList{Name: "European Union", AsOf: civil.On(2025, 12, 31),
		Source: "Standard rates of VAT as the European Commission's database Taxes in Europe lists them"}
	for _, r := range euRates {
		code := "VAT-" + r.country
		list.Items = append(list.Items, Ready{Key: "eu-" + strings.ToLower(r.country), List: list.Name, Place: country.Name(r.country),
			rates: []RateInput{{Code: code, Name: "VAT " + r.country, Kind: Standard, Percent: decimal.RequireFromString(r.first)}},
			dated: datedOf(code, r.since, r.percent)})
	}
	list.Items = append(list.Items,
		Ready{Key: "eu-reverse", List: list.Name, Place: "Business customers in other member states", rates: []RateInput{{Code: "EU-RC", Name: "VAT reverse charge", Kind: ReverseCharge,
			Reason: "Reverse charge: the customer is liable for VAT (Article 196 of Directive 2006/112/EC)."}}},
		Ready{Key: "eu-export", List: list.Name, Place: "Goods sent out of the Union", rates: []RateInput{{Code: "EU-EXPORT", Name: "VAT on exports", Kind: Zero,
			Reason: "Export, exempt from VAT (Article 146 of Directive 2006/112/EC)."}}})
	return list
}

func canadaList() ReadyList {
	list := ReadyList{Name: "Canada", AsOf: civil.On(2025, 12, 31),
		Source: "GST/HST rates of the Canada Revenue Agency, and PST, RST and QST of the provinces"}
	for _, r := range canadaRates {
		item := Ready{Key: r.key, List: list.Name, Place: r.place, dated: datedOf(r.code, r.since, r.percent)}
		switch {
		case r.code == "":
			item.rates = []RateInput{gst}
		case r.name == "HST":
			item.rates = []RateInput{{Code: r.code, Name: r.name, Kind: Standard, Percent: decimal.RequireFromString(r.first)}}
		default:
			item.rates = []RateInput{gst, {Code: r.code, Name: r.name, Kind: Standard, Percent: decimal.RequireFromString(r.first)},
				{Code: "GST+" + r.code, Name: "GST and " + r.name + ", " + r.place, Kind: Group, Rates: []string{"GST", r.code}}}
		}
		list.Items = append(list.Items, item)
	}
	return list
}

func datedOf(code, since, percent string) map[string][]DatedPercent {
	if since == "" {
		return nil
	}
	day, err := civil.Parse(since)
	if err != nil {
		panic("tax: a ready rate changes on " + since)
	}
	return map[string][]DatedPercent{code: {{Since: day, Percent: decimal.RequireFromString(percent)}}}
}

// ReadyLists gives the lists that one can add rates from. They are proposals: who charges a tax has to know it.
func ReadyLists() []ReadyList { return slices.Clone(readyLists) }

// AddReady adds the rates of one entry of the lists that are not there yet by their codes, and its group. Adding twice
// is fine; a rate that is there stays as it is, archived or not. It gives the codes that were added, and fails with
// ErrReadyNotFound and as AddRate does.
func AddReady(ctx context.Context, tx *tenant.Tx, key string) ([]string, error) {
	ready, ok := readyOf(key)
	if !ok {
		return nil, ErrReadyNotFound
	}
	rates, err := Rates(ctx, tx)
	if err != nil {
		return nil, err
	}
	var added []string
	for _, in := range ready.rates {
		if slices.ContainsFunc(rates, func(r OwnRate) bool { return r.Code == in.Code }) {
			continue
		}
		r, err := AddRate(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		for _, p := range ready.dated[in.Code] {
			if err := upsertPercent(ctx, tx, r.ID, p.Since, p.Percent); err != nil {
				return nil, err
			}
		}
		added = append(added, in.Code)
	}
	return added, nil
}

func readyOf(key string) (Ready, bool) {
	for _, list := range readyLists {
		for _, item := range list.Items {
			if item.Key == key {
				return item, true
			}
		}
	}
	return Ready{}, false
}
