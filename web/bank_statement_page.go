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

func (s *Server) registerBankStatementPages() {
	read, change := rightTo(authz.Read, authz.Bank), rightTo(authz.Change, authz.Bank)
	s.member("GET", "/bank/:id/statements", read, func(v *visit) error { return showBankStatements(v, http.StatusOK, nil) })
	s.member("POST", "/bank/:id/statements", change, sendBankStatement)
	s.member("GET", "/bank-statements/:id", read, func(v *visit) error { return showBankStatement(v, http.StatusOK, nil) })
	s.member("POST", "/bank-statements/:id", change, sendBankStatementChange)
	s.member("POST", "/bank-statements/:id/finish", change, func(v *visit) error { return actOnStatement(v, "Statement finished", bank.FinishStatement) })
	s.member("POST", "/bank-statements/:id/reopen", rightTo(authz.Approve, authz.Bank), func(v *visit) error { return actOnStatement(v, "Statement reopened", bank.ReopenStatement) })
	s.member("POST", "/bank-statements/:id/discard", change, discardBankStatement)
}

func showBankStatements(v *visit, status int, refused *page.Form) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "bank-statements", func(tx *tenant.Tx) (any, error) {
		var data page.BankStatements
		var err error
		if data.Account, err = bank.AccountByID(v.ctx, tx, i); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, "Reconcile "+data.Account.Name, "bank"); err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form { return page.NewForm() })
		data.Form.Move("closing.amount", "closing")
		data.Items, err = bank.Statements(v.ctx, tx, i)
		for _, s := range data.Items {
			data.Begun = data.Begun || s.Finished == nil
		}
		return data, err
	})
}

// bankStatementInput reads a statement's day and balance.
func bankStatementInput(sent url.Values, currency string) (bank.StatementInput, error) {
	return BankStatementBody{sent.Get("ends_on"), Money{strings.TrimSpace(sent.Get("closing")), currency}}.input()
}

func sendBankStatement(v *visit) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		a, err := bank.AccountByID(v.ctx, tx, i)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := bankStatementInput(sent, a.Currency.Code())
		if err != nil {
			return uuid.Nil, err
		}
		s, err := bank.BeginStatement(v.ctx, tx, i, in)
		return s.ID.UUID, err
	}, func(made uuid.UUID) string { return v.at("bank-statements", made.String()) },
		func(form page.Form) error { return showBankStatements(v, http.StatusUnprocessableEntity, &form) })
}

func showBankStatement(v *visit, status int, refused *page.Form) error {
	i, err := idParam[bank.Statement](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "bank-statement", func(tx *tenant.Tx) (any, error) {
		var data page.BankStatement
		var err error
		if data.Statement, err = bank.StatementByID(v.ctx, tx, i); err != nil {
			return nil, err
		}
		s := data.Statement
		if data.Account, err = bank.AccountByID(v.ctx, tx, s.Account); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, "Statement through "+s.EndsOn.String(), "bank"); err != nil {
			return nil, err
		}
		if data.Difference, err = s.Difference(); err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("ends_on", s.EndsOn.String(), "closing", s.Closing.String(), "version", strconv.Itoa(s.Version))
		})
		data.Form.Move("closing.amount", "closing")
		renewVersion(&data.Form, s.Version)
		if data.Form.Value("ends_on") == "" { // a button was refused
			data.Form.Values.Set("ends_on", s.EndsOn.String())
			data.Form.Values.Set("closing", s.Closing.String())
		}
		all, err := bank.Statements(v.ctx, tx, s.Account)
		if err != nil {
			return nil, err
		}
		data.First = all[len(all)-1].ID == s.ID
		bankStatementActs(v, &data)
		lines, err := bank.StatementLines(v.ctx, tx, s)
		for _, l := range lines {
			data.Lines = append(data.Lines, page.BankLine{Line: l, EntryURL: v.at("journal", l.Entry.String())})
		}
		return data, err
	})
}

func bankStatementActs(v *visit, data *page.BankStatement) {
	s := data.Statement
	act := func(name, label, icon, class, ask string) page.Act {
		return page.Act{URL: v.at("bank-statements", s.ID.String(), name), Label: label, Icon: icon, Class: class, Ask: ask, Key: newFormKey(), Version: s.Version}
	}
	switch {
	case s.Finished != nil:
		if s.Newest && v.may(rightTo(authz.Approve, authz.Bank)) {
			data.Acts = []page.Act{act("reopen", "Reopen", "undo-2", "", "Its lines can be changed again. Your books may no longer agree with what you reconciled.")}
		}
	case v.may(rightTo(authz.Change, authz.Bank)):
		data.Acts = []page.Act{act("discard", "Discard", "trash-2", "", "The lines stay matched. Only this comparison is given up.")}
		data.Finish = act("finish", "Finish", "lock", "btn-primary", "")
	}
}

func actOnStatement(v *visit, said string, act func(ctx context.Context, tx *tenant.Tx, i bank.StatementID, version int) (bank.Statement, error)) error {
	i, err := idParam[bank.Statement](v, "id")
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error {
		_, err := act(v.ctx, tx, i, version)
		return err
	}, func() string {
		say(v.c, said)
		return v.at("bank-statements", i.String())
	}, func(form page.Form) error { return showBankStatement(v, http.StatusUnprocessableEntity, &form) })
}

func sendBankStatementChange(v *visit) error {
	i, err := idParam[bank.Statement](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return i.UUID, err
		}
		s, err := bank.StatementByID(v.ctx, tx, i)
		if err != nil {
			return i.UUID, err
		}
		in, err := bankStatementInput(sent, s.Closing.Currency.Code())
		if err != nil {
			return i.UUID, err
		}
		_, err = bank.ChangeStatement(v.ctx, tx, i, version, in)
		return i.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Statement saved")
		return v.at("bank-statements", i.String())
	}, func(form page.Form) error { return showBankStatement(v, http.StatusUnprocessableEntity, &form) })
}

func discardBankStatement(v *visit) error {
	i, err := idParam[bank.Statement](v, "id")
	if err != nil {
		return err
	}
	var of ledger.AccountID
	err = v.run(func(tx *tenant.Tx) error {
		s, err := bank.StatementByID(v.ctx, tx, i)
		of = s.Account
		return err
	})
	if err != nil {
		return err
	}
	return v.act(func(tx *tenant.Tx, version int) error { return bank.DiscardStatement(v.ctx, tx, i, version) }, func() string {
		say(v.c, "Statement discarded")
		return v.at("bank", of.String(), "statements")
	}, func(form page.Form) error { return showBankStatement(v, http.StatusUnprocessableEntity, &form) })
}
