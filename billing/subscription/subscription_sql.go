package subscription

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

const columns = `s.id, s.customer_id, s.state, s.unit, s.every, s.anchor, s.month_end, s.started_on, s.next_period, s.next_on,
	s.usage_from, s.cancel_at_end, s.ended_on, s.currency, s.coupon_percent, s.coupon_amount, s.coupon_left, s.credit, s.collect,
	s.send, s.problem, s.created_at, s.version`

const shown = `SELECT ` + columns + `, p.name AS "customer.name", p.company AS "customer.company",
	coalesce((SELECT sum(i.quantity * i.unit_price) FROM subscription_item i WHERE i.subscription_id = s.id AND NOT i.once
	   AND i.from_period <= s.next_period AND (i.to_period IS NULL OR i.to_period >= s.next_period)), 0) AS price
  FROM subscription s JOIN party p ON p.id = s.customer_id`

type row struct {
	ID            ID                 `db:"id"`
	Customer      billing.CustomerID `db:"customer_id"`
	Name          string             `db:"customer.name"`
	Company       string             `db:"customer.company"`
	State         State              `db:"state"`
	Unit          Unit               `db:"unit"`
	Every         int                `db:"every"`
	Anchor        civil.Date         `db:"anchor"`
	MonthEnd      bool               `db:"month_end"`
	StartedOn     civil.Date         `db:"started_on"`
	NextPeriod    int                `db:"next_period"`
	NextOn        civil.Date         `db:"next_on"`
	UsageFrom     civil.Date         `db:"usage_from"`
	CancelAtEnd   bool               `db:"cancel_at_end"`
	EndedOn       civil.Date         `db:"ended_on"`
	Currency      money.Currency     `db:"currency"`
	CouponPercent decimal.Decimal    `db:"coupon_percent"`
	CouponAmount  int64              `db:"coupon_amount"`
	CouponLeft    int                `db:"coupon_left"`
	Credit        int64              `db:"credit"`
	Collect       bool               `db:"collect"`
	Send          bool               `db:"send"`
	Problem       string             `db:"problem"`
	CreatedAt     time.Time          `db:"created_at"`
	Version       int                `db:"version"`
	Price         decimal.Decimal    `db:"price"`
}

func (r row) subscription() (Subscription, error) {
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	price, err := money.FromDecimal(r.Price, r.Currency)
	if err != nil {
		return Subscription{}, err
	}
	say := r.Name
	if r.Company != "" && r.Company != r.Name {
		say += ", " + r.Company
	}
	return Subscription{ID: r.ID, Customer: r.Customer, CustomerSay: say, State: r.State,
		Schedule: Schedule{r.Unit, r.Every, r.Anchor, r.MonthEnd}, StartedOn: r.StartedOn, NextPeriod: r.NextPeriod, NextOn: r.NextOn,
		CancelAtEnd: r.CancelAtEnd, EndedOn: r.EndedOn, Currency: r.Currency,
		Coupon: Coupon{Percent: r.CouponPercent, Amount: amount(r.CouponAmount).Decimal(), Left: r.CouponLeft},
		Credit: amount(r.Credit), Collect: r.Collect, Send: r.Send, Problem: r.Problem, Price: price, CreatedAt: r.CreatedAt, Version: r.Version,
		usageFrom: r.UsageFrom}, nil
}

// minor is an amount of whole minor units that was checked before.
func minor(d decimal.Decimal, c money.Currency) int64 { return d.Shift(int32(c.Digits())).IntPart() }

func insertSubscription(ctx context.Context, tx *tenant.Tx, s Subscription) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO subscription (id, customer_id, state, unit, every, anchor, month_end, started_on, next_period, next_on, usage_from,
			currency, coupon_percent, coupon_amount, coupon_left, collect, send, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $6, $6, $9, $10, $11, $12, $13, $14, $15)`,
		s.ID, s.Customer, string(s.State), string(s.Schedule.Unit), s.Schedule.Every, s.Schedule.Anchor, s.Schedule.MonthEnd, s.StartedOn,
		s.Currency, s.Coupon.Percent, minor(s.Coupon.Amount, s.Currency), s.Coupon.Left, s.Collect, s.Send, s.CreatedAt)
	if err != nil {
		return fmt.Errorf("starting a subscription: %w", err)
	}
	return nil
}

func selectSubscription(ctx context.Context, tx *tenant.Tx, subscription ID) (Subscription, error) {
	var r row
	err := tx.Get(ctx, &r, shown+` WHERE s.id = $1`, subscription)
	if errors.Is(err, tenant.ErrNoRows) {
		return Subscription{}, ErrNotFound
	} else if err != nil {
		return Subscription{}, fmt.Errorf("reading a subscription: %w", err)
	}
	return r.subscription()
}

// lockSubscription reads one so that nobody changes it before the transaction ends.
func lockSubscription(ctx context.Context, tx *tenant.Tx, subscription ID) (Subscription, error) {
	var r row
	err := tx.Get(ctx, &r, `SELECT `+columns+` FROM subscription s WHERE s.id = $1 FOR UPDATE`, subscription)
	if errors.Is(err, tenant.ErrNoRows) {
		return Subscription{}, ErrNotFound
	} else if err != nil {
		return Subscription{}, fmt.Errorf("locking a subscription: %w", err)
	}
	return r.subscription()
}

// lockDue is of one whose next period has begun, unless another has it in hand; ok is false otherwise.
func lockDue(ctx context.Context, tx *tenant.Tx, subscription ID) (s Subscription, ok bool, err error) {
	var r row
	err = tx.Get(ctx, &r, `SELECT `+columns+` FROM subscription s
		 WHERE s.id = $1 AND s.state::text IN ('trialing', 'active')
		   AND s.next_on <= (SELECT ($2::timestamptz AT TIME ZONE o.time_zone)::date FROM settings o)
		   FOR UPDATE OF s SKIP LOCKED`, subscription, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return s, false, nil
	} else if err != nil {
		return s, false, fmt.Errorf("locking a subscription: %w", err)
	}
	s, err = r.subscription()
	return s, err == nil, err
}

func selectDue(ctx context.Context, tx *tenant.Tx, after ID, limit int) (due []ID, err error) {
	err = tx.Select(ctx, &due, `SELECT s.id FROM subscription s
		 WHERE s.state::text IN ('trialing', 'active') AND s.id > $1
		   AND s.next_on <= (SELECT ($2::timestamptz AT TIME ZONE o.time_zone)::date FROM settings o)
		 ORDER BY s.id LIMIT $3`, after.UUID, tx.Now(), limit)
	if err != nil {
		return nil, fmt.Errorf("looking for subscriptions that are due: %w", err)
	}
	return due, nil
}

const where = shown + ` WHERE ($1 = '' OR s.state = $1) AND ($2::uuid IS NULL OR s.customer_id = $2)
	AND ($3 = '' OR position(upper($3) in upper(p.name || ' ' || p.company)) > 0)`

func selectSubscriptions(ctx context.Context, tx *tenant.Tx, filter Filter, q cursor.Query) ([]Subscription, error) {
	var rows []row
	var err error
	if q.Backwards() {
		err = tx.Select(ctx, &rows, where+` AND s.id > $4 ORDER BY s.id LIMIT $5`,
			string(filter.State), orNull(filter.CustomerID.UUID), filter.Search, q.Before, q.Fetch())
	} else {
		err = tx.Select(ctx, &rows, where+` AND ($4::uuid IS NULL OR s.id < $4) ORDER BY s.id DESC LIMIT $5`,
			string(filter.State), orNull(filter.CustomerID.UUID), filter.Search, orNull(q.After), q.Fetch())
	}
	if err != nil {
		return nil, fmt.Errorf("listing subscriptions: %w", err)
	}
	all := make([]Subscription, len(rows))
	for i, r := range rows {
		if all[i], err = r.subscription(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func countStates(ctx context.Context, tx *tenant.Tx) (map[State]int, error) {
	var rows []struct {
		State State `db:"state"`
		Count int   `db:"count"`
	}
	if err := tx.Select(ctx, &rows, `SELECT state, count(*) AS count FROM subscription GROUP BY state`); err != nil {
		return nil, fmt.Errorf("counting subscriptions: %w", err)
	}
	counts := map[State]int{}
	for _, r := range rows {
		counts[r.State] = r.Count
	}
	return counts, nil
}

// updateSubscription writes all of one that may change.
func updateSubscription(ctx context.Context, tx *tenant.Tx, s Subscription) error {
	_, err := tx.Exec(ctx, `
		UPDATE subscription SET state = $2, next_period = $3, next_on = $4, usage_from = $5, cancel_at_end = $6, ended_on = $7,
			coupon_percent = $8, coupon_amount = $9, coupon_left = $10, credit = $11, collect = $12, send = $13, problem = $14, version = version + 1
		 WHERE id = $1`,
		s.ID, string(s.State), s.NextPeriod, s.NextOn, s.usageFrom, s.CancelAtEnd, s.EndedOn, s.Coupon.Percent,
		minor(s.Coupon.Amount, s.Currency), s.Coupon.Left, s.Credit.Minor, s.Collect, s.Send, s.Problem)
	if err != nil {
		return fmt.Errorf("keeping a subscription: %w", err)
	}
	return nil
}

func updateProblem(ctx context.Context, tx *tenant.Tx, subscription ID, code string) error {
	if _, err := tx.Exec(ctx, `UPDATE subscription SET problem = left($2, 60) WHERE id = $1`, subscription, code); err != nil {
		return fmt.Errorf("keeping why a subscription was not billed: %w", err)
	}
	return nil
}

// usedSQL is what was used of the item i from a day ($1's usage_from) until before the day $2.
const usedSQL = `coalesce(CASE WHEN i.metered = '' THEN 0 ELSE (
	SELECT CASE i.metered::text WHEN 'sum' THEN sum(u.quantity) WHEN 'max' THEN max(u.quantity)
	            WHEN 'unique' THEN count(DISTINCT u.value)::numeric
	            ELSE (array_agg(u.quantity ORDER BY u.at DESC, u.key DESC))[1] END
	  FROM usage_event u WHERE u.item_id = i.item_id AND u.used_on >= s.usage_from AND u.used_on < $2) END, 0) AS used`

const itemColumns = `i.id, i.item_id, i.from_period, i.to_period, i.product_id, coalesce(nullif(i.description, ''), p.name, '') AS description,
	i.quantity, i.unit_price, i.tax_codes, i.metered, i.once, ` + usedSQL + `
  FROM subscription_item i JOIN subscription s ON s.id = i.subscription_id LEFT JOIN product p ON p.id = i.product_id`

// selectItems gives what is in force from the current period on, and what comes once and has not come yet.
func selectItems(ctx context.Context, tx *tenant.Tx, s Subscription) (items []Item, err error) {
	err = tx.Select(ctx, &items, `SELECT `+itemColumns+`
		 WHERE i.subscription_id = $1 AND i.document_id IS NULL AND (i.to_period IS NULL OR i.to_period >= greatest(s.next_period - 1, 0))
		 ORDER BY i.once, i.item_id, i.from_period`, s.ID, s.usageFrom.AddDays(366*20))
	if err != nil {
		return nil, fmt.Errorf("reading what a subscription is for: %w", err)
	}
	return items, nil
}

// selectCharged gives what an invoice for the next period has: what recurs from then on, what is metered in the period
// before with what was used of it until before a day, and what comes once.
func selectCharged(ctx context.Context, tx *tenant.Tx, s Subscription, until civil.Date) (items []Item, err error) {
	err = tx.Select(ctx, &items, `SELECT `+itemColumns+`
		 WHERE i.subscription_id = $1 AND CASE WHEN i.once THEN i.document_id IS NULL
		       WHEN i.metered = '' THEN i.from_period <= s.next_period AND (i.to_period IS NULL OR i.to_period >= s.next_period)
		       ELSE i.from_period < s.next_period AND (i.to_period IS NULL OR i.to_period >= s.next_period - 1) END
		 ORDER BY i.once, i.item_id, i.id`, s.ID, until)
	if err != nil {
		return nil, fmt.Errorf("reading what a subscription charges: %w", err)
	}
	return items, nil
}

func insertItem(ctx context.Context, tx *tenant.Tx, subscription ID, i Item) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO subscription_item (id, subscription_id, item_id, from_period, product_id, description, quantity, unit_price, tax_codes, metered, once)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		i.Row, subscription, i.Item, i.FromPeriod, orNull(i.Product.UUID), i.Description, i.Quantity, i.UnitPrice, i.Codes, string(i.Metered), i.Once)
	if err != nil {
		return fmt.Errorf("adding an item to a subscription: %w", err)
	}
	return nil
}

// selectRevision gives the row of an item that is in force in a period; ErrItemNotFound.
func selectRevision(ctx context.Context, tx *tenant.Tx, s Subscription, item ItemID, period int) (i Item, err error) {
	err = tx.Get(ctx, &i, `SELECT `+itemColumns+`
		 WHERE i.subscription_id = $1 AND i.item_id = $3 AND NOT i.once AND i.from_period <= $4 AND (i.to_period IS NULL OR i.to_period >= $4)`,
		s.ID, s.usageFrom, item, period)
	if errors.Is(err, tenant.ErrNoRows) {
		return i, ErrItemNotFound
	} else if err != nil {
		return i, fmt.Errorf("reading an item of a subscription: %w", err)
	}
	return i, nil
}

// endRevisions takes an item away from a period on.
func endRevisions(ctx context.Context, tx *tenant.Tx, s Subscription, item ItemID, period int) error {
	if _, err := tx.Exec(ctx, `DELETE FROM subscription_item WHERE subscription_id = $1 AND item_id = $2 AND NOT once AND from_period >= $3`,
		s.ID, item, period); err != nil {
		return fmt.Errorf("taking an item off a subscription: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE subscription_item SET to_period = $3 - 1
		 WHERE subscription_id = $1 AND item_id = $2 AND NOT once AND (to_period IS NULL OR to_period >= $3)`, s.ID, item, period); err != nil {
		return fmt.Errorf("ending an item of a subscription: %w", err)
	}
	return nil
}

func countItems(ctx context.Context, tx *tenant.Tx, s Subscription) (count int, err error) {
	err = tx.Get(ctx, &count, `SELECT count(DISTINCT item_id) FROM subscription_item
		 WHERE subscription_id = $1 AND NOT once AND (to_period IS NULL OR to_period >= $2)`, s.ID, s.NextPeriod)
	if err != nil {
		return 0, fmt.Errorf("counting the items of a subscription: %w", err)
	}
	return count, nil
}

// markOnce keeps on which invoice came what comes once.
func markOnce(ctx context.Context, tx *tenant.Tx, subscription ID, document billing.InvoiceID) error {
	if _, err := tx.Exec(ctx, `UPDATE subscription_item SET document_id = $2 WHERE subscription_id = $1 AND once AND document_id IS NULL`,
		subscription, document); err != nil {
		return fmt.Errorf("keeping what was charged once: %w", err)
	}
	return nil
}

func insertPeriod(ctx context.Context, tx *tenant.Tx, subscription ID, p Period, percent decimal.Decimal, off int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO subscription_period (subscription_id, period, from_date, to_date, coupon_percent, coupon_amount, document_id, closing)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, subscription, p.Period, p.From, p.To, percent, off, orNull(p.Document.UUID), p.Closing)
	if err != nil {
		return fmt.Errorf("keeping which invoice a period has: %w", err)
	}
	return nil
}

// paidPeriod is a period that was invoiced, and what a coupon took off it.
type paidPeriod struct {
	Period
	Percent decimal.Decimal `db:"coupon_percent"`
	Amount  int64           `db:"coupon_amount"`
}

// selectPaidPeriod says what was taken off a period; ok is false when it was not invoiced.
func selectPaidPeriod(ctx context.Context, tx *tenant.Tx, subscription ID, period int) (p paidPeriod, ok bool, err error) {
	err = tx.Get(ctx, &p, `
		SELECT p.coupon_percent, p.coupon_amount, p.document_id, coalesce(d.number, '') AS number
		  FROM subscription_period p LEFT JOIN document d ON d.id = p.document_id
		 WHERE p.subscription_id = $1 AND p.period = $2 AND NOT p.closing`, subscription, period)
	if errors.Is(err, tenant.ErrNoRows) {
		return p, false, nil
	} else if err != nil {
		return p, false, fmt.Errorf("reading what was taken off a period: %w", err)
	}
	return p, true, nil
}

// selectInForce gives what recurs in a period and is not metered.
func selectInForce(ctx context.Context, tx *tenant.Tx, s Subscription, period int) (items []Item, err error) {
	err = tx.Select(ctx, &items, `SELECT `+itemColumns+`
		 WHERE i.subscription_id = $1 AND NOT i.once AND i.metered = '' AND i.from_period <= $3 AND (i.to_period IS NULL OR i.to_period >= $3)
		 ORDER BY i.item_id, i.id`, s.ID, s.usageFrom, period)
	if err != nil {
		return nil, fmt.Errorf("reading what a period was invoiced for: %w", err)
	}
	return items, nil
}

func selectPeriods(ctx context.Context, tx *tenant.Tx, subscription ID) (all []Period, err error) {
	err = tx.Select(ctx, &all, `
		SELECT x.period, x.from_date, x.to_date, x.document_id, coalesce(d.number, '') AS number, coalesce(d.total, 0) AS total, x.closing, x.extra
		  FROM (SELECT period, from_date, to_date, document_id, closing, false AS extra FROM subscription_period WHERE subscription_id = $1
		        UNION ALL
		        SELECT DISTINCT ON (i.document_id) i.from_period, d.issue_date, d.issue_date, i.document_id, false, true
		          FROM subscription_item i JOIN document d ON d.id = i.document_id
		         WHERE i.subscription_id = $1
		           AND NOT EXISTS (SELECT FROM subscription_period p WHERE p.subscription_id = $1 AND p.document_id = i.document_id)) x
		  LEFT JOIN document d ON d.id = x.document_id
		 ORDER BY x.from_date DESC, x.period DESC, x.document_id DESC LIMIT 100`, subscription)
	if err != nil {
		return nil, fmt.Errorf("reading the invoices of a subscription: %w", err)
	}
	return all, nil
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}
