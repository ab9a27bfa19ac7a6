package intake_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// trial gives every account's balance in every currency.
func trial(t *testing.T, o tenanttest.Organization) map[string]string {
	t.Helper()
	all := map[string]string{}
	tenanttest.Do(t, tenanttest.DB(), o, func(ctx context.Context, tx *tenant.Tx) error {
		b, err := report.TrialBalanceOf(ctx, tx, report.Period{})
		for _, r := range b.Rows {
			all[fmt.Sprintf("%s %s %s", r.Code, r.Name, r.Currency)] = r.Closing.String()
		}
		return err
	})
	return all
}

const plainJournal = `; the books of a shop
account expenses:rent and power
commodity 1,000.00 USD
    format 1,000.00 USD
P 2025-01-01 EUR 1.05 USD

comment
2025-01-01 not this
    anything
end comment

2025-01-03 * (41) Rent  ; for January
    expenses:Rent and power  1,100.50 USD
    assets:1010 Current account

2025/1/5=2025/1/7 ! Books | sold
  ! income:Books  $-20.00  ; memo
    assets:till	20.00 = 20.00 USD

2025-01-05 Books | sold
    income:Books  USD -20.00
    assets:till  20.00
`

func TestTake_a_journal_in_plain_text(t *testing.T) {
	t.Parallel()
	o := books(t)
	s := mustTake(t, o, "books.journal", plainJournal)
	if s.Things != 3 || s.Added != 3 || s.Shape != intake.Journal {
		t.Errorf("%+v", s)
	}
	want := map[string]string{"1010 Current account USD": "-1100.50", "18000 till USD": "40.00", "48000 Books USD": "-40.00", "5200 Rent and power USD": "1100.50"}
	if got := trial(t, o); !maps.Equal(got, want) {
		t.Errorf("the books come to %v", got)
	}
	if s := mustTake(t, o, "books.journal", plainJournal); s.Added != 0 || s.Unchanged != 3 {
		t.Errorf("again: %+v", s)
	}
	_, err := take(o, "books.journal", strings.Replace(plainJournal, "1,100.50", "1,100.51", 1))
	if said := fmt.Sprint(err); !strings.Contains(said, "line 13") || !strings.Contains(said, "in the books already") {
		t.Errorf("with another amount: %s", said)
	}
}

func TestRead_refuses_what_it_does_not_know_of_a_journal(t *testing.T) {
	t.Parallel()
	o := books(t)
	for name, c := range map[string]struct{ text, place, say string }{
		"a directive":        {"include other.journal\n", "line 1, column 1", "none that is read here"},
		"an automatic entry": {"2025-01-01 x\n  assets:a  1 USD\n  income:b\n\n= expenses:x\n  assets:a  1\n", "line 5, column 1", "none that is read here"},
		"a virtual posting":  {"2025-01-01 x\n  (assets:a)  1 USD\n  income:b\n", "line 2, column 3", "Virtual"},
		"a price":            {"2025-01-01 x\n  assets:a  1 USD @ 2 EUR\n  income:b\n", "line 2, column 13", "Prices"},
		"two left out":       {"2025-01-01 x\n  assets:a  1 USD\n  income:b\n  income:c\n", "line 4, column 3", "Only one"},
		"an amount":          {"2025-01-01 x\n  assets:a  one USD\n  income:b\n", "line 2, column 13", "two spaces"},
		"a commodity":        {"2025-01-01 x\n  assets:a  1 XQX\n  income:b\n", "line 2, column 13", "urrenc"},
		"an account":         {"2025-01-01 x\n  cash in hand  1 USD\n  income:b\n", "line 2, column 3", "Begin the account"},
		"no balance":         {"2025-01-01 x\n  assets:a  1 USD\n  income:b  -2 USD\n", "line 2", "Make them equal"},
		"a day":              {"2025-02-30 x\n  assets:a  1 USD\n  income:b\n", "line 1, column 1", "ate"},
		"nothing":            {"; nothing\n", "books.journal", "no transactions"},
	} {
		_, err := take(o, "books.journal", c.text)
		var refused *intake.Refused
		if said := fmt.Sprint(err); !errors.As(err, &refused) || !strings.Contains(said, c.place) || !strings.Contains(said, c.say) {
			t.Errorf("%s: %s", name, said)
		}
	}
	if got := trial(t, o); len(got) != 0 {
		t.Errorf("something was kept: %v", got)
	}
}

// What we write for hledger is read back: the same entries, and the same balances.
func TestTake_the_journal_that_was_written_for_hledger(t *testing.T) {
	t.Parallel()
	from, into := books(t), books(t)
	takeSome(t, from)
	mustTake(t, from, "books.journal", plainJournal)
	s := mustTake(t, into, "out.journal", exported(t, from, export.Hledger))
	if want := trial(t, from); s.Added < 5 || !maps.Equal(trial(t, into), want) {
		t.Errorf("%+v: the books come to\n%v\ninstead of\n%v", s, trial(t, into), want)
	}
}

// Importing all our tables into another organization makes the same organization, once, however often.
func TestTake_everything_that_was_exported(t *testing.T) {
	t.Parallel()
	from, into := books(t), books(t)
	takeSome(t, from)
	mustTake(t, from, "books.journal", plainJournal)
	all := []export.Format{export.Customers, export.Products, export.Invoices, export.Payments, export.Journal}
	for range 2 {
		for _, format := range all {
			mustTake(t, into, string(format)+".csv", exported(t, from, format))
		}
	}
	for _, format := range all[:4] {
		if exported(t, into, format) != exported(t, from, format) {
			t.Errorf("%s are not the same", format)
		}
	}
	if got, want := trial(t, into), trial(t, from); !maps.Equal(got, want) {
		t.Errorf("the books come to\n%v\ninstead of\n%v", got, want)
	}
}
