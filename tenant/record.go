package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/id"
)

// Request is what the record keeps of where an act came from.
type Request struct {
	ID      string // the request's id, as logs and answers show it
	Network string // the address it came from
}

type requestKey struct{}

// WithRequest marks everything done under the context as caused by that request.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom is the request that the context was marked with, or the zero Request.
func RequestFrom(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}

// Act is one line of an organization's record.
type Act struct {
	Action  string    // what was done: "invoice.issue"
	Object  string    // to what kind of thing: "invoice"
	ID      uuid.UUID // to which; the zero id for none
	Detail  string    // figures and numbers, at most 400 characters; never a person's data, never a secret
	Changes []Change  // what became of what; those that change nothing are left out
}

// Change is one field before and after an act. Never a secret.
type Change struct {
	Field         string // as the API names it: "payment_terms_days"
	Before, After string
	// Personal is a person's data: the record keeps a salted digest, and the values apart, where they can be erased.
	Personal bool
}

const (
	changeValueMax   = 120  // characters of a value in the record
	changesMax       = 2000 // characters of one side of all changes
	personalValueMax = 200
)

type auditRow struct{}

// Record writes an act into the organization's record, in the transaction of what it tells of.
func (tx *Tx) Record(ctx context.Context, act Act) error {
	r, row := RequestFrom(ctx), id.New[auditRow]()
	changes := writeChanges(act.Changes)
	_, err := tx.Exec(ctx, `
		INSERT INTO audit_log (id, at, actor_kind, actor_id, action, object_kind, object_id, request_id, network, detail, grant_id, before, after)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		row, tx.now, tx.scope.kind.String(), orNull(tx.scope.actor()), act.Action, act.Object, orNull(act.ID),
		r.ID, r.Network, act.Detail, orNull(tx.scope.grant), changes.before.String(), changes.after.String())
	if err != nil {
		return fmt.Errorf("recording %s: %w", act.Action, err)
	}
	for _, p := range changes.personal {
		_, err := tx.Exec(ctx, `INSERT INTO audit_private (audit_id, field, salt, before, after) VALUES ($1, $2, $3, $4, $5)`,
			row, p.Field, p.salt, p.Before, p.After)
		if err != nil {
			return fmt.Errorf("recording %s: %w", act.Action, err)
		}
	}
	tx.acts = append(tx.acts, act)
	return nil
}

// actor is who did it: a person, or one of a customer's people; the zero id for nobody.
func (s *scope) actor() uuid.UUID {
	if s.kind == Customer {
		return s.contact
	}
	return s.person.ID.UUID
}

func orNull(u uuid.UUID) any {
	if u == uuid.Nil {
		return nil
	}
	return u
}

// written is changes as the record keeps them.
type written struct {
	before, after strings.Builder
	personal      []personalChange
}

type personalChange struct {
	Change
	salt uuid.UUID
}

func writeChanges(changes []Change) *written {
	w := &written{}
	for _, c := range changes {
		if c.Before == c.After {
			continue
		}
		if c.Personal {
			p := personalChange{Change{c.Field, oneLine(c.Before, personalValueMax), oneLine(c.After, personalValueMax), true}, uuid.New()}
			if w.add(c.Field+"~ ", PersonalDigest(p.salt, c.Field, "before", p.Before), PersonalDigest(p.salt, c.Field, "after", p.After)) {
				w.personal = append(w.personal, p)
			}
			continue
		}
		w.add(c.Field+": ", oneLine(c.Before, changeValueMax), oneLine(c.After, changeValueMax))
	}
	return w
}

// add writes a line on both sides, as long as there is room.
func (w *written) add(name, before, after string) bool {
	room := changesMax - utf8.RuneCountInString(name) - 1
	if utf8.RuneCountInString(w.before.String()+before) > room || utf8.RuneCountInString(w.after.String()+after) > room {
		return false
	}
	w.before.WriteString(name + before + "\n")
	w.after.WriteString(name + after + "\n")
	return true
}

// oneLine is a value without line ends, cut to so many characters.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// PersonalDigest is what the record keeps of a person's data: SHA-256 in hex over the netstrings of
// "countinghouse personal 1", the salt, the field's name, "before" or "after", and the value. Who has no salt
// cannot find the value by trying.
func PersonalDigest(salt uuid.UUID, field, side, value string) string {
	h := sha256.New()
	for _, s := range []string{"countinghouse personal 1", salt.String(), field, side, value} {
		fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}
