package web

import (
	"net/url"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errPeriod = fault.New(fault.Invalid, "period.unknown", "There is no such period. Choose one of the list.").At("period")

// presets are the spans of days that a list is narrowed to with one click.
var presets = []struct{ name, label string }{
	{"this-month", "This month"}, {"last-month", "Last month"}, {"this-quarter", "This quarter"}, {"this-year", "This year"}, {"last-year", "Last year"},
}

// span gives the first and the last day of a preset.
func span(name string, today civil.Date) (from, to civil.Date, ok bool) {
	year, month := today.Year(), today.Month()
	switch name {
	case "this-month":
		return civil.On(year, month, 1), civil.On(year, month+1, 0), true
	case "last-month":
		return civil.On(year, month-1, 1), civil.On(year, month, 0), true
	case "this-quarter":
		first := month - (month-1)%3
		return civil.On(year, first, 1), civil.On(year, first+3, 0), true
	case "this-year":
		return civil.On(year, 1, 1), civil.On(year, 12, 31), true
	case "last-year":
		return civil.On(year-1, 1, 1), civil.On(year-1, 12, 31), true
	}
	return from, to, false
}

// days are those that the address narrows a list to; zero where it leaves an end open.
func (v *visit) days(today civil.Date) (from, to civil.Date, err error) {
	if name := v.query("period"); name != "" {
		from, to, ok := span(name, today)
		if !ok {
			return from, to, errPeriod
		}
		return from, to, nil
	}
	if from, err = bodyDate("from", v.query("from")); err != nil {
		return from, to, err
	}
	to, err = bodyDate("to", v.query("to"))
	return from, to, err
}

// listDays is days as of the organization's own today.
func (v *visit) listDays(tx *tenant.Tx) (from, to civil.Date, err error) {
	today, err := billing.Today(v.ctx, tx)
	if err != nil {
		return from, to, err
	}
	return v.days(today)
}

// narrowedByDay says whether the address names days.
func (v *visit) narrowedByDay() bool {
	return v.query("period") != "" || v.query("from") != "" || v.query("to") != ""
}

// kept is the address of a list with those of its fields that are named, and others besides.
func (v *visit) kept(path string, fields []string, besides ...string) string {
	query := url.Values{}
	for _, name := range fields {
		if value := v.query(name); value != "" {
			query.Set(name, value)
		}
	}
	for i := 0; i+1 < len(besides); i += 2 {
		if besides[i+1] != "" {
			query.Set(besides[i], besides[i+1])
		}
	}
	if len(query) == 0 {
		return v.at(path)
	}
	return v.at(path) + "?" + query.Encode()
}

// periods are the ways to narrow a list by its days; keep names what else of the address stays.
func (v *visit) periods(path, label string, keep ...string) page.Periods {
	p := page.Periods{Label: label, URL: v.at(path), From: v.query("from"), To: v.query("to"), Keep: map[string]string{}}
	for _, name := range keep {
		p.Keep[name] = v.query(name)
	}
	p.Options = append(p.Options, page.Tab{Label: "Any day", URL: v.kept(path, keep), Current: !v.narrowedByDay()})
	for _, preset := range presets {
		p.Options = append(p.Options, page.Tab{Label: preset.label, URL: v.kept(path, keep, "period", preset.name), Current: v.query("period") == preset.name})
	}
	return p
}
