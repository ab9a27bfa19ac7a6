package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNoSecondFactor says that there is nothing to recover from.
var ErrNoSecondFactor = fault.New(fault.Conflict, "second_factor.none", "Set up a second factor first.")

const (
	recoveryCodes = 10
	// recoveryCodeBytes make 80 bits, and 16 letters and digits.
	recoveryCodeBytes  = 10
	recoveryCodeLength = 16
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// hashRecoveryCode is a plain SHA-256: a slow hash makes words dear to guess that people choose, and of 80 random
// bits nobody tries more than a sliver, however fast.
func hashRecoveryCode(code string) tenant.Hash { return sha256.Sum256([]byte(code)) }

// SecondFactors is what a person has set up.
type SecondFactors struct {
	TOTPSince     *time.Time // when the authenticator app was turned on, in UTC; nil when it is not
	Passkeys      []Passkey
	RecoveryCodes int // how many are left
}

// On says whether signing in takes a second step.
func (f SecondFactors) On() bool { return f.TOTPSince != nil || len(f.Passkeys) > 0 }

// SecondFactors says what a person has set up.
func (i *Identity) SecondFactors(ctx context.Context, person tenant.PersonID) (f SecondFactors, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		f, err = secondFactorsOf(ctx, tx, person)
		return err
	})
	return f, err
}

// RenewRecoveryCodes gives ten new recovery codes, which are shown this once; the old ones are good no longer. It
// fails with tenant.ErrNotSignedIn, ErrProofNeeded, and with ErrNoSecondFactor for who has none.
func (i *Identity) RenewRecoveryCodes(ctx context.Context, session string) (codes []string, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := i.proved(ctx, tx, session)
		if err != nil {
			return err
		}
		has, err := secondFactorOf(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if !has {
			return ErrNoSecondFactor
		}
		codes, err = renewRecoveryCodes(ctx, tx, p.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func renewRecoveryCodes(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) ([]string, error) {
	if err := deleteRecoveryCodes(ctx, tx, person); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for n := range codes {
		var b [recoveryCodeBytes]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, fmt.Errorf("making recovery codes: %w", err)
		}
		code := base32Text.EncodeToString(b[:])
		if err := insertRecoveryCode(ctx, tx, person, hashRecoveryCode(code)); err != nil {
			return nil, err
		}
		codes[n] = code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:]
	}
	return codes, nil
}

// checkRecoveryCode uses one up. They are not counted per person as the app's codes are: nobody guesses 80 bits, and
// so the owner gets in with one while a stranger keeps the app's codes blocked.
func checkRecoveryCode(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, code string) (refused, err error) {
	good, err := useRecoveryCode(ctx, tx, person, hashRecoveryCode(code))
	if err != nil {
		return nil, err
	}
	if !good {
		return ErrSecondStep, nil
	}
	return nil, unblockTOTP(ctx, tx, person)
}
