package ledger_test

import (
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/tenant"
)

// What follows is the SQL of someone who has got round Go: the tenant's own role, writing by hand.
const (
	handEntry = `INSERT INTO journal_entry (id, number, date, description, source_kind, posted_at)
		VALUES ('019a0000-0000-7000-8000-000000000001', 1000, '2026-05-05', 'by hand', 'manual', now());`
	handLine = `INSERT INTO journal_line (entry_id, line, account_id, currency, amount) `
	newID    = `'019a0000-0000-7000-8000-000000000001'`
	bank     = `(SELECT id FROM account WHERE code = '1010')`
	sales    = `(SELECT id FROM account WHERE code = '4000')`
	oldID    = `(SELECT id FROM journal_entry WHERE number = 1)`

	balanced   = handLine + `VALUES (` + newID + `, 1, ` + bank + `, 'EUR', 100), (` + newID + `, 2, ` + sales + `, 'EUR', -100);`
	unbalanced = handLine + `VALUES (` + newID + `, 1, ` + bank + `, 'EUR', 100), (` + newID + `, 2, ` + sales + `, 'EUR', -99);`
	thirdLine  = handLine + `VALUES (` + newID + `, 3, ` + bank + `, 'EUR', 5);`
)

// The statements are constants because nothing else may be passed to Exec.
var attacks = map[string]struct {
	state string
	sql   func(ctx context.Context, tx *tenant.Tx) (int64, error)
}{
	"an entry without lines": {"LG002", func(ctx context.Context, tx *tenant.Tx) (int64, error) { return tx.Exec(ctx, handEntry) }},
	"an entry with one line": {"LG002", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+handLine+`VALUES (`+newID+`, 1, `+bank+`, 'EUR', 100);`)
	}},
	"an unbalanced pair": {"LG001", func(ctx context.Context, tx *tenant.Tx) (int64, error) { return tx.Exec(ctx, handEntry+unbalanced) }},
	"a pair that balances across two currencies": {"LG001", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+handLine+`VALUES (`+newID+`, 1, `+bank+`, 'EUR', 100), (`+newID+`, 2, `+sales+`, 'USD', -100);`)
	}},
	"a line of nothing": {"23514", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+balanced+handLine+`VALUES (`+newID+`, 3, `+bank+`, 'EUR', 0);`)
	}},
	"a line on no account": {"LG005", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+handLine+`VALUES (`+newID+`, 1, gen_random_uuid(), 'EUR', 100);`)
	}},
	"a line of no entry": {"LG004", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, balanced)
	}},
	"a pair added to an earlier entry": {"LG004", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handLine+`VALUES (`+oldID+`, 3, `+bank+`, 'EUR', 100), (`+oldID+`, 4, `+sales+`, 'EUR', -100);`)
	}},
	"saying which transaction an entry is of": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `INSERT INTO journal_entry (id, number, date, description, source_kind, posted_at, posted_in)
			VALUES (`+newID+`, 1000, '2026-05-05', 'by hand', 'manual', now(), '1');`)
	}},
	"moving an entry into this transaction": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `UPDATE journal_entry SET posted_in = pg_current_xact_id()`)
	}},
	"changing an entry": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `UPDATE journal_entry SET description = 'x'`)
	}},
	"deleting an entry": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `DELETE FROM journal_entry`)
	}},
	"emptying the journal": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `TRUNCATE journal_entry, journal_line`)
	}},
	"changing a line": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `UPDATE journal_line SET amount = amount * 2`)
	}},
	"deleting a line": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `DELETE FROM journal_line`)
	}},
	"deleting an account": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) { return tx.Exec(ctx, `DELETE FROM account`) }},
	"changing a line by way of a conflict": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handLine+`VALUES (`+oldID+`, 1, `+bank+`, 'EUR', 7) ON CONFLICT (entry_id, line) DO UPDATE SET amount = 7`)
	}},
	"a number a second time": {"23505", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `INSERT INTO journal_entry (id, number, date, description, source_kind, posted_at)
			VALUES (`+newID+`, 1, '2026-05-05', 'by hand', 'manual', now());`)
	}},
	"turning the checks off": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `ALTER TABLE journal_line DISABLE TRIGGER ALL`)
	}},
	"being a replica": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `SET LOCAL session_replication_role = replica`)
	}},
	"asking for the checks early, and writing on": {"LG001", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+balanced+`SET CONSTRAINTS ALL IMMEDIATE;`+thirdLine)
	}},
	"asking for the checks early, then late, and writing on": {"LG001", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+balanced+`SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;`+thirdLine)
	}},
	"an entry without lines, with the checks early": {"LG002", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `SET CONSTRAINTS ALL IMMEDIATE;`+handEntry)
	}},
	"another journal of one's own": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+unbalanced+`CREATE TEMP TABLE journal_line (entry_id uuid, currency varchar, amount bigint);`)
	}},
	"a function of one's own": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `CREATE OR REPLACE FUNCTION check_line_balance() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
	}},
	"looking elsewhere while the checks run": {"LG001", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+unbalanced+`SET LOCAL search_path = pg_temp, platform;`)
	}},
	"being another when the checks run": {"42P01", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, handEntry+unbalanced+`RESET ROLE;`)
	}},
	"holding an entry, so that no one can undo it": {"42501", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `SELECT FROM journal_entry FOR UPDATE`)
	}},
	"an entry in a closed period": {"LG003", func(ctx context.Context, tx *tenant.Tx) (int64, error) {
		return tx.Exec(ctx, `UPDATE settings SET books_closed_through = '2026-05-05';`+handEntry+balanced)
	}},
}

func TestDatabaseRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.mustPost(t, b.sale(100))
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
				_, err := attack.sql(ctx, tx)
				return err
			})
			if got := tenant.SQLState(err); got != attack.state {
				t.Errorf("got %q (%v), want %s", got, err, attack.state)
			}
		})
	}
	t.Cleanup(func() {
		if n := b.entries(t); n != 1 {
			t.Errorf("the journal has %d entries", n)
		}
		if got := b.balance(t, "1010", "EUR"); got != 100 {
			t.Errorf("the balance is %d", got)
		}
	})
}

// The same hand is let through when what it writes is right: the refusals above are for what they say.
func TestDatabaseTakesWhatBalances(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	err := b.do(func(ctx context.Context, tx *tenant.Tx) error {
		_, err := tx.Exec(ctx, handEntry+balanced+`SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := b.entries(t); n != 1 {
		t.Errorf("the journal has %d entries", n)
	}
}
