package tenant

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

func FuzzHashDoor(f *testing.F) {
	known := base64.RawURLEncoding.EncodeToString(make([]byte, doorSecretLength))
	for _, s := range []string{known, "", known + "\n", known[:20] + "\r\n" + known[20:], known + "=", strings.Repeat("B", 43), strings.Repeat("/", 43), "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		hash, ok := HashDoor(s)
		if !ok {
			if hash != (Hash{}) {
				t.Errorf("%q is no secret and has a digest", s)
			}
			return
		}
		// One text for each 32 bytes: no second spelling of an address opens the same door.
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || base64.RawURLEncoding.EncodeToString(raw) != s || hash != sha256.Sum256(raw) {
			t.Errorf("%q is taken and would be written otherwise", s)
		}
	})
}
