package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

// BankStatementBody is what stands on a bank's statement.
type BankStatementBody struct {
	EndsOn  string `json:"ends_on" example:"2026-10-31"`
	Closing Money  `json:"closing"`
}

// BankStatementView is a statement that an account is or was reconciled with.
type BankStatementView struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id"`
	EndsOn     string     `json:"ends_on"`
	Opening    Money      `json:"opening"`
	Cleared    Money      `json:"cleared" doc:"What its matched lines come to"`
	Closing    Money      `json:"closing"`
	Difference Money      `json:"difference" doc:"Nothing, when it can be finished"`
	Lines      int        `json:"lines"`
	ToLookAt   int        `json:"to_look_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

func (b BankStatementBody) input() (in bank.StatementInput, err error) {
	if in.EndsOn, err = bodyDate("ends_on", b.EndsOn); err != nil {
		return in, err
	}
	in.Closing, err = b.Closing.parse("closing")
	return in, err
}

func viewBankStatement(s bank.Statement) (BankStatementView, int, error) {
	difference, err := s.Difference()
	return BankStatementView{s.ID.String(), s.Account.String(), s.EndsOn.String(), moneyOf(s.Opening), moneyOf(s.Cleared), moneyOf(s.Closing), moneyOf(difference),
		s.Lines, s.ToLookAt, s.Finished}, s.Version, err
}

func (s *Server) registerBankStatementAPI() {
	reading, changing := rightTo(authz.Read, authz.Bank), rightTo(authz.Change, authz.Bank)
	one := func(ctx context.Context, tx *tenant.Tx, i bank.StatementID) (BankStatementView, int, error) {
		s, err := bank.StatementByID(ctx, tx, i)
		if err != nil {
			return BankStatementView{}, 0, err
		}
		return viewBankStatement(s)
	}
	handle(s, operation{id: "list-bank-statements", method: "GET", path: "/v1/bank-accounts/{id}/statements", right: reading, tag: bankTag, summary: "List an account's statements, the newest first"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[List[BankStatementView]], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i ledger.AccountID) (List[BankStatementView], int, error) {
				out := List[BankStatementView]{Items: []BankStatementView{}}
				all, err := bank.Statements(ctx, tx, i)
				for _, s := range all {
					view, _, err := viewBankStatement(s)
					if err != nil {
						return out, 0, err
					}
					out.Items = append(out.Items, view)
				}
				return out, 0, err
			})
		})
	handle(s, operation{id: "begin-bank-statement", method: "POST", path: "/v1/bank-accounts/{id}/statements", right: changing, tag: bankTag, summary: "Begin to reconcile an account with a statement", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *createUnder[BankStatementBody]) (*Versioned[BankStatementView], error) {
			i, err := pathID[ledger.Account](in.ID)
			if err != nil {
				return nil, err
			}
			statement, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				s, err := bank.BeginStatement(ctx, tx, i, statement)
				return s.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BankStatementView, int, error) {
				return one(ctx, tx, bank.StatementID{UUID: made})
			})
		})
	handle(s, operation{id: "get-bank-statement", method: "GET", path: "/v1/bank-statements/{id}", right: reading, tag: bankTag, summary: "Read a statement"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BankStatementView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i bank.StatementID) (BankStatementView, int, error) { return one(ctx, tx, i) })
		})
	handle(s, operation{id: "change-bank-statement", method: "PUT", path: "/v1/bank-statements/{id}", right: changing, tag: bankTag, summary: "Change the day and balance of a statement that is under way"},
		func(ctx context.Context, c *call, in *Change[BankStatementBody]) (*Versioned[BankStatementView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.StatementID, version int) (BankStatementView, int, error) {
				statement, err := in.Body.input()
				if err != nil {
					return BankStatementView{}, 0, err
				}
				s, err := bank.ChangeStatement(ctx, tx, i, version, statement)
				if err != nil {
					return BankStatementView{}, 0, err
				}
				return viewBankStatement(s)
			})
		})
	for _, act := range []struct {
		name, summary string
		right         authz.Right
		do            func(ctx context.Context, tx *tenant.Tx, i bank.StatementID, version int) (bank.Statement, error)
	}{{"finish", "Finish a statement whose matched lines come to its balance; they are locked", changing, bank.FinishStatement},
		{"reopen", "Reopen the newest statement", rightTo(authz.Approve, authz.Bank), bank.ReopenStatement}} {
		handle(s, operation{id: act.name + "-bank-statement", method: "POST", path: "/v1/bank-statements/{id}/" + act.name, right: act.right, tag: bankTag, summary: act.summary},
			func(ctx context.Context, c *call, in *Act) (*Versioned[BankStatementView], error) {
				return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.StatementID, version int) (BankStatementView, int, error) {
					s, err := act.do(ctx, tx, i, version)
					if err != nil {
						return BankStatementView{}, 0, err
					}
					return viewBankStatement(s)
				})
			})
	}
	handle(s, operation{id: "discard-bank-statement", method: "DELETE", path: "/v1/bank-statements/{id}", right: changing, tag: bankTag, summary: "Give up a statement that is under way", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			_, err := change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.StatementID, version int) (struct{}, int, error) {
				return struct{}{}, 0, bank.DiscardStatement(ctx, tx, i, version)
			})
			return nil, err
		})
}
