package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	keyLength = 32 // AES-256
)

// key is an organization's key: every version that it ever had, and the oldest that still opens. Retired
// versions stay, as in Vault's archive: a database restored from an old backup may need one.
type key struct {
	minimum int
	secrets [][]byte // version n is at n-1
}

func newKey() *key {
	k := &key{minimum: 1}
	k.add()
	return k
}

// add makes the next version.
func (k *key) add() {
	secret := make([]byte, keyLength)
	_, _ = rand.Read(secret) // it never fails: it ends the process instead
	k.secrets = append(k.secrets, secret)
}

func (k *key) newest() int { return len(k.secrets) }

// erase overwrites the key in memory.
func (k *key) erase() {
	for _, secret := range k.secrets {
		clear(secret)
	}
}

// at is the cipher for one place. As with Vault's derived keys, each place has a key of its own (HKDF,
// RFC 5869), which also keeps random nonces far from their bound of 2^32 for a key (NIST SP 800-38D, 8.3).
func (k *key) at(p Place, version int) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, k.secrets[version-1], nil, string(p.context()), keyLength)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	defer clear(derived)
	return newCipher(derived)
}

// newCipher is AES-256-GCM that puts a random nonce in front of each ciphertext.
func newCipher(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return aead, nil
}

// seal encrypts for one place with the newest version.
func (k *key) seal(p Place, plaintext []byte) (string, error) {
	aead, err := k.at(p, k.newest())
	if err != nil {
		return "", err
	}
	return joinSealed(localKind, k.newest(), aead.Seal(nil, nil, plaintext, nil)), nil
}

// open answers ErrUnreadable and ErrRetired.
func (k *key) open(p Place, sealed string) ([]byte, error) {
	version, raw, err := splitSealed(localKind, sealed)
	if err != nil {
		return nil, err
	}
	if version > k.newest() {
		return nil, ErrUnreadable
	}
	if version < k.minimum {
		return nil, ErrRetired
	}
	aead, err := k.at(p, version)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, nil, raw, nil)
	if err != nil {
		return nil, ErrUnreadable.Because(err)
	}
	return plaintext, nil
}

// errDamaged means that a key file is not what was written, or not for this organization or master key.
var errDamaged = errors.New("the key file is damaged, or belongs to another organization or master key")

// wrap writes the key as its file holds it: the minimum version, then the secret of each version from the
// first, all sealed under the master key for this organization alone.
func (k *key) wrap(master cipher.AEAD, organization string) []byte {
	plain := binary.BigEndian.AppendUint32(make([]byte, 0, 4+keyLength*len(k.secrets)), uint32(k.minimum))
	for _, secret := range k.secrets {
		plain = append(plain, secret...)
	}
	defer clear(plain)
	return master.Seal(nil, nil, plain, wrapContext(organization))
}

// unwrap reads what wrap wrote; it answers errDamaged.
func unwrap(master cipher.AEAD, organization string, file []byte) (*key, error) {
	plain, err := master.Open(nil, nil, file, wrapContext(organization))
	if err != nil {
		return nil, errDamaged
	}
	if len(plain) < 4+keyLength || (len(plain)-4)%keyLength != 0 {
		return nil, errDamaged
	}
	k := &key{minimum: int(binary.BigEndian.Uint32(plain))}
	for rest := plain[4:]; len(rest) > 0; rest = rest[keyLength:] {
		k.secrets = append(k.secrets, rest[:keyLength:keyLength])
	}
	if k.minimum < 1 || k.minimum > k.newest() {
		return nil, errDamaged
	}
	return k, nil
}

func wrapContext(organization string) []byte {
	return []byte("countinghouse key file v1 " + organization)
}
