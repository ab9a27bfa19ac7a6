package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// What a code that is sent to a phone is for.
const (
	forPhone    = "verify"
	forRecovery = "recovery"
)

const (
	codeLifetime = 10 * time.Minute
	// codeTries is how often a code may be guessed at. It is counted in the database, so that guesses made at once are
	// no more than guesses made one after the other.
	codeTries = 5
	// codeDelay lies between two codes to one number: networks take a while, and impatience is no reason to pay twice.
	codeDelay = time.Minute
	codeDay   = 24 * time.Hour
)

// codeDigits is how long a code is. One that shows a number to be someone's is typed by who is signed in; one that
// sets a password can be asked for and guessed at by anyone, 25 times a day at most (five codes, five tries).
var codeDigits = map[string]int{forPhone: 6, forRecovery: 8}

// phoneCode is a code to be sent, and under what it is kept.
type phoneCode struct {
	purpose string
	request string // the token that names it
	hash    tenant.Hash
	code    string
	digest  []byte
	person  tenant.PersonID // zero: nobody
	number  string          // empty: it is told to nobody
	network string
	link    []byte
}

func (i *Identity) newCode(purpose, number string, from RequestInfo) (c phoneCode, err error) {
	c = phoneCode{purpose: purpose, number: number, network: networkOf(from.Network)}
	if c.request, c.hash, err = newSecret(); err != nil {
		return c, err
	}
	digits := codeDigits[purpose]
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	if err != nil {
		return c, fmt.Errorf("making a code: %w", err)
	}
	c.code = fmt.Sprintf("%0*d", digits, n)
	c.digest = i.codeDigest(c.hash, c.code)
	return c, nil
}

// codeDigest is keyed, and by the request too: a plain digest of six digits is found by trying them all.
func (i *Identity) codeDigest(request tenant.Hash, code string) []byte {
	return i.subject("phone code", hex.EncodeToString(request[:]), code)
}

func (c phoneCode) text(voice bool) Text {
	t := Text{Kind: "phone_code", To: c.number, Voice: voice,
		Say: c.code + " is your Countinghouse code. It is good for 10 minutes. We never ask you for it."}
	if c.purpose == forRecovery {
		t.Kind = "recovery_code"
		t.Say = c.code + " is the code to set a new Countinghouse password. It is good for 10 minutes. If you did not ask for it, do nothing."
	}
	if voice {
		t.Say = "Your Countinghouse code is " + c.code + "."
	}
	return t
}

// tidyCode is a code as it was sent, however someone typed it; ok is false for what cannot be one.
func tidyCode(purpose, typed string) (code string, ok bool) {
	if len(typed) > 40 {
		return "", false
	}
	code = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(typed))
	return code, len(code) == codeDigits[purpose] && strings.Trim(code, "0123456789") == ""
}

// spendText takes one message from what a number and a network may be sent: ErrPhoneSoon, ErrPhoneLimit. It locks
// both until the transaction ends, so that requests made at once are counted one after the other.
func (i *Identity) spendText(ctx context.Context, tx *tenant.PlatformTx, number, network string) error {
	if err := lockTexts(ctx, tx, number, network); err != nil {
		return err
	}
	sent, err := countTexts(ctx, tx, number, network)
	switch {
	case err != nil:
		return err
	case sent.Number >= i.options.TextsPerNumber || sent.Network >= i.options.TextsPerNetwork && network != "":
		return ErrPhoneLimit
	case sent.Last != nil && tx.Now().Sub(*sent.Last) < codeDelay:
		return ErrPhoneSoon
	}
	return nil
}

// checkPhoneCode counts a try and uses the code up when it is right. ErrPhoneCode for anything else; the caller must
// commit that too.
func (i *Identity) checkPhoneCode(ctx context.Context, tx *tenant.PlatformTx, purpose, request, typed string) (phoneCode, error) {
	hash, ok := HashToken(request)
	if !ok {
		return phoneCode{}, ErrPhoneCode
	}
	kept, err := chargeCode(ctx, tx, purpose, hash)
	if err != nil {
		return phoneCode{}, err
	}
	code, ok := tidyCode(purpose, typed)
	if !ok || !hmac.Equal(kept.digest, i.codeDigest(hash, code)) || kept.person.IsZero() {
		return phoneCode{}, ErrPhoneCode
	}
	return kept, useCode(ctx, tx, hash)
}
