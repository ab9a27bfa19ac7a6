package bank

import (
	"html"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// ofxReader reads OFX 1 (SGML, whose values have no end) and OFX 2 (XML) in one pass, without a parser that knows
// entities of a file's own.
type ofxReader struct {
	name, text string
	wanted     Wanted
	statements []ofxStatement
	within     []string // open aggregates that matter
	line       *ofxLine
	counted    int // how much of the text its line numbers are counted in
	row        int
}

type ofxStatement struct {
	File
	at int
}

type ofxLine struct {
	at                           int
	id, date, amount, name, memo string
	check, ref, currency         string
	amountAt, dateAt             int
}

// aggregates are the elements that hold others, as far as what they hold means something here.
var aggregates = map[string]bool{
	"STMTRS": true, "CCSTMTRS": true, "BANKTRANLIST": true, "STMTTRN": true, "LEDGERBAL": true, "AVAILBAL": true, "BANKACCTFROM": true,
	"CCACCTFROM": true, "BANKACCTTO": true, "CCACCTTO": true, "PAYEE": true, "CURRENCY": true, "ORIGCURRENCY": true, "INVSTMTRS": true,
	"BANKTRANLISTP": true, "STMTTRNP": true, "BALLIST": true, "LOANSTMTRS": true,
}

func readOFX(name, text string, wanted Wanted) (File, error) {
	r := &ofxReader{name: name, text: text, wanted: wanted}
	for at := 0; ; {
		open := strings.IndexByte(text[at:], '<')
		if open < 0 {
			break
		}
		at += open
		switch rest := text[at:]; {
		case strings.HasPrefix(rest, "<!--"):
			at = r.after(at, "-->")
			continue
		case strings.HasPrefix(rest, "<?"):
			at = r.after(at, "?>")
			continue
		case strings.HasPrefix(rest, "<!"):
			return File{}, r.refuse(at, "A statement has no declarations of its own. Fetch the file from the bank again.")
		}
		end := strings.IndexByte(text[at:min(len(text), at+300)], '>')
		if end < 0 {
			return File{}, r.refuse(at, "An element begins here and never ends.")
		}
		tag, _, _ := strings.Cut(strings.TrimSuffix(text[at+1:at+end], "/"), " ")
		start := at
		at += end + 1
		value := ""
		if !strings.HasPrefix(tag, "/") {
			value, at = r.value(at)
		}
		if err := r.element(start, strings.ToUpper(tag), value); err != nil {
			return File{}, err
		}
	}
	if r.line != nil {
		return File{}, r.refuse(r.line.at, "A transaction begins here, and the file ends before it does. Fetch it from the bank again.")
	}
	return r.choose()
}

// after is the place behind what closes something; the end of the text where nothing does.
func (r *ofxReader) after(at int, closes string) int {
	if end := strings.Index(r.text[at:], closes); end >= 0 {
		return at + end + len(closes)
	}
	return len(r.text)
}

// value is the text from here to the next element.
func (r *ofxReader) value(at int) (string, int) {
	var b strings.Builder
	for {
		next := strings.IndexByte(r.text[at:], '<')
		if next < 0 {
			b.WriteString(html.UnescapeString(r.text[at:]))
			return strings.TrimSpace(b.String()), len(r.text)
		}
		b.WriteString(html.UnescapeString(r.text[at : at+next]))
		at += next
		data, ok := strings.CutPrefix(r.text[at:], "<![CDATA[")
		if !ok {
			return strings.TrimSpace(b.String()), at
		}
		inner, _, closed := strings.Cut(data, "]]>")
		if !closed {
			return strings.TrimSpace(b.String()), len(r.text)
		}
		b.WriteString(inner)
		at += len("<![CDATA[") + len(inner) + len("]]>")
	}
}

func (r *ofxReader) refuse(at int, say string) error {
	line, column := place(r.text, at)
	return refuse(r.name, line, column, say)
}

// rowOf is the number of the line at a place that lies behind all that were asked for before, so that the text is counted
// once.
func (r *ofxReader) rowOf(at int) int {
	r.row += strings.Count(r.text[r.counted:at], "\n")
	r.counted = at
	return r.row + 1
}

func (r *ofxReader) in(aggregate string) bool {
	for _, a := range r.within {
		if a == aggregate {
			return true
		}
	}
	return false
}

func (r *ofxReader) element(at int, tag, value string) error {
	if closed, ok := strings.CutPrefix(tag, "/"); ok {
		return r.closed(at, closed)
	}
	if aggregates[tag] && value == "" {
		if len(r.within) > 20 {
			return r.refuse(at, "Elements stand in each other here deeper than in any statement.")
		}
		r.within = append(r.within, tag)
		switch {
		case tag == "STMTRS" || tag == "CCSTMTRS":
			r.statements = append(r.statements, ofxStatement{File: File{Format: OFX}, at: at})
		case tag == "STMTTRN" && r.line != nil:
			return r.refuse(r.line.at, "A transaction begins here, and the next one before it ends.")
		case tag == "STMTTRN" && len(r.statements) > 0 && !r.in("INVSTMTRS"):
			r.line = &ofxLine{at: at}
		}
		return nil
	}
	if len(r.statements) == 0 || r.in("INVSTMTRS") {
		return nil
	}
	s := &r.statements[len(r.statements)-1]
	switch {
	case r.line != nil:
		r.lineValue(at, tag, value)
	case tag == "CURDEF":
		c, err := money.ParseCurrency(strings.ToUpper(value))
		if err != nil {
			return r.refuse(at, sayOf(err))
		}
		s.Currency = c
	case tag == "ACCTID" && (r.in("BANKACCTFROM") || r.in("CCACCTFROM")):
		s.Number = value
	case r.in("LEDGERBAL") && tag == "BALAMT":
		a, err := amountOf(value, r.currencyOf(s), false, false)
		if err != nil {
			return r.refuse(at, sayOf(err))
		}
		s.Closing = &Balance{Amount: a}
	case r.in("LEDGERBAL") && tag == "DTASOF" && s.Closing != nil:
		day, err := ofxDay(value)
		if err != nil {
			return r.refuse(at, sayOf(err))
		}
		s.Closing.Date = day
	}
	return nil
}

func (r *ofxReader) currencyOf(s *ofxStatement) money.Currency {
	if s.Currency.IsZero() {
		return r.wanted.Currency
	}
	return s.Currency
}

func (r *ofxReader) lineValue(at int, tag, value string) {
	l := r.line
	switch tag {
	case "FITID":
		l.id = value
	case "DTPOSTED":
		l.date, l.dateAt = value, at
	case "TRNAMT":
		l.amount, l.amountAt = value, at
	case "NAME":
		l.name = value
	case "MEMO":
		l.memo = value
	case "CHECKNUM":
		l.check = value
	case "REFNUM":
		l.ref = value
	case "CURSYM":
		if r.in("CURRENCY") {
			l.currency = strings.ToUpper(value)
		}
	}
}

func (r *ofxReader) closed(at int, tag string) error {
	for i := len(r.within) - 1; i >= 0; i-- {
		if r.within[i] == tag {
			r.within = r.within[:i]
			break
		}
	}
	if tag != "STMTTRN" || r.line == nil {
		return nil
	}
	l, s := r.line, &r.statements[len(r.statements)-1]
	r.line = nil
	currency := r.currencyOf(s)
	switch {
	case l.amount == "":
		return r.refuse(l.at, "This transaction has no amount (TRNAMT).")
	case l.date == "":
		return r.refuse(l.at, "This transaction has no day (DTPOSTED).")
	case l.currency != "" && l.currency != currency.Code():
		return r.refuse(l.amountAt, "This transaction is in another currency than its account.")
	case len(s.Lines) >= maxLines:
		return ErrTooLarge
	}
	day, err := ofxDay(l.date)
	if err != nil {
		return r.refuse(l.dateAt, sayOf(err))
	}
	amount, err := amountOf(l.amount, currency, false, false)
	if err != nil {
		return r.refuse(l.amountAt, sayOf(err))
	}
	if amount.IsZero() {
		s.LeftOut++
		return nil
	}
	reference := l.ref
	if reference == "" {
		reference = l.check
	}
	s.Lines = append(s.Lines, FileLine{Row: r.rowOf(l.at), BankID: realID(l.id), Date: day, Amount: amount, Memo: plain(l.memo, memoLength),
		PartyName: plain(l.name, partyLength), Reference: plain(reference, referenceLength)})
	return nil
}

// ofxDay reads the day of a moment, as the bank wrote it: YYYYMMDD, whatever follows.
func ofxDay(s string) (civil.Date, error) {
	if len(s) < 8 {
		return civil.Date{}, civil.ErrDate
	}
	t, err := time.Parse("20060102", s[:8])
	if err != nil {
		return civil.Date{}, civil.ErrDate
	}
	return civil.Parse(t.Format(time.DateOnly))
}

// choose takes the statement of the account that is wanted.
func (r *ofxReader) choose() (File, error) {
	var found []ofxStatement
	for _, s := range r.statements {
		if r.wanted.suits(s.Number) {
			found = append(found, s)
		}
	}
	switch {
	case len(r.statements) == 0:
		return File{}, ErrFormat
	case len(found) == 0:
		return File{}, ErrOtherAccount
	case len(found) > 1:
		return File{}, ErrOtherAccount.Sayf("This file is of %d accounts. Give the last four digits of this one in its details, so that the right one is taken.", len(found))
	}
	f := found[0].File
	if !f.Currency.IsZero() && f.Currency != r.wanted.Currency {
		return File{}, ErrOtherMoney.Sayf("This file is in %s, and the account in %s.", f.Currency, r.wanted.Currency)
	}
	if f.Closing != nil && f.Closing.Date.IsZero() {
		f.Closing = nil
	}
	return f, nil
}

// realID is the bank's id of a line, unless it is one of the words that stand for none.
func realID(id string) string {
	id = strings.TrimSpace(id)
	switch strings.ToUpper(id) {
	case "NONREF", "NOTPROVIDED", "NOREF", "NONE", "N/A", "UNKNOWN":
		return ""
	}
	if strings.Trim(id, "0-") == "" {
		return ""
	}
	return id
}
