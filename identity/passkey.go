package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// Why a passkey is not taken.
var (
	ErrPasskey     = fault.New(fault.Invalid, "passkey.refused", "This passkey does not open this account, or it took too long. Try again.")
	ErrPasskeyMany = fault.New(fault.Conflict, "passkey.many", "You have 20 passkeys. Remove one to add another.")
	ErrNoPasskey   = fault.New(fault.NotFound, "passkey.not_found", "There is no such passkey of yours.")
	ErrNoPasskeys  = fault.New(fault.Unavailable, "passkey.unavailable", "Passkeys need a host name, and this service is reached by a bare address.")
)

// ByPasskey is a login with a passkey, in place of the password or after it.
const ByPasskey = "passkey"

const (
	passkeysMost     = 20
	passkeyNameMax   = 100
	ceremonyLifetime = 5 * time.Minute
	// responseMax is far beyond what an authenticator sends.
	responseMax = 64 << 10
)

// What a ceremony is for.
const (
	forAdding     = "add"
	forSecondStep = "second_step"
	forSignIn     = "sign_in"
	forProof      = "prove"
)

// Passkey is one that a person has added.
type Passkey struct {
	ID         PasskeyID
	Name       string
	CreatedAt  time.Time
	LastUsedAt *time.Time // nil for never
}

// PasskeyID names a passkey.
type PasskeyID = id.Of[Passkey]

// Challenge is what a browser is asked to answer with a passkey.
type Challenge struct {
	Ceremony string          `json:"ceremony"` // names the challenge when it is answered: once, within five minutes
	Options  json.RawMessage `json:"options"`  // what navigator.credentials.create or get is given
}

// newRelyingParty is nil where passkeys cannot be: they are bound to a name, and an address is none (W3C Web
// Authentication section 5.1.2).
func newRelyingParty(origin string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("the origin %q: %w", origin, err)
	}
	if net.ParseIP(u.Hostname()) != nil {
		return nil, nil
	}
	party, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: totpIssuer, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation})
	if err != nil {
		return nil, fmt.Errorf("the origin %q: %w", origin, err)
	}
	return party, nil
}

// keyHolder is a person as the library sees them.
type keyHolder struct {
	person  tenant.Person
	records []webauthn.Credential
}

func (h keyHolder) WebAuthnID() []byte                         { return h.person.ID.UUID[:] }
func (h keyHolder) WebAuthnName() string                       { return h.person.Email }
func (h keyHolder) WebAuthnDisplayName() string                { return h.person.Name }
func (h keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.records }

// BeginPasskey asks the browser of a session to make a passkey. It fails with tenant.ErrNotSignedIn, ErrProofNeeded,
// ErrPasskeyMany and ErrNoPasskeys.
func (i *Identity) BeginPasskey(ctx context.Context, session string) (c Challenge, err error) {
	if i.passkeys == nil {
		return c, ErrNoPasskeys
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := i.proved(ctx, tx, session)
		if err != nil {
			return err
		}
		holder, err := keyHolderOf(ctx, tx, p)
		if err != nil {
			return err
		}
		if len(holder.records) >= passkeysMost {
			return ErrPasskeyMany
		}
		options, data, err := i.passkeys.BeginRegistration(holder,
			webauthn.WithExclusions(webauthn.Credentials(holder.records).CredentialDescriptors()),
			webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred))
		if err != nil {
			return fmt.Errorf("asking for a passkey: %w", err)
		}
		c, err = beginCeremony(ctx, tx, forAdding, p.ID, options.Response, data)
		return err
	})
	return c, err
}

// AddPasskey keeps the passkey that a browser made. Who had no second factor before gets recovery codes, which are
// shown this once; for everyone else there are none. It fails as BeginPasskey does, and with ErrPasskey.
func (i *Identity) AddPasskey(ctx context.Context, session, ceremony, name string, response []byte) (recovery []string, err error) {
	if i.passkeys == nil {
		return nil, ErrNoPasskeys
	}
	name, err = text.Required("name", name, passkeyNameMax)
	if err != nil {
		return nil, err
	}
	var p tenant.Person
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		if p, err = i.proved(ctx, tx, session); err != nil {
			return err
		}
		data, err := takeCeremony(ctx, tx, ceremony, forAdding, p.ID)
		if err != nil {
			return err
		}
		made, err := i.readNewPasskey(p, data, response)
		if err != nil {
			return err
		}
		had, err := secondFactorOf(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if err := insertPasskey(ctx, tx, p.ID, name, made); err != nil {
			return err
		}
		if !had {
			recovery, err = renewRecoveryCodes(ctx, tx, p.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	i.tell(ctx, i.secondFactorMail(p, "A passkey was added to your account: "+name+"."))
	return recovery, nil
}

func (i *Identity) readNewPasskey(p tenant.Person, data webauthn.SessionData, response []byte) (*webauthn.Credential, error) {
	if len(response) > responseMax {
		return nil, ErrPasskey
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, ErrPasskey.Because(err)
	}
	made, err := i.passkeys.CreateCredential(keyHolder{person: p}, data, parsed)
	if err != nil {
		return nil, ErrPasskey.Because(err)
	}
	return made, nil
}

// RemovePasskey takes one away, and with the last second factor the recovery codes. It fails with
// tenant.ErrNotSignedIn, ErrProofNeeded and ErrNoPasskey.
func (i *Identity) RemovePasskey(ctx context.Context, session string, passkey PasskeyID) error {
	var p tenant.Person
	err := tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) (err error) {
		if p, err = i.proved(ctx, tx, session); err != nil {
			return err
		}
		if err := deletePasskey(ctx, tx, p.ID, passkey); err != nil {
			return err
		}
		return dropSpareCodes(ctx, tx, p.ID)
	})
	if err != nil {
		return err
	}
	i.tell(ctx, i.secondFactorMail(p, "A passkey was removed from your account."))
	return nil
}

// BeginPasskeyStep asks for a passkey of the person whose sign-in waits for its second step. It fails with
// ErrSecondStepOver, ErrNoPasskeys, and ErrNoPasskey for who has none.
func (i *Identity) BeginPasskeyStep(ctx context.Context, token string) (c Challenge, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return c, ErrSecondStepOver
	}
	if i.passkeys == nil {
		return c, ErrNoPasskeys
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err := pendingPerson(ctx, tx, hash)
		if err != nil {
			return err
		}
		holder, err := keyHolderOf(ctx, tx, p)
		if err != nil {
			return err
		}
		if len(holder.records) == 0 {
			return ErrNoPasskey
		}
		options, data, err := i.passkeys.BeginLogin(holder, webauthn.WithUserVerification(protocol.VerificationPreferred))
		if err != nil {
			return fmt.Errorf("asking for a passkey: %w", err)
		}
		c, err = beginCeremony(ctx, tx, forSecondStep, p.ID, options.Response, data)
		return err
	})
	return c, err
}

// CompletePasskeyStep is CompleteSecondStep with a passkey. It fails with ErrSecondStepOver and ErrPasskey.
func (i *Identity) CompletePasskeyStep(ctx context.Context, token, ceremony string, response []byte, from RequestInfo) (tenant.Person, string, error) {
	hash, ok := HashToken(token)
	if !ok {
		return tenant.Person{}, "", ErrSecondStepOver
	}
	return i.enterByPasskey(ctx, response, from, func(tx *tenant.PlatformTx, parsed *protocol.ParsedCredentialAssertionData) (p tenant.Person, err error) {
		if p, err = chargePending(ctx, tx, hash); err != nil {
			return p, err
		}
		data, err := takeCeremony(ctx, tx, ceremony, forSecondStep, p.ID)
		if err != nil {
			return p, err
		}
		holder, err := keyHolderOf(ctx, tx, p)
		if err != nil {
			return p, err
		}
		used, err := i.passkeys.ValidateLogin(holder, data, parsed)
		if err != nil {
			return p, ErrPasskey.Because(err)
		}
		return p, errors.Join(notePasskey(ctx, tx, p.ID, used), usePending(ctx, tx, hash))
	})
}

// BeginPasskeyLogin asks for a passkey of whoever it is. It fails with ErrNoPasskeys.
func (i *Identity) BeginPasskeyLogin(ctx context.Context) (c Challenge, err error) {
	if i.passkeys == nil {
		return c, ErrNoPasskeys
	}
	options, data, err := i.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return c, fmt.Errorf("asking for a passkey: %w", err)
	}
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		c, err = beginCeremony(ctx, tx, forSignIn, tenant.PersonID{}, options.Response, data)
		return err
	})
	return c, err
}

// CompletePasskeyLogin opens a session for the holder of a passkey, without a password and without a second step:
// a passkey that verified its holder, by a PIN or a finger, is two factors (NIST SP 800-63B-4 section 3.1.7). It
// fails with ErrPasskey, and with a *ChangeNeeded as SignIn does.
func (i *Identity) CompletePasskeyLogin(ctx context.Context, ceremony string, response []byte, from RequestInfo) (tenant.Person, string, error) {
	return i.enterByPasskey(ctx, response, from, func(tx *tenant.PlatformTx, parsed *protocol.ParsedCredentialAssertionData) (p tenant.Person, err error) {
		data, err := takeCeremony(ctx, tx, ceremony, forSignIn, tenant.PersonID{})
		if err != nil {
			return p, err
		}
		if p, err = personByPasskey(ctx, tx, parsed.RawID); err != nil {
			return p, err
		}
		holder, err := keyHolderOf(ctx, tx, p)
		if err != nil {
			return p, err
		}
		_, used, err := i.passkeys.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if !bytes.Equal(handle, holder.WebAuthnID()) {
				return nil, ErrPasskey
			}
			return holder, nil
		}, data, parsed)
		if err != nil {
			return p, ErrPasskey.Because(err)
		}
		return p, notePasskey(ctx, tx, p.ID, used)
	})
}

// enterByPasskey opens a session for whom check names. A refusal is committed with all that check did: a challenge
// that was answered wrongly and a try are used up.
func (i *Identity) enterByPasskey(ctx context.Context, response []byte, from RequestInfo,
	check func(tx *tenant.PlatformTx, parsed *protocol.ParsedCredentialAssertionData) (tenant.Person, error),
) (p tenant.Person, session string, err error) {
	if i.passkeys == nil {
		return p, "", ErrNoPasskeys
	}
	if len(response) > responseMax {
		return p, "", ErrPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return p, "", ErrPasskey.Because(err)
	}
	var e entry
	var next *ChangeNeeded
	var refused error
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		p, err = check(tx, parsed)
		switch {
		case errors.Is(err, ErrPasskey), errors.Is(err, ErrSecondStepOver):
			refused = err
			if p.ID.IsZero() {
				return nil
			}
			return i.record(ctx, tx, p, p.Email, SessionID{}, ByPasskey, LoginRefused, from)
		case err != nil:
			return err
		}
		e, next, err = i.enterOrChange(ctx, tx, p, ByPasskey, from)
		return err
	})
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
	return p, e.Token, nil
}
