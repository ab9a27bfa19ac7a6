package audit

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// Actor is someone who has done something in the organization.
type Actor struct {
	ID      uuid.UUID
	Name    string
	Support bool // let in by a grant, not a member
}

// Actors gives the organization's people by name, those who are denied access among them, and then whoever of support
// it ever let in.
func Actors(ctx context.Context, tx *tenant.Tx) ([]Actor, error) { return selectActors(ctx, tx) }

// MailsHead says whether the head of the chain is mailed to the owners daily.
func MailsHead(ctx context.Context, tx *tenant.Tx) (bool, error) { return selectMailsHead(ctx, tx) }

// SetMailsHead turns that on or off.
func SetMailsHead(ctx context.Context, tx *tenant.Tx, on bool) error {
	was, err := updateMailsHead(ctx, tx, on)
	if err != nil || was == on {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "settings.change", Object: "settings", Changes: []tenant.Change{
		{Field: "mail_chain_head", Before: strconv.FormatBool(was), After: strconv.FormatBool(on)}}})
}

// Send mails a text to one address.
type Send func(ctx context.Context, to, subject, text string) error

// MailHead seals what waits for it and mails the head of the chain to the organization's owners, if they want that.
// Run again after a failure, it may mail again to some.
func MailHead(ctx context.Context, db *tenant.DB, s tenant.Scope, send Send) error {
	var wanted bool
	err := tenant.Do(ctx, db, s, func(tx *tenant.Tx) (err error) {
		wanted, err = selectMailsHead(ctx, tx)
		return err
	})
	if err != nil || !wanted {
		return err
	}
	if _, err := Seal(ctx, db, s); err != nil {
		return err
	}
	var head Head
	var owners []string
	err = tenant.Do(ctx, db, s, func(tx *tenant.Tx) (err error) {
		if head, err = selectHead(ctx, tx); err != nil {
			return err
		}
		owners, err = selectOwners(ctx, tx)
		return err
	})
	if err != nil || head.Seq == 0 {
		return err
	}
	for _, to := range owners {
		if err := send(ctx, to, "The record of "+s.Organization().Name, headText(s.Organization(), head)); err != nil {
			return fmt.Errorf("mailing the head of a chain: %w", err)
		}
	}
	return nil
}

func headText(o tenant.Organization, head Head) string {
	return fmt.Sprintf("Keep this mail. With it you can prove later that nothing in the record of %s was changed up to now.\n\n"+
		"Organization  %s\nRows          %d\nSealed until  %s\nHead          %s\n\n"+
		"To prove it, fetch the sealed record from the page Activity and run:\n\n"+
		"    countinghouse audit verify --head %s record.jsonl\n", o.Name, o.ID, head.Seq, stamp(head.SealedAt), head.Hash, head.Hash)
}
