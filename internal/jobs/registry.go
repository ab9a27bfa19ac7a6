package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// Registry says what is done for each kind of job. Handlers are idempotent, and what they return as an error holds
// no one's data.
type Registry struct {
	entries map[string]*entry
	order   []*entry
	wrong   []error
}

// entry is one kind: organization or platform is its handler.
type entry struct {
	kind         string
	organization func(ctx context.Context, s tenant.Scope, args json.RawMessage) error
	platform     func(ctx context.Context, args json.RawMessage) error
	right        string
	always       bool // also while the organization is suspended
	within       time.Duration
	every        time.Duration // zero: when queued
	sweeps       string        // the kind that is queued for every organization
}

// Option is a further rule of a kind.
type Option func(*entry)

// Needs names a right, such as "reports:read", that the person on whose behalf the job runs must hold when it runs.
func Needs(right string) Option { return func(e *entry) { e.right = right } }

// Within bounds how long one run may take; 5 minutes unless said.
func Within(d time.Duration) Option { return func(e *entry) { e.within = d } }

// WhileSuspended lets a kind go on in an organization that is suspended: what keeps the record, and exports.
func WhileSuspended() Option { return func(e *entry) { e.always = true } }

// Organization registers what is done for a kind of job of organizations. The scope is of kind Job.
func (r *Registry) Organization(kind string, fn func(ctx context.Context, s tenant.Scope, args json.RawMessage) error, options ...Option) {
	r.add(&entry{kind: kind, organization: fn}, options)
}

// Platform registers what is done for a kind of job of the platform; its name begins with "platform.".
func (r *Registry) Platform(kind string, fn func(ctx context.Context, args json.RawMessage) error, options ...Option) {
	r.add(&entry{kind: kind, platform: fn}, options)
}

// Every registers what the platform does again and again: once in each span of that length, counted from midnight
// UTC, however many workers there are and however often they restart. A span is between a minute and a day.
func (r *Registry) Every(kind string, every time.Duration, fn func(ctx context.Context) error, options ...Option) {
	if every < time.Minute || every > 24*time.Hour {
		r.wrong = append(r.wrong, fmt.Errorf("job %s: the span is to be between a minute and a day", kind))
	}
	r.add(&entry{kind: kind, every: every, platform: func(ctx context.Context, _ json.RawMessage) error { return fn(ctx) }}, options)
}

// EachOrganization registers what is done for every active organization once in each span, on nobody's behalf. The
// runs are spread over half of the span, an hour at most, and give way to what people wait for.
func (r *Registry) EachOrganization(kind string, every time.Duration, fn func(ctx context.Context, s tenant.Scope) error, options ...Option) {
	r.Organization(kind, func(ctx context.Context, s tenant.Scope, _ json.RawMessage) error { return fn(ctx, s) }, options...)
	each := platformPrefix + "each." + kind
	r.Every(each, every, nil)
	r.entries[each].sweeps = kind
}

func (r *Registry) add(e *entry, options []Option) {
	e.within = 5 * time.Minute
	for _, option := range options {
		option(e)
	}
	if r.entries == nil {
		r.entries = map[string]*entry{}
	}
	if err := checkKind(e.kind, e.platform != nil); err != nil {
		r.wrong = append(r.wrong, err)
	}
	if r.entries[e.kind] != nil {
		r.wrong = append(r.wrong, fmt.Errorf("job %s is registered twice", e.kind))
	}
	r.entries[e.kind] = e
	r.order = append(r.order, e)
}

// Kinds lists what is registered, in that order.
func (r *Registry) Kinds() []string {
	kinds := make([]string, len(r.order))
	for i, e := range r.order {
		kinds[i] = e.kind
	}
	return kinds
}

func (r *Registry) check() error { return errors.Join(r.wrong...) }
