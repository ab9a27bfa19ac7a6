package page

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Form is what stands in a form: the values, and what is wrong with them. A form that is refused comes back with
// every value as it was sent, except passwords, and with every fault both in the list on top and beside its field.
// A field's name in the HTML is the field of its fault: "lines[2].quantity".
type Form struct {
	Values url.Values
	Faults fault.List
	Key    string // the idempotency key of this form's one sending; the part "form-key" carries it
	ID     string // set apart the ids of two forms on one page; may be empty
}

// NewForm is a form with its first values, as pairs of name and value.
func NewForm(pairs ...string) Form {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return Form{Values: values}
}

// FormOf is a form with the values that were sent.
func FormOf(sent url.Values) Form { return Form{Values: sent} }

// Refused adds the faults in err. It reports false, and adds nothing, when err holds no fault: that is an internal
// error and nothing a form can tell. Nor can it tell of what does not answer just now: nothing in the form is wrong,
// and the answer has to say when to try again.
func (f *Form) Refused(err error) bool {
	if err == nil || !isFault(err) || fault.KindOf(err) == fault.Unavailable {
		return false
	}
	return f.Faults.Add("", err)
}

// Move gives faults of one field to another, for a form whose field is named otherwise than the rule's.
func (f *Form) Move(from, to string) {
	for i, e := range f.Faults {
		if e.Field == from {
			f.Faults[i] = e.At(to)
		}
	}
}

func isFault(err error) bool {
	var one *fault.Error
	return errors.As(err, &one)
}

// Value is the first value of a field; empty for none.
func (f Form) Value(name string) string { return f.Values.Get(name) }

// Has reports whether a field has this value among its values, for boxes to tick.
func (f Form) Has(name, value string) bool {
	for _, v := range f.Values[name] {
		if v == value {
			return true
		}
	}
	return false
}

// Fault is what is wrong with a field, in one or more sentences; empty for nothing.
func (f Form) Fault(name string) string {
	var says []string
	for _, e := range f.Faults {
		if e.Field == name {
			says = append(says, e.Say)
		}
	}
	return strings.Join(says, " ")
}

// FieldID is the id of the field of that name: letters, digits and single hyphens.
func (f Form) FieldID(name string) string {
	id := "f"
	if f.ID != "" {
		id = f.ID
	}
	for _, word := range strings.FieldsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		id += "-" + word
	}
	return id
}

// Trouble is the head of the list of faults.
func (f Form) Trouble() string {
	if len(f.Faults) == 1 {
		return "One thing to put right."
	}
	return fmt.Sprintf("%d things to put right.", len(f.Faults))
}

// Wrong is one fault as the list on top tells it.
type Wrong struct {
	Field string // where it is; empty for the whole
	Say   string
}

// Wrongs are the faults for the list on top. A sentence that only makes sense beside its field is told with the field's
// name, and that of a line with the line's number.
func (f Form) Wrongs() []Wrong {
	all := make([]Wrong, len(f.Faults))
	for i, e := range f.Faults {
		line, name := place(e)
		all[i] = Wrong{e.Field, e.Say}
		switch {
		case line > 0 && name != "":
			all[i].Say = fmt.Sprintf("Line %d, %s: %s", line, name, e.Say)
		case line > 0:
			all[i].Say = fmt.Sprintf("Line %d: %s", line, e.Say)
		case name != "":
			all[i].Say = capital(name) + ": " + e.Say
		}
	}
	return all
}

// lineWrongs are the faults of one line of an editor, for the row below it: its fields are too narrow for sentences.
func lineWrongs(f Form, line EditorLine) []Wrong {
	var all []Wrong
	for _, e := range f.Faults {
		at, name := place(e)
		if at != line.Number() || slices.ContainsFunc(all, func(w Wrong) bool { return w.Field == e.Field }) {
			continue
		}
		say := f.Fault(e.Field)
		if name != "" {
			say = capital(name) + ": " + say
		}
		all = append(all, Wrong{e.Field, say})
	}
	return all
}

// needField are the families of faults whose sentences do not say what they are about.
var needField = []string{"text", "number", "amount", "date", "id", "country", "currency"}

// place tells the line that a fault is on, counted from 1 (0 for none), and the name of its field where the sentence
// needs it.
func place(e *fault.Error) (line int, name string) {
	name = e.Field
	if found := lineField.FindStringSubmatch(e.Field); found != nil {
		if index, err := strconv.Atoi(found[1]); err == nil {
			line, name = index+1, found[2]
		}
	}
	if family, _, _ := strings.Cut(e.Code, "."); !slices.Contains(needField, family) {
		return line, ""
	}
	return line, strings.ReplaceAll(strings.TrimSuffix(name, "_id"), "_", " ")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

var lineField = regexp.MustCompile(`^lines\[(\d{1,4})\](?:\.(.*))?$`)
