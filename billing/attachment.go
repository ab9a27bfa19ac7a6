package billing

import (
	"context"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
)

// FileInput is a file that is to be attached to a document.
type FileInput struct {
	Name   string
	Bytes  []byte
	Mailed bool // it goes along when the document is mailed
}

// AttachFile attaches a file to an invoice, a draft or an issued one. It fails with ErrInvoiceNotFound and with what
// file.Keep refuses.
func AttachFile(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, in FileInput) (file.File, error) {
	if _, err := lockInvoice(ctx, tx, invoice); err != nil {
		return file.File{}, err
	}
	return file.Keep(ctx, tx, file.Input{Kind: file.Attachment, Subject: invoice.UUID, Name: in.Name, Bytes: in.Bytes, Mailed: in.Mailed})
}

// AttachedFile gives a file that is attached to this invoice; file.ErrNotFound.
func AttachedFile(ctx context.Context, tx *tenant.Tx, invoice InvoiceID, wanted file.ID) (file.File, error) {
	return attachedTo(ctx, tx, invoiceKind, invoice.UUID, wanted)
}

// attachedTo looks at the kind too: who may see the files of one kind of document may not see those of another by its id.
func attachedTo(ctx context.Context, tx *tenant.Tx, k kind, document uuid.UUID, wanted file.ID) (file.File, error) {
	if is, err := selectIsKind(ctx, tx, k, document); err != nil {
		return file.File{}, err
	} else if !is {
		return file.File{}, file.ErrNotFound
	}
	f, err := file.ByID(ctx, tx, wanted)
	if err == nil && (f.Kind != file.Attachment || f.Subject != document) {
		err = file.ErrNotFound
	}
	return f, err
}

// AttachedFiles lists what is attached to an invoice, the oldest first.
func AttachedFiles(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) ([]file.File, error) {
	return file.Of(ctx, tx, invoice.UUID)
}
