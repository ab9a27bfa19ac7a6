package admission

import (
	"context"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

type rulesRow struct {
	SecondFactor   bool `db:"entry_second_factor"`
	PasswordLength int  `db:"entry_password_length"`
	PasswordScore  int  `db:"entry_password_score"`
	PasswordDays   int  `db:"entry_password_days"`
	IdleMinutes    int  `db:"entry_idle_minutes"`
	SessionHours   int  `db:"entry_session_hours"`
	PortalCaptcha  bool `db:"portal_captcha"`
	Version        int  `db:"entry_version"`
}

const columns = `entry_second_factor, entry_password_length, entry_password_score, entry_password_days,
	entry_idle_minutes, entry_session_hours, portal_captcha, entry_version`

func selectRules(ctx context.Context, tx *tenant.Tx) (Rules, error) {
	var row rulesRow
	if err := tx.Get(ctx, &row, `SELECT `+columns+` FROM settings`); err != nil {
		return Rules{}, fmt.Errorf("reading the rules of entry: %w", err)
	}
	return row.rules(ctx, tx)
}

// lockRules is selectRules for who changes them: one at a time.
func lockRules(ctx context.Context, tx *tenant.Tx) (Rules, error) {
	var row rulesRow
	if err := tx.Get(ctx, &row, `SELECT `+columns+` FROM settings FOR UPDATE`); err != nil {
		return Rules{}, fmt.Errorf("locking the rules of entry: %w", err)
	}
	return row.rules(ctx, tx)
}

func (r rulesRow) rules(ctx context.Context, tx *tenant.Tx) (Rules, error) {
	rules := Rules{SecondFactor: r.SecondFactor, PasswordLength: r.PasswordLength, PasswordScore: r.PasswordScore, PasswordDays: r.PasswordDays,
		IdleMinutes: r.IdleMinutes, SessionHours: r.SessionHours, PortalCaptcha: r.PortalCaptcha, Version: r.Version}
	if err := tx.Select(ctx, &rules.Exempt, `SELECT person_id FROM member WHERE entry_exempt AND state::text = 'active' ORDER BY person_id`); err != nil {
		return rules, fmt.Errorf("reading who is exempt: %w", err)
	}
	return rules, nil
}

func selectStanding(ctx context.Context, tx *tenant.Tx) ([]Standing, error) {
	var rows []struct {
		Person       tenant.PersonID `db:"person_id"`
		Name         string          `db:"name"`
		SecondFactor bool            `db:"second_factor"`
		Length       int             `db:"password_length"`
		Score        int             `db:"password_score"`
		Since        *time.Time      `db:"password_since"`
		Exempt       bool            `db:"exempt"`
	}
	err := tx.Select(ctx, &rows, `
		SELECT s.person_id, m.name, s.second_factor, coalesce(s.password_length, 12) AS password_length,
		       coalesce(s.password_score, 2) AS password_score, s.password_since, m.entry_exempt AS exempt
		  FROM platform.entry_standing() s JOIN member m ON m.person_id = s.person_id ORDER BY lower(m.name), m.person_id`)
	if err != nil {
		return nil, fmt.Errorf("looking how members stand to the rules of entry: %w", err)
	}
	all := make([]Standing, 0, len(rows))
	for _, r := range rows {
		s := Standing{Person: r.Person, Name: r.Name, SecondFactor: r.SecondFactor, PasswordLength: r.Length, PasswordScore: r.Score, Exempt: r.Exempt}
		if r.Since != nil {
			s.PasswordSince = *r.Since
		} else { // no password: none that ages
			s.PasswordSince = tx.Now()
		}
		all = append(all, s)
	}
	return all, nil
}

func storeRules(ctx context.Context, tx *tenant.Tx, r Rules) error {
	_, err := tx.Exec(ctx, `
		UPDATE settings SET entry_second_factor = $1, entry_password_length = $2, entry_password_score = $3, entry_password_days = $4,
		    entry_idle_minutes = $5, entry_session_hours = $6, portal_captcha = $7, entry_version = $8`,
		r.SecondFactor, r.PasswordLength, r.PasswordScore, r.PasswordDays, r.IdleMinutes, r.SessionHours, r.PortalCaptcha, r.Version)
	if err != nil {
		return fmt.Errorf("changing the rules of entry: %w", err)
	}
	_, err = tx.Exec(ctx, `SELECT platform.set_entry_rule($1, $2, $3, $4, $5, $6, $7)`,
		r.SecondFactor, r.PasswordLength, r.PasswordScore, r.PasswordDays, r.IdleMinutes, r.SessionHours, r.PortalCaptcha)
	if err != nil {
		return fmt.Errorf("putting the rules of entry in force: %w", err)
	}
	return nil
}

func storeExempt(ctx context.Context, tx *tenant.Tx, person tenant.PersonID, exempt bool) error {
	if _, err := tx.Exec(ctx, `UPDATE member SET entry_exempt = $2 WHERE person_id = $1`, person, exempt); err != nil {
		return fmt.Errorf("exempting a member: %w", err)
	}
	if _, err := tx.Exec(ctx, `SELECT platform.set_entry_exempt($1, $2)`, person, exempt); err != nil {
		return fmt.Errorf("exempting a member: %w", err)
	}
	return nil
}
