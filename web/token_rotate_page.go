package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// overlaps are how long an old secret may go on working, in hours.
var overlaps = []page.Option{
	{Value: "0", Label: "Not at all: it ends now"}, {Value: "1", Label: "1 hour"}, {Value: "24", Label: "24 hours"},
	{Value: "72", Label: "3 days"}, {Value: "168", Label: "7 days"},
}

func showTokenRotate(v *visit, status int, form page.Form) error {
	token, err := idParam[identity.Token](v, "id")
	if err != nil {
		return err
	}
	return v.show(status, "token-rotate", func(tx *tenant.Tx) (any, error) {
		t, err := identity.TokenByID(v.ctx, tx, token)
		if err != nil {
			return nil, err
		}
		data := page.TokenRotate{Form: form, Token: t, Action: v.at("tokens", token.String(), "rotate"), Overlap: overlaps}
		data.Shell, err = v.frame(tx, "Rotate "+t.Name, "tokens")
		return data, err
	})
}

// sendTokenRotate answers with the new secret itself, because it is shown this once.
func sendTokenRotate(v *visit) error {
	token, err := idParam[identity.Token](v, "id")
	if err != nil {
		return err
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	key := sent.Get("idempotency_key")
	if !visible(key) {
		return errKeyShape
	}
	overlap := identity.MaxTokenOverlap + 1 // what is no number is refused as one too many
	if hours, err := strconv.Atoi(sent.Get("overlap")); err == nil && hours >= 0 && hours <= 1000 {
		overlap = time.Duration(hours) * time.Hour
	}
	var data page.TokenMade
	err = v.run(func(tx *tenant.Tx) error {
		data = page.TokenMade{}
		_, _, err := tx.Once(v.ctx, key, v.digest(), func() (_ uuid.UUID, err error) {
			data.Token, data.Secret, err = identity.RotateToken(v.ctx, tx, token, overlap)
			return token.UUID, err
		})
		if err != nil {
			return err
		}
		if data.Secret == "" {
			if data.Token, err = identity.TokenByID(v.ctx, tx, token); err != nil {
				return err
			}
		}
		data.Shell, err = v.frame(tx, data.Token.Name, "tokens")
		return err
	})
	form := page.FormOf(sent)
	if isFormFault(err) && form.Refused(err) {
		return showTokenRotate(v, http.StatusUnprocessableEntity, keyed(form))
	} else if err != nil {
		return err
	}
	return render(v.c, http.StatusOK, "token-made", data)
}
