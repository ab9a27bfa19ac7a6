package tax

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

const rateColumns = `r.id, r.code, r.name, r.percent, r.compound, r.account_id, r.archived_at IS NOT NULL AS archived, r.version`

type rateRow struct {
	ID       RateID           `db:"id"`
	Code     string           `db:"code"`
	Name     string           `db:"name"`
	Percent  decimal.Decimal  `db:"percent"`
	Compound bool             `db:"compound"`
	Account  ledger.AccountID `db:"account_id"`
	Archived bool             `db:"archived"`
	Version  int              `db:"version"`
}

func (r rateRow) rate() OwnRate {
	return OwnRate{
		Rate:    Rate{ID: r.ID, Code: r.Code, Name: r.Name, Percent: r.Percent, Compound: r.Compound},
		Account: r.Account, Archived: r.Archived, Version: r.Version,
	}
}

// The account that was asked for if it is there and in use, and the usual one if none was ($6 is null).
const rateAccount = `(SELECT a.id FROM account a WHERE a.archived_at IS NULL
	AND CASE WHEN $6::uuid IS NULL THEN a.purpose::text = 'tax' ELSE a.id = $6 END)`

func accountOrNull(a ledger.AccountID) any {
	if a.UUID == uuid.Nil {
		return nil
	}
	return a
}

func insertRate(ctx context.Context, tx *tenant.Tx, rate RateID, in RateInput) (OwnRate, error) {
	var row rateRow
	err := tx.Get(ctx, &row, `
		INSERT INTO tax_rate AS r (id, code, name, percent, compound, account_id)
		SELECT $1::uuid, $2, $3, $4::numeric, $5::boolean, found.id FROM `+rateAccount+` found
		RETURNING `+rateColumns, rate, in.Code, in.Name, in.Percent, in.Compound, accountOrNull(in.Account))
	if errors.Is(err, tenant.ErrNoRows) {
		return OwnRate{}, ErrRateAccount
	}
	return row.rate(), rateFault("adding a tax rate", err)
}

func updateRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int, in RateInput) (OwnRate, error) {
	var row rateRow
	err := tx.Get(ctx, &row, `
		UPDATE tax_rate AS r SET code = $2, name = $3, percent = $4, compound = $5, account_id = found.id, version = r.version + 1
		  FROM `+rateAccount+` found
		 WHERE r.id = $1 AND ($7 = 0 OR r.version = $7)
		RETURNING `+rateColumns, rate, in.Code, in.Name, in.Percent, in.Compound, accountOrNull(in.Account), version)
	if errors.Is(err, tenant.ErrNoRows) {
		return OwnRate{}, missingRate(ctx, tx, rate, version)
	}
	return row.rate(), rateFault("changing a tax rate", err)
}

func setRateArchived(ctx context.Context, tx *tenant.Tx, rate RateID, version int, archived bool) (OwnRate, error) {
	var row rateRow
	err := tx.Get(ctx, &row, `
		UPDATE tax_rate AS r SET archived_at = CASE WHEN $3 THEN coalesce(r.archived_at, $4) END, version = r.version + 1
		 WHERE r.id = $1 AND ($2 = 0 OR r.version = $2)
		RETURNING `+rateColumns, rate, version, archived, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return OwnRate{}, missingRate(ctx, tx, rate, version)
	}
	return row.rate(), rateFault("archiving a tax rate", err)
}

// missingRate tells why an update met no row.
func missingRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int) error {
	r, err := selectRate(ctx, tx, rate)
	switch {
	case err != nil:
		return err
	case version != 0 && r.Version != version:
		return ErrRateChanged
	}
	return ErrRateAccount
}

func rateFault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case tenant.Violates(err) == "tax_rate_code_key":
		return ErrRateCodeTaken.Because(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func selectRate(ctx context.Context, tx *tenant.Tx, rate RateID) (OwnRate, error) {
	var row rateRow
	err := tx.Get(ctx, &row, `SELECT `+rateColumns+` FROM tax_rate r WHERE r.id = $1`, rate)
	if errors.Is(err, tenant.ErrNoRows) {
		return OwnRate{}, ErrRateNotFound
	} else if err != nil {
		return OwnRate{}, fmt.Errorf("reading a tax rate: %w", err)
	}
	return row.rate(), nil
}

// lockRate reads one so that nobody changes it before the transaction ends.
func lockRate(ctx context.Context, tx *tenant.Tx, rate RateID) (OwnRate, error) {
	var row rateRow
	err := tx.Get(ctx, &row, `SELECT `+rateColumns+` FROM tax_rate r WHERE r.id = $1 FOR UPDATE`, rate)
	if errors.Is(err, tenant.ErrNoRows) {
		return OwnRate{}, ErrRateNotFound
	} else if err != nil {
		return OwnRate{}, fmt.Errorf("reading a tax rate: %w", err)
	}
	return row.rate(), nil
}

func selectRates(ctx context.Context, tx *tenant.Tx) ([]OwnRate, error) {
	var rows []rateRow
	if err := tx.Select(ctx, &rows, `SELECT `+rateColumns+` FROM tax_rate r ORDER BY r.code`); err != nil {
		return nil, fmt.Errorf("listing tax rates: %w", err)
	}
	rates := make([]OwnRate, len(rows))
	for i, r := range rows {
		rates[i] = r.rate()
	}
	return rates, nil
}
