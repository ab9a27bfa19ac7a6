package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestWorkerReconciles freezes charges of every kind whose answer gets lost, and has the worker find out by its own job
// what became of them: nobody asks from a page. In the end the books say what the gateway's own do.
func TestWorkerReconciles(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	slug, key := "reconcile-"+tenanttest.Random(6), "practice_"+tenanttest.Random(12)
	g.settle(slug, tenanttest.Random(6)+"@tidewater.example", "nine grey herons wade past "+tenanttest.Random(4))
	g.ownKey(slug)
	customer := g.made("/v1/customers", map[string]any{"name": "Oyster Bay"})
	account := g.made("/v1/gateways", map[string]any{"kind": "practice", "name": "Card", "key": key, "webhook_secret": fake.SecretOf(key)})
	state := func(charge string) string {
		t.Helper()
		status, whole := g.call("GET", "/v1/charges/"+charge, nil)
		_, rest, _ := strings.Cut(g.must("charge", status, whole, http.StatusOK), `"state":"`)
		word, _, _ := strings.Cut(rest, `"`)
		return word
	}
	frozen := map[string]string{} // by the card's number
	for _, card := range []string{"4000000000000119", "4000000000000101", "4000000000000135", "4242424242424242"} {
		method := g.made("/v1/cards", map[string]any{"customer_id": customer, "gateway_id": account, "card_number": card, "expires": "04/31"})
		invoice := g.made("/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{map[string]any{"description": "Rope", "quantity": "1", "unit_price": "100"}}})
		status, whole := g.call("POST", "/v1/invoices/"+invoice+"/issue", map[string]any{})
		g.must("issue", status, whole, http.StatusOK)
		frozen[card] = g.made("/v1/charges", map[string]any{"invoice_id": invoice, "payment_method_id": method})
	}
	expect := func(when string, want map[string]string) {
		t.Helper()
		for card, word := range want {
			if got := state(frozen[card]); got != word {
				t.Errorf("%s the charge of the card %s is %s, want %s", when, card, got, word)
			}
		}
	}
	const unanswered, lost, queued, good = "4000000000000119", "4000000000000101", "4000000000000135", "4242424242424242"
	expect("at once", map[string]string{unanswered: "unknown", lost: "unknown", queued: "unknown", good: "succeeded"})
	reconcile := func(after time.Duration) {
		t.Helper()
		g.clock.Advance(after)
		g.runJobs(slug, "payments.reconcile")
	}
	reconcile(2 * time.Minute)
	expect("after two minutes", map[string]string{unanswered: "succeeded", lost: "unknown", queued: "unknown", good: "succeeded"})
	if n := g.parts.practice.Arrive(key); n != 1 {
		t.Fatalf("%d orders arrived late", n)
	}
	reconcile(2 * time.Minute)
	expect("when the late one has arrived", map[string]string{unanswered: "succeeded", lost: "unknown", queued: "succeeded", good: "succeeded"})
	reconcile(20 * time.Minute)
	expect("after all", map[string]string{unanswered: "succeeded", lost: "failed", queued: "succeeded", good: "succeeded"})

	var books struct {
		Clearing  int64 `db:"clearing"`
		Movements int   `db:"movements"`
		Settled   int64 `db:"settled"`
	}
	scope, err := tenant.EnterOperator(t.Context(), g.db, slug)
	if err != nil {
		t.Fatal(err)
	}
	err = tenant.Do(t.Context(), g.db, scope, func(tx *tenant.Tx) error {
		return tx.Get(t.Context(), &books, `SELECT (SELECT sum(l.amount) FROM journal_line l JOIN gateway_account a ON a.account_id = l.account_id) AS clearing,
			(SELECT count(*) FROM gateway_movement) AS movements, (SELECT sum(settled) FROM document) AS settled`)
	})
	if err != nil {
		t.Fatal(err)
	}
	if theirs := g.parts.practice.Balance(key)["EUR"]; books.Clearing != theirs || books.Movements != len(g.parts.practice.Movements(key)) || books.Settled != 30000 {
		t.Errorf("the books: %+v; the gateway owes %d by %d movements", books, theirs, len(g.parts.practice.Movements(key)))
	}
}
