package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// BankRuleBody is a rule.
type BankRuleBody struct {
	BankAccountID string `json:"bank_account_id,omitempty" doc:"Left out: all bank accounts"`
	Words         string `json:"words" doc:"Capital and small letters are the same" example:"monthly fee"`
	Way           string `json:"way" doc:"contains, starts or equals" example:"contains"`
	Direction     string `json:"direction,omitempty" doc:"in or out; left out, both"`
	Least         string `json:"least,omitempty" doc:"Decimal, without a sign"`
	Most          string `json:"most,omitempty"`
	AccountID     string `json:"account_id" doc:"Where lines are booked to"`
	TaxCode       string `json:"tax_code,omitempty" doc:"The rate or group whose tax is in the amount" maxLength:"20"`
	Description   string `json:"description,omitempty" doc:"Of the entries"`
	Automatic     bool   `json:"automatic,omitempty" doc:"Books by itself when a file is imported; otherwise it is a suggestion"`
}

// BankRuleView is a rule as a program reads it.
type BankRuleView struct {
	ID string `json:"id"`
	BankRuleBody
	Position int `json:"position" doc:"The first that fits counts"`
}

func (b BankRuleBody) input() (in bank.RuleInput, err error) {
	in = bank.RuleInput{Words: b.Words, Way: b.Way, Direction: b.Direction, Tax: b.TaxCode, Say: b.Description, Automatic: b.Automatic}
	var faults fault.List
	in.Bank, err = bodyID[ledger.Account]("bank_account_id", b.BankAccountID)
	faults.Add("", err)
	in.BookTo, err = bodyID[ledger.Account]("account_id", b.AccountID)
	faults.Add("", err)
	for _, bound := range []struct {
		field, text string
		kept        **decimal.Decimal
	}{{"least", b.Least, &in.Least}, {"most", b.Most, &in.Most}} {
		if bound.text == "" {
			continue
		}
		d, err := money.ParseDecimal(bound.text, bank.RuleIntDigits, bank.RuleFracDigits)
		faults.Add(bound.field, err)
		*bound.kept = &d
	}
	return in, faults.Err()
}

func viewBankRule(r bank.Rule) BankRuleView {
	bound := func(d *decimal.Decimal) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	return BankRuleView{ID: r.ID.String(), Position: r.Position, BankRuleBody: BankRuleBody{idText(r.Bank), r.Words, r.Way, r.Direction, bound(r.Least), bound(r.Most),
		r.BookTo.String(), r.Tax, r.Say, r.Automatic}}
}

func (s *Server) registerBankRuleAPI() {
	changing := rightTo(authz.Change, authz.Bank)
	handle(s, operation{id: "list-bank-rules", method: "GET", path: "/v1/bank-rules", right: rightTo(authz.Read, authz.Bank), tag: bankTag, summary: "List rules in their order"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[List[BankRuleView]], error) {
			return bankList(ctx, c, func(tx *tenant.Tx) ([]bank.Rule, error) { return bank.Rules(ctx, tx) }, viewBankRule)
		})
	handle(s, operation{id: "add-bank-rule", method: "POST", path: "/v1/bank-rules", right: rightTo(authz.Create, authz.Bank), tag: bankTag, summary: "Add a rule behind the others", status: http.StatusCreated},
		func(ctx context.Context, c *call, in *Create[BankRuleBody]) (*Versioned[BankRuleView], error) {
			rule, err := in.Body.input()
			if err != nil {
				return nil, err
			}
			return create(ctx, c, func(tx *tenant.Tx) (uuid.UUID, error) {
				r, err := bank.AddRule(ctx, tx, rule)
				return r.ID.UUID, err
			}, func(tx *tenant.Tx, made uuid.UUID) (BankRuleView, int, error) {
				r, err := bank.RuleByID(ctx, tx, bank.RuleID{UUID: made})
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "get-bank-rule", method: "GET", path: "/v1/bank-rules/{id}", right: rightTo(authz.Read, authz.Bank), tag: bankTag, summary: "Read a rule"},
		func(ctx context.Context, c *call, in *ByID) (*Versioned[BankRuleView], error) {
			return read(ctx, c, in.ID, func(tx *tenant.Tx, i bank.RuleID) (BankRuleView, int, error) {
				r, err := bank.RuleByID(ctx, tx, i)
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "change-bank-rule", method: "PUT", path: "/v1/bank-rules/{id}", right: changing, tag: bankTag, summary: "Change a rule for the files to come"},
		func(ctx context.Context, c *call, in *Change[BankRuleBody]) (*Versioned[BankRuleView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.RuleID, version int) (BankRuleView, int, error) {
				rule, err := in.Body.input()
				if err != nil {
					return BankRuleView{}, 0, err
				}
				r, err := bank.ChangeRule(ctx, tx, i, version, rule)
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "raise-bank-rule", method: "POST", path: "/v1/bank-rules/{id}/raise", right: changing, tag: bankTag, summary: "Let a rule count before the one above it"},
		func(ctx context.Context, c *call, in *Act) (*Versioned[BankRuleView], error) {
			return change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.RuleID, _ int) (BankRuleView, int, error) {
				r, err := bank.RaiseRule(ctx, tx, i)
				return viewBankRule(r), r.Version, err
			})
		})
	handle(s, operation{id: "delete-bank-rule", method: "DELETE", path: "/v1/bank-rules/{id}", right: rightTo(authz.Delete, authz.Bank), tag: bankTag, summary: "Delete a rule; what it booked stays", status: http.StatusNoContent},
		func(ctx context.Context, c *call, in *Act) (*struct{}, error) {
			_, err := change(ctx, c, in.ID, in.IfMatch, func(tx *tenant.Tx, i bank.RuleID, version int) (struct{}, int, error) {
				return struct{}{}, 0, bank.DeleteRule(ctx, tx, i, version)
			})
			return nil, err
		})
}
