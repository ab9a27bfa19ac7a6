package billing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// storedRounding is how the settings' row names the calculator's policies.
var storedRounding = map[tax.Policy]string{tax.RoundPerLine: "line", tax.RoundPerDocument: "document"}

func roundingOf(stored string) (tax.Policy, error) {
	for policy, name := range storedRounding {
		if name == stored {
			return policy, nil
		}
	}
	return 0, fmt.Errorf("stored rounding %q is unknown", stored)
}

const settingsColumns = `name, base_currency, time_zone, country, street, city, region, postal_code, tax_number,
	invoice_prefix, invoice_numbering, quote_numbering, credit_note_numbering, quote_days, payment_terms_days, tax_rounding, books_closed_through, collect_automatically, version`

type settingsRow struct {
	Name               string         `db:"name"`
	BaseCurrency       money.Currency `db:"base_currency"`
	TimeZone           string         `db:"time_zone"`
	Country            string         `db:"country"`
	Street             string         `db:"street"`
	City               string         `db:"city"`
	Region             string         `db:"region"`
	PostalCode         string         `db:"postal_code"`
	TaxNumber          string         `db:"tax_number"`
	InvoicePrefix      string         `db:"invoice_prefix"`
	InvoiceNumbering   string         `db:"invoice_numbering"`
	QuoteNumbering     string         `db:"quote_numbering"`
	CreditNumbering    string         `db:"credit_note_numbering"`
	QuoteDays          int            `db:"quote_days"`
	PaymentTermsDays   int            `db:"payment_terms_days"`
	TaxRounding        string         `db:"tax_rounding"`
	BooksClosedThrough civil.Date     `db:"books_closed_through"`
	Collect            bool           `db:"collect_automatically"`
	Version            int            `db:"version"`
}

func (r settingsRow) settings() (Settings, error) {
	zone, err := storedZone(r.TimeZone)
	if err != nil {
		return Settings{}, err
	}
	rounding, err := roundingOf(r.TaxRounding)
	return Settings{
		Name: r.Name, BaseCurrency: r.BaseCurrency, TimeZone: r.TimeZone, Country: r.Country, Street: r.Street,
		City: r.City, Region: r.Region, PostalCode: r.PostalCode, TaxNumber: r.TaxNumber,
		InvoicePrefix: r.InvoicePrefix, InvoiceNumbering: Numbering{cmp.Or(r.InvoiceNumbering, r.InvoicePrefix+prefixCounter)},
		QuoteNumbering: Numbering{r.QuoteNumbering}, CreditNoteNumbering: Numbering{r.CreditNumbering}, QuoteDays: r.QuoteDays,
		PaymentTermsDays: r.PaymentTermsDays, TaxRounding: rounding,
		BooksClosedThrough: r.BooksClosedThrough, CollectAutomatically: r.Collect, Version: r.Version, zone: zone,
	}, err
}

// storedZone reads a zone that was checked when it was written: whoever asks now is not at fault.
func storedZone(name string) (*time.Location, error) {
	zone, err := loadZone(name)
	if err != nil {
		return nil, fmt.Errorf("stored time zone %q: %v", name, err)
	}
	return zone, nil
}

// Today is the organization's date at the moment of the transaction.
func Today(ctx context.Context, tx *tenant.Tx) (civil.Date, error) {
	var name string
	if err := tx.Get(ctx, &name, `SELECT time_zone FROM settings`); err != nil {
		return civil.Date{}, fmt.Errorf("reading the time zone: %w", err)
	}
	zone, err := storedZone(name)
	if err != nil {
		return civil.Date{}, err
	}
	return civil.Of(tx.Now(), zone), nil
}

func selectSettings(ctx context.Context, tx *tenant.Tx) (Settings, error) {
	var row settingsRow
	if err := tx.Get(ctx, &row, `SELECT `+settingsColumns+` FROM settings`); err != nil {
		return Settings{}, fmt.Errorf("reading the settings: %w", err)
	}
	return row.settings()
}

// lockSettings reads them so that nobody changes them before the transaction ends.
func lockSettings(ctx context.Context, tx *tenant.Tx) (Settings, error) {
	var row settingsRow
	if err := tx.Get(ctx, &row, `SELECT `+settingsColumns+` FROM settings FOR UPDATE`); err != nil {
		return Settings{}, fmt.Errorf("reading the settings: %w", err)
	}
	return row.settings()
}

func insertSettings(ctx context.Context, tx *tenant.Tx, o Opening) error {
	_, err := tx.Exec(ctx, `INSERT INTO settings (name, base_currency, time_zone, country, keep_years) VALUES ($1, $2, $3, $4, $5)`,
		o.Name, o.Currency, o.TimeZone, o.Country, KeepYearsIn(o.Country))
	if err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}

// insertCounter begins the numbers of a series at 1.
func insertCounter(ctx context.Context, tx *tenant.Tx, name string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO counter (name, value) VALUES ($1, 0)`, name); err != nil {
		return fmt.Errorf("beginning the numbers of %s: %w", name, err)
	}
	return nil
}

func updateSettings(ctx context.Context, tx *tenant.Tx, version int, in SettingsInput) (Settings, error) {
	var row settingsRow
	err := tx.Get(ctx, &row, `
		UPDATE settings SET name = $2, time_zone = $3, country = $4, street = $5, city = $6, region = $7, postal_code = $8,
			tax_number = $9, invoice_prefix = $10, payment_terms_days = $11, tax_rounding = $12, collect_automatically = $13,
			invoice_numbering = $14, quote_numbering = $15, credit_note_numbering = $16, quote_days = $17, version = version + 1
		 WHERE $1 = 0 OR version = $1
		RETURNING `+settingsColumns,
		version, in.Name, in.TimeZone, in.Country, in.Street, in.City, in.Region, in.PostalCode, in.TaxNumber,
		in.InvoicePrefix, in.PaymentTermsDays, storedRounding[in.TaxRounding], in.CollectAutomatically,
		in.InvoiceNumbering, in.QuoteNumbering, in.CreditNoteNumbering, *in.QuoteDays)
	if errors.Is(err, tenant.ErrNoRows) {
		return Settings{}, ErrSettingsChanged
	} else if err != nil {
		return Settings{}, fmt.Errorf("changing the settings: %w", err)
	}
	// The platform shows the name where people choose between their organizations.
	if row.Name != tx.Scope().Organization().Name {
		if _, err := tx.Exec(ctx, `SELECT platform.rename_organization($1)`, in.Name); err != nil {
			return Settings{}, fmt.Errorf("renaming the organization: %w", err)
		}
	}
	return row.settings()
}
