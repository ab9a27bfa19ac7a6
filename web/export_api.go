package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/takeout"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// ExportBody says what is asked for.
type ExportBody struct {
	Holds  string `json:"holds" doc:"everything, accounts, customers, payees, products, invoices, credit_notes, payments, bills, payee_credits, bill_payments, credits, transactions, journal, ledger, hledger or beancount" example:"journal" maxLength:"16"`
	Format string `json:"format,omitempty" doc:"csv or xlsx; left out, csv for lists. Everything is a zip, and hledger and beancount are texts of their own" maxLength:"10"`
}

// ExportView is an export as a program reads it.
type ExportView struct {
	ID        string    `json:"id"`
	Holds     string    `json:"holds"`
	Name      string    `json:"name" doc:"Of the file"`
	MediaType string    `json:"media_type"`
	State     string    `json:"state" doc:"queued, running, ready, failed, refused (who asked may not any more), cancelled or expired"`
	Problem   string    `json:"problem,omitempty" doc:"The code of why it failed"`
	RowsDone  int       `json:"rows_done"`
	RowsAll   int       `json:"rows_all" doc:"About; 0 before it is known"`
	Size      int64     `json:"size" doc:"In bytes, so far"`
	SHA256    string    `json:"sha256,omitempty" doc:"Hexadecimal; when it is ready"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at" doc:"When it is deleted"`
}

func viewExport(e takeout.Export) ExportView {
	return ExportView{ID: e.ID.String(), Holds: string(e.Holds), Name: e.Name, MediaType: e.MediaType, State: string(e.State), Problem: e.Problem,
		RowsDone: e.Done, RowsAll: e.All, Size: e.Size, SHA256: e.Digest, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt}
}

func readExport(ctx context.Context) func(tx *tenant.Tx, export takeout.ID) (ExportView, int, error) {
	return func(tx *tenant.Tx, export takeout.ID) (ExportView, int, error) {
		e, err := takeout.ByID(ctx, tx, export)
		return viewExport(e), 0, err
	}
}

func (s *Server) registerExportAPI() {
	const tag = "Exports"
	handle(s, operation{id: "list-exports", method: "GET", path: "/v1/exports", right: rightTo(authz.Read, authz.Exports), tag: tag, summary: "List exports, newest first"},
		func(ctx context.Context, c *call, in *PageInput) (*Body[List[ExportView]], error) {
			return list(ctx, c, *in, func(tx *tenant.Tx, q cursor.Query) (cursor.Page[takeout.Export], error) {
				return takeout.Exports(ctx, tx, q)
			}, viewExport)
		})
	handle(s, operation{id: "ask-export", method: "POST", path: "/v1/exports", right: rightTo(authz.Create, authz.Exports), tag: tag, summary: "Ask for an export", status: http.StatusCreated,
		more: " What is in it takes its own right besides, such as customers:export. It is made in the background: look at its state until it is ready. It can be fetched for seven days."},
		func(ctx context.Context, c *call, in *Create[ExportBody]) (*Versioned[ExportView], error) {
			wanted := takeout.Input{Holds: takeout.Subject(in.Body.Holds), Format: takeout.Format(in.Body.Format)}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				if err := c.mayExport(wanted.Holds); err != nil {
					return uuid.Nil, err
				}
				e, err := takeout.Ask(ctx, tx, wanted)
				return e.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (ExportView, int, error) {
				return readExport(ctx)(tx, takeout.ID{UUID: made})
			})
		})
	handle(s, operation{id: "get-export", method: "GET", path: "/v1/exports/{id}", right: rightTo(authz.Read, authz.Exports), tag: tag, summary: "See how far an export is"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[ExportView], error) {
			return read(ctx, c, in.ID, readExport(ctx))
		})
	handle(s, operation{id: "fetch-export", method: "GET", path: "/v1/exports/{id}/file", right: rightTo(authz.Read, authz.Exports), tag: tag, summary: "Fetch the file of an export",
		more: " What is in it takes its own right besides."}, serveExport)
	handle(s, operation{id: "cancel-export", method: "POST", path: "/v1/exports/{id}/cancel", right: rightTo(authz.Create, authz.Exports), tag: tag, summary: "Cancel an export that is being made"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[ExportView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, export takeout.ID, _ int) (ExportView, int, error) {
				e, err := takeout.Cancel(ctx, tx, export)
				return viewExport(e), 0, err
			})
		})
	handle(s, operation{id: "delete-export", method: "DELETE", path: "/v1/exports/{id}", right: rightTo(authz.Delete, authz.Exports), tag: tag, summary: "Delete an export with its file", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *ByID) (*struct{}, error) {
			export, err := pathID[takeout.Export](in.ID)
			if err != nil {
				return nil, err
			}
			return nil, c.do(ctx, func(tx *tenant.Tx) error { return takeout.Remove(ctx, tx, export) })
		})
}

// serveExport streams the file, so that its size costs no memory.
func serveExport(ctx context.Context, c *call, in *ByID) (*huma.StreamResponse, error) {
	export, err := pathID[takeout.Export](in.ID)
	if err != nil {
		return nil, err
	}
	f, err := c.fetchExport(ctx, export)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c.stream(ctx, humafiber.Unwrap(hc), attachmentAs(f.Name), f.MediaType, func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error {
			return file.Write(ctx, run, f, w)
		})
	}}, nil
}
