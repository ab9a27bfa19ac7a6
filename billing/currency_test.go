package billing_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

var gbp = money.MustCurrency("GBP")

// euro keeps what one euro is worth.
func (b books) euro(date string, c money.Currency, rate string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: eur, Currency: c, Date: day(date), Rate: dec(rate)})
		return err
	})
}

func (b books) quote(from, to money.Currency, date string) (string, error) {
	var rate string
	err := b.try(func(ctx context.Context, tx *tenant.Tx) error {
		q, err := currency.QuoteOn(ctx, tx, from, to, day(date))
		rate = q.Rate.String()
		return err
	})
	return rate, err
}

func (b books) in(c money.Currency, issue, price string) billing.Invoice {
	b.Helper()
	customer := b.customer("Hugh").ID
	return b.issue(b.draft(billing.InvoiceInput{CustomerID: customer, Currency: c, IssueDate: day(issue), DueDate: day(issue).AddDays(30),
		Lines: []billing.InvoiceLineInput{line("Work", "1", price)}}).ID)
}

// balance of an account for a purpose in a currency at the end of a day.
func (b books) balance(purpose string, c money.Currency, on string) money.Amount {
	b.Helper()
	sum := money.Amount{Currency: c}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &sum.Minor, `SELECT coalesce(sum(l.amount), 0)::bigint FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
			JOIN account a ON a.id = l.account_id WHERE a.purpose = $1 AND l.currency = $2 AND e.date <= $3`, purpose, c, day(on))
	})
	return sum
}

func TestExchangeRateOfADay(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-03-02", usd, "1.10")
	b.euro("2026-03-02", gbp, "0.88")
	b.euro("2026-03-04", usd, "1.25")
	for _, c := range []struct {
		from, to money.Currency
		date     string
		want     string
	}{
		{eur, usd, "2026-03-02", "1.1"},
		{eur, usd, "2026-03-03", "1.1"},
		{eur, usd, "2026-03-04", "1.25"},
		{eur, usd, "2026-03-14", "1.25"},           // ten days later
		{usd, eur, "2026-03-03", "0.909090909091"}, // 1 / 1.10
		{gbp, usd, "2026-03-02", "1.25"},           // 1.10 / 0.88
		{usd, gbp, "2026-03-02", "0.8"},            // 0.88 / 1.10
		{usd, gbp, "2026-03-04", "0.704"},          // 0.88 / 1.25, the pound of two days before
		{usd, usd, "2020-01-01", "1"},
	} {
		if got, err := b.quote(c.from, c.to, c.date); err != nil || got != c.want {
			t.Errorf("%s in %s on %s: %s %v, want %s", c.from, c.to, c.date, got, err, c.want)
		}
	}
	for _, date := range []string{"2026-03-01", "2026-03-15"} {
		b.refuses(currency.ErrNoRate, "", func(ctx context.Context, tx *tenant.Tx) error {
			_, err := currency.QuoteOn(ctx, tx, usd, eur, day(date))
			return err
		})
	}
	// A rate of the two themselves counts as long as the way through the euro is not newer.
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: gbp, Currency: usd, Date: day("2026-03-02"), Rate: dec("1.3")})
		return err
	})
	if got, _ := b.quote(gbp, usd, "2026-03-03"); got != "1.3" {
		t.Errorf("the pound in dollars by hand: %s", got)
	}
	b.euro("2026-03-04", gbp, "0.50")
	if got, _ := b.quote(gbp, usd, "2026-03-04"); got != "2.5" {
		t.Errorf("the pound in dollars by newer rates: %s", got)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		return currency.DropRate(ctx, tx, eur, gbp, day("2026-03-04"))
	})
	if got, _ := b.quote(gbp, usd, "2026-03-04"); got != "1.3" {
		t.Errorf("once that was taken back: %s", got)
	}
	good := currency.Rate{Unit: usd, Currency: eur, Date: day("2026-01-01"), Rate: dec("1")}
	for name, c := range map[string]struct {
		change func(r *currency.Rate)
		want   *fault.Error
		field  string
	}{
		"nothing":         {func(r *currency.Rate) { r.Rate = dec("0") }, currency.ErrRateNotPositive, "rate"},
		"13 decimals":     {func(r *currency.Rate) { r.Rate = dec("0.0000000000001") }, money.ErrNumberTooPrecise, "rate"},
		"of itself":       {func(r *currency.Rate) { r.Currency = usd }, currency.ErrSameCurrency, "currency"},
		"on no day":       {func(r *currency.Rate) { r.Date = civil.Date{} }, civil.ErrDate, "date"},
		"of no currency":  {func(r *currency.Rate) { r.Unit = money.Currency{} }, money.ErrUnknownCurrency, "unit"},
		"in no currency":  {func(r *currency.Rate) { r.Currency = money.Currency{} }, money.ErrUnknownCurrency, "currency"},
		"a huge exponent": {func(r *currency.Rate) { r.Rate = decimal.New(1, 1<<30) }, money.ErrNumberTooLarge, "rate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			c.change(&r)
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := currency.SetRate(ctx, tx, r)
				return err
			})
		})
	}
}

func TestImportOfTheCentralBanksFile(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-11-19", usd, "1.5")
	load := func(file, since string) (done currency.Imported, err error) {
		return done, b.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
			from := civil.Date{}
			if since != "" {
				from = day(since)
			}
			done, err = currency.ImportECB(ctx, tx, strings.NewReader(file), from)
			return err
		})
	}
	history := "Date,USD,JPY,SIT,GBP,\n2026-11-20,1.1525,181.30,N/A,0.88,\n2026-11-19,1.1530,181.10,N/A,,\n2006-12-29,1.3170,156.93,239.6400,0.6715,\n"
	done, err := load(history, "2026-01-01")
	if err != nil || done.Rates != 5 || done.First != day("2026-11-19") || done.Last != day("2026-11-20") || !slices.Equal(done.Skipped, []string{"SIT"}) {
		t.Errorf("imported %+v, %v", done, err)
	}
	for _, c := range []struct {
		of         money.Currency
		date, want string
	}{{usd, "2026-11-20", "1.1525"}, {usd, "2026-11-19", "1.5"}, {jpy, "2026-11-19", "181.1"}, {gbp, "2026-11-22", "0.88"}} {
		if got, err := b.quote(eur, c.of, c.date); err != nil || got != c.want {
			t.Errorf("%s on %s: %s %v, want %s", c.of, c.date, got, err, c.want)
		}
	}
	if done, err := load("Date, USD, JPY, \n20 November 2026, 1.1600, 181.30, \n", ""); err != nil || done.Rates != 2 {
		t.Errorf("the daily file: %+v, %v", done, err)
	}
	if got, _ := b.quote(eur, usd, "2026-11-20"); got != "1.16" {
		t.Errorf("imported again: %s", got)
	}
	for name, file := range map[string]string{
		"nothing": "", "another table": "Day,USD\n2026-11-20,1\n", "no number": "Date,USD,\n2026-11-20,1.1\n2026-11-19,one,\n", "no day": "Date,USD,\nyesterday,1.1,\n",
		"too many cells": "Date,USD\n2026-11-20,1.1,2.2\n", "below nothing": "Date,USD,\n2026-11-20,-1.1,\n", "a quote left open": "Date,USD,\n\"2026-11-20,1.1,\n",
	} {
		t.Run(name, func(t *testing.T) {
			books{t, b.org}.refuses(currency.ErrFileMalformed, "csv", func(ctx context.Context, tx *tenant.Tx) error {
				_, err := currency.ImportECB(ctx, tx, strings.NewReader(file), civil.Date{})
				return err
			})
		})
	}
}

// 1,000.00 dollars issued at 1.10 to the euro are 909.09. Paid at 1.25, where a dollar is 0.80: 400.00 are 320.00, and were 363.64
// (363.6364): 43.64 lost. The other 600.00 are 480.00, and were the rest, 545.45: 65.45 lost. Together 109.09: 800.00 less 909.09.
func TestRealisedGain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-03-02", usd, "1.10")
	b.euro("2026-03-16", usd, "1.25")
	invoice := b.in(usd, "2026-03-02", "1000")
	if invoice.BaseRate == nil || invoice.BaseRate.String() != "0.909090909091" {
		t.Fatalf("the invoice has the rate %v", invoice.BaseRate)
	}
	for _, p := range []struct{ date, sum, lost string }{{"2026-03-16", "400.00", "43.64"}, {"2026-03-20", "600.00", "109.09"}} {
		if _, err := b.pay(billing.PaymentInput{InvoiceID: invoice.ID, Date: day(p.date), Amount: amount(p.sum, usd), Method: billing.Cash}); err != nil {
			t.Fatal(err)
		}
		if got := b.balance(ledger.CurrencyRealised, eur, p.date); got != amount(p.lost, eur) {
			t.Errorf("after %s: %s lost, want %s", p.sum, got, p.lost)
		}
	}
	if got := b.balance(ledger.CurrencyAdjustment, eur, "2026-12-31"); got != amount("-109.09", eur) {
		t.Errorf("the adjustment is %s", got)
	}
	if got := b.balance(ledger.Receivable, usd, "2026-12-31"); !got.IsZero() {
		t.Errorf("%s dollars are still owed", got)
	}
	// In euros there is nothing to gain; without a rate nothing is said.
	before := b.balance(ledger.CurrencyAdjustment, eur, "2026-12-31")
	for _, other := range []billing.Invoice{b.in(eur, "2026-03-02", "10"), b.in(jpy, "2026-03-02", "10")} {
		if other.BaseRate != nil {
			t.Errorf("%s has the rate %s", other.Currency, other.BaseRate)
		}
		if _, err := b.pay(billing.PaymentInput{InvoiceID: other.ID, Date: day("2026-03-20"), Amount: other.Total, Method: billing.Cash}); err != nil {
			t.Fatal(err)
		}
	}
	if after := b.balance(ledger.CurrencyAdjustment, eur, "2026-12-31"); after != before {
		t.Errorf("the adjustment went from %s to %s", before, after)
	}
}

// A rate that is entered after the invoice was issued is kept with it: 1 dollar was 0.5 euros, and is 0.6.
func TestGainWithARateEnteredLater(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	invoice := b.in(usd, "2026-03-02", "100")
	b.euro("2026-03-02", usd, "2")
	if read := b.invoice(invoice.ID); read.BaseRate == nil || read.BaseRate.String() != "0.5" {
		t.Errorf("the invoice has the rate %v", read.BaseRate)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: usd, Currency: eur, Date: day("2026-03-10"), Rate: dec("0.6")})
		return err
	})
	if _, err := b.pay(billing.PaymentInput{InvoiceID: invoice.ID, Date: day("2026-03-10"), Amount: amount("100.00", usd), Method: billing.Cash}); err != nil {
		t.Fatal(err)
	}
	if got := b.balance(ledger.CurrencyRealised, eur, "2026-03-10"); got != amount("-10.00", eur) {
		t.Errorf("gained %s", got)
	}
}

// 1,000.00 dollars at 1.10, of which 400.00 were paid at 1.25: 600.00 open, carried at 909.09 - 363.64 = 545.45. On 31 March
// at 1.20 (0.833333333333) they are worth 500.00: 45.45 less. The 400.00 in the bank came as 320.00 and are worth 333.33:
// 13.33 more. Together 32.12 lost. At 1.00 instead: 600.00 - 545.45 = 54.55 and 400.00 - 320.00 = 80.00, 134.55 gained.
func TestRevaluation(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.euro("2026-03-02", usd, "1.10")
	b.euro("2026-03-16", usd, "1.25")
	invoice := b.in(usd, "2026-03-02", "1000")
	if _, err := b.pay(billing.PaymentInput{InvoiceID: invoice.ID, Date: day("2026-03-16"), Amount: amount("400.00", usd), Method: billing.BankTransfer}); err != nil {
		t.Fatal(err)
	}
	revalue := func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.Revalue(ctx, tx, day("2026-03-31"))
		return err
	}
	b.refuses(currency.ErrNoRate, "", revalue)
	for _, step := range []struct{ rate, gain string }{{"1.20", "-32.12"}, {"1.00", "134.55"}, {"1.00", "134.55"}} {
		b.euro("2026-03-31", usd, step.rate)
		var v currency.Valuation
		b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			v, err = currency.ValuationOn(ctx, tx, day("2026-03-31"))
			return err
		})
		if v.Gain != amount(step.gain, eur) || len(v.Positions) != 2 || v.Positions[0].Code != "1010" || v.Positions[1].Carried != amount("545.45", eur) {
			t.Errorf("at %s: %+v", step.rate, v)
		}
		b.do(revalue)
		// Gains are credits. The day before and the day after know nothing of it.
		for date, want := range map[string]string{"2026-03-30": "0.00", "2026-03-31": step.gain, "2026-04-01": "0.00"} {
			if got, _ := b.balance(ledger.CurrencyUnrealised, eur, date).Neg(); got != amount(want, eur) {
				t.Errorf("at %s, on the evening of %s: %s gained, want %s", step.rate, date, got, want)
			}
		}
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := currency.Revaluations(ctx, tx)
		if err == nil && (len(all) != 3 || all[0].Replaced || !all[1].Replaced || !all[2].Replaced || all[2].Gain != amount("-32.12", eur)) {
			t.Errorf("posted are %+v", all)
		}
		return err
	})
	b.refuses(currency.ErrInFuture, "date", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := currency.Revalue(ctx, tx, day("2199-01-01"))
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error { return ledger.CloseThrough(ctx, tx, day("2026-03-31")) })
	b.refuses(ledger.ErrPeriodClosed, "date", revalue)
	books{t, openBooks(t).org}.refuses(currency.ErrNothingToRevalue, "", revalue)
}

// 100.00 dollars issued at 0.80; 40.00 are credited at the same rate, though a dollar is 0.90 by then: nothing is gained by that. The
// other 60.00 came as 48.00 and are worth 54.00.
func TestCreditingGainsNothing(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for date, rate := range map[string]string{"2026-03-02": "0.8", "2026-03-30": "0.9"} {
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := currency.SetRate(ctx, tx, currency.Rate{Unit: usd, Currency: eur, Date: day(date), Rate: dec(rate)})
			return err
		})
	}
	invoice := b.issue(b.draft(billing.InvoiceInput{CustomerID: b.customer("Hugh").ID, Currency: usd, IssueDate: day("2026-03-02"), DueDate: day("2026-04-02"),
		Lines: []billing.InvoiceLineInput{line("Work", "10", "10")}}).ID)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		note, err := billing.CreditInvoice(ctx, tx, invoice.ID, 0, billing.CreditInput{IssueDate: day("2026-03-30"), Lines: []billing.CreditLine{{Line: 1, Quantity: dec("4")}}})
		if err != nil {
			return err
		}
		var rate decimal.Decimal
		if err := tx.Get(ctx, &rate, `SELECT base_rate FROM document WHERE id = $1`, note.ID); err != nil || !rate.Equal(dec("0.8")) {
			t.Errorf("the credit note has the rate %s (%v)", rate, err)
		}
		v, err := currency.ValuationOn(ctx, tx, day("2026-03-31"))
		if err == nil && (len(v.Positions) != 1 || v.Positions[0].Carried != amount("48.00", eur) || v.Gain != amount("6.00", eur)) {
			t.Errorf("the valuation is %+v", v)
		}
		return err
	})
}

// Whatever is invoiced and paid at whatever rates: a document that is paid in full has gained what its payments were worth
// less what it was worth, and after a revaluation what the open ones came at, and the adjustment, are what they are worth.
func TestGainsAddUp(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	first := day("2026-01-01")
	rates := map[string]decimal.Decimal{}
	for i := range 60 {
		for c, rate := range map[money.Currency]int64{usd: 105000 + int64(i*i*7919%20011), jpy: 15000000 + int64(i*i*104729%2000003)} {
			d := decimal.New(rate, -5)
			b.euro(first.AddDays(i).String(), c, d.String())
			rates[c.Code()+first.AddDays(i).String()] = decimal.New(1, 0).DivRound(d, 24).Round(12)
		}
	}
	worth := func(a money.Amount, date civil.Date) int64 {
		return a.Decimal().Mul(rates[a.Currency.Code()+date.String()]).Shift(2).Round(0).IntPart()
	}
	var realised int64
	type open struct {
		left money.Amount
		came int64
	}
	var opens []open
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom([]money.Currency{usd, jpy}).Draw(r, "currency")
		minor := rapid.Int64Range(1, 1e7).Draw(r, "minor")
		issue := first.AddDays(rapid.IntRange(0, 20).Draw(r, "issue"))
		invoice := b.in(c, issue.String(), money.Amount{Minor: minor, Currency: c}.String())
		left, came, date := minor, worth(invoice.Total, issue), issue
		for range rapid.IntRange(0, 4).Draw(r, "payments") {
			part := money.Amount{Minor: rapid.Int64Range(1, left).Draw(r, "part"), Currency: c}
			date = date.AddDays(rapid.IntRange(0, 9).Draw(r, "days"))
			if _, err := b.pay(billing.PaymentInput{InvoiceID: invoice.ID, Date: date, Amount: part, Method: billing.Cash}); err != nil {
				r.Fatal(err)
			}
			left -= part.Minor
			carried := worth(invoice.Total, issue) - worth(money.Amount{Minor: minor - left, Currency: c}, issue)
			realised += worth(part, date) - (came - carried)
			came = carried
			if left == 0 {
				break
			}
		}
		if left == 0 && came != 0 {
			r.Fatalf("paid in full, %d of its worth is left", came)
		}
		opens = append(opens, open{money.Amount{Minor: left, Currency: c}, came})
		if got := b.balance(ledger.CurrencyRealised, eur, "2026-12-31"); got.Minor != -realised {
			r.Fatalf("realised are %s, and %d by hand", got, -realised)
		}
		evening := first.AddDays(59)
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			// Pennies may be worth the same on both days.
			if _, err := currency.Revalue(ctx, tx, evening); err != nil && !errors.Is(err, currency.ErrNothingToRevalue) {
				return err
			}
			v, err := currency.ValuationOn(ctx, tx, evening)
			if err != nil {
				return err
			}
			checkPositions(r, v, opens, func(a money.Amount) int64 { return worth(a, evening) }, func(o open) (money.Amount, int64) { return o.left, o.came })
			return nil
		})
		if got := b.balance(ledger.CurrencyUnrealised, eur, "2026-12-31"); !got.IsZero() {
			r.Fatalf("%s unrealised is left after the next day", got)
		}
	})
}

func checkPositions[O any](r *rapid.T, v currency.Valuation, opens []O, worth func(money.Amount) int64, of func(O) (money.Amount, int64)) {
	left, came := map[money.Currency]int64{}, map[money.Currency]int64{}
	for _, o := range opens {
		a, carried := of(o)
		left[a.Currency] += a.Minor
		came[a.Currency] += carried
	}
	for _, p := range v.Positions {
		if p.Code != "1100" {
			continue
		}
		c := p.Balance.Currency
		if p.Balance.Minor != left[c] || p.Carried.Minor != came[c] || p.Carried.Minor+p.Gain.Minor != worth(p.Balance) {
			r.Fatalf("%s: %d open that came as %d, and the valuation says %s, %s and %s gained, of %d", c, left[c], came[c], p.Balance, p.Carried, p.Gain, worth(p.Balance))
		}
	}
}
