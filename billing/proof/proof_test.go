package proof_test

import (
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/proof"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestProve(t *testing.T) {
	t.Parallel()
	b := traded(t)
	if p := b.latest(); !p.At.IsZero() || p.Head != "" {
		t.Fatalf("before the first proof there is %+v", p)
	}
	first := b.prove()
	if !first.Whole() || len(first.Findings) != 0 || first.Entries < 10 || first.Seals <= first.Entries || len(first.Head) != 64 {
		t.Fatalf("books that nobody touched: %+v", first)
	}
	if kept := b.latest(); !kept.At.Equal(first.At) || !kept.WholeAt.Equal(first.At) || kept.Head != first.Head || kept.Seals != first.Seals {
		t.Fatalf("kept is %+v of %+v", kept, first)
	}
	b.clock.Advance(time.Hour)
	b.sell()
	if later := b.prove(); !later.Whole() || later.Head == first.Head || later.Entries <= first.Entries {
		t.Fatalf("an hour later: %+v", later)
	}
	empty := openBooks(t)
	if p := empty.prove(); !p.Whole() || p.Entries != 0 {
		t.Fatalf("empty books: %+v", p)
	}
}

// Each is what somebody may do who has the database; what it is found by stands beside it.
func TestProve_names_what_was_tampered_with(t *testing.T) {
	t.Parallel()
	const entryOf = `(SELECT entry_id FROM document WHERE kind = 'invoice' ORDER BY number LIMIT 1)`
	for name, attack := range map[string]struct{ statements, check, say string }{
		"an amount is changed":           {`UPDATE journal_line SET amount = amount + 7 WHERE line = 1 AND entry_id = ` + entryOf, "entries", "does not balance: its lines come to 0.07 EUR"},
		"a sum is changed":               {`UPDATE journal_line SET amount = amount + 7 WHERE line = 1 AND entry_id = ` + entryOf, "trial", "are 0.07 EUR apart"},
		"both sides are changed":         {`UPDATE journal_line SET amount = amount * 2 WHERE entry_id = ` + entryOf, "documents", "comes to 100.00 EUR, and the ledger has 200.00 EUR for it"},
		"both sides, and the chain":      {`UPDATE journal_line SET amount = amount * 2 WHERE entry_id = ` + entryOf, "chain", "breaks at row"},
		"an entry is deleted":            {`DELETE FROM journal_line WHERE entry_id = (SELECT id FROM journal_entry WHERE number = 2); ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_reverses_id_fkey; ALTER TABLE document DROP CONSTRAINT document_entry_id_fkey; DELETE FROM journal_entry WHERE number = 2`, "entries", "Entry 2 is missing"},
		"the last entry is deleted":      {`DELETE FROM payment_allocation WHERE payment_id = (SELECT id FROM payment WHERE direction = 'out'); DELETE FROM payment WHERE direction = 'out'; DELETE FROM journal_line WHERE entry_id = (SELECT id FROM journal_entry ORDER BY number DESC LIMIT 1); DELETE FROM journal_entry WHERE number = (SELECT max(number) FROM journal_entry)`, "entries", "is missing"},
		"a line is deleted":              {`DELETE FROM journal_line WHERE line = 2 AND entry_id = ` + entryOf, "entries", "has fewer than two lines"},
		"a line belongs to nothing":      {`UPDATE journal_line SET account_id = gen_random_uuid() WHERE line = 2 AND entry_id = ` + entryOf, "entries", "Lines over 100.00 EUR belong to no entry"},
		"a reversal is changed":          {`UPDATE journal_line SET amount = amount * 2 WHERE entry_id = (SELECT id FROM journal_entry WHERE reverses_id IS NOT NULL)`, "entries", "does not undo the entry that it reverses"},
		"a total is changed":             {`ALTER TABLE document DISABLE TRIGGER USER; UPDATE document SET total = total + 500, net = net + 500 WHERE number = (SELECT min(number) FROM document WHERE kind = 'invoice')`, "documents", "comes to 105.00 EUR, and the ledger has 100.00 EUR"},
		"a bill is changed":              {`ALTER TABLE document DISABLE TRIGGER USER; UPDATE document SET total = total - 500, net = net - 500 WHERE kind = 'bill'`, "documents", "comes to 75.00 EUR, and the ledger has 80.00 EUR"},
		"an invoice is no longer void":   {`UPDATE journal_line SET amount = amount / 2 WHERE entry_id = (SELECT id FROM journal_entry WHERE reverses_id IS NOT NULL)`, "documents", "is void, and the ledger still has 50.00 EUR"},
		"an invoice is said to be paid":  {`UPDATE document SET settled = total WHERE number = (SELECT max(number) FROM document WHERE kind = 'invoice')`, "documents", "says that 100.00 EUR of it is settled; its payments, credits and write-off come to 50.00 EUR"},
		"an invoice is written off":      {`UPDATE document SET settled = total, written_off = 5000 WHERE number = (SELECT max(number) FROM document WHERE kind = 'invoice')`, "documents", "says that 50.00 EUR of it is written off, and the ledger has 0.00 EUR"},
		"an allocation is deleted":       {`DELETE FROM payment_allocation`, "documents", "come to 0.00 EUR"},
		"a document is deleted":          {`ALTER TABLE document DISABLE TRIGGER USER; ALTER TABLE document_line DISABLE TRIGGER USER; DELETE FROM document_line; DELETE FROM payment_allocation; DELETE FROM document WHERE kind = 'bill'`, "documents", "was posted by a document or payment that is not there"},
		"a payment is changed":           {`UPDATE payment SET amount = amount + 100 WHERE direction = 'in' AND account_id = (SELECT id FROM account WHERE code = '1010')`, "payments", "is 101.00 EUR, and the ledger has 100.00 EUR"},
		"a bill's payment is changed":    {`UPDATE payment SET amount = amount + 100 WHERE direction = 'out'`, "payments", "is 31.00 EUR, and the ledger has 30.00 EUR"},
		"a gateway's fee is hidden":      {`UPDATE gateway_movement SET amount = -50 WHERE kind = 'fee'`, "gateways", "The gateway moved -0.50 EUR, and Entry"},
		"a charge is made smaller":       {`UPDATE gateway_movement SET amount = 4000 WHERE kind = 'charge'`, "gateways", "The gateway moved 40.00 EUR, and its payment is kept as 50.00 EUR"},
		"a line of the bank is changed":  {`UPDATE bank_line SET amount = amount - 100`, "bank", "moves 100.00 EUR on the account, and the bank’s lines that it is matched with come to 99.00 EUR"},
		"a statement is changed":         {`UPDATE bank_statement SET closing = closing + 1`, "bank", "ends with 100.01 EUR, and its lines lead to 100.00 EUR"},
		"an act is changed":              {`UPDATE audit_log SET detail = 'nothing' WHERE action = 'invoice.issue'`, "chain", "breaks at row"},
		"the end of the chain is cut":    {`DELETE FROM seal WHERE seq > 10; DELETE FROM audit_private; DELETE FROM audit_log WHERE id NOT IN (SELECT row_id FROM seal)`, "chain", "it was made anew since, or its end was cut off"},
		"the whole chain is made anew":   {`UPDATE audit_log SET detail = 'nothing' WHERE action = 'invoice.issue'; DELETE FROM seal`, "chain", "it was made anew since"},
		"all that was sealed is deleted": {`DELETE FROM seal; DELETE FROM audit_private; DELETE FROM audit_log`, "chain", "it was made anew since"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := traded(t)
			before := b.prove()
			if !before.Whole() {
				t.Fatalf("before: %+v", before.Findings)
			}
			b.clock.Advance(time.Minute)
			tenanttest.AsOwner(t, b.Organization, attack.statements)
			p := b.prove()
			var said []string
			for _, f := range p.Findings {
				if said = append(said, f.Check+": "+f.Say); f.Check == attack.check && strings.Contains(f.Say, attack.say) {
					said = nil
					break
				}
			}
			if len(said) > 0 || p.Found == 0 {
				t.Fatalf("found is\n%s", strings.Join(said, "\n"))
			}
			kept := b.latest()
			if kept.Found != p.Found || !kept.WholeAt.Equal(before.At) || !kept.At.Equal(p.At) {
				t.Errorf("kept is %+v", kept)
			}
			if attack.check == "chain" && kept.Head != before.Head {
				t.Errorf("the end of a chain that does not hold is kept as if it did")
			}
		})
	}
}

// Once a night, from three o'clock on in Helsinki.
func TestProveWhenDue(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	helsinki, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) {
		t.Helper()
		now := b.clock.Now().In(helsinki)
		b.clock.Advance(time.Date(now.Year(), now.Month(), now.Day()+day, hour, minute, 0, 0, helsinki).Sub(now))
		if b.Scope, err = reenter(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		day, hour, minute int
		due               bool
		when              string
	}{
		{1, 14, 0, true, "new books are proved at once"},
		{0, 23, 0, false, "not twice on one day"},
		{1, 2, 59, false, "not before three"},
		{0, 3, 1, true, "after three"},
		{0, 4, 0, false, "not twice in one night"},
		{2, 17, 0, true, "late, where no worker ran at night"},
		{1, 2, 0, false, "not before three of the next night"},
		{0, 3, 30, true, "and then again"},
	} {
		at(step.day, step.hour, step.minute)
		if p, done, err := proof.ProveWhenDue(t.Context(), b.db, b.Scope); err != nil || done != step.due || done != !p.At.IsZero() {
			t.Errorf("%s: done %v, %v", step.when, done, err)
		}
	}
}
