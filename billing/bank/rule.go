package bank

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about rules.
var (
	ErrRuleNotFound  = fault.New(fault.NotFound, "bank_rule.not_found", "There is no such rule.")
	ErrRuleChanged   = fault.New(fault.Conflict, "bank_rule.changed", "Someone else changed this rule in the meantime. Look at it again, then repeat your change.")
	ErrRuleWay       = fault.New(fault.Invalid, "bank_rule.way", "The text contains, starts with or equals the words: contains, starts or equals.").At("way")
	ErrRuleDirection = fault.New(fault.Invalid, "bank_rule.direction", "A rule is for money in, for money out, or for both: in, out or nothing.").At("direction")
	ErrRuleNegative  = fault.New(fault.Invalid, "bank_rule.negative", "Give the amount without a minus; the direction says whether it came in or went out.")
	ErrRuleRange     = fault.New(fault.Invalid, "bank_rule.range", "The most is less than the least. Swap them.").At("most")
	ErrRuleAccount   = fault.New(fault.Invalid, "bank_rule.account", "Choose an account to book to that is in use, and neither a bank account nor what customers owe.").At("account_id")
	ErrRuleBank      = fault.New(fault.Invalid, "bank_rule.bank_account", "Choose one of your bank accounts, or none for all.").At("bank_account_id")
	ErrRuleTooMany   = fault.New(fault.Conflict, "bank_rule.too_many", "There are 200 rules already. Delete one first.")
)

const (
	ruleWordsLength = 80
	ruleSayLength   = 120
	maxRules        = 200

	// The digits of the amounts of a rule.
	RuleIntDigits, RuleFracDigits = 14, 4
)

// RuleID names a rule.
type RuleID = id.Of[Rule]

// The ways in which a rule looks for its words.
const (
	Contains = "contains"
	Starts   = "starts"
	Equals   = "equals"
)

// Rule says where lines of a kind are booked to. The first that fits counts.
type Rule struct {
	ID       RuleID
	Position int
	RuleInput
	BookCode, BookName string // of the account to book to
	BankName           string // of the bank account that it is for; empty for all
	Version            int
}

// RuleInput is what people write about a rule.
type RuleInput struct {
	Bank        ledger.AccountID // none: all bank accounts
	Words       string           // capital and small letters are the same
	Way         string
	Direction   string // in, out, or empty for both
	Least, Most *decimal.Decimal
	BookTo      ledger.AccountID
	Tax         string // the code of the rate or group that is in the amount, or empty
	Say         string // what the entries are called
	Automatic   bool   // it books by itself when a file is imported; else it is a suggestion
}

func (in RuleInput) check() (RuleInput, error) {
	var faults fault.List
	var err error
	if in.Words, err = text.Required("words", strings.Join(strings.Fields(in.Words), " "), ruleWordsLength); !faults.Add("words", err) {
		return in, err
	}
	if in.Say, err = text.Line("description", in.Say, ruleSayLength); !faults.Add("description", err) {
		return in, err
	}
	if in.Way != Contains && in.Way != Starts && in.Way != Equals {
		faults = append(faults, ErrRuleWay)
	}
	if in.Direction != "" && in.Direction != "in" && in.Direction != "out" {
		faults = append(faults, ErrRuleDirection)
	}
	for field, bound := range map[string]*decimal.Decimal{"least": in.Least, "most": in.Most} {
		if bound == nil {
			continue
		}
		if err := money.CheckDecimal(*bound, RuleIntDigits, RuleFracDigits); !faults.Add(field, err) {
			return in, err
		}
		if bound.Sign() < 0 {
			faults = append(faults, ErrRuleNegative.At(field))
		}
	}
	if len(faults) == 0 && in.Least != nil && in.Most != nil && in.Most.LessThan(*in.Least) {
		faults = append(faults, ErrRuleRange)
	}
	return in, faults.Err()
}

// Fits says whether a rule is for a line.
func (r Rule) Fits(l Line) bool {
	if !r.Bank.IsZero() && r.Bank != l.Account || r.Direction == "in" && l.Amount.Sign() < 0 || r.Direction == "out" && l.Amount.Sign() > 0 {
		return false
	}
	size := l.Amount.Decimal().Abs()
	if r.Least != nil && size.LessThan(*r.Least) || r.Most != nil && size.GreaterThan(*r.Most) {
		return false
	}
	words := strings.ToLower(r.Words)
	for _, said := range []string{l.Text(), l.PartyName, l.Memo, l.Reference} {
		said = strings.ToLower(strings.Join(strings.Fields(said), " "))
		switch {
		case r.Way == Contains && strings.Contains(said, words), r.Way == Starts && strings.HasPrefix(said, words), r.Way == Equals && said == words:
			return true
		}
	}
	return false
}

// match is how a line is booked by the rule.
func (r Rule) match() Match { return Match{Book: r.BookTo, Tax: r.Tax, Say: r.Say} }

// booksTo names the account, and the tax.
func (r Rule) booksTo() string {
	if r.Tax == "" {
		return r.BookCode + " " + r.BookName
	}
	return r.BookCode + " " + r.BookName + " with " + r.Tax + " in it"
}

// ruleFor is the first rule that fits; ok is false where none does.
func ruleFor(rules []Rule, l Line) (Rule, bool) {
	for _, r := range rules {
		if r.Fits(l) {
			return r, true
		}
	}
	return Rule{}, false
}

// Rules gives all rules in their order.
func Rules(ctx context.Context, tx *tenant.Tx) ([]Rule, error) { return selectRules(ctx, tx) }

// RuleByID gives one rule; ErrRuleNotFound.
func RuleByID(ctx context.Context, tx *tenant.Tx, rule RuleID) (Rule, error) {
	all, err := selectRules(ctx, tx)
	if err != nil {
		return Rule{}, err
	}
	for _, r := range all {
		if r.ID == rule {
			return r, nil
		}
	}
	return Rule{}, ErrRuleNotFound
}

// AddRule adds a rule behind the others. It fails with what is wrong with it, and ErrRuleTooMany.
func AddRule(ctx context.Context, tx *tenant.Tx, in RuleInput) (Rule, error) {
	in, err := checkRule(ctx, tx, in)
	if err != nil {
		return Rule{}, err
	}
	all, err := lockRules(ctx, tx)
	if err != nil {
		return Rule{}, err
	}
	if len(all) >= maxRules {
		return Rule{}, ErrRuleTooMany
	}
	position := 1
	if len(all) > 0 {
		position = all[len(all)-1].Position + 1
	}
	made := id.New[Rule]()
	if err := insertRule(ctx, tx, made, position, in); err != nil {
		return Rule{}, err
	}
	return ruleKept(ctx, tx, made, "bank_rule.add")
}

// ChangeRule changes a rule for the files to come; what it booked stays. version is the one that the change was made on; 0 is
// any. It fails with ErrRuleNotFound, ErrRuleChanged and what is wrong with it.
func ChangeRule(ctx context.Context, tx *tenant.Tx, rule RuleID, version int, in RuleInput) (Rule, error) {
	if _, err := RuleByID(ctx, tx, rule); err != nil {
		return Rule{}, err
	}
	in, err := checkRule(ctx, tx, in)
	if err != nil {
		return Rule{}, err
	}
	if err := updateRule(ctx, tx, rule, version, in); err != nil {
		return Rule{}, err
	}
	return ruleKept(ctx, tx, rule, "bank_rule.change")
}

// RaiseRule lets a rule count before the one that stands above it. The first stays where it is. It fails with
// ErrRuleNotFound.
func RaiseRule(ctx context.Context, tx *tenant.Tx, rule RuleID) (Rule, error) {
	all, err := lockRules(ctx, tx)
	if err != nil {
		return Rule{}, err
	}
	for i, r := range all {
		if r.ID != rule {
			continue
		}
		if i == 0 {
			return r, nil
		}
		if err := updatePositions(ctx, tx, r.ID, all[i-1].Position, all[i-1].ID, r.Position); err != nil {
			return r, err
		}
		return ruleKept(ctx, tx, rule, "bank_rule.raise")
	}
	return Rule{}, ErrRuleNotFound
}

// DeleteRule deletes a rule; what it booked stays. It fails with ErrRuleNotFound and ErrRuleChanged.
func DeleteRule(ctx context.Context, tx *tenant.Tx, rule RuleID, version int) error {
	if err := deleteRule(ctx, tx, rule, version); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "bank_rule.delete", Object: "bank_rule", ID: rule.UUID})
}

func ruleKept(ctx context.Context, tx *tenant.Tx, rule RuleID, action string) (Rule, error) {
	r, err := RuleByID(ctx, tx, rule)
	if err != nil {
		return r, err
	}
	return r, tx.Record(ctx, tenant.Act{Action: action, Object: "bank_rule", ID: rule.UUID, Detail: fmt.Sprintf("to %s, automatic %t", r.BookCode, r.Automatic)})
}

// checkRule checks a rule and the accounts that it names.
func checkRule(ctx context.Context, tx *tenant.Tx, in RuleInput) (RuleInput, error) {
	in, err := in.check()
	if err != nil {
		return in, err
	}
	if !in.Bank.IsZero() {
		if _, err := selectAccount(ctx, tx, in.Bank); err != nil {
			return in, ErrRuleBank.Because(err)
		}
	}
	to, err := ledger.AccountByID(ctx, tx, in.BookTo)
	if err != nil {
		return in, ErrRuleAccount.Because(err)
	}
	if to.Archived || to.Purpose == ledger.Receivable || to.Purpose == "payable" || in.BookTo == in.Bank {
		return in, ErrRuleAccount
	}
	if in.Tax != "" {
		if _, err := taxRates(ctx, tx, in.Tax); err != nil {
			return in, err
		}
	}
	return in, nil
}

// bookByRules books those of an account's new lines whose first fitting rule says so. A rule whose account or tax was archived
// since books nothing.
func bookByRules(ctx context.Context, tx *tenant.Tx, a Account, added []LineID) (booked int, err error) {
	rules, err := selectRules(ctx, tx)
	if err != nil || len(rules) == 0 || len(added) == 0 {
		return 0, err
	}
	lines, err := selectLinesByID(ctx, tx, a.ID, added)
	if err != nil {
		return 0, err
	}
	accounts, err := ledger.Accounts(ctx, tx)
	if err != nil {
		return 0, err
	}
	archived := map[ledger.AccountID]bool{}
	for _, to := range accounts {
		archived[to.ID] = to.Archived
	}
	for _, l := range lines {
		r, ok := ruleFor(rules, l)
		if !ok || !r.Automatic || archived[r.BookTo] || r.BookTo == a.ID {
			continue
		}
		if err := bookLine(ctx, tx, l, r.match(), r.ID); errors.Is(err, ErrTax) {
			continue
		} else if err != nil {
			return booked, err
		}
		booked++
	}
	return booked, nil
}
