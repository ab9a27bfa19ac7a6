package setting

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
)

// Why a setting is not changed.
var (
	ErrUnknown = fault.New(fault.NotFound, "setting.unknown", "There is no such setting. countinghouse settings show lists them.")
	ErrValue   = fault.New(fault.Invalid, "setting.value", "This setting does not take such a value.")
	ErrChanged = fault.New(fault.Conflict, "setting.changed", "Somebody changed the settings meanwhile. Look at them again, then change them.")
)

// Kind is what sort of value a setting takes.
type Kind string

// The kinds.
const (
	Switch Kind = "switch" // yes or no
	Number Kind = "number"
	Choice Kind = "choice"
	Text   Kind = "text"
	Secret Kind = "secret" // goes in and never comes out
)

// Name is one thing that can be set.
type Name struct {
	Name     string // "password.min_length"
	Title    string // "Least length"
	Say      string // what it means
	Why      string // why it is as it is; may be empty
	Kind     Kind
	Unit     string   // of a number: "days"
	Min, Max int      // of a number; Max of a text's length
	Choices  []string // of a choice

	value func(s *Settings) any // *bool, *int or *string
}

// Group is a heading and the names below it.
type Group struct {
	Title string
	Say   string
	Names []Name
}

// Groups lists all that can be set. The caller may keep the list.
func Groups() []Group { return groups }

func find(name string) (Name, error) {
	for _, g := range groups {
		for _, n := range g.Names {
			if n.Name == name {
				return n, nil
			}
		}
	}
	return Name{}, ErrUnknown
}

// Value is how a setting stands, as it is stored and as the command line takes it; of a secret only "set" or "".
func (s Settings) Value(n Name) string {
	switch v := n.value(&s).(type) {
	case *bool:
		return yesNo(*v)
	case *int:
		return strconv.Itoa(*v)
	case *string:
		if n.Kind == Secret && *v != "" {
			return "set"
		}
		return *v
	}
	return ""
}

// Default is the value of a setting that nobody changed.
func (n Name) Default() string { return Defaults().Value(n) }

// IsSet says whether somebody changed the setting of that name.
func (s Settings) IsSet(name string) bool { return s.set[name] }

// Takes says in words which values a setting takes: "12 to 64".
func (n Name) Takes() string {
	switch n.Kind {
	case Switch:
		return "yes or no"
	case Number:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", n.Min, n.Max, n.Unit))
	case Choice:
		return strings.Join(n.Choices, ", ")
	case Secret:
		return "a key; it is sealed, and not shown again"
	}
	return fmt.Sprintf("text, at most %d characters", n.Max)
}

// put reads a value into the settings; ErrValue when it does not fit.
func (n Name) put(s *Settings, value string) error {
	refused := ErrValue.Sayf("%s takes %s.", n.Title, n.Takes()).At(n.Name)
	switch v := n.value(s).(type) {
	case *bool:
		switch value {
		case "yes":
			*v = true
		case "no":
			*v = false
		default:
			return refused
		}
	case *int:
		number, err := strconv.Atoi(value)
		if err != nil || number < n.Min || number > n.Max {
			return refused
		}
		*v = number
	case *string:
		clean, err := text.Line(n.Name, value, max(n.Max, 40))
		if err != nil {
			return err
		}
		if n.Kind == Choice && !n.offers(clean) {
			return refused
		}
		*v = clean
	}
	return nil
}

// raw is how a setting stands, a secret in the clear.
func (n Name) raw(s Settings) string {
	if n.Kind != Secret {
		return s.Value(n)
	}
	secret, _ := n.value(&s).(*string)
	return *secret
}

func (n Name) offers(value string) bool {
	for _, c := range n.Choices {
		if c == value {
			return true
		}
	}
	return false
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
