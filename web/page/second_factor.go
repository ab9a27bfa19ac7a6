package page

import (
	"time"

	"github.com/countinghouse/countinghouse/identity"
)

// SecondStep is the data of "second-step", between the password and the session. Its form sends code and next.
type SecondStep struct {
	Gate
	Form Form
}

// SecondFactors is the data of "second-factors": what a person has beside their password. Its forms send nothing but
// themselves.
type SecondFactors struct {
	Gate
	Flash Flash
	Form  Form
	Today time.Time
	Has   identity.SecondFactors
}

// Remove is the button that takes a passkey away.
func (SecondFactors) Remove(k identity.Passkey) Act {
	return Act{URL: joinPath("/account/second-step/passkeys", k.ID, "remove"), Label: "Remove", Icon: "trash-2", Class: "btn-small btn-danger",
		Ask: "It signs you in no longer.", Does: "Remove " + k.Name}
}

// SecondFactorApp is the data of "second-factor-app", where an authenticator app is set up. Its form sends code.
type SecondFactorApp struct {
	Gate
	Form   Form
	Secret string
	QR     string // the address of the picture
}

// Groups are the secret in fours, as people type it.
func (a SecondFactorApp) Groups() []string {
	var groups []string
	for rest := a.Secret; rest != ""; {
		n := min(4, len(rest))
		groups, rest = append(groups, rest[:n]), rest[n:]
	}
	return groups
}

// RecoveryCodes is the data of "recovery-codes". The codes stand on this page alone.
type RecoveryCodes struct {
	Gate
	Codes []string
	On    bool // the second step was turned on just now
}

// Prove is the data of "prove", where someone shows again that it is them. Its form sends password, code and next.
type Prove struct {
	Gate
	Flash Flash // why it is asked; empty for the usual reason
	Form  Form
	Code  bool // a code will do as well
	// Passkey says that they have one, which will do as well.
	Passkey bool
}
