// Package secretstest says in tests what every keyring promises, so that the service behaves the same
// whichever keeps its keys.
package secretstest

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/countinghouse/countinghouse/secrets"
)

// Run checks a keyring. Each call of open gives a keyring of its own on one and the same store, as two
// processes have it; the tests run in parallel and make organizations of their own.
func Run(t *testing.T, open func(t *testing.T) secrets.Keyring) {
	for name, check := range map[string]func(*suite){
		"opens what it sealed":                   opensWhatItSealed,
		"seals the same plaintext differently":   sealsDifferently,
		"refuses a secret of the wrong length":   refusesLength,
		"refuses a sealed text moved elsewhere":  refusesMoved,
		"refuses a separator moved elsewhere":    refusesShifted,
		"refuses an altered text":                refusesAltered,
		"refuses a place that is none":           refusesPlace,
		"says that a key was never made":         saysMissing,
		"says that a key is gone":                saysGone,
		"keeps a key that is created again":      keepsKey,
		"creates one key when many create it":    createsOnce,
		"rotates and rewraps":                    rotates,
		"rotates once for each call":             rotatesConcurrently,
		"retires versions below the minimum":     retires,
		"answers a batch item by item":           answersBatch,
		"is readable at all times of a rotation": readableThroughout,
		"ends with the context":                  endsWithContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(&suite{T: t, one: open(t), two: open(t)})
		})
	}
}

// suite is one test with two keyrings on the same store.
type suite struct {
	*testing.T
	one, two secrets.Keyring
}

// organization makes up an organization, with a key.
func (s *suite) organization() string {
	s.Helper()
	name := NewOrganization()
	if err := s.one.CreateKey(s.Context(), name); err != nil {
		s.Fatalf("CreateKey: %v", err)
	}
	return name
}

// NewOrganization makes up the id of an organization that no keyring knows.
func NewOrganization() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func at(organization string) secrets.Place {
	return secrets.Place{Organization: organization, Table: "bank_account", Column: "iban", Row: "0190b0d1-7e0c-7cc0-8000-000000000001"}
}

func (s *suite) seal(p secrets.Place, plaintext string) string {
	s.Helper()
	sealed, err := s.one.Seal(s.Context(), p, []byte(plaintext))
	if err != nil {
		s.Fatalf("Seal: %v", err)
	}
	return sealed
}

// opens fails unless both keyrings open the text to that plaintext.
func (s *suite) opens(p secrets.Place, sealed, plaintext string) {
	s.Helper()
	for name, keyring := range map[string]secrets.Keyring{"the first": s.one, "the second": s.two} {
		got, err := keyring.Open(s.Context(), p, sealed)
		if err != nil {
			s.Errorf("%s keyring: Open: %v", name, err)
		} else if string(got) != plaintext {
			s.Errorf("%s keyring opens to %q, want %q", name, got, plaintext)
		}
	}
}

// version is the version that a sealed text names.
func (s *suite) version(sealed string) int {
	s.Helper()
	version, ok := secrets.Version(sealed)
	if !ok {
		s.Fatalf("%q has not the form of a sealed text", sealed)
	}
	return version
}

// call is one method that needs a place, or an organization.
type call struct {
	name string
	do   func(context.Context, secrets.Keyring, secrets.Place) error
}

// uses are the methods that use a key; sealed is what those that open are given.
func uses(sealed string) []call {
	return []call{
		{"Seal", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			_, err := k.Seal(ctx, p, []byte("secret"))
			return err
		}},
		{"Open", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			_, err := k.Open(ctx, p, sealed)
			return err
		}},
		{"Rewrap", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			_, err := k.Rewrap(ctx, p, sealed)
			return err
		}},
		{"SealAll", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			return k.SealAll(ctx, []secrets.Plain{{Place: p, Plaintext: []byte("secret")}})[0].Err
		}},
		{"OpenAll", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			return k.OpenAll(ctx, []secrets.Sealed{{Place: p, Text: sealed}})[0].Err
		}},
		{"RewrapAll", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			return k.RewrapAll(ctx, []secrets.Sealed{{Place: p, Text: sealed}})[0].Err
		}},
		{"RotateKey", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			_, err := k.RotateKey(ctx, p.Organization)
			return err
		}},
		{"RaiseMinimumVersion", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
			return k.RaiseMinimumVersion(ctx, p.Organization, 1)
		}},
	}
}

var (
	createKey = call{"CreateKey", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
		return k.CreateKey(ctx, p.Organization)
	}}
	deleteKey = call{"DeleteKey", func(ctx context.Context, k secrets.Keyring, p secrets.Place) error {
		return k.DeleteKey(ctx, p.Organization)
	}}
)
