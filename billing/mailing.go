package billing

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about mail to customers.
var (
	ErrMailTo       = fault.New(fault.Invalid, "mail.to", "Give one email address, such as name@example.com.").At("to")
	ErrMailDraft    = fault.New(fault.Conflict, "mail.draft", "A draft is not sent. Issue it first.")
	ErrMailQuote    = fault.New(fault.Conflict, "mail.quote_closed", "This quote was answered, or does not stand any more. Write a new one to send it.")
	ErrMailTooLarge = fault.New(fault.Conflict, "mail.too_large", "The files that go along have more than 15 MB together, which mail servers refuse. Send fewer along.")
	ErrMailTooMany  = fault.New(fault.TooMany, "mail.too_many", "1,000 mails went to customers within a day. Wait until tomorrow, or ask the operator.")
	ErrMailNotFound = fault.New(fault.NotFound, "mail.not_found", "There is no such mail.")
	ErrPeriod       = fault.New(fault.Invalid, "statement.period", "A statement goes from one day to the same or a later one.").At("to")
)

const (
	// MailJob is the kind of job that delivers a mailing.
	MailJob = "billing.mail"

	mailTries    = 5
	mailsADay    = 1000
	mailBytes    = 15 << 20
	messageLimit = 2000
	// reminderLate is for how many days a reminder is still sent that nobody sent on its day.
	reminderLate = 3
)

// MailingID names a mailing.
type MailingID = id.Of[Mailing]

// MailingKind is what is mailed.
type MailingKind string

// The kinds.
const (
	MailDocument  MailingKind = "document"
	MailReminder  MailingKind = "reminder"
	MailStatement MailingKind = "statement"
)

// MailingState is how far a mailing has come.
type MailingState string

// The states. A sent one was taken over by the mail server; whether it was read nobody can know.
const (
	MailQueued MailingState = "queued"
	MailSent   MailingState = "sent"
	MailFailed MailingState = "failed"
)

// Mailing is a mail to a customer.
type Mailing struct {
	ID        MailingID    `db:"id"`
	Kind      MailingKind  `db:"kind"`
	State     MailingState `db:"state"`
	Customer  CustomerID   `db:"customer_id"`
	Document  InvoiceID    `db:"document_id"` // an invoice, a quote or a credit note; zero for a statement
	StepDays  int          `db:"step_days"`   // of a reminder: days after the due date
	From      civil.Date   `db:"from_date"`   // of a statement
	To        civil.Date   `db:"to_date"`
	Email     string       `db:"to_email"`
	Message   string       `db:"message"` // the sender's own words
	Tries     int          `db:"tries"`
	Problem   string       `db:"problem"` // why the last try failed: a code
	CreatedAt time.Time    `db:"created_at"`
	SentAt    *time.Time   `db:"sent_at"`

	say []func(letterWords) string // what a reminder of collecting has to say beside
}

// MailInput says where a mail goes. Without an address it goes to the customer's, without a message it has our words.
type MailInput struct {
	To      string
	Message string
}

func (in MailInput) check(customer Customer) (MailInput, error) {
	var f fields
	in.To = f.text(text.Line, "to", in.To, 254)
	in.Message = f.text(text.Block, "message", in.Message, messageLimit)
	if in.To == "" {
		in.To = customer.Email
	}
	if address, err := mail.ParseAddress(in.To); err != nil || address.Address != in.To || address.Name != "" {
		f.add("to", ErrMailTo)
	}
	return in, f.err()
}

// MailInvoice queues an issued invoice to be mailed, as PDF and with a link to see and pay it. It is sent once the
// transaction commits. It fails with what is wrong with the input, ErrInvoiceNotFound, ErrMailDraft, ErrMailTooLarge and
// ErrMailTooMany.
func MailInvoice(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, in MailInput) (Mailing, error) {
	locked, err := lockInvoice(ctx, tx, invoice)
	if err != nil {
		return Mailing{}, err
	}
	if locked.State == Draft {
		return Mailing{}, ErrMailDraft
	}
	files, err := file.Of(ctx, tx, invoice.UUID)
	if err != nil {
		return Mailing{}, err
	}
	var bytes int64
	for _, f := range files {
		if f.Mailed {
			bytes += f.Size
		}
	}
	if bytes > mailBytes {
		return Mailing{}, ErrMailTooLarge
	}
	return queueMailing(ctx, tx, Mailing{Kind: MailDocument, Customer: locked.Customer, Document: invoice}, in)
}

// MailQuote queues a quote that stands to be mailed, as PDF and with a link to accept it. It fails with what is wrong with
// the input, ErrQuoteNotFound, ErrMailDraft, ErrMailQuote and ErrMailTooMany.
func MailQuote(ctx context.Context, tx *tenant.Tx, quote QuoteID, in MailInput) (Mailing, error) {
	q, err := selectQuote(ctx, tx, quote)
	if err != nil {
		return Mailing{}, err
	}
	switch {
	case q.State == Draft:
		return Mailing{}, ErrMailDraft
	case q.Standing(q.Today) != StandingSent:
		return Mailing{}, ErrMailQuote
	}
	return queueMailing(ctx, tx, Mailing{Kind: MailDocument, Customer: q.Customer.ID, Document: InvoiceID(quote)}, in)
}

// MailCreditNote queues an issued credit note to be mailed as PDF. It fails with what is wrong with the input,
// ErrCreditNoteNotFound, ErrMailDraft and ErrMailTooMany.
func MailCreditNote(ctx context.Context, tx *tenant.Tx, note CreditNoteID, in MailInput) (Mailing, error) {
	n, err := selectCreditNote(ctx, tx, note)
	if err != nil {
		return Mailing{}, err
	}
	if n.State == Draft {
		return Mailing{}, ErrMailDraft
	}
	return queueMailing(ctx, tx, Mailing{Kind: MailDocument, Customer: n.Customer.ID, Document: InvoiceID(note)}, in)
}

// MailStatementOf queues a statement of a customer's account to be mailed. It fails with what is wrong with the input,
// ErrCustomerNotFound, ErrPeriod and ErrMailTooMany.
func MailStatementOf(ctx context.Context, tx *tenant.Tx, customer CustomerID, from, to civil.Date, in MailInput) (Mailing, error) {
	if to.IsZero() || from.After(to) {
		return Mailing{}, ErrPeriod
	}
	return queueMailing(ctx, tx, Mailing{Kind: MailStatement, Customer: customer, From: from, To: to}, in)
}

func queueMailing(ctx context.Context, tx *tenant.Tx, m Mailing, in MailInput) (Mailing, error) {
	customer, err := CustomerByID(ctx, tx, m.Customer)
	if err != nil {
		return m, err
	}
	if in, err = in.check(customer); err != nil {
		return m, err
	}
	count, err := countMailings(ctx, tx, tx.Now().Add(-24*time.Hour))
	if err != nil {
		return m, err
	}
	if count >= mailsADay {
		return m, ErrMailTooMany
	}
	m.ID, m.State, m.Email, m.Message, m.CreatedAt = id.New[Mailing](), MailQueued, in.To, in.Message, tx.Now()
	if err := insertMailing(ctx, tx, m); err != nil {
		return m, err
	}
	if err := enqueueMailing(ctx, tx, m.ID); err != nil {
		return m, err
	}
	return m, tx.Record(ctx, tenant.Act{Action: "mail." + string(m.Kind), Object: "mailing", ID: m.ID.UUID,
		Changes: []tenant.Change{{Field: "to", After: m.Email, Personal: true}}})
}

// mailArgs are the arguments of MailJob.
type mailArgs struct {
	Mailing MailingID `json:"mailing"`
}

func enqueueMailing(ctx context.Context, tx *tenant.Tx, m MailingID) error {
	return jobs.Enqueue(ctx, tx, jobs.Job{Kind: MailJob, Args: mailArgs{m}, Key: m.String()})
}

// RetryMailing sends a mail that failed once more. It fails with ErrMailNotFound; one that did not fail is left as it is.
func RetryMailing(ctx context.Context, tx *tenant.Tx, mailing MailingID) (Mailing, error) {
	m, err := selectMailing(ctx, tx, mailing)
	if err != nil || m.State != MailFailed {
		return m, err
	}
	if err := updateMailingQueued(ctx, tx, mailing); err != nil {
		return m, err
	}
	if err := enqueueMailing(ctx, tx, mailing); err != nil {
		return m, err
	}
	m.State = MailQueued
	return m, tx.Record(ctx, tenant.Act{Action: "mail.retry", Object: "mailing", ID: mailing.UUID})
}

// MailingByID gives one mailing; ErrMailNotFound.
func MailingByID(ctx context.Context, tx *tenant.Tx, mailing MailingID) (Mailing, error) {
	return selectMailing(ctx, tx, mailing)
}

// Mailings lists what was mailed of a document of whatever kind, the newest first.
func Mailings(ctx context.Context, tx *tenant.Tx, document InvoiceID) ([]Mailing, error) {
	return selectMailings(ctx, tx, document)
}

// QueueReminders queues the reminders that are due today: for each open invoice whose collection by itself does not speak
// for it already, that of the latest step which has come within the last days. A step is queued once, whatever runs
// twice. It says how many.
func QueueReminders(ctx context.Context, tx *tenant.Tx, limit int) (int, error) {
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return 0, err
	}
	branding, err := selectBranding(ctx, tx)
	if err != nil {
		return 0, err
	}
	if len(branding.Reminders) == 0 {
		return 0, nil
	}
	due, err := selectRemindable(ctx, tx, branding.Reminders, settings.Today(tx), reminderLate, settings.CollectAutomatically, limit)
	if err != nil {
		return 0, err
	}
	queued := 0
	for _, r := range due {
		if _, err := (MailInput{}).check(Customer{Email: r.Email}); err != nil {
			continue // an address that a customer's page lets stand, and mail does not
		}
		m := Mailing{ID: id.New[Mailing](), Kind: MailReminder, State: MailQueued, Customer: r.Customer, Document: r.Document,
			StepDays: r.Step, Email: r.Email, CreatedAt: tx.Now()}
		fresh, err := insertReminder(ctx, tx, m)
		if err != nil {
			return queued, err
		}
		if !fresh {
			continue
		}
		if err := enqueueMailing(ctx, tx, m.ID); err != nil {
			return queued, err
		}
		queued++
		if err := tx.Record(ctx, tenant.Act{Action: "mail.reminder", Object: "mailing", ID: m.ID.UUID, Detail: fmt.Sprintf("step %d", r.Step)}); err != nil {
			return queued, err
		}
	}
	return queued, nil
}

// BeginMailing takes a mailing up: all that its letter is made of. ok is false when it was sent or has failed meanwhile,
// or when there is nothing left to remind of; then it is not sent.
func BeginMailing(ctx context.Context, tx *tenant.Tx, mailing MailingID) (l Letter, ok bool, err error) {
	m, err := lockMailing(ctx, tx, mailing)
	if errors.Is(err, ErrMailNotFound) || err == nil && m.State != MailQueued {
		return l, false, nil
	} else if err != nil {
		return l, false, err
	}
	if err := countMailingTry(ctx, tx, mailing); err != nil {
		return l, false, err
	}
	if m.Kind == MailStatement {
		l, err = statementLetter(ctx, tx, m)
		return l, err == nil, err
	}
	stored, err := selectDocumentKind(ctx, tx, m.Document.UUID)
	switch {
	case err != nil:
		return l, false, err
	case stored == quoteKind.stored:
		l, ok, err = quoteLetter(ctx, tx, m)
		return l, ok, err
	case stored == creditNoteKind.stored:
		l, err = creditLetter(ctx, tx, m)
		return l, err == nil, err
	}
	invoice, err := InvoiceByID(ctx, tx, m.Document)
	if err != nil {
		return l, false, err
	}
	if m.Kind == MailReminder && invoice.Open().IsZero() {
		return l, false, updateMailingFailed(ctx, tx, mailing, "mail.settled")
	}
	l, err = invoiceLetter(ctx, tx, m, invoice)
	return l, err == nil, err
}

// EndMailing keeps that a mail was taken over.
func EndMailing(ctx context.Context, tx *tenant.Tx, mailing MailingID) error {
	return updateMailingSent(ctx, tx, mailing)
}

// FailMailing keeps that a try failed, and why: a code. It says whether it is worth another: not when it is final, and
// not after five.
func FailMailing(ctx context.Context, tx *tenant.Tx, mailing MailingID, code string, final bool) (again bool, err error) {
	m, err := lockMailing(ctx, tx, mailing)
	if err != nil || m.State != MailQueued {
		return false, err
	}
	if final || m.Tries >= mailTries {
		return false, updateMailingFailed(ctx, tx, mailing, code)
	}
	return true, updateMailingProblem(ctx, tx, mailing, code)
}
