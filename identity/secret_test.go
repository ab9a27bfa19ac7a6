package identity

import (
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
)

func TestHashToken(t *testing.T) {
	t.Parallel()
	secret, want, err := newSecret()
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := HashToken(secret); !ok || got != want {
		t.Errorf("%q: got %x, %v", secret, got, ok)
	}
	for _, bad := range []string{"", secret[1:], secret + "A", secret[:42] + "=", secret[:42] + "/", secret[:42] + "\n", " " + secret[1:],
		strings.Repeat("é", 21) + "a",
		secret[:42] + "_", // the last character carries four bits: only one in four can stand there
	} {
		if got, ok := HashToken(bad); ok {
			t.Errorf("%q: got %x", bad, got)
		}
	}
}

var apiTokenShape = regexp.MustCompile(`^ch_[0-9A-Za-z]{49}$`)

func TestAPIToken(t *testing.T) {
	t.Parallel()
	seen := map[tenant.Hash]bool{}
	for range 500 {
		secret, want, err := newAPISecret()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := ParseAPIToken(secret)
		if !ok || got != want || seen[got] || !apiTokenShape.MatchString(secret) {
			t.Fatalf("%q: got %x, %v", secret, got, ok)
		}
		seen[got] = true
		for at := range len(secret) {
			typo := []byte(secret)
			typo[at] = base62Digits[(strings.IndexByte(base62Digits, typo[at])+1)%62]
			if _, ok := ParseAPIToken(string(typo)); ok {
				t.Fatalf("%q was taken with a wrong character %d", secret, at)
			}
		}
		for _, bad := range []string{secret[1:], secret + "0", secret[:51], " " + secret, secret + "\n", strings.ToUpper(secret), ""} {
			if _, ok := ParseAPIToken(bad); ok {
				t.Fatalf("%q was taken", bad)
			}
		}
	}
}

// The form is public: scanners look for it, and tokens that are in use must stay good.
func TestAPITokenForm(t *testing.T) {
	t.Parallel()
	const known = "ch_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg" + "2ehzmS"
	if hash, ok := ParseAPIToken(known); !ok || hash != sha256.Sum256([]byte(known)) {
		t.Errorf("got %x, %v; the checksum would be %q", hash, ok, checksum(known[:46]))
	}
}

func FuzzHashToken(f *testing.F) {
	secret, _, err := newSecret()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{secret, "", strings.Repeat("A", 43), strings.Repeat("-", 43), strings.Repeat("_", 43), secret + "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		hash, ok := HashToken(s)
		if !ok {
			if hash != (tenant.Hash{}) {
				t.Errorf("%q is no token and has a digest", s)
			}
			return
		}
		// One text for each 32 bytes: no second spelling of a token opens the same door.
		if b, err := secretEncoding.DecodeString(s); err != nil || secretEncoding.EncodeToString(b) != s {
			t.Errorf("%q is taken and would be written otherwise", s)
		}
	})
}

func FuzzParseAPIToken(f *testing.F) {
	secret, _, err := newAPISecret()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{secret, secret[:51], "ch_", "", "CH_" + secret[3:], "ch_" + strings.Repeat("0", 49), strings.Repeat("\xff", 52)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		hash, ok := ParseAPIToken(s)
		if ok && (!apiTokenShape.MatchString(s) || hash != sha256.Sum256([]byte(s))) {
			t.Errorf("%q was taken", s)
		}
		if !ok && hash != (tenant.Hash{}) {
			t.Errorf("%q is no token and has a digest", s)
		}
	})
}
