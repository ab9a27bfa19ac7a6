package report

import (
	"context"
	"strings"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/tenant"
)

// CashFlow gives how the money moved and what for (IAS 7, the direct method), by the accounts on the other side of
// entries that moved money. Money is what the overview counts as cash: the bank account and the asset accounts whose
// codes begin with its first two characters; what moves between them is left out. Money that came is positive. The sums
// are "change", and "beginning" and "end", which the change leads from and to. Days, currency and errors are as in
// ProfitAndLoss.
func CashFlow(ctx context.Context, tx *tenant.Tx, period Period, currency money.Currency) (Table, error) {
	period, err := fill(ctx, tx, period)
	if err != nil {
		return Table{}, err
	}
	t, err := openTable(ctx, tx, currency, compared(period))
	if err != nil {
		return t, err
	}
	rows, err := selectCashFlow(ctx, tx, t.Columns)
	if err != nil {
		return t, err
	}
	for _, s := range cashSections {
		t.begin(s[0], s[1])
	}
	change, beginning := t.zeros(), t.zeros()
	for _, r := range rows {
		if !t.has(r.Currency) || r.empty() {
			continue
		}
		row := r.row()
		if r.Account.IsZero() {
			beginning = row.Amounts
			continue
		}
		if err := t.put(cashSection(r), row); err != nil {
			return t, err
		}
		if change, err = addEach(change, row.Amounts); err != nil {
			return t, err
		}
	}
	end, err := addEach(beginning, change)
	t.Sums = append(t.Sums, Row{Key: "change", Name: "Change", Amounts: change}, Row{Key: "beginning", Name: "Money at the beginning", Amounts: beginning},
		Row{Key: "end", Name: "Money at the end", Amounts: end})
	t.drop()
	return t, err
}

var cashSections = [][2]string{{"income", "From customers and other income"}, {"expenses", "Expenses"}, {"taxes", "Taxes"},
	{"assets", "Other assets"}, {"liabilities", "Debts"}, {"equity", "Put in and drawn by the owners"}}

func cashSection(r columnRow) string {
	switch {
	case r.Purpose == ledger.Receivable, r.Kind == ledger.KindIncome, strings.HasPrefix(r.Purpose, ledger.GatewayPrefix) && r.Kind == ledger.KindAsset:
		return "income"
	case r.Purpose == ledger.Tax:
		return "taxes"
	case r.Purpose == ledger.Payable, r.Kind == ledger.KindExpense:
		return "expenses"
	case r.Kind == ledger.KindAsset:
		return "assets"
	case r.Kind == ledger.KindLiability:
		return "liabilities"
	}
	return "equity"
}
