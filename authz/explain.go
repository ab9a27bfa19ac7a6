package authz

import (
	"context"
	"fmt"
	"strings"

	"github.com/countinghouse/countinghouse/tenant"
)

// Explanation says for one right whether a role has it, and by which rule.
type Explanation struct {
	Right   Right
	Allowed bool
	Rule    string // "bookkeeper, invoices, *, *, allow"; empty: no rule speaks of it
}

// Explain asks Casbin about every right of a role of the organization, in the order of the grid. It fails with
// ErrRoleUnknown.
func (p *Policy) Explain(ctx context.Context, tx *tenant.Tx, role string) ([]Explanation, error) {
	h, err := p.holderOfRole(ctx, tx, role)
	if err != nil {
		return nil, err
	}
	rules, subject := p.rules, role
	if IsOwn(role) {
		rules, subject = append(readTicks(h.Rights).rules(), p.rules...), ownRole
	}
	enforcer, err := newEnforcer(rules)
	if err != nil {
		return nil, err
	}
	var all []Explanation
	for _, row := range grid {
		for _, b := range row.boxes {
			right := Right{row.module, b.action}
			allowed, rule, err := enforcer.EnforceEx(subject, string(row.module), string(b.action), "no")
			if err != nil {
				return nil, fmt.Errorf("explaining %s for %s: %w", right, role, err)
			}
			all = append(all, Explanation{right, allowed, strings.Join(rule, ", ")})
		}
	}
	return all, nil
}
