package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web"
)

// whoMay reads testdata/rights.txt: the roles that hold each right.
func whoMay(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/rights.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if _, twice := all[words[0]]; twice {
			t.Fatalf("%s stands twice", words[0])
		}
		all[words[0]] = words[1:]
	}
	return all
}

// Every route by every role, through the router. An id that names nothing shows who is let past the door: they are told
// that there is no such thing, and everyone else that they may not.
func TestEveryRouteByEveryRole(t *testing.T) {
	t.Parallel()
	h := open(t)
	acme := h.estate(t)
	expected := whoMay(t)
	for _, role := range authz.ReadyMade() {
		who := acme.owner
		if role.Name != authz.Owner {
			b := h.memberWith(t, acme, role.Name)
			who = owner{browser: b, program: program{h, h.tokenFor(t, b, acme.slug, "*:read", "*:write")}, slug: acme.slug}
		}
		for _, r := range h.Routes() {
			if r.Public || !slices.Contains(r.Kinds, tenant.Member) && !slices.Contains(r.Kinds, tenant.Token) {
				continue
			}
			roles, ok := expected[r.Right.String()]
			if !ok && !r.AnyRight {
				t.Fatalf("%s %s takes %s: write into testdata/rights.txt who holds it", r.Method, r.Path, r.Right)
			}
			want := r.AnyRight || slices.Contains(roles, role.Name)
			if got := who.passes(t, r); got != want {
				t.Errorf("%s %s (%s) by %s: let past the door %v, want %v", r.Method, r.Path, r.Right, role.Name, got, want)
			}
		}
	}
}

// passes sends a request that changes nothing, and says whether the door was the reason that it was refused.
func (o owner) passes(t *testing.T, r web.Route) bool {
	t.Helper()
	path := strings.Replace(r.Path, ":slug", o.slug, 1)
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, ":") {
			path = strings.Replace(path, part, uuid.NewString(), 1)
		}
	}
	var a answer
	if strings.HasPrefix(path, "/v1/") {
		var body any
		if r.Method != "GET" && r.Method != "DELETE" {
			body = "{"
		}
		a = o.program.call(t, r.Method, path, body)
	} else {
		q := httptest.NewRequest(r.Method, path, strings.NewReader("idempotency_key=%20"))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a = o.browser.do(t, q)
	}
	if a.status >= 500 || a.status == http.StatusUnauthorized {
		t.Errorf("%s %s: %d %s", r.Method, path, a.status, a.body)
	}
	return a.status != http.StatusForbidden
}

// What changes something takes more than reading it, but for what only looks at a draft.
func TestWhatChangesSomethingTakesMoreThanReading(t *testing.T) {
	t.Parallel()
	for _, r := range open(t).Routes() {
		if r.Public || r.Method == "GET" || r.Right.Action != authz.Read {
			continue
		}
		if !strings.HasSuffix(r.Path, "/preview") {
			t.Errorf("%s %s takes %s", r.Method, r.Path, r.Right)
		}
	}
}

func TestTheDocumentationNamesTheRightOfEveryOperation(t *testing.T) {
	t.Parallel()
	h := open(t)
	var doc struct {
		Paths map[string]map[string]struct {
			Right string `json:"x-right"`
		}
	}
	h.browser().get(t, "/openapi.json").decode(t, &doc)
	told := 0
	for _, r := range h.Routes() {
		if !slices.Contains(r.Kinds, tenant.Token) {
			continue
		}
		path := described(r.Path)
		want := r.Right.String()
		if r.AnyRight {
			want = "any"
		}
		if got := doc.Paths[path][strings.ToLower(r.Method)].Right; got != want {
			t.Errorf("%s %s takes %s, and is documented with %q", r.Method, path, want, got)
		}
		told++
	}
	if told < 40 {
		t.Errorf("only %d operations", told)
	}
}
