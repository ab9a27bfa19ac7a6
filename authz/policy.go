package authz

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/countinghouse/countinghouse/tenant"
)

//go:embed model.conf
var modelText string

//go:embed policy.csv
var policyText string

// Role is one of the ready-made roles.
type Role struct {
	Name  string // as it is stored: "bookkeeper"
	Title string // "Bookkeeper"
	Say   string // what it is for, in a sentence
}

// Owner is the role of who founds an organization and Administrator of who hands it over, operator that of the
// command line. ownRole is what Casbin knows the roles by that organizations make themselves: each is asked about
// together with its own rules. supportRole is that of someone who was let in by a grant.
const (
	Owner         = "owner"
	Administrator = "administrator"
	operator      = "operator"
	ownRole       = "own"
	supportRole   = "support"
)

var readyMade = []Role{
	{Owner, "Owner", "Everything, and alone decides whether support is let in."},
	{Administrator, "Administrator", "Everything but letting support in."},
	{"accountant", "Accountant", "The books in full: sales, purchases, journal, periods, reports and exports."},
	{"bookkeeper", "Bookkeeper", "Day-to-day work in the books; no closing, no reversals, no approval of bills."},
	{"sales", "Sales", "Customers, products, orders and invoices; sees what was paid."},
	{"viewer", "Viewer", "Sees the books and changes nothing."},
	{"auditor", "Auditor", "Sees everything, secrets masked, and may take the books and the record away to check them."},
}

// ReadyMade lists the roles that every organization has, the one with the most rights first.
func ReadyMade() []Role { return slices.Clone(readyMade) }

// Policy holds every verdict of the ready-made roles, which never change, and of those roles of the organizations'
// own that were asked about lately. It is safe for concurrent use.
type Policy struct {
	roles map[string]map[Right]ruling
	rules [][]string // of policy.csv
	own   *lru.Cache[ownKey, *ownVerdicts]
	judge *tenant.Judge // as whom it keeps verdicts in scopes
}

// ruling is what Casbin said of one role and right.
type ruling struct{ usual, support Verdict }

// Compile asks Casbin once for every role and right. It fails when model or policy cannot be read or name
// something that does not exist.
func Compile() (*Policy, error) { return compile(policyText) }

func compile(text string) (*Policy, error) {
	rules, err := readRules(text, knownWords())
	if err != nil {
		return nil, err
	}
	enforcer, err := newEnforcer(rules)
	if err != nil {
		return nil, err
	}
	p := &Policy{roles: map[string]map[Right]ruling{}, rules: rules, judge: &tenant.Judge{}}
	if p.own, err = lru.New[ownKey, *ownVerdicts](ownVerdictsKept); err != nil {
		return nil, fmt.Errorf("making room for verdicts: %w", err)
	}
	for _, role := range roleNames() {
		verdicts := make(map[Right]ruling, len(names))
		for right := range names {
			var r ruling
			if r.usual, err = decide(enforcer, role, right, "no"); err != nil {
				return nil, err
			}
			if r.support, err = decide(enforcer, role, right, "yes"); err != nil {
				return nil, err
			}
			verdicts[right] = r
		}
		p.roles[role] = verdicts
	}
	return p, nil
}

func roleNames() []string {
	all := []string{operator, ownRole, supportRole}
	for _, r := range readyMade {
		all = append(all, r.Name)
	}
	return all
}

// readRules reads a policy and refuses a rule about nothing; known lists the words that each column may hold.
func readRules(text string, known [][]string) ([][]string, error) {
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comment, reader.TrimLeadingSpace, reader.FieldsPerRecord = '#', true, 6
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the policy of rights: %w", err)
	}
	for i, row := range rows {
		if err := checkRule(row, known); err != nil {
			return nil, fmt.Errorf("rule %q: %w", strings.Join(row, ", "), err)
		}
		rows[i] = row[1:]
	}
	return rows, nil
}

func newEnforcer(rules [][]string) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return nil, fmt.Errorf("reading the model of rights: %w", err)
	}
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("making the enforcer of rights: %w", err)
	}
	enforcer.AddFunction("listed", func(args ...any) (any, error) {
		word, _ := args[0].(string)
		list, _ := args[1].(string)
		return listed(word, list), nil
	})
	for _, rule := range rules {
		if added, err := enforcer.AddPolicy(rule); err != nil {
			return nil, fmt.Errorf("rule %q: %w", strings.Join(rule, ", "), err)
		} else if !added {
			return nil, fmt.Errorf("rule %q stands twice", strings.Join(rule, ", "))
		}
	}
	return enforcer, nil
}

func knownWords() [][]string {
	var modules, actions []string
	for right := range names {
		modules, actions = append(modules, string(right.Module)), append(actions, string(right.Action))
	}
	return [][]string{{"p"}, roleNames(), modules, actions, {"yes", "no"}, {"allow", "deny"}}
}

// checkRule refuses a misspelt word, which would otherwise be a rule about nothing.
func checkRule(row []string, known [][]string) error {
	for i, field := range row {
		wildcard := i > 0 && i < 5 && field == "*"
		for word := range strings.FieldsSeq(field) {
			if !wildcard && !slices.Contains(known[i], word) {
				return fmt.Errorf("%q is unknown", word)
			}
		}
		if strings.TrimSpace(field) == "" {
			return errors.New("a field is empty")
		}
	}
	return nil
}

func listed(word, list string) bool {
	if list == "*" {
		return true
	}
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

func decide(enforcer *casbin.Enforcer, role string, right Right, support string) (Verdict, error) {
	allowed, rule, err := enforcer.EnforceEx(role, string(right.Module), string(right.Action), support)
	if err != nil {
		return Verdict{}, fmt.Errorf("deciding %s for %s: %w", right, role, err)
	}
	v := Verdict{Allowed: allowed}
	switch {
	case len(rule) == 0:
		v.Reason = fmt.Sprintf("no rule lets %s %s", role, right.Name())
	case allowed:
		v.Reason = fmt.Sprintf("%s may %s, by the rule %q", role, right.Name(), strings.Join(rule, ", "))
	default:
		v.Reason = fmt.Sprintf("%s may not %s, by the rule %q", role, right.Name(), strings.Join(rule, ", "))
	}
	return v, nil
}
