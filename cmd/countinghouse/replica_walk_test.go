package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
)

// looked are the pages and lists that the walk looks at, by the right that each takes.
var looked = map[string]struct{ page, list string }{
	"gateways:read": {"/settings/gateways", "/v1/gateways"},
	"invoices:read": {"/invoices", "/v1/invoices"},
	"members:read":  {"/members", "/v1/members"},
}

// roleBook is the plain reference: what each role holds of those rights, and who has which role; none is no member.
type roleBook struct {
	holds map[string][]string
	has   map[int]string
	shut  map[int]bool
	visit bool // support is let in to read invoices
}

// answers says how a member's page and the list of their program are answered.
func (b roleBook) answers(who int, right string) (page, list int) {
	switch {
	case b.has[who] == "" || b.shut[who]:
		return http.StatusNotFound, http.StatusUnauthorized
	case slices.Contains(b.holds[b.has[who]], right):
		return http.StatusOK, http.StatusOK
	}
	return http.StatusForbidden, http.StatusForbidden
}

// visitor says how support's page is answered.
func (b roleBook) visitor(right string) int {
	switch {
	case !b.visit:
		return http.StatusNotFound
	case right == "invoices:read":
		return http.StatusOK
	}
	return http.StatusForbidden
}

// roleWalk does the same at the replicas.
type roleWalk struct {
	roleBook
	*house
	replicas []replica
	random   *rand.Rand
	people   []tenant.Person
	browsers []caller
	programs []caller
	own      authz.OwnRole
	support  visitor
}

func (w *roleWalk) at() replica { return w.replicas[w.random.IntN(len(w.replicas))] }

// Whatever an owner does at one process or the other: both answer the very next request of whomever it is about as the
// reference says, by page and by program, though they remember what they decided a moment ago.
func TestARandomWalkAtTwoProcesses(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := newHouse(t)
	w := &roleWalk{house: h, replicas: []replica{startReplica(t), startReplica(t)}, random: rand.New(rand.NewPCG(seed, 1)),
		roleBook: roleBook{has: map[int]string{}, shut: map[int]bool{}, holds: map[string][]string{
			"accountant": {"gateways:read", "invoices:read", "members:read"}, "viewer": {"invoices:read"}}}}
	h.do(h.owner, func(tx *tenant.Tx) error {
		ticks, err := authz.ParseTicks([]string{"gateways:read"})
		if err == nil {
			w.own, err = mustCompile(t).AddRole(t.Context(), tx, authz.RoleInput{Name: "Till", Ticks: ticks})
		}
		return err
	})
	w.holds[w.own.Role()] = []string{"gateways:read"}
	for n, role := range []string{"accountant", "viewer", w.own.Role()} {
		p, browser, program := h.member(role)
		w.people, w.browsers, w.programs = append(w.people, p), append(w.browsers, browser), append(w.programs, program)
		w.has[n] = role
	}
	w.support, w.visit = h.support(w.at()), true
	w.compare(t, "before the first step")
	for n := range 40 {
		w.compare(t, fmt.Sprintf("after step %d, %s", n, w.step(t)))
		if t.Failed() {
			return
		}
	}
}

// step does one thing at one of the processes, and says which.
func (w *roleWalk) step(t *testing.T) string {
	t.Helper()
	who := w.random.IntN(len(w.people))
	member := "/o/" + w.slug + "/members/" + w.people[who].ID.String()
	role := []string{"accountant", "viewer", w.own.Role()}[w.random.IntN(3)]
	switch step := w.random.IntN(6); {
	case step == 0:
		return w.tick(t)
	case step == 1:
		if w.visit {
			w.at().press(t, w.owner, "/o/"+w.slug+"/support/"+w.support.grant+"/end")
			w.visit = false
			return "support goes"
		}
		w.support, w.visit = w.house.support(w.at()), true
		return "support comes"
	case w.has[who] == "":
		w.do(w.owner, func(tx *tenant.Tx) error { return tx.SetMember(t.Context(), w.people[who], role, tenant.Active) })
		w.has[who] = role
		w.programs[who] = w.token(w.browsers[who])
		return fmt.Sprintf("%d comes back as %s", who, role)
	case step == 2:
		w.at().press(t, w.owner, member+"/remove")
		delete(w.has, who)
		delete(w.shut, who)
		return fmt.Sprintf("%d is removed", who)
	case step == 3 && w.shut[who]:
		w.at().press(t, w.owner, member+"/allow")
		delete(w.shut, who)
		w.programs[who] = w.token(w.browsers[who])
		return fmt.Sprintf("%d is let in again", who)
	case step == 3:
		w.at().press(t, w.owner, member+"/deny")
		w.shut[who] = true
		return fmt.Sprintf("%d is denied", who)
	}
	w.at().press(t, w.owner, member+"/role", "role", role)
	w.has[who] = role
	return fmt.Sprintf("%d becomes %s", who, role)
}

// tick gives the organization's own role other boxes.
func (w *roleWalk) tick(t *testing.T) string {
	t.Helper()
	var ticks []string
	pairs := []string{"name", w.own.Name, "version", fmt.Sprint(w.own.Version)}
	for right := range looked {
		if len(ticks) == 0 || w.random.IntN(2) == 0 {
			ticks = append(ticks, right)
			pairs = append(pairs, "rights", right)
		}
	}
	w.at().press(t, w.owner, "/o/"+w.slug+"/roles/"+w.own.ID.String(), pairs...)
	w.own.Version++
	w.holds[w.own.Role()] = ticks
	return fmt.Sprintf("the own role holds %v", ticks)
}

func (w *roleWalk) compare(t *testing.T, when string) {
	t.Helper()
	for i, r := range w.replicas {
		for right, path := range looked {
			for who := range w.people {
				page, list := w.answers(who, right)
				if got, _ := r.ask(t, w.browsers[who], "GET", "/o/"+w.slug+path.page, nil); got != page {
					t.Errorf("%s: process %d answers %d's %s with %d, by the reference %d", when, i, who, path.page, got, page)
				}
				if got, _ := r.ask(t, w.programs[who], "GET", path.list, nil); got != list {
					t.Errorf("%s: process %d answers %d's %s with %d, by the reference %d", when, i, who, path.list, got, list)
				}
			}
			if got, _ := r.ask(t, w.support.caller, "GET", "/o/"+w.slug+path.page, nil); got != w.visitor(right) {
				t.Errorf("%s: process %d answers support's %s with %d, by the reference %d", when, i, path.page, got, w.visitor(right))
			}
		}
	}
}
