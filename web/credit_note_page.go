package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerCreditNotePages() {
	s.member("GET", "/credit-notes", rightTo(authz.Read, authz.Invoices), showCreditNotes)
	s.registerDesk(creditNoteDesk)
	s.member("GET", "/credit-notes/:id", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showCreditNote(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/credit-notes/:id/pdf", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showPDF(v, creditNotePaper) })
	s.member("POST", "/credit-notes/:id/void", rightTo(authz.Approve, authz.Invoices), sendCreditNoteVoid)
	s.member("POST", "/credit-notes/:id/apply", rightTo(authz.Create, authz.Payments), sendCreditNoteApply)
	s.member("POST", "/credit-notes/:id/unapply", rightTo(authz.Change, authz.Payments), sendCreditNoteUnapply)
	s.member("GET", "/invoices/:id/credit", rightTo(authz.Approve, authz.Invoices), func(v *visit) error { return showCreditForm(v, http.StatusOK, nil) })
	s.member("POST", "/invoices/:id/credit", rightTo(authz.Approve, authz.Invoices), sendCredit)
}

func showCreditNotes(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	filter := billing.CreditNoteFilter{Standing: billing.Standing(v.query("standing"))}
	if filter.CustomerID, err = bodyID[billing.Customer]("customer", v.query("customer")); err != nil {
		return err
	}
	return v.show(http.StatusOK, "documents", func(tx *tenant.Tx) (any, error) {
		data, err := documentList(v, tx, "Credit notes", "credit-notes")
		if err != nil {
			return nil, err
		}
		data.Say, data.New = "What you took back of invoices, and what customers have as credit of it.", "New credit note"
		data.Empty = page.Empty{Icon: "receipt", Title: "No credit notes yet", Say: "To take back an invoice, open it and credit it there."}
		counts, err := billing.CreditNoteCounts(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Tabs = documentTabs(v, "credit-notes", "Credit notes by state", counts, standingTab{"Drafts", billing.StandingDraft},
			standingTab{"Open", billing.StandingOpen}, standingTab{"Used up", billing.StandingUsed}, standingTab{"Void", billing.StandingVoid})
		filter.Search = data.Find.Search
		if filter.From, filter.To, err = v.listDays(tx); err != nil {
			return nil, err
		}
		found, err := billing.CreditNotes(v.ctx, tx, filter, q)
		if err != nil {
			return nil, err
		}
		for _, h := range found.Items {
			data.Table.Rows = append(data.Table.Rows, page.DocumentRow{URL: v.at("credit-notes", h.ID.String()), Number: h.Number, Customer: h.Customer,
				Issued: h.IssueDate, Standing: h.Standing(), Total: h.Total, Left: h.Left()})
		}
		data.Table.Left = "Left"
		data.Table.Column, err = documentColumn(v, tx, data.Table.Rows)
		data.Pager = pager(v, q, found, func(h billing.CreditNoteHead) uuid.UUID { return h.ID.UUID }, "")
		return data, err
	})
}

func showCreditNote(v *visit, status int, form page.Form) error {
	note, err := idParam[billing.CreditNote](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "credit-note", func(tx *tenant.Tx) (any, error) {
		data := page.CreditNote{Form: ownForm(form)}
		var err error
		if data.Note, err = billing.CreditNoteByID(v.ctx, tx, note); err != nil {
			return nil, err
		}
		title := data.Note.Number
		if title == "" {
			title = "Draft credit note"
		}
		if data.Shell, err = v.frame(tx, title, "credit-notes"); err != nil {
			return nil, err
		}
		if data.Settings, err = billing.LoadSettings(v.ctx, tx); err != nil {
			return nil, err
		}
		data.Acts = creditNoteActs(v, data.Note)
		if data.Mails, err = mailsOf(v, tx, "credit-notes", note.UUID); err != nil {
			return nil, err
		}
		if !data.Note.Left().IsZero() {
			if data.Open, err = openInvoices(v, tx, data.Note.Customer.ID, data.Note.Currency); err != nil {
				return nil, err
			}
			if v.may(rightTo(authz.Approve, authz.Payments)) {
				err = fillGiveBack(v, tx, &data.GiveBack, form, v.at("credit-notes", note.String(), "give-back"), data.Note.Left())
			}
		}
		return data, err
	})
}

func creditNoteActs(v *visit, n billing.CreditNote) []page.Act {
	switch {
	case n.State == billing.Draft:
		return draftActs(v, creditNoteDesk(), n.ID.UUID, n.Version, "It gets its number, is posted, and does not change any more.")
	case n.State == billing.Issued && n.Settled.IsZero() && v.may(rightTo(authz.Approve, authz.Invoices)):
		return []page.Act{{URL: v.at("credit-notes", n.ID.String(), "void"), Label: "Void", Icon: "ban", Class: "btn-danger", Does: "Void the credit note",
			Ask: "Its number stays, its entry is undone, and the customer has no credit of it.", Key: newFormKey(), Version: n.Version}}
	}
	return nil
}

func sendCreditNoteVoid(v *visit) error {
	note, err := idParam[billing.CreditNote](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error {
		_, err := billing.VoidCreditNote(v.ctx, tx, note, version)
		return err
	}, func() string {
		say(v.c, "Voided")
		return v.at("credit-notes", note.String())
	}, func(form page.Form) error { return showCreditNote(v, http.StatusUnprocessableEntity, form) })
}

func sendCreditNoteApply(v *visit) error {
	return moveCredit(v, "Applied", func(tx *tenant.Tx, note billing.CreditNoteID, invoice billing.InvoiceID, sent url.Values) error {
		var amount money.Amount
		if written := strings.TrimSpace(sent.Get("amount")); written != "" {
			n, err := billing.CreditNoteByID(v.ctx, tx, note)
			if err != nil {
				return err
			}
			if amount, err = money.ParseAmount(written, n.Currency); err != nil {
				return at("amount", err)
			}
			if amount.IsZero() {
				return billing.ErrCreditAmount
			}
		}
		_, err := billing.ApplyCreditNote(v.ctx, tx, note, invoice, amount)
		return err
	})
}

func sendCreditNoteUnapply(v *visit) error {
	return moveCredit(v, "Taken back", func(tx *tenant.Tx, note billing.CreditNoteID, invoice billing.InvoiceID, _ url.Values) error {
		_, err := billing.UnapplyCreditNote(v.ctx, tx, note, invoice)
		return err
	})
}

// moveCredit does something between a credit note and an invoice that a form names.
func moveCredit(v *visit, done string, do func(tx *tenant.Tx, note billing.CreditNoteID, invoice billing.InvoiceID, sent url.Values) error) error {
	note, err := idParam[billing.CreditNote](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		invoice, err := bodyID[billing.Invoice]("invoice_id", sent.Get("invoice_id"))
		if err != nil {
			return uuid.Nil, err
		}
		return note.UUID, do(tx, note, invoice, sent)
	}, func(uuid.UUID) string {
		say(v.c, done)
		return v.at("credit-notes", note.String())
	}, func(form page.Form) error { return showCreditNote(v, http.StatusUnprocessableEntity, form) })
}

// creditable says whether something of an invoice is left to credit.
func creditable(v *visit, tx *tenant.Tx, invoice billing.Invoice) (bool, error) {
	lines, err := billing.Creditable(v.ctx, tx, invoice)
	for _, l := range lines {
		if l.Left.Sign() > 0 && l.Net.Minor > 0 {
			return true, err
		}
	}
	return false, err
}

func showCreditForm(v *visit, status int, refused *page.Form) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "credit-edit", func(tx *tenant.Tx) (any, error) {
		var data page.CreditForm
		var err error
		if data.Invoice, err = billing.InvoiceByID(v.ctx, tx, invoice); err != nil {
			return nil, err
		}
		switch data.Invoice.State {
		case billing.Draft:
			return nil, billing.ErrCreditOtherDraft
		case billing.Void:
			return nil, billing.ErrVoidDocument
		}
		if data.Shell, err = v.frame(tx, "Credit "+data.Invoice.Number, "invoices"); err != nil {
			return nil, err
		}
		lines, err := billing.Creditable(v.ctx, tx, data.Invoice)
		for i, l := range lines {
			data.Lines = append(data.Lines, page.CreditableRow{EditorLine: page.EditorLine{Index: i}, CreditableLine: l})
		}
		data.Form = orFresh(refused, func() page.Form {
			form := page.NewForm("issue_date", data.Invoice.Today.String(), "version", strconv.Itoa(data.Invoice.Version))
			for i, l := range lines {
				if l.Left.Sign() > 0 {
					form.Values.Set(lineName(i, "quantity"), l.Left.String())
				}
			}
			return form
		})
		renewVersion(&data.Form, data.Invoice.Version)
		for i := range lines {
			data.Form.Move(lineName(i, "line"), lineName(i, "quantity"))
		}
		return data, err
	})
}

// creditInput reads the form: the lines of which something is to be credited.
func creditInput(sent url.Values) (in billing.CreditInput, index []int, err error) {
	var faults fault.List
	in = billing.CreditInput{Reference: sent.Get("reference"), Note: sent.Get("note")}
	if in.IssueDate, err = bodyDate("issue_date", sent.Get("issue_date")); !faults.Add("issue_date", err) {
		return in, nil, err
	}
	for i := range 500 {
		line, err := strconv.Atoi(sent.Get(lineName(i, "line")))
		if err != nil {
			break
		}
		written := strings.TrimSpace(sent.Get(lineName(i, "quantity")))
		if written == "" || written == "0" {
			continue
		}
		quantity, err := bodyQuantity(lineName(i, "quantity"), written)
		faults.Add("", err) // a fault alone
		in.Lines, index = append(in.Lines, billing.CreditLine{Line: line, Quantity: quantity}), append(index, i)
	}
	if len(in.Lines) == 0 && len(faults) == 0 {
		faults = append(faults, billing.ErrCreditNothing)
	}
	return in, index, faults.Err()
}

func sendCredit(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	done := "Credited"
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		in, index, err := creditInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		note, err := billing.CreditInvoice(v.ctx, tx, invoice, version, in)
		done = "Issued " + note.Number
		return note.ID.UUID, faultsOnForm(err, index)
	}, func(made uuid.UUID) string {
		say(v.c, done)
		return v.at("credit-notes", made.String())
	}, func(form page.Form) error { return showCreditForm(v, http.StatusUnprocessableEntity, &form) })
}

// faultsOnForm points the faults of the nth chosen line at the line of the form that it was.
func faultsOnForm(err error, index []int) error {
	found := faultsOf(err)
	if len(found) == 0 {
		return err
	}
	moved := make(fault.List, len(found))
	for n, f := range found {
		moved[n] = f
		for chosen, line := range index {
			if rest, ok := strings.CutPrefix(f.Field, fmt.Sprintf("lines[%d].", chosen)); ok {
				moved[n] = f.At(lineName(line, rest))
				break
			}
		}
	}
	return moved.Err()
}

func creditNotePaper(ctx context.Context, tx *tenant.Tx, document uuid.UUID, settings billing.Settings) (invoicepdf.Document, error) {
	note, err := billing.CreditNoteByID(ctx, tx, billing.CreditNoteID{UUID: document})
	return billing.PaperCreditNote(note, settings), err
}
