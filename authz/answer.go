package authz

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrRightUnknown refuses what is no right.
var ErrRightUnknown = fault.New(fault.Invalid, "right.unknown", "There is no such right. Choose one of the list.").At("right")

// Causes of an answer.
const (
	CauseRole     = "role"      // a rule of the role allows it
	CauseNoRule   = "no_rule"   // no rule of the role speaks of it
	CauseDenyRule = "deny_rule" // a rule forbids it, whatever else allows it
	CauseDenied   = "denied"    // the person is denied access
	CauseSupport  = "support"   // a support grant reaches it
	CauseScope    = "scope"     // the support grant does not reach it
	CauseNobody   = "nobody"    // neither a member nor let in
)

// Answer says whether one person may do one thing here at this moment, and why.
type Answer struct {
	Right   Right
	Allowed bool
	Cause   string
	Role    string // "accountant"; empty for who has none
	Title   string // "Accountant"
	Rule    string // of the policy; empty where none speaks of it
	Grant   GrantID
	Scopes  []string // of the grant
	Say     string   // all of it in a sentence or two
}

// secretModules hold secrets, which nobody is ever shown.
var secretModules = map[Module]bool{Gateways: true, PaymentMethods: true, Tokens: true}

// ExplainPerson answers for one person and one right: for a member by their role, and for someone of support by the
// grant that is open. What an API token may on top of that is for its scopes to say.
func (p *Policy) ExplainPerson(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, right Right) (Answer, error) {
	a := Answer{Right: right}
	if right.Name() == "" {
		return a, ErrRightUnknown
	}
	m, err := MemberByID(ctx, tx, person)
	if errors.Is(err, ErrNoMember) {
		return p.explainVisit(ctx, tx, person, a)
	} else if err != nil {
		return a, err
	}
	if a.Title, err = Title(ctx, tx, m.Role); err != nil {
		return a, err
	}
	a.Role = m.Role
	all, err := p.Explain(ctx, tx, m.Role)
	if err != nil {
		return a, err
	}
	for _, e := range all {
		if e.Right == right {
			a.Allowed, a.Rule = e.Allowed, e.Rule
		}
	}
	a.Cause = causeOf(a.Allowed, a.Rule)
	switch a.Cause {
	case CauseRole:
		a.Say = fmt.Sprintf("Their role, %s, lets them %s.", a.Title, right.Name())
	case CauseDenyRule:
		a.Say = fmt.Sprintf("A rule forbids their role, %s, to %s. It wins over every rule that allows it.", a.Title, right.Name())
	default:
		a.Say = fmt.Sprintf("No rule of their role, %s, lets them %s.", a.Title, right.Name())
	}
	if m.State == tenant.Denied {
		a.Allowed, a.Cause = false, CauseDenied
		a.Say = "They are denied access, so their role counts for nothing. " + a.Say
	}
	a.noteSecrets()
	return a, nil
}

func causeOf(allowed bool, rule string) string {
	switch {
	case allowed:
		return CauseRole
	case strings.HasSuffix(rule, ", deny"):
		return CauseDenyRule
	}
	return CauseNoRule
}

// explainVisit answers for whoever is no member.
func (p *Policy) explainVisit(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, a Answer) (Answer, error) {
	open, err := OpenVisits(ctx, tx)
	if err != nil {
		return a, err
	}
	a.Cause, a.Say = CauseNobody, "They are not a member, and no support access of theirs is open."
	for _, g := range open {
		if g.Staff != person {
			continue
		}
		enforcer, err := newEnforcer(p.rules)
		if err != nil {
			return a, err
		}
		allowed, rule, err := enforcer.EnforceEx(supportRole, string(a.Right.Module), string(a.Right.Action), "yes")
		if err != nil {
			return a, fmt.Errorf("explaining %s for support: %w", a.Right, err)
		}
		a.Grant, a.Scopes, a.Rule = g.ID, g.Terms.Scopes, strings.Join(rule, ", ")
		switch {
		case !allowed:
			a.Cause, a.Say = CauseDenyRule, fmt.Sprintf("Support never may %s, whatever an owner lets it in to.", a.Right.Name())
		case !admits(g.Terms.Scopes, a.Right):
			a.Cause, a.Say = CauseScope, "The support access that is open does not reach it: they may "+g.Terms.Say()+"."
		default:
			a.Allowed, a.Cause = true, CauseSupport
			a.Say = fmt.Sprintf("An owner let them in as support until %s: they may %s; %s.", g.Until.Format("2 January 2006 15:04 UTC"), g.Terms.Say(), g.Terms.SayMasks())
			a.noteSecrets()
			return a, nil
		}
	}
	return a, nil
}

// noteSecrets adds what reading does not show.
func (a *Answer) noteSecrets() {
	if a.Allowed && a.Right.Action == Read && secretModules[a.Right.Module] {
		a.Say += " Secrets are masked for everyone."
	}
}
