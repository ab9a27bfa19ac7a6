package identity

import (
	"context"
	"errors"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why nobody does what takes a fresh proof of who they are.
var (
	ErrProofNeeded = fault.New(fault.Forbidden, "proof.needed", "Show once more that it is you, then try again.")
	ErrProof       = fault.New(fault.Invalid, "proof.refused", "This is not your password.").At("password")
	ErrProofOver   = fault.New(fault.Unauthenticated, "proof.over", "Too many tries. You are signed out; sign in again.")
)

// proofTries is how many wrong answers in a row a session survives. They end it, rather than block the person, so
// that whoever found it open guesses no longer and nobody else is kept out.
const proofTries = 5

// Proof is how someone who is signed in shows again that it is them: either is enough.
type Proof struct {
	Password string
	Code     string // of the authenticator app, or a recovery code; looked at only when there is no password
}

// Proved says whether whoever's session it is has signed in, or shown again that it is them, not longer ago than
// that; 0 is Options.ProofLifetime. It fails with tenant.ErrNotSignedIn.
func (i *Identity) Proved(ctx context.Context, session string, within time.Duration) (bool, error) {
	hash, ok := HashToken(session)
	if !ok {
		return false, tenant.ErrNotSignedIn
	}
	var fresh bool
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		rules, err := i.rules(ctx, tx)
		if err != nil {
			return err
		}
		within := orDefault(within, rules.ProofLifetime)
		row, err := proofBySession(ctx, tx, hash)
		fresh = err == nil && tx.Now().Sub(row.Authenticated) <= within
		return err
	})
	return fresh, err
}

// proved is the person of a session, for what takes a fresh proof; ErrProofNeeded when theirs is too old.
func (i *Identity) proved(ctx context.Context, tx *tenant.PlatformTx, session string) (tenant.Person, error) {
	hash, ok := HashToken(session)
	if !ok {
		return tenant.Person{}, tenant.ErrNotSignedIn
	}
	row, err := proofBySession(ctx, tx, hash)
	if err != nil {
		return tenant.Person{}, err
	}
	rules, err := i.rules(ctx, tx)
	if err != nil {
		return tenant.Person{}, err
	}
	if tx.Now().Sub(row.Authenticated) > rules.ProofLifetime {
		return tenant.Person{}, ErrProofNeeded
	}
	return row.person(), nil
}

// Prove takes a proof, and gives the session a new token, so that one that was read before it may do no more after
// it. It fails with tenant.ErrNotSignedIn, with ErrProof for a wrong password, with ErrSecondStep and
// ErrSecondStepWait as CompleteSecondStep does, and after five wrong answers in a row ends the session and fails
// with ErrProofOver.
func (i *Identity) Prove(ctx context.Context, session string, proof Proof) (renewed string, err error) {
	hash, ok := HashToken(session)
	if !ok {
		return "", tenant.ErrNotSignedIn
	}
	var row proofRow
	var refused error
	// The try is counted and committed before the password is looked at: parallel guesses must not pass.
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		refused = nil
		if row, err = chargeProof(ctx, tx, hash); err != nil {
			return err
		}
		if proof.Password == "" && row.Tries <= proofTries {
			refused, err = i.checkCode(ctx, tx, row.ID, proof.Code)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if proof.Password != "" && row.Tries <= proofTries {
		plain, typed := normalizePassword(proof.Password)
		good, err := i.hasher.matches(ctx, plain, row.Secret)
		if err != nil {
			return "", err
		}
		if !good || !typed {
			refused = ErrProof
		}
	}
	return i.settleProof(ctx, hash, row.Tries, refused)
}

// settleProof renews the session of a good proof, and ends that of one wrong answer too many.
func (i *Identity) settleProof(ctx context.Context, hash tenant.Hash, tries int, refused error) (string, error) {
	if tries > proofTries || (refused != nil && tries == proofTries) {
		err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return endSession(ctx, tx, hash) })
		return "", errors.Join(err, ErrProofOver)
	}
	if refused != nil {
		return "", refused
	}
	return i.renewSession(ctx, hash)
}

func (i *Identity) renewSession(ctx context.Context, old tenant.Hash) (string, error) {
	secret, hash, err := newSecret()
	if err != nil {
		return "", err
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error { return noteProof(ctx, tx, old, hash) })
	if err != nil {
		return "", err
	}
	return secret, nil
}
