package tenant_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

const day = 24 * time.Hour

// What happened long ago is written by a service whose clock is back then; the floors are of the database's clock.
func TestClearOld(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	past := func(age time.Duration) (*tenant.DB, tenanttest.Organization, tenant.Hash) {
		clock := &tenanttest.Clock{}
		clock.Advance(-age)
		db := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, db, nil)
		token := sha256.Sum256([]byte(tenanttest.Random(16)))
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
			for _, add := range []func() (int64, error){
				func() (int64, error) {
					return tx.Exec(ctx, `INSERT INTO platform.verification (token_hash, purpose, email, created_at, expires_at)
						VALUES ($1, 'sign_up', $2, $3, $4)`, token[:], o.Owner.Email, tx.Now(), tx.Now().Add(time.Hour))
				},
				func() (int64, error) {
					return tx.Exec(ctx, `INSERT INTO platform.sign_in_budget (subject, failures, wait_until, last_at) VALUES ($1, 3, $2, $2)`, token[:], tx.Now())
				},
				func() (int64, error) {
					return tx.Exec(ctx, `INSERT INTO platform.login_event (id, person_id, email_hash, at, method, outcome)
						VALUES ($1, $2, $3, $4, 'password', 'success')`, id.New[tenant.Tx](), o.Owner.ID, token[:], tx.Now())
				},
				func() (int64, error) {
					return tx.Exec(ctx, `INSERT INTO platform.phone_code (token_hash, purpose, network, code_hash, created_at, expires_at)
						VALUES ($1, 'recovery', '', $1, $2, $3)`, token[:], tx.Now(), tx.Now().Add(10*time.Minute))
				},
				func() (int64, error) {
					return tx.Exec(ctx, `INSERT INTO platform.entry (organization_id, id, person_id, at) VALUES ($1, $2, $3, $4)`,
						o.Scope.Organization().ID, id.New[tenant.Tx](), o.Owner.ID, tx.Now())
				},
			} {
				if _, err := add(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT platform.add_invitation($1, $2, 'join', 'someone@tidewater.example', 'viewer', 'Viewer', $3, $4, $5)`,
				token[:], id.New[tenant.Tx](), o.Owner.ID, tx.Now(), tx.Now().Add(7*day)); err != nil {
				return err
			}
			_, _, err := tx.Once(ctx, "key", token[:], func() (uuid.UUID, error) { return uuid.New(), nil })
			return err
		})
		return db, o, token
	}
	_, fresh, freshToken := past(2 * time.Hour)
	_, weeks, weeksToken := past(45 * day)
	_, months, monthsToken := past(200 * day)
	_, years, yearsToken := past(400 * day)
	// Someone who asks for all logins to be deleted is refused: 90 days stay.
	for _, keep := range []time.Duration{365 * day, 0} {
		if _, err := tenant.ClearOld(ctx, tenanttest.DB(), keep); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name  string
			of    tenanttest.Organization
			token tenant.Hash
			want  string // links, budgets, sessions, logins, codes, entries, invitations
		}{
			{"two hours old", fresh, freshToken, "1111111"},
			{"45 days old", weeks, weeksToken, "0001011"},
			{"200 days old", months, monthsToken, map[bool]string{true: "0001010", false: "0000000"}[keep > 0]},
			{"400 days old", years, yearsToken, "0000000"},
		} {
			var got string
			err := tenant.DoPlatform(ctx, tenanttest.DB(), func(tx *tenant.PlatformTx) error {
				return tx.Get(ctx, &got, `SELECT concat(
					(SELECT count(*) FROM platform.verification WHERE token_hash = $1), (SELECT count(*) FROM platform.sign_in_budget WHERE subject = $1),
					(SELECT count(*) FROM platform.session WHERE token_hash = $2), (SELECT count(*) FROM platform.login_event WHERE email_hash = $1),
					(SELECT count(*) FROM platform.phone_code WHERE token_hash = $1), (SELECT count(*) FROM platform.entry WHERE person_id = $3),
					(SELECT count(*) FROM platform.invitation WHERE token_hash = $1))`, c.token[:], c.of.Session[:], c.of.Owner.ID)
			})
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("logins kept for %s: what is %s stands as %s, not %s", keep, c.name, got, c.want)
			}
		}
	}
	t.Run("answers of organizations after a day", func(t *testing.T) {
		for _, c := range []struct {
			of   tenanttest.Organization
			want int
		}{{fresh, 1}, {weeks, 0}} {
			scope, err := tenant.EnterOperator(ctx, tenanttest.DB(), c.of.Slug)
			if err != nil {
				t.Fatal(err)
			}
			var got int
			err = tenant.Do(ctx, tenanttest.DB(), scope, func(tx *tenant.Tx) error { return tx.Get(ctx, &got, `SELECT count(*) FROM idempotency_key`) })
			if err != nil || got != c.want {
				t.Errorf("%s keeps %d answers, not %d: %v", c.of.Slug, got, c.want, err)
			}
		}
	})
	t.Run("and nobody deletes them otherwise", func(t *testing.T) {
		for name, attack := range map[string]func(tx *tenant.PlatformTx) error{
			"links": func(tx *tenant.PlatformTx) error {
				_, err := tx.Exec(ctx, `DELETE FROM platform.verification`)
				return err
			},
			"budgets": func(tx *tenant.PlatformTx) error {
				_, err := tx.Exec(ctx, `DELETE FROM platform.sign_in_budget`)
				return err
			},
			"logins": func(tx *tenant.PlatformTx) error {
				_, err := tx.Exec(ctx, `DELETE FROM platform.login_event`)
				return err
			},
			"entries": func(tx *tenant.PlatformTx) error { _, err := tx.Exec(ctx, `DELETE FROM platform.entry`); return err },
			"invitations": func(tx *tenant.PlatformTx) error {
				_, err := tx.Exec(ctx, `DELETE FROM platform.invitation`)
				return err
			},
			"sessions": func(tx *tenant.PlatformTx) error { _, err := tx.Exec(ctx, `DELETE FROM platform.session`); return err },
			"jobs":     func(tx *tenant.PlatformTx) error { _, err := tx.Exec(ctx, `DELETE FROM jobs.river_job`); return err },
		} {
			if err := tenant.DoPlatform(ctx, tenanttest.DB(), attack); tenant.SQLState(err) != "42501" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
