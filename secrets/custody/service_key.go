package custody

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What opening by the service's keys fails with.
var (
	ErrServiceSealed  = errors.New("this was not sealed here, or has been changed")
	ErrServiceRetired = errors.New("this was sealed by a version of the service's key that is no longer in use")
	errServiceKey     = fault.New(fault.Unavailable, "service_key.wrong", "The service's key is not the one that this database was sealed with. Start it with the key file that belongs to the database.")
)

const (
	// known is for how long a process seals by the newest key that it has read: much shorter than settles.
	known = 20 * time.Second
	// Two forms of sealed text: the first key's, which has no version, and that of all later ones.
	formFirst, formVersioned = 1, 2
	versionBytes             = 4
)

// ServiceKeys seal what belongs to people and to the operator, who are in no organization and so have no key in the
// keyring: AES-256-GCM with random nonces, good for 2^32 seals under one key (NIST SP 800-38D section 8.3). The place is
// authenticated, so that a row copied to another person does not open there.
//
// There are versions of them, kept in the database, each wrapped under a key from outside of it. All of it works without
// a keyring: people sign in with their second factor while Vault is sealed.
type ServiceKeys struct {
	db   *tenant.DB
	wrap cipher.AEAD

	mu     sync.Mutex
	ring   map[int]cipher.AEAD
	newest int
	alone  int // nothing older than this opens
	readAt time.Time
}

// NewServiceKeys uses first as version 1 and wraps the later ones under wrap; both have 32 bytes. Without a database
// there is version 1 alone.
func NewServiceKeys(db *tenant.DB, first, wrap []byte) (*ServiceKeys, error) {
	one, err := newGCM(first)
	if err != nil {
		return nil, err
	}
	wrapping, err := newGCM(wrap)
	return &ServiceKeys{db: db, wrap: wrapping, ring: map[int]cipher.AEAD{1: one}, newest: 1}, err
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a sealer: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a sealer: %w", err)
	}
	return gcm, nil
}

// Seal seals by the newest version. It reads the versions where it has not for a while, by a connection of its own.
func (k *ServiceKeys) Seal(place string, plain []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.db != nil && time.Since(k.readAt) > known {
		if err := k.read(); err != nil {
			return nil, err
		}
	}
	gcm := k.ring[k.newest]
	if gcm == nil {
		return nil, errServiceKey
	}
	head := []byte{formFirst}
	if k.newest > 1 {
		head = binary.BigEndian.AppendUint32([]byte{formVersioned}, uint32(k.newest))
	}
	return append(head, encrypt(gcm, plain, place)...), nil
}

// Open fails with ErrServiceSealed for what was sealed elsewhere or was changed since, with ErrServiceRetired for what a
// version sealed that is no longer in use, and with a fault where the service's key is the wrong one.
func (k *ServiceKeys) Open(place string, sealed []byte) ([]byte, error) {
	version, text, ok := parseServiceSealed(sealed)
	if !ok {
		return nil, ErrServiceSealed
	}
	gcm, err := k.key(version)
	if err != nil {
		return nil, err
	}
	if len(text) < gcm.NonceSize() {
		return nil, ErrServiceSealed
	}
	plain, err := gcm.Open(nil, text[:gcm.NonceSize()], text[gcm.NonceSize():], []byte(place))
	if err != nil {
		return nil, ErrServiceSealed
	}
	return plain, nil
}

// key gives a version's key. One that is new to this process was made by another.
func (k *ServiceKeys) key(version int) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.db != nil && (version > k.newest || k.readAt.IsZero()) {
		if err := k.read(); err != nil {
			return nil, err
		}
	}
	switch gcm := k.ring[version]; {
	case version < k.alone:
		return nil, ErrServiceRetired
	case version > k.newest:
		return nil, ErrServiceSealed
	case gcm == nil:
		return nil, errServiceKey
	default:
		return gcm, nil
	}
}

func parseServiceSealed(sealed []byte) (version int, text []byte, ok bool) {
	switch {
	case len(sealed) > 1 && sealed[0] == formFirst:
		return 1, sealed[1:], true
	case len(sealed) > 1+versionBytes && sealed[0] == formVersioned:
		if v := binary.BigEndian.Uint32(sealed[1 : 1+versionBytes]); v > 1 && v < 1<<31 {
			return int(v), sealed[1+versionBytes:], true
		}
	}
	return 0, nil, false
}

// encrypt gives nonce and ciphertext.
func encrypt(gcm cipher.AEAD, plain []byte, place string) []byte {
	nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(plain)+gcm.Overhead())
	_, _ = rand.Read(nonce) // it never fails: it ends the process instead
	return gcm.Seal(nonce, nonce, plain, []byte(place))
}

// read takes up the versions that there are. The caller holds the lock.
func (k *ServiceKeys) read() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	rows, err := listServiceKeys(ctx, k.db)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Version > 1 && k.ring[row.Version] == nil {
			k.unwrap(row)
		}
		k.newest = max(k.newest, row.Version)
		if row.AloneAt != nil {
			k.alone = max(k.alone, row.Version)
		}
	}
	k.readAt = time.Now()
	return nil
}

// unwrap leaves out what does not unwrap: whoever needs it is told that the service's key is the wrong one.
func (k *ServiceKeys) unwrap(row serviceKeyRow) {
	size := k.wrap.NonceSize()
	if len(row.Wrapped) < size {
		return
	}
	key, err := k.wrap.Open(nil, row.Wrapped[:size], row.Wrapped[size:], []byte(wrappedAt(row.Version)))
	if err != nil {
		return
	}
	if gcm, err := newGCM(key); err == nil {
		k.ring[row.Version] = gcm
	}
}

func wrappedAt(version int) string { return fmt.Sprintf("service key %d", version) }

// renew makes the next version, unless another process has made it meanwhile.
func (k *ServiceKeys) renew(ctx context.Context, version int) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails: it ends the process instead
	defer clear(key)
	return insertServiceKey(ctx, k.db, version, encrypt(k.wrap, key, wrappedAt(version)))
}
