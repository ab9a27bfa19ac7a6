package bank

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// camtReader reads camt.053.001.02 to .08 (ISO 20022) as a stream. Of an entry with several transactions the sum is
// kept, since that is what moved.
type camtReader struct {
	name       string
	wanted     Wanted
	in         *xml.Decoder
	path       []string
	text       strings.Builder
	statements []File
	entry      *camtEntry
	balance    *camtBalance
}

type camtEntry struct {
	row                                      int
	amount, sign, status, currency           string
	booked, valued, id                       string
	amountRow, amountColumn, dayRow, dayCol  int
	said, more, reference, debtor, creditors string
}

type camtBalance struct {
	kind, amount, sign, date, currency string
	row, column                        int
}

const camtDepth = 40

func readCAMT(name, text string, wanted Wanted) (File, error) {
	r := &camtReader{name: name, wanted: wanted, in: xml.NewDecoder(strings.NewReader(text))}
	// It is UTF-8 by now, whatever its first line says.
	r.in.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		token, err := r.in.Token()
		if errors.Is(err, io.EOF) {
			return r.choose()
		} else if err != nil {
			return File{}, r.refuse("The XML breaks off or is not well formed here. Fetch the file from the bank again.")
		}
		switch t := token.(type) {
		case xml.Directive:
			return File{}, r.refuse("A statement has no declarations of its own. Fetch the file from the bank again.")
		case xml.StartElement:
			if len(r.path) == camtDepth {
				return File{}, r.refuse("Elements stand in each other here deeper than in any statement.")
			}
			r.path = append(r.path, t.Name.Local)
			r.text.Reset()
			r.start(t)
		case xml.CharData:
			if r.text.Len()+len(t) <= 4096 {
				r.text.Write(t)
			}
		case xml.EndElement:
			if err := r.end(strings.TrimSpace(r.text.String())); err != nil {
				return File{}, err
			}
			r.path = r.path[:len(r.path)-1]
			r.text.Reset()
		}
	}
}

func (r *camtReader) refuse(say string) error {
	line, column := r.in.InputPos()
	return refuse(r.name, line, column, say)
}

// at says whether the path ends so.
func (r *camtReader) at(names ...string) bool {
	return len(r.path) >= len(names) && slices.Equal(r.path[len(r.path)-len(names):], names)
}

func (r *camtReader) start(t xml.StartElement) {
	row, column := r.in.InputPos()
	switch {
	case r.at("BkToCstmrStmt", "Stmt"):
		r.statements = append(r.statements, File{Format: CAMT})
	case r.at("Stmt", "Ntry"):
		r.entry = &camtEntry{row: row}
	case r.at("Stmt", "Bal"):
		r.balance = &camtBalance{row: row, column: column}
	case r.at("Ntry", "Amt") && r.entry != nil:
		r.entry.currency, r.entry.amountRow, r.entry.amountColumn = currencyAttribute(t), row, column
	case r.at("Bal", "Amt") && r.balance != nil:
		r.balance.currency = currencyAttribute(t)
	}
}

func currencyAttribute(t xml.StartElement) string {
	for _, a := range t.Attr {
		if a.Name.Local == "Ccy" {
			return a.Value
		}
	}
	return ""
}

func (r *camtReader) end(text string) error {
	if len(r.statements) == 0 {
		return nil
	}
	s := &r.statements[len(r.statements)-1]
	switch {
	case r.at("Stmt", "Ntry"):
		return r.keepEntry(s)
	case r.at("Stmt", "Bal"):
		return r.keepBalance(s)
	case r.balance != nil:
		r.balanceValue(text)
	case r.entry != nil:
		r.entryValue(text)
	case r.at("Stmt", "Acct", "Id", "IBAN"), r.at("Stmt", "Acct", "Id", "Othr", "Id"):
		s.Number = text
	case r.at("Stmt", "Acct", "Ccy"):
		c, err := money.ParseCurrency(text)
		if err != nil {
			return r.refuse(sayOf(err))
		}
		s.Currency = c
	}
	return nil
}

func (r *camtReader) balanceValue(text string) {
	b := r.balance
	switch {
	case r.at("Bal", "Tp", "CdOrPrtry", "Cd"):
		b.kind = text
	case r.at("Bal", "Amt"):
		b.amount = text
	case r.at("Bal", "CdtDbtInd"):
		b.sign = text
	case r.at("Bal", "Dt", "Dt"), r.at("Bal", "Dt", "DtTm"):
		b.date = text
	}
}

func (r *camtReader) entryValue(text string) {
	e := r.entry
	switch {
	case r.at("Ntry", "Amt"):
		e.amount = text
	case r.at("Ntry", "CdtDbtInd"):
		e.sign = text
	case r.at("Ntry", "Sts"), r.at("Ntry", "Sts", "Cd"):
		if text != "" {
			e.status = text
		}
	case r.at("Ntry", "BookgDt", "Dt"), r.at("Ntry", "BookgDt", "DtTm"):
		e.booked = text
		e.dayRow, e.dayCol = r.in.InputPos()
	case r.at("Ntry", "ValDt", "Dt"), r.at("Ntry", "ValDt", "DtTm"):
		e.valued = text
	case r.at("Ntry", "AcctSvcrRef"):
		e.id = text
	case r.at("Ntry", "AddtlNtryInf"), r.at("TxDtls", "AddtlTxInf"):
		e.more = join(e.more, text)
	case r.at("RmtInf", "Ustrd"):
		e.said = join(e.said, text)
	case r.at("CdtrRefInf", "Ref"), r.at("Refs", "EndToEndId"):
		if e.reference == "" {
			e.reference = realID(text)
		}
	case r.at("RltdPties", "Dbtr", "Nm"), r.at("RltdPties", "Dbtr", "Pty", "Nm"):
		e.debtor = first(e.debtor, text)
	case r.at("RltdPties", "Cdtr", "Nm"), r.at("RltdPties", "Cdtr", "Pty", "Nm"):
		e.creditors = first(e.creditors, text)
	}
}

func first(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// join keeps texts of one entry together, and so many as there is room for.
func join(a, b string) string {
	if a == "" || len(a) > memoLength*4 {
		return first(a, b)
	}
	return a + " " + b
}

func (r *camtReader) keepBalance(s *File) error {
	b := r.balance
	r.balance = nil
	if b == nil || b.kind != "OPBD" && b.kind != "PRCD" && b.kind != "CLBD" {
		return nil
	}
	c, err := r.currencyOf(s, b.currency)
	if err != nil {
		return refuse(r.name, b.row, b.column, sayOf(err))
	}
	amount, err := camtAmount(b.amount, b.sign, c)
	if err != nil {
		return refuse(r.name, b.row, b.column, sayOf(err))
	}
	day, err := camtDay(b.date)
	if err != nil {
		return refuse(r.name, b.row, b.column, sayOf(err))
	}
	balance := &Balance{Date: day, Amount: amount}
	switch {
	case b.kind == "CLBD":
		s.Closing = balance
	case b.kind == "OPBD" || s.Opening == nil:
		s.Opening = balance
	}
	return nil
}

func (r *camtReader) keepEntry(s *File) error {
	e := r.entry
	r.entry = nil
	if e == nil {
		return nil
	}
	if len(s.Lines) >= maxLines {
		return ErrTooLarge
	}
	if e.status != "" && e.status != "BOOK" {
		s.LeftOut++
		return nil
	}
	c, err := r.currencyOf(s, e.currency)
	if err != nil {
		return refuse(r.name, e.amountRow, e.amountColumn, sayOf(err))
	}
	amount, err := camtAmount(e.amount, e.sign, c)
	if err != nil {
		return refuse(r.name, max(e.amountRow, e.row), e.amountColumn, sayOf(err))
	}
	day, err := camtDay(first(e.booked, e.valued))
	if err != nil {
		return refuse(r.name, max(e.dayRow, e.row), e.dayCol, sayOf(err))
	}
	if amount.IsZero() {
		s.LeftOut++
		return nil
	}
	party := e.creditors
	if amount.Sign() > 0 {
		party = e.debtor
	}
	s.Lines = append(s.Lines, FileLine{Row: e.row, BankID: realID(e.id), Date: day, Amount: amount, Memo: plain(first(e.said, e.more), memoLength),
		PartyName: plain(party, partyLength), Reference: plain(e.reference, referenceLength)})
	return nil
}

// currencyOf is the currency of an amount, which is that of its statement.
func (r *camtReader) currencyOf(s *File, code string) (money.Currency, error) {
	c, err := money.ParseCurrency(code)
	if err != nil {
		return c, err
	}
	if s.Currency.IsZero() {
		s.Currency = c
	}
	if c != s.Currency {
		return c, ErrOtherMoney.Sayf("This is in %s, and its account in %s.", c, s.Currency)
	}
	return c, nil
}

func camtAmount(figure, sign string, c money.Currency) (money.Amount, error) {
	a, err := amountOf(figure, c, false, true)
	if err != nil {
		return a, err
	}
	switch {
	case a.Sign() < 0:
		return a, money.ErrMalformed.Sayf("The amount has a minus, and CdtDbtInd says the direction.")
	case sign == "CRDT":
		return a, nil
	case sign == "DBIT":
		return a.Neg()
	}
	return a, money.ErrMalformed.Sayf("CdtDbtInd is CRDT or DBIT, and says whether it comes in or goes out.")
}

// camtDay reads a day, or the day of a moment as the bank wrote it.
func camtDay(s string) (civil.Date, error) {
	day, _, _ := strings.Cut(s, "T")
	return civil.Parse(strings.TrimSuffix(day[:min(len(day), 10)], "Z"))
}

// choose takes all statements of the account that is wanted: a file may have one for each day.
func (r *camtReader) choose() (File, error) {
	var all File
	found := 0
	for _, s := range r.statements {
		switch {
		case !r.wanted.suits(s.Number):
			continue
		case found > 0 && s.Number != all.Number:
			return File{}, ErrOtherAccount.Sayf("This file is of several accounts. Give the last four digits of this one in its details, so that the right one is taken.")
		case found > 0 && s.Currency != all.Currency:
			return File{}, ErrOtherMoney
		}
		if found == 0 {
			all = s
		} else {
			all.add(s)
		}
		found++
	}
	switch {
	case len(r.statements) == 0:
		return File{}, ErrFormat
	case found == 0:
		return File{}, ErrOtherAccount
	case !all.Currency.IsZero() && all.Currency != r.wanted.Currency:
		return File{}, ErrOtherMoney.Sayf("This file is in %s, and the account in %s.", all.Currency, r.wanted.Currency)
	case len(all.Lines) > maxLines:
		return File{}, ErrTooLarge
	}
	return all, nil
}

// add takes in another statement of the same account.
func (f *File) add(s File) {
	f.Lines = append(f.Lines, s.Lines...)
	f.LeftOut += s.LeftOut
	if s.Opening != nil && (f.Opening == nil || s.Opening.Date.Before(f.Opening.Date)) {
		f.Opening = s.Opening
	}
	if s.Closing != nil && (f.Closing == nil || s.Closing.Date.After(f.Closing.Date)) {
		f.Closing = s.Closing
	}
}
