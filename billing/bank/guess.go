package bank

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// sampled is how many rows of a file are looked at for a guess, and shown beside it.
const sampled = 200

// Sample gives the first rows of a CSV file as they are, for who chooses its columns.
func Sample(name string, content []byte, divider rune, count int) ([][]string, error) {
	text, err := readText(name, content)
	if err != nil {
		return nil, err
	}
	return sample(openCSV(name, text, divider), count)
}

func sample(rows *rowsOf, count int) ([][]string, error) {
	var all [][]string
	for len(all) < count {
		cells, _, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		all = append(all, cells)
	}
	return all, nil
}

// The words that banks put over their columns. The first that is found counts.
var (
	amountHeads    = []string{"amount", "betrag", "umsatz", "montant", "importe", "importo", "bedrag", "value", "valor"}
	inHeads        = []string{"credit", "paid in", "money in", "haben", "gutschrift", "crédit", "deposit", "received", "bij"}
	outHeads       = []string{"debit", "paid out", "money out", "soll", "lastschrift", "débit", "withdrawal", "spent", "af"}
	balanceHeads   = []string{"balance", "saldo", "solde"}
	partyHeads     = []string{"counterparty", "payee", "beneficiary", "auftraggeber", "empfänger", "begünstigter", "zahlungspflichtiger", "merchant", "name", "party"}
	memoHeads      = []string{"description", "memo", "details", "narrative", "verwendungszweck", "libellé", "concepto", "omschrijving", "text", "particulars"}
	referenceHeads = []string{"reference", "referenz", "référence", "referencia"}
	idHeads        = []string{"transaction id", "fitid", "transaction_id", "unique id"}
)

// Guess says how a CSV file is likely to be read: by the heads of its columns in the languages that they are mostly in,
// and else by what stands in them. Whoever imports it sees the guess and its first rows, and corrects it. It fails as Read does.
func Guess(name string, content []byte) (Mapping, error) {
	text, err := readText(name, content)
	if err != nil {
		return Mapping{}, err
	}
	m := Mapping{Divider: ','}
	var rows [][]string
	best := 0
	for _, divider := range []rune{',', ';', '\t', '|'} {
		found, err := sample(openCSV(name, text, divider), sampled)
		if err != nil {
			continue
		}
		if score := evenness(found); score > best {
			best, rows, m.Divider = score, found, divider
		}
	}
	if len(rows) == 0 {
		if rows, err = sample(openCSV(name, text, m.Divider), sampled); err != nil {
			return Mapping{}, err
		}
	}
	m.guessDates(rows)
	heads, body := m.parts(rows)
	m.guessAmounts(heads, body)
	m.guessTexts(heads, body)
	return m, nil
}

// evenness says how much rows look like those of a table: how many have the most frequent number of cells, more than
// one, and then how many cells.
func evenness(rows [][]string) int {
	counts := map[int]int{}
	best := 0
	for _, r := range rows {
		if len(r) > 1 && len(r) <= maxColumns {
			counts[len(r)]++
			best = max(best, counts[len(r)]*1000+len(r))
		}
	}
	return best
}

// guessDates finds the column that has most days, and how they are written. Of two ways that both fit, days before
// months and months before days, the one is taken by which the movements lie closer together.
func (m *Mapping) guessDates(rows [][]string) {
	most, nearest := 0, 0
	for column := Column(1); column <= maxColumns; column++ {
		for _, format := range DateFormats() {
			days, first := 0, -1
			var all []civil.Date
			for n, r := range rows {
				if d, err := dayOf(cell(r, column), format); err == nil {
					if first < 0 {
						first = n
					}
					days++
					all = append(all, d)
				}
			}
			if days == 0 || days < most {
				continue
			}
			far := travelled(all)
			if days > most || column == m.Date && far < nearest {
				most, nearest = days, far
				m.Date, m.DateFormat, m.Skip = column, format, min(first, 100)
			}
		}
	}
}

// travelled is how many days it is from each movement to the next, together.
func travelled(days []civil.Date) (far int) {
	for i := 1; i < len(days); i++ {
		apart := days[i-1].DaysUntil(days[i])
		far += max(apart, -apart)
	}
	return far
}

// parts are the row with the heads, in small letters, and the rows with movements.
func (m Mapping) parts(rows [][]string) (heads []string, body [][]string) {
	if m.Skip > 0 && m.Skip <= len(rows) {
		for _, h := range rows[m.Skip-1] {
			heads = append(heads, strings.ToLower(strings.TrimSpace(h)))
		}
	}
	return heads, rows[min(m.Skip, len(rows)):]
}

// headed is the first column under one of the words, in the order of the words, which is not taken already.
func headed(heads, words []string, taken ...Column) Column {
	for _, word := range words {
		for i, h := range heads {
			short := len(word) < 5 && !slices.Contains(strings.FieldsFunc(h, func(r rune) bool { return r < 'a' }), word)
			if strings.Contains(h, word) && !short && !slices.Contains(taken, Column(i+1)) {
				return Column(i + 1)
			}
		}
	}
	return 0
}

func (m *Mapping) guessAmounts(heads []string, body [][]string) {
	balance := headed(heads, balanceHeads)
	m.Amount = headed(heads, amountHeads, balance, m.Date)
	in, out := headed(heads, inHeads, balance, m.Date), headed(heads, outHeads, balance, m.Date)
	if in != out && in > 0 && out > 0 && figuresIn(body, in)+figuresIn(body, out) > 0 {
		m.Amount, m.In, m.Out = 0, in, out
	}
	if m.Amount == 0 && m.In == 0 {
		for column := Column(1); column <= maxColumns && m.Amount == 0; column++ {
			if column != m.Date && column != balance && figuresIn(body, column) > len(body)/2 && len(body) > 0 {
				m.Amount = column
			}
		}
	}
	commas, points := 0, 0
	for _, r := range body {
		for _, c := range []Column{m.Amount, m.In, m.Out} {
			figure := cell(r, c)
			if strings.LastIndexByte(figure, ',') > strings.LastIndexByte(figure, '.') {
				commas++
			} else if strings.Contains(figure, ".") {
				points++
			}
		}
	}
	m.Comma = commas > points
}

// figuresIn counts the cells of a column that are figures.
func figuresIn(body [][]string, column Column) (count int) {
	euro := money.MustCurrency("EUR")
	for _, r := range body {
		if c := cell(r, column); c != "" {
			if _, err := amountOf(withoutCurrency(c, euro), euro, false, false); err == nil {
				count++
			}
		}
	}
	return count
}

func (m *Mapping) guessTexts(heads []string, body [][]string) {
	taken := []Column{m.Date, m.Amount, m.In, m.Out}
	m.ID = headed(heads, idHeads, taken...)
	taken = append(taken, m.ID)
	m.Reference = headed(heads, referenceHeads, taken...)
	taken = append(taken, m.Reference)
	m.Memo = headed(heads, memoHeads, taken...)
	taken = append(taken, m.Memo)
	m.Party = headed(heads, partyHeads, taken...)
	if m.Memo > 0 {
		return
	}
	longest := 0
	for column := Column(1); column <= maxColumns; column++ {
		if slices.Contains(append(taken, m.Party), column) || figuresIn(body, column) > len(body)/2 {
			continue
		}
		length := 0
		for _, r := range body {
			if c := cell(r, column); c != "" {
				if _, err := dayOf(c, m.DateFormat); err != nil {
					length += len(c)
				}
			}
		}
		if length > longest {
			longest, m.Memo = length, column
		}
	}
}
