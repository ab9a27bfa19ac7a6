package authz

import (
	"slices"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrTicks refuses what is no list of rights.
var ErrTicks = fault.New(fault.Invalid, "role.rights", "Name rights of the list, such as invoices:read, each once.").At("rights")

// Ticks are the boxes that are ticked in a role of an organization's own. The zero Ticks are none.
type Ticks struct {
	Full   bool // everything that there is and will be; Rights are then not looked at
	Rights []Right
}

// Has says whether a box is ticked.
func (t Ticks) Has(r Right) bool { return t.Full || slices.Contains(t.Rights, r) }

// Words lists the ticked rights as the API writes them; ["*"] for full access.
func (t Ticks) Words() []string {
	if t.Full {
		return []string{full}
	}
	words := make([]string, 0, len(t.Rights))
	for _, r := range t.Rights {
		words = append(words, r.String())
	}
	return words
}

// ParseTicks reads rights as a form or a program sends them: "invoices:read", or "*" for full access. It fails with
// ErrTicks for what is no right or stands twice.
func ParseTicks(words []string) (t Ticks, err error) {
	seen := map[Right]bool{}
	for _, word := range words {
		if word == full {
			t.Full = true
			continue
		}
		r, ok := ParseRight(word)
		if !ok || seen[r] {
			return Ticks{}, ErrTicks
		}
		seen[r] = true
	}
	if t.Full {
		return t, nil
	}
	for _, row := range grid { // in its order, so that the same ticks are always the same text
		for _, b := range row.boxes {
			if r := (Right{row.module, b.action}); seen[r] {
				t.Rights = append(t.Rights, r)
			}
		}
	}
	return t, nil
}

const full = "*"

// actionLetters write an action in a role's row.
var actionLetters = map[Action]byte{Read: 'r', Create: 'c', Change: 'w', Delete: 'd', Approve: 'a', Export: 'x'}

// Text is how ticks are kept, and what a Holder has as Rights: "customers:rc invoices:r", in the order of the grid.
func (t Ticks) Text() string {
	if t.Full {
		return full
	}
	var b strings.Builder
	var last Module
	for _, r := range t.Rights {
		if r.Module != last {
			if last != "" {
				b.WriteByte(' ')
			}
			b.WriteString(string(r.Module) + ":")
			last = r.Module
		}
		b.WriteByte(actionLetters[r.Action])
	}
	return b.String()
}

// readTicks reads what Text wrote. A right that there is no more is left out: nobody can hold it.
func readTicks(text string) (t Ticks) {
	if text == full {
		return Ticks{Full: true}
	}
	for word := range strings.FieldsSeq(text) {
		module, letters, _ := strings.Cut(word, ":")
		for _, row := range grid {
			if string(row.module) != module {
				continue
			}
			for _, b := range row.boxes {
				if strings.IndexByte(letters, actionLetters[b.action]) >= 0 {
					t.Rights = append(t.Rights, Right{row.module, b.action})
				}
			}
		}
	}
	return t
}

// rules are the ticks as Casbin reads them.
func (t Ticks) rules() [][]string {
	if t.Full {
		return [][]string{{ownRole, full, full, full, "allow"}}
	}
	var all [][]string
	var last Module
	for _, r := range t.Rights {
		if r.Module == last {
			all[len(all)-1][2] += " " + string(r.Action)
			continue
		}
		last = r.Module
		all = append(all, []string{ownRole, string(r.Module), string(r.Action), full, "allow"})
	}
	return all
}
