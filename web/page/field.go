package page

import "fmt"

// Field is one field of a form with all that is drawn around it, for the part "field".
type Field struct {
	Form  Form
	Name  string
	Label string

	Type         string // of the input; or select, textarea, check, segment
	Hint         string // below the field, kept when there is a fault
	Opt          string // beside the label where the field may stay empty: "optional", "if any"
	Autocomplete string
	Inputmode    string
	Prefix       string // fixed text joined to the field
	Suffix       string
	Blank        string // the first, empty choice of a select: "Choose a country"
	Class        string // "n" for figures
	List         string // id of a datalist
	SlugOf       string // name of the field that a slug follows
	Checked      string // address that says of each password rule whether it is kept, as one types
	Country      bool   // a select that proposes currency and time zone
	Plain        bool   // no capitals, corrections or spelling marks: addresses, codes
	Options      []Option
}

// newField makes a Field in a template: field .Form "email" "Email" "type" "email" "hint" "…". An option that does
// not exist is an error.
func newField(form Form, name, label string, options ...any) (Field, error) {
	f := Field{Form: form, Name: name, Label: label, Type: "text"}
	if len(options)%2 != 0 {
		return f, fmt.Errorf("field %s: options do not pair up", name)
	}
	texts := map[string]*string{
		"type": &f.Type, "hint": &f.Hint, "opt": &f.Opt, "autocomplete": &f.Autocomplete, "inputmode": &f.Inputmode,
		"prefix": &f.Prefix, "suffix": &f.Suffix, "blank": &f.Blank, "class": &f.Class, "list": &f.List,
		"slug-of": &f.SlugOf, "checked": &f.Checked,
	}
	flags := map[string]*bool{"country": &f.Country, "plain": &f.Plain}
	for i := 0; i < len(options); i += 2 {
		option := fmt.Sprint(options[i])
		if text, ok := texts[option]; ok {
			*text = fmt.Sprint(options[i+1])
		} else if flag, ok := flags[option]; ok {
			*flag, ok = options[i+1].(bool)
			if !ok {
				return f, fmt.Errorf("field %s: %s is true or false", name, option)
			}
		} else if choices, ok := options[i+1].([]Option); ok && option == "options" {
			f.Options = choices
		} else {
			return f, fmt.Errorf("field %s: no option %q with a value of type %T", name, option, options[i+1])
		}
	}
	return f, nil
}

// ID is the field's id, which its label and the list of faults point to.
func (f Field) ID() string { return f.Form.FieldID(f.Name) }

// Value is what stands in the field. A password never does: it is not sent back.
func (f Field) Value() string {
	if f.Type == "password" || f.Type == "masked" {
		return ""
	}
	return f.Form.Value(f.Name)
}

// Fault is what is wrong with it.
func (f Field) Fault() string { return f.Form.Fault(f.Name) }

// DescribedBy names the hint and the fault, for aria-describedby; empty for neither.
func (f Field) DescribedBy() string {
	switch fault := f.Fault() != ""; {
	case fault && f.Hint != "":
		return f.ID() + "-h " + f.ID() + "-e"
	case fault:
		return f.ID() + "-e"
	case f.Hint != "":
		return f.ID() + "-h"
	}
	return ""
}

// Groups are the choices under their headings, in order.
func (f Field) Groups() []OptionGroup {
	var groups []OptionGroup
	for _, o := range f.Options {
		if n := len(groups); n == 0 || groups[n-1].Label != o.Group {
			groups = append(groups, OptionGroup{Label: o.Group})
		}
		last := &groups[len(groups)-1]
		last.Options = append(last.Options, o)
	}
	return groups
}
