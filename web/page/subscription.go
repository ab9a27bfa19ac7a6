package page

import (
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Subscriptions is the data of "subscriptions".
type Subscriptions struct {
	Shell
	Items    []subscription.Subscription
	Find     Find
	Tabs     Tabs
	Pager    Pager
	Narrowed bool // some are left out
}

// Subscription is the data of "subscription".
type Subscription struct {
	Shell
	Form         Form // of an act that was refused; otherwise empty
	Subscription subscription.Subscription
	Items        []SubscriptionItem
	Next         *money.Amount // what the next invoice comes to; nil where none is to come
	Periods      []SubscriptionPeriod
	Acts         []Act
}

// SubscriptionItem is an item with what can be done about it.
type SubscriptionItem struct {
	subscription.Item
	Since civil.Date // when it begins to hold, where it does not yet
	Until civil.Date // its last day, where it ends
	Acts  []Act
}

// Flat says that it has a quantity of its own.
func (i SubscriptionItem) Flat() bool { return i.Metered == subscription.Flat }

// SubscriptionPeriod is an invoice of the subscription.
type SubscriptionPeriod struct {
	subscription.Period
	Amount money.Amount
}

// Say is what the period was.
func (p SubscriptionPeriod) Say() string {
	switch {
	case p.Extra:
		return "A change"
	case p.Closing:
		return "The end"
	}
	return "Period"
}

// SubscriptionForm is the data of "subscription-edit". Its form sends customer_id, unit, every, starts_on, trial_days,
// month_end, currency, coupon_percent, coupon_amount, coupon_periods, collect, send, and the fields of each line as
// SubscriptionItemForm does.
type SubscriptionForm struct {
	Shell
	Form         Form
	Action, Back string
	Customers    []Option
	FindCustomer bool // there are more customers than stand in the list
	Products     []Option
	Rates        []Option
	Lines        []EditorLine
}

// SubscriptionItemForm is the data of "subscription-item". Its form sends lines[0].product_id, description, quantity,
// unit_price, tax_codes and metered, then when, item and version.
type SubscriptionItemForm struct {
	Shell
	Form         Form
	Action, Back string
	Item         *subscription.Item // that is changed; nil for a new one
	Products     []Option
	Rates        []Option
	Lines        []EditorLine // the one
	Whens        []Option
	NextOn       civil.Date
}

// SubscriptionOptions is the data of "subscription-options". Its form sends coupon_percent, coupon_amount,
// coupon_periods, collect, send and version.
type SubscriptionOptions struct {
	Shell
	Form         Form
	Action, Back string
	Currency     money.Currency
}

// SubscriptionUnits are what periods are counted in.
func SubscriptionUnits() []Option {
	return []Option{{Value: "month", Label: "Months"}, {Value: "year", Label: "Years"}, {Value: "week", Label: "Weeks"}, {Value: "day", Label: "Days"}}
}

// SubscriptionMeters are the ways in which usage becomes a quantity.
func SubscriptionMeters() []Option {
	return []Option{{Value: "", Label: "Not metered"}, {Value: "sum", Label: "The sum of what was used"}, {Value: "max", Label: "The largest value"},
		{Value: "last", Label: "The last value"}, {Value: "unique", Label: "How many different values"}}
}

// rhythm says how often: "Every month", "Every 3 weeks".
func rhythm(s subscription.Schedule) string {
	said := "Every " + string(s.Unit)
	if s.Every != 1 {
		said = fmt.Sprintf("Every %d %ss", s.Every, s.Unit)
	}
	if s.MonthEnd {
		said += ", on the last day"
	}
	return said
}

var meterNames = map[subscription.Metered]string{subscription.Sum: "sum", subscription.Max: "largest", subscription.Last: "last", subscription.Unique: "different"}

func meter(m subscription.Metered) string { return meterNames[m] }

// couponSay says what a coupon takes off, and for how long.
func couponSay(s subscription.Subscription) string {
	c := s.Coupon
	if c.IsZero() {
		return ""
	}
	off := quantity(c.Percent) + " %"
	if c.Percent.IsZero() {
		off = price(c.Amount, s.Currency) + " " + s.Currency.Code()
	}
	switch c.Left {
	case 0:
		return off + " off"
	case 1:
		return off + " off the next invoice"
	}
	return fmt.Sprintf("%s off the next %d invoices", off, c.Left)
}

// problemSay says in words why the last invoice was not made, or not delivered.
func problemSay(code string) string {
	switch {
	case code == "customer.archived":
		return "The next invoice cannot be made, because the customer is archived. Restore the customer, or cancel the subscription."
	case code == "mail.to":
		return "The last invoice was made, but not mailed: the customer has no usable email address."
	case strings.HasPrefix(code, "mail."):
		return "The last invoice was made, but could not be mailed. Send it from its own page."
	case strings.HasPrefix(code, "charge."), strings.HasPrefix(code, "gateway."):
		return "The last invoice was made, but the card could not be charged. See its own page."
	case strings.HasPrefix(code, "tax."):
		return "The next invoice cannot be made, because of a tax on it (" + code + "). Change the items; it is tried again each hour."
	}
	return "The next invoice cannot be made yet (" + code + "). It is tried again each hour."
}
