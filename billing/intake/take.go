package intake

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Summary is what taking a file came to.
type Summary struct {
	Shape     Shape
	Things    int            // customers, payees, products, invoices or whatever its shape is
	Lines     int            // of documents and entries
	Added     int            // things that were new
	Changed   int            // customers, payees and products that were written anew
	Unchanged int            // things that were in the books already, just so
	Passed    int            // entries that documents and payments make by themselves
	Paid      int            // invoices whose payment the file itself told of
	Totals    []money.Amount // of all documents or payments of the file, by currency
}

// add counts an amount into the totals.
func (s *Summary) add(a money.Amount) error {
	i := slices.IndexFunc(s.Totals, func(t money.Amount) bool { return t.Currency == a.Currency })
	if i < 0 {
		s.Totals = append(s.Totals, a)
		slices.SortFunc(s.Totals, func(a, b money.Amount) int { return strings.Compare(a.Currency.Code(), b.Currency.Code()) })
		return nil
	}
	sum, err := s.Totals[i].Add(a)
	s.Totals[i] = sum
	return err
}

// Take puts a table into the books. What is there already and the same is passed over, so that taking a file twice is
// taking it once; a customer, payee or product that has changed is written anew; a document or payment that differs is refused.
// progress, which may be nil, is told how many rows are done.
//
// It fails with *Refused when the file is to blame. After any error the transaction must not be committed.
func Take(ctx context.Context, tx *tenant.Tx, t *Table, progress func(rows int)) (Summary, error) {
	if progress == nil {
		progress = func(int) {}
	}
	t.faults = &refusals{file: t.File}
	summary := Summary{Shape: t.Shape}
	if t.foreign != nil {
		settings, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return summary, err
		}
		t.base = settings.BaseCurrency
	}
	take := map[Shape]func(context.Context, *tenant.Tx, *Summary, func(int)) error{
		Customers: t.takeCustomers, Payees: t.takePayees, Products: t.takeProducts, Accounts: t.takeAccounts, Journal: t.takeJournal,
		Invoices: t.takeDocuments, CreditNotes: t.takeDocuments, Bills: t.takeDocuments, PayeeCredits: t.takeDocuments,
		Payments: t.takePayments, BillPayments: t.takePayments, Credits: t.takeCredits,
	}[t.Shape]
	if take == nil {
		return summary, errors.New("intake: a table that Read did not make")
	}
	err := take(ctx, tx, &summary, progress)
	if err == nil {
		err = t.faults.err()
	}
	return summary, err
}

// refusedBy turns what a billing function said of an input into refusals at its columns, and says whether the next row
// may still be tried: not when the database itself refused, since the transaction is then lost.
func (t *Table) refusedBy(err error, place func(field string) (r row, column string)) (goOn bool) {
	t.faults.addAll(err, func(field string) Fault {
		r, column := place(field)
		return t.place(r, t.at(column))
	})
	return tenant.SQLState(err) == "" && !t.faults.full()
}

// inRow is the place of every field whose column has the same name.
func inRow(r row) func(string) (row, string) {
	return func(field string) (row, string) { return r, field }
}

// missing refuses a reference to what is not in the books.
func (t *Table) missing(r row, column, what, key string) {
	t.refuseCell(r, column, ErrReference.Sayf("There is no %s with the external id %q in the books. Import it first.", what, clip(key)))
}

// differs refuses a thing that is in the books in another form.
func differs(what, key, because string) *fault.Error {
	return ErrDiffers.Sayf("%s %q is in the books already, %s.", what, clip(key), because)
}
