package tax

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// today is the organization's date at the moment $1.
const today = `(SELECT ($1::timestamptz AT TIME ZONE s.time_zone)::date FROM settings s)`

// rateSelect reads rates with today's percents; $1 is the moment. More may follow on r.
const rateSelect = `
	SELECT r.id, r.code, r.name, r.kind, r.reason, r.registration, r.percent AS first, r.compound, r.account_id,
	       r.recoverable, r.input_account_id,
	       r.archived_at IS NOT NULL AS archived, r.version, ` + today + ` AS today,
	       (SELECT json_agg(json_build_object('since', p.since, 'percent', p.percent) ORDER BY p.since)
	          FROM tax_percent p WHERE p.tax_rate_id = r.id) AS percents,
	       (SELECT json_agg(json_build_object('id', m.id, 'code', m.code, 'percent', coalesce((SELECT p.percent FROM tax_percent p
	               WHERE p.tax_rate_id = m.id AND p.since <= ` + today + ` ORDER BY p.since DESC LIMIT 1), m.percent)) ORDER BY g.position)
	          FROM tax_group_rate g JOIN tax_rate m ON m.id = g.tax_rate_id WHERE g.group_id = r.id) AS members
	  FROM tax_rate r WHERE ($2::uuid IS NULL OR r.id = $2) ORDER BY r.code COLLATE "C"`

type rateRow struct {
	ID           RateID           `db:"id"`
	Code         string           `db:"code"`
	Name         string           `db:"name"`
	Kind         Kind             `db:"kind"`
	Reason       string           `db:"reason"`
	Registration string           `db:"registration"`
	First        decimal.Decimal  `db:"first"`
	Compound     bool             `db:"compound"`
	Account      ledger.AccountID `db:"account_id"`
	Recoverable  bool             `db:"recoverable"`
	InputAccount ledger.AccountID `db:"input_account_id"`
	Archived     bool             `db:"archived"`
	Version      int              `db:"version"`
	Today        civil.Date       `db:"today"`
	Percents     []byte           `db:"percents"`
	Members      []byte           `db:"members"`
}

func (r rateRow) rate() (OwnRate, error) {
	own := OwnRate{
		Rate: Rate{ID: r.ID, Code: r.Code, Name: r.Name, Compound: r.Compound, Kind: r.Kind, Reason: r.Reason,
			Registration: r.Registration},
		First: r.First, Account: r.Account, Recoverable: r.Recoverable, InputAccount: r.InputAccount, Archived: r.Archived, Version: r.Version,
	}
	if r.Percents != nil {
		if err := json.Unmarshal(r.Percents, &own.Percents); err != nil {
			return own, fmt.Errorf("reading a tax rate's percents: %w", err)
		}
	}
	if r.Members != nil {
		if err := json.Unmarshal(r.Members, &own.Members); err != nil {
			return own, fmt.Errorf("reading a tax group's rates: %w", err)
		}
	}
	own.Percent = own.PercentOn(r.Today)
	return own, nil
}

// The account that was asked for if it is there and in use, and the usual one if none was ($5 is null).
const rateAccount = `(SELECT a.id FROM account a WHERE a.archived_at IS NULL
	AND CASE WHEN $5::uuid IS NULL THEN a.purpose::text = 'tax' ELSE a.id = $5 END)`

func accountOrNull(a ledger.AccountID) any {
	if a.UUID == uuid.Nil {
		return nil
	}
	return a
}

func insertRate(ctx context.Context, tx *tenant.Tx, rate RateID, in RateInput) error {
	var made RateID
	err := tx.Get(ctx, &made, `
		INSERT INTO tax_rate (id, code, name, compound, account_id, percent, kind, reason, registration, recoverable, input_account_id)
		SELECT $1::uuid, $2, $3, $4::boolean, found.id, $6::numeric, $7, $8, $9, NOT $10::boolean, $11::uuid FROM `+rateAccount+` found
		 WHERE $11::uuid IS NULL OR EXISTS (SELECT FROM account i WHERE i.id = $11 AND i.archived_at IS NULL)
		RETURNING id`, rate, in.Code, in.Name, in.Compound, accountOrNull(in.Account), in.Percent, string(in.Kind), in.Reason, in.Registration,
		in.Unrecoverable, accountOrNull(in.InputAccount))
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrRateAccount
	}
	return rateFault("adding a tax rate", err)
}

func updateRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int, in RateInput) error {
	var changed RateID
	err := tx.Get(ctx, &changed, `
		UPDATE tax_rate AS r SET code = $2, name = $3, compound = $4, account_id = found.id, reason = $7, registration = $8,
		       recoverable = NOT $9::boolean, input_account_id = $10, version = r.version + 1
		  FROM `+rateAccount+` found
		 WHERE r.id = $1 AND ($6 = 0 OR r.version = $6)
		   AND ($10::uuid IS NULL OR EXISTS (SELECT FROM account i WHERE i.id = $10 AND i.archived_at IS NULL))
		RETURNING r.id`, rate, in.Code, in.Name, in.Compound, accountOrNull(in.Account), version, in.Reason, in.Registration,
		in.Unrecoverable, accountOrNull(in.InputAccount))
	if errors.Is(err, tenant.ErrNoRows) {
		return missingRate(ctx, tx, rate, version)
	}
	return rateFault("changing a tax rate", err)
}

// upsertPercent sets the percent from a day on; without a day, from today on.
func upsertPercent(ctx context.Context, tx *tenant.Tx, rate RateID, since civil.Date, percent decimal.Decimal) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO tax_percent (tax_rate_id, since, percent) VALUES ($2, coalesce($3::date, `+today+`), $4)
		ON CONFLICT (tax_rate_id, since) DO UPDATE SET percent = excluded.percent`, tx.Now(), rate, since, percent)
	return rateFault("changing a tax rate's percent", err)
}

func deletePercent(ctx context.Context, tx *tenant.Tx, rate RateID, since civil.Date) error {
	var dropped RateID
	err := tx.Get(ctx, &dropped, `
		WITH gone AS (DELETE FROM tax_percent WHERE tax_rate_id = $1 AND since = $2 RETURNING tax_rate_id)
		UPDATE tax_rate r SET version = r.version + 1 FROM gone WHERE r.id = gone.tax_rate_id RETURNING r.id`, rate, since)
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrPercentNotFound
	}
	return rateFault("dropping a tax rate's percent", err)
}

func deleteMembers(ctx context.Context, tx *tenant.Tx, group RateID) error {
	_, err := tx.Exec(ctx, `DELETE FROM tax_group_rate WHERE group_id = $1`, group)
	return rateFault("clearing a tax group", err)
}

// insertMembers refuses with ErrGroupRates codes of which one is no rate in use.
func insertMembers(ctx context.Context, tx *tenant.Tx, group RateID, codes []string) error {
	if len(codes) == 0 {
		return nil
	}
	wanted, err := json.Marshal(codes)
	if err != nil {
		return fmt.Errorf("writing an argument: %w", err)
	}
	var kept int
	err = tx.Get(ctx, &kept, `
		WITH m AS (
			INSERT INTO tax_group_rate (group_id, position, tax_rate_id)
			SELECT $1::uuid, c.position, r.id
			  FROM jsonb_array_elements_text($2::jsonb) WITH ORDINALITY AS c (code, position)
			  JOIN tax_rate r ON r.code = c.code AND r.kind::text <> 'group' AND r.archived_at IS NULL
			RETURNING 1
		) SELECT count(*) FROM m`, group, string(wanted))
	if err == nil && kept < len(codes) {
		return ErrGroupRates
	}
	return rateFault("writing a tax group", err)
}

func setRateArchived(ctx context.Context, tx *tenant.Tx, rate RateID, version int, archived bool) error {
	var changed RateID
	err := tx.Get(ctx, &changed, `
		UPDATE tax_rate AS r SET archived_at = CASE WHEN $3 THEN coalesce(r.archived_at, $4) END, version = r.version + 1
		 WHERE r.id = $1 AND ($2 = 0 OR r.version = $2)
		RETURNING r.id`, rate, version, archived, tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return missingRate(ctx, tx, rate, version)
	}
	return rateFault("archiving a tax rate", err)
}

// selectGrouped gives the code of a group in use that stands for a rate, or nothing.
func selectGrouped(ctx context.Context, tx *tenant.Tx, rate RateID) (code string, err error) {
	err = tx.Get(ctx, &code, `
		SELECT coalesce(min(g.code), '') FROM tax_group_rate m JOIN tax_rate g ON g.id = m.group_id
		 WHERE m.tax_rate_id = $1 AND g.archived_at IS NULL`, rate)
	return code, rateFault("looking for a rate's groups", err)
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

// lockRate keeps others from changing a rate before the transaction ends.
func lockRate(ctx context.Context, tx *tenant.Tx, rate RateID) error {
	var locked RateID
	err := tx.Get(ctx, &locked, `SELECT id FROM tax_rate WHERE id = $1 FOR NO KEY UPDATE`, rate)
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrRateNotFound
	}
	return rateFault("locking a tax rate", err)
}

func selectRate(ctx context.Context, tx *tenant.Tx, rate RateID) (OwnRate, error) {
	if rate.IsZero() {
		return OwnRate{}, ErrRateNotFound
	}
	rates, err := selectRates(ctx, tx, rate)
	if err == nil && len(rates) == 0 {
		err = ErrRateNotFound
	}
	if err != nil {
		return OwnRate{}, err
	}
	return rates[0], nil
}

// selectRates reads all rates, or the one that is named.
func selectRates(ctx context.Context, tx *tenant.Tx, one RateID) ([]OwnRate, error) {
	var only any
	if !one.IsZero() {
		only = one
	}
	var rows []rateRow
	if err := tx.Select(ctx, &rows, rateSelect, tx.Now(), only); err != nil {
		return nil, fmt.Errorf("reading tax rates: %w", err)
	}
	rates := make([]OwnRate, len(rows))
	for i, row := range rows {
		var err error
		if rates[i], err = row.rate(); err != nil {
			return nil, err
		}
	}
	return rates, nil
}
