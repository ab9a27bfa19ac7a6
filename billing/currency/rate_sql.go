package currency

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// rateArguments carries rates into a statement as one argument.
func rateArguments(all []Rate) (string, error) {
	type row struct {
		Unit     money.Currency `json:"unit"`
		Currency money.Currency `json:"currency"`
		Date     civil.Date     `json:"date"`
		Rate     string         `json:"rate"`
		Source   string         `json:"source"`
	}
	rows := make([]row, len(all))
	for i, r := range all {
		rows[i] = row{r.Unit, r.Currency, r.Date, r.Rate.String(), r.Source}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return "", fmt.Errorf("writing an argument: %w", err)
	}
	return string(b), nil
}

const insertRates = `
	INSERT INTO exchange_rate AS kept (unit, currency, date, rate, source, entered_at)
	SELECT x.unit, x.currency, x.date, x.rate, x.source, $2::timestamptz
	  FROM jsonb_to_recordset($1::jsonb) AS x (unit text, currency text, date date, rate numeric, source text)
	ON CONFLICT (unit, currency, date) DO UPDATE SET rate = excluded.rate, source = excluded.source, entered_at = excluded.entered_at`

func upsertRates(ctx context.Context, tx *tenant.Tx, all []Rate) error {
	rows, err := rateArguments(all)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertRates, rows, tx.Now()); err != nil {
		return fmt.Errorf("keeping exchange rates: %w", err)
	}
	return nil
}

func upsertImported(ctx context.Context, tx *tenant.Tx, all []Rate) error {
	rows, err := rateArguments(all)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertRates+` WHERE kept.source::text <> 'manual'`, rows, tx.Now()); err != nil {
		return fmt.Errorf("importing exchange rates: %w", err)
	}
	return nil
}

func deleteRate(ctx context.Context, tx *tenant.Tx, unit, currency money.Currency, date civil.Date) error {
	var gone civil.Date
	err := tx.Get(ctx, &gone, `DELETE FROM exchange_rate WHERE unit = $1 AND currency = $2 AND date = $3 RETURNING date`, unit, currency, date)
	if errors.Is(err, tenant.ErrNoRows) {
		return ErrRateNotFound
	} else if err != nil {
		return fmt.Errorf("taking an exchange rate back: %w", err)
	}
	return nil
}

func selectRates(ctx context.Context, tx *tenant.Tx, filter Filter) ([]Rate, error) {
	code := ""
	if !filter.Currency.IsZero() {
		code = filter.Currency.Code()
	}
	found := []Rate{}
	err := tx.Select(ctx, &found, `
		SELECT unit, currency, date, rate, source FROM exchange_rate
		 WHERE ($1 = '' OR unit = $1 OR currency = $1) AND ($2::date IS NULL OR date <= $2)
		 ORDER BY date DESC, unit COLLATE "C", currency COLLATE "C" LIMIT $3`, code, filter.Until, ListLimit)
	if err != nil {
		return nil, fmt.Errorf("listing exchange rates: %w", err)
	}
	return found, nil
}

// selectRatesOf gives all rates between these currencies and the euro that hold on one of the days from first to last.
func selectRatesOf(ctx context.Context, tx *tenant.Tx, currencies []money.Currency, first, last civil.Date) (rates, error) {
	codes, err := json.Marshal(append(currencies, euro))
	if err != nil {
		return nil, fmt.Errorf("writing an argument: %w", err)
	}
	var found rates
	err = tx.Select(ctx, &found, `
		WITH code AS (SELECT jsonb_array_elements_text($1::jsonb) AS code)
		SELECT unit, currency, date, rate, source FROM exchange_rate
		 WHERE unit IN (SELECT code FROM code) AND currency IN (SELECT code FROM code) AND date BETWEEN $2 AND $3
		 ORDER BY date DESC`, string(codes), first.AddDays(-MaxAgeDays), last)
	if err != nil {
		return nil, fmt.Errorf("reading exchange rates: %w", err)
	}
	return found, nil
}

func selectBase(ctx context.Context, tx *tenant.Tx) (c money.Currency, err error) {
	if err := tx.Get(ctx, &c, `SELECT base_currency FROM settings`); err != nil {
		return c, fmt.Errorf("reading the base currency: %w", err)
	}
	return c, nil
}
