package page

import (
	"time"

	"github.com/countinghouse/countinghouse/internal/setting"
)

// StaffSettings is the data of "staff-settings". Its form sends version and each setting by its name.
type StaffSettings struct {
	StaffShell
	Form   Form
	Groups []SettingGroup
	Past   []setting.Past // newest first
	// CardNumbers is who accepted that card numbers are kept here; empty where none are.
	CardNumbers string
}

// SettingGroup is settings under a heading.
type SettingGroup struct {
	ID, Title, Say string
	Fields         []Field
}

// NewSettingField is the field of a setting, with what it means, why it is as it is, and what holds where nobody sets it.
func NewSettingField(form Form, n setting.Name, now setting.Settings) Field {
	f := Field{Form: form, Name: n.Name, Label: n.Title, Type: "text", Hint: n.Say}
	if n.Why != "" {
		f.Hint += " " + n.Why
	}
	switch n.Kind {
	case setting.Switch:
		f.Type = "check"
	case setting.Number:
		f.Class, f.Inputmode, f.Suffix = "n", "numeric", n.Unit
		f.Hint += " Takes " + n.Takes() + "."
	case setting.Choice:
		f.Type = "select"
		for _, c := range n.Choices {
			f.Options = append(f.Options, Option{Value: c, Label: c})
		}
	case setting.Text:
		f.Opt, f.Plain = "optional", true
	case setting.Secret:
		f.Type, f.Opt = "masked", "none is set"
		if now.Value(n) != "" {
			f.Opt = "one is set; leave empty to keep it"
		}
	}
	if standard := n.Default(); now.IsSet(n.Name) && standard != "" {
		f.Hint += " By default: " + standard + "."
	}
	return f
}

// By is who changed a setting.
func (StaffSettings) By(p setting.Past) string {
	if p.Person == "" {
		return "Command line"
	}
	return p.Person
}

// To is what a setting was changed to.
func (StaffSettings) To(p setting.Past) string {
	if p.Value == "" {
		return "its default"
	}
	return p.Value
}

// On is when, in UTC.
func (StaffSettings) On(p setting.Past) string { return p.At.In(time.UTC).Format("2 Jan 2006 15:04") }
