package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"text/tabwriter"
	"time"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// decisionCeiling is what one decision may take once it is known.
const decisionCeiling = 2 * time.Microsecond

// decisions is what deciding costs while so many organizations have a role of their own.
type decisions struct {
	Organizations int           `json:"organizations"`
	Walk          time.Duration `json:"walk_nanoseconds"` // from one caller to the next, without deciding
	Warm          time.Duration `json:"warm_nanoseconds"` // deciding, beyond that
	First         time.Duration `json:"first_after_an_edit_nanoseconds"`
}

// asker is who asks, as a scope holds them: what is decided lies beside what the request has read already to route it.
type asker struct {
	kept   tenant.Verdicts
	holder authz.Holder
}

// measureDecisions decides for members of so many organizations in turn, each with a role that it made. Going from one
// to the next is what a request does before it decides anything; it is measured by itself and taken off.
func measureDecisions(organizations []int, rounds int) ([]decisions, error) {
	ticks, err := authz.ParseTicks([]string{"customers:read", "customers:create", "invoices:read", "invoices:create", "invoices:change", "payments:read", "reports:read"})
	if err != nil {
		return nil, err
	}
	read, pay := authz.Right{Module: authz.Invoices, Action: authz.Read}, authz.Right{Module: authz.Payments, Action: authz.Delete}
	var all []decisions
	for _, n := range organizations {
		policy, err := authz.Compile()
		if err != nil {
			return nil, err
		}
		askers := make([]asker, n)
		for i := range askers {
			askers[i].holder = authz.Holder{Organization: id.New[tenant.Organization](), Version: 1, Role: "own:" + id.New[authz.OwnRole]().String(), Rights: ticks.Text(), Kept: &askers[i].kept}
			if !policy.DecideFor(askers[i].holder, read).Allowed || policy.DecideFor(askers[i].holder, pay).Allowed {
				return nil, errors.New("a role decides otherwise than it was ticked")
			}
		}
		random := rand.New(rand.NewPCG(1, 2))
		turns := make([]int, rounds)
		for i := range turns {
			turns[i] = random.IntN(n)
		}
		d := decisions{Organizations: n}
		walked, decided := walkAskers(policy, askers, turns, read)
		d.Walk, d.Warm = walked/time.Duration(rounds), max(decided-walked, 0)/time.Duration(rounds)
		const edits = 20
		began := time.Now()
		for i := range edits {
			h := askers[i%n].holder
			h.Version, h.Kept = int64(2+i), &tenant.Verdicts{}
			policy.DecideFor(h, read)
		}
		d.First = time.Since(began) / edits
		all = append(all, d)
	}
	return all, nil
}

// walkAskers goes from asker to asker, reading what a request has read of its scope; then it does so again and decides.
// Each step waits for the one before, as a request's does: else the processor would fetch several askers at once in the
// one walk and not in the other.
func walkAskers(policy *authz.Policy, askers []asker, turns []int, right authz.Right) (walked, decided time.Duration) {
	read := func(a *asker) int {
		if _, known := a.kept.Has(nil, 0); known {
			return 1
		}
		return int(a.holder.Version) - 1
	}
	step, denied := 0, 0
	began := time.Now()
	for _, turn := range turns {
		step = read(&askers[turn+step])
	}
	walked = time.Since(began)
	began = time.Now()
	for _, turn := range turns {
		a := &askers[turn+step]
		step = read(a)
		if !policy.DecideFor(a.holder, right).Allowed {
			denied++
		}
	}
	decided = time.Since(began)
	if denied != 0 {
		panic("a decision changed while nothing did")
	}
	return walked, decided
}

// publishDecisions prints a table, and says which decision takes too long.
func publishDecisions(out io.Writer, all []decisions) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\norganizations with a role of their own\tto the next caller\tone decision\tfirst after an edit\t\n")
	var slow error
	for _, d := range all {
		fmt.Fprintf(table, "%d\t%v\t%v\t%v\t\n", d.Organizations, d.Walk, d.Warm, d.First.Round(time.Microsecond))
		if d.Warm > decisionCeiling {
			slow = errors.Join(slow, fmt.Errorf("TOO SLOW: with %d organizations a decision takes %v; the ceiling is %v", d.Organizations, d.Warm, decisionCeiling))
		}
	}
	fmt.Fprintln(table)
	return errors.Join(table.Flush(), slow)
}
