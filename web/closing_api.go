package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

// ClosingView is how far the books are closed.
type ClosingView struct {
	Through *string      `json:"books_closed_through" doc:"Nothing is posted on or before this date; null: all days are open"`
	Years   []ClosedYear `json:"years" doc:"The newest first"`
}

// ClosedYear is an entry that closed a year.
type ClosedYear struct {
	Date      string `json:"date"`
	EntryID   string `json:"journal_entry_id"`
	TakenBack string `json:"reversed_by,omitempty" doc:"The entry that took it back when the year was reopened"`
}

// CloseBody closes the books.
type CloseBody struct {
	Through string `json:"through" maxLength:"10" doc:"After the day that they are closed through, and today at most"`
	YearEnd bool   `json:"year_end,omitempty" doc:"Move income and expenses to the result brought forward"`
}

// ReopenBody opens days again.
type ReopenBody struct {
	Through string `json:"through,omitempty" maxLength:"10" doc:"Stays closed; left out, all days are opened"`
}

func closingView(ctx context.Context, tx *tenant.Tx) (v ClosingView, err error) {
	settings, err := billing.LoadSettings(ctx, tx)
	if err != nil {
		return v, err
	}
	years, err := ledger.Closings(ctx, tx)
	v = ClosingView{Through: dateText(settings.BooksClosedThrough), Years: []ClosedYear{}}
	for _, y := range years {
		v.Years = append(v.Years, ClosedYear{y.Date.String(), y.ID.String(), idText(y.ReversedBy)})
	}
	return v, err
}

func (s *Server) registerClosingAPI() {
	const tag = "Journal"
	reading, closing := rightTo(authz.Read, authz.Journal), rightTo(authz.Approve, authz.Journal)
	handle(s, operation{id: "read-closing", method: "GET", path: "/v1/closing", right: reading, tag: tag, summary: "How far the books are closed"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[ClosingView], error) {
			return changeClosing(ctx, c, func(*tenant.Tx) error { return nil })
		})
	handle(s, operation{id: "close-books", method: "POST", path: "/v1/closing/close", right: closing, tag: tag, summary: "Close the books through a day, and a year with them"},
		func(ctx context.Context, c *call, in *struct{ Body CloseBody }) (*Body[ClosingView], error) {
			through, err := bodyDate("through", in.Body.Through)
			if err != nil {
				return nil, err
			}
			return changeClosing(ctx, c, func(tx *tenant.Tx) error { return ledger.CloseBooks(ctx, tx, through, in.Body.YearEnd) })
		})
	handle(s, operation{id: "reopen-books", method: "POST", path: "/v1/closing/reopen", right: closing, tag: tag, summary: "Open days again, and take back what closed a year there"},
		func(ctx context.Context, c *call, in *struct{ Body ReopenBody }) (*Body[ClosingView], error) {
			through, err := bodyDate("through", in.Body.Through)
			if err != nil {
				return nil, err
			}
			return changeClosing(ctx, c, func(tx *tenant.Tx) error { return ledger.ReopenBooks(ctx, tx, through) })
		})
}

func changeClosing(ctx context.Context, c *call, change func(tx *tenant.Tx) error) (*Body[ClosingView], error) {
	out := &Body[ClosingView]{}
	err := c.do(ctx, func(tx *tenant.Tx) (err error) {
		if err := change(tx); err != nil {
			return err
		}
		out.Body, err = closingView(ctx, tx)
		return err
	})
	return out, err
}
