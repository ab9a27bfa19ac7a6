package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/plan"
)

// Plan is the data of "plan". Its forms send plan and cycle, and bill.
type Plan struct {
	Shell
	Form     Form
	None     bool // there are no plans here, or it was here before them
	Account  plan.Account
	Plan     *plan.Plan // nil where it was only suspended or exempted
	Next     string     // the name of the plan that comes with the next period
	Limits   []PlanLimit
	Choices  []Option
	Bills    []billing.InvoiceHead
	Card     string // that is charged; empty for none
	ChooseAt string
	PayAt    string
}

// Cycles are the ways to pay.
func (Plan) Cycles() []Option {
	return []Option{{Value: string(plan.Monthly), Label: "By the month"}, {Value: string(plan.Yearly), Label: "By the year"}}
}

// TrialUntil is when the trial ends.
func (p Plan) TrialUntil() time.Time {
	if p.Account.TrialUntil == nil {
		return time.Time{}
	}
	return p.Account.TrialUntil.In(p.Today.Location())
}

// Price is what the plan costs, in words.
func (p Plan) Price() string {
	switch {
	case p.Plan == nil:
		return ""
	case p.Plan.Free():
		return "Free"
	}
	return symboled(p.Plan.Price(p.Account.Cycle)) + " a " + string(p.Account.Cycle) + ", without tax"
}

// PlanLimit is something of which a plan lets one have so many.
type PlanLimit struct {
	Name, Used, Most string // Most is empty for no limit
	Share            int    // used, in percent
	Full             bool
}

// NewPlanLimit says how much of a limit is used. most of nothing is no limit; its words are the figure unless given.
func NewPlanLimit(name, words string, used, most int64, mostWords string) PlanLimit {
	l := PlanLimit{Name: name, Used: words}
	if most > 0 {
		l.Most, l.Share, l.Full = mostWords, int(min(used*100/most, 100)), used >= most
		if mostWords == "" {
			l.Most = fmt.Sprint(most)
		}
	}
	return l
}

// PlanWords says what a plan costs and lets one have.
func PlanWords(p plan.Plan) string {
	words := []string{}
	if p.Members > 0 {
		words = append(words, counted(p.Members, "member"))
	}
	if p.Invoices > 0 {
		words = append(words, counted(p.Invoices, "invoice")+" a month")
	}
	if p.StorageMB > 0 {
		words = append(words, fmt.Sprintf("%d MB of files", p.StorageMB))
	}
	if len(words) == 0 {
		words = append(words, "no limits")
	}
	price := "free"
	if !p.Free() {
		price = symboled(p.Price(plan.Monthly)) + " a month or " + symboled(p.Price(plan.Yearly)) + " a year"
	}
	return p.Name + ": " + price + "; " + strings.Join(words, ", ")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// StaffPlans is the data of "staff-plans". Its forms send the fields of a plan, and slug.
type StaffPlans struct {
	StaffShell
	Form       Form
	Known      bool // the form changes a plan that is there
	BillerForm Form
	Biller     string // the address of the organization that bills the others; empty for none
	Items      []plan.Plan
}

// Words says what a plan is.
func (StaffPlans) Words(p plan.Plan) string { return PlanWords(p) }

// StaffAccounts is the data of "staff-accounts". Its form sends slug, plan and trial_days.
type StaffAccounts struct {
	StaffShell
	Form  Form
	Plans []Option
	Items []StaffAccount
	More  string // the address of the next part; may be empty
}

// StaffAccount is how an organization stands, and what can be done about it.
type StaffAccount struct {
	plan.Standing
	Acts []Act
}
