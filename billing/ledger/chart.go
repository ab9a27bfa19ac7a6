package ledger

import (
	"context"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// chartRow is an account of the chart that new books begin with.
type chartRow struct {
	ID      AccountID `json:"id"`
	Code    string    `json:"code"`
	Name    string    `json:"name"`
	Kind    Kind      `json:"kind"`
	Purpose string    `json:"purpose,omitempty"`
}

// The names are what a shopkeeper would call things; the codes leave room between them.
var openingChart = [...]chartRow{
	{Code: "1000", Name: "Cash in hand", Kind: KindAsset},
	{Code: "1010", Name: "Current account", Kind: KindAsset, Purpose: Bank},
	{Code: "1020", Name: "Savings account", Kind: KindAsset},
	{Code: "1100", Name: "Owed by customers", Kind: KindAsset, Purpose: Receivable},
	{Code: "1200", Name: "Stock", Kind: KindAsset},
	{Code: "1300", Name: "Paid in advance", Kind: KindAsset},
	{Code: "1510", Name: "Equipment", Kind: KindAsset},
	{Code: "1590", Name: "Wear on equipment", Kind: KindAsset},
	{Code: "2100", Name: "Owed to suppliers", Kind: KindLiability, Purpose: Payable},
	{Code: "2200", Name: "Tax to pay", Kind: KindLiability, Purpose: Tax},
	{Code: "2300", Name: "Wages to pay", Kind: KindLiability},
	{Code: "2400", Name: "Received in advance", Kind: KindLiability},
	{Code: "2500", Name: "Loans", Kind: KindLiability},
	{Code: "3000", Name: "Capital paid in", Kind: KindEquity, Purpose: Equity},
	{Code: "3100", Name: "Drawn by the owners", Kind: KindEquity},
	{Code: "3200", Name: "Result brought forward", Kind: KindEquity, Purpose: Retained},
	{Code: "4000", Name: "Sales", Kind: KindIncome, Purpose: Income},
	{Code: "4800", Name: "Other income", Kind: KindIncome},
	{Code: "4900", Name: "Interest received", Kind: KindIncome},
	{Code: "5000", Name: "Goods and services bought in", Kind: KindExpense},
	{Code: "5100", Name: "Wages", Kind: KindExpense},
	{Code: "5200", Name: "Rent and power", Kind: KindExpense},
	{Code: "5300", Name: "Office and software", Kind: KindExpense},
	{Code: "5400", Name: "Travel", Kind: KindExpense},
	{Code: "5500", Name: "Advertising", Kind: KindExpense},
	{Code: "5600", Name: "Accountants and lawyers", Kind: KindExpense},
	{Code: "5700", Name: "Insurance", Kind: KindExpense},
	{Code: "6000", Name: "Bank fees", Kind: KindExpense},
	{Code: "6100", Name: "Interest paid", Kind: KindExpense},
	{Code: "6200", Name: "Depreciation", Kind: KindExpense},
	{Code: "6300", Name: "Exchange differences", Kind: KindExpense},
	{Code: "6900", Name: "Rounding", Kind: KindExpense},
}

// OpenChart gives a new organization the chart that its books begin with, and begins the numbers of its journal at 1.
func OpenChart(ctx context.Context, tx *tenant.Tx) error {
	chart := openingChart
	for i := range chart {
		chart[i].ID = id.New[Account]()
	}
	return insertChart(ctx, tx, chart[:])
}
