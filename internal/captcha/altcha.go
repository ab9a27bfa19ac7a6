package captcha

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

const (
	algorithm   = "SHA-256"
	altchaFor   = 10 * time.Minute // for which a task may be solved: a form is filled in meanwhile
	payloadMax  = 4 << 10
	saltBytes   = 12
	leastNumber = 1_000
)

// Challenge is a task of ALTCHA as its protocol has it: find the number that, after the salt, hashes to the challenge.
type Challenge struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	MaxNumber int    `json:"maxnumber"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

// payload is what a browser makes of it, in JSON and base64.
type payload struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	Number    int64  `json:"number"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

// Challenge sets a task. What it is for, how hard it is and when it ends stand in the salt, and so under the
// signature. The salt ends with a separator: without one, digits could move between it and the number, and a task
// would be given a later end by whoever solved it (CVE-2025-68113).
func (c *Captcha) Challenge(t Task) (Challenge, error) {
	most := max(t.Difficulty, leastNumber)
	random := make([]byte, saltBytes)
	if _, err := rand.Read(random); err != nil {
		return Challenge{}, fmt.Errorf("setting a CAPTCHA: %w", err)
	}
	number, err := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
	if err != nil {
		return Challenge{}, fmt.Errorf("setting a CAPTCHA: %w", err)
	}
	salt := fmt.Sprintf("%s?expires=%d&for=%s&max=%d&", hex.EncodeToString(random), c.db.Now().Add(altchaFor).Unix(), url.QueryEscape(t.For), most)
	challenge := hashOf(salt, number.Int64())
	return Challenge{algorithm, challenge, most, salt, c.sign(challenge)}, nil
}

func hashOf(salt string, number int64) string {
	sum := sha256.Sum256([]byte(salt + strconv.FormatInt(number, 10)))
	return hex.EncodeToString(sum[:])
}

func (c *Captcha) sign(challenge string) string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(challenge))
	return hex.EncodeToString(mac.Sum(nil))
}

// parsePayload reads what a browser sent; false for what no task of ours leads to.
func parsePayload(response string) (p payload, expires time.Time, purpose string, most int64, ok bool) {
	if len(response) > payloadMax {
		return p, expires, "", 0, false
	}
	text, err := base64.StdEncoding.DecodeString(response)
	if err != nil || json.Unmarshal(text, &p) != nil {
		return p, expires, "", 0, false
	}
	_, parameters, found := strings.Cut(p.Salt, "?")
	if !found || !strings.HasSuffix(parameters, "&") || p.Algorithm != algorithm || p.Number < 0 {
		return p, expires, "", 0, false
	}
	values, err := url.ParseQuery(parameters)
	if err != nil {
		return p, expires, "", 0, false
	}
	unix, err := strconv.ParseInt(values.Get("expires"), 10, 64)
	if err != nil {
		return p, expires, "", 0, false
	}
	most, err = strconv.ParseInt(values.Get("max"), 10, 64)
	return p, time.Unix(unix, 0), values.Get("for"), most, err == nil && p.Number <= most
}

// checkAltcha takes a solved task once. One that was set when less was asked for is not enough any more.
func (c *Captcha) checkAltcha(ctx context.Context, t Task, response string) error {
	p, expires, purpose, most, ok := parsePayload(response)
	signed := hmac.Equal([]byte(c.sign(p.Challenge)), []byte(p.Signature))
	if !ok || !signed || hashOf(p.Salt, p.Number) != p.Challenge || purpose != t.For || most < int64(t.Difficulty) {
		return ErrRefused
	}
	spent, err := hex.DecodeString(p.Challenge)
	if err != nil {
		return ErrRefused
	}
	return tenant.DoPlatform(ctx, c.db, func(tx *tenant.PlatformTx) error {
		if !tx.Now().Before(expires) {
			return ErrRefused
		}
		return spend(ctx, tx, spent, expires)
	})
}
