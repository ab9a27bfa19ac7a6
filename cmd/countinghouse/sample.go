package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/tenant"
)

// sampleSteps is how far a sample is filled, in percent, after each file of the shop's history.
var sampleSteps = []int{0, 5, 20, 65}

// fillSample fills an organization to look around in with the shop's history. Cut short, it goes on where it was: each
// file, and then the bookkeeping, is one transaction, and is not done twice.
func (w work) fillSample(ctx context.Context, s tenant.Scope, _ json.RawMessage) error {
	slug := s.Organization().Slug
	if _, ok, err := tenant.SampleAt(ctx, w.db, slug); err != nil || !ok {
		return err
	}
	var today civil.Date
	err := tenant.Do(ctx, w.db, s, func(tx *tenant.Tx) (err error) {
		today, err = billing.Today(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	err = fillDemo(ctx, w.db, s, func(content []byte) ([]byte, error) { return untilToday(content, today) }, func(files int) error {
		return tenant.TellSample(ctx, w.db, slug, sampleSteps[files])
	})
	if err != nil {
		return err
	}
	if err := tenant.Do(ctx, w.db, s, func(tx *tenant.Tx) error { return keepDemoBooks(ctx, tx) }); err != nil {
		return err
	}
	return tenant.TellSample(ctx, w.db, slug, 100)
}

// untilToday moves the days of issue in a file so that its last is yesterday: a shop whose trade ended long ago has nothing
// to look at.
func untilToday(content []byte, today civil.Date) ([]byte, error) {
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading a file of the demo: %w", err)
	}
	at := slices.Index(rows[0], "issue_date")
	if at < 0 {
		return content, nil
	}
	days := make([]civil.Date, len(rows))
	var last civil.Date
	for i, row := range rows[1:] {
		if days[i+1], err = civil.Parse(row[at]); err != nil {
			return nil, fmt.Errorf("reading a day of the demo: %w", err)
		}
		if days[i+1].After(last) {
			last = days[i+1]
		}
	}
	later := last.DaysUntil(today.AddDays(-1))
	for i, row := range rows[1:] {
		row[at] = days[i+1].AddDays(later).String()
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		return nil, fmt.Errorf("writing a file of the demo: %w", err)
	}
	return out.Bytes(), nil
}

// endSamples ends the samples whose time has come.
func (w work) endSamples(ctx context.Context) error {
	ended, err := tenant.EndSamples(ctx, w.db)
	if ended > 0 {
		w.log.Info("samples have ended", "count", ended)
	}
	return err
}
