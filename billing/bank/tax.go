package bank

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about the tax in a line.
var (
	ErrTax        = fault.New(fault.Invalid, "bank_match.tax", "Choose a tax rate that is in use, or none.").At("tax_code")
	ErrTaxWithout = fault.New(fault.Invalid, "bank_match.tax_without", "A tax is taken out of what is booked to an account. Name the account, or leave the tax out.").At("tax_code")
)

// taxRates gives the rates that a code stands for, in their order; ErrTax for none in use.
func taxRates(ctx context.Context, tx *tenant.Tx, code string) ([]tax.OwnRate, error) {
	named, err := tax.RatesByCode(ctx, tx, []string{code})
	if err != nil {
		return nil, err
	}
	one, ok := named[code]
	if !ok {
		return nil, ErrTax
	}
	if one.Kind != tax.Group {
		return []tax.OwnRate{one}, nil
	}
	members, err := tax.RatesByCode(ctx, tx, one.MemberCodes())
	if err != nil {
		return nil, err
	}
	var rates []tax.OwnRate
	for _, m := range one.Members {
		r, ok := members[m.Code]
		if !ok {
			return nil, ErrTax
		}
		rates = append(rates, r)
	}
	return rates, nil
}

// against gives the lines of an entry that stand against a bank line: all on the account, or what is left of it when the
// taxes that are in the amount were taken out. Of money that went out a recoverable tax is owed back, and another one is a part
// of the cost, as with bills; of money that came in it is owed, as with invoices.
func against(ctx context.Context, tx *tenant.Tx, l Line, account ledger.AccountID, code string) ([]ledger.Line, error) {
	amount, err := l.Amount.Neg()
	if err != nil {
		return nil, err
	}
	rest := ledger.Line{Account: account, Amount: amount, Memo: l.memo()}
	if code == "" {
		return []ledger.Line{rest}, nil
	}
	rates, err := taxRates(ctx, tx, code)
	if err != nil {
		return nil, err
	}
	bought := amount.Sign() > 0
	priced := tax.Line{Quantity: decimal.NewFromInt(1), UnitPrice: amount.Decimal().Abs()}
	for i := range rates {
		rates[i].Percent = rates[i].PercentOn(l.Date)
		priced.Rates = append(priced.Rates, rates[i].Rate)
	}
	worked, err := tax.Calculate(tax.Terms{Currency: amount.Currency, Inclusive: true}, []tax.Line{priced})
	if err != nil {
		return nil, err
	}
	var lines []ledger.Line
	for i, t := range worked.Lines[0].Taxes {
		if t.Amount.IsZero() || bought && !rates[i].Recoverable {
			continue
		}
		part := money.Amount{Minor: t.Amount.Minor * int64(amount.Sign()), Currency: amount.Currency}
		to := rates[i].Account
		if bought && !rates[i].InputAccount.IsZero() {
			to = rates[i].InputAccount
		}
		lines = append(lines, ledger.Line{Account: to, Amount: part, Memo: rates[i].Name})
		rest.Amount.Minor -= part.Minor
	}
	return append([]ledger.Line{rest}, lines...), nil
}
