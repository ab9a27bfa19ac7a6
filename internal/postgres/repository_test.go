package postgres

import (
	"net/url"
	"testing"
)

// A library that renames its field would leave the fallback without an address.
func TestUsualRepository(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(usualRepository())
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Path == "" {
		t.Fatalf("%q: %v", usualRepository(), err)
	}
}
