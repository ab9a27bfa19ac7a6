package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What is lost or doubled is found, and what was never answered may be there or not.
func TestWeigh(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "record")
	r, err := openRecord(name)
	if err != nil {
		t.Fatal(err)
	}
	for tag, acknowledged := range map[string]bool{"fine": true, "lost": true, "twice": true, "unknown": false, "done": false, "done twice": false} {
		n := note{Kind: posting, Organization: "a", Tag: tag}
		if err := r.add(n); err != nil {
			t.Fatal(err)
		}
		if n.Acknowledged = acknowledged; acknowledged {
			if err := r.add(n); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	tried, err := readRecord(name)
	if err != nil {
		t.Fatal(err)
	}
	of := func(tag string) write { return write{posting, "a", tag} }
	v := weigh(tried, map[write]int{of("fine"): 1, of("twice"): 2, of("done"): 1, of("done twice"): 2, {posting, "b", "lost"}: 1})
	if v.acknowledged[posting] != 3 || v.unknown != 3 || v.there != 1 || len(v.lost) != 1 || len(v.doubled) != 2 || !strings.Contains(v.lost[0], "lost") {
		t.Errorf("%+v", v)
	}
	if v.wrong() == nil {
		t.Error("and all of that is well")
	}
	if (verdict{acknowledged: map[kind]int{posting: 1, payment: 1, account: 1}}).wrong() == nil {
		t.Error("a run without a sign-up proves nothing of them, and is well")
	}
	if err := (verdict{acknowledged: map[kind]int{posting: 1, payment: 1, account: 1, signUp: 1}}).wrong(); err != nil {
		t.Error(err)
	}
}
