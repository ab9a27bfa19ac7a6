package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
)

// prove proves an organization's books once a night, and has its owners and the operator told when they do not agree.
func (w work) prove(ctx context.Context, s tenant.Scope) error {
	p, done, err := proof.ProveWhenDue(ctx, w.db, s)
	if err != nil || !done || p.Whole() {
		return err
	}
	return w.guard(w.db).Raise(ctx, watch.Event{Kind: watch.Disagreeing, Organization: s.Organization().ID,
		Detail: several(p.Found, "findings") + " of " + several(int(p.Entries), "entries")})
}

// orgProve proves books by hand.
type orgProve struct {
	orgDatabase
	Slug string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Help is what --help adds.
func (orgProve) Help() string {
	return "A worker does the same for each organization once a night, from 3 o'clock on in its time zone. Owners see on their overview " +
		"what came of it. This ends with an error where something does not agree."
}

// Run proves, and says of each check what it came to.
func (c orgProve) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c orgProve) run(ctx context.Context, out io.Writer) error {
	return c.use(ctx, func(db *tenant.DB) error { return proveBooks(ctx, db, c.Slug, out) })
}

func proveBooks(ctx context.Context, db *tenant.DB, slug string, out io.Writer) error {
	scope, err := tenant.EnterOperator(ctx, db, slug)
	if err != nil {
		return err
	}
	p, err := proof.Prove(ctx, db, scope)
	if err != nil {
		return err
	}
	return sayProof(out, slug, p)
}

// sayProof writes a line for each check and for what does not agree, and fails where something does not.
func sayProof(out io.Writer, slug string, p proof.Proof) error {
	for _, c := range proof.Checks() {
		var said []string
		for _, f := range p.Findings {
			if f.Check == c.Key {
				said = append(said, f.Say)
			}
		}
		verdict := "yes"
		if len(said) > 0 {
			verdict = "NO "
		}
		if _, err := fmt.Fprintf(out, "%s  %s\n", verdict, c.Name); err != nil {
			return err
		}
		for _, s := range said {
			if _, err := fmt.Fprintf(out, "     %s\n", s); err != nil {
				return err
			}
		}
	}
	if !p.Whole() {
		since := "They never were proved to agree."
		if !p.WholeAt.IsZero() {
			since = "They agreed last on " + p.WholeAt.UTC().Format(time.RFC1123) + "."
		}
		return fmt.Errorf("the books of %s do not agree: %s. %s", slug, several(p.Found, "findings"), since)
	}
	_, err := fmt.Fprintf(out, "\nThe books of %s are proved: %s, %s of the chain.\n", slug, several(int(p.Entries), "entries"), several(int(p.Seals), "rows"))
	return err
}
