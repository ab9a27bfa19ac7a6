package subscription_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/civil"
)

// model is what a subscription is to be billed, worked out without a database, day by day and in fractions: it asks of
// each day whether a period begins on it, where the production code works out the day of a period.
type model struct {
	unit     string
	every    int
	anchor   civil.Date
	monthEnd bool

	through   civil.Date // the last day that was looked at
	began     bool       // the anchor has come
	billed    bool       // the current period was invoiced
	start     civil.Date // of the current period
	usageFrom civil.Date
	percent   *big.Rat // that the current period had off

	paused, ended, atEnd bool
	couponPercent        *big.Rat
	couponMinor          int64
	couponLeft           int
	credit               int64
	items                []*modelItem
	once                 []string // lines as they are compared
	onceMinor            []int64
	onceTaxed            []bool
	used                 []modelUse
	made                 []string
}

type modelItem struct {
	name            string
	quantity, price *big.Rat
	later           *[2]*big.Rat // quantity and price from the next period on
	metered         string
	taxed           bool
}

type modelUse struct {
	item     *modelItem
	day      civil.Date
	at       time.Time
	quantity int64
	value    string
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

// cents rounds half up, from euros.
func cents(r *big.Rat) int64 {
	n := new(big.Rat).Mul(r, big.NewRat(100, 1))
	n.Add(n, big.NewRat(1, 2))
	return new(big.Int).Div(n.Num(), n.Denom()).Int64()
}

func daysIn(y int, m time.Month) int { return civil.On(y, m+1, 0).Day() }

// begins asks whether a period begins on a day.
func (m *model) begins(d civil.Date) bool {
	if d.Before(m.anchor) {
		return false
	}
	switch m.unit {
	case "day":
		return m.anchor.DaysUntil(d)%m.every == 0
	case "week":
		return m.anchor.DaysUntil(d)%(7*m.every) == 0
	}
	months := (d.Year()-m.anchor.Year())*12 + int(d.Month()-m.anchor.Month())
	every := m.every
	if m.unit == "year" {
		every *= 12
	}
	day := m.anchor.Day()
	if last := daysIn(d.Year(), d.Month()); m.monthEnd || day > last {
		day = last
	}
	return months%every == 0 && d.Day() == day
}

func (m *model) nextStart(after civil.Date) civil.Date {
	d := after.AddDays(1)
	for !m.begins(d) {
		d = d.AddDays(1)
	}
	return d
}

// live lets the days pass until one, that included.
func (m *model) live(until civil.Date) {
	for m.through.Before(until) {
		m.through = m.through.AddDays(1)
		if !m.ended && m.begins(m.through) {
			m.startPeriod(m.through)
		}
	}
}

func (m *model) startPeriod(d civil.Date) {
	if !m.began {
		m.began, m.usageFrom = true, m.anchor
		m.used = slices.DeleteFunc(m.used, func(u modelUse) bool { return u.day.Before(m.anchor) })
		defer func() {
			m.used = slices.DeleteFunc(m.used, func(u modelUse) bool { return u.day.Before(d) && m.billed })
		}()
		if !m.paused && !m.atEnd {
			m.applyLater()
		}
	}
	if m.paused {
		m.start, m.billed = d, false
		m.applyLater()
		return
	}
	lines := m.usageLines(d)
	if m.atEnd {
		m.ended = true
		m.invoice(d, lines, true, m.couponMinor)
		return
	}
	m.applyLater()
	m.start, m.billed, m.percent = d, true, m.couponPercent
	to := m.nextStart(d).AddDays(-1)
	for _, i := range m.items {
		if i.metered == "" {
			lines = append(lines, modelLine{fmt.Sprintf("%s, %s – %s", i.name, d, to), i.quantity, i.price, i.taxed})
		}
	}
	m.invoice(d, lines, true, m.couponMinor)
	m.usageFrom = d
	m.used = slices.DeleteFunc(m.used, func(u modelUse) bool { return u.day.Before(d) })
	if m.couponLeft == 1 {
		m.couponPercent, m.couponMinor = new(big.Rat), 0
	}
	m.couponLeft = max(0, m.couponLeft-1)
}

func (m *model) applyLater() {
	for _, i := range m.items {
		if i.later != nil {
			i.quantity, i.price, i.later = i.later[0], i.later[1], nil
		}
	}
}

type modelLine struct {
	text            string
	quantity, price *big.Rat
	taxed           bool
}

// usageLines are those of what was used before a day.
func (m *model) usageLines(before civil.Date) (lines []modelLine) {
	for _, i := range m.items {
		if i.metered == "" {
			continue
		}
		var sum, most, last int64
		var lastAt time.Time
		values := map[string]bool{}
		for _, u := range m.used {
			if u.item != i || !u.day.Before(before) || u.day.Before(m.usageFrom) {
				continue
			}
			sum += u.quantity
			most = max(most, u.quantity)
			values[u.value] = true
			if u.at.After(lastAt) {
				last, lastAt = u.quantity, u.at
			}
		}
		n := map[string]int64{"sum": sum, "max": most, "last": last, "unique": int64(len(values))}[i.metered]
		if n > 0 {
			lines = append(lines, modelLine{fmt.Sprintf("%s, %s – %s", i.name, m.usageFrom, before.AddDays(-1)), big.NewRat(n, 1), i.price, i.taxed})
		}
	}
	return lines
}

// invoice writes down what is compared: the day, each line, what is taken off, the net, and the tax where nothing is
// taken off the whole.
func (m *model) invoice(d civil.Date, lines []modelLine, coupon bool, couponMinor int64) {
	var said []string
	var net, tax int64
	rate := big.NewRat(23, 100)
	add := func(minor int64, taxed bool, text string) {
		net += minor
		if taxed {
			tax += cents(new(big.Rat).Mul(big.NewRat(minor, 100), rate))
		}
		said = append(said, text)
	}
	percent := new(big.Rat)
	if coupon {
		percent = m.couponPercent
	}
	keep := new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(percent, big.NewRat(100, 1)))
	for _, l := range lines {
		minor := cents(new(big.Rat).Mul(new(big.Rat).Mul(l.quantity, l.price), keep))
		add(minor, l.taxed, fmt.Sprintf("%s | %s × %s - %s%% = %d", l.text, plain(l.quantity), plain(l.price), plain(percent), minor))
	}
	for i, text := range m.once {
		add(m.onceMinor[i], m.onceTaxed[i], text)
	}
	m.once, m.onceMinor, m.onceTaxed = nil, nil, nil
	if len(said) == 0 {
		return
	}
	off := min(couponMinor, net)
	used := min(m.credit, net-off)
	m.credit -= used
	off += used
	m.made = append(m.made, sayInvoice(d, said, off, net-off, tax))
}

func sayInvoice(d civil.Date, lines []string, off, net, tax int64) string {
	slices.Sort(lines)
	taxSaid := fmt.Sprintf("tax %d", tax)
	if off > 0 {
		taxSaid = ""
	}
	return fmt.Sprintf("%s\n  %s\n  off %d net %d %s", d, strings.Join(lines, "\n  "), off, net, taxSaid)
}

func plain(r *big.Rat) string {
	s := r.FloatString(6)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// change is a change of quantity and price, on the last day that was looked at.
func (m *model) change(i *modelItem, quantity, price string, now, right bool) {
	q, p := rat(quantity), rat(price)
	if !now || m.paused || !m.billed {
		if !m.began {
			i.quantity, i.price = q, p
		} else {
			i.later = &[2]*big.Rat{q, p}
		}
		return
	}
	was := new(big.Rat).Mul(i.quantity, i.price)
	i.quantity, i.price, i.later = q, p, nil
	if i.metered != "" {
		return
	}
	end := m.nextStart(m.through)
	left := big.NewRat(int64(m.through.DaysUntil(end)), int64(m.start.DaysUntil(end)))
	left.Mul(left, new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(m.percent, big.NewRat(100, 1))))
	due := cents(new(big.Rat).Mul(new(big.Rat).Mul(q, p), left)) - cents(new(big.Rat).Mul(was, left))
	switch {
	case due < 0:
		m.credit -= due
	case due > 0:
		text := fmt.Sprintf("%s, %s × %s, %s – %s", i.name, plain(q), plain(p), m.through, end.AddDays(-1))
		m.once = append(m.once, fmt.Sprintf("%s | 1 × %s - 0%% = %d", text, plain(big.NewRat(due, 100)), due))
		m.onceMinor, m.onceTaxed = append(m.onceMinor, due), append(m.onceTaxed, i.taxed)
		if right {
			m.invoice(m.through, nil, false, 0)
		}
	}
}

func (m *model) cancelNow() {
	var lines []modelLine
	if m.began {
		lines = m.usageLines(m.through.AddDays(1))
	}
	m.ended = true
	m.invoice(m.through, lines, true, m.couponMinor)
}
