package page

import (
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/audit"
)

// Activity is the data of "activity": who did what. Its form asks by the address for person, group, from, to, support.
type Activity struct {
	Shell
	Items             []ActivityRow
	Pager             Pager
	Form              Form
	Object            string // the one thing whose history it is
	Self              string // asked again when something was done; empty for a part that no longer begins with the newest
	Narrowed          bool
	People, Groups    []Option
	CSV, JSON, Record string
	Head              audit.Head
	Mail              *Act
}

// Sealed is how many rows are.
func (a Activity) Sealed() string { return number(int(a.Head.Seq)) }

// ActivityRow is one act.
type ActivityRow struct {
	audit.Entry
	URL      string // of what it was done to
	History  string // of all that was done to it
	GrantURL string // of the visit in which support did it
}

// Who names the actor.
func (r ActivityRow) Who() string {
	switch {
	case r.Grant != uuid.Nil && r.Name == "":
		return "Support"
	case r.By == "operator":
		return "The operator"
	case r.Name == "" && r.Actor != uuid.Nil:
		return "Someone who is no member any more"
	case r.Name == "":
		return "The service itself"
	}
	return r.Name
}

// How says how they got in, where that is not by signing in as a member.
func (r ActivityRow) How() string {
	switch r.By {
	case "member", "operator":
		return ""
	case "token":
		return "by an API token"
	case "support":
		if r.Visit.Owner != "" {
			return "as support, on behalf of " + r.Visit.Owner
		}
		return "as support, on behalf of this organization"
	case "job":
		return "in the background"
	}
	return "by " + strings.ReplaceAll(r.By, "_", " ")
}

// Notes is the small print: from where, which request, under which grant, sealed or not.
func (r ActivityRow) Notes() []string {
	var notes []string
	if r.Network != "" {
		notes = append(notes, "From "+r.Network)
	}
	if r.Request != "" {
		notes = append(notes, "request "+r.Request)
	}
	if r.Seal == 0 {
		return append(notes, "not sealed yet")
	}
	return append(notes, "sealed as "+number(int(r.Seal)))
}

// Visited says for what support was in: "Support visit, ticket 48213: A payment is not shown". Empty for everyone else.
func (r ActivityRow) Visited() string {
	switch {
	case r.Grant == uuid.Nil:
		return ""
	case r.Visit.Reason == "":
		return "Support visit " + r.Grant.String()
	case r.Visit.Ticket == "":
		return "Support visit: " + r.Visit.Reason
	}
	return "Support visit, ticket " + r.Visit.Ticket + ": " + r.Visit.Reason
}

// Mark is the icon of the act.
func (r ActivityRow) Mark() string {
	_, verb, _ := strings.Cut(r.Action, ".")
	switch verb {
	case "add", "create", "draft", "issue", "post", "record", "open":
		return "plus"
	case "change", "revise", "rename":
		return "pencil"
	case "archive":
		return "archive"
	case "restore", "reverse":
		return "undo-2"
	case "read", "view", "export":
		return "eye"
	case "remove", "revoke", "deny", "discard", "end":
		return "ban"
	}
	return "circle"
}

// Label is a field's name for people: "Payment terms days".
func (ActivityRow) Label(field string) string {
	words := strings.ReplaceAll(field, "_", " ")
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
