package payables

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about recurring bills.
var (
	ErrRepeatUnit  = fault.New(fault.Invalid, "recurring_bill.unit", "Choose day, week, month or year.").At("unit")
	ErrRepeatEvery = fault.New(fault.Invalid, "recurring_bill.every", "Choose every 1 to 365.").At("every")
	ErrRepeatUntil = fault.New(fault.Invalid, "recurring_bill.until", "The last day comes before the next bill. Choose a later one, or none.").At("until")
	ErrRepeatUsed  = fault.New(fault.Conflict, "recurring_bill.has_bills", "Bills were made of this already. Stop it instead.")
	ErrRepeatEnded = fault.New(fault.Conflict, "recurring_bill.ended", "This makes no more bills already.")
)

// RecurringInput is what is written on a recurring bill. IssueDate is the day of the first bill; each is due as many days after
// its date as DueDate is after IssueDate. A payee's number is of one bill, so that there is none.
type RecurringInput struct {
	BillInput
	Unit   string // "day", "week", "month" or "year"
	Every  int
	Until  civil.Date // the last day that may have one; zero for none
	Enters bool       // each is entered at once; else it is a draft for someone to look at
}

func (in RecurringInput) check() error {
	var faults fault.List
	if !slices.Contains([]string{"day", "week", "month", "year"}, in.Unit) {
		faults = append(faults, ErrRepeatUnit)
	}
	if in.Every < 1 || in.Every > 365 {
		faults = append(faults, ErrRepeatEvery)
	}
	if !in.Until.IsZero() && in.Until.Before(in.IssueDate) {
		faults = append(faults, ErrRepeatUntil)
	}
	return faults.Err()
}

// DraftRecurring keeps a new recurring bill, whose first bill is made on its issue date, or with the next run if that is
// past. It fails as DraftBill does, and with ErrRepeatUnit, ErrRepeatEvery and ErrRepeatUntil.
func DraftRecurring(ctx context.Context, tx *tenant.Tx, in RecurringInput) (Bill, error) {
	if err := in.check(); err != nil {
		return Bill{}, err
	}
	in.Reference = ""
	b, err := draft(ctx, tx, billing.Recurring, in.BillInput)
	if err != nil {
		return Bill{}, err
	}
	if err := updateRepeat(ctx, tx, b.ID, in, b.IssueDate); err != nil {
		return Bill{}, err
	}
	return billing.PurchaseByID(ctx, tx, billing.Recurring, b.ID)
}

// ReviseRecurring writes all of a recurring bill anew, for the bills that are still to be made: the next is made on the first
// of its days that comes after the last bill. version is the one that the change was made on; 0 is any. It fails as
// DraftRecurring does, and with billing.ErrRecurringNone and billing.ErrRecurringChanged.
func ReviseRecurring(ctx context.Context, tx *tenant.Tx, recurring BillID, version int, in RecurringInput) (Bill, error) {
	if err := in.check(); err != nil {
		return Bill{}, err
	}
	in.Reference = ""
	b, err := ReviseBill(ctx, tx, billing.Recurring, recurring, version, in.BillInput)
	if err != nil {
		return Bill{}, err
	}
	last, err := selectLastMade(ctx, tx, recurring)
	if err != nil {
		return Bill{}, err
	}
	next := b.IssueDate
	if !last.IsZero() && !next.After(last) {
		next = after(b.IssueDate, in.Unit, in.Every, last)
	}
	if err := updateRepeat(ctx, tx, recurring, in, next); err != nil {
		return Bill{}, err
	}
	return billing.PurchaseByID(ctx, tx, billing.Recurring, recurring)
}

// StopRecurring ends a recurring bill: what it made stays, and it makes no more. It fails with billing.ErrRecurringNone and
// ErrRepeatEnded.
func StopRecurring(ctx context.Context, tx *tenant.Tx, recurring BillID) (Bill, error) {
	if _, err := billing.LockPurchase(ctx, tx, billing.Recurring, recurring); err != nil {
		return Bill{}, err
	}
	b, err := billing.PurchaseByID(ctx, tx, billing.Recurring, recurring)
	switch {
	case err != nil:
		return b, err
	case b.Repeat.On.IsZero():
		return b, ErrRepeatEnded
	}
	if err := updateNext(ctx, tx, recurring, civil.Date{}); err != nil {
		return b, err
	}
	if err := tx.Record(ctx, tenant.Act{Action: "recurring.stop", Object: "recurring", ID: recurring.UUID}); err != nil {
		return b, err
	}
	return billing.PurchaseByID(ctx, tx, billing.Recurring, recurring)
}

// DiscardRecurring deletes a recurring bill that made none. It fails with billing.ErrRecurringNone, billing.ErrRecurringChanged and
// ErrRepeatUsed.
func DiscardRecurring(ctx context.Context, tx *tenant.Tx, recurring BillID, version int) error {
	last, err := selectLastMade(ctx, tx, recurring)
	if err != nil {
		return err
	}
	if !last.IsZero() {
		return ErrRepeatUsed
	}
	return billing.DiscardPurchase(ctx, tx, billing.Recurring, recurring, version)
}

// Do runs fn in one transaction of one organization. It may run fn twice.
type Do func(ctx context.Context, fn func(tx *tenant.Tx) error) error

// atOnce bounds how many recurring bills that are due are looked up in one transaction.
const atOnce = 200

// Job is the kind of the job that makes bills of recurring ones.
const Job = "bills.recur"

// MakeBills makes all bills of an organization that are due, each in its own transaction and those of one recurring bill in
// their order. Several may do so at once: each bill is made once. What keeps one recurring bill does not keep the others: a
// fault is kept with it, for people to see; any other error is returned when all are done.
func MakeBills(ctx context.Context, do Do) error {
	var all error
	var last BillID
	for {
		var due []BillID
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			due, err = selectDue(ctx, tx, last, atOnce)
			return err
		})
		if err != nil {
			return errors.Join(all, err)
		}
		for _, recurring := range due {
			if ctx.Err() != nil {
				return errors.Join(all, ctx.Err())
			}
			if err := makeAll(ctx, do, recurring); err != nil {
				all = errors.Join(all, fmt.Errorf("making the bills of %s: %w", recurring, err))
			}
			last = recurring
		}
		if len(due) < atOnce {
			return all
		}
	}
}

func makeAll(ctx context.Context, do Do, recurring BillID) error {
	for more := true; more; {
		err := do(ctx, func(tx *tenant.Tx) (err error) {
			more, err = makeNext(ctx, tx, recurring)
			return err
		})
		var f *fault.Error
		switch {
		case err == nil:
		case errors.As(err, &f) && f.Kind != fault.Unavailable:
			return do(ctx, func(tx *tenant.Tx) error { return updateProblem(ctx, tx, recurring, f.Code) })
		default:
			return err
		}
	}
	return nil
}

// makeNext makes the next bill, if its day has come; more is false if not, or if another has it in hand. The day moves on
// with the bill or not at all, so that each is made once.
func makeNext(ctx context.Context, tx *tenant.Tx, recurring BillID) (more bool, err error) {
	if _, err := billing.LockPayeeOf(ctx, tx, billing.Recurring, recurring); err != nil {
		return false, err
	}
	if due, err := lockDue(ctx, tx, recurring); err != nil || !due {
		return false, err
	}
	t, err := billing.PurchaseByID(ctx, tx, billing.Recurring, recurring)
	if err != nil {
		return false, err
	}
	b, err := DraftBill(ctx, tx, copied(t))
	if err != nil {
		return false, err
	}
	if t.Repeat.Enters {
		if _, err := EnterBill(ctx, tx, billing.Bill, b.ID, 0); err != nil {
			return false, err
		}
	}
	next := after(t.IssueDate, t.Repeat.Unit, t.Repeat.Every, t.Repeat.On)
	if !t.Repeat.Until.IsZero() && next.After(t.Repeat.Until) {
		next = civil.Date{}
	}
	return true, updateNext(ctx, tx, recurring, next)
}

// copied is the bill of the next day.
func copied(t Bill) BillInput {
	in := BillInput{CustomerID: t.Customer.ID, IssueDate: t.Repeat.On, DueDate: t.Repeat.On.AddDays(t.IssueDate.DaysUntil(t.DueDate)), Currency: t.Currency,
		PricesWithTax: t.PricesWithTax, DiscountPercent: t.DiscountPercent, Discount: t.DiscountAmount(), Note: t.Note, Origin: t.ID}
	for _, l := range t.Lines {
		line := billing.InvoiceLineInput{ProductID: l.Product, Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			DiscountPercent: l.DiscountPercent, AccountID: l.Account}
		for _, x := range l.Taxes {
			line.TaxCodes = append(line.TaxCodes, x.Code)
		}
		in.Lines = append(in.Lines, line)
	}
	return in
}

// after is the first day after another on which something comes that began on a first day and comes every so many units. What
// begins on the 31st comes on the last day of a shorter month.
func after(first civil.Date, unit string, every int, day civil.Date) civil.Date {
	if day.Before(first) {
		return first
	}
	switch unit {
	case "day", "week":
		step := every
		if unit == "week" {
			step *= 7
		}
		return first.AddDays((first.DaysUntil(day)/step + 1) * step)
	case "year":
		every *= 12
	}
	months := (day.Year()-first.Year())*12 + int(day.Month()) - int(first.Month())
	for n := months / every; ; n++ {
		if at := monthsAfter(first, n*every); at.After(day) {
			return at
		}
	}
}

func monthsAfter(first civil.Date, months int) civil.Date {
	begins := civil.On(first.Year(), first.Month()+time.Month(months), 1)
	last := civil.On(begins.Year(), begins.Month()+1, 1).AddDays(-1).Day()
	return begins.AddDays(min(first.Day(), last) - 1)
}
