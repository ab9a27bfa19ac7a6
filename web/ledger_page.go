package web

import (
	"bytes"
	"net/http"
	"net/url"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// shownLines is how many lines of an account one page of the ledger has.
const shownLines = 300

func (s *Server) registerLedgerPages() {
	s.member("GET", "/ledger", rightTo(authz.Read, authz.Reports), showLedger)
	for _, format := range fileFormats {
		s.member("GET", "/ledger."+string(format), rightTo(authz.Export, authz.Reports), func(v *visit) error { return fetchLedger(v, format) })
	}
}

// period reads the period of the address; without one it is the year up to today.
func (v *visit) period(today civil.Date) (p report.Period, err error) {
	if p.From, err = bodyDate("from", v.query("from")); err != nil {
		return p, err
	}
	if p.To, err = bodyDate("to", v.query("to")); err != nil {
		return p, err
	}
	if p.To.IsZero() {
		p.To = today
	}
	if p.From.IsZero() {
		p.From = civil.On(p.To.Year(), 1, 1)
	}
	return p, nil
}

func showLedger(v *visit) error {
	chosen, err := bodyID[ledger.Account]("account", v.query("account"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "ledger", func(tx *tenant.Tx) (any, error) {
		var data page.GeneralLedger
		var err error
		if data.Shell, err = v.frame(tx, "Ledger", "ledger"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		period, err := v.period(settings.Today(tx))
		if err != nil {
			return nil, err
		}
		data.Period, data.Closed = page.Period(period), settings.BooksClosedThrough
		balance, err := report.TrialBalanceOf(v.ctx, tx, period)
		if err != nil {
			return nil, err
		}
		rows := ledgerRows(balance)
		if !chosen.IsZero() {
			data.Chosen = chosen.String()
			if rows, err = openAccount(v, tx, rows, period, chosen); err != nil {
				return nil, err
			}
		}
		dates := url.Values{"from": {period.From.String()}, "to": {period.To.String()}}
		if v.may(rightTo(authz.Export, authz.Reports)) {
			data.CSV = v.at("ledger.csv") + "?" + dates.Encode()
		}
		linkAccounts(v, rows, dates)
		data.Groups, data.Column = groupRows(rows, settings.BaseCurrency)
		for _, t := range balance.Totals {
			data.Sums = append(data.Sums, page.LedgerSum{Opening: t.Opening, Debit: t.Debit, Credit: t.Credit, Closing: t.Closing})
		}
		accounts, err := ledger.Accounts(v.ctx, tx)
		data.Accounts = accountOptions(accounts, func(ledger.Account) bool { return true })
		return data, err
	})
}

func ledgerRows(balance report.TrialBalance) []page.LedgerAccount {
	rows := make([]page.LedgerAccount, len(balance.Rows))
	for i, r := range balance.Rows {
		rows[i] = page.LedgerAccount{
			Account: ledger.Account{ID: r.Account, Code: r.Code, Name: r.Name, Kind: r.Kind},
			Opening: r.Opening, Debit: r.Debit, Credit: r.Credit, Closing: r.Closing,
		}
	}
	return rows
}

// openAccount puts the lines of one account into its rows; an account without any gets a row.
func openAccount(v *visit, tx *tenant.Tx, rows []page.LedgerAccount, period report.Period, chosen ledger.AccountID) ([]page.LedgerAccount, error) {
	opened, err := report.GeneralLedger(v.ctx, tx, period, chosen)
	if err != nil {
		return nil, err
	}
	for n, a := range opened {
		row := page.LedgerAccount{Account: ledger.Account{ID: a.ID, Code: a.Code, Name: a.Name, Kind: a.Kind}, Open: true, First: n == 0,
			Opening: a.Opening, Debit: a.Debit, Credit: a.Credit, Closing: a.Closing, More: a.Truncated}
		for _, l := range a.Lines {
			if len(row.Lines) == shownLines {
				row.More = true
				break
			}
			row.Lines = append(row.Lines, ledgerLine(l))
		}
		rows = putRow(rows, row)
	}
	return rows, nil
}

func ledgerLine(l report.LedgerLine) page.LedgerLine {
	line := page.LedgerLine{Entry: l.Entry, Number: l.Number, Date: l.Date, Say: l.Description, Balance: l.Balance}
	for _, more := range []string{l.Party, l.Memo} {
		if more != "" {
			line.Say += ", " + more
		}
	}
	side := ledger.Line{Amount: l.Amount}
	line.Debit, line.Credit = side.Debit(), side.Credit()
	return line
}

// putRow takes the place of the row of the same account and currency, or the place where its code belongs.
func putRow(rows []page.LedgerAccount, row page.LedgerAccount) []page.LedgerAccount {
	at := len(rows)
	for i, r := range rows {
		if r.Account.ID == row.Account.ID && r.Closing.Currency == row.Closing.Currency {
			rows[i] = row
			return rows
		}
		if r.Account.Code > row.Account.Code {
			at = min(at, i)
		}
	}
	return append(rows[:at:at], append([]page.LedgerAccount{row}, rows[at:]...)...)
}

// linkAccounts gives each row the address that opens it, or closes it when it is open.
func linkAccounts(v *visit, rows []page.LedgerAccount, dates url.Values) {
	for i := range rows {
		query := url.Values{"from": dates["from"], "to": dates["to"]}
		if rows[i].Open {
			rows[i].URL = v.at("ledger") + "?" + query.Encode()
			continue
		}
		query.Set("account", rows[i].Account.ID.String())
		rows[i].URL = v.at("ledger") + "?" + query.Encode() + "#open"
	}
}

// groupRows puts rows under their kinds, and looks how their amounts are to be written.
func groupRows(rows []page.LedgerAccount, own money.Currency) ([]page.LedgerGroup, page.Column) {
	var groups []page.LedgerGroup
	amounts := make([]money.Amount, len(rows))
	for i, r := range rows {
		amounts[i] = r.Closing
	}
	for _, kind := range page.KindNames {
		group := page.LedgerGroup{Name: kind.Name}
		for _, r := range rows {
			if r.Account.Kind == kind.Kind {
				group.Accounts = append(group.Accounts, r)
			}
		}
		if len(group.Accounts) > 0 {
			groups = append(groups, group)
		}
	}
	return groups, page.ColumnOf(own, amounts...)
}

func fetchLedger(v *visit, format report.Format) error {
	var out bytes.Buffer
	var period report.Period
	err := v.run(func(tx *tenant.Tx) error {
		today, err := ledger.Today(v.ctx, tx)
		if err != nil {
			return err
		}
		if period, err = v.period(today); err != nil {
			return err
		}
		out.Reset() // the transaction may run a second time
		return report.WriteLedger(v.ctx, tx, &out, format, period)
	})
	if err != nil {
		return err
	}
	return v.fileAs("ledger-"+period.From.String()+"-to-"+period.To.String(), format, out.Bytes())
}
