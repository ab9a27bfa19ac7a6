package dispatch_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/dispatch"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

var eur = money.MustCurrency("EUR")

// house is an organization that reminds, and what its mail server got.
type house struct {
	t   *testing.T
	org tenanttest.Organization
	do  dispatch.Do
	d   dispatch.Dispatch

	mu   sync.Mutex
	sent []dispatch.Mail
	fail error
}

func open(t *testing.T, reminders string) *house {
	t.Helper()
	h := &house{t: t}
	h.org = tenanttest.Found(t, tenanttest.DB(), func(ctx context.Context, tx *tenant.Tx) error {
		return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Tidewater Studios", Currency: eur, Country: "IE", TimeZone: "Europe/Dublin"})
	})
	h.do = dispatch.In(tenanttest.DB(), h.org.Scope)
	h.d = dispatch.Dispatch{Offer: func(secret string) string { return "https://books.example/quote/" + secret }, Link: func(secret string) string { return "https://books.example/pay/" + secret }, Send: func(_ context.Context, m dispatch.Mail) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.fail != nil {
			return h.fail
		}
		h.sent = append(h.sent, m)
		return nil
	}}
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.ChangeBranding(ctx, tx, 0, billing.BrandingInput{Reminders: reminders, ReplyTo: "books@tidewater.example"})
		return err
	})
	return h
}

func (h *house) run(fn func(ctx context.Context, tx *tenant.Tx) error) {
	h.t.Helper()
	if err := h.do(context.Background(), func(tx *tenant.Tx) error { return fn(context.Background(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// invoice issues one over 100 EUR that falls due so many days from today; it was issued 60 days ago.
func (h *house) invoice(email string, dueIn int) (invoice billing.Invoice) {
	h.t.Helper()
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		today, err := billing.Today(ctx, tx)
		if err != nil {
			return err
		}
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Ann", Email: email})
		if err != nil {
			return err
		}
		draft, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, IssueDate: today.AddDays(-60), DueDate: today.AddDays(dueIn),
			Lines: []billing.InvoiceLineInput{{Description: "Mixing", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(100)}}})
		if err != nil {
			return err
		}
		invoice, err = billing.IssueInvoice(ctx, tx, draft.ID, draft.Version)
		return err
	})
	return invoice
}

func (h *house) mailings(invoice billing.Invoice) (all []billing.Mailing) {
	h.t.Helper()
	h.run(func(ctx context.Context, tx *tenant.Tx) (err error) {
		all, err = billing.Mailings(ctx, tx, invoice.ID)
		return err
	})
	return all
}

func (h *house) remind() {
	h.t.Helper()
	if err := h.d.Remind(context.Background(), h.do); err != nil {
		h.t.Fatal(err)
	}
}

func TestRemindsOnceForEachStep(t *testing.T) {
	t.Parallel()
	h := open(t, "-3, 1, 7")
	for name, c := range map[string]struct {
		dueIn int
		step  int
		want  bool
	}{
		"long before":           {10, 0, false},
		"the first step's day":  {3, -3, true},
		"a day after it":        {2, -3, true},
		"the due day":           {0, -3, true}, // three days late is still sent
		"the second step's day": {-1, 1, true},
		"missed by three days":  {-4, 1, true},
		"missed by four days":   {-5, 0, false},
		"the last step's day":   {-7, 7, true},
		"long after":            {-40, 0, false},
	} {
		invoice := h.invoice("ann@example.com", c.dueIn)
		h.remind()
		h.remind()
		all := h.mailings(invoice)
		if c.want && (len(all) != 1 || all[0].Kind != billing.MailReminder || all[0].StepDays != c.step) || !c.want && len(all) != 0 {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

func TestRemindsNobodyInVain(t *testing.T) {
	t.Parallel()
	h := open(t, "1")
	without := h.invoice("", -1)
	paid := h.invoice("paid@example.com", -1)
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: paid.ID, Amount: paid.Total, Method: billing.Cash})
		return err
	})
	stopped := h.invoice("stopped@example.com", -1)
	h.run(func(ctx context.Context, tx *tenant.Tx) error { return billing.StopCollection(ctx, tx, stopped.ID) })
	open := h.invoice("open@example.com", -1)
	var both sync.WaitGroup
	for range 4 { // workers on several machines
		both.Go(func() {
			if err := h.d.Remind(context.Background(), h.do); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for name, invoice := range map[string]billing.Invoice{"no address": without, "paid": paid, "stopped by hand": stopped} {
		if all := h.mailings(invoice); len(all) != 0 {
			t.Errorf("%s: %+v", name, all)
		}
	}
	all := h.mailings(open)
	if len(all) != 1 {
		t.Fatalf("the open one: %+v", all)
	}
	// It is paid before the mail goes out.
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: open.ID, Amount: open.Total, Method: billing.Cash})
		return err
	})
	if err := h.d.Deliver(context.Background(), h.do, all[0].ID); err != nil || len(h.sent) != 0 {
		t.Errorf("a reminder of what was paid meanwhile: %v, %d sent", err, len(h.sent))
	}
	if all := h.mailings(open); all[0].State != billing.MailFailed || all[0].Problem != "mail.settled" {
		t.Errorf("it is %+v", all[0])
	}
}

func TestReminderSaysWhatIsOpen(t *testing.T) {
	t.Parallel()
	h := open(t, "1")
	invoice := h.invoice("ann@example.com", -1)
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: invoice.ID, Amount: money.Amount{Minor: 2500, Currency: eur}, Method: billing.Cash})
		return err
	})
	h.remind()
	if err := h.d.Deliver(context.Background(), h.do, h.mailings(invoice)[0].ID); err != nil || len(h.sent) != 1 {
		t.Fatalf("%v, %d sent", err, len(h.sent))
	}
	m := h.sent[0]
	if m.To != "ann@example.com" || m.ReplyTo != "books@tidewater.example" || m.From != "Tidewater Studios" || !strings.Contains(m.Subject, invoice.Number) ||
		!strings.Contains(m.Text, "75.00\u00a0EUR") || !strings.Contains(m.Text, "https://books.example/pay/") || len(m.Attached) != 1 || m.Attached[0].Name != invoice.Number+".pdf" {
		t.Errorf("the mail is %+v", m)
	}
}

func TestDeliverTriesAgain(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	ctx := context.Background()
	invoice := h.invoice("ann@example.com", 10)
	var m billing.Mailing
	h.run(func(ctx context.Context, tx *tenant.Tx) (err error) {
		m, err = billing.MailInvoice(ctx, tx, invoice.ID, billing.MailInput{})
		return err
	})
	state := func() billing.Mailing { return h.mailings(invoice)[0] }
	h.fail = errors.New("ann@example.com: connection refused")
	for try := 1; try < 5; try++ {
		if err := h.d.Deliver(ctx, h.do, m.ID); err == nil {
			t.Fatalf("try %d: no error, so the job would not run again", try)
		}
		if is := state(); is.State != billing.MailQueued || is.Tries != try || is.Problem != "mail.unreachable" {
			t.Errorf("after try %d it is %+v", try, is)
		}
	}
	if err := h.d.Deliver(ctx, h.do, m.ID); err != nil {
		t.Fatal(err)
	}
	if is := state(); is.State != billing.MailFailed || is.Problem != "mail.unreachable" {
		t.Errorf("after the last try it is %+v", is)
	}
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RetryMailing(ctx, tx, m.ID)
		return err
	})
	h.fail = dispatch.ErrRefused
	if err := h.d.Deliver(ctx, h.do, m.ID); err != nil {
		t.Fatal(err)
	}
	if is := state(); is.State != billing.MailFailed || is.Problem != "mail.refused" {
		t.Errorf("what was refused for good is %+v", is)
	}
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := billing.RetryMailing(ctx, tx, m.ID)
		return err
	})
	h.fail = nil
	if err := h.d.Deliver(ctx, h.do, m.ID); err != nil {
		t.Fatal(err)
	}
	if is := state(); is.State != billing.MailSent || is.SentAt == nil || len(h.sent) != 1 {
		t.Errorf("at last it is %+v, %d sent", is, len(h.sent))
	}
}

func TestStatementByMail(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	invoice := h.invoice("ann@example.com", 10)
	var m billing.Mailing
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		today, err := billing.Today(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := billing.MailStatementOf(ctx, tx, invoice.Customer.ID, today, today.AddDays(-1), billing.MailInput{}); !errors.Is(err, billing.ErrPeriod) {
			t.Errorf("a period that ends before it begins: %v", err)
		}
		m, err = billing.MailStatementOf(ctx, tx, invoice.Customer.ID, civil.Date{}, today, billing.MailInput{})
		return err
	})
	if err := h.d.Deliver(context.Background(), h.do, m.ID); err != nil || len(h.sent) != 1 || h.sent[0].Attached[0].Name != "statement.pdf" {
		t.Errorf("%v, %+v", err, h.sent)
	}
}

// A quote goes out with a link to accept it that opens that quote, a credit note with none; both in the customer's language,
// and a quote that was answered before its mail went out is not sent.
func TestQuotesAndCreditNotesByMail(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	var quote, answered billing.Quote
	var note billing.CreditNote
	var mails []billing.Mailing
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Zoé", Email: "zoe@example.com", Language: "fr"})
		if err != nil {
			return err
		}
		in := billing.DocumentInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{{Description: "Mixing", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(1250)}}}
		for _, q := range []*billing.Quote{&quote, &answered} {
			if *q, err = billing.DraftQuote(ctx, tx, in); err != nil {
				return err
			}
			if _, err := billing.MailQuote(ctx, tx, q.ID, billing.MailInput{}); !errors.Is(err, billing.ErrMailDraft) {
				t.Errorf("a draft is mailed: %v", err)
			}
			if *q, err = billing.IssueQuote(ctx, tx, q.ID, 0); err != nil {
				return err
			}
			m, err := billing.MailQuote(ctx, tx, q.ID, billing.MailInput{})
			if err != nil {
				return err
			}
			mails = append(mails, m)
		}
		if note, err = billing.DraftCreditNote(ctx, tx, in); err != nil {
			return err
		}
		if note, err = billing.IssueCreditNote(ctx, tx, note.ID, 0); err != nil {
			return err
		}
		m, err := billing.MailCreditNote(ctx, tx, note.ID, billing.MailInput{})
		if err != nil {
			return err
		}
		mails = append(mails, m)
		if _, err = billing.DeclineQuote(ctx, tx, answered.ID, 0); err != nil {
			return err
		}
		if _, err := billing.MailQuote(ctx, tx, answered.ID, billing.MailInput{}); !errors.Is(err, billing.ErrMailQuote) {
			t.Errorf("a quote that was declined is mailed: %v", err)
		}
		return nil
	})
	for _, m := range mails {
		if err := h.d.Deliver(t.Context(), h.do, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.sent) != 2 {
		t.Fatalf("%d mails were sent, want the quote and the credit note: %+v", len(h.sent), h.sent)
	}
	offer, credit := h.sent[0], h.sent[1]
	if offer.Subject != "Devis QUO-0001 de Tidewater Studios" || !strings.Contains(offer.Text, "https://books.example/quote/") || strings.Contains(offer.Text, "/pay/") {
		t.Errorf("the quote's mail is %q: %s", offer.Subject, offer.Text)
	}
	if credit.Subject != "Note de crédit CN-0001 de Tidewater Studios" || strings.Contains(credit.Text, "https://") || credit.To != "zoe@example.com" {
		t.Errorf("the credit note's mail is %q: %s", credit.Subject, credit.Text)
	}
	for _, m := range h.sent {
		if len(m.Attached) != 1 || m.Attached[0].MediaType != "application/pdf" || !strings.HasPrefix(string(m.Attached[0].Bytes), "%PDF-") {
			t.Errorf("%q goes with %d files", m.Subject, len(m.Attached))
		}
	}
	at := strings.Index(offer.Text, "/quote/") + len("/quote/")
	secret, _, _ := strings.Cut(offer.Text[at:], "\n")
	hash, ok := tenant.HashDoor(secret)
	if !ok {
		t.Fatalf("%q is no secret", secret)
	}
	scope, err := tenant.EnterLink(t.Context(), tenanttest.DB(), hash)
	if err != nil || scope.Subject() != quote.ID.UUID {
		t.Errorf("the link opens %v, %v", scope.Subject(), err)
	}
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		all, err := billing.Mailings(ctx, tx, billing.InvoiceID(answered.ID))
		if err == nil && (len(all) != 1 || all[0].State != billing.MailFailed || all[0].Problem != "mail.answered") {
			t.Errorf("the answered quote's mail is %+v", all)
		}
		return err
	})
}

// Collecting by itself reminds by the same letters: in the customer's language, with the invoice as PDF.
func TestCollectingRemindsByLetter(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	invoice := h.invoice("ann@example.com", -2)
	h.run(func(ctx context.Context, tx *tenant.Tx) error {
		s, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		_, err = billing.ChangeSettings(ctx, tx, 0, billing.SettingsInput{Name: s.Name, TimeZone: s.TimeZone, Country: s.Country,
			InvoicePrefix: s.InvoicePrefix, TaxRounding: s.TaxRounding, CollectAutomatically: true})
		return err
	})
	var try billing.Try
	h.run(func(ctx context.Context, tx *tenant.Tx) (err error) {
		try, _, err = billing.TakeTry(ctx, tx, invoice.ID)
		return err
	})
	try.Reminder.Declined = true
	if err := h.d.Collect(t.Context(), *try.Reminder); err != nil {
		t.Fatal(err)
	}
	m := h.sent[0]
	if m.To != "ann@example.com" || m.ReplyTo != "books@tidewater.example" || m.Subject != "Reminder: invoice INV-0001 from Tidewater Studios" || len(m.Attached) != 1 {
		t.Errorf("sent %+v", m)
	}
	for _, want := range []string{"was due on", "We charged the card that you left us, and it was declined.", "https://books.example/pay/", "100.00"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the letter lacks %q: %s", want, m.Text)
		}
	}
	if strings.Contains(m.Text, "our last reminder") {
		t.Errorf("the first reminder says that it is the last: %s", m.Text)
	}
}
