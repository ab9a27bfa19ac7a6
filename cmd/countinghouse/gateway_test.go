package main

import (
	"strings"
	"testing"
)

func TestAcceptPCIScopeTakesAName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "Ada Byron": "Ada Byron", "  Ada Byron ": "Ada Byron"} {
		if got, err := (cardFlags{in}).accepted(); err != nil || got != want {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{" ", "true", "YES", "1", "Ada\nByron", strings.Repeat("a", 101)} {
		if got, err := (cardFlags{in}).accepted(); err == nil {
			t.Errorf("%q is taken as %q", in, got)
		}
	}
}
