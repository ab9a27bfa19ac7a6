package tax

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about an organization's rates.
var (
	ErrRateNotFound    = fault.New(fault.NotFound, "tax.not_found", "There is no such tax rate.")
	ErrRateChanged     = fault.New(fault.Conflict, "tax.changed", "Someone else changed this tax rate in the meantime. Look at it again, then repeat your change.")
	ErrRateCodeTaken   = fault.New(fault.Conflict, "tax.code_taken", "Another tax rate has this code.").At("code")
	ErrRateAccount     = fault.New(fault.Invalid, "tax.account", "Give an account that is there and not archived, or none for the usual one.").At("account_id")
	ErrKindUnknown     = fault.New(fault.Invalid, "tax.kind_unknown", "A rate is standard, zero, exempt, reverse_charge or group.").At("kind")
	ErrKindFixed       = fault.New(fault.Conflict, "tax.kind_fixed", "What a rate is stays as it was. Archive this one and add another.").At("kind")
	ErrKindPercent     = fault.New(fault.Invalid, "tax.kind_percent", "Only a standard rate has a percent. Give 0, or make it standard.").At("percent")
	ErrReasonMissing   = fault.New(fault.Invalid, "tax.reason_missing", "Say why no tax is due, and by which law: it is printed on the document.").At("reason")
	ErrGroupRates      = fault.New(fault.Invalid, "tax.group_rates", "Name the rates that the group stands for, 1 to 8, each once. They must be there and not archived.").At("rates")
	ErrRatesWithout    = fault.New(fault.Invalid, "tax.rates_without_group", "Only a group stands for other rates.").At("rates")
	ErrRateInGroup     = fault.New(fault.Conflict, "tax.in_group", "A group stands for this rate among others. Change or archive the group first.")
	ErrPercentNotFound = fault.New(fault.NotFound, "tax.percent_not_found", "This rate has no other percent from that day on.").At("since")
)

// ReverseChargeReason is what a reverse charge says for itself when nothing else is written (Article 226 (11a) of
// Directive 2006/112/EC asks for these words).
const ReverseChargeReason = "Reverse charge"

// RateID names a rate.
type RateID = id.Of[Rate]

// OwnRate is a rate that an organization charges, and where what it comes to is owed. Its Percent is today's.
type OwnRate struct {
	Rate
	Account ledger.AccountID
	// Recoverable says that what a bill charges of it is owed back; else it is part of the cost. InputAccount is where it is
	// owed back; none is Account.
	Recoverable  bool
	InputAccount ledger.AccountID
	First        decimal.Decimal // the percent before the first of Percents
	Percents     []DatedPercent  // by day
	Members      []Member        // what a group stands for, in order
	Archived     bool
	Version      int
}

// DatedPercent is a percent that holds from a day on, until the next.
type DatedPercent struct {
	Since   civil.Date      `json:"since"`
	Percent decimal.Decimal `json:"percent"`
}

// Member is a rate of a group.
type Member struct {
	ID      RateID          `json:"id"`
	Code    string          `json:"code"`
	Percent decimal.Decimal `json:"percent"` // today's
}

// PercentOn is the percent on a day.
func (r OwnRate) PercentOn(day civil.Date) decimal.Decimal {
	percent := r.First
	for _, p := range r.Percents {
		if p.Since.After(day) {
			break
		}
		percent = p.Percent
	}
	return percent
}

// RateInput is what is written about a rate. No account is the one whose purpose is tax.
type RateInput struct {
	Code, Name string
	Kind       Kind // none: standard; on a change, as it is
	Percent    decimal.Decimal
	Since      civil.Date // the day that a changed percent holds from; none: today. A new rate's holds from the beginning
	Compound   bool
	Account    ledger.AccountID
	// Reason is printed where no tax is due. An exempt rate must have one.
	Reason       string
	Registration string
	// Unrecoverable and InputAccount are of what bills charge, as Recoverable and InputAccount of OwnRate.
	Unrecoverable bool
	InputAccount  ledger.AccountID
	Rates         []string // of a group: the codes of its rates, in order
}

func (in RateInput) check() (RateInput, error) {
	var faults fault.List
	var errs [8]error
	in.Code, errs[0] = text.Required("code", in.Code, 20)
	in.Name, errs[1] = text.Required("name", in.Name, 60)
	errs[2] = checkPercent(in.Percent, ErrPercentOutOfRange)
	in.Reason, errs[3] = text.Line("reason", in.Reason, 200)
	in.Registration, errs[4] = text.Line("registration", in.Registration, 40)
	errs[5], errs[6], errs[7] = in.checkKind()
	for i, field := range []string{"code", "name", "percent", "reason", "registration", "kind", "percent", "rates"} {
		if !faults.Add(field, errs[i]) {
			return in, errs[i]
		}
	}
	switch {
	case in.Kind == ReverseCharge && in.Reason == "":
		in.Reason = ReverseChargeReason
	case in.Kind == Exempt && in.Reason == "" && errs[3] == nil:
		faults = append(faults, ErrReasonMissing)
	case in.Kind == Group:
		in.Compound, in.Reason, in.Registration = false, "", ""
	}
	return in, faults.Err()
}

// checkKind says what is wrong with the kind, with a percent beside it, and with the rates beside it.
func (in RateInput) checkKind() (kind, percent, rates error) {
	if !slices.Contains([]Kind{Standard, Zero, Exempt, ReverseCharge, Group}, in.Kind) {
		return ErrKindUnknown, nil, nil
	}
	if in.Kind != Standard && !in.Percent.IsZero() {
		percent = ErrKindPercent
	}
	switch {
	case in.Kind != Group && len(in.Rates) > 0:
		rates = ErrRatesWithout
	case in.Kind == Group && (len(in.Rates) == 0 || len(in.Rates) > MaxRates || repeats(in.Rates)):
		rates = ErrGroupRates
	}
	return nil, percent, rates
}

func repeats(codes []string) bool {
	sorted := slices.Sorted(slices.Values(codes))
	return len(slices.Compact(sorted)) < len(codes)
}

// AddRate keeps a new rate, or a group of rates. It fails with what is wrong with the input, ErrRateCodeTaken,
// ErrRateAccount or ErrGroupRates.
func AddRate(ctx context.Context, tx *tenant.Tx, in RateInput) (OwnRate, error) {
	if in.Kind == "" {
		in.Kind = Standard
	}
	in, err := in.check()
	if err != nil {
		return OwnRate{}, err
	}
	rate := id.New[Rate]()
	if err := insertRate(ctx, tx, rate, in); err != nil {
		return OwnRate{}, err
	}
	if err := insertMembers(ctx, tx, rate, in.Rates); err != nil {
		return OwnRate{}, err
	}
	r, err := selectRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.add", r)
}

// ChangeRate writes all of a rate anew. Another percent than today's holds from in.Since on; what was invoiced stays
// as it was, and a draft takes the percent of its issue date when it is saved again. version is the one that the change was
// made on; 0 is any. It fails with what is wrong with the input, ErrRateNotFound, ErrRateChanged, ErrRateCodeTaken,
// ErrRateAccount, ErrGroupRates or ErrKindFixed.
func ChangeRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int, in RateInput) (OwnRate, error) {
	if err := lockRate(ctx, tx, rate); err != nil {
		return OwnRate{}, err
	}
	was, err := selectRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	if in.Kind == "" {
		in.Kind = was.Kind
	}
	if in, err = in.check(); err != nil {
		return OwnRate{}, err
	}
	if in.Kind != was.Kind {
		return OwnRate{}, ErrKindFixed
	}
	if err := updateRate(ctx, tx, rate, version, in); err != nil {
		return OwnRate{}, err
	}
	if err := changePercent(ctx, tx, was, in); err != nil {
		return OwnRate{}, err
	}
	if in.Kind == Group {
		if err := deleteMembers(ctx, tx, rate); err != nil {
			return OwnRate{}, err
		}
		if err := insertMembers(ctx, tx, rate, in.Rates); err != nil {
			return OwnRate{}, err
		}
	}
	r, err := selectRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.change", r, rateChanges(was, r)...)
}

func changePercent(ctx context.Context, tx *tenant.Tx, was OwnRate, in RateInput) error {
	if in.Since.IsZero() && in.Percent.Equal(was.Percent) || in.Kind != Standard {
		return nil
	}
	return upsertPercent(ctx, tx, was.ID, in.Since, in.Percent)
}

// DropPercent takes back that a rate has another percent from a day on. It fails with ErrRateNotFound, ErrRateChanged
// or ErrPercentNotFound.
func DropPercent(ctx context.Context, tx *tenant.Tx, rate RateID, version int, since civil.Date) (OwnRate, error) {
	if err := lockRate(ctx, tx, rate); err != nil {
		return OwnRate{}, err
	}
	was, err := selectRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	if version != 0 && version != was.Version {
		return OwnRate{}, ErrRateChanged
	}
	if err := deletePercent(ctx, tx, rate, since); err != nil {
		return OwnRate{}, err
	}
	r, err := selectRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, "tax_rate.change", r, rateChanges(was, r)...)
}

func rateChanges(was, is OwnRate) []tenant.Change {
	return []tenant.Change{
		{Field: "code", Before: was.Code, After: is.Code},
		{Field: "name", Before: was.Name, After: is.Name},
		{Field: "percent", Before: was.percents(), After: is.percents()},
		{Field: "compound", Before: strconv.FormatBool(was.Compound), After: strconv.FormatBool(is.Compound)},
		{Field: "account_id", Before: was.Account.String(), After: is.Account.String()},
		{Field: "recoverable", Before: strconv.FormatBool(was.Recoverable), After: strconv.FormatBool(is.Recoverable)},
		{Field: "input_account_id", Before: was.InputAccount.String(), After: is.InputAccount.String()},
		{Field: "reason", Before: was.Reason, After: is.Reason},
		{Field: "registration", Before: was.Registration, After: is.Registration},
		{Field: "rates", Before: strings.Join(was.MemberCodes(), " + "), After: strings.Join(is.MemberCodes(), " + ")},
	}
}

// percents tells all percents of a rate: "19, 20 from 2027-01-01".
func (r OwnRate) percents() string {
	told := r.First.String()
	for _, p := range r.Percents {
		told += ", " + p.Percent.String() + " from " + p.Since.String()
	}
	return told
}

// MemberCodes are the codes of a group's rates in order.
func (r OwnRate) MemberCodes() []string {
	var codes []string
	for _, m := range r.Members {
		codes = append(codes, m.Code)
	}
	return codes
}

// ArchiveRate takes a rate or a group out of use; what was invoiced stays. Archiving twice is fine. It fails with
// ErrRateNotFound, ErrRateChanged, or ErrRateInGroup while a group in use stands for it.
func ArchiveRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int) (OwnRate, error) {
	grouped, err := selectGrouped(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	if grouped != "" {
		return OwnRate{}, ErrRateInGroup.Sayf("The group %s stands for this rate among others. Change or archive the group first.", grouped)
	}
	return shelveRate(ctx, tx, rate, version, true, "tax_rate.archive")
}

// RestoreRate puts an archived rate back into use, with the errors of ArchiveRate.
func RestoreRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int) (OwnRate, error) {
	return shelveRate(ctx, tx, rate, version, false, "tax_rate.restore")
}

func shelveRate(ctx context.Context, tx *tenant.Tx, rate RateID, version int, archived bool, action string) (OwnRate, error) {
	if err := setRateArchived(ctx, tx, rate, version, archived); err != nil {
		return OwnRate{}, err
	}
	r, err := selectRate(ctx, tx, rate)
	if err != nil {
		return OwnRate{}, err
	}
	return r, recordRate(ctx, tx, action, r)
}

func recordRate(ctx context.Context, tx *tenant.Tx, action string, r OwnRate, changes ...tenant.Change) error {
	detail := fmt.Sprintf("%s, %s %%", r.Code, r.Percent)
	switch {
	case r.Kind == Group:
		detail = r.Code + ", " + strings.Join(r.MemberCodes(), " + ")
	case r.Kind != Standard:
		detail = r.Code + ", " + strings.ReplaceAll(string(r.Kind), "_", " ")
	case r.Compound:
		detail += ", compound"
	}
	return tx.Record(ctx, tenant.Act{Action: action, Object: "tax_rate", ID: r.ID.UUID, Detail: detail, Changes: changes})
}

// RateByID gives one rate or group, archived or not; ErrRateNotFound.
func RateByID(ctx context.Context, tx *tenant.Tx, rate RateID) (OwnRate, error) {
	return selectRate(ctx, tx, rate)
}

// Rates gives all rates and groups by code, the archived ones too.
func Rates(ctx context.Context, tx *tenant.Tx) ([]OwnRate, error) {
	return selectRates(ctx, tx, RateID{})
}

// RatesByCode gives those rates and groups in use that have these codes. What is not in the answer is unknown or archived.
func RatesByCode(ctx context.Context, tx *tenant.Tx, codes []string) (map[string]OwnRate, error) {
	all, err := selectRates(ctx, tx, RateID{})
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
