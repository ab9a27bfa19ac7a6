package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// CreditNoteView is a credit note as a program reads it.
type CreditNoteView struct {
	DocumentView
	InvoiceID     string               `json:"invoice_id,omitempty" doc:"The invoice that it takes back"`
	InvoiceNumber string               `json:"invoice_number,omitempty" doc:"Not in lists"`
	Left          Money                `json:"left" doc:"What of it the customer still has as credit"`
	Applied       []CreditAppliedView  `json:"applied,omitempty" doc:"What it settles; not in lists"`
	Refunds       []InvoicePaymentView `json:"refunds,omitempty" doc:"What of it was given back, below zero; not in lists"`
}

func viewCreditNoteHead(h billing.CreditNoteHead) CreditNoteView {
	return CreditNoteView{DocumentView: viewDocumentHead(h.ID.UUID, h.DocumentHead, h.Standing()), InvoiceID: idText(h.Origin), Left: moneyOf(h.Left())}
}

func viewCreditNote(n billing.CreditNote) CreditNoteView {
	v := viewCreditNoteHead(n.CreditNoteHead)
	v.DocumentView = v.DocumentView.with(n.DocumentBody)
	v.InvoiceNumber, v.Applied, v.Refunds = n.OriginNumber, viewCredits(n.Applied), viewInvoicePayments(n.Refunds)
	return v
}

// CreditBody is what a program takes back of an invoice.
type CreditBody struct {
	ExternalID string           `json:"external_id,omitempty" doc:"The credit note's id in another system; unique"`
	IssueDate  string           `json:"issue_date,omitempty" doc:"Left out, today" example:"2026-11-21"`
	Reference  string           `json:"reference,omitempty"`
	Note       string           `json:"note,omitempty"`
	Lines      []CreditLineBody `json:"lines,omitempty" maxItems:"500" doc:"Left out, all that is left to credit"`
}

// CreditLineBody is how much of one line is taken back.
type CreditLineBody struct {
	Line     int    `json:"line" doc:"Of the invoice, counted from 1"`
	Quantity string `json:"quantity" example:"1"`
}

func (b CreditBody) input() (in billing.CreditInput, err error) {
	var faults fault.List
	in = billing.CreditInput{ExternalID: b.ExternalID, Reference: b.Reference, Note: b.Note}
	in.IssueDate, err = bodyDate("issue_date", b.IssueDate)
	faults.Add("", err) // what is read here fails with faults alone
	for i, l := range b.Lines {
		quantity, err := bodyQuantity(fmt.Sprintf("lines[%d].quantity", i), l.Quantity)
		faults.Add("", err)
		in.Lines = append(in.Lines, billing.CreditLine{Line: l.Line, Quantity: quantity})
	}
	return in, faults.Err()
}

// ApplyBody says which invoice a credit settles, and by how much.
type ApplyBody struct {
	InvoiceID string `json:"invoice_id"`
	Amount    *Money `json:"amount,omitempty" doc:"Left out, as much as can be"`
}

func (b ApplyBody) input() (invoice billing.InvoiceID, amount money.Amount, err error) {
	if invoice, err = bodyID[billing.Invoice]("invoice_id", b.InvoiceID); err != nil || b.Amount == nil {
		return invoice, amount, err
	}
	if amount, err = b.Amount.parse("amount"); err == nil && amount.Sign() <= 0 {
		err = billing.ErrCreditAmount
	}
	return invoice, amount, err
}

type creditNoteListInput struct {
	PageInput
	Standing   string `query:"standing" doc:"draft, open, used or void" maxLength:"20"`
	CustomerID string `query:"customer_id" maxLength:"36"`
	InvoiceID  string `query:"invoice_id" doc:"Those that take this invoice back" maxLength:"36"`
	Search     string `query:"search" doc:"Words of number, external id, reference or customer" maxLength:"200"`
}

func (s *Server) registerCreditNoteAPI() {
	const tag = "Credit notes"
	one := func(ctx context.Context, tx *tenant.Tx, i billing.CreditNoteID) (CreditNoteView, int, error) {
		v, err := billing.CreditNoteByID(ctx, tx, i)
		return viewCreditNote(v), v.Version, err
	}
	handle(s, operation{id: "list-credit-notes", method: "GET", path: "/v1/credit-notes", right: rightTo(authz.Read, authz.Invoices), tag: tag, summary: "List credit notes, newest first, without their lines"},
		func(ctx context.Context, c *call, in *creditNoteListInput) (*Body[List[CreditNoteView]], error) {
			filter := billing.CreditNoteFilter{Standing: billing.Standing(in.Standing), Search: in.Search}
			var err error
			if filter.CustomerID, err = bodyID[billing.Customer]("customer_id", in.CustomerID); err != nil {
				return nil, err
			}
			if filter.Origin, err = bodyID[billing.Invoice]("invoice_id", in.InvoiceID); err != nil {
				return nil, err
			}
			return list(ctx, c, in.PageInput, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[billing.CreditNoteHead], error) {
				return billing.CreditNotes(ctx, tx, filter, q)
			}, viewCreditNoteHead)
		})
	registerDraftAPI(s, creditNoteDesk(), "credit-note", tag, one)
	registerActAPI(s, "credit-notes", "credit-note", tag, "void", "Void a credit note of which nothing is used", rightTo(authz.Approve, authz.Invoices), one,
		func(ctx context.Context, tx *tenant.Tx, i billing.CreditNoteID, version int) error {
			_, err := billing.VoidCreditNote(ctx, tx, i, version)
			return err
		})
	handle(s, operation{id: "credit-invoice", method: "POST", path: "/v1/invoices/{id}/credit", right: rightTo(authz.Approve, authz.Invoices), tag: tag, summary: "Take an invoice back, whole or in part, by a credit note that is issued", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *CreditCall) (*Versioned[CreditNoteView], error) {
			input, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			invoice, err := pathID[billing.Invoice](in.ID)
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				made, err := billing.CreditInvoice(ctx, tx, invoice, 0, input)
				return made.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (CreditNoteView, int, error) {
				return one(ctx, tx, id.Of[billing.CreditNote]{UUID: made})
			})
		})
	move := func(act, summary string, right authz.Right, do func(context.Context, *tenant.Tx, billing.CreditNoteID, billing.InvoiceID, money.Amount) (billing.CreditNote, error)) {
		handle(s, operation{id: act + "-credit-note", method: "POST", path: "/v1/credit-notes/{id}/" + act, right: right, tag: tag, summary: summary},
			func(ctx context.Context, c *call, in *Change[ApplyBody]) (*Versioned[CreditNoteView], error) {
				invoice, amount, err := in.Body.input()
				if err != nil {
					return nil, err
				}
				return change(ctx, c, in.ID, IfMatch{}, func(tx *tenant.Tx, i billing.CreditNoteID, _ int) (CreditNoteView, int, error) {
					v, err := do(ctx, tx, i, invoice, amount)
					return viewCreditNote(v), v.Version, err
				})
			})
	}
	move("apply", "Let a credit note settle an invoice of its customer", rightTo(authz.Create, authz.Payments), billing.ApplyCreditNote)
	move("unapply", "Take a credit note back from an invoice", rightTo(authz.Change, authz.Payments),
		func(ctx context.Context, tx *tenant.Tx, note billing.CreditNoteID, invoice billing.InvoiceID, _ money.Amount) (billing.CreditNote, error) {
			return billing.UnapplyCreditNote(ctx, tx, note, invoice)
		})
}

// CreditCall is the request to take an invoice back.
type CreditCall struct {
	Create[CreditBody]
	ID string `path:"id" maxLength:"36"`
}
