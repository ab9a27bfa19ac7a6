package identity

import (
	"errors"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

func FuzzReadPHC(f *testing.F) {
	good := newHasher(1).decoy
	for _, s := range []string{good, "", good + " x", good + "\n", strings.Replace(good, "m=19456", "m=+19456", 1), strings.Replace(good, "m=", "m= ", 1),
		strings.Replace(good, "t=2", "t=02", 1), strings.Replace(good, "m=19456", "m=4294967295", 1), strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "v=19", "v=16", 1), good[:len(good)-20], "$argon2id$v=19$m=0,t=1,p=1$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := readPHC(s)
		if err != nil {
			if !errors.Is(err, errPHC) || p.salt != nil || p.key != nil || strings.Contains(err.Error(), s) && s != "" && len(s) > 20 {
				t.Errorf("%q: %v, %v", s, p, err)
			}
			return
		}
		if p.String() != s || p.memoryKiB > 1<<20 || p.time < 1 || p.time > 100 || p.threads < 1 || len(p.salt) < 8 || len(p.key) < 16 || len(p.key) > 64 {
			t.Errorf("%q was taken as %+v", s, p)
		}
	})
}

// What a stranger sends as a new passkey is refused in our own words, or not at all: there is no key that nobody made.
func FuzzReadNewPasskey(f *testing.F) {
	for _, s := range []string{"", "{}", "null", "[]", `{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`,
		`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"}}`, strings.Repeat("[", 2000)} {
		f.Add([]byte(s))
	}
	party, err := newRelyingParty("https://books.example")
	if err != nil {
		f.Fatal(err)
	}
	i, p := &Identity{passkeys: party}, tenant.Person{ID: id.New[tenant.Person](), Email: "mara@tidewater.example"}
	_, data, err := party.BeginRegistration(keyHolder{person: p})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		if made, err := i.readNewPasskey(p, *data, response); made != nil || !errors.Is(err, ErrPasskey) {
			t.Errorf("%q: %v, %v", response, made, err)
		}
	})
}
