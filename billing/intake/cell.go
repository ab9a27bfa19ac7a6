package intake

import (
	"errors"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/sheet"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
)

// text gives a cell without the apostrophe that our own exports put before what a spreadsheet would take for a formula.
// A column that the file does not have is empty.
func (t *Table) text(r row, name string) string {
	i := t.at(name)
	if i < 0 {
		return ""
	}
	return sheet.Plain(r.cells[i])
}

// textOr is text, and the stored value where the file has no such column: what a file does not speak of stays.
func (t *Table) textOr(r row, name, stored string) string {
	if t.at(name) < 0 {
		return stored
	}
	return t.text(r, name)
}

func (t *Table) refuseCell(r row, name string, err error) { t.refuse(r, t.at(name), err) }

// key reads an external id, which every row and every reference has.
func (t *Table) key(r row, name string) string {
	key, err := text.Required("", t.text(r, name), 100)
	if err != nil {
		t.refuseCell(r, name, err)
	}
	return key
}

// yes reads a cell that says yes or, empty, no.
func (t *Table) yes(r row, name string) bool {
	cell := t.plain(r, name)
	if cell != "" && cell != "yes" {
		t.refuseValue(r, name, cell, ErrYes)
	}
	return cell == "yes"
}

// uniqueKey is key for a file in which each row is a thing of its own.
func (t *Table) uniqueKey(r row, lines map[string]int) string {
	key := t.key(r, "external_id")
	if key == "" {
		return ""
	}
	if earlier, twice := lines[key]; twice {
		t.refuseCell(r, "external_id", ErrTwice.Sayf("Line %d has the external id %q too.", earlier, clip(key)))
	}
	lines[key] = r.line
	return key
}

// number reads a decimal; 0 with a refusal when the cell holds none.
func (t *Table) number(r row, name string, intDigits, fracDigits int) decimal.Decimal {
	cell := t.plain(r, name)
	d, err := money.ParseDecimal(cell, intDigits, fracDigits)
	t.refuseValue(r, name, cell, err)
	return d
}

func (t *Table) amount(r row, name string, c money.Currency) money.Amount {
	if c.IsZero() { // refused already
		return money.Amount{}
	}
	cell := t.plain(r, name)
	a, err := money.ParseAmount(cell, c)
	t.refuseValue(r, name, cell, err)
	return a
}

func (t *Table) currency(r row) money.Currency {
	cell := t.plain(r, "currency")
	if cell == "" && t.foreign != nil {
		return t.base
	}
	c, err := money.ParseCurrency(cell)
	t.refuseValue(r, "currency", cell, err)
	return c
}

func (t *Table) date(r row, name string) civil.Date {
	cell := t.plain(r, name)
	d, err := civil.Parse(cell)
	t.refuseValue(r, name, cell, err)
	return d
}

// plain is a cell as it stands: a number is not protected from spreadsheets.
func (t *Table) plain(r row, name string) string {
	if i := t.at(name); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// refuseValue adds what the cell says to the sentence: with many columns, that is how one finds it.
func (t *Table) refuseValue(r row, name, cell string, err error) {
	if err == nil {
		return
	}
	var f *fault.Error
	if errors.As(err, &f) && cell != "" {
		err = f.Sayf("%s It says %q.", f.Say, clip(cell))
	} else if f != nil {
		err = f.Sayf("%s It is empty.", f.Say)
	}
	t.refuseCell(r, name, err)
}
