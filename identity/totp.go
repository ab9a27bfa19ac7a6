package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why an authenticator app cannot be set up or turned off.
var (
	ErrTOTPOn   = fault.New(fault.Conflict, "totp.on", "An authenticator app is set up already. Turn it off to set up another.")
	ErrTOTPNone = fault.New(fault.NotFound, "totp.none", "No authenticator app is being set up, or it took too long. Begin again.")
	ErrNoSealer = fault.New(fault.Unavailable, "second_factor.unavailable", "Second factors are not available here: this service has no key to seal them with.")
)

// Sealer seals what is kept of a person's second factors. A place names whose and which it is; what was sealed
// for one place does not open at another. Both are called inside a transaction, so neither may leave the process.
type Sealer interface {
	Seal(place string, plain []byte) (sealed []byte, err error)
	Open(place string, sealed []byte) (plain []byte, err error)
}

const (
	totpIssuer = "Countinghouse"
	totpDigits = otp.DigitsSix
	// totpPeriod is RFC 6238's default; authenticator apps know no other.
	totpPeriodSeconds = 30
	// totpSkew is how many steps a clock may be off, as RFC 6238 section 5.2 recommends.
	totpSkew = 1
	// totpSetUp is how long an app may be set up: a secret that was seen and not confirmed opens nothing later.
	totpSetUp = 15 * time.Minute
	// qrSide is in pixels: three or more for each of a code's modules, however long the address in it is.
	qrSide = 300
	// qrMargin is the four modules of white that ISO/IEC 18004 section 6.3.8 wants around a code.
	qrMargin = 24
)

// TOTPKey is what an authenticator app needs (RFC 6238), for as long as it is being set up.
type TOTPKey struct {
	Secret string // base32, to be typed where no camera is
	key    *otp.Key
}

// QR is the key as a PNG for the app's camera: black on white, with its margin, in a dark page too.
func (k TOTPKey) QR() ([]byte, error) {
	drawn, err := k.key.Image(qrSide, qrSide)
	if err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	paper := image.NewGray(image.Rect(0, 0, qrSide+2*qrMargin, qrSide+2*qrMargin))
	draw.Draw(paper, paper.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(paper, image.Rect(qrMargin, qrMargin, qrMargin+qrSide, qrMargin+qrSide), drawn, drawn.Bounds().Min, draw.Src)
	var file bytes.Buffer
	if err := png.Encode(&file, paper); err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	return file.Bytes(), nil
}

// BeginTOTP makes a key for an authenticator app of whoever's session it is, in place of one that was not
// confirmed. It fails with tenant.ErrNotSignedIn, ErrProofNeeded, ErrTOTPOn and ErrNoSealer.
func (i *Identity) BeginTOTP(ctx context.Context, session string) error {
	if i.options.Sealer == nil {
		return ErrNoSealer
	}
	return tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := i.proved(ctx, tx, session)
		if err != nil {
			return err
		}
		key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: p.Email})
		if err != nil {
			return fmt.Errorf("making a key for an app: %w", err)
		}
		sealed, err := i.options.Sealer.Seal(totpPlace(p.ID), []byte(key.Secret()))
		if err != nil {
			return fmt.Errorf("sealing a key for an app: %w", err)
		}
		return insertTOTP(ctx, tx, p.ID, sealed)
	})
}

// NewTOTP is the key that BeginTOTP made, until a first code confirms it, for 15 minutes. It fails as BeginTOTP
// does, and with ErrTOTPNone.
func (i *Identity) NewTOTP(ctx context.Context, session string) (k TOTPKey, err error) {
	if i.options.Sealer == nil {
		return k, ErrNoSealer
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := i.proved(ctx, tx, session)
		if err != nil {
			return err
		}
		row, err := newTOTP(ctx, tx, p.ID, tx.Now().Add(-totpSetUp))
		if err != nil {
			return err
		}
		secret, err := i.openTOTP(p.ID, row)
		if err != nil {
			return err
		}
		raw, err := base32Text.DecodeString(secret)
		if err != nil {
			return fmt.Errorf("reading the key of an app: %w", err)
		}
		key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: p.Email, Secret: raw})
		if err != nil {
			return fmt.Errorf("writing a key for an app: %w", err)
		}
		k = TOTPKey{Secret: secret, key: key}
		return nil
	})
	return k, err
}

// ConfirmTOTP turns the authenticator app on, given a first code of it, and gives new recovery codes, which are
// shown this once. That first code is used up by it. It fails as NewTOTP does, with ErrSecondStep for a wrong
// code, and with ErrSecondStepWait for too many.
func (i *Identity) ConfirmTOTP(ctx context.Context, session, code string) (recovery []string, err error) {
	if i.options.Sealer == nil {
		return nil, ErrNoSealer
	}
	var p tenant.Person
	var refused error
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if p, err = i.proved(ctx, tx, session); err != nil {
			return err
		}
		row, err := chargeNewTOTP(ctx, tx, p.ID, tx.Now().Add(-totpSetUp))
		if errors.Is(err, ErrSecondStepWait) {
			refused = err
			return nil
		} else if err != nil {
			return err
		}
		typed := foldCode(code)
		if !isTOTPCode(typed) {
			refused = ErrSecondStep
			return nil
		}
		if refused, err = i.useTOTP(ctx, tx, p.ID, row, typed); err != nil || refused != nil {
			return err
		}
		if err := confirmTOTP(ctx, tx, p.ID); err != nil {
			return err
		}
		recovery, err = renewRecoveryCodes(ctx, tx, p.ID)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	i.tell(ctx, i.secondFactorMail(p, "An authenticator app was set up for your account."))
	return recovery, nil
}

// TurnOffTOTP takes the authenticator app away, and with the last second factor the recovery codes. It fails with tenant.ErrNotSignedIn and
// ErrProofNeeded; where nothing is on, there is nothing to do.
func (i *Identity) TurnOffTOTP(ctx context.Context, session string) error {
	var p tenant.Person
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		if p, err = i.proved(ctx, tx, session); err != nil {
			return err
		}
		if err := deleteTOTP(ctx, tx, p.ID); err != nil {
			return err
		}
		return dropSpareCodes(ctx, tx, p.ID)
	})
	if err != nil {
		return err
	}
	i.tell(ctx, i.secondFactorMail(p, "The authenticator app of your account was turned off."))
	return nil
}

// checkTOTP is checkCode for a code of the app.
func (i *Identity) checkTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, code string) (refused, err error) {
	row, err := chargeTOTP(ctx, tx, person)
	if errors.Is(err, ErrSecondStep) || errors.Is(err, ErrSecondStepWait) {
		return err, nil
	} else if err != nil {
		return nil, err
	}
	return i.useTOTP(ctx, tx, person, row, code)
}

// useTOTP takes a code of the step before, now or after, if none so late was taken yet.
func (i *Identity) useTOTP(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, row totpRow, code string) (refused, err error) {
	secret, err := i.openTOTP(person, row)
	if err != nil {
		return nil, err
	}
	now := tx.Now().Unix() / totpPeriodSeconds
	for step := max(now-totpSkew, row.LastStep+1); step <= now+totpSkew; step++ {
		good, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: totpDigits})
		if err != nil {
			return nil, fmt.Errorf("checking a code of an app: %w", err)
		}
		if good {
			return nil, noteTOTP(ctx, tx, person, step)
		}
	}
	return ErrSecondStep, nil
}

func (i *Identity) openTOTP(person tenant.PersonID, row totpRow) (string, error) {
	if i.options.Sealer == nil {
		return "", ErrNoSealer
	}
	secret, err := i.options.Sealer.Open(totpPlace(person), row.Sealed)
	if err != nil {
		return "", fmt.Errorf("opening the key of an app: %w", err)
	}
	return string(secret), nil
}

func totpPlace(person tenant.PersonID) string { return "totp/" + person.String() }

func isTOTPCode(s string) bool {
	for n := range len(s) {
		if s[n] < '0' || s[n] > '9' {
			return false
		}
	}
	return len(s) == totpDigits.Length()
}
