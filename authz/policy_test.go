package authz

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

var compiled = func() *Policy {
	p, err := Compile()
	if err != nil {
		panic(err)
	}
	return p
}()

func TestMain(m *testing.M) { os.Exit(tenanttest.Main(m)) }

// reference says the same as policy.csv in another way: each role's actions by module, r c C d a e standing for
// read, create, change, delete, approve, export.
var reference = map[string]map[Module]string{
	"owner":         everything(""),
	"operator":      everything(""),
	"administrator": with(everything(""), map[Module]string{Support: "rd"}),
	"accountant": {
		Bank:      "rcCdae",
		Customers: "rcCde", Products: "rcCde", Invoices: "rcCdae", Subscriptions: "rcCd", Orders: "rcCdae", Payments: "rcCdae",
		Payees: "rcCde", Bills: "rcCdae", Taxes: "rcCd", Journal: "rcCae", Accounts: "rcCde", Reports: "re",
		Exports: "rcd", Imports: "rc", Settings: "r", PaymentMethods: "r", Gateways: "r", Members: "r", Audit: "re",
		Contacts: "r", Shop: "r",
	},
	"bookkeeper": {
		Bank:      "rcCde",
		Customers: "rcCe", Products: "rcCe", Payees: "rcCe", Invoices: "rcCdae", Subscriptions: "rcCd", Orders: "rcC", Bills: "rcC",
		Payments: "rcCe", Journal: "rc", Reports: "re", Imports: "rc", Accounts: "r", Taxes: "r", Settings: "r",
		Contacts: "r", Shop: "r",
	},
	"sales": {
		Contacts: "rcCd", Shop: "r",
		Customers: "rcCd", Products: "rcCd", Invoices: "rcCda", Subscriptions: "rcCd", Orders: "rcCda", Payments: "r", Taxes: "r", Settings: "r",
	},
	"viewer": {
		Bank:      "r",
		Customers: "r", Products: "r", Invoices: "r", Subscriptions: "r", Orders: "r", Payments: "r", Payees: "r", Bills: "r", Taxes: "r",
		Journal: "r", Accounts: "r", Reports: "r", Settings: "r",
	},
	"auditor": with(everything("r"), map[Module]string{
		Bank:     "re",
		Invoices: "re", Payments: "re", Bills: "re", Journal: "re", Accounts: "re", Reports: "re", Audit: "re",
	}),
}

// supportNever is what no support person may do, whatever role they were let in with.
var supportNever = map[Module]string{
	Exports: "rcCdae", Imports: "rcCdae", Settings: "cCda", Members: "cCda", Roles: "cCda", Security: "rcCdae",
	Tokens: "rcCdae", Webhooks: "rcCdae", Support: "rcCdae", Gateways: "cCda", PaymentMethods: "cCda",
	Contacts: "cCda", Shop: "cCda",
}

var letters = map[Action]string{Read: "r", Create: "c", Change: "C", Delete: "d", Approve: "a", Export: "e"}

func everything(letter string) map[Module]string {
	all := map[Module]string{}
	for _, g := range Rights() {
		all[g.Module] = letter
		if letter == "" {
			all[g.Module] = "rcCdae"
		}
	}
	return all
}

func with(all, other map[Module]string) map[Module]string {
	for m, actions := range other {
		all[m] = actions
	}
	return all
}

func TestDecide(t *testing.T) {
	t.Parallel()
	roles := append(roleNames(), "Owner", "", "*", "own:x")
	for _, role := range roles {
		for _, group := range Rights() {
			for _, grant := range group.Rights {
				r, letter := grant.Right, letters[grant.Right.Action]
				want := strings.Contains(reference[role][r.Module], letter)
				if got := compiled.Decide(role, nil, false, r); got.Allowed != want || got.Reason == "" {
					t.Errorf("%s, %s: got %+v", role, r, got)
				}
				want = (want || role == supportRole) && r.Action != Export && !strings.Contains(supportNever[r.Module], letter)
				if got := compiled.Decide(role, nil, true, r); got.Allowed != want || got.Reason == "" {
					t.Errorf("support as %s, %s: got %+v", role, r, got)
				}
			}
		}
	}
}

func TestDecideUnderACeiling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role    string
		ceiling []string
		right   string
		want    bool
	}{
		{"owner", nil, "invoices:approve", true},
		{"owner", []string{}, "invoices:read", false},
		{"owner", []string{"invoices:read"}, "invoices:read", true},
		{"owner", []string{"invoices:read"}, "invoices:create", false},
		{"owner", []string{"invoices:read"}, "invoices:export", false},
		{"owner", []string{"invoices:read"}, "payments:read", false},
		{"owner", []string{"invoices:write"}, "invoices:read", true},
		{"owner", []string{"invoices:write"}, "invoices:approve", true},
		{"owner", []string{"invoices:write"}, "members:create", false},
		{"owner", []string{"payments:read", "invoices:write"}, "invoices:create", true},
		{"owner", []string{"*:read"}, "audit:read", true},
		{"owner", []string{"*:read"}, "audit:export", false},
		{"owner", []string{"*:write"}, "members:create", true},
		{"viewer", []string{"*:write"}, "invoices:create", false},
		{"viewer", []string{"*:write"}, "members:read", false},
		{"nobody", []string{"*:write"}, "invoices:read", false},
		{"owner", []string{"invoices"}, "invoices:read", false},
		{"owner", []string{"invoices:"}, "invoices:read", false},
		{"owner", []string{"invoice:write", "invoicess:write", ":write", ""}, "invoices:read", false},
		{"owner", []string{"*"}, "invoices:read", false},
		{"owner", []string{"invoices:read:write"}, "invoices:create", false},
	} {
		right, ok := ParseRight(c.right)
		if !ok {
			t.Fatalf("%s is no right", c.right)
		}
		if got := compiled.Decide(c.role, c.ceiling, false, right); got.Allowed != c.want {
			t.Errorf("%s under %q, %s: got %+v", c.role, c.ceiling, c.right, got)
		}
	}
}

func TestDecideRefusesWhatIsNoRight(t *testing.T) {
	t.Parallel()
	for _, r := range []Right{{}, {Invoices, ""}, {"", Read}, {"*", "*"}, {"*", Read}, {Reports, Delete}, {"Invoices", Read}} {
		if compiled.Decide("owner", nil, false, r).Allowed {
			t.Errorf("%q is allowed", r)
		}
	}
}

func TestCheckScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role    string
		ceiling []string
		scope   string
		want    error
	}{
		{"owner", nil, "*:write", nil},
		{"owner", nil, "members:write", nil},
		{"sales", nil, "invoices:write", nil},
		{"sales", nil, "*:write", nil},
		{"sales", nil, "journal:read", ErrScopeExceeds},
		{"sales", nil, "payments:write", ErrScopeExceeds},
		{"viewer", nil, "invoices:write", ErrScopeExceeds},
		{"viewer", nil, "*:write", ErrScopeExceeds},
		{"viewer", nil, "*:read", nil},
		{"nobody", nil, "*:read", ErrScopeExceeds},
		{"owner", []string{"tokens:write"}, "tokens:write", nil},
		{"owner", []string{"tokens:write"}, "tokens:read", nil},
		{"owner", []string{"tokens:write"}, "invoices:read", ErrScopeExceeds},
		{"owner", []string{"tokens:write"}, "*:read", ErrScopeExceeds},
		{"owner", []string{"*:read"}, "*:write", ErrScopeExceeds},
		{"owner", []string{"*:write"}, "*:read", nil},
		{"owner", []string{}, "*:read", ErrScopeExceeds},
		{"owner", nil, "", ErrScopeUnknown},
		{"owner", nil, "invoices", ErrScopeUnknown},
		{"owner", nil, "invoices:approve", ErrScopeUnknown},
		{"owner", nil, "secrets:read", ErrScopeUnknown},
		{"owner", nil, "*", ErrScopeUnknown},
		{"owner", nil, "invoices:read ", ErrScopeUnknown},
		{"owner", nil, "reports:write", nil},
	} {
		if err := compiled.CheckScope(Holder{Role: c.role, Ceiling: c.ceiling}, c.scope); !errors.Is(err, c.want) {
			t.Errorf("%s under %q, %q: got %v, want %v", c.role, c.ceiling, c.scope, err, c.want)
		}
	}
	for _, scope := range Scopes() {
		if err := compiled.CheckScope(Holder{Role: "owner"}, scope); err != nil {
			t.Errorf("%s is offered, and refused: %v", scope, err)
		}
	}
}

func TestCompileRefusesARuleAboutNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a role that there is not":     "p, ownr, *, *, *, allow",
		"a module that there is not":   "p, owner, invoices bill, read, *, allow",
		"an action that there is not":  "p, owner, invoices, reed, *, allow",
		"a flag that there is not":     "p, owner, invoices, read, maybe, allow",
		"an effect that there is not":  "p, owner, invoices, read, *, alow",
		"any effect":                   "p, owner, invoices, read, *, *",
		"an empty field":               "p, owner, , read, *, allow",
		"a field too few":              "p, owner, invoices, read, allow",
		"another kind of rule":         "g, owner, invoices, read, *, allow",
		"the same rule a second time":  "p, owner, invoices, read, *, allow\np, owner, invoices, read, *, allow",
		"a star among words in a list": "p, owner, invoices *, read, *, allow",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := compile(text); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	seen, said := map[Right]bool{}, map[string]bool{}
	for _, g := range Rights() {
		if g.Name == "" || g.Rights[0].Right.Action != Read {
			t.Errorf("%s has no name or does not begin with reading", g.Module)
		}
		for _, grant := range g.Rights {
			if seen[grant.Right] || said[grant.Name] || letters[grant.Right.Action] == "" {
				t.Errorf("%s stands twice, shares its words, or has an unknown action", grant.Right)
			}
			seen[grant.Right], said[grant.Name] = true, true
			if parsed, ok := ParseRight(grant.Right.String()); !ok || parsed != grant.Right {
				t.Errorf("%s reads back as %s, %v", grant.Right, parsed, ok)
			}
			err := Forbidden(grant.Right)
			if !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), grant.Name) || fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s is refused with %v", grant.Right, err)
			}
		}
	}
}

func FuzzParseRight(f *testing.F) {
	for _, s := range []string{"invoices:read", "invoices:", ":", "", "*:*", "invoices:read:read", "INVOICES:read", "a\x00:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := ParseRight(s)
		if ok && (r.String() != s || r.Name() == "") {
			t.Errorf("%q reads as %q", s, r)
		}
		if !ok && compiled.Decide("owner", nil, false, r).Allowed {
			t.Errorf("%q is no right and is allowed", s)
		}
	})
}

// The boxes of the grid read back as they were written, in one way alone.
func FuzzParseTicks(f *testing.F) {
	for _, s := range []string{"", "*", "invoices:read", "invoices:read invoices:read", "members:read customers:create *", "invoices: :read", "x:read"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ticks, err := ParseTicks(strings.Fields(s))
		if err != nil {
			if !errors.Is(err, ErrTicks) || ticks.Full || len(ticks.Rights) != 0 {
				t.Errorf("%q: %+v, %v", s, ticks, err)
			}
			return
		}
		again, err := ParseTicks(ticks.Words())
		if err != nil || again.Text() != ticks.Text() || readTicks(ticks.Text()).Text() != ticks.Text() {
			t.Errorf("%q reads as %q and then %q, %v", s, ticks.Text(), again.Text(), err)
		}
	})
}

func TestDecideAllocatesNothing(t *testing.T) {
	ceiling := []string{"customers:read", "payments:read", "invoices:write"}
	right := Right{Invoices, Approve}
	if n := testing.AllocsPerRun(100, func() { compiled.Decide("bookkeeper", ceiling, false, right) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	ceiling := []string{"customers:read", "payments:read", "invoices:write"}
	right := Right{Invoices, Approve}
	b.ReportAllocs()
	for b.Loop() {
		if !compiled.Decide("bookkeeper", ceiling, false, right).Allowed {
			b.Fatal("refused")
		}
	}
}
