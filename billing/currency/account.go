package currency

import (
	"context"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/tenant"
)

// accounts are where gains and losses are posted. They are opened when they are first needed.
type accounts struct {
	adjustment ledger.AccountID // what foreign currency is worth more or less than when it came into the books
	gain       ledger.AccountID
}

func openAccounts(ctx context.Context, tx *tenant.Tx, realised bool) (a accounts, err error) {
	adjustment, err := ledger.OpenAccountFor(ctx, tx, ledger.CurrencyAdjustment, ledger.KindAsset, 1150, "Currency adjustment")
	if err != nil {
		return a, err
	}
	purpose, code, name := ledger.CurrencyUnrealised, 4870, "Unrealised currency gain or loss"
	if realised {
		purpose, code, name = ledger.CurrencyRealised, 4860, "Realised currency gain or loss"
	}
	gain, err := ledger.OpenAccountFor(ctx, tx, purpose, ledger.KindIncome, code, name)
	return accounts{adjustment.ID, gain.ID}, err
}
