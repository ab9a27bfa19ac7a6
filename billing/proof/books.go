package proof

import (
	"context"

	"github.com/countinghouse/countinghouse/tenant"
)

// shown is how many findings of one kind are named; the rest is counted.
const shown = 5

// probe is one question to the rows; what it selects does not agree.
type probe struct {
	check string
	ask   func(ctx context.Context, tx *tenant.Tx) ([]difference, error)
	say   func(d difference) string
}

var probes = []probe{
	{trial, selectTrial, func(d difference) string {
		return "The debits and credits of all entries in " + d.Currency + " are " + d.apart() + " apart."
	}},
	{entries, selectUnbalanced, func(d difference) string {
		return d.called() + " does not balance: its lines come to " + d.found() + "."
	}},
	{entries, selectShort, func(d difference) string { return d.called() + " has fewer than two lines." }},
	{entries, selectStrayLines, func(d difference) string {
		return "Lines over " + d.found() + " belong to no entry, or to no account."
	}},
	{entries, selectGaps, func(d difference) string { return "Entry " + d.Number + " is missing: numbers have no gaps." }},
	{entries, selectReversals, func(d difference) string {
		return d.called() + " does not undo the entry that it reverses: " + d.apart() + " is left."
	}},
	{documents, selectMisposted, func(d difference) string {
		return d.called() + " comes to " + d.wanted() + ", and the ledger has " + d.found() + " for it."
	}},
	{documents, selectUnvoided, func(d difference) string {
		return d.called() + " is void, and the ledger still has " + d.found() + " for it."
	}},
	{documents, selectMissettled, func(d difference) string {
		return d.called() + " says that " + d.found() + " of it is settled; its payments, credits and write-off come to " + d.wanted() + "."
	}},
	{documents, selectMiswritten, func(d difference) string {
		return d.called() + " says that " + d.found() + " of it is written off, and the ledger has " + d.wanted() + "."
	}},
	{documents, selectOrphans, func(d difference) string {
		return d.called() + " was posted by a document or payment that is not there."
	}},
	{payments, selectMispaid, func(d difference) string {
		return d.called() + " is " + d.wanted() + ", and the ledger has " + d.found() + " for it."
	}},
	{gateways, selectMismoved, func(d difference) string {
		return "The gateway moved " + d.wanted() + ", and " + d.called() + " has " + d.found() + " for it on the clearing account."
	}},
	{gateways, selectMisreceived, func(d difference) string {
		return "The gateway moved " + d.wanted() + ", and its payment is kept as " + d.found() + "."
	}},
	{banks, selectMismatched, func(d difference) string {
		return d.called() + " moves " + d.found() + " on the account, and the bank’s lines that it is matched with come to " + d.wanted() + "."
	}},
	{banks, selectMisstated, func(d difference) string {
		return "A finished statement of " + d.called() + " ends with " + d.wanted() + ", and its lines lead to " + d.found() + "."
	}},
}

// Books gives what does not agree in the books, and how much that is: of each kind the first few are named. Each question
// is one statement and so sees one state, whatever is posted meanwhile.
func Books(ctx context.Context, tx *tenant.Tx) (found []Finding, count int, err error) {
	for _, p := range probes {
		rows, err := p.ask(ctx, tx)
		if err != nil {
			return nil, 0, err
		}
		count += len(rows)
		for _, d := range rows[:min(len(rows), shown)] {
			f := Finding{Check: p.check, Say: p.say(d), Kind: d.Sort, ID: d.ID.UUID}
			if !d.ID.Valid {
				f.Kind = ""
			}
			found = append(found, f)
		}
	}
	return found, count, nil
}
