package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errChosenAct = fault.New(fault.Invalid, "chosen.act", "This list cannot do that. Open the page again.")

// mostChosen is a page of a list.
const mostChosen = 100

// chosenList is a list of which several can be ticked and acted on at once.
type chosenList struct {
	path      string
	fields    []string // of its address, that stay
	one, many string   // "invoice", "invoices"
	none      error    // nothing is ticked
	acts      map[string]chosenAct
	name      func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID) (string, error) // of one, for a refusal
	show      func(v *visit, status int, form page.Form) error
}

// chosenAct is one thing to do with them, by the value of its button.
type chosenAct struct {
	said string
	do   func(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, sent url.Values) error
}

// sendChosen does one thing to all that were ticked, or to none of them: a list of which half is done is worse to put
// right than one that was refused.
func sendChosen(v *visit, l chosenList) error {
	sent, err := readForm(v.c, "chosen")
	if err != nil {
		return err
	}
	act, known := l.acts[sent.Get("act")]
	count := len(sent["chosen"])
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		switch {
		case !known || count > mostChosen:
			return uuid.Nil, errChosenAct
		case count == 0:
			return uuid.Nil, l.none
		}
		for _, text := range sent["chosen"] {
			thing, err := uuid.Parse(text)
			if err != nil {
				return uuid.Nil, errNoID
			}
			if err := act.do(v.ctx, tx, thing, sent); err != nil {
				return uuid.Nil, l.named(v.ctx, tx, thing, err)
			}
		}
		return uuid.Nil, nil
	}, func(uuid.UUID) string {
		if count == 1 {
			say(v.c, act.said+" one "+l.one)
		} else {
			say(v.c, act.said+" "+page.Plural(count, l.one, l.many))
		}
		return v.kept(l.path, l.fields)
	}, func(form page.Form) error { return l.show(v, http.StatusUnprocessableEntity, form) })
}

// named says in a refusal which of several it was about.
func (l chosenList) named(ctx context.Context, tx *tenant.Tx, thing uuid.UUID, refused error) error {
	var f *fault.Error
	if !errors.As(refused, &f) || f.Kind == fault.NotFound {
		return refused
	}
	name, err := l.name(ctx, tx, thing)
	if err != nil {
		return errors.Join(refused, err)
	}
	return f.Sayf("Nothing was done, because of %s: %s", name, f.Say)
}
