package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerAccountPages() {
	s.member("GET", "/accounts", rightTo(authz.Read, authz.Accounts), showAccounts)
	s.member("GET", "/accounts/new", rightTo(authz.Create, authz.Accounts), func(v *visit) error { return renderNewAccount(v, http.StatusOK, keyed(page.NewForm())) })
	s.member("POST", "/accounts", rightTo(authz.Create, authz.Accounts), sendAccount)
	s.member("GET", "/accounts/:id", rightTo(authz.Change, authz.Accounts), func(v *visit) error { return showAccountEdit(v, http.StatusOK, nil, nil) })
	s.member("POST", "/accounts/:id", rightTo(authz.Change, authz.Accounts), sendAccountChange)
	registerShelfPages(s, "/accounts", authz.Accounts, ledger.ArchiveAccount, ledger.RestoreAccount,
		func(v *visit, _ ledger.AccountID) string { return v.at("accounts") },
		func(v *visit, form page.Form) error {
			return showAccountEdit(v, http.StatusUnprocessableEntity, nil, form.Faults)
		})
}

func showAccounts(v *visit) error {
	return v.show(http.StatusOK, "accounts", func(tx *tenant.Tx) (any, error) {
		data := page.Accounts{Archived: v.query("archived") != "", Tabs: v.usedTabs("accounts")}
		var err error
		if data.Shell, err = v.frame(tx, "Accounts", "accounts"); err != nil {
			return nil, err
		}
		accounts, err := ledger.Accounts(v.ctx, tx)
		for _, kind := range page.KindNames {
			group := page.AccountGroup{Name: kind.Name}
			for _, a := range accounts {
				if a.Kind == kind.Kind && a.Archived == data.Archived {
					group.Accounts = append(group.Accounts, a)
				}
			}
			if len(group.Accounts) > 0 {
				data.Groups = append(data.Groups, group)
			}
		}
		return data, err
	})
}

func renderNewAccount(v *visit, status int, form page.Form) error {
	return v.show(status, "account-edit", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Add account", "accounts")
		return page.AccountForm{Shell: shell, Form: form, Action: v.at("accounts"), Does: "Add account"}, err
	})
}

func sendAccount(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		made, err := ledger.AddAccount(v.ctx, tx, ledger.AccountInput{Code: sent.Get("code"), Name: sent.Get("name"), Kind: ledger.Kind(sent.Get("kind"))})
		return made.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Account added")
		return v.at("accounts")
	}, func(form page.Form) error { return renderNewAccount(v, http.StatusUnprocessableEntity, form) })
}

// showAccountEdit shows an account's form: as it was refused, or afresh with what an act beside it was refused for.
func showAccountEdit(v *visit, status int, refused *page.Form, acting fault.List) error {
	id, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "account-edit", func(tx *tenant.Tx) (any, error) {
		a, err := ledger.AccountByID(v.ctx, tx, id)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form { return page.NewForm("name", a.Name, "version", strconv.Itoa(a.Version)) })
		form.Faults = append(form.Faults, acting...)
		renewVersion(&form, a.Version)
		at := v.at("accounts", id.String())
		data := page.AccountForm{Form: form, Action: at, Does: "Rename account", Account: &a}
		// What the books post to by themselves cannot go.
		if a.Purpose == "" && v.may(rightTo(authz.Delete, authz.Accounts)) {
			data.Acts = append(data.Acts, archiveAct(at, a.Archived, a.Version))
		}
		data.Shell, err = v.frame(tx, a.Code+" "+a.Name, "accounts")
		return data, err
	})
}

func sendAccountChange(v *visit) error {
	id, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return id.UUID, err
		}
		_, err = ledger.RenameAccount(v.ctx, tx, id, version, sent.Get("name"))
		return id.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Account renamed")
		return v.at("accounts")
	}, func(form page.Form) error {
		return showAccountEdit(v, http.StatusUnprocessableEntity, &form, nil)
	})
}
