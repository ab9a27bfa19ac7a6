package tax

import (
	"context"
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about an organization's rates.
var (
	ErrRateNotFound  = fault.New(fault.NotFound, "tax.not_found", "There is no such tax rate.")
	ErrRateChanged   = fault.New(fault.Conflict, "tax.changed", "Someone else changed this tax rate in the meantime. Look at it again, then repeat your change.")
	ErrRateCodeTaken = fault.New(fault.Conflict, "tax.code_taken", "Another tax rate has this code.").At("code")
	ErrRateAccount   = fault.New(fault.Invalid, "tax.account", "Give an account that is there and not archived, or none for the usual one.").At("account_id")
)

// RateID names a rate.
type RateID = id.Of[Rate]

// OwnRate is a rate that an organization charges, and where what it comes to is owed.
type OwnRate struct {
	Rate
	Account  ledger.AccountID
	Archived bool
	Version  int
}

// RateInput is what is written about a rate. No account is the one whose purpose is tax.
type RateInput struct {
	Code, Name string
	Percent    decimal.Decimal
	Compound   bool
	Account    ledger.AccountID
}

func (in RateInput) check() (RateInput, error) {
	var faults fault.List
	var errs [3]error
	in.Code, errs[0] = text.Required("code", in.Code, 20)
	in.Name, errs[1] = text.Required("name", in.Name, 60)
	errs[2] = checkPercent(in.Percent, ErrPercentOutOfRange)
	for i, field := range []string{"code", "name", "percent"} {
		if !faults.Add(field, errs[i]) {
			return in, errs[i]
		}
	}
	return in, faults.Err()
}

// AddRate keeps a new rate. It fails with what is wrong with the input, ErrRateCodeTaken or ErrRateAccount.
func AddRate(ctx context.Context, tx *tenant.Tx, in RateInput) (OwnRate, error) {
	in, err := in.check()
	if err != nil {
		return OwnRate{}, err
	}
	r, err := insertRate(ctx, tx, id.New[Rate](), in)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.add", r)
}

// ChangeRate writes all of a rate anew; what was invoiced stays as it was, drafts too until they are revised. version is
// the one that the change was made on; 0 is any. It fails with what is wrong with the input, ErrRateNotFound,
// ErrRateChanged, ErrRateCodeTaken or ErrRateAccount.
func ChangeRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int, in RateInput) (OwnRate, error) {
	in, err := in.check()
	if err != nil {
		return OwnRate{}, err
	}
	was, err := lockRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	r, err := updateRate(ctx, tx, rate, version, in)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.change", r, rateChanges(was, r)...)
}

func rateChanges(was, is OwnRate) []tenant.Change {
	return []tenant.Change{
		{Field: "code", Before: was.Code, After: is.Code},
		{Field: "name", Before: was.Name, After: is.Name},
		{Field: "percent", Before: was.Percent.String(), After: is.Percent.String()},
		{Field: "compound", Before: strconv.FormatBool(was.Compound), After: strconv.FormatBool(is.Compound)},
		{Field: "account_id", Before: was.Account.String(), After: is.Account.String()},
	}
}

// ArchiveRate takes a rate out of use; what was invoiced stays. Archiving twice is fine. It fails with ErrRateNotFound or
// ErrRateChanged.
func ArchiveRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int) (OwnRate, error) {
	r, err := setRateArchived(ctx, tx, rate, version, true)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.archive", r)
}

// RestoreRate puts an archived rate back into use, with the errors of ArchiveRate.
func RestoreRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int) (OwnRate, error) {
	r, err := setRateArchived(ctx, tx, rate, version, false)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.restore", r)
}

func recordRate(ctx context.Context, tx *tenant.Tx, action string, r OwnRate, changes ...tenant.Change) error {
	detail := fmt.Sprintf("%s, %s %%", r.Code, r.Percent)
	if r.Compound {
		detail += ", compound"
	}
	return tx.Record(ctx, tenant.Act{Action: action, Object: "tax_rate", ID: r.ID.UUID, Detail: detail, Changes: changes})
}

// RateByID gives one rate, archived or not; ErrRateNotFound.
func RateByID(ctx context.Context, tx *tenant.Tx, rate RateID) (OwnRate, error) {
	return selectRate(ctx, tx, rate)
}

// Rates gives all rates by code, the archived ones too.
func Rates(ctx context.Context, tx *tenant.Tx) ([]OwnRate, error) {
	return selectRates(ctx, tx)
}

// RatesByCode gives those rates in use that have these codes. What is not in the answer is unknown or archived.
func RatesByCode(ctx context.Context, tx *tenant.Tx, codes []string) (map[string]OwnRate, error) {
	all, err := selectRates(ctx, tx)
	if err != nil {
		return nil, err
	}
	inUse := make(map[string]OwnRate, len(all))
	for _, r := range all {
		if !r.Archived {
			inUse[r.Code] = r
		}
	}
	wanted := make(map[string]OwnRate, len(codes))
	for _, code := range codes {
		if r, ok := inUse[code]; ok {
			wanted[code] = r
		}
	}
	return wanted, nil
}
