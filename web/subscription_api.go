package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/subscription"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// SubscriptionItemBody is one thing that a subscription is to be for.
type SubscriptionItemBody struct {
	ProductID   string   `json:"product_id,omitempty"`
	Description string   `json:"description,omitempty" doc:"Left out, the product's name"`
	Quantity    string   `json:"quantity,omitempty" doc:"Decimal, more than nothing; left out for what is metered" example:"2"`
	UnitPrice   string   `json:"unit_price" doc:"For one and one period; decimal, at most 6 decimals" example:"9.00"`
	TaxCodes    []string `json:"taxes,omitempty" doc:"Codes of tax rates, in order"`
	Metered     string   `json:"metered,omitempty" doc:"How usage becomes a quantity, at the end of each period: sum, max, last or unique; left out, it is not metered" example:"sum"`
}

// SubscriptionOptionsBody is what of a subscription can be changed besides its items.
type SubscriptionOptionsBody struct {
	CouponPercent string `json:"coupon_percent,omitempty" doc:"Taken off what recurs and what was used, 0 to 100; this or coupon_amount" example:"20"`
	CouponAmount  string `json:"coupon_amount,omitempty" doc:"Taken off each invoice, without tax" example:"5.00"`
	CouponPeriods int    `json:"coupon_periods,omitempty" doc:"For how many periods; left out, for good" minimum:"0" maximum:"1000"`
	Collect       bool   `json:"collect,omitempty" doc:"Charge a card that the customer left for it as soon as an invoice is made"`
	Send          bool   `json:"send,omitempty" doc:"Mail each invoice to the customer"`
}

// SubscriptionBody is what a subscription starts with.
type SubscriptionBody struct {
	CustomerID string `json:"customer_id"`
	Unit       string `json:"unit" doc:"day, week, month or year" example:"month"`
	Every      int    `json:"every" doc:"How many of them a period has" example:"1" minimum:"1" maximum:"365"`
	StartsOn   string `json:"starts_on,omitempty" doc:"Left out, today" example:"2026-11-21"`
	TrialDays  int    `json:"trial_days,omitempty" doc:"The first period, and its invoice, come so many days later" minimum:"0" maximum:"730"`
	MonthEnd   bool   `json:"month_end,omitempty" doc:"Periods begin on the last day of a month"`
	Currency   string `json:"currency,omitempty" doc:"ISO 4217; left out, the organization's own" example:"EUR"`
	SubscriptionOptionsBody
	Items []SubscriptionItemBody `json:"items" maxItems:"50"`
}

// SubscriptionItemView is an item as it is, or will be, from a period on.
type SubscriptionItemView struct {
	ID string `json:"id" doc:"The same whatever became of quantity and price"`
	SubscriptionItemBody
	FromPeriod int    `json:"from_period"`
	ToPeriod   *int   `json:"to_period" doc:"The last period; null while none is known"`
	Once       bool   `json:"once" doc:"A line of the next invoice alone"`
	Used       string `json:"used,omitempty" doc:"Of what is metered: since it was last invoiced"`
}

// SubscriptionView is a subscription as a program reads it.
type SubscriptionView struct {
	ID          string                 `json:"id"`
	Customer    InvoiceCustomerView    `json:"customer"`
	State       string                 `json:"state" doc:"trialing, active, paused or ended"`
	Unit        string                 `json:"unit"`
	Every       int                    `json:"every"`
	StartedOn   string                 `json:"started_on"`
	Anchor      string                 `json:"anchor" doc:"The first day of period 0, from which all others are counted"`
	MonthEnd    bool                   `json:"month_end"`
	NextPeriod  int                    `json:"next_period"`
	NextOn      *string                `json:"next_on" doc:"When the next invoice is made"`
	CancelAtEnd bool                   `json:"cancel_at_end" doc:"It ends then instead"`
	EndedOn     *string                `json:"ended_on"`
	Price       Money                  `json:"price" doc:"What recurs in each period, without tax and coupon"`
	Credit      Money                  `json:"credit" doc:"To be taken off the next invoices, without tax"`
	Problem     string                 `json:"problem,omitempty" doc:"The code of why the last invoice could not be made, sent or charged"`
	CreatedAt   time.Time              `json:"created_at"`
	Items       []SubscriptionItemView `json:"items,omitempty" doc:"Not in lists"`
	SubscriptionOptionsBody
}

// SubscriptionPeriodView is an invoice of a subscription.
type SubscriptionPeriodView struct {
	Period    int    `json:"period"`
	From      string `json:"from"`
	To        string `json:"to" doc:"The last day"`
	InvoiceID string `json:"invoice_id,omitempty" doc:"None where there was nothing to charge"`
	Number    string `json:"number,omitempty"`
	Closing   bool   `json:"closing" doc:"The last: what was still to be charged"`
	Extra     bool   `json:"extra" doc:"A change within a period, invoiced right away"`
}

// SubscriptionChangeBody is what becomes of an item.
type SubscriptionChangeBody struct {
	ItemID string `json:"item_id,omitempty" doc:"Left out, a new item; of one that is there, quantity and price change"`
	Remove bool   `json:"remove,omitempty"`
	SubscriptionItemBody
	Now        bool `json:"now,omitempty" doc:"In the current period, by the days that are left of it; left out, from the next period on"`
	InvoiceNow bool `json:"invoice_now,omitempty" doc:"What a change now costs is invoiced right away, and not with the next period"`
}

// CancelBody says when a subscription ends.
type CancelBody struct {
	Now      bool `json:"now,omitempty" doc:"Left out, when the current period ends"`
	GiveBack bool `json:"give_back,omitempty" doc:"With now: a credit note is issued over the days that are left, by days, with their taxes"`
}

// UsageBody is what was used.
type UsageBody struct {
	Events []UsageEventBody `json:"events" maxItems:"1000"`
}

// UsageEventBody is one event.
type UsageEventBody struct {
	Key      string     `json:"key" doc:"Your own name for it: it counts once, however often it is sent"`
	ItemID   string     `json:"item_id" doc:"Of a metered item"`
	At       *time.Time `json:"at,omitempty" doc:"Left out, now"`
	Quantity string     `json:"quantity,omitempty" doc:"Decimal, nothing or more; left out for unique"`
	Value    string     `json:"value,omitempty" doc:"For unique: what is counted once"`
}

// UsageView says what became of events.
type UsageView struct {
	Recorded int `json:"recorded" doc:"How many were new"`
	Known    int `json:"known" doc:"How many had been sent before"`
}

func (b SubscriptionItemBody) input(field string) (in subscription.ItemInput, err error) {
	var faults fault.List
	in = subscription.ItemInput{Description: b.Description, TaxCodes: b.TaxCodes, Metered: subscription.Metered(b.Metered)}
	if in.ProductID, err = bodyID[billing.Product](field+"product_id", b.ProductID); !faults.Add("", err) {
		return in, err
	}
	if in.Quantity, err = bodyQuantity(field+"quantity", b.Quantity); !faults.Add("", err) {
		return in, err
	}
	if in.UnitPrice, err = bodyPrice(field+"unit_price", b.UnitPrice); !faults.Add("", err) {
		return in, err
	}
	return in, faults.Err()
}

func (b SubscriptionOptionsBody) input() (o subscription.Options, err error) {
	var faults fault.List
	o = subscription.Options{Collect: b.Collect, Send: b.Send, Coupon: subscription.Coupon{Left: b.CouponPeriods}}
	if b.CouponPercent != "" {
		o.Coupon.Percent, err = money.ParseDecimal(b.CouponPercent, money.PercentIntDigits, money.PercentFracDigits)
		if !faults.Add("coupon_percent", err) {
			return o, err
		}
	}
	if b.CouponAmount != "" {
		o.Coupon.Amount, err = money.ParseDecimal(b.CouponAmount, money.PriceIntDigits, money.PriceFracDigits)
		if !faults.Add("coupon_amount", err) {
			return o, err
		}
	}
	return o, faults.Err()
}

func (b SubscriptionBody) input() (in subscription.Input, err error) {
	var faults fault.List
	in = subscription.Input{Unit: subscription.Unit(b.Unit), Every: b.Every, TrialDays: b.TrialDays, MonthEnd: b.MonthEnd}
	options, err := b.SubscriptionOptionsBody.input()
	if !faults.Add("", err) {
		return in, err
	}
	in.Coupon, in.Collect, in.Send = options.Coupon, options.Collect, options.Send
	if in.CustomerID, err = bodyID[billing.Customer]("customer_id", b.CustomerID); !faults.Add("", err) {
		return in, err
	}
	if in.StartsOn, err = bodyDate("starts_on", b.StartsOn); !faults.Add("", err) {
		return in, err
	}
	if b.Currency != "" {
		in.Currency, err = money.ParseCurrency(b.Currency)
		if !faults.Add("currency", err) {
			return in, err
		}
	}
	for i, item := range b.Items {
		read, err := item.input(fmt.Sprintf("items[%d].", i))
		if !faults.Add("", err) {
			return in, err
		}
		in.Items = append(in.Items, read)
	}
	return in, faults.Err()
}

func (b SubscriptionChangeBody) input() (in subscription.ChangeInput, err error) {
	in = subscription.ChangeInput{Remove: b.Remove, Now: b.Now, InvoiceNow: b.InvoiceNow}
	if in.Item, err = bodyID[subscription.Item]("item_id", b.ItemID); err != nil || b.Remove {
		return in, err
	}
	in.ItemInput, err = b.SubscriptionItemBody.input("")
	return in, err
}

func (b UsageBody) events() (events []subscription.Event, err error) {
	var faults fault.List
	for i, e := range b.Events {
		field := fmt.Sprintf("events[%d].", i)
		read := subscription.Event{Key: e.Key, Value: e.Value}
		if read.Item, err = bodyID[subscription.Item](field+"item_id", e.ItemID); !faults.Add("", err) {
			return nil, err
		}
		if read.Quantity, err = bodyQuantity(field+"quantity", e.Quantity); !faults.Add("", err) {
			return nil, err
		}
		if e.At != nil {
			read.At = *e.At
		}
		events = append(events, read)
	}
	return events, faults.Err()
}

func decimalText(d decimal.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func viewSubscription(s subscription.Subscription) SubscriptionView {
	v := SubscriptionView{ID: s.ID.String(), Customer: InvoiceCustomerView{ID: s.Customer.String(), Name: s.CustomerSay}, State: string(s.State),
		Unit: string(s.Schedule.Unit), Every: s.Schedule.Every, StartedOn: s.StartedOn.String(), Anchor: s.Schedule.Anchor.String(),
		MonthEnd: s.Schedule.MonthEnd, NextPeriod: s.NextPeriod, NextOn: dateText(s.NextOn), CancelAtEnd: s.CancelAtEnd, EndedOn: dateText(s.EndedOn),
		Price: moneyOf(s.Price), Credit: moneyOf(s.Credit), Problem: s.Problem, CreatedAt: s.CreatedAt.UTC(),
		SubscriptionOptionsBody: SubscriptionOptionsBody{CouponPercent: decimalText(s.Coupon.Percent), CouponAmount: decimalText(s.Coupon.Amount),
			CouponPeriods: s.Coupon.Left, Collect: s.Collect, Send: s.Send}}
	for _, i := range s.Items {
		item := SubscriptionItemView{ID: i.Item.String(), FromPeriod: i.FromPeriod, ToPeriod: i.ToPeriod, Once: i.Once,
			SubscriptionItemBody: SubscriptionItemBody{ProductID: idText(i.Product), Description: i.Description, Quantity: decimalText(i.Quantity),
				UnitPrice: i.UnitPrice.String(), TaxCodes: i.TaxCodes(), Metered: string(i.Metered)}}
		if i.Metered != subscription.Flat {
			item.Used = i.Used.String()
		}
		v.Items = append(v.Items, item)
	}
	return v
}

func viewPeriod(p subscription.Period) SubscriptionPeriodView {
	return SubscriptionPeriodView{Period: p.Period, From: p.From.String(), To: p.To.String(), InvoiceID: idText(p.Document), Number: p.Number,
		Closing: p.Closing, Extra: p.Extra}
}

type subscriptionListInput struct {
	PageInput
	State      string `query:"state" doc:"trialing, active, paused or ended" maxLength:"10"`
	CustomerID string `query:"customer_id" maxLength:"36"`
	Search     string `query:"search" doc:"Words of the customer's name or company" maxLength:"200"`
}

const subscriptionsTag = "Subscriptions"

func (s *Server) registerSubscriptionAPI() {
	handle(s, operation{id: "list-subscriptions", method: "GET", path: "/v1/subscriptions", right: rightTo(authz.Read, authz.Subscriptions), tag: subscriptionsTag, summary: "List subscriptions, the newest first"},
		func(ctx context.Context, c *call, in *subscriptionListInput) (*Body[List[SubscriptionView]], error) {
			customer, err := bodyID[billing.Customer]("customer_id", in.CustomerID)
			if err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[subscription.Subscription], error) {
				return subscription.All(ctx, tx, subscription.Filter{State: subscription.State(in.State), CustomerID: customer, Search: in.Search}, q)
			}, viewSubscription)
		})
	handle(s, operation{id: "start-subscription", method: "POST", path: "/v1/subscriptions", right: rightTo(authz.Create, authz.Subscriptions), tag: subscriptionsTag, summary: "Start a subscription; its first invoice is made when its first period begins", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[SubscriptionBody]) (*Versioned[SubscriptionView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := subscription.Start(ctx, tx, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (SubscriptionView, int, error) {
				v, err := subscription.ByID(ctx, tx, subscription.ID{UUID: made})
				return viewSubscription(v), v.Version, err
			})
		})
	handle(s, operation{id: "get-subscription", method: "GET", path: "/v1/subscriptions/{id}", right: rightTo(authz.Read, authz.Subscriptions), tag: subscriptionsTag, summary: "Read a subscription"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[SubscriptionView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i subscription.ID) (SubscriptionView, int, error) {
				v, err := subscription.ByID(ctx, tx, i)
				return viewSubscription(v), v.Version, err
			})
		})
	handle(s, operation{id: "list-subscription-invoices", method: "GET", path: "/v1/subscriptions/{id}/invoices", right: rightTo(authz.Read, authz.Subscriptions), tag: subscriptionsTag, summary: "List the last 100 invoices of a subscription, the newest first"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[SubscriptionPeriodView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i subscription.ID) (List[SubscriptionPeriodView], int, error) {
				if _, err := subscription.ByID(ctx, tx, i); err != nil {
					return List[SubscriptionPeriodView]{}, 0, err
				}
				periods, err := subscription.Periods(ctx, tx, i)
				return all(periods, viewPeriod).Body, 0, err
			})
		})
	s.registerSubscriptionActAPI()
}

func (s *Server) registerSubscriptionActAPI() {
	handle(s, operation{id: "change-subscription-options", method: "PUT", path: "/v1/subscriptions/{id}", right: rightTo(authz.Change, authz.Subscriptions), tag: subscriptionsTag, summary: "Set coupon, collecting and mailing anew, from the next invoice on"},
		func(ctx context.Context, c *call, in *Change[SubscriptionOptionsBody]) (*Versioned[SubscriptionView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return changeSubscription(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
				return subscription.ChangeOptions(ctx, tx, i, version, input)
			})
		})
	handle(s, operation{id: "change-subscription-item", method: "POST", path: "/v1/subscriptions/{id}/change", right: rightTo(authz.Change, authz.Subscriptions), tag: subscriptionsTag, summary: "Add, change or remove an item: now, by the days that are left, or from the next period on"},
		func(ctx context.Context, c *call, in *Change[SubscriptionChangeBody]) (*Versioned[SubscriptionView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return changeSubscription(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
				return subscription.ChangeItem(ctx, tx, i, version, input)
			})
		})
	handle(s, operation{id: "cancel-subscription", method: "POST", path: "/v1/subscriptions/{id}/cancel", right: rightTo(authz.Delete, authz.Subscriptions), tag: subscriptionsTag, summary: "End a subscription, now or when the current period ends; what was paid in advance is given back where you ask for it"},
		func(ctx context.Context, c *call, in *Change[CancelBody]) (*Versioned[SubscriptionView], error) {
			return changeSubscription(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
				if in.Body.Now && in.Body.GiveBack {
					s, _, err := subscription.CancelGivingBack(ctx, tx, i, version)
					return s, err
				}
				return subscription.Cancel(ctx, tx, i, version, in.Body.Now)
			})
		})
	for _, act := range []struct {
		name, summary string
		action        authz.Action
		do            func(ctx context.Context, tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error)
	}{
		{"pause", "Keep a subscription from being billed", authz.Change, subscription.Pause},
		{"resume", "Bill a paused subscription again, from the first period on that begins today or later", authz.Change, subscription.Resume},
		{"keep", "Take back that a subscription ends with its period", authz.Delete, subscription.Keep},
	} {
		handle(s, operation{id: act.name + "-subscription", method: "POST", path: "/v1/subscriptions/{id}/" + act.name, right: rightTo(act.action, authz.Subscriptions), tag: subscriptionsTag, summary: act.summary},
			func(ctx context.Context, c *call, in *Act) (*Versioned[SubscriptionView], error) {
				return changeSubscription(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error) {
					return act.do(ctx, tx, i, version)
				})
			})
	}
	handle(s, operation{id: "record-usage", method: "POST", path: "/v1/subscriptions/{id}/usage", right: rightTo(authz.Change, authz.Subscriptions), tag: subscriptionsTag, summary: "Record what was used of what is metered; an event counts once for its key, however often it is sent"},
		func(ctx context.Context, c *call, in *Change[UsageBody]) (*Versioned[UsageView], error) {
			events, err := in.Body.events()
			if err != nil {
				return nil, err
			}
			return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i subscription.ID, _ int) (UsageView, int, error) {
				fresh, err := subscription.RecordUsage(ctx, tx, i, events)
				return UsageView{fresh, len(events) - fresh}, 0, err
			})
		})
}

func changeSubscription(ctx context.Context, c *call, id string, m IfMatch, do func(tx *tenant.Tx, i subscription.ID, version int) (subscription.Subscription, error)) (*Versioned[SubscriptionView], error) {
	return change(ctx, c, id, m, func(tx *tenant.Tx, i subscription.ID, version int) (SubscriptionView, int, error) {
		v, err := do(tx, i, version)
		return viewSubscription(v), v.Version, err
	})
}
