package shop

import (
	"context"
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about the limits.
var (
	ErrLimitsChanged = fault.New(fault.Conflict, "order_review.changed", "Someone else changed these settings in the meantime. Look at them again, then repeat your change.")
	ErrLimitsBounds  = fault.New(fault.Invalid, "order_review.bounds", "This is out of bounds.")
)

// maxLimit is the largest number that a limit can be.
const maxLimit = 1000

// Limits are what is let through without a person's look, within so many hours, for one customer, one number and one
// network each. A limit of 0 is none.
type Limits struct {
	Hours     int `db:"review_hours"`
	Orders    int `db:"review_orders"`
	Cards     int `db:"review_cards"`
	Addresses int `db:"review_addresses"`
	Countries int `db:"review_countries"`
	Version   int `db:"review_version"`
}

// any says whether there is a limit at all.
func (l Limits) any() bool { return l.Orders+l.Cards+l.Addresses+l.Countries > 0 }

func (l Limits) check() error {
	var all fault.List
	for _, b := range []struct {
		field        string
		value, least int
		most         int
	}{{"hours", l.Hours, 1, 168}, {"orders", l.Orders, 0, maxLimit}, {"cards", l.Cards, 0, maxLimit}, {"addresses", l.Addresses, 0, maxLimit}, {"countries", l.Countries, 0, maxLimit}} {
		if b.value < b.least || b.value > b.most {
			all.Add("", ErrLimitsBounds.Sayf("Give a whole number from %d to %d.", b.least, b.most).At(b.field))
		}
	}
	return all.Err()
}

func (l Limits) say() string {
	return fmt.Sprintf("%d orders, %d cards, %d addresses, %d countries in %d hours", l.Orders, l.Cards, l.Addresses, l.Countries, l.Hours)
}

// LoadLimits reads the limits.
func LoadLimits(ctx context.Context, tx *tenant.Tx) (Limits, error) { return selectLimits(ctx, tx) }

// ChangeLimits writes them anew. version is the one that the change was made on; 0 is any. It fails with all that is out of
// bounds, or ErrLimitsChanged.
func ChangeLimits(ctx context.Context, tx *tenant.Tx, version int, in Limits) (Limits, error) {
	if err := in.check(); err != nil {
		return in, err
	}
	was, err := selectLimits(ctx, tx)
	if err != nil {
		return was, err
	}
	is, err := updateLimits(ctx, tx, version, in)
	if err != nil {
		return was, err
	}
	return is, tx.Record(ctx, tenant.Act{Action: "order_review.change", Object: "settings",
		Changes: []tenant.Change{{Field: "limits", Before: was.say(), After: is.say()}}})
}

// Review is the check that holds an order for a person where one customer, one number or one network brings too many
// orders, cards, addresses or countries within the organization's hours. The order that is asked about counts.
func Review(ctx context.Context, tx *tenant.Tx, a Asked) (Verdict, error) {
	limits, err := selectLimits(ctx, tx)
	if err != nil || !limits.any() {
		return Verdict{}, err
	}
	recent, err := selectRecent(ctx, tx, a, limits.Hours)
	if err != nil {
		return Verdict{}, err
	}
	cards, err := selectCards(ctx, tx, a, recent, limits.Hours)
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	for _, of := range []struct {
		say    string
		belong func(r recentOrder) bool
		asked  bool
	}{
		{"by this customer", func(r recentOrder) bool { return r.Customer == a.Customer.ID.UUID }, true},
		{"with this phone number", func(r recentOrder) bool { return r.SameNumber }, a.Customer.VerifiedPhone != ""},
		{"from this network", func(r recentOrder) bool { return r.SameNetwork }, a.Network != ""},
	} {
		if of.asked {
			v.Hold = append(v.Hold, limits.passed(of.say, countOf(a, recent, cards, of.belong))...)
		}
	}
	return v, nil
}

// tally is how much came together, the order that is asked about counted.
type tally struct{ orders, cards, addresses, countries int }

func countOf(a Asked, recent []recentOrder, cards []card, belong func(r recentOrder) bool) tally {
	t := tally{orders: 1}
	addresses, countries := map[string]bool{}, map[string]bool{}
	customers := map[string]bool{a.Customer.ID.String(): true}
	note := func(address string, of ...string) {
		if address != "" {
			addresses[address] = true
		}
		for _, country := range of {
			if country != "" {
				countries[country] = true
			}
		}
	}
	note(addressOf(a.Customer), a.Customer.Country, a.Country)
	for _, r := range recent {
		if belong(r) {
			t.orders++
			customers[r.Customer.String()] = true
			note(r.Place, r.BilledIn, r.From)
		}
	}
	different := map[string]bool{}
	for _, c := range cards {
		if customers[c.Customer.String()] {
			different[c.Face] = true
		}
	}
	t.cards, t.addresses, t.countries = len(different), len(addresses), len(countries)
	return t
}

// addressOf is an address as two of them are compared, as selectRecent writes it; empty for none.
func addressOf(c billing.Customer) string {
	parts := []string{c.Street, c.PostalCode, c.City, c.Country}
	if strings.Join(parts, "") == "" {
		return ""
	}
	return strings.ToLower(strings.Join(parts, "|"))
}

// passed says which limits are passed, a sentence each.
func (l Limits) passed(whose string, t tally) (reasons []string) {
	for _, c := range []struct {
		count, most int
		what        string
	}{{t.orders, l.Orders, "orders"}, {t.cards, l.Cards, "cards"}, {t.addresses, l.Addresses, "addresses"}, {t.countries, l.Countries, "countries"}} {
		if c.most > 0 && c.count > c.most {
			reasons = append(reasons, fmt.Sprintf("%d %s %s within %d h; at most %d.", c.count, c.what, whose, l.Hours, c.most))
		}
	}
	return reasons
}
