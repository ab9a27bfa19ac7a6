package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerBrandingPages() {
	s.member("GET", "/settings/branding", rightTo(authz.Read, authz.Settings), func(v *visit) error { return showBranding(v, http.StatusOK, nil) })
	s.member("POST", "/settings/branding", rightTo(authz.Change, authz.Settings), sendBranding)
	s.member("GET", "/settings/branding/logo", rightTo(authz.Read, authz.Settings), fetchLogo)
	s.member("POST", "/settings/branding/logo", rightTo(authz.Change, authz.Settings), sendLogo)
}

func showBranding(v *visit, status int, sent *page.Form) error {
	return v.show(status, "branding", func(tx *tenant.Tx) (any, error) {
		b, err := billing.LoadBranding(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		form := orFresh(sent, func() page.Form {
			return page.NewForm("colour", b.Colour, "pay_to", b.PayTo, "foot", b.Foot, "reply_to", b.ReplyTo,
				"reminder_days", billing.WriteReminders(b.Reminders), "version", strconv.Itoa(b.Version))
		})
		renewVersion(&form, b.Version)
		data := page.Branding{Form: form, LogoKey: newFormKey()}
		if !b.Logo.IsZero() {
			data.Logo = v.at("settings", "branding", "logo") + "?logo=" + b.Logo.String()
		}
		data.Shell, err = v.frame(tx, "Documents and mail", "branding")
		return data, err
	})
}

func sendBranding(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = billing.ChangeBranding(v.ctx, tx, version, billing.BrandingInput{Colour: sent.Get("colour"), PayTo: sent.Get("pay_to"),
			Foot: sent.Get("foot"), ReplyTo: sent.Get("reply_to"), Reminders: sent.Get("reminder_days")})
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Saved")
		return v.at("settings", "branding")
	}, func(form page.Form) error { return showBranding(v, http.StatusUnprocessableEntity, &form) })
}

func sendLogo(v *visit) error {
	return v.upload(func(tx *tenant.Tx, _ url.Values, f uploaded) (uuid.UUID, error) {
		_, err := billing.ChangeLogo(v.ctx, tx, f.name, f.bytes)
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, "Logo saved")
		return v.at("settings", "branding")
	}, func(form page.Form) error { return showBranding(v, http.StatusUnprocessableEntity, &form) })
}

// fetchLogo shows the logo on the settings' page.
func fetchLogo(v *visit) error {
	var picture []byte
	var logo file.File
	err := v.run(func(tx *tenant.Tx) error {
		b, err := billing.LoadBranding(v.ctx, tx)
		if err != nil {
			return err
		}
		if logo, err = file.ByID(v.ctx, tx, b.Logo); err != nil {
			return err
		}
		picture, err = file.Read(v.ctx, tx, logo)
		return err
	})
	if err != nil {
		return err
	}
	v.c.Set("Content-Type", logo.MediaType)
	return v.c.Send(picture)
}
