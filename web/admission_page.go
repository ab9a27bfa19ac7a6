package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/admission"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errAdmissionNumber = fault.New(fault.Invalid, "number.malformed", "Give a whole number.")

func (s *Server) registerAdmissionPages() {
	s.member("GET", "/settings/security", rightTo(authz.Read, authz.Security), func(v *visit) error { return showAdmission(v, http.StatusOK, nil) })
	s.member("POST", "/settings/security", rightTo(authz.Change, authz.Security), sendAdmission)
}

// admissionWays is where whoever an organization's rules keep out can do something about it.
var admissionWays = map[string]string{
	tenant.ErrEntrySecondFactor.Code: secondFactorPath,
	tenant.ErrEntryPassword.Code:     passwordPath,
	tenant.ErrEntryPasswordAge.Code:  passwordPath,
	tenant.ErrEntryProof.Code:        "/account/prove",
}

// leadToAdmission leads whom an organization's rules keep out to where they can satisfy them; ok is false for any other
// error.
func leadToAdmission(c *fiber.Ctx, err error) (ok bool, answer error) {
	var f *fault.Error
	if !errors.As(err, &f) || admissionWays[f.Code] == "" {
		return false, nil
	}
	to := admissionWays[f.Code]
	say(c, f.Say)
	if to == "/account/prove" {
		next := "/"
		if c.Method() == http.MethodGet {
			next = c.OriginalURL()
		}
		to += "?next=" + url.QueryEscape(wayBack(next))
	}
	return true, c.Redirect(to, http.StatusSeeOther)
}

func showAdmission(v *visit, status int, refused *page.Form) error {
	return v.show(status, "settings-security", func(tx *tenant.Tx) (any, error) {
		rules, err := admission.Load(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		members, err := admission.Members(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := orFresh(refused, func() page.Form { return admissionForm(rules) })
		renewVersion(&form, rules.Version)
		data := page.SettingsSecurity{Form: form, Now: rules.Effect(members, tx.Now()).Sentences(), Lengths: page.AdmissionLengths, Scores: page.AdmissionScores}
		for _, m := range members {
			data.Members = append(data.Members, page.AdmissionMember{ID: m.Person.String(), Name: m.Name, SecondFactor: m.SecondFactor, Since: m.PasswordSince,
				Exempt: form.Has("exempt", m.Person.String())})
		}
		data.Asks = form.Fault("confirm") != ""
		data.Shell, err = v.frame(tx, "Security", "security")
		return data, err
	})
}

func admissionForm(r admission.Rules) page.Form {
	form := page.NewForm("second_factor", box(r.SecondFactor), "password_length", strconv.Itoa(r.PasswordLength), "password_score", strconv.Itoa(r.PasswordScore),
		"password_days", blankZero(r.PasswordDays), "idle_minutes", blankZero(r.IdleMinutes), "session_hours", blankZero(r.SessionHours),
		"portal_captcha", box(r.PortalCaptcha), "version", strconv.Itoa(r.Version))
	for _, p := range r.Exempt {
		form.Values.Add("exempt", p.String())
	}
	return form
}

func box(ticked bool) string {
	if ticked {
		return "yes"
	}
	return ""
}

// blankZero leaves a field empty where nothing is asked.
func blankZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func admissionInput(sent url.Values) (admission.Rules, error) {
	var broken fault.List
	number := func(name string) int {
		value := strings.TrimSpace(sent.Get(name))
		if value == "" {
			return 0
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 1<<20 {
			broken = append(broken, errAdmissionNumber.At(name))
		}
		return n
	}
	r := admission.Rules{SecondFactor: sent.Get("second_factor") == "yes", PasswordLength: number("password_length"), PasswordScore: number("password_score"),
		PasswordDays: number("password_days"), IdleMinutes: number("idle_minutes"), SessionHours: number("session_hours"),
		PortalCaptcha: sent.Get("portal_captcha") == "yes"}
	for _, text := range sent["exempt"] {
		person, ok := id.Parse[tenant.Person](text)
		if !ok {
			return r, fault.List{admission.ErrExempt}
		}
		r.Exempt = append(r.Exempt, person)
	}
	return r, broken.Err()
}

func sendAdmission(v *visit) error {
	return v.send([]string{"exempt"}, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		rules, err := admissionInput(sent)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = admission.Change(v.ctx, tx, version, rules, sent.Get("confirm") == "yes")
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Security rules saved")
		return v.at("settings", "security")
	}, func(form page.Form) error { return showAdmission(v, http.StatusUnprocessableEntity, &form) })
}
