package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
)

// The cost of one password: argon2id (RFC 9106) as OWASP's Password Storage Cheat Sheet has it.
const (
	argonMemoryKiB = 19 * 1024
	argonTime      = 2
	argonThreads   = 1
	saltBytes      = 16
	keyBytes       = 32
)

var errPHC = errors.New("identity: a stored password that cannot be read")

// hasher runs argon2id, as many at once as there are cores: more would only take memory, 19 MiB each, from
// everyone else. Whoever waits for a place leaves when their request does.
type hasher struct {
	places    chan struct{}
	load      *load
	memoryKiB uint32
	decoy     string // what the passwords of unknown people are compared with
}

// load is how many passwords are being worked on, how many wait for a place or are worked on, and how many ever were
// worked on.
type load struct{ waiting, working, done atomic.Int64 }

func newHasher(places int) hasher { return newHasherOf(places, argonMemoryKiB) }

func newHasherOf(places int, memoryKiB uint32) hasher {
	return hasher{
		places:    make(chan struct{}, places),
		load:      &load{},
		memoryKiB: memoryKiB,
		decoy:     encodePHC(memoryKiB, make([]byte, saltBytes), make([]byte, keyBytes)),
	}
}

// hash gives the PHC string of a password that normalizePassword made.
func (h hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	key, err := h.derive(ctx, password, salt, argonTime, h.memoryKiB, argonThreads, keyBytes)
	if err != nil {
		return "", err
	}
	return encodePHC(h.memoryKiB, salt, key), nil
}

// matches says whether a password is the one that the PHC string was made of.
func (h hasher) matches(ctx context.Context, password, phc string) (bool, error) {
	p, err := readPHC(phc)
	if err != nil {
		return false, err
	}
	got, err := h.derive(ctx, password, p.salt, p.time, p.memoryKiB, p.threads, len(p.key))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, p.key) == 1, nil
}

func (h hasher) derive(ctx context.Context, password string, salt []byte, time, memory uint32, threads uint8, n int) ([]byte, error) {
	h.load.waiting.Add(1)
	defer h.load.waiting.Add(-1)
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
	h.load.working.Add(1)
	defer h.load.working.Add(-1)
	defer h.load.done.Add(1)
	return argon2.IDKey([]byte(password), salt, time, memory, threads, uint32(n)), nil
}

var phcEncoding = base64.RawStdEncoding.Strict()

// stored is what a PHC string says: how a password was worked on, and what came of it.
type stored struct {
	memoryKiB, time uint32
	threads         uint8
	salt, key       []byte
}

func (p stored) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memoryKiB, p.time, p.threads,
		phcEncoding.EncodeToString(p.salt), phcEncoding.EncodeToString(p.key))
}

func encodePHC(memoryKiB uint32, salt, key []byte) string {
	return stored{memoryKiB, argonTime, argonThreads, salt, key}.String()
}

// readPHC takes what String writes and nothing else: the scanner alone would pass over spaces and signs, and over what
// stands behind.
func readPHC(s string) (p stored, err error) {
	var version int
	var encoded string
	if _, err := fmt.Sscanf(s, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &p.memoryKiB, &p.time, &p.threads, &encoded); err != nil {
		return stored{}, errPHC
	}
	p.salt, p.key, err = decodeSaltAndKey(encoded)
	if err != nil || p.memoryKiB > 1<<20 || p.time < 1 || p.time > 100 || p.threads < 1 || p.String() != s {
		return stored{}, errPHC
	}
	return p, nil
}

func decodeSaltAndKey(s string) (salt, key []byte, err error) {
	for i := range len(s) {
		if s[i] != '$' {
			continue
		}
		if salt, err = phcEncoding.DecodeString(s[:i]); err != nil {
			return nil, nil, errPHC
		}
		if key, err = phcEncoding.DecodeString(s[i+1:]); err != nil {
			return nil, nil, errPHC
		}
		if len(salt) < 8 || len(key) < 16 || len(key) > 64 {
			return nil, nil, errPHC
		}
		return salt, key, nil
	}
	return nil, nil, errPHC
}
