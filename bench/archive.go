package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// archiveBooks fills the books of a tenant with entries of two lines each, and an act of the record for each, as posting
// them one by one would, under ids in the order of time. Triggers rest: they would look at each line once more, and this is not what is measured.
const archiveBooks = `
	ALTER TABLE %[1]s.journal_entry DISABLE TRIGGER USER;
	ALTER TABLE %[1]s.journal_line DISABLE TRIGGER USER;
	CREATE TEMP TABLE made AS SELECT (lpad(to_hex(n), 12, '0') || '70008' || left(md5(n::text), 15))::uuid AS id, n, n + (SELECT value FROM %[1]s.counter WHERE name = 'journal') AS number FROM generate_series(1, %[2]d) AS n;
	INSERT INTO %[1]s.journal_entry (id, number, date, description, source_kind, posted_at)
		SELECT id, number, current_date, 'Sale of the day, till ' || n, 'manual', now() FROM made;
	INSERT INTO %[1]s.journal_line (entry_id, line, account_id, currency, amount, memo)
		SELECT m.id, l, (SELECT id FROM %[1]s.account ORDER BY code LIMIT 1 OFFSET l), 'EUR', (3 - 2 * l) * (100 + m.n), 'Receipt ' || m.n FROM made m, generate_series(1, 2) AS l;
	INSERT INTO %[1]s.audit_log (id, at, actor_kind, action, object_kind, object_id, request_id, network, detail)
		SELECT id, now(), 'member', 'entry.post', 'entry', id, 'req_' || n, '192.0.2.7', '1.00 EUR' FROM made;
	UPDATE %[1]s.counter SET value = value + %[2]d WHERE name = 'journal';
	ALTER TABLE %[1]s.journal_entry ENABLE TRIGGER USER;
	ALTER TABLE %[1]s.journal_line ENABLE TRIGGER USER;
	DROP TABLE made;
	ANALYZE;`

// runArchive measures the archive of a tenant with so many journal lines against pg_dump of its schema, both into a file.
func runArchive(ctx context.Context, p plan) (err error) {
	p.organizations = 1
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	o := h.tenants[0]
	if _, err := h.super.ExecContext(ctx, fmt.Sprintf(archiveBooks, o.schema, p.archive/2)); err != nil {
		return fmt.Errorf("filling the books: %w", err)
	}
	var slug string
	if err := h.super.QueryRowContext(ctx, `SELECT slug FROM platform.organization WHERE schema_name = $1`, o.schema).Scan(&slug); err != nil {
		return fmt.Errorf("finding the organization: %w", err)
	}
	return measureArchive(ctx, h, slug, o.schema, os.Stdout)
}

func measureArchive(ctx context.Context, h *house, slug, schema string, out io.Writer) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	ours, theirs := filepath.Join(h.dir, "archive.tar.gz"), filepath.Join(h.dir, "dump.sql")
	archive := func() error {
		file, err := os.Create(ours)
		if err != nil {
			return fmt.Errorf("writing the archive: %w", err)
		}
		_, err = tenant.ArchiveOrganization(ctx, h.db, slug, file, tenant.ArchiveOptions{Version: "bench", Sign: key})
		return errors.Join(err, file.Close())
	}
	dump := func() error {
		said, err := exec.CommandContext(ctx, filepath.Join(h.cluster.BinDir(), "pg_dump"), "-n", schema, "-f", theirs, h.config.URL).CombinedOutput()
		if err != nil {
			return fmt.Errorf("pg_dump: %w: %s", err, said)
		}
		return nil
	}
	var ratios []float64
	var sums [2]time.Duration
	for range h.rounds {
		var took [2]time.Duration
		for _, side := range []int{0, 1, 1, 0} {
			began := time.Now()
			if err := []func() error{archive, dump}[side](); err != nil {
				return err
			}
			took[side] += time.Since(began)
		}
		ratios = append(ratios, took[0].Seconds()/took[1].Seconds())
		sums[0], sums[1] = sums[0]+took[0], sums[1]+took[1]
	}
	s := spreadOf(ratios)
	sizes := [2]int64{}
	for i, name := range []string{ours, theirs} {
		about, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("looking at what was written: %w", err)
		}
		sizes[i] = about.Size()
	}
	runs := time.Duration(2 * h.rounds)
	_, err = fmt.Fprintf(out, "The archive of %d journal lines took %s (%.1f MB) and pg_dump -n %s (%.1f MB): %.2f times as long, 95 %% of the median %.2f-%.2f, %d rounds.\n",
		h.archive, (sums[0] / runs).Round(time.Millisecond), float64(sizes[0])/1e6, (sums[1] / runs).Round(time.Millisecond), float64(sizes[1])/1e6, s.Median, s.From, s.To, h.rounds)
	return err
}
