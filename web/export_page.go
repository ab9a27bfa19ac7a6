package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerExportPages() {
	s.member("GET", "/settings/exports", rightTo(authz.Read, authz.Exports), func(v *visit) error { return showExports(v, http.StatusOK, nil) })
	s.member("POST", "/settings/exports", rightTo(authz.Create, authz.Exports), sendExport)
	s.closedToSupport("GET", "/settings/exports/:id/file", rightTo(authz.Read, authz.Exports), fetchExport)
	s.member("POST", "/settings/exports/:id/cancel", rightTo(authz.Create, authz.Exports), sendExportCancel)
	s.member("POST", "/settings/exports/:id/remove", rightTo(authz.Delete, authz.Exports), sendExportRemove)
}

// mayExport refuses a subject that the caller may not export.
func (c *call) mayExport(holds takeout.Subject) error {
	choice, ok := takeout.ChoiceOf(holds)
	if !ok {
		return takeout.ErrSubject
	}
	right, ok := authz.ParseRight(choice.Right)
	if !ok || !c.server.Policy.May(c.scope, right).Allowed {
		return authz.Forbidden(right)
	}
	return nil
}

func showExports(v *visit, status int, sent *page.Form) error {
	return v.show(status, "exports", func(tx *tenant.Tx) (any, error) {
		q, err := v.page()
		if err != nil {
			return nil, err
		}
		found, err := takeout.Exports(v.ctx, tx, q)
		if err != nil {
			return nil, err
		}
		data := page.Exports{Form: orFresh(sent, func() page.Form { return page.NewForm("holds", v.c.Query("holds")) }), ListURL: v.at("settings", "exports")}
		for _, c := range takeout.Choices() {
			if v.mayExport(c.Subject) == nil {
				data.Choices = append(data.Choices, page.Option{Value: string(c.Subject), Label: c.Name})
			}
		}
		for _, e := range found.Items {
			row := page.Export{Export: e, SizeText: sizeText(e.Size), MayFetch: e.State == takeout.Ready && v.mayExport(e.Holds) == nil}
			data.Going = data.Going || e.Going()
			data.Items = append(data.Items, row)
		}
		years, err := billing.KeepYears(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Keep, data.KeepKey = page.NewForm("keep_years", strconv.Itoa(years)), newFormKey()
		data.Keep.ID = "keep"
		data.Pager = pager(v, q, found, func(e takeout.Export) uuid.UUID { return e.ID.UUID }, "")
		data.Shell, err = v.frame(tx, "Export", "exports")
		return data, err
	})
}

func sendExport(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in := takeout.Input{Holds: takeout.Subject(sent.Get("holds"))}
		if err := v.mayExport(in.Holds); err != nil {
			return uuid.Nil, err
		}
		if c, ok := takeout.ChoiceOf(in.Holds); ok && len(c.Formats) > 1 { // everything else has a format of its own
			in.Format = takeout.Format(sent.Get("format"))
		}
		e, err := takeout.Ask(v.ctx, tx, in)
		return e.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "The export is being made. You get a mail when it is ready")
		return v.at("settings", "exports")
	}, func(form page.Form) error { return showExports(v, http.StatusUnprocessableEntity, &form) })
}

func fetchExport(v *visit) error {
	export, err := idParam[takeout.Export](v, "id")
	if err != nil {
		return err
	}
	f, err := v.fetchExport(v.ctx, export)
	if err != nil {
		return err
	}
	return v.streamAs(attachmentAs(f.Name), f.MediaType, func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
		return file.Write(ctx, run, f, w)
	})
}

// fetchExport gives the file of an export to whoever may have what is in it.
func (c *call) fetchExport(ctx context.Context, export takeout.ID) (f file.File, err error) {
	err = c.do(ctx, func(tx *tenant.Tx) error {
		e, err := takeout.ByID(ctx, tx, export)
		if err != nil {
			return err
		}
		if err := c.mayExport(e.Holds); err != nil {
			return err
		}
		f, err = takeout.Fetch(ctx, tx, export)
		return err
	})
	return f, err
}

func sendExportCancel(v *visit) error {
	return sendExportAct(v, "Export cancelled", func(tx *tenant.Tx, export takeout.ID) error {
		_, err := takeout.Cancel(v.ctx, tx, export)
		return err
	})
}

func sendExportRemove(v *visit) error {
	return sendExportAct(v, "Export deleted", func(tx *tenant.Tx, export takeout.ID) error { return takeout.Remove(v.ctx, tx, export) })
}

func sendExportAct(v *visit, said string, act func(tx *tenant.Tx, export takeout.ID) error) error {
	export, err := idParam[takeout.Export](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) { return uuid.Nil, act(tx, export) }, func(uuid.UUID) string {
		say(v.c, said)
		return v.at("settings", "exports")
	}, func(form page.Form) error { return showExports(v, http.StatusUnprocessableEntity, &form) })
}
