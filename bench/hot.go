package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

// spreadOver is how many accounts entries are spread over where they are spread.
const spreadOver = 200

// runHot measures posting where every entry touches the same two accounts against posting over many, in one organization.
func runHot(ctx context.Context, p plan) (err error) {
	p.organizations, p.invoices = 1, 2
	h, err := openHouse(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	accounts, err := h.addAccounts(ctx)
	if err != nil {
		return err
	}
	return measureHot(ctx, h, accounts, os.Stdout)
}

// addAccounts opens accounts that entries can be spread over, in the first organization.
func (h *house) addAccounts(ctx context.Context) (ids []string, err error) {
	scope, err := tenant.EnterOperator(ctx, h.db, "bench-1")
	if err != nil {
		return nil, err
	}
	err = tenant.Do(ctx, h.db, scope, func(tx *tenant.Tx) error {
		for n := range spreadOver {
			made, err := ledger.AddAccount(ctx, tx, ledger.AccountInput{Code: fmt.Sprintf("7%04d", n), Name: fmt.Sprintf("Till %d", n+1), Kind: ledger.KindExpense})
			if err != nil {
				return err
			}
			ids = append(ids, made.ID.String())
		}
		return nil
	})
	return ids, err
}

func measureHot(ctx context.Context, h *house, accounts []string, out io.Writer) (err error) {
	server, err := h.newServer(h.db)
	if err != nil {
		return err
	}
	at, err := serve(server.App())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	var callers []*caller
	for range h.clients {
		callers = append(callers, newCaller(at.address))
	}
	m, err := h.newMeter()
	if err != nil {
		return err
	}
	run := func(hot bool) (slot, error) {
		return m.drive(ctx, callers, h.lead, h.slice, func(c *caller, random *rand.Rand) error {
			o := h.tenants[0]
			first, second := 0, 1
			if !hot {
				first = random.IntN(len(accounts))
				second = (first + 1 + random.IntN(len(accounts)-1)) % len(accounts)
			}
			o.debit, o.credit = accounts[first], accounts[second]
			return c.post(o, newText())
		})
	}
	if _, err := m.drive(ctx, callers, 0, h.warmUp, func(c *caller, _ *rand.Rand) error { return c.post(h.tenants[0], newText()) }); err != nil {
		return err
	}
	var ratios, rates []float64
	for range h.rounds {
		var done [2]int
		for _, side := range []int{0, 1, 1, 0} {
			s, err := run(side == 0)
			if err != nil {
				return err
			}
			done[side] += s.operations
		}
		ratios = append(ratios, float64(done[0])/float64(done[1]))
		rates = append(rates, float64(done[0])/(2*h.slice.Seconds()))
	}
	s := spreadOf(ratios)
	_, err = fmt.Fprintf(out, "Posting to the same two accounts reaches %.2f of posting over %d (95 %% of the median %.2f-%.2f, least %.2f, most %.2f, %d rounds); %.0f entries a second of one organization.\n",
		s.Median, len(accounts), s.From, s.To, s.Least, s.Most, len(ratios), spreadOf(rates).Median)
	return err
}
