package page

import (
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/id"
)

func planSamples() map[string]any {
	until := now.Add(9 * oneDay)
	small := plan.Plan{Code: "small", Name: "Small <one>", Currency: eur, MonthPrice: 1000, YearPrice: 10000, Members: 3}
	bill := func(open int64) billing.InvoiceHead {
		h := billing.InvoiceHead{ID: id.New[billing.Invoice]()}
		h.Number, h.Currency, h.Total, h.IssueDate, h.DueDate = "B-7", eur, euros(1000), civil.On(2026, 1, 2), civil.On(2026, 1, 12)
		h.State, h.Settled = billing.Issued, euros(1000-open)
		return h
	}
	shell := sampleShell("Plan", "plan")
	shell.Suspended = true
	return map[string]any{
		"plan": Plan{Shell: shell, Form: refused(NewForm("plan", "small", "cycle", "month"), plan.ErrOwing, plan.ErrNoChoice), Account: plan.Account{Plan: "small", Cycle: plan.Monthly, State: plan.Trialing, TrialUntil: &until},
			Plan: &small, Limits: []PlanLimit{NewPlanLimit("Members", "3 and 1 invited", 4, 3, ""), NewPlanLimit("Invoices issued this month", "0", 0, 0, "")}, Choices: []Option{{Value: "small", Label: PlanWords(small)}},
			Bills: []billing.InvoiceHead{bill(1000), bill(300), bill(0)}, Card: "visa …4242", ChooseAt: "/x", PayAt: "/y"},
	}
}

func TestPlanPage(t *testing.T) {
	t.Parallel()
	set := withSpecimen(t)
	data := planSamples()["plan"].(Plan)
	for state, want := range map[plan.State]string{plan.Suspended: "works again at once", plan.PastDue: "A bill is overdue", plan.Exempt: "No limits and no bills"} {
		data.Account.State = state
		if html := drawn(t, set, "plan", data); !strings.Contains(html, want) {
			t.Errorf("%s: it does not say %q", state, want)
		}
	}
	data.None = true
	if html := drawn(t, set, "plan", data); !strings.Contains(html, "nothing to pay") || strings.Contains(html, "Choose a plan") {
		t.Error("without a plan there is something to choose")
	}
}
