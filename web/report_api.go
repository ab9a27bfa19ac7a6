package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
)

// LedgerAccountView is an account of the general ledger over a period.
type LedgerAccountView struct {
	AccountID string           `json:"account_id"`
	Code      string           `json:"code"`
	Name      string           `json:"name"`
	Kind      string           `json:"kind"`
	Opening   Money            `json:"opening" doc:"Debit balances are positive, credit balances negative"`
	Debit     Money            `json:"debit"`
	Credit    Money            `json:"credit"`
	Closing   Money            `json:"closing"`
	Lines     []LedgerLineView `json:"lines,omitempty" doc:"When one account is asked for"`
	Truncated bool             `json:"truncated,omitempty" doc:"There are more lines: ask for a shorter period"`
}

// LedgerLineView is one line on an account.
type LedgerLineView struct {
	EntryID     string `json:"journal_entry_id"`
	Number      int64  `json:"number"`
	Date        string `json:"date"`
	Description string `json:"description"`
	Party       string `json:"party,omitempty"`
	Amount      Money  `json:"amount" doc:"Debits are positive, credits negative"`
	Balance     Money  `json:"balance" doc:"After this line"`
}

// TrialBalanceView is the trial balance of a period.
type TrialBalanceView struct {
	Rows   []LedgerAccountView     `json:"rows"`
	Totals []TrialBalanceTotalView `json:"totals" doc:"One for each currency"`
}

// TrialBalanceTotalView sums a trial balance in one currency.
type TrialBalanceTotalView struct {
	Debit   Money `json:"debit"`
	Credit  Money `json:"credit"`
	Closing Money `json:"closing" doc:"Nothing, always"`
}

// CustomerBalanceView is what a customer owes in one currency.
type CustomerBalanceView struct {
	CustomerID   string `json:"customer_id"`
	Name         string `json:"name"`
	Owed         Money  `json:"owed"`
	Overdue      Money  `json:"overdue"`
	OpenInvoices int    `json:"open_invoices"`
}

// PeriodInput asks for a span of days. It is exported because huma passes over embedded fields that are not.
type PeriodInput struct {
	From string `query:"from" doc:"Left out, from the beginning" maxLength:"10"`
	To   string `query:"to" doc:"Left out, to the end" maxLength:"10"`
}

func (in PeriodInput) period() (p report.Period, err error) {
	if p.From, err = bodyDate("from", in.From); err != nil {
		return p, err
	}
	p.To, err = bodyDate("to", in.To)
	return p, err
}

type ledgerInput struct {
	PeriodInput
	AccountID string `query:"account_id" doc:"One account, with its lines" maxLength:"36"`
}

type asOfInput struct {
	AsOf string `query:"as_of" doc:"Left out, today" maxLength:"10"`
}

func viewLedgerAccount(a report.LedgerAccount) LedgerAccountView {
	v := LedgerAccountView{AccountID: a.ID.String(), Code: a.Code, Name: a.Name, Kind: string(a.Kind), Opening: moneyOf(a.Opening),
		Debit: moneyOf(a.Debit), Credit: moneyOf(a.Credit), Closing: moneyOf(a.Closing), Truncated: a.Truncated}
	for _, l := range a.Lines {
		v.Lines = append(v.Lines, LedgerLineView{EntryID: l.Entry.String(), Number: l.Number, Date: l.Date.String(),
			Description: l.Description, Party: l.Party, Amount: moneyOf(l.Amount), Balance: moneyOf(l.Balance)})
	}
	return v
}

func viewTrialBalance(t report.TrialBalance) TrialBalanceView {
	v := TrialBalanceView{Rows: []LedgerAccountView{}, Totals: []TrialBalanceTotalView{}}
	for _, r := range t.Rows {
		v.Rows = append(v.Rows, LedgerAccountView{AccountID: r.Account.String(), Code: r.Code, Name: r.Name, Kind: string(r.Kind),
			Opening: moneyOf(r.Opening), Debit: moneyOf(r.Debit), Credit: moneyOf(r.Credit), Closing: moneyOf(r.Closing)})
	}
	for _, r := range t.Totals {
		v.Totals = append(v.Totals, TrialBalanceTotalView{moneyOf(r.Debit), moneyOf(r.Credit), moneyOf(r.Closing)})
	}
	return v
}

func (s *Server) registerReportAPI() {
	const tag = "Reports"
	right := authz.Right{Module: authz.Reports, Action: authz.Read}
	handle(s, operation{id: "general-ledger", method: "GET", path: "/v1/reports/general-ledger", right: right, tag: tag, summary: "The general ledger of a period"},
		func(ctx context.Context, c *call, in *ledgerInput) (*Body[List[LedgerAccountView]], error) {
			period, err := in.period()
			if err != nil {
				return nil, err
			}
			account, err := bodyID[ledger.Account]("account_id", in.AccountID)
			if err != nil {
				return nil, err
			}
			out := &Body[List[LedgerAccountView]]{Body: List[LedgerAccountView]{Items: []LedgerAccountView{}}}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				accounts, err := report.GeneralLedger(ctx, tx, period, account)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, a := range accounts {
					out.Body.Items = append(out.Body.Items, viewLedgerAccount(a))
				}
				return err
			})
			return out, err
		})
	handle(s, operation{id: "trial-balance", method: "GET", path: "/v1/reports/trial-balance", right: right, tag: tag, summary: "The trial balance of a period"},
		func(ctx context.Context, c *call, in *PeriodInput) (*Body[TrialBalanceView], error) {
			period, err := in.period()
			if err != nil {
				return nil, err
			}
			out := &Body[TrialBalanceView]{}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				t, err := report.TrialBalanceOf(ctx, tx, period)
				out.Body = viewTrialBalance(t)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "customer-balances", method: "GET", path: "/v1/reports/customer-balances", right: right, tag: tag, summary: "What each customer owes"},
		func(ctx context.Context, c *call, in *asOfInput) (*Body[List[CustomerBalanceView]], error) {
			asOf, err := bodyDate("as_of", in.AsOf)
			if err != nil {
				return nil, err
			}
			out := &Body[List[CustomerBalanceView]]{Body: List[CustomerBalanceView]{Items: []CustomerBalanceView{}}}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				balances, err := report.CustomerBalances(ctx, tx, asOf)
				out.Body.Items = out.Body.Items[:0] // it may run twice
				for _, b := range balances {
					out.Body.Items = append(out.Body.Items, CustomerBalanceView{b.Customer.String(), b.Name, moneyOf(b.Owed), moneyOf(b.Overdue), b.Invoices})
				}
				return err
			})
			return out, err
		})
}
