package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerClosingPages() {
	s.member("GET", "/closing", rightTo(authz.Read, authz.Journal), func(v *visit) error { return showClosing(v, http.StatusOK, nil, nil) })
	s.member("POST", "/closing", rightTo(authz.Approve, authz.Journal), sendClosing)
	s.member("POST", "/closing/reopen", rightTo(authz.Approve, authz.Journal), sendReopening)
}

func showClosing(v *visit, status int, closing, reopening *page.Form) error {
	return v.show(status, "closing", func(tx *tenant.Tx) (any, error) {
		var data page.Closing
		var err error
		if data.Shell, err = v.frame(tx, "Closing", "closing"); err != nil {
			return nil, err
		}
		settings, err := billing.LoadSettings(v.ctx, tx)
		if err != nil {
			return nil, err
		}
		data.Closed = settings.BooksClosedThrough
		data.Form = orFresh(closing, func() page.Form { return page.NewForm() })
		data.Reopen = orFresh(reopening, func() page.Form { return page.NewForm() })
		data.Reopen.ID = "reopen"
		data.Years, err = ledger.Closings(v.ctx, tx)
		return data, err
	})
}

func sendClosing(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		through, err := bodyDate("through", sent.Get("through"))
		if err != nil {
			return uuid.Nil, err
		}
		return uuid.Nil, ledger.CloseBooks(v.ctx, tx, through, sent.Get("year_end") != "")
	}, func(uuid.UUID) string {
		say(v.c, "Books closed")
		return v.at("closing")
	}, func(form page.Form) error { return showClosing(v, http.StatusUnprocessableEntity, &form, nil) })
}

func sendReopening(v *visit) error {
	return v.send(nil, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		through, err := bodyDate("through", sent.Get("through"))
		if err != nil {
			return uuid.Nil, err
		}
		return uuid.Nil, ledger.ReopenBooks(v.ctx, tx, through)
	}, func(uuid.UUID) string {
		say(v.c, "Days reopened")
		return v.at("closing")
	}, func(form page.Form) error { return showClosing(v, http.StatusUnprocessableEntity, nil, &form) })
}
