package web

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerFilePages() {
	s.member("POST", "/invoices/:id/files", rightTo(authz.Change, authz.Invoices), sendFile)
	s.closedToSupport("GET", "/invoices/:id/files/:file", rightTo(authz.Read, authz.Invoices), fetchFile)
	s.member("POST", "/invoices/:id/files/:file/remove", rightTo(authz.Change, authz.Invoices), sendFileRemove)
}

func sendFile(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	name := ""
	return v.upload(func(tx *tenant.Tx, sent url.Values, f uploaded) (uuid.UUID, error) {
		kept, err := billing.AttachFile(v.ctx, tx, invoice, billing.FileInput{Name: f.name, Bytes: f.bytes, Mailed: sent.Get("mailed") != ""})
		name = kept.Name
		return kept.ID.UUID, err
	}, func(uuid.UUID) string {
		if name != "" {
			say(v.c, "Attached "+name)
		}
		return v.at("invoices", invoice.String()) + "#files"
	}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}

// attached is a file of the path's invoice.
func attached(v *visit, tx *tenant.Tx) (file.File, error) {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return file.File{}, err
	}
	wanted, err := idParam[file.File](v, "file")
	if err != nil {
		return file.File{}, err
	}
	return billing.AttachedFile(v.ctx, tx, invoice, wanted)
}

func fetchFile(v *visit) error {
	var f file.File
	err := v.run(func(tx *tenant.Tx) (err error) {
		f, err = attached(v, tx)
		return err
	})
	if err != nil {
		return err
	}
	return v.streamAs(attachmentAs(f.Name), f.MediaType, func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		return file.Write(ctx, run, f, w)
	})
}

func sendFileRemove(v *visit) error {
	invoice, err := idParam[billing.Invoice](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		f, err := attached(v, tx)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = file.Remove(v.ctx, tx, f.ID)
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "File removed")
		return v.at("invoices", invoice.String()) + "#files"
	}, func(form page.Form) error { return showInvoice(v, http.StatusUnprocessableEntity, form) })
}
