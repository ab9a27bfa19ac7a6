package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
)

// lot is how many schemas are made in a row by one side, so that their processor time can be told.
const lot = 25

// signUps measures what a sign-up rests on: making schemas ahead of it, and claiming one of them.
type signUps struct {
	*house
	meter  meter
	owner  *sql.DB // the owner's, as the service has one
	script string  // that makes a schema, as the service sent it
	ours   []spent // of each lot
	theirs []spent
	ratios []float64 // ours to theirs, of a lot of each
}

// spent is the processor time of one schema.
type spent time.Duration

var schemaName = regexp.MustCompile(`t_[0-9a-f]{20}`)

// runSignUps makes so many schemas by the service, as many by its DDL alone, and then claims the service's.
func runSignUps(ctx context.Context, p plan) (err error) {
	p.organizations, p.invoices = 1, 1
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	return measureSignUps(ctx, h, os.Stdout)
}

func measureSignUps(ctx context.Context, h *house, out io.Writer) (err error) {
	s := &signUps{house: h}
	if s.meter, err = h.newMeter(); err != nil {
		return err
	}
	if s.script, err = h.recordProvision(ctx); err != nil {
		return err
	}
	if s.owner, err = sql.Open("postgres", h.config.URL); err != nil {
		return fmt.Errorf("entering as owner: %w", err)
	}
	defer func() { err = errors.Join(err, s.owner.Close()) }()
	lots := max(1, h.signUps/lot)
	for n := range lots {
		// Whichever comes second meets what the first left in memory: they take turns at being first.
		sides := []func(context.Context) (spent, error){s.byService, s.byScript}
		var took [2]spent
		for i := range sides {
			side := (i + n) % 2
			if took[side], err = sides[side](ctx); err != nil {
				return err
			}
		}
		s.ours, s.theirs = append(s.ours, took[0]), append(s.theirs, took[1])
		s.ratios = append(s.ratios, float64(took[0])/float64(took[1]))
		fmt.Fprintf(os.Stderr, "lot %d of %d: %.2f\n", n+1, lots, s.ratios[n])
	}
	if err := s.publishProvision(out); err != nil {
		return err
	}
	return s.measureClaims(ctx, out)
}

// recordProvision gives the message that makes a schema with all that is in it, as the service sent it once.
func (h *house) recordProvision(ctx context.Context) (script string, err error) {
	if _, err := h.super.ExecContext(ctx, "ALTER ROLE countinghouse_owner SET log_statement = 'all'"); err != nil {
		return "", fmt.Errorf("choosing what the server logs: %w", err)
	}
	defer func() {
		_, failed := h.super.ExecContext(context.WithoutCancel(ctx), "ALTER ROLE countinghouse_owner RESET log_statement")
		err = errors.Join(err, failed)
	}()
	r := &recorder{house: h}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(ctx); err != nil {
		return "", err
	}
	sent, err := r.during(ctx, func() error { return tenant.Provision(ctx, r.db, 1) })
	if err != nil {
		return "", err
	}
	for _, one := range sent {
		if strings.Contains(one.text, "CREATE SCHEMA t_") {
			return one.text, nil
		}
	}
	return "", errors.New("the service made a schema by no message that this benchmark knows")
}

// of gives the processor time that each schema of a lot took, of Postgres and of this process.
func (s *signUps) of(work func() error) (spent, error) {
	before := s.meter.read()
	if err := work(); err != nil {
		return 0, err
	}
	u := s.meter.read().since(before)
	return spent((u.database + u.ourselves) / lot), nil
}

func (s *signUps) byService(ctx context.Context) (spent, error) {
	return s.of(func() error { return tenant.Provision(ctx, s.db, lot) })
}

// byScript sends the same statements as one message each, for other schemas, and notes them nowhere.
func (s *signUps) byScript(ctx context.Context) (spent, error) {
	return s.of(func() error {
		for range lot {
			raw := make([]byte, 10)
			if _, err := rand.Read(raw); err != nil {
				return fmt.Errorf("naming a schema: %w", err)
			}
			if _, err := s.owner.ExecContext(ctx, schemaName.ReplaceAllString(s.script, "t_"+hex.EncodeToString(raw))); err != nil {
				return fmt.Errorf("making a schema by its DDL alone: %w", err)
			}
		}
		return nil
	})
}

func (s *signUps) publishProvision(out io.Writer) error {
	r := spreadOf(s.ratios)
	ms := func(d spent) float64 { return time.Duration(d).Seconds() * 1000 }
	_, err := fmt.Fprintf(out, "Making a schema takes %.2f times the processor time of its DDL alone (95 %% of the median %.2f-%.2f, least %.2f, most %.2f, %d lots of %d).\n",
		r.Median, r.From, r.To, r.Least, r.Most, len(s.ratios), lot)
	if err != nil || len(s.ours) < 8 {
		return err
	}
	// The hundredth lies in the fourth lot.
	early, late := slices.Sorted(slices.Values(s.ours[2:6])), slices.Sorted(slices.Values(s.ours[len(s.ours)-4:]))
	earlier, later := (early[1]+early[2])/2, (late[1]+late[2])/2
	_, err = fmt.Fprintf(out, "The first lots after 50 took %.1f ms a schema and the last four, up to %d beside as many others, %.1f ms: %.2f times.\n",
		ms(earlier), len(s.ours)*lot, ms(later), float64(later)/float64(earlier))
	return err
}

// measureClaims founds organizations in the schemas that wait, in turn with a commit of one row.
func (s *signUps) measureClaims(ctx context.Context, out io.Writer) error {
	if _, err := s.super.ExecContext(ctx, "CREATE TABLE public.bench_commit (n integer NOT NULL); INSERT INTO public.bench_commit VALUES (0)"); err != nil {
		return fmt.Errorf("making a table of one row: %w", err)
	}
	var owner tenant.Person
	if err := s.super.QueryRowContext(ctx, "SELECT id FROM platform.person LIMIT 1").Scan(&owner.ID.UUID); err != nil {
		return fmt.Errorf("asking who founds: %w", err)
	}
	ready, err := tenant.Ready(ctx, s.db)
	if err != nil {
		return err
	}
	var claims, commits []time.Duration
	for n := range ready - 1 {
		began := time.Now()
		err := tenant.Found(ctx, s.db, owner, fmt.Sprintf("claimed-%d", n), "Claimed", func(*tenant.Tx) error { return nil })
		if err != nil {
			return err
		}
		claims = append(claims, time.Since(began))
		began = time.Now()
		if _, err := s.super.ExecContext(ctx, "UPDATE public.bench_commit SET n = n + 1"); err != nil {
			return fmt.Errorf("committing a row: %w", err)
		}
		commits = append(commits, time.Since(began))
	}
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	_, err = fmt.Fprintf(out, "Claiming a ready schema: p50 %v, p99 %v of %d; committing one row: p50 %v, p99 %v; p99 %.2f times, p50 %.2f times.\n",
		round(percentile(claims, 0.5)), round(percentile(claims, 0.99)), len(claims), round(percentile(commits, 0.5)), round(percentile(commits, 0.99)),
		percentile(claims, 0.99).Seconds()/percentile(commits, 0.99).Seconds(), percentile(claims, 0.5).Seconds()/percentile(commits, 0.5).Seconds())
	return err
}
