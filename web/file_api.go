package web

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
)

// FileView is a file that is attached to something.
type FileView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	MediaType string    `json:"media_type" doc:"By its content"`
	Size      int64     `json:"size" doc:"In bytes"`
	SHA256    string    `json:"sha256" doc:"Hexadecimal"`
	Mailed    bool      `json:"mailed" doc:"It goes along when the document is mailed"`
	CreatedAt time.Time `json:"created_at"`
}

func viewFile(f file.File) FileView {
	return FileView{f.ID.String(), f.Name, f.MediaType, f.Size, f.Digest, f.Mailed, f.CreatedAt}
}

type fileUpload struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	ID             string `path:"id" maxLength:"36"`
	Name           string `query:"name" required:"true" doc:"With its ending, which goes with the content" example:"plan.pdf" maxLength:"400"`
	Mailed         bool   `query:"mailed" doc:"Whether it goes along when the invoice is mailed"`
	RawBody        []byte `contentType:"application/octet-stream"`
}

type fileByID struct {
	ID   string `path:"id" maxLength:"36"`
	File string `path:"file" maxLength:"36"`
}

type fileBody struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *Server) registerFileAPI() {
	const tag = "Invoices"
	handle(s, operation{id: "list-invoice-files", method: "GET", path: "/v1/invoices/{id}/files", right: rightTo(authz.Read, authz.Invoices), tag: tag, summary: "List the files that are attached to an invoice"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[FileView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.InvoiceID) (List[FileView], int, error) {
				out := List[FileView]{Items: []FileView{}}
				if _, err := billing.InvoiceByID(ctx, tx, i); err != nil {
					return out, 0, err
				}
				files, err := billing.AttachedFiles(ctx, tx, i)
				for _, f := range files {
					out.Items = append(out.Items, viewFile(f))
				}
				return out, 0, err
			})
		})
	handle(s, operation{id: "attach-invoice-file", method: "POST", path: "/v1/invoices/{id}/files", right: rightTo(authz.Change, authz.Invoices), tag: tag, summary: "Attach a file to an invoice", status: http.StatusCreated, file: true,
		more: " The body is the file itself: PDF, PNG, JPEG, WebP, plain text, CSV, or a document of Word, Excel or OpenDocument, at most 10 MB."},
		func(ctx context.Context, c *call, in *fileUpload) (*Versioned[FileView], error) {
			invoice, err := pathID[billing.Invoice](in.ID)
			if err != nil {
				return nil, err
			}
			body := bytes.Clone(in.RawBody)
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				f, err := billing.AttachFile(ctx, tx, invoice, billing.FileInput{Name: in.Name, Bytes: body, Mailed: in.Mailed})
				return f.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (FileView, int, error) {
				f, err := billing.AttachedFile(ctx, tx, invoice, file.ID{UUID: made})
				return viewFile(f), 0, err
			})
		})
	handle(s, operation{id: "get-invoice-file", method: "GET", path: "/v1/invoices/{id}/files/{file}", right: rightTo(authz.Read, authz.Invoices), tag: tag, summary: "Fetch a file that is attached to an invoice"},
		func(ctx context.Context, c *call, in *fileByID) (*fileBody, error) {
			var f file.File
			var body []byte
			err := c.attachedFile(ctx, in, func(tx *tenant.Tx, found file.File) (err error) {
				f = found
				body, err = file.Read(ctx, tx, found)
				return err
			})
			return &fileBody{ContentType: f.MediaType, Disposition: attachmentAs(f.Name), Body: body}, err
		})
	handle(s, operation{id: "remove-invoice-file", method: "DELETE", path: "/v1/invoices/{id}/files/{file}", right: rightTo(authz.Change, authz.Invoices), tag: tag, summary: "Delete a file that is attached to an invoice", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *fileByID) (*struct{}, error) {
			return nil, c.attachedFile(ctx, in, func(tx *tenant.Tx, found file.File) error {
				_, err := file.Remove(ctx, tx, found.ID)
				return err
			})
		})
}

// attachedFile runs fn with the file that the path names.
func (c *call) attachedFile(ctx context.Context, in *fileByID, fn func(tx *tenant.Tx, f file.File) error) error {
	invoice, err := pathID[billing.Invoice](in.ID)
	if err != nil {
		return err
	}
	wanted, err := pathID[file.File](in.File)
	if err != nil {
		return err
	}
	return c.do(ctx, func(tx *tenant.Tx) error {
		f, err := billing.AttachedFile(ctx, tx, invoice, wanted)
		if err != nil {
			return err
		}
		return fn(tx, f)
	})
}
