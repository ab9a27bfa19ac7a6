package payables_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func (b books) recurring(in payables.RecurringInput) payables.Bill {
	b.Helper()
	var made payables.Bill
	b.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		made, err = payables.DraftRecurring(ctx, tx, in)
		return err
	})
	return made
}

func (b books) make() {
	b.Helper()
	if err := b.tryMake(); err != nil {
		b.Error(err)
	}
}

func (b books) tryMake() error {
	return payables.MakeBills(context.Background(), func(ctx context.Context, fn func(tx *tenant.Tx) error) error {
		return b.try(func(_ context.Context, tx *tenant.Tx) error { return fn(tx) })
	})
}

// made are the bills that there are, the first first: date, due date, total and state.
func (b books) made() []string {
	b.Helper()
	var all []string
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		page, err := billing.Purchases(ctx, tx, billing.Bill, billing.PurchaseFilter{}, cursor.Query{Limit: 100})
		for _, p := range page.Items {
			all = append(all, strings.Join([]string{p.IssueDate.String(), p.DueDate.String(), p.Total.String(), p.State}, " "))
		}
		slices.Sort(all)
		return err
	})
	return all
}

// Rent on the last day of each month, due ten days later: after three months without a worker two of them at once make
// three bills with the dates that they should have had, each once.
func TestRecurringBillsAfterMonthsWithTwoWorkers(t *testing.T) {
	t.Parallel()
	clock := &tenanttest.Clock{}
	clock.Advance(time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC).Sub(clock.Now()))
	b := openBooksWith(t, clock)
	b.rate(tax.RateInput{Code: "VAT", Name: "VAT", Percent: dec("23")})
	payee := b.payee("The landlord").ID
	r := b.recurring(payables.RecurringInput{Unit: "month", Every: 1, Enters: true, BillInput: payables.BillInput{CustomerID: payee,
		IssueDate: day("2027-01-31"), DueDate: day("2027-02-10"), Lines: []billing.InvoiceLineInput{line("Rent", "1", "1000", "VAT")}}})
	b.make()
	if got := b.made(); len(got) != 0 {
		t.Errorf("before its day there is %v", got)
	}
	clock.Advance(90 * 24 * time.Hour) // 2027-04-15
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := b.tryMake(); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	b.make()
	want := []string{"2027-01-31 2027-02-10 1230.00 issued", "2027-02-28 2027-03-10 1230.00 issued", "2027-03-31 2027-04-10 1230.00 issued"}
	if got := b.made(); !slices.Equal(got, want) {
		t.Errorf("made\n%v, want\n%v", got, want)
	}
	if got, want := b.balances(), "2100 -3690.00 EUR, 2200 690.00 EUR, 5300 3000.00 EUR"; got != want {
		t.Errorf("the books have %s, want %s", got, want)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		is, err := billing.PurchaseByID(ctx, tx, billing.Recurring, r.ID)
		if is.Repeat.On != day("2027-04-30") || is.Repeat.Problem != "" {
			t.Errorf("the next is on %s, with %q", is.Repeat.On, is.Repeat.Problem)
		}
		if err := payables.DiscardRecurring(ctx, tx, r.ID, 0); !errors.Is(err, payables.ErrRepeatUsed) {
			t.Errorf("discarding it: %v", err)
		}
		return err
	})
}

func TestRecurringBillStopsAndEnds(t *testing.T) {
	t.Parallel()
	clock := &tenanttest.Clock{}
	clock.Advance(time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC).Sub(clock.Now()))
	b := openBooksWith(t, clock)
	payee := b.payee("Cleaning").ID
	in := payables.RecurringInput{Unit: "week", Every: 2, Until: day("2027-02-10"), BillInput: payables.BillInput{CustomerID: payee, Reference: "no number of one bill",
		IssueDate: day("2027-01-04"), DueDate: day("2027-01-04"), Lines: []billing.InvoiceLineInput{line("Cleaning", "1", "80")}}}
	ends := b.recurring(in)
	b.make()
	want := []string{"2027-01-04 2027-01-04 80.00 draft"}
	if got := b.made(); !slices.Equal(got, want) {
		t.Errorf("made %v, want %v", got, want)
	}
	// Changed in between: the next is the first of its days after the last bill.
	in.Unit, in.Every = "day", 10
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		is, err := payables.ReviseRecurring(ctx, tx, ends.ID, 0, in)
		if is.Repeat.On != day("2027-01-14") {
			t.Errorf("the next is on %s", is.Repeat.On)
		}
		return err
	})
	clock.Advance(365 * 24 * time.Hour)
	b.make()
	want = append(want, "2027-01-14 2027-01-14 80.00 draft", "2027-01-24 2027-01-24 80.00 draft", "2027-02-03 2027-02-03 80.00 draft")
	if got := b.made(); !slices.Equal(got, want) {
		t.Errorf("made %v, want %v", got, want)
	}
	b.refuses(payables.ErrRepeatEnded, func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.StopRecurring(ctx, tx, ends.ID)
		return err
	})
	in.Until, in.IssueDate, in.DueDate = day("2030-01-01"), day("2029-01-01"), day("2029-01-01")
	stopped := b.recurring(in)
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := payables.StopRecurring(ctx, tx, stopped.ID)
		return err
	})
	clock.Advance(2 * 365 * 24 * time.Hour)
	b.make()
	if got := b.made(); !slices.Equal(got, want) {
		t.Errorf("stopped, it made %v", got)
	}
}

// An archived payee keeps its own bills, says why, and goes on when it is restored.
func TestRecurringBillSaysWhatKeepsIt(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	gone, there := b.payee("Gone").ID, b.payee("There").ID
	for _, payee := range []billing.PayeeID{gone, there} {
		b.recurring(payables.RecurringInput{Unit: "year", Every: 1, BillInput: payables.BillInput{CustomerID: payee, IssueDate: day("2026-03-01"), DueDate: day("2026-03-01"),
			Lines: []billing.InvoiceLineInput{line("Dues", "1", "50")}}})
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ArchivePayee(ctx, tx, gone, 0)
		return err
	})
	b.make()
	if got := b.made(); len(got) != 1 {
		t.Errorf("made %v, want that of the payee who is there", got)
	}
	problem := func() (problem string) {
		b.do(func(ctx context.Context, tx *tenant.Tx) error {
			page, err := billing.Purchases(ctx, tx, billing.Recurring, billing.PurchaseFilter{Payee: gone}, cursor.Query{})
			problem = page.Items[0].Repeat.Problem
			return err
		})
		return problem
	}
	if got := problem(); got != billing.ErrPayeeArchived.Code {
		t.Errorf("it says %q", got)
	}
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RestorePayee(ctx, tx, gone, 0)
		return err
	})
	b.make()
	if got := b.made(); len(got) != 2 || problem() != "" {
		t.Errorf("restored, there are %v, and it says %q", got, problem())
	}
}
