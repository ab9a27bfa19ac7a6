package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/countinghouse/countinghouse/tenant"
)

// BeginPasskeyProof asks for a passkey of whoever's session it is. The passkey has to verify its holder: one that only
// lies beside an open browser shows nothing. It fails with tenant.ErrNotSignedIn, ErrNoPasskeys, and ErrNoPasskey for
// who has none.
func (i *Identity) BeginPasskeyProof(ctx context.Context, session string) (c Challenge, err error) {
	hash, ok := HashToken(session)
	if !ok {
		return c, tenant.ErrNotSignedIn
	}
	if i.passkeys == nil {
		return c, ErrNoPasskeys
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		row, err := proofBySession(ctx, tx, hash)
		if err != nil {
			return err
		}
		holder, err := keyHolderOf(ctx, tx, row.person())
		if err != nil {
			return err
		}
		if len(holder.records) == 0 {
			return ErrNoPasskey
		}
		options, data, err := i.passkeys.BeginLogin(holder, webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return fmt.Errorf("asking for a passkey: %w", err)
		}
		c, err = beginCeremony(ctx, tx, forProof, row.ID, options.Response, data)
		return err
	})
	return c, err
}

// ProveByPasskey is Prove with a passkey. It fails with tenant.ErrNotSignedIn, ErrNoPasskeys and ErrPasskey, and with
// ErrProofOver as Prove does: wrong passkeys and wrong passwords are counted together.
func (i *Identity) ProveByPasskey(ctx context.Context, session, ceremony string, response []byte) (renewed string, err error) {
	hash, ok := HashToken(session)
	if !ok {
		return "", tenant.ErrNotSignedIn
	}
	if i.passkeys == nil {
		return "", ErrNoPasskeys
	}
	if len(response) > responseMax {
		return "", ErrPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return "", ErrPasskey.Because(err)
	}
	var tries int
	var refused error
	// What was tried is committed with the refusal: a challenge that was answered wrongly and a try are used up.
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		refused = nil
		row, err := chargeProof(ctx, tx, hash)
		if tries = row.Tries; err != nil || tries > proofTries {
			return err
		}
		err = i.checkPasskeyProof(ctx, tx, row.person(), ceremony, parsed)
		if errors.Is(err, ErrPasskey) {
			refused, err = err, nil
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return i.settleProof(ctx, hash, tries, refused)
}

func (i *Identity) checkPasskeyProof(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, ceremony string, parsed *protocol.ParsedCredentialAssertionData) error {
	data, err := takeCeremony(ctx, tx, ceremony, forProof, p.ID)
	if err != nil {
		return err
	}
	holder, err := keyHolderOf(ctx, tx, p)
	if err != nil {
		return err
	}
	used, err := i.passkeys.ValidateLogin(holder, data, parsed)
	if err != nil {
		return ErrPasskey.Because(err)
	}
	return notePasskey(ctx, tx, p.ID, used)
}
