package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

var errSealed = errors.New("this was not sealed here, or has been changed")

// sealer seals what belongs to people, who are in no organization and so have no key in the keyring: AES-256-GCM
// under a key derived from the service's own. The place is authenticated, so that a row copied to another person
// does not open there. Nonces are random: good for 2^32 seals under one key (NIST SP 800-38D section 8.3).
type sealer struct{ gcm cipher.AEAD }

// sealVersion begins what is sealed, so that another way of sealing can stand beside this one.
const sealVersion = 1

func newSealer(key []byte) (*sealer, error) {
	derived, err := derive(key, "second factors")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("making a sealer: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a sealer: %w", err)
	}
	return &sealer{gcm}, nil
}

// Seal gives version, nonce and ciphertext.
func (s *sealer) Seal(place string, plain []byte) ([]byte, error) {
	sealed := make([]byte, 1+s.gcm.NonceSize(), 1+s.gcm.NonceSize()+len(plain)+s.gcm.Overhead())
	sealed[0] = sealVersion
	if _, err := rand.Read(sealed[1:]); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return s.gcm.Seal(sealed, sealed[1:], plain, []byte(place)), nil
}

// Open fails with errSealed for what was sealed elsewhere, under another key, or was changed since.
func (s *sealer) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 1+s.gcm.NonceSize() || sealed[0] != sealVersion {
		return nil, errSealed
	}
	nonce, text := sealed[1:1+s.gcm.NonceSize()], sealed[1+s.gcm.NonceSize():]
	plain, err := s.gcm.Open(nil, nonce, text, []byte(place))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}
