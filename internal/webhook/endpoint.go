package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about webhooks.
var (
	ErrNotFound = fault.New(fault.NotFound, "webhook.not_found", "There is no such webhook.")
	ErrChanged  = fault.New(fault.Conflict, "webhook.changed", "Someone else changed this webhook in the meantime. Look at it again, then repeat your change.")
	ErrTooMany  = fault.New(fault.Conflict, "webhook.too_many", "An organization has at most 10 webhooks. Remove one that is no longer needed.")
	ErrEvents   = fault.New(fault.Invalid, "webhook.events", "Choose at least one event of the list, or all of them.").At("events")
	ErrOverlap  = fault.New(fault.Invalid, "webhook.overlap", "The old secret can go on signing for 0 to 168 hours.").At("overlap_hours")
	ErrDisabled = fault.New(fault.Conflict, "webhook.disabled", "This webhook is off. Turn it on first.")
)

const (
	endpointsMax = 10
	overlapMax   = 7 * 24 * time.Hour
)

// EndpointID names an endpoint.
type EndpointID = id.Of[Endpoint]

// Why an endpoint is sent nothing.
const (
	ByHand  = "hand"    // somebody turned it off
	Gone    = "gone"    // it answered 410
	Failing = "failing" // nothing arrived for days
)

// Endpoint is an address that is told of events. Its secrets are not in it.
type Endpoint struct {
	ID           EndpointID
	Name         string
	URL          string
	Events       []string   // "*" alone is all of them
	FormerUntil  *time.Time // until then the secret before signs too
	FailingSince *time.Time // nothing has arrived since
	DisabledAt   *time.Time
	DisabledFor  string // ByHand, Gone or Failing; "" when it is sent what happens
	CreatedAt    time.Time
	Version      int
}

// All says whether it is told of everything.
func (e Endpoint) All() bool { return slices.Equal(e.Events, []string{"*"}) }

// Input is what is written about an endpoint.
type Input struct {
	Name   string
	URL    string
	Events []string
}

// Place is where a sealed secret is kept. It opens there and nowhere else.
type Place struct {
	Organization string
	Table        string
	Column       string
	Row          string
}

// Sealer keeps the secrets. It may ask over the network, so nobody calls it inside a transaction.
type Sealer interface {
	Seal(ctx context.Context, at Place, plain []byte) (string, error)
	Open(ctx context.Context, at Place, sealed string) ([]byte, error)
}

func placeOf(organization tenant.OrganizationID, column string, endpoint EndpointID) Place {
	return Place{organization.String(), "webhook_endpoint", column, endpoint.String()}
}

func (in Input) check(internal bool) (Input, error) {
	var all fault.List
	var err error
	in.Name, err = text.Required("name", in.Name, 60)
	all.Add("", err)
	if in.URL, err = text.Required("url", in.URL, 500); err == nil {
		err = outward.CheckURL(in.URL, internal)
	}
	all.Add("", err)
	if slices.Contains(in.Events, "*") {
		in.Events = []string{"*"}
	}
	in.Events = slices.Compact(slices.Sorted(slices.Values(in.Events)))
	known := func(name string) bool {
		return name == "*" || slices.ContainsFunc(events, func(e Event) bool { return e.Name == name })
	}
	if len(in.Events) == 0 || slices.ContainsFunc(in.Events, func(name string) bool { return !known(name) }) {
		all.Add("", ErrEvents)
	}
	return in, all.Err()
}

// SealedEndpoint is a new endpoint that was checked, with its secret sealed for the row that it is to be kept in.
type SealedEndpoint struct {
	id     EndpointID
	in     Input
	sealed string
	Secret string // to be shown once
}

// SealEndpoint checks what was written about a new endpoint, makes its secret and seals it. It calls the keyring and
// belongs before the transaction. It fails with all that is wrong with the input, and with what the sealer refuses.
func (s *Sender) SealEndpoint(ctx context.Context, organization tenant.OrganizationID, in Input) (SealedEndpoint, error) {
	in, err := in.check(s.Internal)
	if err != nil {
		return SealedEndpoint{}, err
	}
	out := SealedEndpoint{id: id.New[Endpoint](), in: in, Secret: newSecret()}
	out.sealed, err = s.Sealer.Seal(ctx, placeOf(organization, "sealed", out.id), []byte(out.Secret))
	return out, err
}

// AddEndpoint keeps an endpoint. From then on it is told of what happens. It fails with ErrTooMany.
func AddEndpoint(ctx context.Context, tx *tenant.Tx, s SealedEndpoint) (Endpoint, error) {
	if n, err := countEndpoints(ctx, tx); err != nil {
		return Endpoint{}, err
	} else if n >= endpointsMax {
		return Endpoint{}, ErrTooMany
	}
	if err := insertEndpoint(ctx, tx, s); err != nil {
		return Endpoint{}, err
	}
	if err := record(ctx, tx, "add", s.id, strings.Join(s.in.Events, " ")); err != nil {
		return Endpoint{}, err
	}
	return selectEndpoint(ctx, tx, s.id)
}

// record keeps an act. The address itself may hold a secret of the receiver's, so it is not in the record.
func record(ctx context.Context, tx *tenant.Tx, verb string, endpoint EndpointID, detail string) error {
	return tx.Record(ctx, tenant.Act{Action: "webhook." + verb, Object: "webhook", ID: endpoint.UUID, Detail: detail[:min(len(detail), 400)]})
}

// ChangeEndpoint writes an endpoint anew; its secrets stay. What waits to be sent goes to the new address. It fails with
// what is wrong with the input, ErrNotFound and ErrChanged.
func (s *Sender) ChangeEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, version int, in Input) (Endpoint, error) {
	before, err := selectEndpoint(ctx, tx, endpoint)
	if err != nil {
		return before, err
	}
	if in, err = in.check(s.Internal); err != nil {
		return before, err
	}
	if err := updateEndpoint(ctx, tx, endpoint, version, in); err != nil {
		return before, err
	}
	detail := strings.Join(in.Events, " ")
	if before.URL != in.URL {
		detail = "its address too, " + detail
	}
	if err := record(ctx, tx, "change", endpoint, detail); err != nil {
		return before, err
	}
	return selectEndpoint(ctx, tx, endpoint)
}

// Rotation is a new secret for an endpoint, sealed, and the one before, sealed for its place as such.
type Rotation struct {
	endpoint       EndpointID
	before         stored
	sealed, former string
	until          time.Time
	Secret         string // to be shown once
}

// SealRotation makes a new secret. For the overlap both sign, so that the receiver can change over in its own time. It
// calls the keyring and belongs before the transaction. It fails with ErrOverlap and ErrNotFound.
func (s *Sender) SealRotation(ctx context.Context, db *tenant.DB, scope tenant.Scope, endpoint EndpointID, overlap time.Duration) (Rotation, error) {
	r := Rotation{endpoint: endpoint, until: db.Now().Add(overlap), Secret: newSecret()}
	if err := tenant.Do(ctx, db, scope, func(tx *tenant.Tx) (err error) {
		r.before, err = selectStored(ctx, tx, endpoint)
		return err
	}); err != nil {
		return r, err
	}
	if overlap < 0 || overlap > overlapMax {
		return r, ErrOverlap
	}
	organization := scope.Organization().ID
	plain, err := s.Sealer.Open(ctx, placeOf(organization, "sealed", endpoint), r.before.Sealed)
	if err != nil {
		return r, fmt.Errorf("opening a webhook's secret: %w", err)
	}
	if overlap > 0 {
		if r.former, err = s.Sealer.Seal(ctx, placeOf(organization, "former_sealed", endpoint), plain); err != nil {
			return r, err
		}
	}
	r.sealed, err = s.Sealer.Seal(ctx, placeOf(organization, "sealed", endpoint), []byte(r.Secret))
	return r, err
}

// RotateSecret puts the new secret in place. It fails with ErrNotFound, and with ErrChanged when the secret was changed
// since SealRotation.
func RotateSecret(ctx context.Context, tx *tenant.Tx, r Rotation) (Endpoint, error) {
	if err := updateSecret(ctx, tx, r); err != nil {
		return Endpoint{}, err
	}
	detail := "the old one ends now"
	if r.former != "" {
		detail = "the old one signs until " + r.until.UTC().Format(time.RFC3339)
	}
	if err := record(ctx, tx, "rotate", r.endpoint, detail); err != nil {
		return Endpoint{}, err
	}
	return selectEndpoint(ctx, tx, r.endpoint)
}

// DisableEndpoint turns an endpoint off; what happens meanwhile is not sent later. It fails with ErrNotFound.
func DisableEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) (Endpoint, error) {
	return disable(ctx, tx, endpoint, ByHand)
}

func disable(ctx context.Context, tx *tenant.Tx, endpoint EndpointID, why string) (Endpoint, error) {
	e, err := selectEndpoint(ctx, tx, endpoint)
	if err != nil || e.DisabledAt != nil {
		return e, err
	}
	if err := updateDisabled(ctx, tx, endpoint, why); err != nil {
		return e, err
	}
	if err := record(ctx, tx, "disable", endpoint, why); err != nil {
		return e, err
	}
	return selectEndpoint(ctx, tx, endpoint)
}

// EnableEndpoint turns an endpoint on again, with a fresh start. It fails with ErrNotFound.
func EnableEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) (Endpoint, error) {
	e, err := selectEndpoint(ctx, tx, endpoint)
	if err != nil || e.DisabledAt == nil {
		return e, err
	}
	if err := updateEnabled(ctx, tx, endpoint); err != nil {
		return e, err
	}
	if err := record(ctx, tx, "enable", endpoint, ""); err != nil {
		return e, err
	}
	return selectEndpoint(ctx, tx, endpoint)
}

// RemoveEndpoint takes an endpoint away, with its secret and the log of what it was sent. It fails with ErrNotFound.
func RemoveEndpoint(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) error {
	if err := deleteEndpoint(ctx, tx, endpoint); err != nil {
		return err
	}
	return record(ctx, tx, "remove", endpoint, "")
}

// Endpoints lists all endpoints, the oldest first.
func Endpoints(ctx context.Context, tx *tenant.Tx) ([]Endpoint, error) {
	return selectEndpoints(ctx, tx)
}

// EndpointByID gives one; ErrNotFound.
func EndpointByID(ctx context.Context, tx *tenant.Tx, endpoint EndpointID) (Endpoint, error) {
	return selectEndpoint(ctx, tx, endpoint)
}
