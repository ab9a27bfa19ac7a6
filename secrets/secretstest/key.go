package secretstest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/countinghouse/countinghouse/secrets"
)

func saysMissing(s *suite) {
	stranger := NewOrganization()
	sealed := s.seal(at(s.organization()), "secret")
	for _, use := range uses(sealed) {
		if err := use.do(s.Context(), s.one, at(stranger)); !errors.Is(err, secrets.ErrKeyMissing) {
			s.Errorf("%s: %v, want ErrKeyMissing", use.name, err)
		}
	}
	// What was asked above must not have made a key on the way.
	if err := s.two.CreateKey(s.Context(), stranger); err != nil {
		s.Fatalf("CreateKey: %v", err)
	}
	if v := s.version(s.seal(at(stranger), "secret")); v != 1 {
		s.Errorf("the first key has version %d", v)
	}
}

func saysGone(s *suite) {
	mine, other := s.organization(), s.organization()
	sealed, kept := s.seal(at(mine), "secret"), s.seal(at(other), "secret")
	s.opens(at(mine), sealed, "secret") // so that whatever remembers keys remembers this one
	for range 2 {                       // again is no error
		if err := s.one.DeleteKey(s.Context(), mine); err != nil {
			s.Fatalf("DeleteKey: %v", err)
		}
		for _, keyring := range []secrets.Keyring{s.one, s.two} {
			for _, use := range append(uses(sealed), createKey) {
				if err := use.do(s.Context(), keyring, at(mine)); !errors.Is(err, secrets.ErrKeyGone) {
					s.Errorf("%s: %v, want ErrKeyGone", use.name, err)
				}
			}
		}
	}
	s.opens(at(other), kept, "secret")

	// An organization that is shredded before it had a key never gets one.
	never := NewOrganization()
	if err := s.one.DeleteKey(s.Context(), never); err != nil {
		s.Fatalf("DeleteKey of a key that was never made: %v", err)
	}
	if err := s.two.CreateKey(s.Context(), never); !errors.Is(err, secrets.ErrKeyGone) {
		s.Errorf("CreateKey after that: %v, want ErrKeyGone", err)
	}
}

func keepsKey(s *suite) {
	organization := s.organization()
	sealed := s.seal(at(organization), "secret")
	if _, err := s.one.RotateKey(s.Context(), organization); err != nil {
		s.Fatalf("RotateKey: %v", err)
	}
	for _, keyring := range []secrets.Keyring{s.one, s.two} {
		if err := keyring.CreateKey(s.Context(), organization); err != nil {
			s.Fatalf("CreateKey: %v", err)
		}
	}
	s.opens(at(organization), sealed, "secret")
	if v := s.version(s.seal(at(organization), "secret")); v != 2 {
		s.Errorf("sealed by version %d, want 2", v)
	}
}

func createsOnce(s *suite) {
	p := at(NewOrganization())
	sealed := make([]string, 8)
	var all sync.WaitGroup
	for i := range sealed {
		keyring := []secrets.Keyring{s.one, s.two}[i%2]
		all.Go(func() {
			if err := keyring.CreateKey(s.Context(), p.Organization); err != nil {
				s.Errorf("CreateKey: %v", err)
				return
			}
			text, err := keyring.Seal(s.Context(), p, []byte("secret"))
			if err != nil {
				s.Errorf("Seal: %v", err)
			}
			sealed[i] = text
		})
	}
	all.Wait()
	for _, text := range sealed {
		s.opens(p, text, "secret")
	}
}

func rotates(s *suite) {
	p := at(s.organization())
	old := s.seal(p, "secret")
	version, err := s.one.RotateKey(s.Context(), p.Organization)
	if err != nil || version != 2 {
		s.Fatalf("RotateKey: %d, %v, want version 2", version, err)
	}
	s.opens(p, old, "secret")
	fresh := s.seal(p, "secret")
	rewrapped, err := s.two.Rewrap(s.Context(), p, old)
	if err != nil {
		s.Fatalf("Rewrap: %v", err)
	}
	again, err := s.two.Rewrap(s.Context(), p, rewrapped)
	if err != nil {
		s.Fatalf("Rewrap of what is new already: %v", err)
	}
	for _, text := range []string{fresh, rewrapped, again} {
		if s.version(text) != 2 {
			s.Errorf("sealed by version %d, want 2", s.version(text))
		}
		s.opens(p, text, "secret")
	}
	s.opens(p, old, "secret")
}

func rotatesConcurrently(s *suite) {
	organization := s.organization()
	const times = 8
	versions := make([]int, times)
	var all sync.WaitGroup
	for i := range times {
		keyring := []secrets.Keyring{s.one, s.two}[i%2]
		all.Go(func() {
			version, err := keyring.RotateKey(s.Context(), organization)
			if err != nil {
				s.Errorf("RotateKey: %v", err)
			}
			versions[i] = version
		})
	}
	all.Wait()
	highest := 0
	for _, version := range versions {
		highest = max(highest, version)
	}
	if v := s.version(s.seal(at(organization), "secret")); v != times+1 || highest != v {
		s.Errorf("after %d rotations the newest version is %d, and %d was the highest told", times, v, highest)
	}
}

func retires(s *suite) {
	p := at(s.organization())
	first := s.seal(p, "secret")
	for range 2 {
		if _, err := s.one.RotateKey(s.Context(), p.Organization); err != nil {
			s.Fatalf("RotateKey: %v", err)
		}
	}
	third := s.seal(p, "secret")
	for _, version := range []int{-1, 0, 4, 1 << 40} {
		if err := s.one.RaiseMinimumVersion(s.Context(), p.Organization, version); !errors.Is(err, secrets.ErrVersion) {
			s.Errorf("RaiseMinimumVersion to %d: %v, want ErrVersion", version, err)
		}
	}
	s.opens(p, first, "secret")
	for _, version := range []int{3, 3, 1} { // again, and lower, change nothing
		if err := s.one.RaiseMinimumVersion(s.Context(), p.Organization, version); err != nil {
			s.Fatalf("RaiseMinimumVersion to %d: %v", version, err)
		}
		for _, use := range uses(first)[1:6] {
			if use.name == "SealAll" {
				continue
			}
			if err := use.do(s.Context(), s.two, p); !errors.Is(err, secrets.ErrRetired) {
				s.Errorf("%s of version 1: %v, want ErrRetired", use.name, err)
			}
		}
		s.opens(p, third, "secret")
	}
}

// readableThroughout rotates, rewraps and retires while others read what is stored, as a rotation job and the
// service's requests do.
func readableThroughout(s *suite) {
	organization := s.organization()
	const rows = 20
	places := make([]secrets.Place, rows)
	stored := make([]atomic.Pointer[string], rows)
	for i := range rows {
		places[i] = at(organization)
		places[i].Row = fmt.Sprint(i)
		text := s.seal(places[i], fmt.Sprint("secret ", i))
		stored[i].Store(&text)
	}
	var done atomic.Bool
	var readers sync.WaitGroup
	var reads atomic.Int64
	for _, keyring := range []secrets.Keyring{s.one, s.two} {
		readers.Go(func() {
			for i := 0; !done.Load(); i = (i + 1) % rows {
				s.readStored(keyring, places[i], &stored[i], fmt.Sprint("secret ", i))
				reads.Add(1)
			}
		})
	}
	version := 1
	for round := 0; round < 5 || reads.Load() < rows && !s.Failed(); round++ {
		version = s.rotateStored(places, stored)
	}
	done.Store(true)
	readers.Wait()
	for i := range rows {
		if s.version(*stored[i].Load()) != version {
			s.Errorf("row %d was left behind", i)
		}
		s.opens(places[i], *stored[i].Load(), fmt.Sprint("secret ", i))
	}
}

// readStored reads a row and opens it. A text that was replaced between the two may be retired by then, as a
// transaction that reads an old snapshot would find; it is then read anew.
func (s *suite) readStored(keyring secrets.Keyring, p secrets.Place, row *atomic.Pointer[string], want string) {
	for {
		text := row.Load()
		got, err := keyring.Open(s.Context(), p, *text)
		if errors.Is(err, secrets.ErrRetired) && row.Load() != text {
			continue
		}
		if err != nil || string(got) != want {
			s.Errorf("while rotating: %q, %v, want %q", got, err, want)
		}
		return
	}
}

// rotateStored does what a rotation job does, and returns the new version.
func (s *suite) rotateStored(places []secrets.Place, stored []atomic.Pointer[string]) int {
	version, err := s.one.RotateKey(s.Context(), places[0].Organization)
	if err != nil {
		s.Errorf("RotateKey: %v", err)
	}
	items := make([]secrets.Sealed, len(places))
	for i := range places {
		items[i] = secrets.Sealed{Place: places[i], Text: *stored[i].Load()}
	}
	for i, result := range s.two.RewrapAll(s.Context(), items) {
		if result.Err != nil {
			s.Errorf("RewrapAll, item %d: %v", i, result.Err)
			continue
		}
		stored[i].Store(&result.Value)
	}
	if err := s.one.RaiseMinimumVersion(s.Context(), places[0].Organization, version); err != nil {
		s.Errorf("RaiseMinimumVersion: %v", err)
	}
	return version
}
