package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// importRows bounds what is imported in one request: others wait to post meanwhile.
const importRows = 5000

var errImportRows = fault.New(fault.Invalid, "import.too_many_rows", "A file has at most 5,000 rows. Split it, each part with the header; what is in the books already is passed over.").At("file")

// heldFor is how long a file waits for a yes.
const heldFor = 24 * time.Hour

func (s *Server) registerImportPages() {
	s.member("GET", "/settings/imports", rightTo(authz.Read, authz.Imports), func(v *visit) error { return showImports(v, http.StatusOK, page.Form{}, nil) })
	s.member("POST", "/settings/imports/files", rightTo(authz.Create, authz.Imports), sendImportFile)
	s.member("POST", "/settings/imports/:id/take", rightTo(authz.Create, authz.Imports), sendImport)
}

// importRights are what it takes to import each shape, beside importing at all.
var importRights = map[intake.Shape][]authz.Right{
	intake.Accounts:     {rightTo(authz.Create, authz.Accounts)},
	intake.Customers:    {rightTo(authz.Create, authz.Customers), rightTo(authz.Change, authz.Customers)},
	intake.Payees:       {rightTo(authz.Create, authz.Payees), rightTo(authz.Change, authz.Payees)},
	intake.Products:     {rightTo(authz.Create, authz.Products), rightTo(authz.Change, authz.Products)},
	intake.Invoices:     {rightTo(authz.Create, authz.Invoices), rightTo(authz.Approve, authz.Invoices), rightTo(authz.Create, authz.Payments)},
	intake.CreditNotes:  {rightTo(authz.Create, authz.Invoices), rightTo(authz.Approve, authz.Invoices)},
	intake.Bills:        {rightTo(authz.Create, authz.Bills), rightTo(authz.Approve, authz.Bills)},
	intake.PayeeCredits: {rightTo(authz.Create, authz.Bills), rightTo(authz.Approve, authz.Bills)},
	intake.Payments:     {rightTo(authz.Create, authz.Payments)},
	intake.BillPayments: {rightTo(authz.Approve, authz.Bills)},
	intake.Credits:      {rightTo(authz.Change, authz.Invoices), rightTo(authz.Approve, authz.Bills)},
	intake.Journal:      {rightTo(authz.Create, authz.Journal), rightTo(authz.Create, authz.Accounts)},
}

// takeImport reads a file and puts it into the books, if the caller may do by hand what it does. It reads anew each time
// that it runs.
func (c *call) takeImport(ctx context.Context, tx *tenant.Tx, name string, body []byte) (*intake.Table, intake.Summary, error) {
	table, err := intake.Read(name, bytes.NewReader(body))
	if err != nil {
		return nil, intake.Summary{}, err
	}
	if table.Rows() > importRows {
		return table, intake.Summary{}, errImportRows
	}
	rights, ok := importRights[table.Shape]
	if !ok {
		return table, intake.Summary{}, errors.New("web: a shape of files that nobody has a right to")
	}
	if table.PaysBack() {
		rights = append(slices.Clone(rights), rightTo(authz.Approve, authz.Payments))
	}
	for _, right := range rights {
		if !c.server.Policy.May(c.scope, right).Allowed {
			return table, intake.Summary{}, authz.Forbidden(right)
		}
	}
	summary, err := intake.Take(ctx, tx, table, nil)
	return table, summary, err
}

// errTried ends a transaction that was to show what it would do, so that nothing of it is kept.
var errTried = errors.New("web: an import was tried")

// tryImport says what importing a file would do, and does nothing.
func (c *call) tryImport(ctx context.Context, name string, body []byte) (table *intake.Table, summary intake.Summary, err error) {
	err = c.do(ctx, func(tx *tenant.Tx) error {
		var err error
		if table, summary, err = c.takeImport(ctx, tx, name, body); err == nil {
			err = errTried
		}
		return err
	})
	if errors.Is(err, errTried) {
		err = nil
	}
	return table, summary, err
}

func showImports(v *visit, status int, form page.Form, refused *intake.Refused) error {
	return v.show(status, "imports", func(tx *tenant.Tx) (any, error) {
		data := page.Imports{Form: form, Action: v.at("settings", "imports", "files"), Shapes: strings.Split(intake.Describe(), "\n\n")}
		if refused != nil {
			data.More = refused.More
			for _, f := range refused.Faults {
				data.Faults = append(data.Faults, page.ImportFault{Line: f.Line, Column: f.Column, Name: f.Name, Say: f.Say})
			}
		}
		var err error
		data.Shell, err = v.frame(tx, "Import", "imports")
		return data, err
	})
}

// refuseImport shows the page again with what is wrong; other errors stay errors.
func refuseImport(v *visit, err error) error {
	var refused *intake.Refused
	if errors.As(err, &refused) {
		return showImports(v, http.StatusUnprocessableEntity, page.Form{}, refused)
	}
	var form page.Form
	if isFormFault(err) && form.Refused(err) {
		return showImports(v, http.StatusUnprocessableEntity, form, nil)
	}
	return err
}

// sendImportFile tries a file, and asks whether it is to be imported.
func sendImportFile(v *visit) error {
	_, f, err := readUpload(v.c)
	if err == nil && len(f.bytes) == 0 {
		err = file.ErrEmpty
	}
	if err != nil {
		return refuseImport(v, err)
	}
	table, summary, err := v.tryImport(v.ctx, f.name, f.bytes)
	if err != nil {
		return refuseImport(v, err)
	}
	var held file.File
	err = v.run(func(tx *tenant.Tx) (err error) {
		held, err = file.Hold(v.ctx, tx, f.name, f.bytes, tx.Now().Add(heldFor))
		return err
	})
	if err != nil {
		return refuseImport(v, err)
	}
	return v.show(http.StatusOK, "import-check", func(tx *tenant.Tx) (any, error) {
		data := page.ImportCheck{Form: keyed(page.NewForm()), Action: v.at("settings", "imports", held.ID.String(), "take"), Back: v.at("settings", "imports"),
			File: held.Name, Program: table.Program(), What: string(table.Shape), Things: summary.Things, Lines: summary.Lines,
			Added: summary.Added, Changed: summary.Changed, Unchanged: summary.Unchanged, Passed: summary.Passed, Paid: summary.Paid, Totals: summary.Totals}
		var err error
		data.Shell, err = v.frame(tx, "Import "+held.Name, "imports")
		return data, err
	})
}

func sendImport(v *visit) error {
	held, err := idParam[file.File](v, "id")
	if err != nil {
		return err
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	key, said := sent.Get("idempotency_key"), ""
	if !visible(key) {
		return errKeyShape
	}
	err = v.run(func(tx *tenant.Tx) error {
		_, _, err := tx.Once(v.ctx, key, v.digest(), func() (uuid.UUID, error) {
			summary, err := v.takeHeld(tx, held)
			said = sayImport(summary)
			return uuid.Nil, err
		})
		return err
	})
	if err != nil {
		return refuseImport(v, err)
	}
	if said != "" {
		say(v.c, said)
	}
	return v.c.Redirect(v.at("settings", "imports"), http.StatusSeeOther)
}

func (v *visit) takeHeld(tx *tenant.Tx, held file.ID) (intake.Summary, error) {
	f, err := file.ByID(v.ctx, tx, held)
	if err == nil && f.Kind != file.Import {
		err = file.ErrNotFound
	}
	if err != nil {
		return intake.Summary{}, err
	}
	body, err := file.Read(v.ctx, tx, f)
	if err != nil {
		return intake.Summary{}, err
	}
	_, summary, err := v.takeImport(v.ctx, tx, f.Name, body)
	if err != nil {
		return summary, err
	}
	if err := recordImport(v.ctx, tx, f.Digest, summary); err != nil {
		return summary, err
	}
	_, err = file.Remove(v.ctx, tx, f.ID)
	return summary, err
}

// recordImport has on record what was imported: how much of what, and the digest of the file.
func recordImport(ctx context.Context, tx *tenant.Tx, digest string, s intake.Summary) error {
	return tx.Record(ctx, tenant.Act{Action: "import.take", Object: "import", Detail: sayImport(s) + ", " + digest})
}

func sayImport(s intake.Summary) string {
	return fmt.Sprintf("%s imported: %d added, %d changed, %d there already", s.Shape, s.Added, s.Changed, s.Unchanged)
}
