package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// Event is something that looks like an attack.
type Event struct {
	Kind         string                // one of Kinds
	Severity     Severity              // empty: the kind's own
	Organization tenant.OrganizationID // zero: it is about a person or a network, wherever they go
	Person       tenant.PersonID       // zero: nobody we know
	Network      string                // the address it came from, or the IPv6 network; empty: unknown
	// Subject is what counts as one within the window, if that is not organization, person and network together.
	// Only its digest is kept.
	Subject string
	Detail  string // figures and ids, at most 300 characters; never a person's data, never a secret
}

// ID names a security event.
type ID = id.Of[Event]

// Options is what an operator may set.
type Options struct {
	// Log gets one line of JSON for each new event; nil is nobody. A write is one line.
	Log io.Writer
	// Window is for how long the same again is the same event: an hour.
	Window time.Duration
	// Enqueue asks, in the transaction of a medium or high event, for what Deliver does; nil delivers nothing.
	Enqueue func(ctx context.Context, tx *tenant.PlatformTx, event ID) error
}

// Watch raises events. It is safe for concurrent use.
type Watch struct {
	db      *tenant.DB
	options Options
	writing sync.Mutex
}

// New makes one.
func New(db *tenant.DB, o Options) *Watch {
	if o.Window == 0 {
		o.Window = time.Hour
	}
	return &Watch{db: db, options: o}
}

var errKind = errors.New("watch: an event of no known kind or severity")

// Raise keeps an event, and has it told if it is the first of its kind and subject in its window. It must not be
// called inside a transaction: what it tells of stays told when that one is undone.
func (w *Watch) Raise(ctx context.Context, e Event) error {
	info, ok := InfoOf(e.Kind)
	if e.Severity == "" {
		e.Severity = info.Severity
	}
	if !ok || (e.Severity != Low && e.Severity != Medium && e.Severity != High) {
		return fmt.Errorf("%w: %q, %q", errKind, e.Kind, e.Severity)
	}
	if detail := []rune(e.Detail); len(detail) > 300 {
		e.Detail = string(detail[:300])
	}
	// The request may be over, and its caller gone, before it is written down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	row := eventRow{ID: id.New[Event](), Request: tenant.RequestFrom(ctx).ID}
	var fresh bool
	err := tenant.DoPlatform(ctx, w.db, func(tx *tenant.PlatformTx) (err error) {
		row.At = tx.Now()
		if fresh, err = noteEvent(ctx, tx, row, e, w.options.Window); err != nil || !fresh {
			return err
		}
		if w.options.Enqueue == nil || e.Severity == Low {
			return nil
		}
		return w.options.Enqueue(ctx, tx, row.ID)
	})
	if err != nil || !fresh {
		return err
	}
	return w.log(row, e)
}

// subject is the digest of what counts as one.
func (e Event) subject() string {
	s := e.Subject
	if s == "" {
		s = e.Organization.String() + " " + e.Person.String() + " " + e.Network
	}
	digest := sha256.Sum256([]byte("security event " + e.Kind + " " + s))
	return hex.EncodeToString(digest[:])
}

// network is what the database takes as an address or a network, or nil.
func (e Event) network() any {
	if a, err := netip.ParseAddr(e.Network); err == nil {
		return a.Unmap().WithZone("").String()
	}
	if p, err := netip.ParsePrefix(e.Network); err == nil {
		return p.Masked().String()
	}
	return nil
}

// line is what an operator's log system reads. Ids alone tell of whom it is.
type line struct {
	Time         time.Time `json:"time"`
	Message      string    `json:"msg"`
	ID           string    `json:"id"`
	Kind         string    `json:"kind"`
	Severity     Severity  `json:"severity"`
	Organization string    `json:"organization,omitempty"`
	Person       string    `json:"person,omitempty"`
	Network      string    `json:"network,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	Request      string    `json:"request_id,omitempty"`
}

func newLine(row eventRow, e Event) line {
	l := line{Time: row.At, Message: "security event", ID: row.ID.String(), Kind: e.Kind, Severity: e.Severity, Detail: e.Detail, Request: row.Request}
	if !e.Organization.IsZero() {
		l.Organization = e.Organization.String()
	}
	if !e.Person.IsZero() {
		l.Person = e.Person.String()
	}
	if network, ok := e.network().(string); ok {
		l.Network = network
	}
	return l
}

func (w *Watch) log(row eventRow, e Event) error {
	if w.options.Log == nil {
		return nil
	}
	b, err := json.Marshal(newLine(row, e))
	if err != nil {
		return fmt.Errorf("writing a security event: %w", err)
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	if _, err := w.options.Log.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("writing a security event: %w", err)
	}
	return nil
}
