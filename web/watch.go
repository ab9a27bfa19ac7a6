package web

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
)

// Watcher hears of what looks like an attack.
type Watcher interface {
	Raise(ctx context.Context, e watch.Event) error
}

// raise tells the watch. A request is answered as it would be without.
func (s *Server) raise(ctx context.Context, e watch.Event) {
	if s.Watch == nil {
		return
	}
	if err := s.Watch.Raise(ctx, e); err != nil {
		s.Log.Error("a security event was not kept", "request_id", tenant.RequestFrom(ctx).ID, "kind", e.Kind, "error", err)
	}
}

// watchRefused tells of a token that has ended, and of someone at the door of a canary.
func (s *Server) watchRefused(ctx context.Context, slug string, refused error) {
	if s.Watch == nil {
		return
	}
	network := tenant.RequestFrom(ctx).Network
	var spent *tenant.SpentToken
	switch {
	case errors.As(refused, &spent):
		s.raise(ctx, watch.Event{Kind: watch.RevokedToken, Organization: spent.Organization, Person: spent.Person, Network: network,
			Subject: spent.Token.String(), Detail: fmt.Sprintf("token %s, ended %s", spent.Token, spent.EndedAt.Format(time.RFC3339))})
	case errors.Is(refused, tenant.ErrNoOrganization) && slug != "":
		canary, is, err := tenant.CanaryAt(ctx, s.DB, slug)
		if err != nil {
			s.Log.Error("a canary was not looked for", "request_id", tenant.RequestFrom(ctx).ID, "error", err)
		} else if is {
			s.raise(ctx, watch.Event{Kind: watch.Canary, Organization: canary, Network: network, Detail: "someone was refused at its address"})
		}
	}
}

// watchEntered tells of someone inside a canary.
func (s *Server) watchEntered(ctx context.Context, scope tenant.Scope) {
	if o := scope.Organization(); o.Canary {
		s.raise(ctx, watch.Event{Kind: watch.Canary, Organization: o.ID, Person: scope.Person().ID, Network: tenant.RequestFrom(ctx).Network,
			Detail: "someone is inside, as " + scope.Kind().String()})
	}
}

// watchMissing counts what a caller asked for by id that is not there.
func (s *Server) watchMissing(c *fiber.Ctx) {
	path := c.Path()
	if s.Watch == nil || !namesThing(path) {
		return
	}
	ctx := c.UserContext()
	e := watch.Event{Kind: watch.Probing, Network: tenant.RequestFrom(ctx).Network, Detail: fmt.Sprintf("%d ids within %s", probesMax, probesWindow)}
	if in := callFrom(ctx); in != nil && in.scope != (tenant.Scope{}) {
		e.Organization, e.Person = in.scope.Organization().ID, in.scope.Person().ID
	}
	if s.probes.note(probeKey{e.Organization, e.Person, e.Network}, path, s.DB.Now()) {
		s.raise(ctx, e)
	}
}

// namesThing says whether a path asks for one thing by its id, or for an organization by its address.
func namesThing(path string) bool {
	if strings.HasPrefix(path, "/o/") {
		return true
	}
	for part := range strings.SplitSeq(path, "/") {
		if len(part) == 36 && uuid.Validate(part) == nil {
			return true
		}
	}
	return false
}

const (
	// probesMax is how many different things a caller may miss before they are told of: more than old bookmarks.
	probesMax    = 20
	probesWindow = 10 * time.Minute
	probesKept   = 10_000 // callers
)

type probeKey struct {
	organization tenant.OrganizationID
	person       tenant.PersonID
	network      string
}

// probes counts the different things that callers missed lately. Each process counts for itself: a row for every
// miss would let anyone make us write.
type probes struct {
	mu   sync.Mutex
	seed maphash.Seed
	kept *simplelru.LRU[probeKey, *missed]
}

type missed struct {
	since time.Time
	paths map[uint64]bool
}

func newProbes() *probes {
	kept, err := simplelru.NewLRU[probeKey, *missed](probesKept, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &probes{seed: maphash.MakeSeed(), kept: kept}
}

// note counts a miss, and says whether it is the one that makes too many. Counting then begins anew.
func (p *probes) note(key probeKey, path string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.kept.Get(key)
	if !ok || now.Sub(m.since) > probesWindow {
		m = &missed{since: now, paths: map[uint64]bool{}}
		p.kept.Add(key, m)
	}
	m.paths[maphash.String(p.seed, path)] = true
	if len(m.paths) < probesMax {
		return false
	}
	p.kept.Remove(key)
	return true
}
