// Package secrets seals what must not be read from a database (gateway credentials, bank accounts, card
// numbers, second factors) and opens it again.
//
// Each organization has a key of its own, so that deleting that key makes its secrets unreadable wherever a
// copy of the database lies. Each ciphertext is bound to its place (organization, table, column, row), so
// that whoever can write to the database still cannot have one secret opened as another.
package secrets

import (
	"context"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// MaxLength is the most bytes that one secret may have.
const MaxLength = 32 << 10

// The faults of every keyring.
var (
	ErrKeyMissing = fault.New(fault.Conflict, "secrets.key_missing",
		"This organization has no key yet, so nothing can be sealed for it. Tell whoever runs this service.")
	ErrKeyGone = fault.New(fault.Conflict, "secrets.key_gone",
		"The key of this organization was deleted. What it sealed cannot be read again, and nothing more can be sealed.")
	ErrUnreadable = fault.New(fault.Conflict, "secrets.unreadable",
		"The stored secret was altered, or belongs elsewhere, and cannot be read. Enter it again.")
	ErrRetired = fault.New(fault.Conflict, "secrets.retired",
		"The stored secret was sealed by a key that is no longer in use. Enter it again.")
	ErrUnavailable = fault.New(fault.Unavailable, "secrets.unavailable",
		"The keys cannot be reached just now. Try again shortly; if it lasts, tell whoever runs this service.")
	ErrPlace = fault.New(fault.Invalid, "secrets.place",
		"A secret needs its place: an organization's id in lower case, a table, a column and a row.")
	ErrLength = fault.New(fault.Invalid, "secrets.length",
		"A secret has between 1 and 32,768 bytes.")
	ErrVersion = fault.New(fault.Invalid, "secrets.version",
		"This organization's key has no such version.")
)

// Keyring keeps one key for each organization, in numbered versions, and uses it. It is safe for use by
// many goroutines, and several keyrings may use one store at once.
//
// Every method answers ErrPlace to an organization that is not a UUID in lower case (RFC 9562), ErrKeyGone
// once the key was deleted, ErrKeyMissing where it was never made, ErrUnavailable (with its cause for the
// log) when the keys cannot be reached, and the context's error when that has ended. No error holds
// plaintext.
type Keyring interface {
	// CreateKey makes the organization's key, at version 1; it changes nothing if there is one already. A
	// deleted key is not made again.
	CreateKey(ctx context.Context, organization string) error

	// Seal encrypts plaintext for one place, with the newest version of the key, into text of the form
	// "kind:v1:base64". The same plaintext never gives the same text twice. It answers ErrLength to a
	// plaintext that is empty or longer than MaxLength.
	Seal(ctx context.Context, at Place, plaintext []byte) (string, error)

	// Open gives back what Seal was given for this place. It answers ErrUnreadable to text that was altered,
	// was sealed for another place, or is no sealed text of this keyring, and ErrRetired to text of a
	// version below the minimum.
	Open(ctx context.Context, at Place, sealed string) ([]byte, error)

	// Rewrap gives text that opens to the same plaintext and is sealed by the newest version of the key.
	// Its errors are Open's.
	Rewrap(ctx context.Context, at Place, sealed string) (string, error)

	// SealAll, OpenAll and RewrapAll do the same for many, of any organizations, in as few calls to the
	// store as it allows. They give one result for each item, in the order of the items: one that fails
	// does not keep the others from succeeding.
	SealAll(ctx context.Context, items []Plain) []Result[string]
	OpenAll(ctx context.Context, items []Sealed) []Result[Secret]
	RewrapAll(ctx context.Context, items []Sealed) []Result[string]

	// RotateKey adds a version to the organization's key and returns its number. What older versions
	// sealed still opens.
	RotateKey(ctx context.Context, organization string) (version int, err error)

	// RaiseMinimumVersion makes what versions below this one sealed answer ErrRetired; it never lowers the
	// minimum. It answers ErrVersion to a version that there is not. Call it when all was rewrapped and every
	// transaction that began before the rotation has ended: one of those may still store older text.
	RaiseMinimumVersion(ctx context.Context, organization string, version int) error

	// DeleteKey destroys every version of the organization's key, for good, and remembers that it did. It
	// does the same, without error, where the key is gone already or was never made.
	DeleteKey(ctx context.Context, organization string) error
}

// Plain is a secret to seal and its place.
type Plain struct {
	Place     Place
	Plaintext Secret
}

// Sealed is a sealed text and its place.
type Sealed struct {
	Place Place
	Text  string
}

// Result is what became of one item of a batch: its value, or why there is none.
type Result[T any] struct {
	Value T
	Err   error
}
