package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// noisy measures what an organization that reads an invoice now and then notices of another, of the same compartment,
// that asks for as much as it can get.
type noisy struct {
	*house
	site         *site
	quiet, loud  organization
	posts, turns atomic.Int64 // of the loud one: what was done, and what was refused for being too much
}

// measureNoisy runs slices of rest, noise, noise, rest, and prints the ratio of their 99th percentiles.
func measureNoisy(ctx context.Context, h *house, out io.Writer) (err error) {
	m := &noisy{house: h}
	if m.quiet, m.loud, err = m.neighbours(ctx); err != nil {
		return err
	}
	server, err := h.newServer(h.db)
	if err != nil {
		return err
	}
	if m.site, err = serve(server.App()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.site.close()) }()
	if _, err := m.slice(ctx, h.warmUp, true); err != nil {
		return err
	}
	m.posts.Store(0)
	m.turns.Store(0)
	var calm, busy []time.Duration
	var ratios []float64
	for n := range h.rounds {
		var rest, noise []time.Duration
		for _, s := range []struct {
			to   *[]time.Duration
			loud bool
		}{{&rest, false}, {&noise, true}, {&noise, true}, {&rest, false}} {
			waited, err := m.slice(ctx, h.plan.slice, s.loud)
			if err != nil {
				return err
			}
			*s.to = append(*s.to, waited...)
		}
		ratios = append(ratios, percentile(noise, 0.99).Seconds()/percentile(rest, 0.99).Seconds())
		calm, busy = append(calm, rest...), append(busy, noise...)
		fmt.Fprintf(os.Stderr, "round %d of %d: %.2f\n", n+1, h.rounds, ratios[n])
	}
	s := spreadOf(ratios)
	_, err = fmt.Fprintf(out, "p99 of reads beside %d clients at full blast of another organization of the compartment: %.2f times that at rest (median of %d rounds, least %.2f, most %.2f).\n"+
		"At rest p50 %v, p99 %v of %d reads; beside it p50 %v, p99 %v of %d; none failed. The other did %d requests, and %d were put off.\n",
		h.clients, s.Median, len(ratios), s.Least, s.Most,
		percentile(calm, 0.5).Round(10*time.Microsecond), percentile(calm, 0.99).Round(10*time.Microsecond), len(calm),
		percentile(busy, 0.5).Round(10*time.Microsecond), percentile(busy, 0.99).Round(10*time.Microsecond), len(busy), m.posts.Load(), m.turns.Load())
	return err
}

// neighbours are two organizations of one compartment.
func (m *noisy) neighbours(ctx context.Context) (one, other organization, err error) {
	homes := map[int]organization{}
	for _, o := range m.tenants {
		var home int
		if err := m.super.QueryRowContext(ctx, `SELECT compartment_id FROM platform.organization WHERE schema_name = $1`, o.schema).Scan(&home); err != nil {
			return one, other, fmt.Errorf("asking for a compartment: %w", err)
		}
		if first, there := homes[home]; there {
			return first, o, nil
		}
		homes[home] = o
	}
	return one, other, errors.New("no two organizations are in one compartment: ask for more of them")
}

// slice gives how long each read of the quiet one took. A failed read of its is an error.
func (m *noisy) slice(ctx context.Context, length time.Duration, loud bool) (waited []time.Duration, err error) {
	over := make(chan struct{})
	var all sync.WaitGroup
	for n := range m.clients {
		if !loud {
			break
		}
		all.Go(func() { m.blast(n, over) })
	}
	c := newCaller(m.site.address)
	defer c.close()
	beat := time.NewTicker(pace)
	defer beat.Stop()
	for began := time.Now(); err == nil && time.Since(began) < length && ctx.Err() == nil; {
		<-beat.C
		asked := time.Now()
		err = c.read(m.quiet, m.quiet.invoices[rand.IntN(len(m.quiet.invoices))])
		waited = append(waited, time.Since(asked))
	}
	close(over)
	all.Wait()
	return slices.Clip(waited), errors.Join(err, ctx.Err())
}

// blast asks for all that it can get.
func (m *noisy) blast(n int, over <-chan struct{}) {
	c := newCaller(m.site.address)
	defer c.close()
	for turn := n; ; turn++ {
		select {
		case <-over:
			return
		default:
		}
		var err error
		if turn%2 == 0 {
			err = c.post(m.loud, newText())
		} else {
			err = c.read(m.loud, m.loud.invoices[turn%len(m.loud.invoices)])
		}
		if err != nil {
			m.turns.Add(1)
			continue
		}
		m.posts.Add(1)
	}
}
