package custody

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// ErrCertificate says that a certificate is not what was signed.
var ErrCertificate = fault.New(fault.Invalid, "certificate.invalid",
	"This certificate was changed, or was signed by another installation. Ask for the original.")

// Certificate says of an organization that is no more what is gone, and what copies may still be read.
type Certificate struct {
	Title        string    `json:"title"`
	Organization string    `json:"organization"` // its id
	Address      string    `json:"address"`      // the acme of /o/acme
	AskedAt      time.Time `json:"asked_at"`
	KeyGoneAt    time.Time `json:"key_gone_at"`
	BooksGoneAt  time.Time `json:"books_gone_at"`
	Gone         []string  `json:"gone"`
	Remains      []Remains `json:"remains"`
}

// Remains is a copy that is not gone.
type Remains struct {
	What  string    `json:"what"`
	Where string    `json:"where"`
	Until time.Time `json:"until"` // as the operator has set it; zero: for good
}

// envelope is a signed certificate as it is written.
type envelope struct {
	Certificate json.RawMessage `json:"certificate"`
	Algorithm   string          `json:"algorithm"`
	PublicKey   []byte          `json:"public_key"`
	Signature   []byte          `json:"signature"`
}

const algorithm = "Ed25519"

// signed is what the signature covers: the certificate as it is written, without space between its parts.
func signed(certificate json.RawMessage) ([]byte, error) {
	message := bytes.NewBufferString("countinghouse certificate v1\n")
	if err := json.Compact(message, certificate); err != nil {
		return nil, ErrCertificate
	}
	return message.Bytes(), nil
}

// Sign writes a certificate with its signature (Ed25519, RFC 8032).
func Sign(c Certificate, key ed25519.PrivateKey) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing a certificate: %w", err)
	}
	message, err := signed(text)
	if err != nil {
		return nil, err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	whole, err := json.MarshalIndent(envelope{text, algorithm, public, ed25519.Sign(key, message)}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing a certificate: %w", err)
	}
	return append(whole, '\n'), nil
}

// Verify reads what Sign wrote with the key of which this is the public part. It answers ErrCertificate.
func Verify(text []byte, public ed25519.PublicKey) (c Certificate, err error) {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil || e.Algorithm != algorithm {
		return c, ErrCertificate
	}
	message, err := signed(e.Certificate)
	if err != nil {
		return c, err
	}
	if !bytes.Equal(e.PublicKey, public) || !ed25519.Verify(public, message, e.Signature) {
		return c, ErrCertificate
	}
	if err := json.Unmarshal(e.Certificate, &c); err != nil {
		return c, ErrCertificate
	}
	return c, nil
}
