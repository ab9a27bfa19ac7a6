package web_test

import (
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/web/page"
)

// Whoever holds one right alone is shown the ways that take this right, and each of them is a page that takes it.
func TestTheNavigationLeadsWhereItsReaderMayGo(t *testing.T) {
	t.Parallel()
	rightOf, forAnyone := map[string]authz.Right{}, map[string]bool{}
	for _, r := range open(t).Routes() {
		if r.Method == "GET" {
			forAnyone[strings.Replace(r.Path, ":slug", "acme", 1)] = r.AnyRight
			rightOf[strings.Replace(r.Path, ":slug", "acme", 1)] = r.Right
		}
	}
	shown := 0
	for _, group := range authz.Rights() {
		for _, grant := range group.Rights {
			shell := page.Shell{Organization: page.Organization{Slug: "acme"}, May: func(right string) bool { return right == grant.Right.String() }}
			var ways []string
			for _, section := range shell.Sections() {
				for _, entry := range section.Entries {
					ways = append(ways, entry.URL)
				}
			}
			for _, tab := range shell.SettingsTabs().Tabs {
				ways = append(ways, tab.URL)
			}
			shown += len(ways)
			for _, way := range ways {
				if rightOf[way] != grant.Right && !forAnyone[way] {
					t.Errorf("who may only %s is led to %s, which takes %s", grant.Name, way, rightOf[way])
				}
			}
		}
	}
	if !forAnyone["/o/acme"] {
		t.Error("the overview is not for whoever may see anything")
	}
	if shown < 12 {
		t.Errorf("only %d ways are shown to anybody", shown)
	}
}
