package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/countinghouse/countinghouse/secrets/custody"
)

func TestSealer(t *testing.T) {
	t.Parallel()
	open := func(key byte) *custody.ServiceKeys {
		s, err := newSealer(nil, bytes.Repeat([]byte{key}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, again, other := open(1), open(1), open(2)
	plain := []byte("JBSWY3DPEHPK3PXP")
	sealed, err := one.Seal("totp/a", plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("totp/a", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened as %q, %v", got, err)
	}
	if bytes.Contains(sealed, plain) {
		t.Error("it is there to be read")
	}
	if second, err := one.Seal("totp/a", plain); err != nil || bytes.Equal(second, sealed) {
		t.Errorf("the same twice looks the same (%v)", err)
	}
	refuse := func(what string, s *custody.ServiceKeys, place string, sealed []byte) {
		if got, err := s.Open(place, sealed); !errors.Is(err, custody.ErrServiceSealed) || got != nil {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	refuse("another's place", one, "totp/b", sealed)
	refuse("another key", other, "totp/a", sealed)
	for at := range sealed {
		changed := bytes.Clone(sealed)
		changed[at] ^= 1
		refuse("a changed bit", one, "totp/a", changed)
		refuse("a part", one, "totp/a", sealed[:at])
	}
}
