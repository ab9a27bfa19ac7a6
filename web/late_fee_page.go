package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// LateFeesBody is what is charged for invoices that are overdue.
type LateFeesBody struct {
	Percent string `json:"percent,omitempty" doc:"Of what is open; this or an amount. With neither no fees are charged" example:"1.5"`
	Amount  *Money `json:"amount,omitempty" doc:"In the currency of the books"`
	Days    int    `json:"days" doc:"After the due date, 1 to 365" example:"14"`
	Monthly bool   `json:"monthly,omitempty" doc:"Another fee each month after the first"`
}

// LateFeesView is what is charged, and since when.
type LateFeesView struct {
	LateFeesBody
	Since *string `json:"since,omitempty" doc:"Fees that were due before are not charged"`
}

func (b LateFeesBody) input(base money.Currency) (in billing.LateFees, err error) {
	var faults fault.List
	in = billing.LateFees{Amount: money.Amount{Currency: base}, Days: b.Days, Monthly: b.Monthly}
	if b.Percent != "" {
		in.Percent, err = money.ParseDecimal(b.Percent, money.PercentIntDigits, money.PercentFracDigits)
		faults.Add("percent", err)
	}
	if b.Amount != nil {
		in.Amount, err = b.Amount.parse("amount")
		faults.Add("amount", err)
	}
	return in, faults.Err()
}

func viewLateFees(l billing.LateFees) LateFeesView {
	v := LateFeesView{LateFeesBody: LateFeesBody{Percent: percentText(l.Percent), Days: l.Days, Monthly: l.Monthly}, Since: dateText(l.Since)}
	if l.Amount.Sign() > 0 {
		amount := moneyOf(l.Amount)
		v.Amount = &amount
	}
	return v
}

// LateFeeView is a fee that was charged for an invoice.
type LateFeeView struct {
	InvoiceID string `json:"invoice_id" doc:"The fee's own invoice; void it to waive the fee"`
	Number    string `json:"number"`
	Date      string `json:"date"`
	Step      int    `json:"step" doc:"Which fee for the same invoice, from 1"`
	Total     Money  `json:"total"`
	Standing  string `json:"standing"`
}

type lateFeesChange struct {
	IfMatch
	Body LateFeesBody
}

func (s *Server) registerLateFees() {
	const tag = "Settings"
	s.member("GET", "/settings/late-fees", rightTo(authz.Read, authz.Settings), func(v *visit) error { return showLateFees(v, http.StatusOK, nil) })
	s.member("POST", "/settings/late-fees", rightTo(authz.Change, authz.Settings), sendLateFees)
	handle(s, operation{id: "get-late-fees", method: "GET", path: "/v1/settings/late-fees", right: rightTo(authz.Read, authz.Settings), tag: tag, summary: "Read what is charged for overdue invoices"},
		func(ctx context.Context, c *call, _ *struct{}) (out *Versioned[LateFeesView], err error) {
			err = c.do(ctx, func(tx *tenant.Tx) error {
				l, err := billing.LoadLateFees(ctx, tx)
				out = versioned(viewLateFees(l), l.Version)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "change-late-fees", method: "PUT", path: "/v1/settings/late-fees", right: rightTo(authz.Change, authz.Settings), tag: tag, summary: "Decide what is charged for overdue invoices"},
		func(ctx context.Context, c *call, in *lateFeesChange) (out *Versioned[LateFeesView], err error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				l, err := changeLateFees(ctx, tx, version, in.Body)
				out = versioned(viewLateFees(l), l.Version)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "list-late-fees", method: "GET", path: "/v1/invoices/{id}/late-fees", right: rightTo(authz.Read, authz.Invoices), tag: "Invoices", summary: "List the late fees that were charged for an invoice"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[LateFeeView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i billing.InvoiceID) (List[LateFeeView], int, error) {
				views := List[LateFeeView]{Items: []LateFeeView{}}
				if _, err := billing.InvoiceByID(ctx, tx, i); err != nil {
					return views, 0, err
				}
				fees, err := billing.LateFeesOf(ctx, tx, i)
				for _, f := range fees {
					views.Items = append(views.Items, LateFeeView{f.Invoice.String(), f.Number, f.Date.String(), f.Step, moneyOf(f.Total), string(f.Standing)})
				}
				return views, 0, err
			})
		})
}

func changeLateFees(ctx context.Context, tx *tenant.Tx, version int, body LateFeesBody) (billing.LateFees, error) {
	was, err := billing.LoadLateFees(ctx, tx)
	if err != nil {
		return was, err
	}
	in, err := body.input(was.Amount.Currency)
	if err != nil {
		return was, err
	}
	return billing.ChangeLateFees(ctx, tx, version, in)
}

func showLateFees(v *visit, status int, refused *page.Form) error {
	return v.show(status, "late-fees", func(tx *tenant.Tx) (any, error) {
		var data page.LateFees
		l, err := billing.LoadLateFees(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Currency, data.Since = l.Amount.Currency, l.Since
		data.Form = orFresh(refused, func() page.Form {
			form := page.NewForm("percent", percentText(l.Percent), "days", strconv.Itoa(l.Days), "often", "once", "version", strconv.Itoa(l.Version))
			if l.Amount.Sign() > 0 {
				form.Values.Set("amount", l.Amount.String())
			}
			if l.Monthly {
				form.Values.Set("often", "monthly")
			}
			return form
		})
		renewVersion(&data.Form, l.Version)
		data.Form.Move("amount.amount", "amount")
		data.Often = []page.Option{{Value: "once", Label: "Once"}, {Value: "monthly", Label: "Each month"}}
		data.Shell, err = v.frame(tx, "Late fees", "late-fees")
		return data, err
	})
}

func sendLateFees(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		was, err := billing.LoadLateFees(v.ctx, tx)
		if err != nil {
			return uuid.Nil, err
		}
		body := LateFeesBody{Percent: strings.TrimSpace(sent.Get("percent")), Monthly: sent.Get("often") == "monthly"}
		if written := strings.TrimSpace(sent.Get("amount")); written != "" {
			body.Amount = &Money{written, was.Amount.Currency.Code()}
		}
		if days, err := decimal.NewFromString(strings.TrimSpace(sent.Get("days"))); err == nil && days.IsInteger() && days.LessThan(decimal.NewFromInt(1000)) {
			body.Days = int(days.IntPart()) // any other is out of range
		}
		_, err = changeLateFees(v.ctx, tx, version, body)
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Late fees saved")
		return v.at("settings", "late-fees")
	}, func(form page.Form) error { return showLateFees(v, http.StatusUnprocessableEntity, &form) })
}
