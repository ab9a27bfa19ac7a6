package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/countinghouse/countinghouse/identity"
)

// ProofBody shows that it is still the person: one of the two is enough.
type ProofBody struct {
	Password string `json:"password,omitempty" doc:"The present password"`
	Code     string `json:"code,omitempty" doc:"Of the authenticator app, or a recovery code; for who has set one up"`
}

// PasswordBody is a new password and the one before.
type PasswordBody struct {
	Present  string `json:"present"`
	Password string `json:"password"`
}

// AppKeyView is the key of an authenticator app that waits for its first code.
type AppKeyView struct {
	Secret string `json:"secret" doc:"In base32, to be typed into the app"`
}

// CodeBody is a code that someone reads off their app.
type CodeBody struct {
	Code string `json:"code"`
}

// RecoveryCodesView is shown this once.
type RecoveryCodesView struct {
	Codes []string `json:"recovery_codes" doc:"Each is good once. They are not shown again; those from before are over"`
}

// PhoneBody is a number that is to be verified.
type PhoneBody struct {
	Number string `json:"number" doc:"With its country code" example:"+353 86 012 3456"`
	Call   bool   `json:"call,omitempty" doc:"Read the code aloud in a call, where the operator's gateway does so"`
}

// PhoneRequestView is a code that is on its way.
type PhoneRequestView struct {
	Request string `json:"request" doc:"Goes back with the code"`
}

// PhoneCodeBody is the code that came to a phone.
type PhoneCodeBody struct {
	Request string `json:"request"`
	Code    string `json:"code"`
}

// DeleteBody guards a deletion against a slip.
type DeleteBody struct {
	Email string `json:"email" doc:"The address of the account that is to be deleted"`
}

type with[T any] struct{ Body T }

const takesProof = "; takes a sign-in or a proof of the last minutes"

// registerPersonChanges registers what someone changes about what guards their account. A change of the password and a
// proof give the session a new token, in its cookie.
func (s *Server) registerPersonChanges() {
	const account = accountAPI
	handlePerson(s, operation{id: "prove-oneself", method: "POST", path: account + "/proof", summary: "Show once more that it is you; renews the session", status: http.StatusNoContent},
		func(ctx context.Context, c personCall, in *with[ProofBody]) (*struct{}, error) {
			session, err := s.Identity.Prove(ctx, c.token, identity.Proof{Password: in.Body.Password, Code: in.Body.Code})
			if err == nil {
				s.setSession(c.fiber, session)
			}
			return nil, err
		})
	handlePerson(s, operation{id: "change-own-password", method: "POST", path: account + "/password", summary: "Change your password; signs you out everywhere else and renews the session", status: http.StatusNoContent},
		func(ctx context.Context, c personCall, in *with[PasswordBody]) (*struct{}, error) {
			session, err := s.Identity.ChangePassword(ctx, c.token, in.Body.Present, in.Body.Password, c.from)
			if err == nil {
				s.setSession(c.fiber, session)
			}
			return nil, err
		})
	handlePerson(s, operation{id: "delete-own-account", method: "POST", path: account + "/delete", summary: "Delete your account for good" + takesProof, status: http.StatusNoContent},
		func(ctx context.Context, c personCall, in *with[DeleteBody]) (*struct{}, error) {
			if !strings.EqualFold(strings.TrimSpace(in.Body.Email), c.person.Email) {
				return nil, errNotTyped
			}
			err := s.Identity.ErasePerson(ctx, c.token)
			if err == nil {
				clearCookie(c.fiber, sessionCookie)
				clearCookie(c.fiber, deviceCookie)
			}
			return nil, err
		})
	s.registerPersonFactors(account + "/second-factors")
	s.registerPersonPhone(account + "/phone")
}

// registerPersonFactors leaves passkeys out: they are made and used in a ceremony between a page and its browser.
func (s *Server) registerPersonFactors(factors string) {
	handlePerson(s, operation{id: "begin-own-app", method: "POST", path: factors + "/app", summary: "Begin to set up an authenticator app" + takesProof, status: http.StatusCreated},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[AppKeyView], error) {
			if err := s.Identity.BeginTOTP(ctx, c.token); err != nil {
				return nil, err
			}
			key, err := s.Identity.NewTOTP(ctx, c.token)
			return &Body[AppKeyView]{AppKeyView{key.Secret}}, err
		})
	handlePerson(s, operation{id: "confirm-own-app", method: "POST", path: factors + "/app/confirm", summary: "Turn the second step on with a code of the app" + takesProof},
		func(ctx context.Context, c personCall, in *with[CodeBody]) (*Body[RecoveryCodesView], error) {
			codes, err := s.Identity.ConfirmTOTP(ctx, c.token, in.Body.Code)
			return &Body[RecoveryCodesView]{RecoveryCodesView{codes}}, err
		})
	handlePerson(s, operation{id: "turn-off-own-app", method: "POST", path: factors + "/app/turn-off", summary: "Turn the authenticator app off" + takesProof, status: http.StatusNoContent},
		func(ctx context.Context, c personCall, _ *struct{}) (*struct{}, error) {
			return nil, s.Identity.TurnOffTOTP(ctx, c.token)
		})
	handlePerson(s, operation{id: "renew-own-recovery-codes", method: "POST", path: factors + "/recovery-codes", summary: "Make new recovery codes" + takesProof, status: http.StatusCreated},
		func(ctx context.Context, c personCall, _ *struct{}) (*Body[RecoveryCodesView], error) {
			codes, err := s.Identity.RenewRecoveryCodes(ctx, c.token)
			return &Body[RecoveryCodesView]{RecoveryCodesView{codes}}, err
		})
}

func (s *Server) registerPersonPhone(phone string) {
	handlePerson(s, operation{id: "begin-own-phone", method: "POST", path: phone, summary: "Send a code to a phone" + takesProof, status: http.StatusAccepted},
		func(ctx context.Context, c personCall, in *with[PhoneBody]) (*Body[PhoneRequestView], error) {
			request, err := s.Identity.BeginPhone(ctx, c.token, in.Body.Number, in.Body.Call, c.from)
			return &Body[PhoneRequestView]{PhoneRequestView{request}}, err
		})
	handlePerson(s, operation{id: "confirm-own-phone", method: "POST", path: phone + "/confirm", summary: "Verify a phone with the code that came to it"},
		func(ctx context.Context, c personCall, in *with[PhoneCodeBody]) (*Body[PhoneView], error) {
			found, err := s.Identity.ConfirmPhone(ctx, c.token, in.Body.Request, in.Body.Code)
			if err != nil {
				return nil, err
			}
			return &Body[PhoneView]{viewPhone(&found)}, nil
		})
	handlePerson(s, operation{id: "remove-own-phone", method: "POST", path: phone + "/remove", summary: "Take your phone number away" + takesProof, status: http.StatusNoContent},
		func(ctx context.Context, c personCall, _ *struct{}) (*struct{}, error) {
			return nil, s.Identity.RemovePhone(ctx, c.token)
		})
}
