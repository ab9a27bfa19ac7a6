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
	Warm          time.Duration `json:"warm_nanoseconds"`
	First         time.Duration `json:"first_after_an_edit_nanoseconds"`
}

// measureDecisions decides for members of so many organizations in turn, each with a role that it made.
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
		holders := make([]authz.Holder, n)
		for i := range holders {
			holders[i] = authz.Holder{Organization: id.New[tenant.Organization](), Version: 1, Role: "own:" + id.New[authz.OwnRole]().String(), Rights: ticks.Text()}
			if !policy.DecideFor(holders[i], read).Allowed || policy.DecideFor(holders[i], pay).Allowed {
				return nil, errors.New("a role decides otherwise than it was ticked")
			}
		}
		random := rand.New(rand.NewPCG(1, 2))
		turns := make([]int, rounds)
		for i := range turns {
			turns[i] = random.IntN(n)
		}
		d := decisions{Organizations: n}
		began := time.Now()
		for _, turn := range turns {
			policy.DecideFor(holders[turn], read)
		}
		d.Warm = time.Since(began) / time.Duration(rounds)
		const edits = 20
		began = time.Now()
		for i := range edits {
			h := holders[i%n]
			h.Version = int64(2 + i)
			policy.DecideFor(h, read)
		}
		d.First = time.Since(began) / edits
		all = append(all, d)
	}
	return all, nil
}

// publishDecisions prints a table, and says which decision takes too long.
func publishDecisions(out io.Writer, all []decisions) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\norganizations with a role of their own\tone decision\tfirst after an edit\t\n")
	var slow error
	for _, d := range all {
		fmt.Fprintf(table, "%d\t%v\t%v\t\n", d.Organizations, d.Warm, d.First.Round(time.Microsecond))
		if d.Warm > decisionCeiling {
			slow = errors.Join(slow, fmt.Errorf("TOO SLOW: with %d organizations a decision takes %v; the ceiling is %v", d.Organizations, d.Warm, decisionCeiling))
		}
	}
	fmt.Fprintln(table)
	return errors.Join(table.Flush(), slow)
}
