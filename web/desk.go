package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// desk is where one kind of document is written: invoices, quotes, credit notes and what is bought share the editor.
type desk struct {
	path    string // of its pages and in the API
	module  authz.Module
	done    string // what was done to a draft that got its number: "Issued"
	bought  bool   // its party is a payee, and its lines are costs
	repeats bool   // it is written to be copied, and gets no number
	onPaper bool   // it has a PDF
	// with gives what else of a form the desk must know to keep it, and fill puts that into the form; nil for most.
	with    func(sent url.Values) desk
	allowed func(v *visit, tx *tenant.Tx, sent url.Values) error // refuses what a form asks for beyond its route's right; nil for nothing
	fill    func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, form *page.Form) error
	words   page.EditorWords
	draft   func(ctx context.Context, tx *tenant.Tx, in billing.DocumentInput) (uuid.UUID, int, error)
	revise  func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int, in billing.DocumentInput) (int, error)
	issue   func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) (number string, err error)
	discard func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) error
	read    func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (billing.Document, error)
	dueHint func(s billing.Settings) string
	show    func(v *visit, status int, form page.Form) error
}

// of adapts the functions of one noun to those of a desk.
func of[T any, D any](fn func(context.Context, *tenant.Tx, id.Of[T], int) (D, error), number func(D) string) func(context.Context, *tenant.Tx, uuid.UUID, int) (string, error) {
	return func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) (string, error) {
		d, err := fn(ctx, tx, id.Of[T]{UUID: document}, version)
		return number(d), err
	}
}

func invoiceDesk() desk {
	return desk{
		path: "invoices", module: authz.Invoices, done: "Issued", onPaper: true,
		words: page.EditorWords{New: "New invoice", Nav: "invoices", List: "Invoices", Note: "Note on the invoice", Due: "Due date", Total: "To pay",
			NoLines: "No lines yet. An invoice needs one before it can be issued.", Issue: "Save and issue",
			Issued: "Once issued it has its number and does not change."},
		draft: func(ctx context.Context, tx *tenant.Tx, in billing.DocumentInput) (uuid.UUID, int, error) {
			d, err := billing.DraftInvoice(ctx, tx, in)
			return d.ID.UUID, d.Version, err
		},
		revise: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int, in billing.DocumentInput) (int, error) {
			d, err := billing.ReviseInvoice(ctx, tx, billing.InvoiceID{UUID: document}, version, in)
			return d.Version, err
		},
		issue: of(billing.IssueInvoice, func(d billing.Invoice) string { return d.Number }),
		discard: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) error {
			return billing.DiscardInvoice(ctx, tx, billing.InvoiceID{UUID: document}, version)
		},
		read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (billing.Document, error) {
			d, err := billing.InvoiceByID(ctx, tx, billing.InvoiceID{UUID: document})
			return billing.Document{DocumentHead: d.DocumentHead, DocumentBody: d.DocumentBody}, err
		},
		dueHint: func(s billing.Settings) string {
			return plainDays("Left empty: %s after the issue date, or as the customer has it.", s.PaymentTermsDays)
		},
		show: showInvoice,
	}
}

func creditNoteDesk() desk {
	return desk{
		path: "credit-notes", module: authz.Invoices, done: "Issued", onPaper: true,
		words: page.EditorWords{New: "New credit note", Nav: "credit-notes", List: "Credit notes", Note: "Note on the credit note", Total: "To credit",
			NoLines: "No lines yet. A credit note needs one before it can be issued.", Issue: "Save and issue",
			Issued: "To take back an invoice, open it and credit it there. Once issued this has its number and does not change."},
		draft: func(ctx context.Context, tx *tenant.Tx, in billing.DocumentInput) (uuid.UUID, int, error) {
			d, err := billing.DraftCreditNote(ctx, tx, in)
			return d.ID.UUID, d.Version, err
		},
		revise: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int, in billing.DocumentInput) (int, error) {
			d, err := billing.ReviseCreditNote(ctx, tx, billing.CreditNoteID{UUID: document}, version, in)
			return d.Version, err
		},
		issue: of(billing.IssueCreditNote, func(d billing.CreditNote) string { return d.Number }),
		discard: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) error {
			return billing.DiscardCreditNote(ctx, tx, billing.CreditNoteID{UUID: document}, version)
		},
		read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (billing.Document, error) {
			d, err := billing.CreditNoteByID(ctx, tx, billing.CreditNoteID{UUID: document})
			return billing.Document{DocumentHead: d.DocumentHead, DocumentBody: d.DocumentBody}, err
		},
		dueHint: func(billing.Settings) string { return "" },
		show:    showCreditNote,
	}
}

func quoteDesk() desk {
	return desk{
		path: "quotes", module: authz.Invoices, done: "Issued", onPaper: true,
		words: page.EditorWords{New: "New quote", Nav: "quotes", List: "Quotes", Note: "Note on the quote", Due: "Valid until", Total: "Total",
			NoLines: "No lines yet. A quote needs one before it can be issued.", Issue: "Save and issue",
			Issued: "Once issued it has its number and does not change. Nothing is posted."},
		draft: func(ctx context.Context, tx *tenant.Tx, in billing.DocumentInput) (uuid.UUID, int, error) {
			d, err := billing.DraftQuote(ctx, tx, in)
			return d.ID.UUID, d.Version, err
		},
		revise: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int, in billing.DocumentInput) (int, error) {
			d, err := billing.ReviseQuote(ctx, tx, billing.QuoteID{UUID: document}, version, in)
			return d.Version, err
		},
		issue: of(billing.IssueQuote, func(d billing.Quote) string { return d.Number }),
		discard: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, version int) error {
			return billing.DiscardQuote(ctx, tx, billing.QuoteID{UUID: document}, version)
		},
		read: func(ctx context.Context, tx *tenant.Tx, document uuid.UUID) (billing.Document, error) {
			d, err := billing.QuoteByID(ctx, tx, billing.QuoteID{UUID: document})
			return billing.Document{DocumentHead: d.DocumentHead, DocumentBody: d.DocumentBody}, err
		},
		dueHint: func(s billing.Settings) string { return plainDays("Left empty: %s after the issue date.", s.QuoteDays) },
		show:    showQuote,
	}
}

// registerDesk puts the editor of a kind of document on the router, and what ends a draft.
func (s *Server) registerDesk(make func() desk) {
	d := make()
	s.member("GET", "/"+d.path+"/new", rightTo(authz.Create, d.module), func(v *visit) error { return showNewDocument(v, make()) })
	s.member("POST", "/"+d.path, rightTo(authz.Create, d.module), func(v *visit) error { return handleEditor(v, make(), uuid.Nil) })
	s.member("GET", "/"+d.path+"/:id/edit", rightTo(authz.Change, d.module), func(v *visit) error { return showDocumentEdit(v, make()) })
	s.member("POST", "/"+d.path+"/:id", rightTo(authz.Change, d.module), func(v *visit) error {
		document, err := idParam[billing.Document](v, "id")
		if err != nil {
			return err
		}
		return handleEditor(v, make(), document.UUID)
	})
	if !d.repeats {
		s.member("POST", "/"+d.path+"/:id/issue", rightTo(authz.Approve, d.module), func(v *visit) error { return sendDocumentIssue(v, make()) })
	}
	s.member("POST", "/"+d.path+"/:id/discard", rightTo(authz.Delete, d.module), func(v *visit) error { return sendDocumentDiscard(v, make()) })
}

// draftActs are the buttons on the page of a draft.
func draftActs(v *visit, d desk, document uuid.UUID, version int, ask string) []page.Act {
	acts := discardAct(v, d, document, version)
	label := "Issue"
	if d.bought {
		label = "Enter"
	}
	if v.may(rightTo(authz.Approve, d.module)) {
		acts = append(acts, page.Act{URL: v.at(d.path, document.String(), "issue"), Label: label, Icon: "stamp", Class: "btn-primary",
			Ask: ask, Does: label + " it", Key: newFormKey(), Version: version})
	}
	return acts
}

func discardAct(v *visit, d desk, document uuid.UUID, version int) []page.Act {
	if !v.may(rightTo(authz.Delete, d.module)) {
		return nil
	}
	return []page.Act{{URL: v.at(d.path, document.String(), "discard"), Label: "Discard", Icon: "trash-2", Class: "btn-danger",
		Ask: "Nothing of this draft is kept.", Does: "Discard the draft", Key: newFormKey(), Version: version}}
}

func sendDocumentIssue(v *visit, d desk) error {
	document, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	done := d.done
	return v.act(func(tx *tenant.Tx, version int) error {
		number, err := d.issue(v.ctx, tx, document.UUID, version)
		done = d.done + " " + number
		return err
	}, func() string {
		say(v.c, done)
		return v.at(d.path, document.String())
	}, func(form page.Form) error { return d.show(v, http.StatusUnprocessableEntity, form) })
}

func sendDocumentDiscard(v *visit, d desk) error {
	document, err := idParam[billing.Document](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error { return d.discard(v.ctx, tx, document.UUID, version) },
		func() string {
			say(v.c, "Draft discarded")
			return v.at(d.path)
		}, func(form page.Form) error { return d.show(v, http.StatusUnprocessableEntity, form) })
}

// plainDays says a number of days in a sentence.
func plainDays(sentence string, days int) string {
	if days == 1 {
		return fmt.Sprintf(sentence, "1 day")
	}
	return fmt.Sprintf(sentence, fmt.Sprintf("%d days", days))
}
