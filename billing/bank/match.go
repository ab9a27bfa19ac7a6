package bank

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about matching.
var (
	ErrMatched      = fault.New(fault.Conflict, "bank_line.matched", "This line is matched already. Undo that first.")
	ErrNotMatched   = fault.New(fault.Conflict, "bank_line.not_matched", "This line is not matched, so there is nothing to undo.")
	ErrLocked       = fault.New(fault.Conflict, "bank_line.locked", "This line stands in a finished statement. Reopen that first.")
	ErrMatchOne     = fault.New(fault.Invalid, "bank_match.one", "Say one thing that the line is matched with: an invoice, an entry, a line of another account, or an account to book it to.")
	ErrEntryTaken   = fault.New(fault.Conflict, "bank_match.entry_taken", "Another line is matched with this entry already.").At("entry_id")
	ErrEntryAmount  = fault.New(fault.Invalid, "bank_match.entry_amount", "This entry moves another amount on the account than the line.").At("entry_id")
	ErrEntryUndone  = fault.New(fault.Conflict, "bank_match.entry_undone", "This entry was undone, so no line can belong to it.").At("entry_id")
	ErrOutgoing     = fault.New(fault.Invalid, "bank_match.outgoing", "Money that went out pays no invoice.").At("invoice_id")
	ErrBookSame     = fault.New(fault.Invalid, "bank_match.same_account", "Book it to another account than the bank account itself.").At("account_id")
	ErrBookOwned    = fault.New(fault.Invalid, "bank_match.owned_account", "What customers owe changes by their payments. Match the line with the invoice.").At("account_id")
	ErrOtherSide    = fault.New(fault.Invalid, "bank_match.other_side", "The other line is on another account of yours, of the same amount the other way round.").At("other_id")
	ErrMatchInvoice = fault.New(fault.NotFound, "bank_match.no_payment", "The payment that this line was matched with is gone.")
)

// Match is what a line is matched with: one of these.
type Match struct {
	Invoice billing.InvoiceID // which it pays, in part or whole
	Entry   ledger.EntryID    // which is in the journal already
	Other   LineID            // the other side of a transfer between two bank accounts of one's own
	Book    ledger.AccountID  // where it is booked to
	Say     string            // of what is booked; empty says where from
}

func (m Match) count() (n int) {
	for _, given := range []bool{!m.Invoice.IsZero(), !m.Entry.IsZero(), !m.Other.IsZero(), !m.Book.IsZero()} {
		if given {
			n++
		}
	}
	return n
}

// MatchLine says what a line belongs to, and books it where that is not booked yet. version is the one that the choice
// was made on; 0 is any. Whatever runs at once, a line is matched once, and an entry with one line of an account. It fails with
// ErrLineNotFound, ErrLineChanged, ErrMatched, ErrLocked, ErrMatchOne, with the faults of matching, and with what recording a
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
	}
	switch {
	case !m.Invoice.IsZero():
		err = matchInvoice(ctx, tx, l, m.Invoice)
	case !m.Entry.IsZero():
		err = matchEntry(ctx, tx, l, m.Entry)
	case !m.Other.IsZero():
		err = matchTransfer(ctx, tx, l, m.Other)
	default:
		err = bookLine(ctx, tx, l, m.Book, m.Say, RuleID{})
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

func matchInvoice(ctx context.Context, tx *tenant.Tx, l Line, invoice billing.InvoiceID) error {
	if l.Amount.Sign() < 0 {
		return ErrOutgoing
	}
	paid, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: invoice, Date: l.Date, Amount: l.Amount, Method: billing.BankTransfer,
		Reference: shorten(l.Reference, 100), AccountID: l.Account})
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
func bookLine(ctx context.Context, tx *tenant.Tx, l Line, account ledger.AccountID, say string, rule RuleID) error {
	to, err := ledger.AccountByID(ctx, tx, account)
	switch {
	case err != nil:
		return fault.List{ledger.ErrAccountUnknown.At("account_id")}
	case account == l.Account:
		return ErrBookSame
	case to.Purpose == ledger.Receivable || to.Purpose == "payable":
		return ErrBookOwned
	}
	if say, err = text.Line("description", say, 120); err != nil {
		return err
	}
	if say == "" {
		say = to.Name + ", from the bank"
	}
	against, err := l.Amount.Neg()
	if err != nil {
		return err
	}
	e, err := ledger.Post(ctx, tx, ledger.Posting{Date: l.Date, Description: say, Source: ledger.SourceBank, SourceID: l.ID.UUID, Automatic: true,
		Lines: []ledger.Line{{Account: l.Account, Amount: l.Amount, Memo: l.memo()}, {Account: account, Amount: against, Memo: l.memo()}}})
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
		if err != nil {
			return err
		}
		err = billing.UnbookPayment(ctx, tx, payment)
		if isReversed(err) {
			return nil
		}
		return err
	}
	return nil
}

// isReversed says that somebody undid the thing before.
func isReversed(err error) bool {
	return errors.Is(err, ledger.ErrAlreadyReversed) || errors.Is(err, billing.ErrPaymentUnbooked)
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
