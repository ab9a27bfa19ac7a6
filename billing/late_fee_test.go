package billing_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/dispatch"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// lateShop is an organization whose clock a test moves.
type lateShop struct {
	*testing.T
	clock *tenanttest.Clock
	db    *tenant.DB
	slug  string
}

func openLate(t *testing.T) *lateShop {
	t.Helper()
	s := &lateShop{T: t, clock: &tenanttest.Clock{}}
	s.db = tenanttest.OpenWith(t, s.clock)
	o := tenanttest.Found(t, s.db, func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater", Currency: eur, Country: "PT", TimeZone: "UTC"})
	})
	s.slug = o.Slug
	return s
}

func (s *lateShop) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	s.Helper()
	if err := s.in(s.Context(), func(tx *tenant.Tx) error { return fn(s.Context(), tx) }); err != nil {
		s.Fatal(err)
	}
}

// in enters anew each time, as every process does after a while.
func (s *lateShop) in(ctx context.Context, fn func(tx *tenant.Tx) error) error {
	scope, err := tenant.EnterOperator(ctx, s.db, s.slug)
	if err != nil {
		return err
	}
	return tenant.Do(ctx, s.db, scope, fn)
}

func (s *lateShop) charges(in billing.LateFees) {
	s.Helper()
	in.Amount.Currency = eur
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ChangeLateFees(ctx, tx, 0, in)
		return err
	})
}

// due is an invoice that falls due so many days from now.
func (s *lateShop) due(customer billing.CustomerID, days int, price string) (made billing.Invoice) {
	s.Helper()
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		today, err := billing.Today(ctx, tx)
		if err != nil {
			return err
		}
		d, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: customer, IssueDate: today, DueDate: today.AddDays(days),
			Lines: []billing.InvoiceLineInput{line("Work", "1", price)}})
		if err == nil {
			made, err = billing.IssueInvoice(ctx, tx, d.ID, 0)
		}
		return err
	})
	return made
}

func (s *lateShop) pass(days int) { s.clock.Advance(time.Duration(days) * 24 * time.Hour) }

func (s *lateShop) work() {
	s.Helper()
	if err := dispatch.ChargeLateFees(s.Context(), s.in); err != nil {
		s.Fatal(err)
	}
}

// fees are the amounts of those charged for an invoice, with how each stands.
func (s *lateShop) fees(invoice billing.InvoiceID) (told string) {
	s.Helper()
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := billing.LateFeesOf(ctx, tx, invoice)
		for _, f := range all {
			told += fmt.Sprintf("%d: %s %s; ", f.Step, f.Total, f.Standing)
		}
		return err
	})
	return told
}

func (s *lateShop) customer(email string) (id billing.CustomerID) {
	s.Helper()
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara", Email: email})
		id = c.ID
		return err
	})
	return id
}

// 1.5 % of 333.33 is 4.99995, which is 5.00; of the 133.33 that are open a month later it is 1.99995, which is 2.00. The
// invoice that was overdue before fees were turned on pays 1.5 % of 50.00, 0.75, for the months since.
func TestLateFeesByTheMonth(t *testing.T) {
	t.Parallel()
	s := openLate(t)
	mara := s.customer("mara@northside.example")
	old := s.due(mara, 0, "50.00")
	s.pass(40)
	s.work()
	if got := s.fees(old.ID); got != "" {
		t.Errorf("while fees are off there are %s", got)
	}
	s.charges(billing.LateFees{Percent: dec("1.5"), Days: 10, Monthly: true})
	invoice := s.due(mara, 5, "333.33")
	s.pass(14)
	s.work()
	if got := s.fees(invoice.ID); got != "" {
		t.Errorf("a day early there are %s", got)
	}
	s.pass(1)
	s.work()
	s.work()
	if got := s.fees(invoice.ID); got != "1: 5.00 open; " {
		t.Errorf("after ten days there are %q", got)
	}
	var fee billing.LateFee
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := billing.LateFeesOf(ctx, tx, invoice.ID)
		if err != nil {
			return err
		}
		fee = all[0]
		i, err := billing.InvoiceByID(ctx, tx, fee.Invoice)
		if err != nil {
			return err
		}
		if i.OriginNumber != invoice.Number || !i.Tax.IsZero() || !strings.HasPrefix(i.Lines[0].Description, "Late fee on "+invoice.Number) {
			t.Errorf("the fee is %+v", i)
		}
		mails, err := billing.Mailings(ctx, tx, fee.Invoice)
		if err == nil && (len(mails) != 1 || mails[0].Email != "mara@northside.example") {
			t.Errorf("the customer is told by %+v", mails)
		}
		return err
	})
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: invoice.ID, Amount: amount("200.00", eur), Method: billing.Cash})
		return err
	})
	s.pass(31)
	s.work()
	if got := s.fees(invoice.ID); got != "1: 5.00 overdue; 2: 2.00 open; " {
		t.Errorf("a month later there are %q", got)
	}
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		if _, err := billing.VoidInvoice(ctx, tx, fee.Invoice, 0); err != nil { // waived
			return err
		}
		sections, err := report.StatementOf(ctx, tx, mara.UUID, report.Period{})
		var told []string
		for _, l := range sections[0].Lines {
			told = append(told, string(l.Source)+" "+l.Amount.String())
		}
		if got := strings.Join(told, ", "); err == nil && got != "invoice 50.00, invoice 333.33, late_fee 0.75, late_fee 5.00, payment -200.00, late_fee 0.75, late_fee 2.00, reversal -5.00" {
			t.Errorf("the statement says %s", got)
		}
		return err
	})
	s.work()
	if got := s.fees(invoice.ID); got != "1: 5.00 void; 2: 2.00 open; " {
		t.Errorf("waived, there are %q", got)
	}
	// Three months in which nobody worked: the step that was reached, and not those between.
	s.pass(92)
	s.work()
	s.work()
	if got := s.fees(invoice.ID); strings.Count(got, ";") != 3 {
		t.Errorf("after three months of rest there are %q", got)
	}
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: invoice.ID, Amount: amount("133.33", eur), Method: billing.Cash})
		return err
	})
	s.pass(62)
	before := s.fees(invoice.ID)
	s.work()
	if got := s.fees(invoice.ID); got != before {
		t.Errorf("paid, there are %q", got)
	}
}

// A fixed fee is charged once, however many work at the same time, and not for a fee.
func TestLateFeeOnceByManyWorkers(t *testing.T) {
	t.Parallel()
	s := openLate(t)
	s.charges(billing.LateFees{Amount: amount("12.00", eur), Days: 3})
	var invoices []billing.Invoice
	for range 5 {
		invoices = append(invoices, s.due(s.customer(""), 1, "100.00"))
	}
	s.pass(4)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if err := dispatch.ChargeLateFees(context.Background(), s.in); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, i := range invoices {
		if got := s.fees(i.ID); got != "1: 12.00 open; " {
			t.Errorf("six workers charged %q", got)
		}
	}
	s.pass(90)
	s.work()
	var all int
	s.do(func(ctx context.Context, tx *tenant.Tx) error {
		return tx.Get(ctx, &all, `SELECT count(*) FROM document`)
	})
	if all != 10 {
		t.Errorf("there are %d documents, want five invoices and five fees", all)
	}
}

func TestLateFeesRefuse(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	good := billing.LateFees{Percent: dec("1"), Amount: money.Amount{Currency: eur}, Days: 1}
	for name, c := range map[string]struct {
		spoil func(*billing.LateFees)
		want  *fault.Error
		field string
	}{
		"both":             {func(l *billing.LateFees) { l.Amount.Minor = 1 }, billing.ErrFeeOne, "amount"},
		"more than all":    {func(l *billing.LateFees) { l.Percent = dec("100.01") }, billing.ErrFeePercent, "percent"},
		"below nothing":    {func(l *billing.LateFees) { l.Amount.Minor = -1 }, billing.ErrFeeAmount, "amount"},
		"another currency": {func(l *billing.LateFees) { l.Amount.Currency = usd }, billing.ErrFeeAmount, "amount"},
		"on the due date":  {func(l *billing.LateFees) { l.Days = 0 }, billing.ErrFeeDays, "days"},
		"more than a year": {func(l *billing.LateFees) { l.Days = 366 }, billing.ErrFeeDays, "days"},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			c.spoil(&in)
			books{t, b.org}.refuses(c.want, c.field, func(ctx context.Context, tx *tenant.Tx) error {
				_, err := billing.ChangeLateFees(ctx, tx, 0, in)
				return err
			})
		})
	}
	b.refuses(billing.ErrSettingsChanged, "", func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ChangeLateFees(ctx, tx, 99, good)
		return err
	})
	b.do(func(ctx context.Context, tx *tenant.Tx) error {
		on, err := billing.ChangeLateFees(ctx, tx, 0, good)
		if err == nil && (on.Since.IsZero() || !on.On()) {
			t.Errorf("turned on as %+v", on)
		}
		if err != nil {
			return err
		}
		off, err := billing.ChangeLateFees(ctx, tx, 0, billing.LateFees{Amount: money.Amount{Currency: eur}, Days: 5})
		if err == nil && (off.Since != civil.Date{} || off.On()) {
			t.Errorf("turned off as %+v", off)
		}
		return err
	})
}
