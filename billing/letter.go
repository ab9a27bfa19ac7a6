package billing

import (
	"context"
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

// Letter is all that a mail to a customer is made of. Whoever sends it draws the paper and writes the text, outside the
// transaction.
type Letter struct {
	Mailing MailingID
	From    string // the organization
	ReplyTo string // empty: nowhere
	To      string
	Subject string
	// Secret is that of the link to see and pay; empty for none.
	Secret string
	// Offer says that the link is to accept a quote, and not to pay.
	Offer     bool
	Document  *invoicepdf.Document  // one of these two
	Statement *invoicepdf.Statement //
	Attached  []file.File           // in the books still
	Bytes     [][]byte              // of Attached
	text      func(link string) string
}

// Text is the letter itself, with the address of its link.
func (l Letter) Text(link string) string { return l.text(link) }

// letterWords are what we say in a letter ourselves.
type letterWords struct {
	Hello, Document, Early, Today, Late, Statement, Pay, Link, Attached string
	DocumentSubject, ReminderSubject, StatementSubject                  string
	Quote, QuoteSubject, Accept, AcceptLink, Credit, CreditSubject      string
	Declined, Last                                                      string
}

var letterCatalogue = map[locale.Language]letterWords{
	locale.English: {
		Hello: "Hello %s,", Document: "Here is invoice %s from %s over %s, due on %s.",
		Early: "Invoice %s from %s over %s falls due on %s. This is a reminder in good time.",
		Today: "Invoice %s from %s over %s falls due today, on %s.",
		Late:  "Invoice %s from %s over %s was due on %s and is still open.", Statement: "Here is the statement of your account with %s up to %s.",
		Pay: "See it and pay here:", Link: "The link is for you alone and works for 60 days.", Attached: "If you have paid meanwhile, there is nothing left to do.",
		DocumentSubject: "Invoice %s from %s", ReminderSubject: "Reminder: invoice %s from %s", StatementSubject: "Statement from %s",
		Quote: "Here is quote %s from %s over %s. It stands until %s.", QuoteSubject: "Quote %s from %s",
		Accept: "See it and accept or decline it here:", AcceptLink: "The link is for you alone.",
		Credit: "Here is credit note %s from %s over %s.", CreditSubject: "Credit note %s from %s",
		Declined: "We charged the card that you left us, and it was declined.", Last: "This is our last reminder by mail.",
	},
	locale.French: {
		Hello: "Bonjour %s,", Document: "Voici la facture %s de %s, d’un montant de %s, payable le %s.",
		Early: "La facture %s de %s, d’un montant de %s, arrive à échéance le %s. Ceci est un simple rappel.",
		Today: "La facture %s de %s, d’un montant de %s, arrive à échéance aujourd’hui, le %s.",
		Late:  "La facture %s de %s, d’un montant de %s, était payable le %s et reste ouverte.", Statement: "Voici le relevé de votre compte auprès de %s au %s.",
		Pay: "La voir et la payer ici :", Link: "Ce lien vous est réservé et reste valable 60 jours.", Attached: "Si vous avez payé entre-temps, il n’y a plus rien à faire.",
		DocumentSubject: "Facture %s de %s", ReminderSubject: "Rappel : facture %s de %s", StatementSubject: "Relevé de compte de %s",
		Quote: "Voici le devis %s de %s, d’un montant de %s. Il est valable jusqu’au %s.", QuoteSubject: "Devis %s de %s",
		Accept: "Le voir, l’accepter ou le décliner ici :", AcceptLink: "Ce lien vous est réservé.",
		Credit: "Voici la note de crédit %s de %s, d’un montant de %s.", CreditSubject: "Note de crédit %s de %s",
		Declined: "Nous avons débité la carte que vous nous avez confiée, et le paiement a été refusé.", Last: "Ceci est notre dernier rappel par courriel.",
	},
}

// amountIn writes an amount with its currency as the readers of a language expect it.
func amountIn(l locale.Language, a money.Amount) string {
	return money.Format(a, money.FormatOptions{Group: l.Group(), Decimal: l.Decimal(), Minus: "-"}) + "\u00a0" + a.Currency.Code()
}

func invoiceLetter(ctx context.Context, tx *tenant.Tx, m Mailing, invoice Invoice) (Letter, error) {
	document, err := PaperOf(ctx, tx, invoice)
	if err != nil {
		return Letter{}, err
	}
	branding, err := selectBranding(ctx, tx)
	if err != nil {
		return Letter{}, err
	}
	l := Letter{Mailing: m.ID, From: document.Issuer.Name, ReplyTo: branding.ReplyTo, To: m.Email, Document: &document}
	if !invoice.Open().IsZero() {
		if l.Secret, err = tx.OpenLink(ctx, invoice.ID.UUID, tx.Now().Add(PayLinkLifetime)); err != nil {
			return l, err
		}
	}
	if m.Kind == MailDocument {
		if err := l.attach(ctx, tx, invoice); err != nil {
			return l, err
		}
	}
	words, say := letterCatalogue[document.Language], ""
	due := document.Language.Date(invoice.DueDate)
	l.Subject = fmt.Sprintf(words.DocumentSubject, invoice.Number, l.From)
	switch {
	case m.Kind == MailDocument:
		say = fmt.Sprintf(words.Document, invoice.Number, l.From, amountIn(document.Language, invoice.Total), due)
	case m.StepDays < 0:
		say = words.Early
	case m.StepDays == 0:
		say = words.Today
	default:
		say = words.Late
	}
	if m.Kind == MailReminder {
		l.Subject = fmt.Sprintf(words.ReminderSubject, invoice.Number, l.From)
		say = fmt.Sprintf(say, invoice.Number, l.From, amountIn(document.Language, invoice.Open()), due)
	}
	for _, more := range m.say {
		say += " " + more(words)
	}
	l.text = writeLetter(words, invoice.Customer.Name, m, say, l.From)
	return l, nil
}

// OfferDays is for how long a link still shows a quote after its last day.
const OfferDays = 30

// quoteLetter is not ok when the quote does not stand any more: then there is nothing to accept, and nothing is sent.
func quoteLetter(ctx context.Context, tx *tenant.Tx, m Mailing) (l Letter, ok bool, err error) {
	quote, err := QuoteByID(ctx, tx, QuoteID(m.Document))
	if err != nil {
		return l, false, err
	}
	if quote.Standing(quote.Today) != StandingSent {
		return l, false, updateMailingFailed(ctx, tx, m.ID, "mail.answered")
	}
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return l, false, err
	}
	document := PaperQuote(quote, settings)
	if l, err = dressedLetter(ctx, tx, m, &document); err != nil {
		return l, false, err
	}
	if l.Secret, err = tx.OpenLink(ctx, quote.ID.UUID, tx.Now().AddDate(0, 0, quote.Today.DaysUntil(quote.DueDate)+1+OfferDays)); err != nil {
		return l, false, err
	}
	words := letterCatalogue[document.Language]
	l.Offer, l.Subject = true, fmt.Sprintf(words.QuoteSubject, quote.Number, l.From)
	say := fmt.Sprintf(words.Quote, quote.Number, l.From, amountIn(document.Language, quote.Total), document.Language.Date(quote.DueDate))
	words.Pay, words.Link = words.Accept, words.AcceptLink
	l.text = writeLetter(words, quote.Customer.Name, m, say, l.From)
	return l, true, nil
}

func creditLetter(ctx context.Context, tx *tenant.Tx, m Mailing) (Letter, error) {
	note, err := CreditNoteByID(ctx, tx, CreditNoteID(m.Document))
	if err != nil {
		return Letter{}, err
	}
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return Letter{}, err
	}
	document := PaperCreditNote(note, settings)
	l, err := dressedLetter(ctx, tx, m, &document)
	if err != nil {
		return l, err
	}
	words := letterCatalogue[document.Language]
	l.Subject = fmt.Sprintf(words.CreditSubject, note.Number, l.From)
	l.text = writeLetter(words, note.Customer.Name, m, fmt.Sprintf(words.Credit, note.Number, l.From, amountIn(document.Language, note.Total)), l.From)
	return l, nil
}

// dressedLetter is a letter with a document in the organization's own look, and no words yet.
func dressedLetter(ctx context.Context, tx *tenant.Tx, m Mailing, document *invoicepdf.Document) (Letter, error) {
	branding, err := selectBranding(ctx, tx)
	if err != nil {
		return Letter{}, err
	}
	l := Letter{Mailing: m.ID, From: document.Issuer.Name, ReplyTo: branding.ReplyTo, To: m.Email, Document: document}
	return l, DressPaper(ctx, tx, document)
}

func (l *Letter) attach(ctx context.Context, tx *tenant.Tx, invoice Invoice) error {
	files, err := file.Of(ctx, tx, invoice.ID.UUID)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !f.Mailed {
			continue
		}
		body, err := file.Read(ctx, tx, f)
		if err != nil {
			return err
		}
		l.Attached, l.Bytes = append(l.Attached, f), append(l.Bytes, body)
	}
	return nil
}

func statementLetter(ctx context.Context, tx *tenant.Tx, m Mailing) (Letter, error) {
	paper, err := StatementPaperOf(ctx, tx, m.Customer, report.Period{From: m.From, To: m.To})
	if err != nil {
		return Letter{}, err
	}
	branding, err := selectBranding(ctx, tx)
	if err != nil {
		return Letter{}, err
	}
	customer, err := CustomerByID(ctx, tx, m.Customer)
	if err != nil {
		return Letter{}, err
	}
	words := letterCatalogue[paper.Language]
	l := Letter{Mailing: m.ID, From: paper.Issuer.Name, ReplyTo: branding.ReplyTo, To: m.Email, Statement: &paper,
		Subject: fmt.Sprintf(words.StatementSubject, paper.Issuer.Name)}
	l.text = writeLetter(words, customer.Name, m, fmt.Sprintf(words.Statement, l.From, paper.Language.Date(m.To)), l.From)
	return l, nil
}

// writeLetter has the sender's own words in place of ours where there are any.
func writeLetter(words letterWords, name string, m Mailing, say, from string) func(link string) string {
	return func(link string) string {
		parts := []string{fmt.Sprintf(words.Hello, name), say}
		if m.Message != "" {
			parts = []string{m.Message}
		}
		if link != "" {
			parts = append(parts, words.Pay+"\n"+link, words.Link)
		}
		if m.Kind == MailReminder {
			parts = append(parts, words.Attached)
		}
		return strings.Join(append(parts, from), "\n\n") + "\n"
	}
}

// StatementPaperOf is a customer's statement as it stands on paper; ErrCustomerNotFound.
func StatementPaperOf(ctx context.Context, tx *tenant.Tx, customer CustomerID, period report.Period) (invoicepdf.Statement, error) {
	c, err := CustomerByID(ctx, tx, customer)
	if err != nil {
		return invoicepdf.Statement{}, err
	}
	settings, err := selectSettings(ctx, tx)
	if err != nil {
		return invoicepdf.Statement{}, err
	}
	branding, err := selectBranding(ctx, tx)
	if err != nil {
		return invoicepdf.Statement{}, err
	}
	sections, err := report.StatementOf(ctx, tx, customer.UUID, period)
	if err != nil {
		return invoicepdf.Statement{}, err
	}
	s := invoicepdf.Statement{Language: languageOf(c), Issuer: issuerOnPaper(settings, languageOf(c)), Customer: customerOnPaper(c, settings.Country),
		Colour: branding.Colour, From: period.From, To: period.To, PayTo: branding.PayTo, Foot: branding.Foot, Written: tx.Now()}
	if s.Logo, err = branding.logoOf(ctx, tx); err != nil {
		return s, err
	}
	for _, section := range sections {
		part := invoicepdf.StatementSection{Currency: section.Currency, Opening: section.Opening, Closing: section.Closing, Overdue: section.Overdue}
		for _, line := range section.Lines {
			part.Lines = append(part.Lines, invoicepdf.StatementLine{Date: line.Date, Description: happened(s.Language, line), Amount: line.Amount, Balance: line.Balance})
		}
		s.Sections = append(s.Sections, part)
	}
	return s, nil
}

// happened says in a language what a line of a statement is about; what was posted by hand speaks for itself.
func happened(l locale.Language, line report.StatementLine) string {
	kind := string(line.Source)
	if line.Source == ledger.SourcePayment && line.Amount.Sign() > 0 {
		kind = "refund"
	}
	say := happenings[l][kind]
	if say == "" {
		return line.Description
	}
	return strings.TrimSpace(say + " " + line.Numbers)
}

var happenings = map[locale.Language]map[string]string{
	locale.English: {"invoice": "Invoice", "payment": "Payment", "refund": "Paid back", "credit_note": "Credit note", "write_off": "Written off", "reversal": "Taken back", "late_fee": "Late fee"},
	locale.French: {"invoice": "Facture", "payment": "Paiement", "refund": "Remboursement", "credit_note": "Note de crédit", "write_off": "Passé en perte",
		"reversal": "Annulation", "late_fee": "Frais de retard"},
}

// languageOf is the one that a customer is written to in.
func languageOf(c Customer) locale.Language {
	if language, err := locale.Parse(c.Language); err == nil {
		return language
	}
	return locale.English
}
