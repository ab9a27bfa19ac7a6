package web

import (
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// keptDraft is what the script of the editor is told of a draft that it sent. Version is 0 when nothing was kept.
type keptDraft struct {
	Say     string `json:"say"`
	Version int    `json:"version"`
	Key     string `json:"key"`    // for the next sending
	Stop    bool   `json:"stop"`   // nothing more is to be sent by itself
	Action  string `json:"action"` // where the draft is from now on
	Paper   string `json:"paper"`  // where it is seen on paper; empty for nowhere
}

// setDraftKeeping says what the editor does by itself. A draft is kept by whoever may change it: another could make one
// and then never finish it.
func (v *visit) setDraftKeeping(d desk, document uuid.UUID, data *page.InvoiceForm) {
	data.Keeps = !d.repeats && v.may(rightTo(authz.Change, d.module))
	data.OnPaper = d.onPaper
	if !d.onPaper {
		return
	}
	v.c.Set("Content-Security-Policy", editorPolicy)
	if document != uuid.Nil {
		data.Paper = v.at(d.path, document.String(), "pdf")
	}
}

// keepDraft keeps what the editor holds while it is being written, as its button would: on the version that the page was
// made on, so that what someone else wrote meanwhile is never written over, and once for each sending, so that a lost
// answer makes no second draft. What cannot be kept yet is told in the answer; nobody asked for it, so it is no refusal.
func keepDraft(v *visit, d desk, document uuid.UUID, sent url.Values) error {
	if d.with != nil {
		d = d.with(sent)
	}
	key := sent.Get("idempotency_key")
	if !visible(key) {
		return errKeyShape
	}
	var made uuid.UUID
	var version int
	err := v.run(func(tx *tenant.Tx) (err error) {
		made, _, err = tx.Once(v.ctx, key, v.digest(), func() (uuid.UUID, error) {
			kept, _, err := saveDraft(v, tx, d, document, sent)
			return kept, err
		})
		return err
	})
	answer := keptDraft{Key: newFormKey()}
	form := page.FormOf(sent)
	switch {
	case err == nil:
		// Each keeping is one version more, also where this one was kept when it first came and its answer was lost.
		if document != uuid.Nil {
			if version, err = strconv.Atoi(sent.Get("version")); err != nil {
				return errFormVersion
			}
		}
		answer.Say, answer.Version, answer.Action = "Draft saved", version+1, v.at(d.path, made.String())
		if d.onPaper {
			answer.Paper = v.at(d.path, made.String(), "pdf")
		}
	case isFormFault(err) && form.Refused(err):
		answer.Stop = fault.KindOf(err) == fault.Conflict
		answer.Say = "Not saved yet. " + form.Wrongs()[0].Say
		if answer.Stop {
			answer.Say = "Not saved. " + form.Wrongs()[0].Say
		}
	default:
		return err
	}
	answer.Say = page.Say(languageOf(v.c), answer.Say)
	return v.c.JSON(answer)
}

// saveDraft keeps what the editor was sent with: a new draft, or a draft anew.
func saveDraft(v *visit, tx *tenant.Tx, d desk, document uuid.UUID, sent url.Values) (made uuid.UUID, version int, err error) {
	in, version, err := documentInput(sent, document != uuid.Nil)
	if err != nil {
		return uuid.Nil, 0, err
	}
	if d.allowed != nil {
		if err := d.allowed(v, tx, sent); err != nil {
			return uuid.Nil, 0, err
		}
	}
	if document == uuid.Nil {
		return d.draft(v.ctx, tx, in)
	}
	version, err = d.revise(v.ctx, tx, document, version, in)
	return document, version, err
}
