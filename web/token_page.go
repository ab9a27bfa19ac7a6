package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// registerTokenPages asks whoever makes a token, or a new secret for one, to show again that it is them: it opens the
// books for longer than the session that they sit in.
func (s *Server) registerTokenPages() {
	s.member("GET", "/tokens", rightTo(authz.Read, authz.Tokens), func(v *visit) error { return showTokens(v, http.StatusOK, page.Form{}) })
	s.member("GET", "/tokens/new", rightTo(authz.Create, authz.Tokens), func(v *visit) error {
		return v.afterFreshProof(v.at("tokens", "new"), func() error { return showTokenForm(v, http.StatusOK, keyed(page.NewForm())) })
	})
	s.member("POST", "/tokens", rightTo(authz.Create, authz.Tokens), func(v *visit) error {
		return v.afterFreshProof(v.at("tokens", "new"), func() error { return sendToken(v) })
	})
	s.member("GET", "/tokens/:id/rotate", rightTo(authz.Change, authz.Tokens), func(v *visit) error {
		return v.afterFreshProof(v.at("tokens", v.c.Params("id"), "rotate"), func() error {
			return showTokenRotate(v, http.StatusOK, keyed(page.NewForm("overlap", "24")))
		})
	})
	s.member("POST", "/tokens/:id/rotate", rightTo(authz.Change, authz.Tokens), func(v *visit) error {
		return v.afterFreshProof(v.at("tokens", v.c.Params("id"), "rotate"), func() error { return sendTokenRotate(v) })
	})
	s.member("POST", "/tokens/:id/revoke", rightTo(authz.Delete, authz.Tokens), sendTokenRevoke)
}

func showTokens(v *visit, status int, form page.Form) error {
	var q cursor.Query
	if v.c.Method() == http.MethodGet {
		var err error
		if q, err = v.page(); err != nil {
			return err
		}
	}
	return v.show(status, "tokens", func(tx *tenant.Tx) (any, error) {
		data := page.Tokens{Form: form}
		var err error
		if data.Shell, err = v.frame(tx, "API tokens", "tokens"); err != nil {
			return nil, err
		}
		found, err := identity.Tokens(v.ctx, tx, q)
		for _, t := range found.Items {
			row := page.TokenRow{Token: t, State: tokenState(t, tx.Now())}
			row.Overlap = row.State == "active" && t.FormerUntil != nil && t.FormerUntil.After(tx.Now())
			if row.State == "active" && t.Maker == v.scope.Person().ID && v.may(rightTo(authz.Change, authz.Tokens)) {
				row.Rotate = v.at("tokens", t.ID.String(), "rotate")
			}
			if row.State == "active" && v.may(rightTo(authz.Delete, authz.Tokens)) {
				row.Acts = []page.Act{{URL: v.at("tokens", t.ID.String(), "revoke"), Label: "Revoke", Icon: "ban", Class: "btn-small btn-danger",
					Ask: "Whatever uses it is locked out from the next request on.", Does: "Revoke " + t.Name, Key: newFormKey()}}
			}
			data.Items = append(data.Items, row)
		}
		data.Pager = pager(v, q, found, func(t identity.Token) uuid.UUID { return t.ID.UUID }, "")
		return data, err
	})
}

func tokenState(t identity.Token, now time.Time) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt != nil && !t.ExpiresAt.After(now):
		return "expired"
	}
	return "active"
}

func showTokenForm(v *visit, status int, form page.Form) error {
	return v.show(status, "token-edit", func(tx *tenant.Tx) (any, error) {
		form.Move("expires_at", "expires_on")
		for i, e := range form.Faults {
			switch {
			case strings.HasPrefix(e.Field, "scopes["): // one scope, which has no field of its own
				form.Faults[i] = e.At("scopes")
			case e.Field == "scopes" && len(form.Values["scopes"]) == 0:
				form.Faults[i] = e.Sayf("Tick at least one box.")
			}
		}
		shell, err := v.frame(tx, "Make a token", "tokens")
		return page.TokenForm{Shell: shell, Form: form, Scopes: scopeRows(v)}, err
	})
}

// scopeRows lists what the reader can hand on, everything first. A part that the API does not reach is left out.
func scopeRows(v *visit) []page.ScopeRow {
	row := func(module, name string) page.ScopeRow {
		return page.ScopeRow{Module: module, Name: name, Read: v.mayHandOn(module+":read") == nil, Write: v.mayHandOn(module+":write") == nil}
	}
	rows := []page.ScopeRow{row("*", "Everything that you may")}
	reached := map[authz.Module]bool{}
	for _, route := range v.server.routes {
		if slices.Contains(route.Kinds, tenant.Token) {
			reached[route.Right.Module] = true
		}
	}
	for _, group := range authz.Rights() {
		if r := row(string(group.Module), group.Name); reached[group.Module] && (r.Read || r.Write) {
			rows = append(rows, r)
		}
	}
	return rows
}

// sendToken answers with the token itself, because it is shown this once: it must be in no address and no cookie.
func sendToken(v *visit) error {
	sent, err := readForm(v.c, "scopes")
	if err != nil {
		return err
	}
	key := sent.Get("idempotency_key")
	if !visible(key) {
		return errKeyShape
	}
	var data page.TokenMade
	err = v.run(func(tx *tenant.Tx) error {
		data = page.TokenMade{}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return err
		}
		in, err := tokenInput(sent, settings)
		if err != nil {
			return err
		}
		made, _, err := tx.Once(v.ctx, key, v.digest(), func() (_ uuid.UUID, err error) {
			data.Token, data.Secret, err = identity.AddToken(v.ctx, tx, in, v.mayHandOn)
			return data.Token.ID.UUID, err
		})
		if err != nil {
			return err
		}
		if data.Secret == "" {
			if data.Token, err = identity.TokenByID(v.ctx, tx, id.Of[identity.Token]{UUID: made}); err != nil {
				return err
			}
		}
		data.Shell, err = v.frame(tx, data.Token.Name, "tokens")
		return err
	})
	form := page.FormOf(sent)
	if isFormFault(err) && form.Refused(err) {
		return showTokenForm(v, http.StatusUnprocessableEntity, keyed(form))
	} else if err != nil {
		return err
	}
	return render(v.c, http.StatusCreated, "token-made", data)
}

// tokenInput reads the form. A token is good through all of its last day, as the organization counts days.
func tokenInput(sent url.Values, settings billing.Settings) (identity.TokenInput, error) {
	in := identity.TokenInput{Name: sent.Get("name"), Scopes: sent["scopes"]}
	last, err := bodyDate("expires_on", sent.Get("expires_on"))
	if err != nil || last.IsZero() {
		return in, err
	}
	next := last.AddDays(1)
	end := time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, settings.Zone())
	in.ExpiresAt = &end
	return in, nil
}

func sendTokenRevoke(v *visit) error {
	token, err := idParam[identity.Token](v, "id")
	if err != nil {
		return err
	}
	return v.send(nil, func(tx *tenant.Tx, _ url.Values) (uuid.UUID, error) {
		return token.UUID, identity.RevokeToken(v.ctx, tx, token)
	}, func(uuid.UUID) string {
		say(v.c, "Revoked")
		return v.at("tokens")
	}, func(form page.Form) error { return showTokens(v, http.StatusUnprocessableEntity, form) })
}
