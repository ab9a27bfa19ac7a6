package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerBankRulePages() {
	create, change := rightTo(authz.Create, authz.Bank), rightTo(authz.Change, authz.Bank)
	s.member("GET", "/bank-rules", rightTo(authz.Read, authz.Bank), func(v *visit) error { return showBankRules(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/bank-rules/new", create, func(v *visit) error { return showNewBankRule(v, http.StatusOK, nil) })
	s.member("POST", "/bank-rules", create, sendBankRule)
	s.member("GET", "/bank-rules/:id", change, func(v *visit) error { return showBankRule(v, http.StatusOK, nil) })
	s.member("POST", "/bank-rules/:id", change, sendBankRuleChange)
	s.member("POST", "/bank-rules/:id/raise", change, func(v *visit) error {
		return actOnRule(v, "Rule moved up", func(ctx context.Context, tx *tenant.Tx, rule bank.RuleID, _ int) error {
			_, err := bank.RaiseRule(ctx, tx, rule)
			return err
		})
	})
	s.member("POST", "/bank-rules/:id/delete", rightTo(authz.Delete, authz.Bank), func(v *visit) error { return actOnRule(v, "Rule deleted", bank.DeleteRule) })
}

func showBankRules(v *visit, status int, form page.Form) error {
	return v.show(status, "bank-rules", func(tx *tenant.Tx) (any, error) {
		data := page.BankRules{Form: form}
		var err error
		if data.Shell, err = v.frame(tx, "Rules", "bank"); err != nil {
			return nil, err
		}
		rules, err := bank.Rules(v.ctx, tx)
		for n, r := range rules {
			shown := page.BankRule{Rule: r}
			if n > 0 && v.may(rightTo(authz.Change, authz.Bank)) {
				shown.Acts = []page.Act{{URL: v.at("bank-rules", r.ID.String(), "raise"), Label: "Move up", Icon: "chevrons-up-down", Class: "btn-small", Key: newFormKey(), Version: r.Version}}
			}
			data.Items = append(data.Items, shown)
		}
		return data, err
	})
}

func actOnRule(v *visit, said string, act func(ctx context.Context, tx *tenant.Tx, rule bank.RuleID, version int) error) error {
	i, err := idParam[bank.Rule](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error { return act(v.ctx, tx, i, version) }, func() string {
		say(v.c, said)
		return v.at("bank-rules")
	}, func(form page.Form) error {
		err := v.run(func(tx *tenant.Tx) error {
			_, err := bank.RuleByID(v.ctx, tx, i)
			return err
		})
		if err != nil {
			return err
		}
		return showBankRules(v, http.StatusUnprocessableEntity, page.Form{Faults: form.Faults})
	})
}

func bankRuleBody(sent url.Values) BankRuleBody {
	value := func(name string) string { return strings.TrimSpace(sent.Get(name)) }
	return BankRuleBody{BankAccountID: value("bank_account_id"), Words: value("words"), Way: value("way"), Direction: value("direction"), Least: value("least"), Most: value("most"),
		AccountID: value("account_id"), TaxCode: value("tax_code"), Description: value("description"), Automatic: sent.Get("automatic") != ""}
}

func bankRuleEditor(v *visit, tx *tenant.Tx, data page.BankRuleForm, title string) (any, error) {
	var err error
	if data.Shell, err = v.frame(tx, title, "bank"); err != nil {
		return nil, err
	}
	banks, err := bank.Accounts(v.ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, b := range banks {
		data.Banks = append(data.Banks, page.Option{Value: b.ID.String(), Label: b.Code + " " + b.Name})
	}
	if data.Taxes, err = bankTaxes(v, tx, data.Form.Value("tax_code")); err != nil {
		return nil, err
	}
	accounts, err := ledger.Accounts(v.ctx, tx)
	usable := inUse(data.Form.Value("account_id"))
	data.Accounts = accountOptions(accounts, func(a ledger.Account) bool {
		return a.Purpose != ledger.Receivable && a.Purpose != "payable" && usable(a)
	})
	return data, err
}

func showNewBankRule(v *visit, status int, refused *page.Form) error {
	return v.show(status, "bank-rule-edit", func(tx *tenant.Tx) (any, error) {
		form := orFresh(refused, func() page.Form { return page.NewForm("way", bank.Contains, "direction", "") })
		return bankRuleEditor(v, tx, page.BankRuleForm{Form: form, Action: v.at("bank-rules"), Back: v.at("bank-rules"), Does: "Add rule"}, "Add rule")
	})
}

func sendBankRule(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		in, err := bankRuleBody(sent).input()
		if err != nil {
			return uuid.Nil, err
		}
		r, err := bank.AddRule(v.ctx, tx, in)
		return r.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Rule added")
		return v.at("bank-rules")
	}, func(form page.Form) error { return showNewBankRule(v, http.StatusUnprocessableEntity, &form) })
}

func showBankRule(v *visit, status int, refused *page.Form) error {
	i, err := idParam[bank.Rule](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "bank-rule-edit", func(tx *tenant.Tx) (any, error) {
		r, err := bank.RuleByID(v.ctx, tx, i)
		if err != nil {
			return nil, err
		}
		b := viewBankRule(r)
		form := orFresh(refused, func() page.Form {
			f := page.NewForm("words", b.Words, "way", b.Way, "direction", b.Direction, "least", b.Least, "most", b.Most, "bank_account_id", b.BankAccountID,
				"account_id", b.AccountID, "tax_code", b.TaxCode, "description", b.Description, "version", strconv.Itoa(r.Version))
			if b.Automatic {
				f.Values.Set("automatic", "yes")
			}
			return f
		})
		renewVersion(&form, r.Version)
		at := v.at("bank-rules", i.String())
		data := page.BankRuleForm{Form: form, Action: at, Back: v.at("bank-rules"), Does: "Save rule"}
		if v.may(rightTo(authz.Delete, authz.Bank)) {
			data.Acts = []page.Act{{URL: at + "/delete", Label: "Delete", Icon: "trash-2", Class: "btn-danger", Ask: "What it booked stays booked.", Does: "Delete rule", Key: newFormKey(), Version: r.Version}}
		}
		return bankRuleEditor(v, tx, data, "Change rule")
	})
}

func sendBankRuleChange(v *visit) error {
	i, err := idParam[bank.Rule](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return i.UUID, err
		}
		in, err := bankRuleBody(sent).input()
		if err != nil {
			return i.UUID, err
		}
		_, err = bank.ChangeRule(v.ctx, tx, i, version, in)
		return i.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Rule saved")
		return v.at("bank-rules")
	}, func(form page.Form) error { return showBankRule(v, http.StatusUnprocessableEntity, &form) })
}
