// Package subscription bills again and again: it keeps what a customer is charged for in each period, and makes the
// invoice of each period when its day comes. It stands in front of the books and writes invoices as a person would.
//
// A period has one invoice at most, because the row that says so has the period in its key and is written in the same
// transaction as the invoice: a worker that dies, or two that work at once, leave all of a period or nothing. Missed
// periods are made up for one by one, each with its own dates.
package subscription

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about subscriptions, besides what invoices refuse.
var (
	ErrNotFound     = fault.New(fault.NotFound, "subscription.not_found", "There is no such subscription.")
	ErrChanged      = fault.New(fault.Conflict, "subscription.changed", "This subscription was changed or invoiced in the meantime. Look at it again, then repeat your change.")
	ErrEnded        = fault.New(fault.Conflict, "subscription.ended", "This subscription has ended. Start another.")
	ErrNotPaused    = fault.New(fault.Conflict, "subscription.not_paused", "This subscription is not paused.")
	ErrPaused       = fault.New(fault.Conflict, "subscription.paused", "This subscription is paused. Resume it first.")
	ErrBehind       = fault.New(fault.Conflict, "subscription.behind", "An invoice of this subscription is due and is being made. Try again in a few minutes.")
	ErrUnit         = fault.New(fault.Invalid, "subscription.unit", "Bill every so many days, weeks, months or years.").At("unit")
	ErrEvery        = fault.New(fault.Invalid, "subscription.every", "A period has 1 to 365 days, weeks or months, or 1 to 10 years.").At("every")
	ErrTrial        = fault.New(fault.Invalid, "subscription.trial", "A trial has 0 to 730 days.").At("trial_days")
	ErrStart        = fault.New(fault.Invalid, "subscription.start", "A subscription starts at most a year ago and at most five years from now.").At("starts_on")
	ErrNoItems      = fault.New(fault.Invalid, "subscription.no_items", "Say what the subscription is for.").At("items")
	ErrTooManyItems = fault.New(fault.Invalid, "subscription.too_many_items", "A subscription has at most 50 items.").At("items")
	ErrItemNotFound = fault.New(fault.NotFound, "subscription.item_not_found", "There is no such item on this subscription.")
	ErrLastItem     = fault.New(fault.Conflict, "subscription.last_item", "A subscription needs an item. Cancel it instead.")
	ErrMetered      = fault.New(fault.Invalid, "subscription.metered", "Usage is counted by sum, max, last or unique.")
	ErrQuantity     = fault.New(fault.Invalid, "subscription.quantity", "Give a quantity above nothing; or leave it out for what is metered.")
	ErrTaxCodes     = fault.New(fault.Invalid, "subscription.tax_codes", "An item has at most 8 taxes.")
	ErrCoupon       = fault.New(fault.Invalid, "subscription.coupon", "Give a coupon in percent, up to 100, or as an amount, not both.")
	ErrCouponLeft   = fault.New(fault.Invalid, "subscription.coupon_periods", "A coupon is for 1 to 1000 periods, or left out for good.")
	ErrState        = fault.New(fault.Invalid, "subscription.state_unknown", "Ask for trialing, active, paused or ended.").At("state")
)

const (
	// Job is the kind of job that makes the invoices that are due.
	Job = "subscriptions.bill"

	maxItems    = 50
	maxTrial    = 730
	maxPeriods  = 1000
	itemLength  = 250
	codesLength = 170
)

// ID names a subscription.
type ID = id.Of[Subscription]

// ItemID names an item of a subscription, whatever became of its quantity and price.
type ItemID = id.Of[Item]

// State is how far a subscription has come.
type State string

// The states. A trialing one has had no invoice yet.
const (
	Trialing State = "trialing"
	Active   State = "active"
	Paused   State = "paused"
	Ended    State = "ended"
)

// Metered is how usage becomes a quantity.
type Metered string

// The ways: nothing is measured, or the sum, the largest, the last or the number of different values counts.
const (
	Flat   Metered = ""
	Sum    Metered = "sum"
	Max    Metered = "max"
	Last   Metered = "last"
	Unique Metered = "unique"
)

// Coupon is what is taken off the invoices of periods: percents of what recurs and was used, or an amount without tax.
type Coupon struct {
	Percent decimal.Decimal
	Amount  decimal.Decimal // in major units
	Left    int             // for how many invoices of periods; 0 is for good
}

// IsZero reports whether there is none.
func (c Coupon) IsZero() bool { return c.Percent.IsZero() && c.Amount.IsZero() }

// Subscription is what a customer is billed for again and again.
type Subscription struct {
	ID          ID
	Customer    billing.CustomerID
	CustomerSay string // the customer's name, and company
	State       State
	Schedule    Schedule
	StartedOn   civil.Date // before the anchor: a trial
	NextPeriod  int
	NextOn      civil.Date // when the next invoice is made; none when it has ended
	CancelAtEnd bool       // then instead of an invoice for the next period it ends
	EndedOn     civil.Date
	Currency    money.Currency
	Coupon      Coupon
	Credit      money.Amount // to be taken off the next invoices, without tax
	Collect     bool         // a card that is stored for it is charged at once
	Send        bool         // invoices are mailed
	Problem     string       // the code of why the last invoice could not be made, sent or charged
	Price       money.Amount // what recurs in each period, without tax and coupon
	CreatedAt   time.Time
	Version     int
	Items       []Item // those from the current period on, and what comes once; none in lists

	usageFrom civil.Date
	tookOff   int64 // what the coupon's amount took off the invoice that is being written
}

// Item is one thing that a subscription is for.
type Item struct {
	Item        ItemID            `db:"item_id"`
	FromPeriod  int               `db:"from_period"`
	ToPeriod    *int              `db:"to_period"`
	Product     billing.ProductID `db:"product_id"`
	Description string            `db:"description"` // without one of its own, the product's name
	Quantity    decimal.Decimal   `db:"quantity"`
	UnitPrice   decimal.Decimal   `db:"unit_price"`
	Codes       string            `db:"tax_codes"`
	Metered     Metered           `db:"metered"`
	Once        bool              `db:"once"`

	Row  uuid.UUID       `db:"id"`
	Used decimal.Decimal `db:"used"` // since it was last invoiced
}

// TaxCodes are the codes of the taxes on it.
func (i Item) TaxCodes() []string { return strings.Fields(i.Codes) }

// Input is what a subscription starts with.
type Input struct {
	CustomerID    billing.CustomerID
	Unit          Unit
	Every         int
	StartsOn      civil.Date // zero: today
	TrialDays     int        // the first period begins so many days later
	MonthEnd      bool
	Currency      money.Currency // zero: the organization's own
	Coupon        Coupon
	Collect, Send bool
	Items         []ItemInput
}

// ItemInput is one thing that a subscription is to be for.
type ItemInput struct {
	ProductID   billing.ProductID
	Description string
	Quantity    decimal.Decimal
	UnitPrice   decimal.Decimal
	TaxCodes    []string
	Metered     Metered
}

// Filter narrows a list of subscriptions. Search looks at the customer's name and company.
type Filter struct {
	State      State
	CustomerID billing.CustomerID
	Search     string
}

// Period is one of which the invoice was made.
type Period struct {
	Period   int               `db:"period"`
	From     civil.Date        `db:"from_date"`
	To       civil.Date        `db:"to_date"`
	Document billing.InvoiceID `db:"document_id"` // zero: there was nothing to charge
	Number   string            `db:"number"`
	Total    int64             `db:"total"`
	Closing  bool              `db:"closing"`
	Extra    bool              `db:"extra"` // not of a period: a change that was invoiced right away
}

// Start begins a subscription. Its first invoice is made when its first period begins: today, or after the trial. It
// fails with all that is wrong with the input.
func Start(ctx context.Context, tx *tenant.Tx, in Input) (Subscription, error) {
	settings, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return Subscription{}, err
	}
	today := settings.Today(tx)
	if in.Currency.IsZero() {
		in.Currency = settings.BaseCurrency
	}
	if in.StartsOn.IsZero() {
		in.StartsOn = today
	}
	if err := in.check(today); err != nil {
		return Subscription{}, err
	}
	items, err := checkItems(ctx, tx, in.Currency, in.Items)
	if err != nil {
		return Subscription{}, err
	}
	customer, err := billing.CustomerByID(ctx, tx, in.CustomerID)
	if errors.Is(err, billing.ErrCustomerNotFound) {
		return Subscription{}, billing.ErrCustomerUnknown.Because(err)
	} else if err != nil {
		return Subscription{}, err
	}
	if customer.Archived {
		return Subscription{}, billing.ErrCustomerArchived
	}
	s := Subscription{ID: id.New[Subscription](), Customer: in.CustomerID, State: Trialing, StartedOn: in.StartsOn, Currency: in.Currency,
		Schedule: Schedule{in.Unit, in.Every, in.StartsOn.AddDays(in.TrialDays), in.MonthEnd},
		Coupon:   in.Coupon, Collect: in.Collect, Send: in.Send, CreatedAt: tx.Now()}
	s.Schedule.Anchor = s.Schedule.At(0)
	s.NextOn, s.usageFrom = s.Schedule.Anchor, s.Schedule.Anchor
	if err := insertSubscription(ctx, tx, s); err != nil {
		return Subscription{}, err
	}
	for _, item := range items {
		if err := insertItem(ctx, tx, s.ID, newItem(item, 0)); err != nil {
			return Subscription{}, err
		}
	}
	if err := tx.Record(ctx, tenant.Act{Action: "subscription.start", Object: "subscription", ID: s.ID.UUID,
		Detail: fmt.Sprintf("every %d %s from %s", in.Every, in.Unit, s.NextOn)}); err != nil {
		return Subscription{}, err
	}
	if err := jobs.Enqueue(ctx, tx, jobs.Job{Kind: Job, Args: struct{}{}, Key: s.ID.String()}); err != nil {
		return Subscription{}, err
	}
	return ByID(ctx, tx, s.ID)
}

func newItem(in ItemInput, from int) Item {
	item := id.New[Item]()
	return Item{Item: item, Row: item.UUID, FromPeriod: from, Product: in.ProductID, Description: in.Description, Quantity: in.Quantity,
		UnitPrice: in.UnitPrice, Codes: strings.Join(in.TaxCodes, " "), Metered: in.Metered}
}

func (in Input) check(today civil.Date) error {
	var faults fault.List
	switch in.Unit {
	case Day, Week, Month, Year:
	default:
		faults.Add("", ErrUnit)
	}
	if in.Every < 1 || in.Every > 365 || in.Unit == Year && in.Every > 10 {
		faults.Add("", ErrEvery)
	}
	if in.TrialDays < 0 || in.TrialDays > maxTrial {
		faults.Add("", ErrTrial)
	}
	if in.StartsOn.Before(today.AddDays(-366)) || in.StartsOn.After(today.AddDays(5*366)) {
		faults.Add("", ErrStart)
	}
	if err := in.Coupon.check(in.Currency); !faults.Add("", err) {
		return err
	}
	return faults.Err()
}

func (c Coupon) check(currency money.Currency) error {
	switch {
	case c.Percent.IsNegative() || c.Percent.GreaterThan(decimal.New(100, 0)) || c.Amount.IsNegative() || !c.Percent.IsZero() && !c.Amount.IsZero():
		return ErrCoupon.At("coupon_percent")
	case c.Left < 0 || c.Left > maxPeriods:
		return ErrCouponLeft.At("coupon_periods")
	case !c.Amount.Equal(c.Amount.Truncate(int32(currency.Digits()))):
		return money.ErrTooPrecise.At("coupon_amount")
	}
	if err := money.CheckDecimal(c.Percent, money.PercentIntDigits, money.PercentFracDigits); err != nil {
		return ErrCoupon.At("coupon_percent").Because(err)
	}
	if _, err := money.FromDecimal(c.Amount, currency); err != nil {
		return money.ErrTooLarge.At("coupon_amount").Because(err)
	}
	return nil
}

// checkItems reads the items and has the calculator look at them as lines of an invoice.
func checkItems(ctx context.Context, tx *tenant.Tx, currency money.Currency, items []ItemInput) ([]ItemInput, error) {
	if len(items) == 0 {
		return nil, ErrNoItems
	}
	if len(items) > maxItems {
		return nil, ErrTooManyItems
	}
	var faults fault.List
	checked, lines := make([]ItemInput, len(items)), make([]billing.InvoiceLineInput, len(items))
	for i, item := range items {
		field := fmt.Sprintf("items[%d]", i)
		item, err := item.check(field)
		if !faults.Add("", err) {
			return nil, err
		}
		checked[i] = item
		lines[i] = billing.InvoiceLineInput{ProductID: item.ProductID, Description: item.Description, Quantity: item.Quantity, UnitPrice: item.UnitPrice, TaxCodes: item.TaxCodes}
		if item.Metered != Flat {
			lines[i].Quantity = decimal.New(1, 0)
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	_, err := billing.PreviewInvoice(ctx, tx, billing.InvoiceInput{Currency: currency, Lines: lines})
	return checked, asItems(err)
}

// asItems lets faults point at items, where the calculator says lines.
func asItems(err error) error {
	return renameFields(err, func(field string) string {
		if rest, ok := strings.CutPrefix(field, "lines"); ok {
			return "items" + rest
		}
		return field
	})
}

func renameFields(err error, rename func(field string) string) error {
	var faults fault.List
	if err == nil || !faults.Add("", err) {
		return err
	}
	for i, f := range faults {
		faults[i] = f.At(rename(f.Field))
	}
	return faults.Err()
}

func (in ItemInput) check(field string) (ItemInput, error) {
	var faults fault.List
	kept, err := text.Line(field+".description", in.Description, itemLength-50)
	if err == nil && kept == "" && in.ProductID.IsZero() {
		err = text.ErrMissing.At(field + ".description")
	}
	if !faults.Add("", err) {
		return in, err
	}
	in.Description = kept
	switch in.Metered {
	case Flat, Sum, Max, Last, Unique:
	default:
		faults.Add("", ErrMetered.At(field+".metered"))
	}
	if in.Metered != Flat {
		in.Quantity = decimal.Zero
	} else if in.Quantity.Sign() <= 0 || money.CheckDecimal(in.Quantity, money.QuantityIntDigits, money.QuantityFracDigits) != nil {
		faults.Add("", ErrQuantity.At(field+".quantity"))
	}
	if in.UnitPrice.IsNegative() {
		faults.Add("", tax.ErrPriceNegative.At(field+".unit_price"))
	} else if err := money.CheckDecimal(in.UnitPrice, money.PriceIntDigits, money.PriceFracDigits); !faults.Add(field+".unit_price", err) {
		return in, err
	}
	if len(strings.Join(in.TaxCodes, " ")) > codesLength || len(in.TaxCodes) > tax.MaxRates {
		faults.Add("", ErrTaxCodes.At(field+".taxes"))
	}
	return in, faults.Err()
}

// ByID gives one subscription; ErrNotFound.
func ByID(ctx context.Context, tx *tenant.Tx, subscription ID) (Subscription, error) {
	s, err := selectSubscription(ctx, tx, subscription)
	if err != nil {
		return s, err
	}
	s.Items, err = selectItems(ctx, tx, s)
	return s, err
}

// All lists subscriptions, the newest first.
func All(ctx context.Context, tx *tenant.Tx, filter Filter, q cursor.Query) (cursor.Page[Subscription], error) {
	none := cursor.Page[Subscription]{}
	q, err := q.Check()
	if err != nil {
		return none, err
	}
	switch filter.State {
	case "", Trialing, Active, Paused, Ended:
	default:
		return none, ErrState
	}
	if filter.Search, err = text.Line("search", filter.Search, 200); err != nil {
		return none, err
	}
	rows, err := selectSubscriptions(ctx, tx, filter, q)
	if err != nil {
		return none, err
	}
	return cursor.Cut(q, rows), nil
}

// Periods gives the invoices of a subscription, the newest first, at most 100.
func Periods(ctx context.Context, tx *tenant.Tx, subscription ID) ([]Period, error) {
	return selectPeriods(ctx, tx, subscription)
}

// Counts says how many subscriptions are in each state.
func Counts(ctx context.Context, tx *tenant.Tx) (map[State]int, error) { return countStates(ctx, tx) }
