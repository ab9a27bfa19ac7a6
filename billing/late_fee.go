package billing

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/currency"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about late fees.
var (
	ErrFeeOne     = fault.New(fault.Invalid, "late_fee.one", "Give a percentage or an amount, not both.").At("amount")
	ErrFeePercent = fault.New(fault.Invalid, "late_fee.percent", "A percentage is from 0 to 100.").At("percent")
	ErrFeeAmount  = fault.New(fault.Invalid, "late_fee.amount", "A fee is not below nothing, and in the currency of the books.").At("amount")
	ErrFeeDays    = fault.New(fault.Invalid, "late_fee.days", "Give a whole number of days after the due date, from 1 to 365.").At("days")
)

// LateFees is what is charged for an invoice that is overdue: a percentage of what is open, or an amount; nothing while both are
// zero. The first fee comes so many days after the due date, and with Monthly another each month after it.
type LateFees struct {
	Percent decimal.Decimal
	Amount  money.Amount // in the base currency; of an invoice in another what it is worth on the day
	Days    int
	Monthly bool
	Since   civil.Date // fees that were due before are not charged; set when fees are turned on
	Version int        // of the settings
}

// On says whether fees are charged at all.
func (l LateFees) On() bool { return l.Percent.Sign() > 0 || l.Amount.Sign() > 0 }

// LateFee is a fee that was charged for an invoice: an invoice of its own.
type LateFee struct {
	Invoice  InvoiceID
	Number   string
	Date     civil.Date
	Step     int // which one for the same invoice, from 1
	Total    money.Amount
	Standing Standing
}

// LoadLateFees reads what is charged.
func LoadLateFees(ctx context.Context, tx *tenant.Tx) (LateFees, error) {
	return selectLateFees(ctx, tx)
}

// ChangeLateFees decides what is charged. version is that of the settings that the change was made on; 0 is any. Turned on,
// fees are charged for what becomes due for one from then on: nobody pays for the years before, and an invoice that is
// overdue already pays, where fees are monthly, for the months since. It fails with what is
// wrong with the input, or ErrSettingsChanged.
func ChangeLateFees(ctx context.Context, tx *tenant.Tx, version int, in LateFees) (LateFees, error) {
	was, err := selectLateFees(ctx, tx)
	if err != nil {
		return LateFees{}, err
	}
	if err := in.check(was.Amount.Currency); err != nil {
		return LateFees{}, err
	}
	if in.Since = was.Since; !in.On() {
		in.Since = civil.Date{}
	} else if !was.On() || was.Since.IsZero() {
		if in.Since, err = Today(ctx, tx); err != nil {
			return LateFees{}, err
		}
	}
	if err := updateLateFees(ctx, tx, version, in); err != nil {
		return LateFees{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "settings.change", Object: "settings", Changes: []tenant.Change{
		{Field: "late_fee_percent", Before: was.Percent.String(), After: in.Percent.String()},
		{Field: "late_fee", Before: was.Amount.String(), After: in.Amount.String()},
		{Field: "late_fee_days", Before: strconv.Itoa(was.Days), After: strconv.Itoa(in.Days)},
		{Field: "late_fee_monthly", Before: strconv.FormatBool(was.Monthly), After: strconv.FormatBool(in.Monthly)},
	}})
	if err != nil {
		return LateFees{}, err
	}
	return selectLateFees(ctx, tx)
}

func (l LateFees) check(base money.Currency) error {
	var f fields
	if err := money.CheckDecimal(l.Percent, money.PercentIntDigits, money.PercentFracDigits); err != nil {
		f.add("percent", err)
	} else if l.Percent.Sign() < 0 || l.Percent.GreaterThan(decimal.NewFromInt(100)) {
		f.add("percent", ErrFeePercent)
	}
	if l.Amount.Currency != base || l.Amount.Sign() < 0 {
		f.add("amount", ErrFeeAmount)
	} else {
		f.add("amount", l.Amount.CheckSize())
	}
	if l.Percent.Sign() > 0 && l.Amount.Sign() > 0 {
		f.add("amount", ErrFeeOne)
	}
	if l.Days < 1 || l.Days > 365 {
		f.add("days", ErrFeeDays)
	}
	return f.err()
}

// DueLateFees gives the invoices for which a fee is to be charged today, the longest due first. A fee is charged for no fee.
func DueLateFees(ctx context.Context, tx *tenant.Tx, limit int) ([]InvoiceID, error) {
	due, err := dueLateFees(ctx, tx, uuid.Nil, limit)
	all := make([]InvoiceID, len(due))
	for i, d := range due {
		all[i].UUID = d.Document
	}
	return all, err
}

func dueLateFees(ctx context.Context, tx *tenant.Tx, invoice uuid.UUID, limit int) ([]dueFee, error) {
	fees, err := selectLateFees(ctx, tx)
	if err != nil || !fees.On() {
		return nil, err
	}
	today, err := Today(ctx, tx)
	if err != nil {
		return nil, err
	}
	return selectDueFees(ctx, tx, fees, today, invoice, limit)
}

// ChargeLateFee issues an invoice over the fee that is due for an invoice, and mails it to a customer who has an address.
// ok is false where none is due any more: it was paid, or another charged it meanwhile. Each step is charged once,
// whoever tries at the same time, and one that was voided, which is how a fee is waived, is not charged again. A fixed fee
// for an invoice in a currency without a known rate waits until there is one.
func ChargeLateFee(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) (fee InvoiceID, ok bool, err error) {
	if _, err = lockWithCustomer(ctx, tx, invoiceKind, invoice.UUID); err != nil {
		return fee, false, err
	}
	due, err := dueLateFees(ctx, tx, invoice.UUID, 1)
	if err != nil || len(due) == 0 {
		return fee, false, err
	}
	of, err := selectInvoice(ctx, tx, invoice)
	if err != nil {
		return fee, false, err
	}
	amount, err := feeFor(ctx, tx, of)
	if err != nil || amount.Sign() <= 0 {
		return fee, false, err
	}
	if fee, err = issueFee(ctx, tx, of, due[0].Step, amount); err != nil {
		return fee, false, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "invoice.late_fee", Object: "invoice", ID: invoice.UUID,
		Detail: fmt.Sprintf("%s, fee %d, %s %s", of.Number, due[0].Step, amount, amount.Currency)})
	if err != nil {
		return fee, false, err
	}
	// Without an address it is issued all the same, and its page shows that nobody was told.
	if _, err := MailInvoice(ctx, tx, fee, MailInput{}); err != nil && !errors.Is(err, ErrMailTo) && !errors.Is(err, ErrMailTooMany) {
		return fee, false, err
	}
	return fee, true, nil
}

// feeFor is what the fee for an invoice comes to, in its currency; nothing where no rate is known.
func feeFor(ctx context.Context, tx *tenant.Tx, of Invoice) (money.Amount, error) {
	fees, err := selectLateFees(ctx, tx)
	if err != nil {
		return money.Amount{}, err
	}
	if fees.Percent.Sign() > 0 {
		// Half up, as taxes are; what is open is not below nothing.
		minor := decimal.New(of.Open().Minor, 0).Mul(fees.Percent).DivRound(decimal.NewFromInt(100), 8).Round(0)
		return money.Amount{Minor: minor.IntPart(), Currency: of.Currency}, nil
	}
	if of.Currency == fees.Amount.Currency {
		return fees.Amount, nil
	}
	quote, err := currency.QuoteOn(ctx, tx, fees.Amount.Currency, of.Currency, of.Today)
	if errors.Is(err, currency.ErrNoRate) {
		return money.Amount{}, nil
	} else if err != nil {
		return money.Amount{}, err
	}
	return currency.Convert(fees.Amount, quote.Rate, of.Currency)
}

// lateFeeKind is an invoice, which the journal and the statement call by its name.
var lateFeeKind = func() kind {
	k := invoiceKind
	k.said, k.source = "Late fee", ledger.SourceLateFee
	return k
}()

var feeLines = map[locale.Language]string{
	locale.English: "Late fee on %s, which was due on %s",
	locale.French:  "Frais de retard sur %s, échue le %s",
}

func issueFee(ctx context.Context, tx *tenant.Tx, of Invoice, step int, amount money.Amount) (InvoiceID, error) {
	account, err := ledger.OpenAccountFor(ctx, tx, ledger.LateFees, ledger.KindIncome, 4300, "Late fees")
	if err != nil {
		return InvoiceID{}, err
	}
	d, err := prepareDraft(ctx, tx, lateFeeKind, DocumentInput{CustomerID: of.Customer.ID, Currency: of.Currency, Language: of.Language,
		PurchaseOrder: of.PurchaseOrder, Origin: DocumentID(of.ID), Lines: []InvoiceLineInput{{AccountID: account.ID,
			Description: fmt.Sprintf(feeLines[of.Language], of.Number, of.Language.Date(of.DueDate)), Quantity: decimal.NewFromInt(1), UnitPrice: amount.Decimal()}}})
	if err != nil {
		return InvoiceID{}, err
	}
	d.feeStep = step
	fee := id.New[Invoice]()
	if err := insertDraft(ctx, tx, fee.UUID, d); err != nil {
		return fee, err
	}
	return fee, issueDraft(ctx, tx, lateFeeKind, fee.UUID, 0)
}

// LateFeesOf gives the fees that were charged for an invoice, the first one first.
func LateFeesOf(ctx context.Context, tx *tenant.Tx, invoice InvoiceID) ([]LateFee, error) {
	return selectFeesOf(ctx, tx, invoice)
}
