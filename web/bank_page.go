package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerBankPages() {
	read, create, change := rightTo(authz.Read, authz.Bank), rightTo(authz.Create, authz.Bank), rightTo(authz.Change, authz.Bank)
	s.member("GET", "/bank", read, showBanks)
	s.member("GET", "/bank/new", create, func(v *visit) error { return showNewBank(v, http.StatusOK, nil) })
	s.member("POST", "/bank", create, sendBank)
	s.member("GET", "/bank/:id", read, func(v *visit) error { return showBankOfPath(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/bank/:id/edit", change, func(v *visit) error { return showBankEdit(v, http.StatusOK, nil) })
	s.member("POST", "/bank/:id", change, sendBankChange)
	s.member("POST", "/bank/:id/files", create, sendBankFile)
	s.member("GET", "/bank/:id/files/:file", create, func(v *visit) error { return showBankImport(v, http.StatusOK, nil) })
	s.member("POST", "/bank/:id/files/:file", create, sendBankImport)
	s.member("GET", "/bank/:id/line", create, func(v *visit) error { return showBankLineForm(v, http.StatusOK, nil) })
	s.member("POST", "/bank/:id/lines", create, sendBankLine)
	s.member("GET", "/bank/:id/outstanding", read, showBankOutstanding)
	for _, format := range fileFormats {
		s.member("GET", "/bank/:id/outstanding."+string(format), rightTo(authz.Export, authz.Bank), func(v *visit) error { return fetchBankOutstanding(v, format) })
	}
	s.member("POST", "/bank-lines/:id/match", change, sendBankMatch)
	s.member("POST", "/bank-lines/:id/undo", change, sendBankUndo)
	s.member("POST", "/bank-lines/:id/exclude", change, sendBankExclude)
}

func showBanks(v *visit) error {
	return v.show(http.StatusOK, "bank", func(tx *tenant.Tx) (any, error) {
		var data page.Banks
		var err error
		if data.Shell, err = v.frame(tx, "Bank", "bank"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Items, err = bank.Accounts(v.ctx, tx)
		var amounts []money.Amount
		for _, a := range data.Items {
			amounts = append(amounts, a.Bank, a.Book)
		}
		data.Column = page.ColumnOf(settings.BaseCurrency, amounts...)
		return data, err
	})
}

func showNewBank(v *visit, status int, refused *page.Form) error {
	return v.show(status, "bank-edit", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data := page.BankForm{Action: v.at("bank"), Back: v.at("bank"), New: true, Currency: settings.BaseCurrency}
		data.Form = orFresh(refused, func() page.Form { return page.NewForm("currency", settings.BaseCurrency.Code()) })
		if data.Shell, err = v.frame(tx, "Add bank account", "bank"); err != nil {
			return nil, err
		}
		accounts, err := ledger.Accounts(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		taken, err := bank.Accounts(v.ctx, tx)
		known := map[ledger.AccountID]bool{}
		for _, a := range taken {
			known[a.ID] = true
		}
		usable := inUse(data.Form.Value("account_id"), ledger.KindAsset)
		data.Accounts = accountOptions(accounts, func(a ledger.Account) bool {
			return usable(a) && !known[a.ID] && (a.Purpose == "" || a.Purpose == ledger.Bank)
		})
		return data, err
	})
}

// bankDetails reads what a form or a program says about a bank account in a currency. An opening balance left empty stays.
func bankDetails(name, lastFour, opening string, c money.Currency) (bank.Details, error) {
	d := bank.Details{BankName: name, LastFour: lastFour}
	if opening = strings.TrimSpace(opening); opening != "" {
		a, err := money.ParseAmount(opening, c)
		if err != nil {
			return d, at("opening", err)
		}
		d.Opening = &a
	}
	return d, nil
}

func sendBank(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		a, err := OpenBankBody{AccountID: sent.Get("account_id"), Currency: sent.Get("currency"),
			BankDetailsBody: BankDetailsBody{sent.Get("bank_name"), sent.Get("last_four"), sent.Get("opening")}}.open(v.ctx, tx)
		return a.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Bank account added")
		return v.at("bank", made.String())
	}, func(form page.Form) error { return showNewBank(v, http.StatusUnprocessableEntity, &form) })
}

func showBankEdit(v *visit, status int, refused *page.Form) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "bank-edit", func(tx *tenant.Tx) (any, error) {
		a, err := bank.AccountByID(v.ctx, tx, i)
		if err != nil {
			return nil, err
		}
		back := v.at("bank", i.String())
		data := page.BankForm{Action: back, Back: back, Currency: a.Currency}
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("bank_name", a.BankName, "last_four", a.LastFour, "opening", a.Opening.String(), "version", strconv.Itoa(a.Version))
		})
		renewVersion(&data.Form, a.Version)
		data.Shell, err = v.frame(tx, "Details of "+a.Name, "bank")
		return data, err
	})
}

func sendBankChange(v *visit) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return i.UUID, err
		}
		a, err := bank.AccountByID(v.ctx, tx, i)
		if err != nil {
			return i.UUID, err
		}
		d, err := bankDetails(sent.Get("bank_name"), sent.Get("last_four"), sent.Get("opening"), a.Currency)
		if err != nil {
			return i.UUID, err
		}
		_, err = bank.ChangeAccount(v.ctx, tx, i, version, d)
		return i.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Bank account saved")
		return v.at("bank", i.String())
	}, func(form page.Form) error { return showBankEdit(v, http.StatusUnprocessableEntity, &form) })
}

func showBankOfPath(v *visit, status int, form page.Form) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return showBank(v, status, i, form)
}

func showBank(v *visit, status int, i ledger.AccountID, form page.Form) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	state := bankState(v.query("state"))
	return v.show(status, "bank-account", func(tx *tenant.Tx) (any, error) {
		data := page.BankAccount{Form: form, State: state, FileKey: newFormKey()}
		var err error
		if data.Account, err = bank.AccountByID(v.ctx, tx, i); err != nil {
			return nil, err
		}
		if data.Gap, err = data.Account.Gap(); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, data.Account.Name, "bank"); err != nil {
			return nil, err
		}
		found, err := bank.Lines(v.ctx, tx, i, state, q)
		if err != nil {
			return nil, err
		}
		suggested, err := bank.Suggest(v.ctx, tx, i, found.Items)
		if err != nil {
			return nil, err
		}
		for _, l := range found.Items {
			data.Lines = append(data.Lines, bankLine(v, l, suggested[l.ID]))
		}
		data.Tabs = bankTabs(v, data.Account, state)
		data.Pager = pager(v, q, found, func(l bank.Line) uuid.UUID { return l.ID.UUID }, "")
		if data.Taxes, err = bankTaxes(v, tx, ""); err != nil {
			return nil, err
		}
		accounts, err := ledger.Accounts(v.ctx, tx)
		data.Accounts = accountOptions(accounts, func(a ledger.Account) bool {
			return !a.Archived && a.ID != i && a.Purpose != ledger.Receivable && a.Purpose != "payable"
		})
		return data, err
	})
}

// bankTaxes are the rates and groups that may be in a line's amount: those in use, and the chosen one.
func bankTaxes(v *visit, tx *tenant.Tx, chosen string) (options []page.Option, err error) {
	rates, err := tax.Rates(v.ctx, tx)
	for _, r := range rates {
		if r.Archived && r.Code != chosen {
			continue
		}
		label := r.Code + " " + r.Name
		if r.Kind == tax.Group {
			label = r.Code + ", " + strings.Join(r.MemberCodes(), " + ")
		}
		options = append(options, page.Option{Value: r.Code, Label: label})
	}
	return options, err
}

// bankState is the state that a list shows; without one what is to be looked at, and "all" is all.
func bankState(asked string) string {
	switch asked {
	case "":
		return bank.StateOpen
	case "all":
		return ""
	}
	return asked
}

func bankTabs(v *visit, a bank.Account, state string) page.Tabs {
	tabs := page.Tabs{Label: "Lines by state"}
	for _, t := range []struct {
		label, state, query string
		count               int
		counted             bool
	}{{"To look at", bank.StateOpen, "", a.ToLookAt, true}, {"Matched", bank.StateMatched, "?state=matched", a.Lines - a.ToLookAt, true},
		{"Left out", bank.StateExcluded, "?state=excluded", 0, false}, {"All", "", "?state=all", 0, false}} {
		tabs.Tabs = append(tabs.Tabs, page.Tab{Label: t.label, URL: v.at("bank", a.ID.String()) + t.query, Count: t.count, Counted: t.counted, Current: t.state == state})
	}
	return tabs
}

func bankLine(v *visit, l bank.Line, suggested []bank.Suggestion) page.BankLine {
	shown := page.BankLine{Line: l, Key: newFormKey(), EntryURL: v.at("journal", l.Entry.String())}
	for _, s := range suggested {
		offer := page.BankSuggestion{Suggestion: s, Key: newFormKey()}
		switch {
		case len(s.Invoices) > 0:
			offer.Name, offer.Value = "invoice_ids", strings.Join(idTexts(s.Invoices), " ")
		case len(s.Bills) > 0:
			offer.Name, offer.Value = "bill_ids", strings.Join(idTexts(s.Bills), " ")
		case !s.Entry.IsZero():
			offer.Name, offer.Value = "entry_id", s.Entry.String()
		case !s.Other.IsZero():
			offer.Name, offer.Value = "other_id", s.Other.String()
		default:
			offer.Name, offer.Value = "account_id", s.Book.String()
		}
		shown.Suggestions = append(shown.Suggestions, offer)
	}
	if l.Locked() || !v.may(rightTo(authz.Change, authz.Bank)) {
		return shown
	}
	way := func(name string) string { return v.at("bank-lines", l.ID.String(), name) }
	switch l.How {
	case bank.Open:
		shown.Acts = []page.Act{{URL: way("exclude"), Label: "Leave it out", Icon: "ban", Ask: "It counts for nothing from then on, for a line that is there twice. You can take it back.",
			Does: "Leave the line out", Key: newFormKey(), Version: l.Version}}
	case bank.ByEntry, bank.Excluded:
		shown.Acts = []page.Act{{URL: way("undo"), Label: "Undo", Icon: "undo-2", Class: "btn-small", Key: newFormKey(), Version: l.Version}}
	default:
		shown.Acts = []page.Act{{URL: way("undo"), Label: "Undo", Icon: "undo-2", Class: "btn-small", Ask: "What was booked for this line is taken back by a second entry.",
			Does: "Undo the match", Key: newFormKey(), Version: l.Version}}
	}
	return shown
}

// actOnLine handles a button of a line. It leads back to the line's account, and shows that again when it is refused.
func actOnLine(v *visit, said string, act func(tx *tenant.Tx, line bank.LineID, version int, sent url.Values) error) error {
	i, err := idParam[bank.Line](v, "id")
	if err != nil {
		return err
	}
	var of ledger.AccountID
	err = v.run(func(tx *tenant.Tx) error {
		l, err := bank.LineByID(v.ctx, tx, i)
		of = l.Account
		return err
	})
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return i.UUID, err
		}
		return i.UUID, act(tx, i, version, sent)
	}, func(uuid.UUID) string {
		say(v.c, said)
		return v.at("bank", of.String())
	}, func(form page.Form) error {
		return showBank(v, http.StatusUnprocessableEntity, of, page.Form{Faults: form.Faults})
	})
}

func sendBankMatch(v *visit) error {
	return actOnLine(v, "Line matched", func(tx *tenant.Tx, line bank.LineID, version int, sent url.Values) error {
		m, err := BankMatchBody{InvoiceIDs: strings.Fields(sent.Get("invoice_ids")), BillIDs: strings.Fields(sent.Get("bill_ids")), EntryID: sent.Get("entry_id"),
			OtherID: sent.Get("other_id"), AccountID: sent.Get("account_id"), TaxCode: sent.Get("tax_code"), KeepRest: sent.Get("keep_rest") == "yes", Description: sent.Get("description")}.match()
		if err != nil {
			return err
		}
		_, err = bank.MatchLine(v.ctx, tx, line, version, m)
		return err
	})
}

func sendBankUndo(v *visit) error {
	return actOnLine(v, "Match undone", func(tx *tenant.Tx, line bank.LineID, version int, _ url.Values) error {
		_, err := bank.UndoMatch(v.ctx, tx, line, version)
		return err
	})
}

func sendBankExclude(v *visit) error {
	return actOnLine(v, "Line left out", func(tx *tenant.Tx, line bank.LineID, version int, _ url.Values) error {
		_, err := bank.ExcludeLine(v.ctx, tx, line, version)
		return err
	})
}

func showBankLineForm(v *visit, status int, refused *page.Form) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "bank-line-edit", func(tx *tenant.Tx) (any, error) {
		back := v.at("bank", i.String())
		data := page.BankLineForm{Action: back + "/lines", Back: back}
		var err error
		if data.Account, err = bank.AccountByID(v.ctx, tx, i); err != nil {
			return nil, err
		}
		data.Form = orFresh(refused, func() page.Form { return page.NewForm() })
		data.Shell, err = v.frame(tx, "Add a line", "bank")
		return data, err
	})
}

func sendBankLine(v *visit) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		a, err := bank.AccountByID(v.ctx, tx, i)
		if err != nil {
			return uuid.Nil, err
		}
		in, err := BankLineBody{sent.Get("date"), Money{strings.TrimSpace(sent.Get("amount")), a.Currency.Code()}, sent.Get("party_name"), sent.Get("memo"), sent.Get("reference")}.input()
		if err != nil {
			return uuid.Nil, err
		}
		l, err := bank.AddLine(v.ctx, tx, i, in)
		return l.ID.UUID, err
	}, func(uuid.UUID) string {
		say(v.c, "Line added")
		return v.at("bank", i.String())
	}, func(form page.Form) error {
		form.Move("amount.amount", "amount")
		return showBankLineForm(v, http.StatusUnprocessableEntity, &form)
	})
}

func bankOutstanding(v *visit, tx *tenant.Tx) (bank.Outstanding, error) {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return bank.Outstanding{}, err
	}
	day, err := bodyDate("date", v.query("date"))
	if err != nil {
		day = civil.Date{}
	}
	return bank.OutstandingOn(v.ctx, tx, i, day)
}

func showBankOutstanding(v *visit) error {
	return v.show(http.StatusOK, "bank-outstanding", func(tx *tenant.Tx) (any, error) {
		var data page.BankOutstanding
		var err error
		if data.Outstanding, err = bankOutstanding(v, tx); err != nil {
			return nil, err
		}
		if v.may(rightTo(authz.Export, authz.Bank)) {
			data.CSV = v.at("bank", data.Account.ID.String(), "outstanding.csv") + "?date=" + data.Date.String()
		}
		data.Shell, err = v.frame(tx, "Outstanding of "+data.Account.Name, "bank")
		return data, err
	})
}

func fetchBankOutstanding(v *visit, format report.Format) error {
	var o bank.Outstanding
	err := v.run(func(tx *tenant.Tx) (err error) {
		o, err = bankOutstanding(v, tx)
		return err
	})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	g, err := report.NewGrid(&out, format)
	if err != nil {
		return err
	}
	rows := [][]any{{"kind", "entry", "date", "text", "currency", "amount"}, {"books", nil, o.Date, nil, o.Account.Currency.Code(), o.Book},
		{"opening", nil, o.Account.Since, nil, o.Account.Currency.Code(), o.Opening}}
	for _, e := range o.Entries {
		rows = append(rows, []any{"not at the bank", ledger.NumberName(e.Number), e.Date, e.Say, o.Account.Currency.Code(), e.Amount})
	}
	for _, l := range o.Lines {
		rows = append(rows, []any{"not booked", nil, l.Date, l.Text(), o.Account.Currency.Code(), l.Amount})
	}
	for _, r := range append(rows, []any{"bank", nil, o.Date, nil, o.Account.Currency.Code(), o.Bank}) {
		if err := g.Row(r...); err != nil {
			return err
		}
	}
	if err := g.Close(); err != nil {
		return err
	}
	return v.fileAs("outstanding-"+o.Account.Code+"-"+o.Date.String(), format, out.Bytes())
}
