package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrOneSided refuses a report that names an account and "-Split-" for the rest: what was booked cannot be told from it.
var ErrOneSided = fault.New(fault.Invalid, "import.one_sided", "This report does not tell both sides of each transaction. In QuickBooks open the report Journal instead, for the same days, and save that as CSV.")

// maxTitles is how many lines may stand above the header of a report: the company, the report, its days, and empty ones.
const maxTitles = 8

// isTitle says whether a line is no header of any table: it has one cell with something in it at most.
func isTitle(record []string) bool {
	filled := 0
	for _, cell := range record {
		if strings.TrimSpace(cell) != "" {
			filled++
		}
	}
	return filled <= 1
}

// isReport says whether a line names the columns of a report of transactions.
func isReport(header []string) bool {
	d, _ := recogniseForeign("", header)
	return d != nil && d.report || isOneSided(header)
}

// isOneSided tells QuickBooks' lists of transactions, "Transaction List by Date" among them, by their columns.
func isOneSided(header []string) bool {
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = bareName(name)
	}
	return slices.Contains(names, "transactiontype") && slices.Contains(names, "amount") && !slices.Contains(names, "debit") &&
		(slices.Contains(names, "split") || slices.Contains(names, "splitaccount") || slices.Contains(names, "account"))
}

// isBetween tells the lines of a report that are no rows of it: sums, titles and what is said below.
func (t *Table) isBetween(record []string) bool {
	if t.foreign == nil || !t.foreign.report {
		return false
	}
	account := t.at("account")
	return account >= len(record) || strings.TrimSpace(record[account]) == ""
}

// nameEntries finds which rows of a report of the journal belong together: the first has a day, and the next begins where
// the one before comes to nothing. Each is called by its type, number and day, and by which of those alike it is, so that
// the same report, or one of more days, names it the same.
func (t *Table) nameEntries() {
	next := len(t.header)
	t.column["entry"], t.column["description"] = next, next+1
	count := map[string]int{}
	var entry, description, date string
	open := decimal.Zero
	for n := range t.rows {
		r := &t.rows[n]
		if t.plain(*r, "date") != "" && open.IsZero() {
			date = t.plain(*r, "date")
			description = strings.TrimSpace(t.text(*r, "transaction_type") + " " + t.text(*r, "number"))
			entry = description + " " + date
			count[entry]++
			entry = fmt.Sprintf("%s (%d)", entry, count[entry])
		}
		r.cells[t.at("date")] = date
		r.cells = append(slices.Clip(r.cells), entry, description)
		for column, sign := range map[string]int64{"debit": 1, "credit": -1} {
			if amount, err := decimal.NewFromString(t.plain(*r, column)); err == nil { // what is no number is refused later
				open = open.Add(amount.Mul(decimal.NewFromInt(sign)))
			}
		}
	}
}

// plainTerms leaves of Xero's terms those that count days from the bill: "Days After", and not "Following Month".
func (t *Table) plainTerms() {
	days, term := t.at("payee_terms_days"), t.at("bill_term")
	if days < 0 || term < 0 {
		return
	}
	for _, r := range t.rows {
		if word := bareName(r.cells[term]); !strings.HasPrefix(word, "daysafter") || strings.Contains(word, "month") {
			r.cells[days] = ""
		}
	}
}
