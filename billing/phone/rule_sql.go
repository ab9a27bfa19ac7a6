package phone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

type rulesRow struct {
	When       When   `db:"phone_check"`
	Types      string `db:"phone_types"`
	Filter     string `db:"phone_filter"`
	Text       string `db:"phone_text"`
	Ways       string `db:"phone_ways"`
	Minutes    int    `db:"phone_minutes"`
	Tries      int    `db:"phone_tries"`
	Delay      int    `db:"phone_delay"`
	NumberDay  int    `db:"phone_number_day"`
	NetworkDay int    `db:"phone_network_day"`
	Denied     string `db:"phone_denied"`
	Kinds      string `db:"phone_kinds"`
	Version    int    `db:"phone_version"`
	Join       bool   `db:"phone_join"`
	OfProducts bool   `db:"asks_of_products"`
}

func selectRules(ctx context.Context, tx *tenant.Tx) (Rules, error) {
	var row rulesRow
	err := tx.Get(ctx, &row, `
		SELECT phone_check, phone_types, phone_filter, phone_text, phone_ways, phone_minutes, phone_tries, phone_delay, phone_number_day,
		       phone_network_day, phone_denied, phone_kinds, phone_version, phone_join,
		       EXISTS (SELECT FROM product WHERE phone_check::text IN ('before', 'after') AND archived_at IS NULL) AS asks_of_products
		  FROM settings`)
	if err != nil {
		return Rules{}, fmt.Errorf("reading when numbers are asked for: %w", err)
	}
	types, err := ParseTypes(row.Types)
	if err != nil {
		return Rules{}, fmt.Errorf("stored types: %v", err)
	}
	return Rules{When: row.When, Types: types, Filter: row.Filter, Text: row.Text, Ways: row.Ways, Minutes: row.Minutes, Tries: row.Tries,
		Delay: row.Delay, NumberDay: row.NumberDay, NetworkDay: row.NetworkDay, Denied: strings.Fields(row.Denied), Kinds: strings.Fields(row.Kinds),
		Version: row.Version, Join: row.Join, ofProducts: row.OfProducts}, nil
}

func updateRules(ctx context.Context, tx *tenant.Tx, version int, r Rules) error {
	n, err := tx.Exec(ctx, `
		UPDATE settings SET phone_check = $2, phone_types = $3, phone_filter = $4, phone_text = $5, phone_ways = $6, phone_minutes = $7,
		       phone_tries = $8, phone_delay = $9, phone_number_day = $10, phone_network_day = $11, phone_denied = $12, phone_kinds = $13,
		       phone_join = $14, phone_version = phone_version + 1 WHERE $1 = 0 OR phone_version = $1`,
		version, string(r.When), r.TypesText(), r.Filter, r.Text, r.Ways, r.Minutes, r.Tries, r.Delay, r.NumberDay, r.NetworkDay,
		strings.Join(r.Denied, " "), strings.Join(r.Kinds, " "), r.Join)
	if err != nil {
		return fmt.Errorf("changing when numbers are asked for: %w", err)
	}
	if n == 0 {
		return ErrChanged
	}
	return nil
}

func selectProductRules(ctx context.Context, tx *tenant.Tx) (all []ProductRule, err error) {
	err = tx.Select(ctx, &all, `
		SELECT id, name AS product_name, phone_check FROM product WHERE phone_check::text <> '' AND archived_at IS NULL ORDER BY lower(name), id LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("listing products that ask for a number: %w", err)
	}
	return all, nil
}

func updateProductRule(ctx context.Context, tx *tenant.Tx, product uuid.UUID, when When) (was When, err error) {
	err = tx.Get(ctx, &was, `
		UPDATE product p SET phone_check = $2::varchar, version = p.version + CASE WHEN w.phone_check = $2::varchar THEN 0 ELSE 1 END
		  FROM (SELECT id, phone_check FROM product WHERE id = $1 FOR UPDATE) w WHERE p.id = w.id RETURNING w.phone_check`, product, string(when))
	if errors.Is(err, tenant.ErrNoRows) {
		return was, ErrProduct
	} else if err != nil {
		return was, fmt.Errorf("changing when a product asks for a number: %w", err)
	}
	return was, nil
}
