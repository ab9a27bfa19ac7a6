package audit

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
)

// Reader is who reads an export: what of people's data they may see, by the kind of thing that it is about.
type Reader func(objectKind string) bool

// Veil takes out of an entry what its reader may not see.
func (may Reader) Veil(e *Entry) {
	if may(e.ObjectKind) {
		return
	}
	for i, c := range e.Changes {
		if c.Personal {
			e.Changes[i].Before, e.Changes[i].After, e.Changes[i].Hidden = "", "", true
		}
	}
}

// WriteCSV writes what the filter leaves of the feed, newest first, in UTF-8 with commas (RFC 4180, with bare line
// feeds). A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection).
func WriteCSV(ctx context.Context, run Run, w io.Writer, f Filter, may Reader) error {
	out := csv.NewWriter(w)
	err := out.Write([]string{"time", "person", "by", "support_grant", "on_behalf_of", "ticket", "reason", "did", "action", "object_kind", "object_id", "detail", "changes",
		"network", "request_id", "seal", "id"})
	if err != nil {
		return writing(err)
	}
	err = each(ctx, run, f, may, func(entries []Entry) error {
		for _, e := range entries {
			cells := []string{e.At.Format(time.RFC3339), e.Name, e.By, text(e.Grant), e.Visit.Owner, e.Visit.Ticket, e.Visit.Reason, e.Words(), e.Action, e.ObjectKind, text(e.Object), e.Detail,
				changesText(e.Changes), e.Network, e.Request, "", e.ID.String()}
			if e.Seal > 0 {
				cells[15] = strconv.FormatInt(e.Seal, 10)
			}
			for i := range cells {
				cells[i] = harmless(cells[i])
			}
			if err := out.Write(cells); err != nil {
				return writing(err)
			}
		}
		out.Flush()
		return writing(out.Error())
	})
	if err != nil {
		return err
	}
	out.Flush()
	return writing(out.Error())
}

// View is an entry as programs read it.
type View struct {
	ID         string       `json:"id"`
	At         time.Time    `json:"at"`
	By         string       `json:"by" doc:"How the actor got in: member, token, operator, support, job" example:"member"`
	PersonID   string       `json:"person_id" doc:"Who did it, or on whose behalf a program did; empty for the operator"`
	Person     string       `json:"person" doc:"Their name, if they are or were a member, or support was let in"`
	GrantID    string       `json:"support_grant_id" doc:"The support grant under which it was done; empty for none"`
	LetInBy    string       `json:"on_behalf_of_id" doc:"The owner by whose leave support did it; empty when it was not support"`
	Owner      string       `json:"on_behalf_of" doc:"Their name, if they are or were a member"`
	Ticket     string       `json:"support_ticket" doc:"The ticket for which support was let in"`
	Reason     string       `json:"support_reason" doc:"Why support was let in"`
	Action     string       `json:"action" doc:"Stable and dotted" example:"invoice.issue"`
	Did        string       `json:"did" doc:"The same in words" example:"issued an invoice"`
	ObjectKind string       `json:"object_kind" example:"invoice"`
	ObjectID   string       `json:"object_id" doc:"Empty for none"`
	Detail     string       `json:"detail"`
	Changes    []ViewChange `json:"changes"`
	Network    string       `json:"network" doc:"The address that it came from"`
	RequestID  string       `json:"request_id"`
	Seal       int64        `json:"seal" doc:"Its number in the sealed chain; 0: not sealed yet"`
}

// ViewChange is one field before and after, as programs read it.
type ViewChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
	State  string `json:"state" doc:"kept, or why before and after are empty: erased (it was a person's) or hidden (from the reader)" enum:"kept,erased,hidden"`
}

// View is the entry as programs read it.
func (e Entry) View() View {
	v := View{ID: e.ID.String(), At: e.At, By: e.By, PersonID: text(e.Actor), Person: e.Name, GrantID: text(e.Grant),
		LetInBy: text(e.Visit.LetInBy), Owner: e.Visit.Owner, Ticket: e.Visit.Ticket, Reason: e.Visit.Reason, Action: e.Action, Did: e.Words(),
		ObjectKind: e.ObjectKind, ObjectID: text(e.Object), Detail: e.Detail, Changes: []ViewChange{}, Network: e.Network, RequestID: e.Request, Seal: e.Seal}
	for _, c := range e.Changes {
		v.Changes = append(v.Changes, ViewChange{Field: c.Field, Before: c.Shown(c.Before), After: c.Shown(c.After), State: c.state()})
	}
	return v
}

// Shown is a value of the change for its reader: nothing in the place of what is erased or hidden.
func (c Change) Shown(value string) string {
	if c.state() != "kept" {
		return ""
	}
	return value
}

func (c Change) state() string {
	switch {
	case c.Hidden:
		return "hidden"
	case c.Erased:
		return "erased"
	}
	return "kept"
}

// WriteJSON writes what the filter leaves of the feed, newest first, as one JSON array of View.
func WriteJSON(ctx context.Context, run Run, w io.Writer, f Filter, may Reader) error {
	before := "["
	err := each(ctx, run, f, may, func(entries []Entry) error {
		for _, e := range entries {
			b, err := plainJSON(e.View())
			if err == nil {
				_, err = io.WriteString(w, before+"\n"+string(b))
			}
			if err != nil {
				return writing(err)
			}
			before = ","
		}
		return nil
	})
	if err == nil && before == "[" {
		_, err = io.WriteString(w, "[")
	}
	if err == nil {
		_, err = io.WriteString(w, "\n]\n")
	}
	return writing(err)
}

// each gives the feed to fn page by page, each read in a transaction of its own and veiled for its reader.
func each(ctx context.Context, run Run, f Filter, may Reader, fn func(entries []Entry) error) error {
	for q := (cursor.Query{Limit: exportPage}); ; {
		var page cursor.Page[Entry]
		err := run(func(tx *tenant.Tx) error {
			entries, err := selectFeed(ctx, tx, f, q)
			page = cursor.Cut(q, entries)
			return err
		})
		if err != nil {
			return err
		}
		for i := range page.Items {
			may.Veil(&page.Items[i])
		}
		if err := fn(page.Items); err != nil || !page.HasMore {
			return err
		}
		q.After = page.Items[len(page.Items)-1].ID.UUID
	}
}

func changesText(changes []Change) string {
	said := make([]string, len(changes))
	for i, c := range changes {
		switch c.state() {
		case "kept":
			said[i] = fmt.Sprintf("%s: %q became %q", c.Field, c.Before, c.After)
		default:
			said[i] = c.Field + ": " + c.state()
		}
	}
	return strings.Join(said, "; ")
}

// harmless keeps a spreadsheet from taking a text for a formula. Apostrophes before one are doubled, so that taking one
// off gives the text back.
func harmless(s string) string {
	if plain := strings.TrimLeft(s, "'"); plain != "" && strings.ContainsRune("=+-@\t\r\n", rune(plain[0])) {
		return "'" + s
	}
	return s
}

func text(u uuid.UUID) string {
	if u == uuid.Nil {
		return ""
	}
	return u.String()
}

func writing(err error) error {
	if err != nil {
		return fmt.Errorf("writing the activity: %w", err)
	}
	return nil
}
