package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// A sample is filled once, wherever its filling was cut short; nothing is mailed from it, and it ends by itself.
func TestSample(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	ctx := t.Context()
	g.settle("looker-"+tenanttest.Random(6), tenanttest.Random(6)+"@tidewater.example", "nine grey herons wade past "+tenanttest.Random(4))
	status, whole := g.post("/sample", url.Values{})
	found := regexp.MustCompile(`/o/(sample-[0-9a-f]{12})`).FindStringSubmatch(whole)
	if status != http.StatusSeeOther || found == nil {
		t.Fatalf("%d %s", status, whole)
	}
	slug := found[1]
	if _, page := g.get("/sample/filled"); !strings.Contains(page, "<span>0 % filled") {
		t.Errorf("before anything is there: %s", page)
	}
	scope, err := tenant.EnterOperator(ctx, g.db, slug)
	if err != nil {
		t.Fatal(err)
	}
	w := work{parts: g.parts, db: g.db}

	cut := errors.New("cut short")
	same := func(content []byte) ([]byte, error) { return content, nil }
	err = fillDemo(ctx, g.db, scope, same, func(files int) error {
		if files == 2 {
			return cut
		}
		return tenant.TellSample(ctx, g.db, slug, sampleSteps[files])
	})
	if !errors.Is(err, cut) {
		t.Fatal(err)
	}
	if _, page := g.get("/sample/filled"); !strings.Contains(page, "5 % filled") {
		t.Errorf("after the first file: %s", page)
	}
	began := time.Now()
	if err := w.fillSample(ctx, scope, nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled in %s", time.Since(began).Round(time.Millisecond))
	if err := w.fillSample(ctx, scope, nil); err != nil {
		t.Errorf("again: %v", err)
	}
	if _, page := g.get("/o/" + slug); strings.Contains(page, "% filled") || !strings.Contains(page, "This is a sample") {
		t.Errorf("filled: %s", page)
	}

	var mailing billing.Mailing
	err = tenant.Do(ctx, g.db, scope, func(tx *tenant.Tx) error {
		counts, err := billing.InvoiceCounts(ctx, tx)
		if err != nil {
			return err
		}
		all := 0
		for _, n := range counts {
			all += n
		}
		newest, err := billing.Invoices(ctx, tx, billing.InvoiceFilter{}, cursor.Query{Limit: 1})
		if err != nil {
			return err
		}
		today, err := billing.Today(ctx, tx)
		if err != nil {
			return err
		}
		if all != 412 || counts[billing.StandingPaid] < 350 || newest.Items[0].IssueDate != today.AddDays(-1) {
			t.Errorf("%d invoices, %d paid, the newest of %s", all, counts[billing.StandingPaid], newest.Items[0].IssueDate)
		}
		mailing, err = billing.MailInvoice(ctx, tx, newest.Items[0].ID, billing.MailInput{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := len(g.outbox.All())
	args, err := json.Marshal(map[string]any{"mailing": mailing.ID})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.bringOut(ctx, scope, args); err != nil {
		t.Fatal(err)
	}
	if after := len(g.outbox.All()); after != before {
		t.Errorf("%d mails went out", after-before)
	}
	err = tenant.Do(ctx, g.db, scope, func(tx *tenant.Tx) (err error) {
		mailing, err = billing.MailingByID(ctx, tx, mailing.ID)
		return err
	})
	if err != nil || mailing.State != billing.MailSent {
		t.Errorf("the mail stands as %s (%v)", mailing.State, err)
	}

	if err := w.endSamples(ctx); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := tenant.SampleAt(ctx, g.db, slug); err != nil || !ok {
		t.Errorf("it has ended before its time: %v", err)
	}
	g.clock.Advance(7*24*time.Hour + time.Minute)
	if err := w.endSamples(ctx); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := tenant.SampleAt(ctx, g.db, slug); err != nil || ok {
		t.Errorf("after a week it is still there: %v", err)
	}
	if _, err := tenant.EnterOperator(ctx, g.db, slug); !errors.Is(err, tenant.ErrNoOrganization) {
		t.Errorf("after a week it can be entered: %v", err)
	}
	if err := w.fillSample(ctx, scope, nil); err != nil {
		t.Errorf("filling what has ended: %v", err)
	}
}
