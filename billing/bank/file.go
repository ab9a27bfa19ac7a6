package bank

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
)

// What is refused about a file. ErrFile is said with the file's name, the line and the column.
var (
	ErrFile         = fault.New(fault.Invalid, "bank_file.malformed", "This file cannot be read as a bank's statement.").At("file")
	ErrFormat       = fault.New(fault.Invalid, "bank_file.format", "Choose a file that the bank made: OFX (or QFX), CAMT.053 or CSV.").At("file")
	ErrEncoding     = fault.New(fault.Invalid, "bank_file.encoding", "The letters of this file cannot be read. Fetch it from the bank again, or save it as UTF-8.").At("file")
	ErrEmpty        = fault.New(fault.Invalid, "bank_file.empty", "There are no lines in this file. Choose another, or a longer period at the bank.").At("file")
	ErrTooLarge     = fault.New(fault.Invalid, "bank_file.too_large", "A file has at most 10 MB and 20,000 lines. Fetch a shorter period from the bank.").At("file")
	ErrOtherAccount = fault.New(fault.Invalid, "bank_file.other_account", "This file is of another account. Choose the account that it belongs to.").At("file")
	ErrOtherMoney   = fault.New(fault.Invalid, "bank_file.other_currency", "This file is in another currency than the account.").At("file")
)

const (
	maxBytes = 10 << 20
	maxLines = 20_000

	memoLength      = 240
	partyLength     = 80
	referenceLength = 50
)

// Format is how a bank writes a statement.
type Format string

// The formats.
const (
	OFX  Format = "ofx"  // OFX 1.0.2 to 2.3, QFX too
	CAMT Format = "camt" // ISO 20022 camt.053, a statement
	CSV  Format = "csv"
)

// File is a statement as a file tells of it. Its lines are in the file's order.
type File struct {
	Format           Format
	Number           string         // of the account, as the file has it; empty where it does not say
	Currency         money.Currency // none where it does not say
	Opening, Closing *Balance       // nil where it does not say
	Lines            []FileLine
	LeftOut          int // lines that are no movement: not booked yet, or of nothing
}

// Balance is what was on an account at a day's end, or for an opening at its beginning.
type Balance struct {
	Date   civil.Date
	Amount money.Amount
}

// FileLine is one movement. What comes in is above zero.
type FileLine struct {
	Row       int    // the line of the file that it begins on
	BankID    string // the bank's own name for it; empty for none
	Date      civil.Date
	Amount    money.Amount
	Memo      string
	PartyName string // who paid or was paid
	Reference string
}

// Wanted is the account that a file is read for.
type Wanted struct {
	Currency money.Currency
	LastFour string // of its number; empty where nobody said
}

// Read reads a file of one of the formats. mapping says how to read CSV; nil guesses. It fails with ErrFile, which says
// file, line and column, and with ErrFormat, ErrEncoding, ErrEmpty, ErrTooLarge, ErrOtherAccount and ErrOtherMoney.
func Read(name string, content []byte, wanted Wanted, mapping *Mapping) (File, error) {
	text, err := readText(name, content)
	if err != nil {
		return File{}, err
	}
	var f File
	switch format, err := formatOf(text); {
	case err != nil:
		return File{}, err
	case format == OFX:
		f, err = readOFX(name, text, wanted)
		if err != nil {
			return File{}, err
		}
	case format == CAMT:
		f, err = readCAMT(name, text, wanted)
		if err != nil {
			return File{}, err
		}
	default:
		if mapping == nil {
			guessed, err := Guess(name, content)
			if err != nil {
				return File{}, err
			}
			mapping = &guessed
		}
		if f, err = readCSV(name, text, wanted, *mapping); err != nil {
			return File{}, err
		}
	}
	return f, f.check()
}

// IsCSV says whether a file needs a mapping.
func IsCSV(name string, content []byte) (bool, error) {
	text, err := readText(name, content)
	if err != nil {
		return false, err
	}
	format, err := formatOf(text)
	return format == CSV, err
}

func readText(name string, content []byte) (string, error) {
	switch {
	case len(content) == 0:
		return "", ErrEmpty
	case len(content) > maxBytes:
		return "", ErrTooLarge
	}
	return decode(name, content)
}

// formatOf tells the format by what a file begins with, never by its name.
func formatOf(text string) (Format, error) {
	head := text[:min(len(text), 4096)]
	start := strings.TrimLeft(head, " \t\r\n")
	switch {
	case strings.HasPrefix(start, "OFXHEADER"), strings.Contains(strings.ToUpper(head), "<OFX>"):
		return OFX, nil
	case strings.Contains(head, "camt.053.001."):
		return CAMT, nil
	case strings.HasPrefix(start, "<"), strings.HasPrefix(start, "%PDF"), strings.HasPrefix(start, "PK\x03\x04"), strings.HasPrefix(start, "{"):
		return "", ErrFormat
	}
	for _, r := range start {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return "", ErrFormat
		}
	}
	return CSV, nil
}

func (f File) check() error {
	switch {
	case len(f.Lines) > maxLines:
		return ErrTooLarge
	case len(f.Lines) == 0:
		return ErrEmpty
	}
	return nil
}

// suits says whether a statement within a file is of the account, as far as both say.
func (w Wanted) suits(number string) bool {
	number = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, number)
	return w.LastFour == "" || len(number) < 4 || strings.HasSuffix(number, w.LastFour)
}

// refuse says what is wrong with a file, and where.
func refuse(name string, line, column int, say string) error {
	if name = strings.TrimSpace(name); name == "" {
		name = "The file"
	}
	return ErrFile.Sayf("%s, line %d, column %d: %s", shorten(name, 80), line, column, say)
}

// sayOf is the sentence of a fault, for a place in a file.
func sayOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Say
	}
	return "This cannot be read."
}

// plain is a text of a file on one line: what nobody sees is taken out, and so much is kept as the books have room for.
func plain(text string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	return shorten(strings.Join(strings.Fields(clean), " "), limit)
}

func shorten(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:limit]))
}

// amountOf reads a figure as banks write it: with a sign before or behind, either mark before the decimals, marks or
// spaces between thousands, and zeros beyond the currency's decimals. comma says that decimals stand behind a comma;
// where it is unknown the last mark is theirs.
func amountOf(s string, c money.Currency, comma, known bool) (money.Amount, error) {
	s = strings.NewReplacer("\u00a0", "", "\u202f", "", " ", "", "'", "", "’", "", "\u2212", "-").Replace(strings.TrimSpace(s))
	negative := false
	if bare, ok := strings.CutPrefix(s, "("); ok && strings.HasSuffix(bare, ")") {
		negative, s = true, strings.TrimSuffix(bare, ")")
	}
	s = strings.TrimPrefix(s, "+")
	if bare, ok := strings.CutSuffix(s, "-"); ok {
		negative, s = !negative, bare
	} else if bare, ok := strings.CutPrefix(s, "-"); ok {
		negative, s = !negative, bare
	}
	if !known {
		comma = strings.LastIndexByte(s, ',') > strings.LastIndexByte(s, '.')
	}
	between, mark := ",", "."
	if comma {
		between, mark = ".", ","
	}
	whole, fraction, split := strings.Cut(s, mark)
	if strings.Contains(fraction, between) || !grouped(whole, between) {
		return money.Amount{}, money.ErrMalformed.Sayf("%q is no amount.", shorten(s, 40))
	}
	whole = strings.ReplaceAll(whole, between, "")
	if whole == "" && fraction != "" {
		whole = "0"
	}
	for len(fraction) > c.Digits() && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if split && fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	a, err := money.ParseAmount(whole, c)
	if errors.Is(err, money.ErrMalformed) {
		return a, money.ErrMalformed.Sayf("%q is no amount.", shorten(s, 40))
	}
	return a, err
}

// grouped says whether marks between thousands stand where they may: 1.234.567, and in India 12,34,567.
func grouped(whole, between string) bool {
	parts := strings.Split(whole, between)
	for i, p := range parts {
		last := i == len(parts)-1
		switch {
		case len(parts) == 1:
		case i == 0 && (p == "" || len(p) > 3), i > 0 && last && len(p) != 3, i > 0 && !last && len(p) != 2 && len(p) != 3:
			return false
		}
	}
	return true
}
