package report_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/internal/civil"
)

func TestCustomerBalances(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	zoe, adam, paid := b.customer(t, "Zoë"), b.customer(t, "adam"), b.customer(t, "Paid")
	first := b.invoice(t, zoe, march(1), march(10), eur(100_00))
	b.invoice(t, zoe, march(2), march(20), eur(50_00))
	b.invoice(t, zoe, march(2), march(20), amount("JPY", 900))
	b.invoice(t, adam, march(3), march(30), eur(7_00))
	b.pay(t, b.invoice(t, paid, march(1), march(2), eur(5_00)), paid, march(12), eur(5_00))
	b.pay(t, first, zoe, march(15), eur(40_00))
	b.move(t, march(16), "3000", "1100", eur(2)) // by hand, without saying whose

	type balance = report.CustomerBalance
	yen := amount("JPY", 900)
	for _, c := range []struct {
		name string
		asOf civil.Date
		want []balance
	}{
		{"before anything", march(1).AddDays(-1), []balance{}},
		{"on the due date", march(10), []balance{
			{adam, "adam", eur(0).Currency, eur(7_00), eur(0), 1},
			{paid, "Paid", eur(0).Currency, eur(5_00), eur(5_00), 1},
			{zoe, "Zoë", eur(0).Currency, eur(150_00), eur(0), 2},
			{zoe, "Zoë", yen.Currency, yen, amount("JPY", 0), 1},
		}},
		{"before the part payment", march(14), []balance{
			{adam, "adam", eur(0).Currency, eur(7_00), eur(0), 1},
			{zoe, "Zoë", eur(0).Currency, eur(150_00), eur(100_00), 2},
			{zoe, "Zoë", yen.Currency, yen, amount("JPY", 0), 1},
		}},
		{"in the end", civil.Date{}, []balance{
			{adam, "adam", eur(0).Currency, eur(7_00), eur(7_00), 1},
			{zoe, "Zoë", eur(0).Currency, eur(110_00), eur(110_00), 2},
			{zoe, "Zoë", yen.Currency, yen, yen, 1},
			{uuid.Nil, "Without a customer", eur(0).Currency, eur(2), eur(0), 0},
		}},
	} {
		if got := b.owing(t, c.asOf); !slices.Equal(got, c.want) {
			t.Errorf("%s\n%v, want\n%v", c.name, got, c.want)
		}
	}
}

// The balances of customers add up to the account of what customers owe, on any day.
func TestCustomerBalancesAgreeWithTheLedger(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	zoe := b.customer(t, "Zoë")
	b.pay(t, b.invoice(t, zoe, march(1), march(10), eur(100_00)), zoe, march(7), eur(33_33))
	b.invoice(t, b.customer(t, "adam"), march(5), march(30), eur(7_00))
	b.move(t, march(6), "3000", "1100", eur(2))
	for day := 1; day < 9; day++ {
		var sum int64
		for _, c := range b.owing(t, march(day)) {
			sum += c.Owed.Minor
		}
		if account := b.ledger(t, report.Period{To: march(day)}, b.account["1100"]); account[0].Closing != eur(sum) {
			t.Errorf("on %s customers owe %s, and the account says %s", march(day), eur(sum), account[0].Closing)
		}
	}
}
