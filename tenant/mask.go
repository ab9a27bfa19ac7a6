package tenant

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrMasked refuses to write back what was read masked: it would take the place of what is kept.
var ErrMasked = fault.New(fault.Forbidden, "support.masked",
	"Parts of this are masked for you and cannot be saved. Ask the owner for access that shows people's data.")

// Masking happens where rows leave the database, by the names of their columns, so that no page, list or answer of the
// API has to think of it and none can forget it.

const masked = "•••"

// Masks are groups of people's data, each of which can be masked by itself. None is the zero value.
type Masks uint8

// The groups.
const (
	MaskNames Masks = 1 << iota
	MaskContact
	MaskAddresses
	MaskBank
	MaskTraces
	MaskNotes
	MaskAll = MaskNames | MaskContact | MaskAddresses | MaskBank | MaskTraces | MaskNotes
)

// MaskGroup is one group as it is stored and shown.
type MaskGroup struct {
	Mask Masks
	Word string // "names"
	Name string // "Names"
	Say  string // what is in it
}

var maskGroups = []MaskGroup{
	{MaskNames, "names", "Names", "of customers, members and whoever did something"},
	{MaskContact, "contact", "Contact details", "e-mail addresses and phone numbers"},
	{MaskAddresses, "addresses", "Postal addresses", "street, postal code, city and region"},
	{MaskBank, "bank", "Bank and tax numbers", "account numbers, their holders and tax numbers"},
	{MaskTraces, "traces", "Where people worked from", "network addresses and browsers"},
	{MaskNotes, "notes", "Notes", "what was written in plain words to someone or about them"},
}

// MaskGroups lists what can be masked. The caller may keep and change the list.
func MaskGroups() []MaskGroup { return slices.Clone(maskGroups) }

// ReadMasks reads the words of groups. One that is unknown, and the empty text, stand for all there are.
func ReadMasks(words string) Masks {
	var all Masks
	for word := range strings.FieldsSeq(words) {
		at := slices.IndexFunc(maskGroups, func(g MaskGroup) bool { return g.Word == word })
		if at < 0 {
			return MaskAll
		}
		all |= maskGroups[at].Mask
	}
	if all == 0 {
		return MaskAll
	}
	return all
}

// Words are the groups as ReadMasks reads them.
func (m Masks) Words() (words []string) {
	for _, g := range maskGroups {
		if m.Has(g.Mask) {
			words = append(words, g.Word)
		}
	}
	return words
}

// Has says whether any of those groups is among them.
func (m Masks) Has(any Masks) bool { return m&any != 0 }

// personalColumns are the names of columns with a person's data, at the end of the column's name, and their group.
var personalColumns = map[string]Masks{
	"email": MaskContact, "phone": MaskContact, "mobile": MaskContact,
	"street": MaskAddresses, "address": MaskAddresses, "postal_code": MaskAddresses, "city": MaskAddresses, "region": MaskAddresses,
	"tax_number": MaskBank, "iban": MaskBank, "bic": MaskBank, "account_number": MaskBank, "routing_number": MaskBank, "holder": MaskBank,
	"network": MaskTraces, "user_agent": MaskTraces,
	"note": MaskNotes, "notes": MaskNotes, "memo": MaskNotes, "comment": MaskNotes, "message": MaskNotes,
	"accepted_by": MaskNames,
	"billed_to":   MaskAll, // an object: each of its texts by its own name
}

// plainNames are what "..._name" may name without being a person.
var plainNames = []string{"account", "product", "tax", "rate", "currency", "plan", "schema", "gateway", "role", "file", "category", "bank", "organization"}

// personalTables hold people under the plain column "name".
var personalTables = []string{"party", "member", "audit_private", "contact"}

// personal says in which groups what a column of an answer to q holds is: masking any of them masks it. What it cannot
// tell it takes for a name.
func personal(column, q string) Masks {
	column = strings.ToLower(column)
	head, last := "", column
	if at := strings.LastIndexByte(column, '.'); at >= 0 {
		head, last = column[:at], column[at+1:]
	}
	var found Masks
	for name, group := range personalColumns {
		if last == name || strings.HasSuffix(last, "_"+name) {
			found |= group
		}
	}
	if found != 0 {
		return found
	}
	if of, ok := strings.CutSuffix(last, "_name"); ok && !anySuffix(of, plainNames) {
		return MaskNames
	}
	switch last {
	case "name":
		if head != "" && !anySuffix(head, plainNames) || head == "" && readsFrom(q, personalTables) {
			return MaskNames
		}
	case "before", "after": // which field's, each row says for itself
		if readsFrom(q, []string{"audit_private"}) {
			return MaskAll
		}
	}
	return 0
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

// maskValue masks a value as the driver gave it. Of an object it masks the texts that are in the groups; what is neither
// text nor an object of texts is left out whole.
func maskValue(v driver.Value, masks Masks) driver.Value {
	switch text := v.(type) {
	case nil:
		return nil
	case string:
		return maskText(text)
	case []byte:
		var object map[string]any
		if len(text) > 0 && text[0] == '{' && json.Unmarshal(text, &object) == nil {
			return maskObject(object, masks)
		}
		return []byte(maskText(string(text)))
	}
	return nil
}

func maskObject(object map[string]any, masks Masks) driver.Value {
	for key, v := range object {
		group := personal(key, "")
		if key == "name" {
			group = MaskNames
		} else if group == 0 { // unknown
			group = MaskAll
		}
		if text, ok := v.(string); ok && key != "country" && key != "company" && masks.Has(group) {
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

// maskChanges masks what the record keeps of a change: a line for each field, its name, a colon and the value.
func maskChanges(v driver.Value, masks Masks) driver.Value {
	raw, isBytes := v.([]byte)
	text, isText := v.(string)
	if isBytes {
		text = string(raw)
	} else if !isText {
		return v
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if field, value, ok := strings.Cut(line, ": "); ok && masks.Has(personal(field, "")) {
			lines[i] = field + ": " + maskText(value)
		}
	}
	if isBytes {
		return []byte(strings.Join(lines, "\n"))
	}
	return strings.Join(lines, "\n")
}

// maskedRows are rows whose personal columns are masked.
type maskedRows struct {
	driver.Rows
	hide []func(driver.Value) driver.Value // by column; nil: shown as it is
}

func maskRows(rows driver.Rows, q string, masks Masks) driver.Rows {
	m := &maskedRows{Rows: rows}
	for _, column := range rows.Columns() {
		var hide func(driver.Value) driver.Value
		switch {
		case masks.Has(personal(column, q)):
			hide = func(v driver.Value) driver.Value { return maskValue(v, masks) }
		case strings.HasSuffix(column, "before"), strings.HasSuffix(column, "after"):
			hide = func(v driver.Value) driver.Value { return maskChanges(v, masks) }
		}
		m.hide = append(m.hide, hide)
	}
	return m
}

// Next reads a row.
func (m *maskedRows) Next(dest []driver.Value) error {
	if err := m.Rows.Next(dest); err != nil {
		return err
	}
	for i, hide := range m.hide {
		if hide != nil {
			dest[i] = hide(dest[i])
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
