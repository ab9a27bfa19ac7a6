package web

import (
	"bytes"
	"context"
	"mime"
	"net/http"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/tenant"
)

func (s *Server) registerInvoicePDF() {
	s.member("GET", "/invoices/:id/pdf", rightTo(authz.Read, authz.Invoices), showInvoicePDF)
	handle(s, operation{id: "get-invoice-pdf", method: "GET", path: "/v1/invoices/{id}/pdf", right: rightTo(authz.Read, authz.Invoices),
		tag: "Invoices", summary: "The invoice on paper, as PDF"},
		func(ctx context.Context, c *call, in *ByID) (*pdfBody, error) {
			name, body, err := c.invoicePDF(ctx, in.ID)
			return &pdfBody{ContentType: "application/pdf", Disposition: inlineAs(name), Body: body}, err
		})
}

// pdfBody is the API's answer of a document on paper.
type pdfBody struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func showInvoicePDF(v *visit) error {
	name, body, err := v.invoicePDF(v.ctx, v.c.Params("id"))
	if err != nil {
		return err
	}
	v.c.Set("Content-Type", "application/pdf")
	v.c.Set("Content-Disposition", inlineAs(name))
	return v.c.Status(http.StatusOK).Send(body)
}

// invoicePDF reads an invoice in one transaction and puts it on paper after it.
func (c *call) invoicePDF(ctx context.Context, invoiceID string) (name string, body []byte, err error) {
	invoice, err := pathID[billing.Invoice](invoiceID)
	if err != nil {
		return "", nil, err
	}
	var document invoicepdf.Document
	err = c.do(ctx, func(tx *tenant.Tx) error {
		found, err := billing.InvoiceByID(ctx, tx, invoice)
		if err != nil {
			return err
		}
		document, err = billing.PaperOf(ctx, tx, found)
		return err
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
