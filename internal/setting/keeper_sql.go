package setting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/tenant"
)

// lockSettings lets one transaction at a time change settings. It is a statement of its own, so that the next one
// sees what the one before committed.
func lockSettings(ctx context.Context, tx *tenant.PlatformTx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('settings', 0))`); err != nil {
		return fmt.Errorf("locking the settings: %w", err)
	}
	return nil
}

type row struct {
	Version int64   `db:"version"`
	Name    string  `db:"name"`
	Value   *string `db:"value"`
}

func inForce(ctx context.Context, tx *tenant.PlatformTx) (rows []row, err error) {
	err = tx.Select(ctx, &rows, `SELECT DISTINCT ON (name) version, name, value FROM platform.setting ORDER BY name, version DESC`)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	return rows, nil
}

func insertSetting(ctx context.Context, tx *tenant.PlatformTx, version int64, name string, value *string, by tenant.PersonID) error {
	var person any
	if by.UUID != uuid.Nil {
		person = by
	}
	_, err := tx.Exec(ctx, `INSERT INTO platform.setting (version, name, value, at, person_id) VALUES ($1, $2, $3, $4, $5)`,
		version, name, value, tx.Now(), person)
	if err != nil {
		return fmt.Errorf("changing a setting: %w", err)
	}
	return nil
}

// sealedSecret is nil where there is none.
func sealedSecret(ctx context.Context, tx *tenant.PlatformTx, name string) (sealed []byte, err error) {
	err = tx.Get(ctx, &sealed, `SELECT sealed FROM platform.setting_secret WHERE name = $1`, name)
	if errors.Is(err, tenant.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading a sealed setting: %w", err)
	}
	return sealed, nil
}

func replaceSecret(ctx context.Context, tx *tenant.PlatformTx, name string, sealed []byte) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO platform.setting_secret (name, sealed) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET sealed = EXCLUDED.sealed`, name, sealed)
	if err != nil {
		return fmt.Errorf("keeping a sealed setting: %w", err)
	}
	return nil
}

func deleteSecret(ctx context.Context, tx *tenant.PlatformTx, name string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM platform.setting_secret WHERE name = $1`, name); err != nil {
		return fmt.Errorf("forgetting a sealed setting: %w", err)
	}
	return nil
}

func history(ctx context.Context, tx *tenant.PlatformTx, limit int) ([]Past, error) {
	var rows []struct {
		Name   string    `db:"name"`
		Value  string    `db:"value"`
		At     time.Time `db:"at"`
		Person string    `db:"person"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT s.name, coalesce(s.value, '') AS value, s.at, coalesce(p.name, '') AS person
		  FROM platform.setting s LEFT JOIN platform.person p ON p.id = s.person_id
		 ORDER BY s.version DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the history of the settings: %w", err)
	}
	all := make([]Past, 0, len(rows))
	for _, r := range rows {
		all = append(all, Past{r.Name, r.Value, r.At, r.Person})
	}
	return all, nil
}
