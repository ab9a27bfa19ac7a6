package billing

import (
	"context"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
)

const brandingColumns = `coalesce(logo_id, '00000000-0000-0000-0000-000000000000') AS logo_id, document_colour, pay_to, document_foot,
	reply_to_email, reminder_days, version`

type brandingRow struct {
	Logo      file.ID `db:"logo_id"`
	Colour    string  `db:"document_colour"`
	PayTo     string  `db:"pay_to"`
	Foot      string  `db:"document_foot"`
	ReplyTo   string  `db:"reply_to_email"`
	Reminders string  `db:"reminder_days"`
	Version   int     `db:"version"`
}

func (r brandingRow) branding() (Branding, error) {
	days, err := ParseReminders(r.Reminders)
	if err != nil {
		return Branding{}, fmt.Errorf("stored reminder days %q: %v", r.Reminders, err)
	}
	return Branding{Logo: r.Logo, Colour: r.Colour, PayTo: r.PayTo, Foot: r.Foot, ReplyTo: r.ReplyTo, Reminders: days, Version: r.Version}, nil
}

func selectBranding(ctx context.Context, tx *tenant.Tx) (Branding, error) {
	var row brandingRow
	if err := tx.Get(ctx, &row, `SELECT `+brandingColumns+` FROM settings`); err != nil {
		return Branding{}, fmt.Errorf("reading how documents look: %w", err)
	}
	return row.branding()
}

func lockBranding(ctx context.Context, tx *tenant.Tx) (Branding, error) {
	var row brandingRow
	if err := tx.Get(ctx, &row, `SELECT `+brandingColumns+` FROM settings FOR UPDATE`); err != nil {
		return Branding{}, fmt.Errorf("reading how documents look: %w", err)
	}
	return row.branding()
}

func updateBranding(ctx context.Context, tx *tenant.Tx, version int, in BrandingInput) (Branding, error) {
	var row brandingRow
	err := tx.Get(ctx, &row, `
		UPDATE settings SET document_colour = $2, pay_to = $3, document_foot = $4, reply_to_email = $5, reminder_days = $6, version = version + 1
		 WHERE $1 = 0 OR version = $1
		RETURNING `+brandingColumns, version, in.Colour, in.PayTo, in.Foot, in.ReplyTo, in.Reminders)
	if errors.Is(err, tenant.ErrNoRows) {
		return Branding{}, ErrSettingsChanged
	} else if err != nil {
		return Branding{}, fmt.Errorf("changing how documents look: %w", err)
	}
	return row.branding()
}

func updateLogo(ctx context.Context, tx *tenant.Tx, logo file.ID) (Branding, error) {
	var row brandingRow
	if err := tx.Get(ctx, &row, `UPDATE settings SET logo_id = $1, version = version + 1 RETURNING `+brandingColumns, orNull(logo.UUID)); err != nil {
		return Branding{}, fmt.Errorf("changing the logo: %w", err)
	}
	return row.branding()
}
