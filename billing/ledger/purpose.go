package ledger

import (
	"context"
	"errors"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// More that the books themselves post for. These accounts are opened when they are first needed.
const (
	GatewayPrefix = "gateway-"     // and the end of the gateway account's id: what that gateway holds for us
	GatewayFees   = "gateway-fees" // what payment gateways keep
	BadDebts      = "bad-debts"    // what customers will not pay

	Payable  = "payable"   // what payees are owed
	LateFees = "late-fees" // what customers pay for paying late

	Retained = "retained" // what closed years came to: the result brought forward

	CurrencyAdjustment = "currency-adjustment" // what foreign currency is worth more or less than when it came
	CurrencyRealised   = "currency-realised"   // what it gained or lost by the time that it was paid
	CurrencyUnrealised = "currency-unrealised" // and what it would have, at the end of a day
)

// OpenAccountFor gives the account that the books post to for a purpose, and adds it to the chart if there is none yet,
// under the first code that is free from that one on.
func OpenAccountFor(ctx context.Context, tx *tenant.Tx, purpose string, kind Kind, code int, name string) (Account, error) {
	a, made, err := insertAccountFor(ctx, tx, id.New[Account](), purpose, kind, code, name)
	if err != nil || !made {
		return a, err
	}
	return a, recordAccount(ctx, tx, "account.add", a)
}

// OpenPayable gives the account of what payees are owed, and opens it where the chart has none.
func OpenPayable(ctx context.Context, tx *tenant.Tx) (Account, error) {
	if a, err := selectAccountFor(ctx, tx, Payable); !errors.Is(err, tenant.ErrNoRows) {
		return a, err
	}
	return OpenAccountFor(ctx, tx, Payable, KindLiability, 2100, "Owed to suppliers")
}
