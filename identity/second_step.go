package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a second step does not go on.
var (
	ErrSecondStep     = fault.New(fault.Invalid, "second_step.refused", "This code is not right, or has been used. Wait for the next one and try again.").At("code")
	ErrSecondStepWait = fault.New(fault.TooMany, "second_step.wait", "Too many wrong codes. Wait a few minutes, or use a recovery code.").At("code")
	ErrSecondStepOver = fault.New(fault.Unauthenticated, "second_step.over", "This sign-in took too long or too many tries. Sign in again.")
)

// How someone signed in who has a second factor: by their password first, and then by this.
const (
	ByTOTP         = "totp"
	ByRecoveryCode = "recovery_code"
)

const (
	// secondStepLifetime is for finding one's phone.
	secondStepLifetime = 10 * time.Minute
	secondStepTries    = 5
)

// SecondStepNeeded is how SignIn refuses a right password of someone who has a second factor.
type SecondStepNeeded struct {
	// Token is for CompleteSecondStep. It opens nothing else, and nothing after ten minutes.
	Token string
}

// Error says what is missing, and not the token.
func (*SecondStepNeeded) Error() string {
	return "identity: the second step of this sign-in is still to be done"
}

// SecondFactor says whether signing in takes a second factor of a person: they have confirmed one.
func (i *Identity) SecondFactor(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (needed bool, err error) {
	return secondFactorOf(ctx, tx, person)
}

// BeginSecondStep notes that a person has given their first factor, and gives the token for CompleteSecondStep. It
// must stand behind a check of that factor.
func (i *Identity) BeginSecondStep(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (token string, err error) {
	token, hash, err := newSecret()
	if err != nil {
		return "", err
	}
	return token, insertPending(ctx, tx, forStep, hash, person, tx.Now().Add(secondStepLifetime))
}

// oweSecondStep is BeginSecondStep for who has a second factor, and nil for everyone else.
func (i *Identity) oweSecondStep(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (*SecondStepNeeded, error) {
	needed, err := i.SecondFactor(ctx, tx, person)
	if err != nil || !needed {
		return nil, err
	}
	token, err := i.BeginSecondStep(ctx, tx, person)
	if err != nil {
		return nil, err
	}
	return &SecondStepNeeded{Token: token}, nil
}

// CompleteSecondStep opens the session that SignIn held back. code is one of the authenticator app or a recovery
// code, each good once. It fails with ErrSecondStep, with ErrSecondStepWait after too many wrong codes of that
// person, and with ErrSecondStepOver when the token is unknown, used, ten minutes old, or was tried five times; and
// with a *ChangeNeeded as SignIn does.
func (i *Identity) CompleteSecondStep(ctx context.Context, token, code string, from RequestInfo) (p tenant.Person, session string, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return p, "", ErrSecondStepOver
	}
	var e entry
	var next *ChangeNeeded
	var refused error // kept out of the transaction's result: that a try was made must be committed
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		found, err := chargePending(ctx, tx, hash)
		if errors.Is(err, ErrSecondStepOver) {
			refused = err
			return nil
		} else if err != nil {
			return err
		}
		p = found
		if refused, err = i.checkCode(ctx, tx, p.ID, code); err != nil {
			return err
		}
		if refused != nil {
			return i.record(ctx, tx, p, p.Email, SessionID{}, methodOf(code), LoginRefused, from)
		}
		if err := usePending(ctx, tx, hash); err != nil {
			return err
		}
		e, next, err = i.enterOrChange(ctx, tx, p, methodOf(code), from)
		return err
	})
	if errors.Is(refused, ErrSecondStepWait) {
		i.raise(ctx, guessingCodes(p, from))
	}
	if err == nil {
		err = refused
	}
	if err == nil && next != nil {
		err = next
	}
	if err != nil {
		return tenant.Person{}, "", err
	}
	i.greet(ctx, p, e, from)
	if methodOf(code) == ByRecoveryCode {
		i.tell(ctx, i.secondFactorMail(p, "Someone signed in to your account with a recovery code"+i.fromWhere(from)+"."))
	}
	return p, e.Token, nil
}

func (i *Identity) secondFactorMail(p tenant.Person, what string) Mail {
	return Mail{
		Kind: "second_factor", To: p.Email, Subject: "The second step of your Countinghouse account",
		Text: what + "\n\nIf it was you, there is nothing to do.\n\n" +
			"If it was not, set a new password at once, and look at what is set up:\n\n" +
			i.options.Origin + "/recover\n" + i.options.Origin + "/account/second-step\n",
	}
}

// methodOf is how a code lets someone in, for the login history.
func methodOf(code string) string {
	if len(foldCode(code)) == recoveryCodeLength {
		return ByRecoveryCode
	}
	return ByTOTP
}

// checkCode uses a code up. refused is ErrSecondStep or ErrSecondStepWait, and then the transaction must be
// committed all the same: it counts the try.
func (i *Identity) checkCode(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, code string) (refused, err error) {
	typed := foldCode(code)
	switch {
	case isTOTPCode(typed):
		return i.checkTOTP(ctx, tx, person, typed)
	case len(typed) == recoveryCodeLength:
		return checkRecoveryCode(ctx, tx, person, typed)
	}
	return ErrSecondStep, nil
}

// foldCode takes what people put between the groups of a code.
func foldCode(code string) string {
	if len(code) > 100 {
		return ""
	}
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "\t", "").Replace(strings.ToUpper(code))
}
