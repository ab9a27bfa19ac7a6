package web

import (
	"bytes"
	"context"
	"mime"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/tenant"
)

// paperOf reads a document and puts its words together, in one transaction.
type paperOf func(ctx context.Context, tx *tenant.Tx, document uuid.UUID, settings billing.Settings) (invoicepdf.Document, error)

func invoicePaper(ctx context.Context, tx *tenant.Tx, document uuid.UUID, settings billing.Settings) (invoicepdf.Document, error) {
	invoice, err := billing.InvoiceByID(ctx, tx, billing.InvoiceID{UUID: document})
	return billing.Paper(invoice, settings), err
}

func (s *Server) registerInvoicePDF() {
	s.member("GET", "/invoices/:id/pdf", rightTo(authz.Read, authz.Invoices), func(v *visit) error { return showPDF(v, invoicePaper) })
	for _, kind := range []struct {
		one, path, tag string
		read           paperOf
	}{{"invoice", "invoices", "Invoices", invoicePaper}, {"credit-note", "credit-notes", "Credit notes", creditNotePaper}, {"quote", "quotes", "Quotes", quotePaper}} {
		handle(s, operation{id: "get-" + kind.one + "-pdf", method: "GET", path: "/v1/" + kind.path + "/{id}/pdf", right: rightTo(authz.Read, authz.Invoices),
			tag: kind.tag, summary: "The document on paper, as PDF"},
			func(ctx context.Context, c *call, in *ByID) (*pdfBody, error) {
				name, body, err := c.paper(ctx, in.ID, kind.read)
				return &pdfBody{ContentType: "application/pdf", Disposition: inlineAs(name), Body: body}, err
			})
	}
}

// pdfBody is the API's answer of a document on paper.
type pdfBody struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func showPDF(v *visit, read paperOf) error {
	name, body, err := v.paper(v.ctx, v.c.Params("id"), read)
	if err != nil {
		return err
	}
	v.c.Set("Content-Type", "application/pdf")
	v.c.Set("Content-Security-Policy", besidePolicy)
	v.c.Set("Content-Disposition", inlineAs(name))
	return v.c.Status(http.StatusOK).Send(body)
}

// paper reads a document in one transaction and puts it on paper after it.
func (c *call) paper(ctx context.Context, documentID string, read paperOf) (name string, body []byte, err error) {
	id, err := pathID[billing.Document](documentID)
	if err != nil {
		return "", nil, err
	}
	var document invoicepdf.Document
	err = c.do(ctx, func(tx *tenant.Tx) error {
		settings, err := billing.LoadSettings(ctx, tx)
		if err != nil {
			return err
		}
		if document, err = read(ctx, tx, id.UUID, settings); err != nil {
			return err
		}
		return billing.DressPaper(ctx, tx, &document)
	})
	if err != nil {
		return "", nil, err
	}
	var paper bytes.Buffer
	if err := invoicepdf.Write(&paper, document); err != nil {
		return "", nil, err
	}
	return invoicepdf.FileName(document.Number), paper.Bytes(), nil
}

// inlineAs shows a file in the browser, and saves it under a name (RFC 6266).
func inlineAs(name string) string {
	return mime.FormatMediaType("inline", map[string]string{"filename": name})
}
