package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

const chainName = "countinghouse chain 1"

// The shapes of what is sealed.
const (
	shapeRecord  = 1
	shapePosting = 2
)

const stampLayout = "2006-01-02T15:04:05.000000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// record is a row of audit_log as it is hashed and exported.
type record struct {
	ID         string  `json:"id"`
	At         string  `json:"at"`
	ActorKind  string  `json:"actor_kind"`
	ActorID    *string `json:"actor_id"`
	GrantID    *string `json:"grant_id"`
	Action     string  `json:"action"`
	ObjectKind string  `json:"object_kind"`
	ObjectID   *string `json:"object_id"`
	RequestID  string  `json:"request_id"`
	Network    string  `json:"network"`
	Detail     string  `json:"detail"`
	Before     string  `json:"before"`
	After      string  `json:"after"`
}

// posting is a journal entry as it is hashed and exported.
type posting struct {
	ID          string        `json:"id"`
	Number      int64         `json:"number"`
	Date        string        `json:"date"`
	Description string        `json:"description"`
	SourceKind  string        `json:"source_kind"`
	SourceID    *string       `json:"source_id"`
	ReversesID  *string       `json:"reverses_id"`
	PostedAt    string        `json:"posted_at"`
	PostedBy    *string       `json:"posted_by"`
	Lines       []postingLine `json:"lines"`
}

type postingLine struct {
	Line      int     `json:"line"`
	AccountID string  `json:"account_id"`
	PartyID   *string `json:"party_id"`
	Currency  string  `json:"currency"`
	Amount    int64   `json:"amount"`
	Memo      string  `json:"memo"`
}

// sealable is a record or a posting.
type sealable interface {
	shape() int
	id() string
	at() string
	name() string // for a person: "entry 12 of 2026-11-21"
	write(w netstrings)
}

func (r *record) shape() int   { return shapeRecord }
func (r *record) id() string   { return r.ID }
func (r *record) at() string   { return r.At }
func (r *record) name() string { return r.Action + ", " + r.ID }

func (r *record) write(w netstrings) {
	w.text(r.ID, r.At, r.ActorKind)
	w.maybe(r.ActorID, r.GrantID)
	w.text(r.Action, r.ObjectKind)
	w.maybe(r.ObjectID)
	w.text(r.RequestID, r.Network, r.Detail, r.Before, r.After)
}

func (e *posting) shape() int { return shapePosting }
func (e *posting) id() string { return e.ID }
func (e *posting) at() string { return e.PostedAt }
func (e *posting) name() string {
	return "journal entry " + strconv.FormatInt(e.Number, 10) + ", " + e.ID
}

func (e *posting) write(w netstrings) {
	w.text(e.ID, strconv.FormatInt(e.Number, 10), e.Date, e.Description, e.SourceKind)
	w.maybe(e.SourceID, e.ReversesID)
	w.text(e.PostedAt)
	w.maybe(e.PostedBy)
	w.text(strconv.Itoa(len(e.Lines)))
	for _, l := range e.Lines {
		w.text(strconv.Itoa(l.Line), l.AccountID)
		w.maybe(l.PartyID)
		w.text(l.Currency, strconv.FormatInt(l.Amount, 10), l.Memo)
	}
}

// netstrings writes values so that no two rows of values are the same bytes.
type netstrings struct{ hash.Hash }

func (n netstrings) text(values ...string) {
	for _, s := range values {
		n.Write([]byte(strconv.Itoa(len(s)) + ":" + s + ","))
	}
}

func (n netstrings) maybe(values ...*string) {
	for _, s := range values {
		if s == nil {
			n.Write([]byte("-,"))
			continue
		}
		n.text(*s)
	}
}

func (n netstrings) sum() string { return hex.EncodeToString(n.Sum(nil)) }

// genesis is what the first seal of an organization has for the hash before it.
func genesis(o tenant.OrganizationID) string {
	n := netstrings{sha256.New()}
	n.text(chainName, o.String())
	return n.sum()
}

// link is the hash of a seal.
func link(before string, seq int64, sealedAt string, what sealable) string {
	n := netstrings{sha256.New()}
	n.text(chainName, before, strconv.FormatInt(seq, 10), sealedAt, strconv.Itoa(what.shape()))
	what.write(n)
	return n.sum()
}

func idText(u uuid.NullUUID) *string {
	if !u.Valid {
		return nil
	}
	s := u.UUID.String()
	return &s
}
