package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/countinghouse/countinghouse/tenant"
)

var secretEncoding = base64.RawURLEncoding.Strict()

// secretLength is 32 bytes in base64url.
const secretLength = 43

// newSecret makes a token for a session or a link: 256 bits, and the digest that is kept of it.
func newSecret() (secret string, hash tenant.Hash, err error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", hash, fmt.Errorf("making a token: %w", err)
	}
	secret = secretEncoding.EncodeToString(b)
	return secret, sha256.Sum256([]byte(secret)), nil
}

// HashToken gives the digest under which a session's or a link's token is kept; ok is false for what cannot be
// one, which nobody then needs to look up.
func HashToken(token string) (hash tenant.Hash, ok bool) {
	if len(token) != secretLength {
		return hash, false
	}
	if b, err := secretEncoding.DecodeString(token); err != nil || len(b) != 32 {
		return hash, false
	}
	return sha256.Sum256([]byte(token)), true
}

// An API token is ch_, 43 random characters of base 62 (256 bits), and the CRC-32 of all that in 6 more. The
// beginning and the checksum let a scanner find one that was left in a file, without taking other text for it.
const (
	apiPrefix    = "ch_"
	apiRandom    = 43
	apiCheck     = 6
	apiLength    = len(apiPrefix) + apiRandom + apiCheck
	apiHint      = len(apiPrefix) + 6
	base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func newAPISecret() (secret string, hash tenant.Hash, err error) {
	var text strings.Builder
	text.WriteString(apiPrefix)
	for text.Len() < len(apiPrefix)+apiRandom {
		var b [64]byte
		if _, err := rand.Read(b[:]); err != nil {
			return "", hash, fmt.Errorf("making an API token: %w", err)
		}
		for _, x := range b {
			// 248 is the greatest multiple of 62 in a byte: beyond it some digits would come more often.
			if x < 248 && text.Len() < len(apiPrefix)+apiRandom {
				text.WriteByte(base62Digits[x%62])
			}
		}
	}
	secret = text.String() + checksum(text.String())
	return secret, sha256.Sum256([]byte(secret)), nil
}

// ParseAPIToken gives the digest under which an API token is kept; ok is false for a mistyped or cut one.
func ParseAPIToken(s string) (hash tenant.Hash, ok bool) {
	if len(s) != apiLength || !strings.HasPrefix(s, apiPrefix) {
		return hash, false
	}
	for i := len(apiPrefix); i < len(s); i++ {
		if strings.IndexByte(base62Digits, s[i]) < 0 {
			return hash, false
		}
	}
	body := s[:apiLength-apiCheck]
	if checksum(body) != s[len(body):] {
		return hash, false
	}
	return sha256.Sum256([]byte(s)), true
}

func checksum(s string) string {
	n := crc32.ChecksumIEEE([]byte(s))
	var digits [apiCheck]byte
	for i := apiCheck - 1; i >= 0; i-- {
		digits[i], n = base62Digits[n%62], n/62
	}
	return string(digits[:])
}
