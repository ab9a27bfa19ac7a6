package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

type importFile struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Your own name for this request; sent again, it is done once" maxLength:"100"`
	Name           string `query:"name" required:"true" doc:"Of the file, for what is said of it" example:"customers.csv" maxLength:"400"`
	DryRun         bool   `query:"dry_run" doc:"Say what importing would do, and do nothing"`
	RawBody        []byte `contentType:"application/octet-stream"`
}

// ImportView says what an import did, or would do.
type ImportView struct {
	Taken     bool    `json:"taken" doc:"false for a dry run"`
	Shape     string  `json:"shape" doc:"accounts, customers, payees, products, invoices, credit_notes, bills, payee_credits, payments, bill_payments, credits or journal"`
	Program   string  `json:"program,omitempty" doc:"Whose file it is; left out for our own shapes and journals in plain text"`
	Things    int     `json:"things"`
	Lines     int     `json:"lines" doc:"Of documents and entries"`
	Added     int     `json:"added"`
	Changed   int     `json:"changed"`
	Unchanged int     `json:"unchanged" doc:"In the books already, just so"`
	Passed    int     `json:"passed_over" doc:"Entries that documents and payments make by themselves"`
	Totals    []Money `json:"totals" doc:"Of documents and payments, by currency"`
}

func (s *Server) registerImportAPI() {
	handle(s, operation{id: "import-file", method: "POST", path: "/v1/imports/files", right: rightTo(authz.Create, authz.Imports), tag: "Imports", summary: "Import a file", file: true,
		more: " What it makes takes its own right besides, such as customers:create. The body is the file itself, at most 10 MB and 5,000 rows: CSV in our own shapes or as QuickBooks Online and Xero write them, or a journal in plain text. It is taken whole or not at all, and what is in the books already is passed over."},
		func(ctx context.Context, c *call, in *importFile) (*Versioned[ImportView], error) {
			body := bytes.Clone(in.RawBody)
			if in.DryRun {
				table, summary, err := c.tryImport(ctx, in.Name, body)
				if err != nil {
					return nil, placed(err)
				}
				return versioned(viewImport(table, summary, false), 0), nil
			}
			var view ImportView
			out, err := create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				table, summary, err := c.takeImport(ctx, tx, in.Name, body)
				if err != nil {
					return uuid.Nil, err
				}
				view = viewImport(table, summary, true)
				digest := sha256.Sum256(body)
				return uuid.Nil, recordImport(ctx, tx, hex.EncodeToString(digest[:]), summary)
			}, func(*tenant.Tx, uuid.UUID) (ImportView, int, error) { return view, 0, nil })
			return out, placed(err)
		})
}

func viewImport(t *intake.Table, s intake.Summary, taken bool) ImportView {
	v := ImportView{Taken: taken, Shape: string(s.Shape), Program: t.Program(), Things: s.Things, Lines: s.Lines, Added: s.Added, Changed: s.Changed,
		Unchanged: s.Unchanged, Passed: s.Passed, Totals: []Money{}}
	for _, total := range s.Totals {
		v.Totals = append(v.Totals, moneyOf(total))
	}
	return v
}

// placed makes each refusal of a file a fault of a problem document, at its line and column.
func placed(err error) error {
	var refused *intake.Refused
	if !errors.As(err, &refused) {
		return err
	}
	var all fault.List
	for _, f := range refused.Faults {
		at := fmt.Sprintf("line %d", f.Line)
		if f.Column > 0 {
			at += fmt.Sprintf(", column %d", f.Column)
		}
		all = append(all, fault.New(fault.Invalid, f.Code, f.Say).At(at))
	}
	return all
}
