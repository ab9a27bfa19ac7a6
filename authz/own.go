package authz

import (
	"fmt"
	"strings"

	"github.com/casbin/casbin/v2"

	"github.com/countinghouse/countinghouse/tenant"
)

// ownVerdictsKept is how many roles of the organizations' own have their verdicts at hand, about a kilobyte each.
const ownVerdictsKept = 20_000

// Holder is who asks: a role of an organization under one version of its policy, and what bounds it.
type Holder struct {
	Organization tenant.OrganizationID
	Version      int64  // of the organization's policy
	Role         string // "bookkeeper", or "own:" and an id
	Rights       string // of a role of the organization's own
	Ceiling      []string
	Support      bool
	// Kept is where verdicts of the role are at hand, under that version alone; nil is nowhere.
	Kept *tenant.Verdicts
}

// HolderOf is the bearer of a scope.
func HolderOf(s tenant.Scope) Holder {
	return Holder{Organization: s.Organization().ID, Version: s.PolicyVersion(), Role: s.Role(), Rights: s.Rights(), Ceiling: s.Ceiling(), Support: s.Kind() == tenant.Support, Kept: s.Verdicts()}
}

// May says whether the bearer of a scope may do what right names, as Decide does for a ready-made role. The verdicts
// for a role of the organization's own are worked out once per version of its policy, and looked up after that.
func (p *Policy) May(s tenant.Scope, right Right) Verdict {
	if v, known := p.kept(s.Verdicts(), s.Ceiling(), right); known { // which reads nothing but the scope
		return v
	}
	return p.DecideFor(HolderOf(s), right)
}

// kept is the verdict on a role of the organization's own that is at hand.
func (p *Policy) kept(v *tenant.Verdicts, ceiling []string, right Right) (_ Verdict, known bool) {
	at, ok := places[right]
	if !ok {
		return Verdict{}, false
	}
	yes, known := v.Has(p.judge, at)
	switch {
	case !known:
		return Verdict{}, false
	case !yes:
		return Verdict{Reason: "the organization's own role does not have it"}, true
	case ceiling != nil && !admits(ceiling, right):
		return Verdict{Reason: "the scopes do not reach it"}, true
	}
	return Verdict{Allowed: true, Reason: "the organization's own role has it"}, true
}

// DecideFor is May for a holder without a scope.
func (p *Policy) DecideFor(h Holder, right Right) Verdict {
	if v, known := p.kept(h.Kept, h.Ceiling, right); known {
		return v
	}
	if !IsOwn(h.Role) {
		return p.Decide(h.Role, h.Ceiling, h.Support, right)
	}
	if _, ok := places[right]; !ok {
		return Verdict{Reason: "there is no such right"}
	}
	verdicts := p.verdictsOf(h)
	if verdicts == nil {
		return Verdict{Reason: "this role cannot be read"}
	}
	if h.Kept == nil {
		h.Kept = &tenant.Verdicts{}
	}
	h.Kept.Keep(p.judge, verdicts.allowed)
	if v, known := p.kept(h.Kept, h.Ceiling, right); known {
		return v
	}
	return Verdict{Reason: "there is no room for this role's verdicts"}
}

// covers says whether a holder may do all that another may.
func (p *Policy) covers(holder, other Holder) bool {
	for right := range names {
		if p.DecideFor(other, right).Allowed && !p.DecideFor(holder, right).Allowed {
			return false
		}
	}
	return true
}

// IsOwn says whether a role is one that its organization made.
func IsOwn(role string) bool { return strings.HasPrefix(role, ownPrefix) }

const ownPrefix = "own:"

// ownKey names a role under one version of its organization's policy: a verdict is never used for another.
type ownKey struct {
	organization tenant.OrganizationID
	version      int64
	role         string
	support      bool
}

// ownVerdicts is all that Casbin said of one role, a bit for each right.
type ownVerdicts struct {
	rights  string // what it was worked out from
	allowed []uint64
}

// places numbers the rights for as long as the process lives.
var places = func() map[Right]int {
	all := map[Right]int{}
	for _, row := range grid {
		for _, b := range row.boxes {
			all[Right{row.module, b.action}] = len(all)
		}
	}
	return all
}()

// verdictsOf looks a role up, or asks Casbin about all of it; nil when that fails.
func (p *Policy) verdictsOf(h Holder) *ownVerdicts {
	key := ownKey{h.Organization, h.Version, h.Role, h.Support}
	if v, ok := p.own.Get(key); ok && v.rights == h.Rights {
		return v
	}
	v, err := p.judgeOwn(h.Rights, h.Support)
	if err != nil { // our own model and rules refuse what our own code wrote: nobody gets in by that
		return nil
	}
	p.own.Add(key, v)
	return v
}

// judgeOwn asks Casbin about every right of a role.
func (p *Policy) judgeOwn(rights string, support bool) (*ownVerdicts, error) {
	enforcer, err := p.ownEnforcer(readTicks(rights))
	if err != nil {
		return nil, err
	}
	v := &ownVerdicts{rights: rights, allowed: make([]uint64, (len(places)+63)/64)}
	for right, at := range places {
		allowed, err := enforcer.Enforce(ownRole, string(right.Module), string(right.Action), flag(support))
		if err != nil {
			return nil, fmt.Errorf("deciding %s: %w", right, err)
		}
		if allowed {
			v.allowed[at/64] |= 1 << (at % 64)
		}
	}
	return v, nil
}

func flag(support bool) string {
	if support {
		return "yes"
	}
	return "no"
}

// ownEnforcer knows the ticks of one role and those rules of the policy that hold for all such roles.
func (p *Policy) ownEnforcer(t Ticks) (*casbin.Enforcer, error) {
	rules := t.rules()
	for _, rule := range p.rules {
		if listed(ownRole, rule[0]) {
			rules = append(rules, rule)
		}
	}
	return newEnforcer(rules)
}
