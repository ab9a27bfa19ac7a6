package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// emptyLines is how many lines a new entry begins with.
const emptyLines = 2

func (s *Server) registerJournalPages() {
	s.member("GET", "/journal", rightTo(authz.Read, authz.Journal), showJournal)
	s.member("GET", "/journal/new", rightTo(authz.Create, authz.Journal), showNewEntry)
	s.member("POST", "/journal", rightTo(authz.Create, authz.Journal), sendEntry)
	s.member("GET", "/journal/:id", rightTo(authz.Read, authz.Journal), func(v *visit) error { return showEntry(v, http.StatusOK, nil) })
	s.member("POST", "/journal/:id/reverse", rightTo(authz.Change, authz.Journal), sendReversal)
}

func showJournal(v *visit) error {
	q, err := v.page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "journal", func(tx *tenant.Tx) (any, error) {
		var data page.Journal
		var err error
		if data.Shell, err = v.frame(tx, "Journal", "journal"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Find = v.find("journal", "Number or what for", "period", "from", "to")
		data.Periods, data.Narrowed = v.periods("journal", "Dated", "q"), v.narrowedByDay() || data.Find.Search != ""
		var filter ledger.EntryFilter
		if filter.From, filter.To, err = v.listDays(tx); err != nil {
			return nil, err
		}
		if filter.Search, err = text.Line("search", data.Find.Search, 200); err != nil {
			return nil, err
		}
		found, err := ledger.Entries(v.ctx, tx, filter, q)
		if err != nil {
			return nil, err
		}
		var all []money.Amount
		for _, e := range found.Items {
			row := page.JournalRow{Entry: e}
			if row.Amounts, err = debits(e); err != nil {
				return nil, err
			}
			data.Items, all = append(data.Items, row), append(all, row.Amounts...)
		}
		data.Column = page.ColumnOf(settings.BaseCurrency, all...)
		data.Pager = pager(v, q, found, func(e ledger.Entry) uuid.UUID { return e.ID.UUID }, "")
		return data, nil
	})
}

// debits sums an entry's debits by currency, in the order in which its lines name them.
func debits(e ledger.Entry) ([]money.Amount, error) {
	var sums []money.Amount
	at := map[money.Currency]int{}
	for _, l := range e.Lines {
		n, ok := at[l.Amount.Currency]
		if !ok {
			n = len(sums)
			at[l.Amount.Currency] = n
			sums = append(sums, money.Amount{Currency: l.Amount.Currency})
		}
		var err error
		if sums[n], err = sums[n].Add(l.Debit()); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func showEntry(v *visit, status int, refused *page.Form) error {
	entry, err := idParam[ledger.Entry](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "entry", func(tx *tenant.Tx) (any, error) {
		var data page.Entry
		var err error
		if data.Entry, err = ledger.EntryByID(v.ctx, tx, entry); err != nil {
			return nil, err
		}
		if data.Shell, err = v.frame(tx, "Entry "+data.Entry.Name(), "journal"); err != nil {
			return nil, err
		}
		if data.Sums, err = debits(data.Entry); err != nil {
			return nil, err
		}
		data.Column = page.ColumnOf(money.Currency{}, data.Sums...)
		data.Reversible = data.Entry.Source == ledger.SourceManual && data.Entry.ReversedBy.IsZero() && v.may(rightTo(authz.Change, authz.Journal))
		data.Form = orFresh(refused, func() page.Form { return page.NewForm("date", isoDay(data.Shell)) })
		return data, fillEntry(v, tx, &data)
	})
}

// isoDay is today as a field of dates has it.
func isoDay(shell page.Shell) string { return shell.Today.Format("2006-01-02") }

// describeCurrencySource leads from a gain or loss to the payment that told it, and else to the revaluations.
func describeCurrencySource(v *visit, tx *tenant.Tx, data *page.Entry) error {
	data.Source = "Revaluation of foreign currency"
	if v.may(rightTo(authz.Read, authz.Journal)) {
		data.SourceURL = v.at("currencies", "revaluation")
	}
	payment, err := billing.PaymentByID(v.ctx, tx, billing.PaymentID{UUID: data.Entry.SourceID})
	if fault.KindOf(err) == fault.NotFound {
		return nil
	} else if err != nil {
		return err
	}
	data.Source, data.SourceURL = "The payment of "+payment.Numbers(), ""
	if v.may(rightTo(authz.Read, authz.Payments)) {
		data.SourceURL = v.at("payments", payment.ID.String())
	}
	return nil
}

// fillEntry names what an entry comes from, and the entries that undo each other.
func fillEntry(v *visit, tx *tenant.Tx, data *page.Entry) error {
	for _, other := range []struct {
		id     ledger.EntryID
		number *int64
	}{{data.Entry.Reverses, &data.Reverses}, {data.Entry.ReversedBy, &data.ReversedBy}} {
		if other.id.IsZero() {
			continue
		}
		e, err := ledger.EntryByID(v.ctx, tx, other.id)
		if err != nil {
			return err
		}
		*other.number = e.Number
	}
	source := data.Entry.SourceID.String()
	switch data.Entry.Source {
	case ledger.SourceInvoice, ledger.SourceLateFee:
		invoice, err := billing.InvoiceByID(v.ctx, tx, id.Of[billing.Invoice]{UUID: data.Entry.SourceID})
		if err != nil {
			return err
		}
		data.Source = "Invoice " + invoice.Number
		if v.may(rightTo(authz.Read, authz.Invoices)) {
			data.SourceURL = v.at("invoices", source)
		}
	case ledger.SourcePayment:
		data.Source = "A payment"
		if v.may(rightTo(authz.Read, authz.Payments)) {
			data.SourceURL = v.at("payments", source)
		}
	case ledger.SourceGateway:
		data.Source = "A payment gateway's fee"
		if v.may(rightTo(authz.Read, authz.Invoices)) {
			data.SourceURL = v.at("invoices", source)
		}
	case ledger.SourceCurrency:
		return describeCurrencySource(v, tx, data)
	case ledger.SourceCreditNote:
		data.Source = "A credit note"
		if v.may(rightTo(authz.Read, authz.Invoices)) {
			data.SourceURL = v.at("credit-notes", source)
		}
	case ledger.SourceWriteOff:
		data.Source = "An invoice that is not paid"
		if v.may(rightTo(authz.Read, authz.Invoices)) {
			data.SourceURL = v.at("invoices", source)
		}
	case ledger.SourceClosing:
		data.Source = "Closing a year"
		data.SourceURL = v.at("closing")
	case ledger.SourceManual:
		data.Source = "Entered by hand"
	}
	return nil
}

func sendReversal(v *visit) error {
	entry, err := idParam[ledger.Entry](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		date, err := bodyDate("date", sent.Get("date"))
		if err != nil {
			return uuid.Nil, err
		}
		made, err := ledger.Reverse(v.ctx, tx, entry, date, strings.TrimSpace(sent.Get("description")))
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, "Reversal posted")
		return v.at("journal", made.String())
	}, func(form page.Form) error { return showEntry(v, http.StatusUnprocessableEntity, &form) })
}

func showNewEntry(v *visit) error {
	return v.show(http.StatusOK, "entry-edit", func(tx *tenant.Tx) (any, error) {
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := keyed(page.NewForm("date", settings.Today(tx).String(), "currency", settings.BaseCurrency.Code()))
		return entryEditor(v, tx, form, emptyLines, editing{})
	})
}

func entryEditor(v *visit, tx *tenant.Tx, form page.Form, count int, how editing) (any, error) {
	data := page.EntryForm{Form: form, Action: v.at("journal"), Unsaved: how.unsaved, Lines: editorLines(max(count, emptyLines), how.added)}
	var err error
	if data.Shell, err = v.frame(tx, "Journal entry", "journal"); err != nil {
		return nil, err
	}
	for i := range count {
		for _, from := range []string{"debit.amount", "debit.currency", "credit.currency", "amount", "party_id"} {
			data.Form.Move(lineName(i, from), lineName(i, "debit"))
		}
		data.Form.Move(lineName(i, "credit.amount"), lineName(i, "credit"))
		data.Form.Move(strings.TrimSuffix(lineName(i, ""), "."), lineName(i, "debit"))
	}
	accounts, err := ledger.Accounts(v.ctx, tx)
	if err != nil {
		return nil, err
	}
	data.Accounts = accountOptions(accounts, inUse(""))
	data.Totals = entryTotals(data.Form, count)
	return data, nil
}

// entryTotals adds up the sides that can be read.
func entryTotals(form page.Form, count int) page.EntryTotals {
	currency, err := money.ParseCurrency(form.Value("currency"))
	if err != nil {
		return page.EntryTotals{Say: "Choose a currency"}
	}
	zero := money.Amount{Currency: currency}
	totals := page.EntryTotals{Debit: zero, Credit: zero, Difference: zero}
	for i := range count {
		for name, sum := range map[string]*money.Amount{"debit": &totals.Debit, "credit": &totals.Credit} {
			text := strings.TrimSpace(form.Value(lineName(i, name)))
			if text == "" {
				continue
			}
			amount, err := money.ParseAmount(text, currency)
			if err == nil {
				amount, err = sum.Add(amount)
			}
			if err != nil {
				totals.Say = "An amount cannot be read yet"
				continue
			}
			*sum = amount
		}
	}
	difference, err := totals.Debit.Sub(totals.Credit)
	switch {
	case err != nil || totals.Say != "":
	case totals.Debit.IsZero() && totals.Credit.IsZero():
		totals.Say = "Nothing entered yet"
	case difference.IsZero():
		totals.Say, totals.Balanced = "In balance", true
	case difference.Sign() > 0:
		totals.Say = "Credits are " + page.Figures(difference) + " short"
	default:
		difference.Minor = -difference.Minor
		totals.Say = "Debits are " + page.Figures(difference) + " short"
	}
	return totals
}

func sendEntry(v *visit) error {
	sent, err := readLines(v)
	if err != nil {
		return err
	}
	if action := sent.Get("action"); action != "post" {
		return reshapeEntry(v, sent, action)
	}
	said := "Posted"
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		posting, err := entryBody(sent).posting()
		if err != nil {
			return uuid.Nil, err
		}
		made, err := ledger.Post(v.ctx, tx, posting)
		said = "Posted " + made.Name()
		return made.ID.UUID, err
	}, func(made uuid.UUID) string {
		say(v.c, said)
		return v.at("journal", made.String())
	}, func(form page.Form) error {
		return v.show(http.StatusUnprocessableEntity, "entry-edit", func(tx *tenant.Tx) (any, error) {
			return entryEditor(v, tx, form, countLines(form), editing{unsaved: true})
		})
	})
}

// reshapeEntry adds and removes lines and adds them up; nothing is kept.
func reshapeEntry(v *visit, sent url.Values, action string) error {
	drop := removed(action)
	count := orderLines(sent, func(index int, _ url.Values) bool { return index == drop })
	how := editing{unsaved: true, added: action == "add"}
	if how.added {
		setLine(sent, count, url.Values{"memo": {""}})
		count++
	}
	return v.show(http.StatusOK, "entry-edit", func(tx *tenant.Tx) (any, error) {
		return entryEditor(v, tx, keyed(page.FormOf(sent)), count, how)
	})
}

// entryBody reads the form, without the lines in which nothing stands.
func entryBody(sent url.Values) EntryBody {
	count := orderLines(sent, func(_ int, line url.Values) bool { return blank(line, "account_id", "debit", "credit", "memo") })
	body := EntryBody{Date: sent.Get("date"), Description: sent.Get("description")}
	for i := range count {
		line := EntryLineBody{AccountID: sent.Get(lineName(i, "account_id")), Memo: sent.Get(lineName(i, "memo"))}
		for name, side := range map[string]**Money{"debit": &line.Debit, "credit": &line.Credit} {
			if text := strings.TrimSpace(sent.Get(lineName(i, name))); text != "" {
				*side = &Money{text, sent.Get("currency")}
			}
		}
		body.Lines = append(body.Lines, line)
	}
	return body
}
