package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/report"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/notify"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func TestMakeDemo_is_there_once_however_often_it_is_made(t *testing.T) {
	t.Parallel()
	ctx, db, outbox := t.Context(), tenanttest.DB(), &notify.Outbox{}
	const origin = "http://localhost:8080"
	people, err := identity.New(db, mailOut{outbox}, identity.Options{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	var before string
	for run := range 2 {
		if err := makeDemo(ctx, db, people, outbox, origin); err != nil {
			t.Fatal(err)
		}
		after := demoJournal(t, db)
		if run > 0 && after != before {
			t.Error("making it again changed the journal")
		}
		before = after
	}
	person, _, err := people.SignIn(ctx, demoEmail, demoPassword, identity.RequestInfo{})
	if err != nil {
		t.Fatal(err)
	}
	member, err := people.Organizations(ctx, person.ID)
	if err != nil || len(member) != 1 || member[0].Organization.Slug != demoSlug || member[0].Role != "owner" {
		t.Errorf("its owner is in %v (%v)", member, err)
	}
	checkDemoBooks(t, db)
}

func inDemo(t *testing.T, db *tenant.DB, fn func(ctx context.Context, tx *tenant.Tx) error) {
	t.Helper()
	scope, err := tenant.EnterOperator(t.Context(), db, demoSlug)
	if err == nil {
		err = tenant.Do(t.Context(), db, scope, func(tx *tenant.Tx) error { return fn(t.Context(), tx) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func demoJournal(t *testing.T, db *tenant.DB) string {
	t.Helper()
	var out bytes.Buffer
	inDemo(t, db, func(ctx context.Context, tx *tenant.Tx) error { return export.Write(ctx, tx, export.Journal, &out) })
	return out.String()
}

// checkDemoBooks looks whether every page has something to show.
func checkDemoBooks(t *testing.T, db *tenant.DB) {
	t.Helper()
	inDemo(t, db, func(ctx context.Context, tx *tenant.Tx) error {
		counts, err := billing.InvoiceCounts(ctx, tx)
		if err != nil {
			return err
		}
		all := 0
		for _, n := range counts {
			all += n
		}
		if all != 412 || counts[billing.StandingPaid] < 350 || counts[billing.StandingOverdue] < 20 {
			t.Errorf("of %d invoices stand %v", all, counts)
		}
		overdue, err := billing.Overdue(ctx, tx, 50)
		if err != nil {
			return err
		}
		inPart := 0
		for _, invoice := range overdue {
			if !invoice.Settled.IsZero() {
				inPart++
			}
		}
		if inPart == 0 {
			t.Error("none is paid in part")
		}
		figures, err := report.FiguresOf(ctx, tx)
		if err != nil {
			return err
		}
		if len(figures.Owed) != 1 || figures.Cash[0].Sign() <= 0 || figures.Months[5].Expenses.Sign() <= 0 {
			t.Errorf("the overview has %+v", figures)
		}
		return nil
	})
}
