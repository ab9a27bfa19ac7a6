package web

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// settingsRow is what an organization has set about one matter: a B that is read whole and written anew whole.
type settingsRow[B any] struct {
	name, path, tag string // the ids are get-name and change-name
	module          authz.Module
	reads, writes   string // what the two do
	load            func(ctx context.Context, tx *tenant.Tx) (B, int, error)
	save            func(ctx context.Context, tx *tenant.Tx, version int, in B) (B, int, error)
}

func handleSettings[B any](s *Server, r settingsRow[B]) {
	handle(s, operation{id: "get-" + r.name, method: "GET", path: r.path, right: rightTo(authz.Read, r.module), tag: r.tag, summary: r.reads},
		func(ctx context.Context, c *call, _ *struct{}) (out *Versioned[B], err error) {
			err = c.do(ctx, func(tx *tenant.Tx) error {
				is, version, err := r.load(ctx, tx)
				out = versioned(is, version)
				return err
			})
			return out, err
		})
	handle(s, operation{id: "change-" + r.name, method: "PUT", path: r.path, right: rightTo(authz.Change, r.module), tag: r.tag, summary: r.writes},
		func(ctx context.Context, c *call, in *struct {
			IfMatch
			Body B
		}) (out *Versioned[B], err error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			err = c.do(ctx, func(tx *tenant.Tx) error {
				is, now, err := r.save(ctx, tx, version, in.Body)
				out = versioned(is, now)
				return err
			})
			return out, err
		})
}

// save is send for a form that writes settings anew: it leads back to their page, which is at, and says what was done.
func (v *visit) save(many []string, at, said string, do func(tx *tenant.Tx, version int, sent url.Values) error, refused func(form page.Form) error) error {
	return v.send(many, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		version, err := versionOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		return uuid.Nil, do(tx, version, sent)
	}, func(uuid.UUID) string {
		say(v.c, said)
		return at
	}, refused)
}
