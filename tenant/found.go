package tenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/trace"
)

// Why an organization cannot be founded.
var (
	ErrSlugTaken     = fault.New(fault.Conflict, "slug.taken", "That address is taken. Choose another.")
	ErrSlugMalformed = fault.New(fault.Invalid, "slug.malformed", "Use 3 to 40 small letters, digits and single hyphens, beginning with a letter.")
	ErrSlugReserved  = fault.New(fault.Invalid, "slug.reserved", "That address is kept for the service itself. Choose another.")
	ErrNameMissing   = fault.New(fault.Invalid, "organization.name", "Give the organization a name of at most 200 characters.")

	ErrFoundedEnough = fault.New(fault.TooMany, "organization.founded_enough", "You have opened as many books as one person may in a day. Open the next ones tomorrow, or ask whoever runs this service.")
	ErrFoundedNearby = fault.New(fault.TooMany, "organization.founded_nearby", "As many books were opened from your network today as may be. Open yours tomorrow, or ask whoever runs this service.")
)

// What platform.found_organization refuses with.
const (
	foundedEnough = "PF001"
	foundedNearby = "PF002"
)

// errTooEarly: Postgres shows a provisioned schema to others a moment before it tells their backends that the
// login may enter its role. In the next transaction it may.
var errTooEarly = errors.New("tenant: a ready schema cannot be entered yet")

var slugShape = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// An organization's slug becomes a host name beside our own.
var reserved = map[string]bool{}

func init() {
	for _, word := range strings.Fields(`about account accounts admin administrator api app assets auth billing
		blog cdn console contact countinghouse dashboard data demo-data dev docs email ftp help host imap internal
		localhost login mail metrics new open operator owner pay portal postmaster root security settings shop
		sign-in sign-out sign-up signup smtp ssl staff static status support system test vault webhook webhooks
		webmaster www`) {
		reserved[word] = true
	}
	delete(reserved, "demo-data")
}

// CheckSlug refuses what cannot be an organization's address: ErrSlugMalformed, ErrSlugReserved.
func CheckSlug(slug string) error {
	if len(slug) < 3 || len(slug) > 40 || !slugShape.MatchString(slug) {
		return ErrSlugMalformed
	}
	if reserved[slug] {
		return ErrSlugReserved
	}
	return nil
}

// SlugFree says whether an address could be taken at this moment.
func SlugFree(ctx context.Context, db *DB, slug string) (bool, error) {
	var taken bool
	err := db.platform.GetContext(ctx, &taken, `SELECT EXISTS (SELECT FROM platform.organization WHERE slug = $1)`, slug)
	if err != nil {
		return false, reached(ctx, fmt.Errorf("looking for an address: %w", err))
	}
	return !taken, nil
}

// Found gives a ready schema to a new organization and runs fn inside it, in one transaction: either there is
// an organization with what fn wrote, or nothing has changed. The founder acts in it with role "owner"; fn
// must make them a member. It fails with ErrSlugTaken and what CheckSlug refuses, and with ErrFoundedEnough and
// ErrFoundedNearby past the bounds of Config.
func Found(ctx context.Context, db *DB, founder Person, slug, name string, fn func(tx *Tx) error) error {
	if err := CheckSlug(slug); err != nil {
		return err
	}
	if strings.TrimSpace(name) == "" || len([]rune(name)) > 200 {
		return ErrNameMissing
	}
	for early, dry := 0, 0; ; {
		found, err := db.foundAnywhere(ctx, founder, slug, name, fn)
		switch {
		case errors.Is(err, errTooEarly) && early < 20:
			early++
		case found || err != nil:
			return err
		case dry == 3:
			return ErrUnavailable.Because(errors.New("no schema is ready, and those made were claimed by others"))
		default: // the pool has run dry: this one founder waits for a schema to be made
			dry++
			if err := Provision(ctx, db, 1); err != nil {
				return err
			}
		}
	}
}

// foundAnywhere tries the compartments, the one with most room first; false when none has a ready schema.
func (db *DB) foundAnywhere(ctx context.Context, founder Person, slug, name string, fn func(tx *Tx) error) (bool, error) {
	order, err := db.compartmentsByRoom(ctx)
	if err != nil {
		return false, err
	}
	for _, n := range order {
		if found, err := db.foundIn(ctx, n, founder, slug, name, fn); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func (db *DB) foundIn(ctx context.Context, n int, founder Person, slug, name string, fn func(tx *Tx) error) (bool, error) {
	home, err := db.compartment(n)
	if err != nil {
		return false, err
	}
	conn, free, err := home.connect(ctx, id.Of[Organization]{UUID: founder.ID.UUID}) // whose connection it becomes is not known yet
	if err != nil {
		return false, reached(ctx, err)
	}
	defer free()
	now, found := db.Now(), false
	err = finish(ctx, conn, nil, func() (*handle, error) {
		s, err := db.claim(ctx, conn, founder, slug, name, now)
		if err != nil || s == nil {
			return &handle{}, err
		}
		found = true
		s.compartment = n
		tx := &Tx{handle: handle{q: conn, within: trace.At(ctx)}, scope: s, now: now}
		defer tx.close()
		return &tx.handle, fn(tx)
	})
	return found, err
}

// claim opens the transaction and takes a ready schema; nil when this compartment has none.
func (db *DB) claim(ctx context.Context, conn *sqlx.Conn, founder Person, slug, name string, now time.Time) (*scope, error) {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, reached(ctx, err)
	}
	var got struct {
		ID     *id.Of[Organization] `db:"id"`
		Schema sql.NullString       `db:"schema_name"`
	}
	err := conn.GetContext(ctx, &got, `SELECT id, schema_name FROM platform.found_organization($1, $2, $3, $4, $5, $6, $7)`,
		slug, name, now, founder.ID, subscriberOf(RequestFrom(ctx).Network), db.config.FoundingsByPerson, db.config.FoundingsByNetwork)
	switch {
	case Violates(err) == "organization_slug_key":
		return nil, ErrSlugTaken.At("slug")
	case SQLState(err) == foundedEnough:
		return nil, ErrFoundedEnough.Because(err)
	case SQLState(err) == foundedNearby:
		return nil, ErrFoundedNearby.Because(err)
	case err != nil:
		return nil, fmt.Errorf("claiming a schema: %w", err)
	}
	if got.ID == nil {
		return nil, nil
	}
	if _, err := conn.ExecContext(ctx, enterMessage(got.Schema.String)); SQLState(err) == "42501" {
		return nil, errTooEarly
	} else if err != nil {
		return nil, fmt.Errorf("entering a new organization: %w", err)
	}
	if err := inSchema(conn, got.Schema.String); err != nil {
		return nil, err
	}
	return &scope{
		kind: Member, organization: Organization{ID: *got.ID, Slug: slug, Name: name}, person: founder, role: "owner",
		schema: got.Schema.String,
	}, nil
}

// subscriberOf is what one subscriber has of the network: an IPv4 address, or the /64 of an IPv6 address (RFC 6177); empty
// where a request came from no network.
func subscriberOf(network string) string {
	address, err := netip.ParseAddr(network)
	if err != nil {
		return ""
	}
	if address = address.Unmap().WithZone(""); address.Is4() {
		return address.String()
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return ""
	}
	return prefix.Masked().String()
}

// compartmentsByRoom lists the compartments, the one with the fewest organizations first.
func (db *DB) compartmentsByRoom(ctx context.Context) ([]int, error) {
	var order []int
	err := db.platform.SelectContext(ctx, &order, `
		SELECT c.id FROM platform.compartment c
		  LEFT JOIN platform.organization o ON o.compartment_id = c.id AND o.state::text NOT IN ('ready', 'gone')
		 GROUP BY c.id ORDER BY count(o.id), c.id`)
	if err != nil {
		return nil, reached(ctx, fmt.Errorf("listing compartments: %w", err))
	}
	return order, nil
}
