package billing

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about bills and what is like them.
var (
	ErrBillNotFound     = fault.New(fault.NotFound, "bill.not_found", "There is no such bill.")
	ErrBillChanged      = fault.New(fault.Conflict, "bill.changed", "Someone else changed this bill in the meantime. Look at it again, then repeat your change.")
	ErrBillNotDraft     = fault.New(fault.Conflict, "bill.not_draft", "This bill has been entered. Only a draft can be changed, discarded or entered.")
	ErrBillNoLines      = fault.New(fault.Conflict, "bill.no_lines", "A bill needs a line before it can be entered.")
	ErrBillExternal     = fault.New(fault.Conflict, "bill.external_id_taken", "Another bill has this external id.").At("external_id")
	ErrBillDue          = fault.New(fault.Invalid, "bill.due_before_date", "A bill cannot be due before its own date.").At("due_date")
	ErrPayeeCreditNone  = fault.New(fault.NotFound, "payee_credit.not_found", "There is no such credit of a payee.")
	ErrPayeeCreditNew   = fault.New(fault.Conflict, "payee_credit.changed", "Someone else changed this credit in the meantime. Look at it again, then repeat your change.")
	ErrPayeeCreditDone  = fault.New(fault.Conflict, "payee_credit.not_draft", "This credit has been entered. Only a draft can be changed, discarded or entered.")
	ErrPayeeCreditEmpty = fault.New(fault.Conflict, "payee_credit.no_lines", "A credit needs a line before it can be entered.")
	ErrPayeeCreditTaken = fault.New(fault.Conflict, "payee_credit.external_id_taken", "Another credit has this external id.").At("external_id")
	ErrRecurringNone    = fault.New(fault.NotFound, "recurring_bill.not_found", "There is no such recurring bill.")
	ErrRecurringChanged = fault.New(fault.Conflict, "recurring_bill.changed", "Someone else changed this recurring bill in the meantime. Look at it again, then repeat your change.")
	ErrRecurringTaken   = fault.New(fault.Conflict, "recurring_bill.external_id_taken", "Another recurring bill has this external id.").At("external_id")
	ErrRecurringEnter   = fault.New(fault.Conflict, "recurring_bill.not_entered", "A recurring bill is what bills are copied from. It is not entered itself.")
	ErrPurchaseStanding = fault.New(fault.Invalid, "bill.standing_unknown", "Ask for draft, open, overdue, paid or void.").At("standing")
)

// StandingUnsettled is of what is entered and not settled, late or not, to filter by.
const StandingUnsettled Standing = "unsettled"

// PurchaseKind is what a document is that comes from a payee.
type PurchaseKind string

// The kinds. A recurring bill is the draft that its bills are copied from.
const (
	Bill        PurchaseKind = "bill"
	PayeeCredit PurchaseKind = "payee_credit"
	Recurring   PurchaseKind = "recurring"
)

var purchaseKinds = map[PurchaseKind]kind{
	Bill: {
		stored: "bill", said: "Bill", source: ledger.SourceBill, bought: true,
		partyField: "payee_id", partyUnknown: ErrPayeeUnknown, partyGone: ErrPayeeArchived,
		notFound: ErrBillNotFound, changed: ErrBillChanged, notDraft: ErrBillNotDraft, noLines: ErrBillNoLines, external: ErrBillExternal, dueBefore: ErrBillDue,
	},
	PayeeCredit: {
		stored: "payee_credit", said: "Payee credit", source: ledger.SourcePayeeCredit, bought: true, back: true,
		partyField: "payee_id", partyUnknown: ErrPayeeUnknown, partyGone: ErrPayeeArchived,
		notFound: ErrPayeeCreditNone, changed: ErrPayeeCreditNew, notDraft: ErrPayeeCreditDone, noLines: ErrPayeeCreditEmpty, external: ErrPayeeCreditTaken, dueBefore: ErrBillDue,
	},
	Recurring: {
		stored: "recurring", said: "Recurring bill", bought: true,
		partyField: "payee_id", partyUnknown: ErrPayeeUnknown, partyGone: ErrPayeeArchived,
		notFound: ErrRecurringNone, changed: ErrRecurringChanged, notDraft: ErrRecurringEnter, noLines: ErrRecurringEnter, external: ErrRecurringTaken, dueBefore: ErrBillDue,
	},
}

// PurchaseHead is such a document without its lines, as lists show it. Its Customer is the payee, and its Reference the
// payee's own number.
type PurchaseHead struct {
	ID DocumentID
	DocumentHead
	Repeat Repeat
}

// Repeat is how a recurring bill repeats: every so many units from its issue date on.
type Repeat struct {
	Unit    string // "day", "week", "month", "year"; none for what does not repeat
	Every   int
	On      civil.Date // of the next; zero when there is no more
	Until   civil.Date // the last day that may have one; zero for none
	Enters  bool       // each is entered at once; else it is a draft
	Problem string     // the code of why the next was not made; empty for none
}

// Open is what is still owed; nothing on a draft, nor on what was voided.
func (h PurchaseHead) Open() money.Amount {
	if h.State != Issued {
		return money.Amount{Currency: h.Currency}
	}
	return h.open()
}

// Standing is how it stands on a day: draft, open, overdue, paid or void.
func (h PurchaseHead) Standing(today civil.Date) Standing {
	switch {
	case h.State == Draft:
		return StandingDraft
	case h.State == Void:
		return StandingVoid
	case h.open().IsZero():
		return StandingPaid
	case h.DueDate.Before(today):
		return StandingOverdue
	}
	return StandingOpen
}

// Purchase is such a document, with all that was stored when it was last written.
type Purchase struct {
	PurchaseHead
	DocumentBody
	Payments []InvoicePayment
	Credits  []CreditApplied // of a bill what settles it; of a credit what it settles
}

// PurchaseFilter narrows a list. Search looks at number, external id, the payee's number, name and company; From and To bound
// the date, both included.
type PurchaseFilter struct {
	Standing Standing
	Payee    PayeeID
	Search   string
	From, To civil.Date
}

// PurchaseSum is what is owed on bills in one currency.
type PurchaseSum struct {
	Open    money.Amount // all that is entered and not paid
	Overdue money.Amount // of it what is past its due date
}

// DraftPurchase keeps a new draft; CustomerID of the input is the payee. It fails with all that is wrong with the
// input, with ErrPayeeArchived and with the kind's error for an external id that is taken.
func DraftPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, in DocumentInput) (DocumentID, error) {
	made, err := draftDocument(ctx, tx, purchaseKinds[k], in)
	return DocumentID{UUID: made}, err
}

// RevisePurchase writes all of a draft anew. version is the one that the change was made on; 0 is any. It fails as
// DraftPurchase does, and where it is not there, no draft, or changed meanwhile.
func RevisePurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID, version int, in DocumentInput) error {
	return reviseDocument(ctx, tx, purchaseKinds[k], document.UUID, version, in)
}

// DiscardPurchase deletes a draft.
func DiscardPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID, version int) error {
	return discardDocument(ctx, tx, purchaseKinds[k], document.UUID, version)
}

// EnterPurchase gives a draft its number and posts it: costs, and taxes that come back, against what payees are owed. A date
// in a closed period is posted on the first open day. The caller has locked the payee.
func EnterPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID, version int) error {
	if k == Recurring {
		return ErrRecurringEnter
	}
	return issueDraft(ctx, tx, purchaseKinds[k], document.UUID, version)
}

// VoidPurchase undoes what was entered and of which nothing is settled: its number stays, its entry is reversed. It fails
// as VoidInvoice does.
func VoidPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID, version int) error {
	locked, err := lockVoidable(ctx, tx, purchaseKinds[k], document.UUID, version)
	if err != nil {
		return err
	}
	return void(ctx, tx, purchaseKinds[k], locked)
}

// PurchaseByID gives one document with all its parts.
func PurchaseByID(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID) (Purchase, error) {
	return selectPurchase(ctx, tx, k, document)
}

// Purchases lists documents of a kind, the last made first. It fails with ErrPurchaseStanding and what cursor refuses.
func Purchases(ctx context.Context, tx *tenant.Tx, k PurchaseKind, filter PurchaseFilter, q cursor.Query) (cursor.Page[PurchaseHead], error) {
	q, err := q.Check()
	if err != nil {
		return cursor.Page[PurchaseHead]{}, err
	}
	switch filter.Standing {
	case "", StandingDraft, StandingOpen, StandingOverdue, StandingPaid, StandingVoid, StandingUnsettled:
	default:
		return cursor.Page[PurchaseHead]{}, ErrPurchaseStanding
	}
	if filter.Search, err = text.Line("search", filter.Search, nameLength); err != nil {
		return cursor.Page[PurchaseHead]{}, err
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return cursor.Page[PurchaseHead]{}, err
	}
	rows, err := selectPurchases(ctx, tx, k, filter, today, q)
	if err != nil {
		return cursor.Page[PurchaseHead]{}, err
	}
	return cursor.Cut(q, rows), nil
}

// CountPurchases says how many of a kind stand how today, and what is open by currency.
func CountPurchases(ctx context.Context, tx *tenant.Tx, k PurchaseKind) (map[Standing]int, []PurchaseSum, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	return countPurchases(ctx, tx, k, PayeeID{}, today)
}

// OwedTo says what is open on a payee's bills, by currency.
func OwedTo(ctx context.Context, tx *tenant.Tx, payee PayeeID) ([]PurchaseSum, error) {
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	_, sums, err := countPurchases(ctx, tx, Bill, payee, today)
	return sums, err
}

// OpenPurchases gives what of a kind is entered and not settled, of one payee or (zero) of all and in one currency or (zero)
// in all, what is due first first; 200 at most.
func OpenPurchases(ctx context.Context, tx *tenant.Tx, k PurchaseKind, payee PayeeID, currency money.Currency) ([]PurchaseHead, error) {
	return selectOpenPurchases(ctx, tx, k, payee, currency)
}

// MadeOf gives the bills that were made of a recurring one, the last first.
func MadeOf(ctx context.Context, tx *tenant.Tx, recurring DocumentID, limit int) ([]PurchaseHead, error) {
	return selectMadeOf(ctx, tx, recurring, limit)
}

// AttachToPurchase attaches a file, a receipt for one, to a draft or to what was entered. It fails as its kind is not found
// and with what file.Keep refuses.
func AttachToPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID, in FileInput) (file.File, error) {
	if _, err := lockDocument(ctx, tx, purchaseKinds[k], document.UUID); err != nil {
		return file.File{}, err
	}
	return file.Keep(ctx, tx, file.Input{Kind: file.Attachment, Subject: document.UUID, Name: in.Name, Bytes: in.Bytes})
}

// PurchaseFile gives a file that is attached to this document; file.ErrNotFound, or as its kind is not found.
func PurchaseFile(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID, wanted file.ID) (file.File, error) {
	return attachedTo(ctx, tx, purchaseKinds[k], document.UUID, wanted)
}

// LockedPurchase is what must be known to settle a document that nobody else changes before the transaction ends.
type LockedPurchase struct {
	ID        DocumentID
	Number    string
	State     string
	Payee     PayeeID
	IssueDate civil.Date
	Currency  money.Currency
	Open      money.Amount // of its total what is not settled
	Version   int
}

// LockPurchase locks a document. Whoever locks several does so after their payee and in the order of their ids.
func LockPurchase(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID) (LockedPurchase, error) {
	l, err := lockDocument(ctx, tx, purchaseKinds[k], document.UUID)
	return LockedPurchase{ID: document, Number: l.Number, State: l.State, Payee: l.Customer, IssueDate: l.IssueDate, Currency: l.Currency,
		Open: l.open(), Version: l.Version}, err
}

// LockPayeeOf locks the payee of a document, so that one transaction at a time moves what they are owed.
func LockPayeeOf(ctx context.Context, tx *tenant.Tx, k PurchaseKind, document DocumentID) (PayeeID, error) {
	return lockCustomerOf(ctx, tx, purchaseKinds[k], document.UUID)
}

// LockPayee locks a payee; ErrPayeeNotFound.
func LockPayee(ctx context.Context, tx *tenant.Tx, payee PayeeID) (Payee, error) {
	return lockPayee(ctx, tx, payee)
}

// SettlePurchase moves what is settled of a document that the caller has locked.
func SettlePurchase(ctx context.Context, tx *tenant.Tx, document DocumentID, minor int64) error {
	return updateSettled(ctx, tx, document.UUID, minor)
}

// ApplyPayeeCredit lets a payee's credit settle a bill of theirs: by an amount, or (zero) by as much as there is and is
// open. Nothing but a gain on a foreign currency is posted: both stand on the same account. It fails with ErrPayeeCreditNone, ErrBillNotFound,
// ErrNotIssued, ErrVoidDocument, ErrCreditCustomer, ErrCreditCurrency, ErrCreditUsed, ErrAlreadyPaid and ErrCreditAmount.
func ApplyPayeeCredit(ctx context.Context, tx *tenant.Tx, credit, bill DocumentID, amount money.Amount) error {
	return ApplyPayeeCreditOn(ctx, tx, credit, bill, amount, civil.Date{})
}

// ApplyPayeeCreditOn is ApplyPayeeCredit on a day; zero is today. It is no earlier than the two.
func ApplyPayeeCreditOn(ctx context.Context, tx *tenant.Tx, credit, bill DocumentID, amount money.Amount, on civil.Date) error {
	from, to, err := lockCreditAndBill(ctx, tx, credit, bill)
	if err != nil {
		return err
	}
	minor, err := takes(from, to, amount)
	if err != nil {
		return err
	}
	if on, err = orToday(ctx, tx, on); err != nil {
		return err
	}
	on = laterOf(laterOf(on, from.IssueDate), to.IssueDate)
	if err := insertCreditAllocation(ctx, tx, CreditNoteID(credit), InvoiceID(bill), minor, on); err != nil {
		return err
	}
	for _, document := range []uuid.UUID{credit.UUID, bill.UUID} {
		if err := updateSettled(ctx, tx, document, minor); err != nil {
			return err
		}
	}
	if err := currency.Realise(ctx, tx, currency.Settlement{CreditNote: credit.UUID, Document: bill.UUID, Amount: minor, Date: on}); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "payee_credit.apply", Object: "payee_credit", ID: credit.UUID, Detail: to.Number})
}

// UnapplyPayeeCredit takes back what of a payee's credit settles a bill. It fails with ErrPayeeCreditNone,
// ErrBillNotFound and ErrNotApplied.
func UnapplyPayeeCredit(ctx context.Context, tx *tenant.Tx, credit, bill DocumentID) error {
	_, to, err := lockCreditAndBill(ctx, tx, credit, bill)
	if err != nil {
		return err
	}
	minor, told, err := deleteCreditAllocation(ctx, tx, CreditNoteID(credit), InvoiceID(bill))
	if err != nil {
		return err
	}
	for _, document := range []uuid.UUID{credit.UUID, bill.UUID} {
		if err := updateSettled(ctx, tx, document, -minor); err != nil {
			return err
		}
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return err
	}
	err = currency.Realise(ctx, tx, currency.Settlement{CreditNote: credit.UUID, Document: bill.UUID, Amount: -told, Date: laterOf(today, to.IssueDate)})
	if err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "payee_credit.unapply", Object: "payee_credit", ID: credit.UUID, Detail: to.Number})
}

// lockCreditAndBill needs no order of the two: whoever moves them holds their payee.
func lockCreditAndBill(ctx context.Context, tx *tenant.Tx, credit, bill DocumentID) (from, to lockedDocument, err error) {
	if from, err = lockWithCustomer(ctx, tx, purchaseKinds[PayeeCredit], credit.UUID); err != nil {
		return from, to, err
	}
	to, err = lockDocument(ctx, tx, purchaseKinds[Bill], bill.UUID)
	return from, to, err
}
