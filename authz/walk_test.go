package authz

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// world is the plain reference: who has which role, and what each role holds of the rights that the walk looks at.
type world struct {
	roles map[string][]string // by role
	has   map[int]string      // by person; none: not a member
	shut  map[int]bool
	open  map[int]string // the role of an open invitation, by whom it is for
}

var walked = []string{"invoices:read", "payments:delete", "members:create", "members:change", "members:delete", "roles:change", "support:approve"}

func (w world) may(who int, right string) bool { return !w.shut[who] && w.holds(w.has[who], right) }

func (w world) holds(role, right string) bool { return slices.Contains(w.roles[role], right) }

// above says whether somebody may give, touch and edit what holds these rights.
func (w world) above(who int, rights []string) bool {
	for _, right := range rights {
		if !w.may(who, right) {
			return false
		}
	}
	return true
}

// walker runs the same steps on the organization, by one replica or another.
type walker struct {
	world
	people   []someone
	own      []OwnRole
	replicas []*tenant.DB
	secrets  map[int]string
	senders  map[int]int
}

// Whatever people do to each other's rights, on two replicas in turn: nobody ever may what the reference denies, nor is
// refused what it allows, and no step succeeds that it forbids.
func TestARandomWalkNeverAllowsWhatTheReferenceDenies(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	replicas := []*tenant.DB{db, tenanttest.OpenWith(t, &tenanttest.Clock{})}
	founder := owner(t, db)
	own := []OwnRole{founder.role("One"), founder.role("Two"), founder.role("Three")}
	people := []someone{founder, founder.stranger(), founder.stranger(), founder.stranger()}
	walks := 0
	rapid.Check(t, func(r *rapid.T) {
		if walks++; walks > 25 { // rapid's hundred take minutes on a busy machine
			return
		}
		w := &walker{people: people, own: own, replicas: replicas, secrets: map[int]string{}, senders: map[int]int{}}
		w.begin(t)
		for range rapid.IntRange(3, 8).Draw(r, "steps") {
			w.step(r)
			w.compare(r)
		}
	})
}

// begin brings the organization and the reference to the same state: the founder, and nobody else.
func (w *walker) begin(t *testing.T) {
	t.Helper()
	w.world = world{has: map[int]string{0: Owner}, shut: map[int]bool{}, open: map[int]string{}, roles: map[string][]string{
		Owner: walked, Administrator: walked[:6], "viewer": {"invoices:read"},
	}}
	founder := w.people[0]
	for n := range w.people[1:] {
		if err := founder.remove(w.people[n+1]); err != nil && !errors.Is(err, ErrNoMember) {
			t.Fatal(err)
		}
	}
	for _, r := range w.own {
		if err := founder.changeRole(r, r.Name); err != nil {
			t.Fatal(err)
		}
	}
	founder.must(func(ctx context.Context, tx *tenant.Tx) error {
		open, err := ListInvitations(ctx, tx)
		for _, i := range open {
			err = errors.Join(err, RevokeInvitation(ctx, tx, i.ID))
		}
		return err
	})
}

func (w *walker) step(r *rapid.T) {
	actor, other := rapid.IntRange(0, 3).Draw(r, "actor"), rapid.IntRange(1, 3).Draw(r, "other")
	by := w.people[actor].with(rapid.SampledFrom(w.replicas).Draw(r, "replica"))
	roles := []string{Owner, Administrator, "viewer", w.own[0].Role(), w.own[1].Role(), w.own[2].Role()}
	role := rapid.SampledFrom(roles).Draw(r, "role")
	if actor == 0 && rapid.Bool().Draw(r, "hires") {
		other = rapid.IntRange(1, 3).Draw(r, "hired")
	}
	member := w.has[other] != ""
	touches := member && w.above(actor, w.roles[w.has[other]])
	switch step := rapid.SampledFrom([]string{"give", "deny", "allow", "remove", "edit", "invite", "accept"}).Draw(r, "step"); step {
	case "give":
		err := w.try(r, by, "members:change", actor, touches && w.above(actor, w.roles[role]), func() error { return by.giveRole(w.people[other], role) })
		if err == nil {
			w.has[other] = role
		}
	case "deny":
		if w.try(r, by, "members:change", actor, touches, func() error { return by.deny(w.people[other]) }) == nil {
			w.shut[other] = true
		}
	case "allow":
		if w.try(r, by, "members:change", actor, touches, func() error { return by.allow(w.people[other]) }) == nil {
			delete(w.shut, other)
		}
	case "remove":
		if w.try(r, by, "members:delete", actor, touches, func() error { return by.remove(w.people[other]) }) == nil {
			delete(w.has, other)
			delete(w.shut, other)
		}
	case "edit":
		w.edit(r, by, actor)
	case "invite":
		var secret string
		err := w.try(r, by, "members:create", actor, !member && w.above(actor, w.roles[role]), func() (err error) {
			_, secret, err = by.invite(w.people[other].person.Email, role)
			return err
		})
		if err == nil {
			w.open[other], w.secrets[other], w.senders[other] = role, secret, actor
		}
	case "accept":
		invited := w.open[other]
		err := w.people[other].with(by.db).accept(w.secrets[other])
		if err != nil {
			return
		}
		if invited == "" || member || !w.above(w.senders[other], w.roles[invited]) {
			r.Fatalf("%d joins with %q, which nobody may give", other, invited)
		}
		w.has[other] = invited
		delete(w.open, other)
	}
	for who, invited := range w.open { // what its sender could not give any more is void for good
		if !w.above(w.senders[who], w.roles[invited]) {
			delete(w.open, who)
		}
	}
}

// edit ticks other boxes in a role, which may be the actor's own.
func (w *walker) edit(r *rapid.T, by someone, actor int) {
	role := rapid.SampledFrom(w.own).Draw(r, "edited")
	ticks := rapid.SliceOfDistinct(rapid.SampledFrom(walked[:6]), func(s string) string { return s }).Draw(r, "ticks")
	allowed := w.above(actor, w.roles[role.Role()]) && w.above(actor, ticks)
	if w.try(r, by, "roles:change", actor, allowed, func() error { return by.changeRole(role, role.Name, ticks...) }) == nil {
		w.roles[role.Role()] = ticks
	}
}

var errRight = errors.New("the route asks for a right that they do not hold")

// try runs a step as the edge would, behind its route's right. It must not succeed where the reference forbids it.
func (w *walker) try(r *rapid.T, by someone, right string, actor int, allowed bool, step func() error) error {
	if !by.may(right) {
		return errRight
	}
	err := step()
	if err == nil && !(allowed && w.may(actor, right)) {
		r.Fatalf("%d does what they may not (%s)", actor, right)
	}
	return err
}

func (w *walker) compare(r *rapid.T) {
	for n, who := range w.people {
		for i, replica := range w.replicas {
			var allowed []string
			err := who.with(replica).do(func(_ context.Context, tx *tenant.Tx) error {
				allowed = nil
				for _, name := range walked {
					if right, _ := ParseRight(name); compiled.May(tx.Scope(), right).Allowed {
						allowed = append(allowed, name)
					}
				}
				return nil
			})
			if errors.Is(err, tenant.ErrNoOrganization) {
				allowed = nil // what was worked out before the database said that it is old
			} else if err != nil {
				r.Fatal(err)
			}
			for _, right := range walked {
				if got, want := slices.Contains(allowed, right), w.may(n, right); got != want {
					r.Fatalf("%d may %s on replica %d: %v, by the reference %v", n, right, i, got, want)
				}
			}
		}
	}
}
