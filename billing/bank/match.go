package bank

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/payables"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about matching.
var (
	ErrMatched      = fault.New(fault.Conflict, "bank_line.matched", "This line is matched already. Undo that first.")
	ErrNotMatched   = fault.New(fault.Conflict, "bank_line.not_matched", "This line is not matched, so there is nothing to undo.")
	ErrLocked       = fault.New(fault.Conflict, "bank_line.locked", "This line stands in a finished statement. Reopen that first.")
	ErrMatchOne     = fault.New(fault.Invalid, "bank_match.one", "Say one thing that the line is matched with: invoices, bills, an entry, a line of another account, or an account to book it to.")
	ErrEntryTaken   = fault.New(fault.Conflict, "bank_match.entry_taken", "Another line is matched with this entry already.").At("entry_id")
	ErrEntryAmount  = fault.New(fault.Invalid, "bank_match.entry_amount", "This entry moves another amount on the account than the line.").At("entry_id")
	ErrEntryUndone  = fault.New(fault.Conflict, "bank_match.entry_undone", "This entry was undone, so no line can belong to it.").At("entry_id")
	ErrOutgoing     = fault.New(fault.Invalid, "bank_match.outgoing", "Money that went out pays no invoice.").At("invoice_ids")
	ErrIncoming     = fault.New(fault.Invalid, "bank_match.incoming", "Money that came in pays no bill.").At("bill_ids")
	ErrSum          = fault.New(fault.Invalid, "bank_match.sum", "Together they are another amount than the line.").At("invoice_ids")
	ErrTogether     = fault.New(fault.Invalid, "bank_match.too_many", "A line pays 20 invoices or bills at most.").At("invoice_ids")
	ErrBookSame     = fault.New(fault.Invalid, "bank_match.same_account", "Book it to another account than the bank account itself.").At("account_id")
	ErrBookOwned    = fault.New(fault.Invalid, "bank_match.owned_account", "What customers owe changes by their payments. Match the line with the invoice.").At("account_id")
	ErrOtherSide    = fault.New(fault.Invalid, "bank_match.other_side", "The other line is on another account of yours, of the same amount the other way round.").At("other_id")
	ErrMatchInvoice = fault.New(fault.NotFound, "bank_match.no_payment", "The payment that this line was matched with is gone.")
)

// Match is what a line is matched with: one of these.
type Match struct {
	Invoices []billing.InvoiceID // which it pays: one in part or whole, several whole
	Bills    []payables.BillID   // which it pays, likewise
	KeepRest bool                // with one invoice: what is beyond what is open stays as the customer's credit
	Entry    ledger.EntryID      // which is in the journal already
	Other    LineID              // the other side of a transfer between two bank accounts of one's own
	Book     ledger.AccountID    // where it is booked to
	Tax      string              // the code of the rate or group that is in the amount; with Book alone
	Say      string              // of what is booked; empty says where from
}

func (m Match) count() (n int) {
	for _, given := range []bool{len(m.Invoices) > 0, len(m.Bills) > 0, !m.Entry.IsZero(), !m.Other.IsZero(), !m.Book.IsZero()} {
		if given {
			n++
		}
	}
	return n
}

// MatchLine says what a line belongs to, and books it where that is not booked yet. version is the one that the choice
// was made on; 0 is any. Whatever runs at once, a line is matched once, and an entry with one line of an account. It fails with
// ErrLineNotFound, ErrLineChanged, ErrMatched, ErrLocked, ErrMatchOne, ErrTax, ErrTaxWithout, with the faults of matching, and with what recording a
// payment and posting an entry refuse.
func MatchLine(ctx context.Context, tx *tenant.Tx, line LineID, version int, m Match) (Line, error) {
	l, err := lockLine(ctx, tx, line, version, m.Other)
	switch {
	case err != nil:
		return l, err
	case l.How != Open:
		return l, ErrMatched
	case m.count() != 1:
		return l, ErrMatchOne
	case m.Tax != "" && m.Book.IsZero():
		return l, ErrTaxWithout
	}
	switch {
	case len(m.Invoices) > 0:
		err = matchInvoices(ctx, tx, l, m)
	case len(m.Bills) > 0:
		err = matchBills(ctx, tx, l, m.Bills)
	case !m.Entry.IsZero():
		err = matchEntry(ctx, tx, l, m.Entry)
	case !m.Other.IsZero():
		err = matchTransfer(ctx, tx, l, m.Other)
	default:
		err = bookLine(ctx, tx, l, m, RuleID{})
	}
	if err != nil {
		return l, err
	}
	return kept(ctx, tx, line, "bank.match")
}

func kept(ctx context.Context, tx *tenant.Tx, line LineID, action string) (Line, error) {
	l, err := selectLine(ctx, tx, line)
	if err != nil {
		return l, err
	}
	return l, tx.Record(ctx, tenant.Act{Action: action, Object: "bank", ID: l.Account.UUID, Detail: fmt.Sprintf("%s %s, %s", l.Amount, l.Amount.Currency, l.Date)})
}

// lockLine locks a line's account, and that of another line with it, in one order for all.
func lockLine(ctx context.Context, tx *tenant.Tx, line LineID, version int, other LineID) (Line, error) {
	l, err := selectLine(ctx, tx, line)
	if err != nil {
		return l, err
	}
	accounts := []ledger.AccountID{l.Account}
	if !other.IsZero() {
		o, err := selectLine(ctx, tx, other)
		if err != nil {
			return l, ErrOtherSide.Because(err)
		}
		if accounts = append(accounts, o.Account); bytes.Compare(o.Account.UUID[:], l.Account.UUID[:]) < 0 {
			accounts[0], accounts[1] = accounts[1], accounts[0]
		}
	}
	for _, a := range accounts {
		if _, err := lockAccount(ctx, tx, a); err != nil {
			return l, err
		}
	}
	if l, err = selectLine(ctx, tx, line); err != nil {
		return l, err
	}
	switch {
	case version != 0 && version != l.Version:
		return l, ErrLineChanged
	case l.Locked():
		return l, ErrLocked
	}
	return l, nil
}

// matchInvoices records what came in as one payment of all the invoices.
func matchInvoices(ctx context.Context, tx *tenant.Tx, l Line, m Match) error {
	if l.Amount.Sign() < 0 {
		return ErrOutgoing
	}
	in := billing.PaymentInput{Date: l.Date, Amount: l.Amount, Method: billing.BankTransfer, Reference: l.Reference, AccountID: l.Account}
	if len(m.Invoices) == 1 {
		in.InvoiceID, in.KeepRest = m.Invoices[0], m.KeepRest
	} else if len(m.Invoices) > maxTogether {
		return ErrTogether
	}
	sum := money.Amount{Currency: l.Amount.Currency}
	for _, i := range m.Invoices {
		if len(m.Invoices) == 1 {
			break
		}
		invoice, err := billing.InvoiceByID(ctx, tx, i)
		if err != nil {
			return err
		}
		in.Allocations = append(in.Allocations, billing.Allocation{InvoiceID: i, Amount: invoice.Open()})
		if invoice.Currency != sum.Currency {
			return billing.ErrPaymentCurrency
		}
		if sum, err = sum.Add(invoice.Open()); err != nil {
			return err
		}
	}
	if len(m.Invoices) > 1 && sum != l.Amount {
		return ErrSum.Sayf("They come to %s %s, and the line to %s.", sum, sum.Currency, l.Amount)
	}
	paid, err := billing.RecordPayment(ctx, tx, in)
	if err != nil {
		return err
	}
	return updateLine(ctx, tx, l.ID, ByPayment, paid.Entry, RuleID{})
}

// matchBills records what went out as one payment of all the bills.
func matchBills(ctx context.Context, tx *tenant.Tx, l Line, bills []payables.BillID) error {
	gone, err := l.Amount.Neg()
	switch {
	case err != nil:
		return err
	case gone.Sign() < 0:
		return ErrIncoming
	case len(bills) > maxTogether:
		return ErrTogether
	}
	in := payables.Paying{Date: l.Date, Amount: gone, Method: billing.BankTransfer, Reference: l.Reference, Account: l.Account}
	sum := money.Amount{Currency: gone.Currency}
	for _, i := range bills {
		b, err := billing.PurchaseByID(ctx, tx, billing.Bill, i)
		if err != nil {
			return err
		}
		if b.Currency != gone.Currency {
			return payables.ErrPaymentCurrency
		}
		part := b.Open()
		if len(bills) == 1 && part.Minor > gone.Minor {
			part = gone
		}
		if sum, err = sum.Add(part); err != nil {
			return err
		}
		in.Payee = b.Customer.ID
		in.Parts = append(in.Parts, payables.Part{Bill: i, Amount: part})
	}
	if sum != gone {
		return ErrSum.At("bill_ids").Sayf("They come to %s %s, and the line to %s.", sum, sum.Currency, gone)
	}
	paid, err := payables.PayBills(ctx, tx, in)
	if err != nil {
		return err
	}
	return updateLine(ctx, tx, l.ID, ByPayment, paid.Entry, RuleID{})
}

func matchEntry(ctx context.Context, tx *tenant.Tx, l Line, entry ledger.EntryID) error {
	e, err := selectEntryOn(ctx, tx, l.Account, l.Amount.Currency, entry)
	switch {
	case err != nil:
		return err
	case e.Taken:
		return ErrEntryTaken
	case e.Undone:
		return ErrEntryUndone
	case e.Amount != l.Amount.Minor:
		return ErrEntryAmount.Sayf("This entry moves %s %s on the account, and the line %s.", money.Amount{Minor: e.Amount, Currency: l.Amount.Currency}, l.Amount.Currency, l.Amount)
	}
	return updateLine(ctx, tx, l.ID, ByEntry, entry, RuleID{})
}

// matchTransfer books one entry for two lines.
func matchTransfer(ctx context.Context, tx *tenant.Tx, l Line, other LineID) error {
	o, err := selectLine(ctx, tx, other)
	switch {
	case err != nil:
		return err
	case o.Account == l.Account, o.Amount.Currency != l.Amount.Currency, o.Amount.Minor != -l.Amount.Minor:
		return ErrOtherSide
	case o.How != Open:
		return ErrMatched.At("other_id")
	}
	date := l.Date // it left before it came
	if o.Date.Before(date) {
		date = o.Date
	}
	e, err := ledger.Post(ctx, tx, ledger.Posting{Date: date, Description: "Transfer between own accounts", Source: ledger.SourceBank, SourceID: l.ID.UUID, Automatic: true,
		Lines: []ledger.Line{{Account: l.Account, Amount: l.Amount, Memo: l.memo()}, {Account: o.Account, Amount: o.Amount, Memo: o.memo()}}})
	if err != nil {
		return err
	}
	if err := updateLine(ctx, tx, l.ID, ByTransfer, e.ID, RuleID{}); err != nil {
		return err
	}
	return updateLine(ctx, tx, o.ID, ByTransfer, e.ID, RuleID{})
}

func (l Line) memo() string { return shorten(l.Text(), 300) }

// bookLine posts an entry for a line. What the bank said stands in the lines' memos, which are masked; the description,
// which is not, holds only what somebody wrote for it.
func bookLine(ctx context.Context, tx *tenant.Tx, l Line, m Match, rule RuleID) error {
	to, err := ledger.AccountByID(ctx, tx, m.Book)
	switch {
	case err != nil:
		return fault.List{ledger.ErrAccountUnknown.At("account_id")}
	case m.Book == l.Account:
		return ErrBookSame
	case to.Purpose == ledger.Receivable || to.Purpose == "payable":
		return ErrBookOwned
	}
	say, err := text.Line("description", m.Say, 120)
	if err != nil {
		return err
	}
	if say == "" {
		say = to.Name + ", from the bank"
	}
	others, err := against(ctx, tx, l, m.Book, m.Tax)
	if err != nil {
		return err
	}
	e, err := ledger.Post(ctx, tx, ledger.Posting{Date: l.Date, Description: say, Source: ledger.SourceBank, SourceID: l.ID.UUID, Automatic: true,
		Lines: append([]ledger.Line{{Account: l.Account, Amount: l.Amount, Memo: l.memo()}}, others...)})
	if err != nil {
		return err
	}
	return updateLine(ctx, tx, l.ID, Booked, e.ID, rule)
}

// UndoMatch takes a match back, and what was booked for it: a payment that was recorded from the line, or an entry that was
// posted from it. An entry that was there before stays. It fails with ErrLineNotFound, ErrLineChanged, ErrNotMatched and
// ErrLocked, for a transfer also where its other line is locked.
func UndoMatch(ctx context.Context, tx *tenant.Tx, line LineID, version int) (Line, error) {
	seen, err := selectLine(ctx, tx, line)
	if err != nil {
		return seen, err
	}
	twin, err := selectTwin(ctx, tx, seen)
	if err != nil {
		return seen, err
	}
	l, err := lockLine(ctx, tx, line, version, twin)
	switch {
	case err != nil:
		return l, err
	case l.How == Open:
		return l, ErrNotMatched
	case l.How != seen.How || l.Entry != seen.Entry: // between the two looks
		return l, ErrLineChanged
	}
	if err := unbook(ctx, tx, l); err != nil {
		return l, err
	}
	if !twin.IsZero() {
		o, err := selectLine(ctx, tx, twin)
		switch {
		case err != nil:
			return l, err
		case o.Locked():
			return l, ErrLocked
		}
		if err := updateLine(ctx, tx, twin, Open, ledger.EntryID{}, RuleID{}); err != nil {
			return l, err
		}
	}
	if err := updateLine(ctx, tx, line, Open, ledger.EntryID{}, RuleID{}); err != nil {
		return l, err
	}
	return kept(ctx, tx, line, "bank.unmatch")
}

// unbook takes back what was booked for a line. What somebody took back elsewhere is left as it is.
func unbook(ctx context.Context, tx *tenant.Tx, l Line) error {
	switch l.How {
	case Booked, ByTransfer:
		_, err := ledger.ReverseDocument(ctx, tx, l.Entry, l.Date, "Taken back: "+shorten(l.EntrySay, 250))
		if isReversed(err) {
			return nil
		}
		return err
	case ByPayment:
		payment, err := selectPaymentOf(ctx, tx, l.Entry)
		switch {
		case err != nil:
			return err
		case payment.Out:
			_, err = payables.TakeBack(ctx, tx, payment.ID)
		default:
			err = billing.UnbookPayment(ctx, tx, payment.ID)
		}
		if isReversed(err) {
			return nil
		}
		return err
	}
	return nil
}

// isReversed says that somebody undid the thing before.
func isReversed(err error) bool {
	return errors.Is(err, ledger.ErrAlreadyReversed) || errors.Is(err, billing.ErrPaymentUnbooked) || errors.Is(err, payables.ErrTakenBack)
}

// ExcludeLine leaves a line out: it counts for nothing from then on, and comes with no file again. UndoMatch takes that
// back. It fails with ErrLineNotFound, ErrLineChanged, ErrMatched and ErrLocked.
func ExcludeLine(ctx context.Context, tx *tenant.Tx, line LineID, version int) (Line, error) {
	l, err := lockLine(ctx, tx, line, version, LineID{})
	switch {
	case err != nil:
		return l, err
	case l.How != Open:
		return l, ErrMatched
	}
	if err := updateLine(ctx, tx, line, Excluded, ledger.EntryID{}, RuleID{}); err != nil {
		return l, err
	}
	return kept(ctx, tx, line, "bank.exclude")
}
