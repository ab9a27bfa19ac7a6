package authz

import (
	"strings"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// Why something is refused.
var (
	ErrForbidden    = fault.New(fault.Forbidden, "right.missing", "You may not do this here. An owner can give you the right.")
	ErrScopeUnknown = fault.New(fault.Invalid, "token.scope_unknown", "A scope is module:read or module:write, or * for all modules: invoices:read, *:write.")
	ErrScopeExceeds = fault.New(fault.Forbidden, "token.scope_exceeds", "A token cannot hold more than you do.")
)

// Forbidden is ErrForbidden for one right, in plain words.
func Forbidden(r Right) error {
	name := r.Name()
	if name == "" {
		return ErrForbidden
	}
	return ErrForbidden.Sayf("You may not %s here (%s). An owner can give you the right.", name, r)
}

// Verdict is an answer and why.
type Verdict struct {
	Allowed bool
	Reason  string // for people who look into it: the role, the rule
}

// Decide says whether a member with the role may do what right names. ceiling bounds it: the scopes of an API
// token, where "module:read" admits reading and "module:write" everything in the module; nil is no bound, and
// an empty one admits nothing. support says that it is a support person who was let in. An unknown role may
// do nothing, and what is not a right nobody may. It costs a look-up and allocates nothing.
func (p *Policy) Decide(role string, ceiling []string, support bool, right Right) Verdict {
	rulings, ok := p.roles[role]
	if !ok {
		return Verdict{Reason: "there is no such role"}
	}
	r, ok := rulings[right]
	if !ok {
		return Verdict{Reason: "there is no such right"}
	}
	v := r.usual
	if support {
		v = r.support
	}
	if v.Allowed && ceiling != nil && !admits(ceiling, right) {
		return Verdict{Reason: "the scopes do not reach it"}
	}
	return v
}

func admits(ceiling []string, right Right) bool {
	return admitsModule(ceiling, string(right.Module), right.Action)
}

func admitsModule(ceiling []string, wanted string, action Action) bool {
	for _, scope := range ceiling {
		module, access, _ := strings.Cut(scope, ":")
		if module != "*" && module != wanted {
			continue
		}
		if access == "write" || access == "read" && action == Read {
			return true
		}
	}
	return false
}

// CheckScope says whether the holder may make a token with the scope. It fails with
// ErrScopeUnknown, and with ErrScopeExceeds when there is nothing under the scope that they may do, or when it
// goes beyond their own ceiling. "*" stands for all that they may. What the token may do is decided on each
// use by what its maker may then; this check keeps it from growing past what they could see when making it.
func (p *Policy) CheckScope(h Holder, scope string) error {
	module, access, _ := strings.Cut(scope, ":")
	if access != "read" && access != "write" || module != "*" && !isModule(Module(module)) {
		return ErrScopeUnknown
	}
	if h.Ceiling != nil && !reaches(h.Ceiling, module, access) {
		return ErrScopeExceeds
	}
	unbound := h
	unbound.Ceiling = nil
	for right := range names {
		fits := module == "*" || right.Module == Module(module)
		if fits && (right.Action == Read) == (access == "read") && p.DecideFor(unbound, right).Allowed {
			return nil
		}
	}
	return ErrScopeExceeds
}

func isModule(m Module) bool {
	_, ok := names[Right{m, Read}]
	return ok
}

func reaches(ceiling []string, module, access string) bool {
	for _, scope := range ceiling {
		m, a, _ := strings.Cut(scope, ":")
		if (m == "*" || m == module) && (a == "write" || a == access) {
			return true
		}
	}
	return false
}

// Scopes lists every scope that a token can have, for the form in which one is made.
func Scopes() []string {
	all := []string{"*:read", "*:write"}
	for _, row := range grid {
		all = append(all, string(row.module)+":read")
		if len(row.boxes) > 1 {
			all = append(all, string(row.module)+":write")
		}
	}
	return all
}
