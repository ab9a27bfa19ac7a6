package page

import "github.com/countinghouse/countinghouse/internal/watch"

// SecurityEvents is the data of "security-events".
type SecurityEvents struct {
	Shell
	Items []EventRow
	Pager Pager
}

// EventRow is a security event, and whom it is about.
type EventRow struct {
	watch.Raised
	Name string // of a member; empty for anyone else
}

// StaffEvents is the data of "staff-events". Its form asks by the address for kind and severity.
type StaffEvents struct {
	StaffShell
	Form       Form
	Kinds      []Option
	Severities []Option
	Narrowed   bool
	Items      []watch.Raised
	Pager      Pager
}

// EventKinds are the kinds of event to choose from.
func EventKinds() []Option {
	var all []Option
	for _, k := range watch.Kinds() {
		all = append(all, Option{Value: k.Kind, Label: k.Name})
	}
	return all
}

// EventSeverities are the severities to choose from.
func EventSeverities() []Option {
	return []Option{{Value: string(watch.High), Label: "High: look now"}, {Value: string(watch.Medium), Label: "Medium: look today"}, {Value: string(watch.Low), Label: "Low"}}
}

func eventIcon(severity watch.Severity) string {
	switch severity {
	case watch.High:
		return "shield-x"
	case watch.Medium:
		return "shield-alert"
	}
	return "shield-check"
}
