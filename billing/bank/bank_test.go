package bank_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// house is an organization with a bank account in euros, and another.
type house struct {
	*testing.T
	tenanttest.Organization
	current, savings ledger.AccountID
	codes            map[string]ledger.AccountID
	customer         billing.CustomerID
}

// everything is the longest page.
var everything = cursor.Query{Limit: cursor.Max}

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: eur} }

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, codes: map[string]ledger.AccountID{}}
	h.Organization = tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		if err := billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: eur, Country: "IE", TimeZone: "Europe/Dublin"}); err != nil {
			return err
		}
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Mara Lindqvist", Company: "Halden Optics"})
		h.customer = c.ID
		return err
	})
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		accounts, err := ledger.Accounts(ctx, tx)
		for _, a := range accounts {
			h.codes[a.Code] = a.ID
		}
		h.current, h.savings = h.codes["1010"], h.codes["1020"]
		if err != nil {
			return err
		}
		for _, a := range []ledger.AccountID{h.current, h.savings} {
			if _, err := bank.OpenAccount(ctx, tx, a, eur, bank.Details{BankName: "AIB"}); err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

func (h *house) try(fn func(ctx context.Context, tx *tenant.Tx) error) error {
	ctx := context.Background()
	return tenant.Do(ctx, tenanttest.DB(), h.Scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
}

func (h *house) do(fn func(ctx context.Context, tx *tenant.Tx) error) {
	h.Helper()
	if err := h.try(fn); err != nil {
		h.Fatal(err)
	}
}

// take imports rows of CSV: day, text, amount.
func (h *house) take(account ledger.AccountID, rows ...string) (done bank.Imported) {
	h.Helper()
	return h.takeFile(account, "Date,Description,Amount\n"+strings.Join(rows, "\n")+"\n")
}

func (h *house) takeFile(account ledger.AccountID, content string) (done bank.Imported) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		f, err := bank.Read("some.csv", []byte(content), bank.Wanted{Currency: eur}, nil)
		if err != nil {
			return err
		}
		done, err = bank.ImportFile(ctx, tx, account, f)
		return err
	})
	return done
}

// line is an account's line with these words.
func (h *house) line(account ledger.AccountID, words string) (found bank.Line) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := bank.Lines(ctx, tx, account, "", cursor.Query{Limit: 100})
		for _, l := range all.Items {
			if strings.Contains(l.Text(), words) {
				found = l
				return err
			}
		}
		return errors.Join(err, fmt.Errorf("no line says %q", words))
	})
	return found
}

func (h *house) invoice(amount string) (made billing.Invoice) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		drafted, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: h.customer, IssueDate: civil.On(2026, 1, 5), Lines: []billing.InvoiceLineInput{
			{Description: "Work", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString(amount)}}})
		if err != nil {
			return err
		}
		made, err = billing.IssueInvoice(ctx, tx, drafted.ID, 0)
		return err
	})
	return made
}

func (h *house) match(l bank.Line, m bank.Match) error {
	return h.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.MatchLine(ctx, tx, l.ID, l.Version, m)
		return err
	})
}

func (h *house) mustMatch(l bank.Line, m bank.Match) {
	h.Helper()
	if err := h.match(l, m); err != nil {
		h.Fatal(err)
	}
}

func (h *house) suggestions(l bank.Line) (found []bank.Suggestion) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := bank.Suggest(ctx, tx, l.Account, []bank.Line{l})
		found = all[l.ID]
		return err
	})
	return found
}

func (h *house) account(of ledger.AccountID) (a bank.Account) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		a, err = bank.AccountByID(ctx, tx, of)
		return err
	})
	return a
}

func (h *house) post(day civil.Date, from, to ledger.AccountID, minor int64) (e ledger.Entry) {
	h.Helper()
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		e, err = ledger.Post(ctx, tx, ledger.Posting{Date: day, Description: "By hand", Lines: []ledger.Line{{Account: to, Amount: euros(minor)}, {Account: from, Amount: euros(-minor)}}})
		return err
	})
	return e
}

func TestImport_never_takes_a_line_twice(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	week := []string{"2026-01-02,Coffee,-3.00", "2026-01-02,Coffee,-3.00", "2026-01-03,Rent,-900.00", "2026-01-04,Sale,250.00"}
	if got := h.take(h.current, week...); got.Added != 4 || got.Known != 0 {
		t.Errorf("the first file: %+v", got)
	}
	if got := h.take(h.current, week...); got.Added != 0 || got.Known != 4 {
		t.Errorf("the same file: %+v", got)
	}
	// A third coffee of that day, seen later, and a day more.
	overlapping := []string{"2026-01-02,Coffee,-3.00", "2026-01-02,Coffee,-3.00", "2026-01-02,Coffee,-3.00", "2026-01-04,Sale,250.00", "2026-01-05,Sale,250.00"}
	if got := h.take(h.current, overlapping...); got.Added != 2 || got.Known != 3 {
		t.Errorf("an overlapping file: %+v", got)
	}
	if got := h.take(h.savings, week...); got.Added != 4 {
		t.Errorf("another account: %+v", got)
	}
	if a := h.account(h.current); a.Bank != euros(-300*3-90000+25000*2) || a.Lines != 6 || a.ToLookAt != 6 || a.Since != civil.On(2026, 1, 2) {
		t.Errorf("the account is %+v", a)
	}
	// With the bank's own ids: one that is used again for another movement is another line, and one whose text the bank
	// changed is the same.
	ids := "OFXHEADER:100\n<OFX><STMTRS><CURDEF>EUR<STMTTRN><DTPOSTED>20260110<TRNAMT>-5<FITID>7<MEMO>Tea</STMTTRN><STMTTRN><DTPOSTED>20260110<TRNAMT>-6<FITID>7<MEMO>Tea</STMTTRN></STMTRS></OFX>"
	if got := h.takeFile(h.current, ids); got.Added != 2 {
		t.Errorf("the bank's ids: %+v", got)
	}
	if got := h.takeFile(h.current, strings.ReplaceAll(ids, "Tea", "TEA SHOP")); got.Added != 0 || got.Known != 2 {
		t.Errorf("the bank's ids with other words: %+v", got)
	}
	if got := h.take(h.current, "2026-01-10,Something else,-5.00"); got.Added != 1 || got.Alike != 1 {
		t.Errorf("another file's line of the same day and amount: %+v", got)
	}
}

func TestImport_at_once(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	f, err := bank.Read("some.csv", []byte("Date,Text,Amount\n2026-01-02,Coffee,-3.00\n2026-01-02,Coffee,-3.00\n2026-01-03,Rent,-900.00\n"), bank.Wanted{Currency: eur}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	added := make([]int, 6)
	for i := range added {
		group.Go(func() {
			if err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
				done, err := bank.ImportFile(ctx, tx, h.current, f)
				added[i] = done.Added
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	sum := 0
	for _, n := range added {
		sum += n
	}
	if a := h.account(h.current); sum != 3 || a.Lines != 3 || a.Bank != euros(-90600) {
		t.Errorf("six at once added %v, and the account is %+v", added, a)
	}
}

func TestImport_knows_the_balance_before(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	h.takeFile(h.current, camt("02")) // 1000.00, then +250.50 and -50.00
	a := h.account(h.current)
	if a.Opening != euros(100000) || a.Bank != euros(120050) || a.Stated == nil || a.Stated.Amount != euros(120050) {
		t.Errorf("the account is %+v", a)
	}
	// Older lines leave the balance of today as it is.
	h.take(h.current, "2026-10-30,Sale,400.00")
	if a = h.account(h.current); a.Opening != euros(60000) || a.Bank != euros(120050) || a.Since != civil.On(2026, 10, 30) {
		t.Errorf("with older lines the account is %+v", a)
	}
	if gap, err := a.Gap(); err != nil || !gap.IsZero() {
		t.Errorf("the gap is %v, %v", gap, err)
	}
	// A file that tells of a balance which the lines do not reach.
	h.takeFile(h.current, "OFXHEADER:100\n<OFX><STMTRS><CURDEF>EUR<STMTTRN><DTPOSTED>20261105<TRNAMT>-5<FITID>7</STMTTRN><LEDGERBAL><BALAMT>1100.50<DTASOF>20261105</LEDGERBAL></STMTRS></OFX>")
	if gap, err := h.account(h.current).Gap(); err != nil || gap != euros(110050-119550) {
		t.Errorf("the gap is %v, %v", gap, err)
	}
}

func TestMatch_with_an_invoice_and_back(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	owed := h.invoice("250.00")
	other := h.invoice("250.00")
	h.take(h.current, "2026-01-20,HALDEN OPTICS "+strings.ReplaceAll(owed.Number, "-", " ")+" THANKS,250.00")
	l := h.line(h.current, "THANKS")
	found := h.suggestions(l)
	if len(found) != 2 || found[0].Invoices[0] != owed.ID || found[0].Certainty < bank.Sure || len(found[0].Why) != 3 || found[1].Invoices[0] != other.ID {
		t.Fatalf("it suggests %+v", found)
	}
	h.mustMatch(l, found[0].Match)
	state := func() (paid money.Amount, receivable money.Amount) {
		h.do(func(ctx context.Context, tx *tenant.Tx) error {
			i, err := billing.InvoiceByID(ctx, tx, owed.ID)
			paid = i.Open()
			return err
		})
		return paid, h.account(h.current).Book
	}
	if open, book := state(); !open.IsZero() || book != euros(25000) {
		t.Errorf("after the match %s are open and %s in the book", open, book)
	}
	l = h.line(h.current, "THANKS")
	if l.How != bank.ByPayment || l.Entry.IsZero() {
		t.Errorf("the line is %+v", l)
	}
	if err := h.match(l, bank.Match{Invoices: []billing.InvoiceID{other.ID}}); !errors.Is(err, bank.ErrMatched) {
		t.Errorf("a second match fails with %v", err)
	}
	undo := func() error {
		return h.try(func(ctx context.Context, tx *tenant.Tx) error {
			_, err := bank.UndoMatch(ctx, tx, l.ID, 0)
			return err
		})
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	if open, book := state(); open != euros(25000) || !book.IsZero() {
		t.Errorf("after undoing it %s are open and %s in the book", open, book)
	}
	if err := undo(); !errors.Is(err, bank.ErrNotMatched) {
		t.Errorf("undoing it twice fails with %v", err)
	}
	h.mustMatch(h.line(h.current, "THANKS"), bank.Match{Invoices: []billing.InvoiceID{other.ID}})
	if open, book := state(); open != euros(25000) || book != euros(25000) {
		t.Errorf("after matching it with the other %s are open and %s in the book", open, book)
	}
}

// What is undone after its month was closed is undone on the first open day, in the books and among the payments.
func TestUndo_after_the_month_is_closed(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	owed := h.invoice("250.00")
	h.take(h.current, "2026-01-20,Paid,250.00")
	h.mustMatch(h.line(h.current, "Paid"), bank.Match{Invoices: []billing.InvoiceID{owed.ID}})
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		if err := ledger.CloseBooks(ctx, tx, civil.On(2026, 1, 31), false); err != nil {
			return err
		}
		if _, err := bank.UndoMatch(ctx, tx, h.line(h.current, "Paid").ID, 0); err != nil {
			return err
		}
		all, err := billing.Payments(ctx, tx, billing.PaymentFilter{}, everything)
		if err == nil && (len(all.Items) != 2 || all.Items[0].Amount != euros(-25000) || all.Items[0].Date != civil.On(2026, 2, 1) || all.Items[1].Date != civil.On(2026, 1, 20)) {
			t.Errorf("the payments are %+v", all.Items)
		}
		return err
	})
	if a := h.account(h.current); !a.Book.IsZero() || a.ToLookAt != 1 {
		t.Errorf("the account is %+v", a)
	}
}

func TestMatch_refuses(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	owed := h.invoice("100.00")
	h.take(h.current, "2026-01-20,Too much,250.00", "2026-01-20,Out,-100.00", "2026-01-20,First debit,-40.00", "2026-01-20,Second debit,-40.00")
	h.take(h.savings, "2026-01-20,Elsewhere,100.00", "2026-01-20,Not that,99.00")
	entry := h.post(civil.On(2026, 1, 19), h.current, h.codes["6000"], 4000)
	h.mustMatch(h.line(h.current, "First debit"), bank.Match{Entry: entry.ID})
	undone := h.post(civil.On(2026, 1, 19), h.current, h.codes["6000"], 4000)
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := ledger.Reverse(ctx, tx, undone.ID, civil.Date{}, "")
		return err
	})
	foreign := openHouse(t)
	foreign.take(foreign.savings, "2026-01-20,Foreign,100.00")
	for name, c := range map[string]struct {
		line string
		m    bank.Match
		want error
	}{
		"nothing":                      {"Out", bank.Match{}, bank.ErrMatchOne},
		"two things":                   {"Out", bank.Match{Entry: entry.ID, Book: h.codes["6000"]}, bank.ErrMatchOne},
		"more than is open":            {"Too much", bank.Match{Invoices: []billing.InvoiceID{owed.ID}}, billing.ErrOverpaid},
		"money out for an invoice":     {"Out", bank.Match{Invoices: []billing.InvoiceID{owed.ID}}, bank.ErrOutgoing},
		"an entry of another amount":   {"Out", bank.Match{Entry: entry.ID}, bank.ErrEntryTaken},
		"an entry that has its line":   {"Second debit", bank.Match{Entry: entry.ID}, bank.ErrEntryTaken},
		"an entry that was undone":     {"Second debit", bank.Match{Entry: undone.ID}, bank.ErrEntryUndone},
		"the account itself":           {"Out", bank.Match{Book: h.current}, bank.ErrBookSame},
		"what customers owe":           {"Out", bank.Match{Book: h.codes["1100"]}, bank.ErrBookOwned},
		"a line of another amount":     {"Out", bank.Match{Other: h.line(h.savings, "Not that").ID}, bank.ErrOtherSide},
		"a line of the same account":   {"Out", bank.Match{Other: h.line(h.current, "Too much").ID}, bank.ErrOtherSide},
		"another organization's line":  {"Out", bank.Match{Other: foreign.line(foreign.savings, "Foreign").ID}, bank.ErrOtherSide},
		"another organization's entry": {"Out", bank.Match{Entry: foreign.post(civil.On(2026, 1, 2), foreign.current, foreign.codes["6000"], 10000).ID}, ledger.ErrEntryNotFound},
	} {
		if err := h.match(h.line(h.current, c.line), c.m); !errors.Is(err, c.want) {
			t.Errorf("%s fails with %v", name, err)
		}
	}
	if a := h.account(h.current); a.ToLookAt != 3 {
		t.Errorf("%d lines are left", a.ToLookAt)
	}
	if err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.LineByID(ctx, tx, foreign.line(foreign.savings, "Foreign").ID)
		return err
	}); !errors.Is(err, bank.ErrLineNotFound) {
		t.Errorf("another organization's line: %v", err)
	}
}

// One line, one entry and one invoice, by many at once: each is matched once.
func TestMatch_at_once(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	owed := h.invoice("100.00")
	entry := h.post(civil.On(2026, 1, 20), h.codes["4000"], h.current, 10000)
	h.take(h.current, "2026-01-20,One,100.00", "2026-01-20,Two,100.00")
	h.take(h.savings, "2026-01-20,Three,-100.00")
	one, two, three := h.line(h.current, "One"), h.line(h.current, "Two"), h.line(h.savings, "Three")
	tries := []struct {
		line bank.Line
		m    bank.Match
	}{{one, bank.Match{Entry: entry.ID}}, {two, bank.Match{Entry: entry.ID}}, {one, bank.Match{Invoices: []billing.InvoiceID{owed.ID}}}, {two, bank.Match{Invoices: []billing.InvoiceID{owed.ID}}},
		{one, bank.Match{Book: h.codes["4000"]}}, {two, bank.Match{Book: h.codes["4000"]}}, {one, bank.Match{Other: three.ID}}, {three, bank.Match{Other: two.ID}},
		{three, bank.Match{Other: one.ID}}, {two, bank.Match{Other: three.ID}}}
	var group sync.WaitGroup
	won := make([]bool, len(tries))
	for i, a := range tries {
		group.Go(func() { won[i] = h.match(bank.Line{ID: a.line.ID}, a.m) == nil })
	}
	group.Wait()
	used := map[bank.LineID]int{}
	for i, w := range won {
		if w {
			used[tries[i].line.ID]++
			used[tries[i].m.Other]++
		}
	}
	delete(used, bank.LineID{})
	if used[one.ID] != 1 || used[two.ID] != 1 || used[three.ID] > 1 {
		t.Errorf("the lines were matched %v times", used)
	}
	if a, b := h.line(h.current, "One"), h.line(h.current, "Two"); a.Entry.IsZero() || b.Entry.IsZero() || a.Entry == b.Entry {
		t.Errorf("they are matched with %v and %v", a.Entry, b.Entry)
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	h.take(h.current, "2026-01-20,To savings,-500.00")
	h.take(h.savings, "2026-01-22,From current,500.00")
	out := h.line(h.current, "To savings")
	found := h.suggestions(out)
	if len(found) != 1 || found[0].Other != h.line(h.savings, "From").ID || found[0].Certainty < bank.Sure {
		t.Fatalf("it suggests %+v", found)
	}
	h.mustMatch(out, found[0].Match)
	if a, b := h.account(h.current), h.account(h.savings); a.Book != euros(-50000) || b.Book != euros(50000) || a.ToLookAt+b.ToLookAt != 0 {
		t.Errorf("the accounts are %+v and %+v", a, b)
	}
	// From the other side.
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.UndoMatch(ctx, tx, found[0].Other, 0)
		return err
	})
	if a, b := h.account(h.current), h.account(h.savings); !a.Book.IsZero() || !b.Book.IsZero() || a.ToLookAt != 1 || b.ToLookAt != 1 {
		t.Errorf("after undoing it the accounts are %+v and %+v", a, b)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	limit := decimal.RequireFromString("20")
	add := func(in bank.RuleInput) (r bank.Rule) {
		h.Helper()
		h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
			r, err = bank.AddRule(ctx, tx, in)
			return err
		})
		return r
	}
	fees := add(bank.RuleInput{Words: "fee", Way: bank.Contains, Direction: "out", Most: &limit, BookTo: h.codes["6000"], Say: "Bank fees", Automatic: true})
	add(bank.RuleInput{Words: "ACCOUNT FEE JANUARY", Way: bank.Equals, BookTo: h.codes["5300"], Automatic: true})
	add(bank.RuleInput{Words: "rent", Way: bank.Starts, BookTo: h.codes["5200"]})
	add(bank.RuleInput{Bank: h.savings, Words: "shop", Way: bank.Contains, BookTo: h.codes["5300"], Automatic: true})
	rows := []string{"2026-01-02,Account fee January,-12.00", "2026-01-03,Fee,-50.00", "2026-01-04,Fee back,12.00", "2026-01-05,RENT 1/26,-900.00", "2026-01-06,My rent,-1.00", "2026-01-07,Shop,-2.00"}
	if done := h.take(h.current, rows...); done.Added != 6 || done.Booked != 1 {
		t.Errorf("the import did %+v", done)
	}
	if l := h.line(h.current, "January"); l.How != bank.Booked || l.Rule != fees.ID || l.RuleWords != "fee" || l.EntrySay != "Bank fees" {
		t.Errorf("the rule made of it %+v", l)
	}
	if found := h.suggestions(h.line(h.current, "RENT")); len(found) != 1 || found[0].Book != h.codes["5200"] || !strings.Contains(found[0].Why[0], "rent") {
		t.Errorf("it suggests %+v", found)
	}
	for _, words := range []string{"Fee back", "My rent", "Shop"} {
		if found := h.suggestions(h.line(h.current, words)); len(found) != 0 {
			t.Errorf("for %s it suggests %+v", words, found)
		}
	}
	// Booked by a rule, and undone: it is not booked again by the same file.
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.UndoMatch(ctx, tx, h.line(h.current, "January").ID, 0)
		return err
	})
	if done := h.take(h.current, rows...); done.Added != 0 || done.Booked != 0 {
		t.Errorf("the second import did %+v", done)
	}
	if a := h.account(h.current); !a.Book.IsZero() || a.ToLookAt != 6 {
		t.Errorf("the account is %+v", a)
	}
	// The order counts.
	var all []bank.Rule
	h.do(func(ctx context.Context, tx *tenant.Tx) (err error) {
		if all, err = bank.Rules(ctx, tx); err != nil {
			return err
		}
		_, err = bank.RaiseRule(ctx, tx, all[1].ID)
		return err
	})
	if found := h.suggestions(h.line(h.current, "January")); len(found) != 1 || found[0].Rule != all[1].ID {
		t.Errorf("after raising the second rule it suggests %+v", found)
	}
	if err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.ChangeRule(ctx, tx, all[2].ID, all[2].Version+1, all[2].RuleInput)
		return err
	}); !errors.Is(err, bank.ErrRuleChanged) {
		t.Errorf("an old change fails with %v", err)
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error { return bank.DeleteRule(ctx, tx, all[2].ID, 0) })
	if found := h.suggestions(h.line(h.current, "RENT")); len(found) != 0 {
		t.Errorf("without its rule it suggests %+v", found)
	}
}

func (h *house) statement(fn func(ctx context.Context, tx *tenant.Tx) (bank.Statement, error)) (s bank.Statement, err error) {
	err = h.try(func(ctx context.Context, tx *tenant.Tx) (err error) {
		s, err = fn(ctx, tx)
		return err
	})
	return s, err
}

func (h *house) begin(day civil.Date, closing int64) (bank.Statement, error) {
	return h.statement(func(ctx context.Context, tx *tenant.Tx) (bank.Statement, error) {
		return bank.BeginStatement(ctx, tx, h.current, bank.StatementInput{EndsOn: day, Closing: euros(closing)})
	})
}

func (h *house) finish(s bank.Statement) (bank.Statement, error) {
	return h.statement(func(ctx context.Context, tx *tenant.Tx) (bank.Statement, error) {
		return bank.FinishStatement(ctx, tx, s.ID, 0)
	})
}

func (h *house) reopen(s bank.Statement) (bank.Statement, error) {
	return h.statement(func(ctx context.Context, tx *tenant.Tx) (bank.Statement, error) {
		return bank.ReopenStatement(ctx, tx, s.ID, 0)
	})
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	h.take(h.current, "2026-01-02,Fee,-10.00", "2026-01-20,Rent,-900.00", "2026-02-03,Sale,100.00")
	january, err := h.begin(civil.On(2026, 1, 31), -91000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.begin(civil.On(2026, 2, 28), 0); !errors.Is(err, bank.ErrStatementBegun) {
		t.Errorf("a second one fails with %v", err)
	}
	h.mustMatch(h.line(h.current, "Fee"), bank.Match{Book: h.codes["6000"]})
	if _, err := h.finish(january); !errors.Is(err, bank.ErrDifference) || !strings.Contains(err.Error(), "-900.00 EUR are missing") || !strings.Contains(err.Error(), "1 lines are not matched") {
		t.Errorf("with a line left it fails with %v", err)
	}
	h.mustMatch(h.line(h.current, "Rent"), bank.Match{Book: h.codes["5200"]})
	if january, err = h.finish(january); err != nil || january.Finished == nil || january.Lines != 2 || january.Cleared != euros(-91000) || january.ByName == "" {
		t.Fatalf("it is %+v, %v", january, err)
	}
	// What is in it is locked, in every way.
	fee := h.line(h.current, "Fee")
	if err := h.try(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.UndoMatch(ctx, tx, fee.ID, 0)
		return err
	}); !errors.Is(err, bank.ErrLocked) {
		t.Errorf("undoing a locked line fails with %v", err)
	}
	if _, err := h.begin(civil.On(2026, 1, 31), 0); !errors.Is(err, bank.ErrStatementEarlier) {
		t.Errorf("the same day again fails with %v", err)
	}
	if done := h.take(h.current, "2026-01-01,Late news,-1.00"); done.Added != 0 || done.Early != 1 {
		t.Errorf("a line before the first statement: %+v", done)
	}
	h.mustMatch(h.line(h.current, "Sale"), bank.Match{Book: h.codes["4000"]})
	february, err := h.begin(civil.On(2026, 2, 28), -81001)
	if err != nil || february.Opening != euros(-91000) {
		t.Fatalf("the second is %+v, %v", february, err)
	}
	if _, err := h.finish(february); !errors.Is(err, bank.ErrDifference) || !strings.Contains(err.Error(), "-100.01 EUR") && !strings.Contains(err.Error(), "-0.01 EUR") {
		t.Errorf("a cent off it fails with %v", err)
	}
	february, err = h.statement(func(ctx context.Context, tx *tenant.Tx) (bank.Statement, error) {
		return bank.ChangeStatement(ctx, tx, february.ID, february.Version, bank.StatementInput{EndsOn: civil.On(2026, 2, 28), Closing: euros(-81000)})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.reopen(january); !errors.Is(err, bank.ErrStatementBegun) {
		t.Errorf("reopening beside one under way fails with %v", err)
	}
	if _, err = h.finish(february); err != nil {
		t.Fatal(err)
	}
	if _, err := h.reopen(january); !errors.Is(err, bank.ErrStatementNotLast) {
		t.Errorf("reopening out of order fails with %v", err)
	}
	if _, err := h.reopen(february); err != nil {
		t.Fatal(err)
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error { return bank.DiscardStatement(ctx, tx, february.ID, 0) })
	if _, err := h.reopen(january); err != nil {
		t.Fatal(err)
	}
	h.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := bank.UndoMatch(ctx, tx, fee.ID, 0)
		return err
	})
	if _, err := h.finish(january); !errors.Is(err, bank.ErrDifference) {
		t.Errorf("with the fee undone it fails with %v", err)
	}
}
