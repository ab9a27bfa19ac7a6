package web

import (
	"context"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/admission"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// AdmissionBody is what may be changed of the rules of entry.
type AdmissionBody struct {
	SecondFactor   bool     `json:"second_factor" doc:"Members without a second factor are led to set one up, and get nothing else"`
	PasswordLength int      `json:"password_length" doc:"12, 15 or 20 characters at least" example:"15"`
	PasswordScore  int      `json:"password_score" doc:"Strength by zxcvbn, 2 to 4" example:"3"`
	PasswordDays   int      `json:"password_days,omitempty" doc:"After how many days a password has to be changed; 0 is never"`
	IdleMinutes    int      `json:"idle_minutes,omitempty" doc:"After how long without use a member shows again who they are; 0 is as the platform has it"`
	SessionHours   int      `json:"session_hours,omitempty" doc:"After how long in any case; 0 is as the platform has it"`
	PortalCaptcha  bool     `json:"portal_captcha,omitempty" doc:"A CAPTCHA stands before the sign-up of the customers' portal"`
	Exempt         []string `json:"exempt,omitempty" doc:"Members of whom neither second factor nor password rules are asked"`
}

// AdmissionView is the rules of entry, and what they mean for the members of today.
type AdmissionView struct {
	AdmissionBody
	Effect AdmissionEffect `json:"effect"`
}

// AdmissionEffect is how many of the members have to do something before they get in.
type AdmissionEffect struct {
	Members          int `json:"members"`
	NoSecondFactor   int `json:"no_second_factor"`
	WeakPassword     int `json:"weak_password"`
	OutdatedPassword int `json:"outdated_password"`
}

func (b AdmissionBody) rules() (admission.Rules, error) {
	r := admission.Rules{SecondFactor: b.SecondFactor, PasswordLength: b.PasswordLength, PasswordScore: b.PasswordScore, PasswordDays: b.PasswordDays,
		IdleMinutes: b.IdleMinutes, SessionHours: b.SessionHours, PortalCaptcha: b.PortalCaptcha}
	for _, text := range b.Exempt {
		person, ok := id.Parse[tenant.Person](text)
		if !ok {
			return r, fault.List{admission.ErrExempt}
		}
		r.Exempt = append(r.Exempt, person)
	}
	return r, nil
}

func viewAdmission(ctx context.Context, tx *tenant.Tx, r admission.Rules) (AdmissionView, error) {
	members, err := admission.Members(ctx, tx)
	if err != nil {
		return AdmissionView{}, err
	}
	e := r.Effect(members, tx.Now())
	v := AdmissionView{Effect: AdmissionEffect{e.Members, e.NoFactor, e.WeakPassword, e.OldPassword}, AdmissionBody: AdmissionBody{SecondFactor: r.SecondFactor,
		PasswordLength: r.PasswordLength, PasswordScore: r.PasswordScore, PasswordDays: r.PasswordDays, IdleMinutes: r.IdleMinutes,
		SessionHours: r.SessionHours, PortalCaptcha: r.PortalCaptcha}}
	for _, p := range r.Exempt {
		v.Exempt = append(v.Exempt, p.String())
	}
	return v, nil
}

type admissionChange struct {
	IfMatch
	Confirm bool `query:"confirm" doc:"Set the rules although members have to do something before they get in"`
	Body    AdmissionBody
}

func (s *Server) registerAdmissionAPI() {
	const tag = "Settings"
	handle(s, operation{id: "get-security-rules", method: "GET", path: "/v1/settings/security", right: rightTo(authz.Read, authz.Security), tag: tag, summary: "Read what the organization asks of who enters it"},
		func(ctx context.Context, c *call, _ *struct{}) (out *Versioned[AdmissionView], err error) {
			err = c.do(ctx, func(tx *tenant.Tx) error {
				rules, err := admission.Load(ctx, tx)
				if err != nil {
					return err
				}
				v, err := viewAdmission(ctx, tx, rules)
				out = versioned(v, rules.Version)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "change-security-rules", method: "PUT", path: "/v1/settings/security", right: rightTo(authz.Change, authz.Security), tag: tag, summary: "Write anew what the organization asks of who enters it"},
		func(ctx context.Context, c *call, in *admissionChange) (out *Versioned[AdmissionView], err error) {
			rules, err := in.Body.rules()
			if err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				next, err := admission.Change(ctx, tx, version, rules, in.Confirm)
				if err != nil {
					return err
				}
				v, err := viewAdmission(ctx, tx, next)
				out = versioned(v, next.Version)
				return err
			})
			return out, err
		})
}
