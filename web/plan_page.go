package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/plan"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

func (s *Server) registerPlanPages() {
	member := func(method, path string, right authz.Right, closed bool, show func(v *visit) error) {
		s.answerMember(Route{Method: method, Path: "/o/:slug" + path, Right: right, Kinds: []tenant.Kind{tenant.Member, tenant.Support}, Closed: closed, Plan: true}, show)
	}
	member("GET", "/settings/plan", rightTo(authz.Read, authz.Settings), false, func(v *visit) error { return showPlan(v, http.StatusOK, nil) })
	member("POST", "/settings/plan", rightTo(authz.Change, authz.Settings), true, sendPlan)
	member("POST", "/settings/plan/pay", rightTo(authz.Change, authz.Settings), true, payPlan)
}

// planOf is what an organization reads of its plan.
type planOf struct {
	account plan.Account
	ok      bool // there is one
	plans   []plan.Plan
	use     plan.Use
	bills   []billing.InvoiceHead
	methods []billing.PaymentMethod
}

// plan reads the plan, and the bills in the books of the organization that bills.
func (c *call) plan(ctx context.Context) (p planOf, err error) {
	err = c.do(ctx, func(tx *tenant.Tx) error {
		if p.account, p.ok, err = plan.Mine(ctx, tx); err != nil || !p.ok {
			return err
		}
		if p.plans, err = plan.Choices(ctx, tx); err != nil {
			return err
		}
		p.use, err = plan.Used(ctx, tx)
		return err
	})
	if err != nil || !p.ok {
		return p, err
	}
	err = c.asPayer(ctx, func(tx *tenant.Tx) error {
		p.bills, p.methods, err = plan.Bills(ctx, tx)
		return err
	})
	if errors.Is(err, tenant.ErrNobodyBills) {
		err = nil
	}
	return p, err
}

// asPayer runs fn at the caller's own bills.
func (c *call) asPayer(ctx context.Context, fn func(tx *tenant.Tx) error) error {
	var err error
	for range attempts {
		var payer tenant.Scope
		if payer, err = tenant.EnterPayer(ctx, c.server.DB, c.scope); err != nil {
			return err
		}
		if err = tenant.Do(ctx, c.server.DB, payer, fn); !errors.Is(err, tenant.ErrStale) {
			return err
		}
	}
	return tenant.ErrUnavailable.Because(err)
}

// choosePlan asks for a plan and has it carried out. What cannot be right away is by a job: begun is false then.
func (c *call) choosePlan(ctx context.Context, code string, cycle plan.Cycle) (begun bool, err error) {
	if err := c.do(ctx, func(tx *tenant.Tx) error { return plan.Ask(ctx, tx, code, cycle) }); err != nil {
		return false, err
	}
	for range attempts {
		var payer tenant.Scope
		if payer, err = tenant.EnterPayer(ctx, c.server.DB, c.scope); err == nil {
			err = plan.Carry(ctx, c.server.DB, payer, c.scope.Organization().ID)
		}
		if !errors.Is(err, tenant.ErrStale) {
			break
		}
	}
	if err != nil { // it is asked for, and stays so
		c.server.Log.Warn("a plan could not be begun at once", "organization", c.scope.Organization().ID, "error", err)
	}
	return err == nil, nil
}

func showPlan(v *visit, status int, refused *page.Form) error {
	p, err := v.plan(v.ctx)
	if err != nil {
		return err
	}
	return v.show(status, "plan", func(tx *tenant.Tx) (any, error) {
		shell, err := v.frame(tx, "Plan", "plan")
		data := page.Plan{Shell: shell, None: !p.ok, Account: p.account}
		if err != nil || !p.ok {
			return data, err
		}
		fillPlan(&data, p)
		data.Form = orFresh(refused, func() page.Form {
			return page.NewForm("plan", p.account.Plan, "cycle", string(p.account.Cycle))
		})
		data.PayAt, data.ChooseAt = v.at("settings", "plan", "pay"), v.at("settings", "plan")
		return data, nil
	})
}

func fillPlan(data *page.Plan, p planOf) {
	for _, one := range p.plans {
		switch one.Code {
		case p.account.Plan:
			data.Plan, data.Limits = &one, planLimits(one, p.use)
		case p.account.NextPlan:
			data.Next = one.Name
		}
		if p.account.NextPlan == p.account.Plan && one.Code == p.account.Plan {
			data.Next = one.Name
		}
		data.Choices = append(data.Choices, page.Option{Value: one.Code, Label: page.PlanWords(one)})
	}
	data.Bills = p.bills
	for _, m := range p.methods {
		if m.Chargeable() {
			data.Card = m.Brand + " …" + m.LastFour
			break
		}
	}
}

func planLimits(p plan.Plan, use plan.Use) (all []page.PlanLimit) {
	people := fmt.Sprint(use.Members)
	if use.Invited > 0 {
		people += fmt.Sprintf(" and %d invited", use.Invited)
	}
	const mega = 1_000_000
	all = append(all, page.NewPlanLimit("Members", people, int64(use.Members+use.Invited), int64(p.Members), ""),
		page.NewPlanLimit("Invoices issued this month", fmt.Sprint(use.Invoices), int64(use.Invoices), int64(p.Invoices), ""),
		page.NewPlanLimit("Files", fmt.Sprintf("%d.%d MB", use.StorageBytes/mega, use.StorageBytes%mega*10/mega), use.StorageBytes, int64(p.StorageMB)*mega, fmt.Sprintf("%d MB", p.StorageMB)))
	return all
}

func sendPlan(v *visit) error {
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	begun, err := v.choosePlan(v.ctx, sent.Get("plan"), plan.Cycle(sent.Get("cycle")))
	form := page.FormOf(sent)
	if isFormFault(err) && form.Refused(err) {
		return showPlan(v, http.StatusUnprocessableEntity, &form)
	} else if err != nil {
		return err
	}
	if begun {
		say(v.c, "Your choice is kept")
	} else {
		say(v.c, "Your choice is kept, and holds within a few minutes")
	}
	return v.c.Redirect(v.at("settings", "plan"), http.StatusSeeOther)
}

// payPlan leads to the page on which a bill is paid, as its mail does.
func payPlan(v *visit) error {
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	bill, ok := id.Parse[billing.Invoice](sent.Get("bill"))
	if !ok {
		return plan.ErrNoBill
	}
	var secret string
	err = v.asPayer(v.ctx, func(tx *tenant.Tx) (err error) {
		secret, err = plan.OpenBill(v.ctx, tx, bill)
		return err
	})
	if errors.Is(err, tenant.ErrNobodyBills) {
		err = plan.ErrNoBill
	}
	if err != nil {
		return err
	}
	err = v.run(func(tx *tenant.Tx) error {
		return tx.Record(v.ctx, tenant.Act{Action: "plan.pay", Object: "plan", ID: uuid.Nil})
	})
	if err != nil {
		return err
	}
	return v.c.Redirect(payPath+secret, http.StatusSeeOther)
}

// PlanView is an organization's plan as a program reads it.
type PlanView struct {
	Plan       string         `json:"plan" doc:"Its code; empty where nothing is limited or charged"`
	Name       string         `json:"name"`
	Cycle      string         `json:"cycle" doc:"month or year"`
	State      string         `json:"state" doc:"trialing, active, past_due, suspended or exempt; a suspended organization is read and exported, and not changed"`
	NextPlan   string         `json:"next_plan,omitempty" doc:"That begins with the next period"`
	NextOn     *string        `json:"next_on,omitempty"`
	TrialUntil *string        `json:"trial_until,omitempty"`
	Limits     PlanLimitsView `json:"limits" doc:"0 is no limit"`
	Used       PlanLimitsView `json:"used"`
	Bills      []PlanBillView `json:"bills"`
	Choices    []PlanOption   `json:"choices"`
}

// PlanLimitsView is what there may be of what is limited, or what there is.
type PlanLimitsView struct {
	Members      int   `json:"members" doc:"Open invitations among them"`
	Invoices     int   `json:"invoices" doc:"Issued in the calendar month"`
	StorageBytes int64 `json:"storage_bytes" doc:"Of files"`
}

// PlanBillView is a bill of the platform's.
type PlanBillView struct {
	ID        string `json:"id"`
	Number    string `json:"number"`
	IssueDate string `json:"issue_date"`
	DueDate   string `json:"due_date"`
	Total     Money  `json:"total"`
	Open      Money  `json:"open"`
}

// PlanOption is a plan to choose.
type PlanOption struct {
	Plan   string         `json:"plan"`
	Name   string         `json:"name"`
	Month  Money          `json:"month" doc:"Without tax"`
	Year   Money          `json:"year" doc:"Without tax"`
	Limits PlanLimitsView `json:"limits"`
}

// PlanBody chooses a plan.
type PlanBody struct {
	Plan  string `json:"plan" maxLength:"40"`
	Cycle string `json:"cycle" doc:"month or year" maxLength:"5"`
}

func (s *Server) registerPlanAPI() {
	const tag = "Plan"
	handle(s, operation{id: "get-plan", method: "GET", path: "/v1/plan", right: rightTo(authz.Read, authz.Settings), tag: tag, plan: true, summary: "Read the organization's plan, its limits and bills"},
		func(ctx context.Context, c *call, _ *struct{}) (*Body[PlanView], error) { return c.planView(ctx) })
	handle(s, operation{id: "choose-plan", method: "PUT", path: "/v1/plan", right: rightTo(authz.Change, authz.Settings), tag: tag, plan: true, summary: "Choose a plan: a larger one begins at once and costs what is left of the period by days, any other begins with the next period"},
		func(ctx context.Context, c *call, in *struct{ Body PlanBody }) (*Body[PlanView], error) {
			if _, err := c.choosePlan(ctx, in.Body.Plan, plan.Cycle(in.Body.Cycle)); err != nil {
				return nil, err
			}
			return c.planView(ctx)
		})
}

func limitsOf(p plan.Plan) PlanLimitsView {
	return PlanLimitsView{p.Members, p.Invoices, int64(p.StorageMB) * 1_000_000}
}

func (c *call) planView(ctx context.Context) (*Body[PlanView], error) {
	p, err := c.plan(ctx)
	if err != nil {
		return nil, err
	}
	v := PlanView{Bills: []PlanBillView{}, Choices: []PlanOption{}}
	if !p.ok {
		v.State = string(plan.Exempt)
		return &Body[PlanView]{v}, nil
	}
	a := p.account
	v.Plan, v.Cycle, v.State, v.NextPlan, v.NextOn = a.Plan, string(a.Cycle), string(a.State), a.NextPlan, dateText(a.NextOn)
	if a.TrialUntil != nil {
		v.TrialUntil = new(a.TrialUntil.UTC().Format("2006-01-02T15:04:05Z"))
	}
	v.Used = PlanLimitsView{p.use.Members + p.use.Invited, p.use.Invoices, p.use.StorageBytes}
	for _, one := range p.plans {
		if one.Code == a.Plan {
			v.Name = one.Name
			if a.State != plan.Exempt {
				v.Limits = limitsOf(one)
			}
		}
		v.Choices = append(v.Choices, PlanOption{one.Code, one.Name, moneyOf(one.Price(plan.Monthly)), moneyOf(one.Price(plan.Yearly)), limitsOf(one)})
	}
	for _, b := range p.bills {
		v.Bills = append(v.Bills, PlanBillView{b.ID.String(), b.Number, b.IssueDate.String(), b.DueDate.String(), moneyOf(b.Total), moneyOf(b.Open())})
	}
	return &Body[PlanView]{v}, nil
}

// formMoney reads an amount of a form; none is nothing.
func formMoney(field, s string, currency money.Currency) (int64, error) {
	if s == "" || currency.IsZero() {
		return 0, nil
	}
	a, err := money.ParseAmount(s, currency)
	return a.Minor, at(field, err)
}
