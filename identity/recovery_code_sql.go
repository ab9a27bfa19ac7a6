package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

func secondFactorsOf(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) (SecondFactors, error) {
	var row struct {
		Since *time.Time `db:"since"`
		Left  int        `db:"codes"`
	}
	err := tx.Get(ctx, &row, `
		SELECT (SELECT confirmed_at FROM platform.totp WHERE person_id = $1) AS since,
		       (SELECT count(*) FROM platform.recovery_code WHERE person_id = $1 AND used_at IS NULL) AS codes`, person)
	if err != nil {
		return SecondFactors{}, fmt.Errorf("looking for second factors: %w", err)
	}
	passkeys, err := passkeysOf(ctx, tx, person)
	if err != nil {
		return SecondFactors{}, err
	}
	return SecondFactors{TOTPSince: utc(row.Since), Passkeys: passkeys, RecoveryCodes: row.Left}, nil
}

func insertRecoveryCode(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, hash tenant.Hash) error {
	_, err := tx.Exec(ctx, `INSERT INTO platform.recovery_code (person_id, code_hash, created_at) VALUES ($1, $2, $3)`,
		person, hash[:], tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a recovery code: %w", err)
	}
	return nil
}

func useRecoveryCode(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, hash tenant.Hash) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE platform.recovery_code SET used_at = $3 WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL`,
		person, hash[:], tx.Now())
	if err != nil {
		return false, fmt.Errorf("using a recovery code: %w", err)
	}
	return n == 1, nil
}

// dropSpareCodes ends the recovery codes of who has nothing left to recover from.
func dropSpareCodes(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	has, err := secondFactorOf(ctx, tx, person)
	if err != nil || has {
		return err
	}
	return deleteRecoveryCodes(ctx, tx, person)
}

func deleteRecoveryCodes(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM platform.recovery_code WHERE person_id = $1`, person); err != nil {
		return fmt.Errorf("ending recovery codes: %w", err)
	}
	return nil
}
