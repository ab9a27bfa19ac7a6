package phone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// Text gateways are the gateway accounts without an account in the books.
const gatewayColumns = `SELECT id, kind, name AS gateway_name, api_url, api_login, hint, sender, sends, turn, disabled_at, trouble, trouble_at, created_at, version, sealed
	FROM gateway_account WHERE account_id IS NULL AND archived_at IS NULL`

type gatewayRow struct {
	ID        GatewayID   `db:"id"`
	Kind      GatewayKind `db:"kind"`
	Name      string      `db:"gateway_name"`
	URL       string      `db:"api_url"`
	Login     string      `db:"api_login"`
	Hint      string      `db:"hint"`
	Sender    string      `db:"sender"`
	Sends     string      `db:"sends"`
	Turn      int         `db:"turn"`
	Disabled  *time.Time  `db:"disabled_at"`
	Trouble   string      `db:"trouble"`
	TroubleAt *time.Time  `db:"trouble_at"`
	CreatedAt time.Time   `db:"created_at"`
	Version   int         `db:"version"`
	Sealed    string      `db:"sealed"`
}

func (r gatewayRow) gateway() Gateway {
	return Gateway{ID: r.ID, Kind: r.Kind, Name: r.Name, URL: r.URL, Account: r.Login, Hint: r.Hint, Sender: r.Sender, Sends: r.Sends, Turn: r.Turn,
		Off: r.Disabled != nil, Trouble: r.Trouble, TroubleAt: r.TroubleAt, CreatedAt: r.CreatedAt, Version: r.Version, sealed: r.Sealed}
}

// selectGateways lists them in turn; for a change it keeps others from changing their order or number meanwhile.
func selectGateways(ctx context.Context, tx *tenant.Tx, change bool) ([]Gateway, error) {
	if change {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('text gateways ' || current_schema(), 0))`); err != nil {
			return nil, fmt.Errorf("waiting for the text gateways: %w", err)
		}
	}
	var rows []gatewayRow
	if err := tx.Select(ctx, &rows, gatewayColumns+` ORDER BY turn, id`); err != nil {
		return nil, fmt.Errorf("listing text gateways: %w", err)
	}
	all := make([]Gateway, len(rows))
	for i, row := range rows {
		all[i] = row.gateway()
	}
	return all, nil
}

func selectGateway(ctx context.Context, tx *tenant.Tx, gateway GatewayID) (Gateway, error) {
	var row gatewayRow
	err := tx.Get(ctx, &row, gatewayColumns+` AND id = $1`, gateway)
	if errors.Is(err, tenant.ErrNoRows) {
		return Gateway{}, ErrGatewayNotFound
	} else if err != nil {
		return Gateway{}, fmt.Errorf("reading a text gateway: %w", err)
	}
	return row.gateway(), nil
}

func insertGateway(ctx context.Context, tx *tenant.Tx, s SealedGateway, turn int) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO gateway_account (id, kind, name, sealed, hint, created_at, api_url, api_login, sender, sends, turn)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		s.id, string(s.in.Kind), s.in.Name, s.sealed, s.hint, tx.Now(), s.in.URL, s.in.Account, s.in.Sender, s.in.Sends, turn)
	if err != nil {
		return fmt.Errorf("adding a text gateway: %w", err)
	}
	return nil
}

func updateGateway(ctx context.Context, tx *tenant.Tx, s SealedGateway) error {
	n, err := tx.Exec(ctx, `
		UPDATE gateway_account SET name = $3, api_url = $4, api_login = $5, sender = $6, sends = $7, trouble = '', trouble_at = NULL, version = version + 1,
		       sealed = CASE WHEN $8::text = '' THEN sealed ELSE $8::text END, hint = CASE WHEN $8::text = '' THEN hint ELSE $9::text END
		 WHERE id = $1 AND version = $2 AND account_id IS NULL AND archived_at IS NULL`,
		s.id, s.before, s.in.Name, s.in.URL, s.in.Account, s.in.Sender, s.in.Sends, s.sealed, s.hint)
	if err != nil {
		return fmt.Errorf("changing a text gateway: %w", err)
	}
	if n == 0 {
		return ErrGatewayChanged
	}
	return nil
}

func updateGatewayOn(ctx context.Context, tx *tenant.Tx, gateway GatewayID, on bool) error {
	_, err := tx.Exec(ctx, `
		UPDATE gateway_account SET disabled_at = CASE WHEN $2 THEN NULL ELSE $3::timestamptz END, trouble = '', trouble_at = NULL, version = version + 1
		 WHERE id = $1 AND account_id IS NULL`, gateway, on, tx.Now())
	if err != nil {
		return fmt.Errorf("turning a text gateway on or off: %w", err)
	}
	return nil
}

func updateGatewayTurn(ctx context.Context, tx *tenant.Tx, gateway GatewayID, turn int) error {
	if _, err := tx.Exec(ctx, `UPDATE gateway_account SET turn = $2, version = version + 1 WHERE id = $1 AND account_id IS NULL`, gateway, turn); err != nil {
		return fmt.Errorf("moving a text gateway: %w", err)
	}
	return nil
}

func updateGatewayGone(ctx context.Context, tx *tenant.Tx, gateway GatewayID) error {
	_, err := tx.Exec(ctx, `
		UPDATE gateway_account SET archived_at = $2, sealed = '', hint = '', version = version + 1 WHERE id = $1 AND account_id IS NULL`, gateway, tx.Now())
	if err != nil {
		return fmt.Errorf("removing a text gateway: %w", err)
	}
	return nil
}

// updateGatewayTrouble notes how one did; "" for well. It is no change of the gateway: who changes it at that moment is not
// in its way.
func updateGatewayTrouble(ctx context.Context, tx *tenant.Tx, gateway GatewayID, trouble string) error {
	_, err := tx.Exec(ctx, `
		UPDATE gateway_account SET trouble = $2::varchar, trouble_at = CASE WHEN $2::varchar <> '' THEN $3::timestamptz END
		 WHERE id = $1 AND account_id IS NULL AND ($2::varchar <> '' OR trouble <> '')`, gateway, trouble, tx.Now())
	if err != nil {
		return fmt.Errorf("noting how a text gateway does: %w", err)
	}
	return nil
}
