package tenant

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrMasked refuses to write back what was read masked: it would take the place of what is kept.
var ErrMasked = fault.New(fault.Forbidden, "support.masked",
	"Parts of this are masked for you and cannot be saved. Ask the owner for access that shows people's data.")

// Masking happens where rows leave the database, by the names of their columns, so that no page, list or answer of the
// API has to think of it and none can forget it.

const masked = "•••"

// personalColumns are the names of columns with a person's data, at the end of the column's name.
var personalColumns = []string{
	"email", "phone", "mobile", "street", "address", "postal_code", "city", "region", "tax_number", "iban", "bic", "account_number",
	"routing_number", "holder", "network", "user_agent", "billed_to",
}

// plainNames are what "..._name" may name without being a person.
var plainNames = []string{"account", "product", "tax", "rate", "currency", "plan", "schema", "gateway", "role", "file", "category", "bank", "organization"}

// personalTables hold people under the plain column "name".
var personalTables = []string{"party", "member", "audit_private"}

// personal says whether a column of an answer to q holds a person's data. What it cannot tell it takes for personal.
func personal(column, q string) bool {
	column = strings.ToLower(column)
	head, last := "", column
	if at := strings.LastIndexByte(column, '.'); at >= 0 {
		head, last = column[:at], column[at+1:]
	}
	for _, name := range personalColumns {
		if last == name || strings.HasSuffix(last, "_"+name) {
			return true
		}
	}
	if of, ok := strings.CutSuffix(last, "_name"); ok {
		return !anySuffix(of, plainNames)
	}
	switch last {
	case "name":
		return head != "" && !anySuffix(head, plainNames) || head == "" && readsFrom(q, personalTables)
	case "before", "after":
		return readsFrom(q, []string{"audit_private"})
	}
	return false
}

func anySuffix(s string, all []string) bool {
	for _, one := range all {
		if s == one || strings.HasSuffix(s, "_"+one) || strings.HasSuffix(s, "."+one) {
			return true
		}
	}
	return false
}

// readsFrom says whether a statement names one of the tables after FROM or JOIN.
func readsFrom(q string, tables []string) bool {
	words := strings.Fields(strings.ToLower(q))
	for i, word := range words {
		if (word == "from" || word == "join" || word == "into" || word == "update") && i+1 < len(words) {
			for _, table := range tables {
				if strings.Trim(words[i+1], "(),;") == table {
					return true
				}
			}
		}
	}
	return false
}

// maskText leaves of a text the first letter of each of its words, and of anything with an @ or a digit nothing.
func maskText(s string) string {
	if strings.TrimSpace(s) == "" {
		return s
	}
	if strings.ContainsRune(s, '@') || strings.IndexFunc(s, unicode.IsDigit) >= 0 {
		return masked
	}
	words := strings.Fields(s)
	for i, word := range words {
		words[i] = string([]rune(word)[:1]) + masked
	}
	return strings.Join(words, " ")
}

// maskValue masks a value as the driver gave it. What is neither text nor an object of texts is left out whole.
func maskValue(v driver.Value) driver.Value {
	switch text := v.(type) {
	case nil:
		return nil
	case string:
		return maskText(text)
	case []byte:
		var object map[string]any
		if len(text) > 0 && text[0] == '{' && json.Unmarshal(text, &object) == nil {
			return maskObject(object)
		}
		return []byte(maskText(string(text)))
	}
	return nil
}

func maskObject(object map[string]any) driver.Value {
	for key, v := range object {
		if text, ok := v.(string); ok && key != "country" && key != "company" {
			object[key] = maskText(text)
		} else if !ok && v != nil {
			delete(object, key)
		}
	}
	out, err := json.Marshal(object)
	if err != nil {
		return nil
	}
	return out
}

// masking tells the connection to mask what it reads from here to the end of the transaction.
func masking(c *sqlx.Conn) error {
	return c.Raw(func(driverConn any) error {
		driverConn.(*conn).masked = true
		return nil
	})
}

// maskedRows are rows whose personal columns are masked.
type maskedRows struct {
	driver.Rows
	hide []bool
}

func maskRows(rows driver.Rows, q string) driver.Rows {
	m := &maskedRows{Rows: rows}
	for _, column := range rows.Columns() {
		m.hide = append(m.hide, personal(column, q))
	}
	return m
}

// Next reads a row.
func (m *maskedRows) Next(dest []driver.Value) error {
	if err := m.Rows.Next(dest); err != nil {
		return err
	}
	for i, hide := range m.hide {
		if hide {
			dest[i] = maskValue(dest[i])
		}
	}
	return nil
}

// checkUnmasked refuses arguments that hold what was masked.
func checkUnmasked(args []driver.NamedValue) error {
	for _, a := range args {
		if strings.Contains(fmt.Sprintf("%s", a.Value), masked) {
			return ErrMasked
		}
	}
	return nil
}
