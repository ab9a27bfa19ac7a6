package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// What a customer pays by, as it is typed.
const (
	leakCard, leakCardTyped = "378282246310005", "3782 822463 10005"
	leakUnanswered          = "4000000000000119" // charged, and no answer comes
	leakIBAN                = "DE89370400440532013000"
	leakAccount             = "73918462050017"
	leakCVV                 = "7391"
)

// code is the security code by itself, and in no longer number, id or time.
var code = regexp.MustCompile(`(^|[^0-9A-Za-z._:%-])` + leakCVV + `($|[^0-9A-Za-z._:%-])`)

// pay sends the secrets of payments through every route that takes them, and looks at each answer.
func (g *guest) pay(slug, customer, invoice string, look func(where, text string)) {
	t := g.t
	t.Helper()
	keys := map[string]string{"the gateway's key": "practice_" + tenanttest.Random(12), "the next key": "practice_" + tenanttest.Random(12),
		"the Stripe key": "sk_test_" + tenanttest.Random(16), "the Stripe secret": "whsec_" + tenanttest.Random(12),
		"the card": leakCard, "the card as typed": leakCardTyped, "the other card": leakUnanswered, "the IBAN": leakIBAN, "the account": leakAccount,
		"the code in JSON": `"cvv":"` + leakCVV, "the code in a form": "cvv=" + leakCVV}
	for name, secret := range keys {
		g.leaks.knows(name, secret)
	}
	for _, key := range []string{"the gateway's key", "the next key"} {
		g.leaks.knows(key+"'s signing secret", fake.SecretOf(keys[key]))
	}
	send := func(want int, method, path string, body any) string {
		t.Helper()
		status, whole := g.call(method, path, body)
		look(method+" "+path, whole)
		if code.MatchString(whole) {
			t.Errorf("%s %s shows the code: %s", method, path, whole)
		}
		return g.must(path, status, whole, want)
	}
	id := func(whole string) string { return idShown.FindStringSubmatch(whole)[1] }
	send(http.StatusCreated, "POST", "/v1/gateways", map[string]any{"kind": "stripe", "name": "Stripe", "key": keys["the Stripe key"], "webhook_secret": keys["the Stripe secret"]})
	account := id(send(http.StatusCreated, "POST", "/v1/gateways", map[string]any{"kind": "practice", "name": "Card", "key": keys["the gateway's key"], "webhook_secret": fake.SecretOf(keys["the gateway's key"])}))
	send(http.StatusOK, "PUT", "/v1/gateways/"+account, map[string]any{"name": "Card", "key": keys["the next key"], "webhook_secret": fake.SecretOf(keys["the next key"])})
	send(http.StatusUnprocessableEntity, "PUT", "/v1/gateways/"+account, map[string]any{"name": "Card", "key": keys["the Stripe key"]})
	send(http.StatusCreated, "POST", "/v1/payment-methods", map[string]any{"customer_id": customer, "kind": "iban", "iban": leakIBAN})
	send(http.StatusUnprocessableEntity, "POST", "/v1/payment-methods", map[string]any{"customer_id": customer, "kind": "us_bank", "iban": leakIBAN, "account_number": leakAccount, "routing_number": leakIBAN})
	send(http.StatusCreated, "POST", "/v1/payment-methods", map[string]any{"customer_id": customer, "kind": "us_bank", "routing_number": "021000021", "account_number": leakAccount})
	card := id(send(http.StatusCreated, "POST", "/v1/cards", map[string]any{"customer_id": customer, "gateway_id": account, "card_number": leakCardTyped, "expires": "04/31"}))
	send(http.StatusUnprocessableEntity, "POST", "/v1/cards", map[string]any{"customer_id": customer, "gateway_id": account, "card_number": leakCard, "expires": leakCardTyped})
	send(http.StatusUnprocessableEntity, "POST", "/v1/cards", map[string]any{"customer_id": leakCard, "gateway_id": leakCardTyped, "card_number": leakCard, "expires": "04/31"})
	charge := func(method, cents string, want int) string {
		return send(want, "POST", "/v1/charges", map[string]any{"invoice_id": invoice, "payment_method_id": method, "cvv": leakCVV,
			"amount": map[string]string{"amount": cents, "currency": "EUR"}})
	}
	charged := id(charge(card, "10.00", http.StatusCreated))
	charge(card, "1000000.00", http.StatusUnprocessableEntity)
	send(http.StatusCreated, "POST", "/v1/charges/"+charged+"/refund", map[string]any{})
	g.payByForms(slug, customer, invoice, account, look)
	other := id(send(http.StatusCreated, "POST", "/v1/cards", map[string]any{"customer_id": customer, "gateway_id": account, "card_number": leakUnanswered, "expires": "04/31"}))
	send(http.StatusCreated, "POST", "/v1/charges", map[string]any{"invoice_id": invoice, "payment_method_id": other}) // it waits for the worker
	g.tellUnsigned(account, look)
}

// ownKey gives the organization a key: one that lay ready was made beside another keyring.
func (g *guest) ownKey(slug string) {
	g.t.Helper()
	scope, err := tenant.EnterOperator(g.t.Context(), g.db, slug)
	if err == nil {
		err = g.parts.keyring.CreateKey(g.t.Context(), scope.Organization().ID.String())
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// payByForms does the same by the pages, and by a pay link.
func (g *guest) payByForms(slug, customer, invoice, account string, look func(where, text string)) {
	g.t.Helper()
	post := func(path string, pairs ...string) (whole string) {
		g.t.Helper()
		form := url.Values{"idempotency_key": {tenanttest.Random(8)}}
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		_, whole = g.post(path, form)
		look("POST "+path, whole)
		if code.MatchString(whole) {
			g.t.Errorf("POST %s shows the code: %s", path, whole)
		}
		return whole
	}
	methods := "/o/" + slug + "/customers/" + customer + "/methods"
	for _, expires := range []string{"04/20", "04/31"} {
		post(methods+"/card", "gateway_id", account, "card_number", leakCardTyped, "expires", expires)
	}
	post(methods, "kind", "iban", "iban", leakIBAN+"1")
	post(methods, "kind", "us_bank", "routing_number", "1", "account_number", leakAccount)
	_, shown := g.get(methods)
	look(methods, shown)
	if strings.Count(shown, "…0005") != 2 {
		g.t.Errorf("the card is not listed twice: %s", shown)
	}
	_, shown = g.get("/o/" + slug + "/invoices/" + invoice)
	found := regexp.MustCompile(`name="method_id" value="([0-9a-f-]{36})"`).FindStringSubmatch(shown)
	if found == nil {
		g.t.Fatalf("no card to charge on %s", shown)
	}
	post("/o/"+slug+"/invoices/"+invoice+"/charge", "method_id", found[1], "cvv", leakCVV+"1")
	status, whole := g.call("POST", "/v1/invoices/"+invoice+"/pay-link", nil)
	link := regexp.MustCompile(`/pay/([A-Za-z0-9_-]{20,})`).FindStringSubmatch(g.must("link", status, whole, http.StatusCreated))
	g.leaks.knows("the pay link", link[1])
	_, shown = g.send(httptest.NewRequest("GET", "/pay/"+link[1], http.NoBody))
	for name, secret := range g.leaks.secrets {
		if name != "the pay link" && strings.Contains(shown, string(secret)) { // its own form leads to itself
			g.t.Errorf("the pay page shows %s", name)
		}
	}
}

// tellUnsigned sends messages that are not the gateway's, with secrets in them.
func (g *guest) tellUnsigned(account string, look func(where, text string)) {
	g.t.Helper()
	status, whole := g.call("POST", "/v1/gateways/"+account+"/address", nil)
	address := regexp.MustCompile(`/webhook/([A-Za-z0-9_-]{20,})`).FindStringSubmatch(g.must("address", status, whole, http.StatusCreated))
	g.leaks.knows("the address for messages", address[1])
	for _, body := range []string{leakCard, `{"kind":"charge","object":{"key":"` + leakIBAN + `"}}`, ""} {
		status, whole := g.send(httptest.NewRequest("POST", "/webhook/"+address[1], strings.NewReader(body)))
		look("the answer to an unsigned message", whole)
		if status < 400 || status >= 500 {
			g.t.Errorf("an unsigned message: %d %s", status, whole)
		}
	}
}

// work lets a worker do every kind of job of the organization, as in production.
func (g *guest) work(slug string) {
	g.t.Helper()
	kinds := []string{"payments.reconcile", "payments.collect", "audit.seal", "audit.head"}
	g.clock.Advance(2 * time.Minute)
	g.runJobs(slug, kinds...)
}

func (g *guest) enqueue(slug string, kinds ...string) {
	g.t.Helper()
	ctx := g.t.Context()
	scope, err := tenant.EnterOperator(ctx, g.db, slug)
	if err != nil {
		g.t.Fatal(err)
	}
	err = tenant.Do(ctx, g.db, scope, func(tx *tenant.Tx) error {
		for _, kind := range kinds {
			if err := jobs.Enqueue(ctx, tx, jobs.Job{Kind: kind}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// oneWorker is held while a worker runs: the tests have one queue, and another test's worker has another clock.
var oneWorker sync.Mutex

// runJobs queues a job of each kind for the organization, and works until one more of each is done.
func (g *guest) runJobs(slug string, kinds ...string) {
	g.t.Helper()
	oneWorker.Lock()
	defer oneWorker.Unlock()
	before := g.tried(slug)
	g.enqueue(slug, kinds...)
	run, err := g.parts.worker(g.db, g.server.Desk, jobs.Options{Poll: 50 * time.Millisecond, Clock: g.clock.Now, Finish: 5 * time.Second})
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(g.t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			g.t.Error("the worker did not get to the organization's jobs within a minute")
			done = true
		case <-look.C:
			now := g.tried(slug)
			done = !slices.ContainsFunc(kinds, func(kind string) bool { return now[kind] == before[kind] })
		}
	}
	stop()
	if err := <-ended; err != nil {
		g.t.Errorf("the worker ended with %v", err)
	}
}

// tried counts the organization's jobs of each kind that are done.
func (g *guest) tried(slug string) map[string]int {
	g.t.Helper()
	var all []jobs.Status
	err := tenant.DoPlatform(g.t.Context(), g.db, func(tx *tenant.PlatformTx) (err error) {
		all, err = jobs.ListJobs(g.t.Context(), tx, jobs.Filter{}, 0, 1000)
		return err
	})
	if err != nil {
		g.t.Fatal(err)
	}
	done := map[string]int{}
	for _, job := range all {
		if job.Organization != slug {
			continue
		}
		if job.Standing == jobs.Failing || job.Standing == jobs.Failed {
			g.t.Fatalf("the job %s failed: %s", job.Kind, job.Error)
		}
		if job.Standing == jobs.Done {
			done[job.Kind]++
		}
	}
	return done
}

// export writes all that an operator can, and looks at it.
func (g *guest) export(slug string, look func(where, text string)) {
	g.t.Helper()
	ctx := g.t.Context()
	scope, err := tenant.EnterOperator(ctx, g.db, slug)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, format := range []export.Format{"hledger", "journal", "customers", "products", "invoices", "payments"} {
		var out bytes.Buffer
		if err := tenant.Do(ctx, g.db, scope, func(tx *tenant.Tx) error { return export.Write(ctx, tx, format, &out) }); err != nil {
			g.t.Fatalf("%s: %v", format, err)
		}
		look("the export for "+string(format), out.String())
	}
	var record bytes.Buffer
	if err := exportRecord(ctx, g.db, slug, &record); err != nil {
		g.t.Fatal(err)
	}
	if look("the exported record", record.String()); !strings.Contains(record.String(), "payment_method.add") {
		g.t.Error("the exported record lacks the payment methods")
	}
}

// TestTheCodeIsFound shows that code would find what it looks for.
func TestTheCodeIsFound(t *testing.T) {
	t.Parallel()
	for _, text := range []string{leakCVV, `"` + leakCVV + `"`, "a\t" + leakCVV + "\n", `value="7391"`, "code 7391, wrong"} {
		if !code.MatchString(text) {
			t.Errorf("not found in %q", text)
		}
	}
	for _, text := range []string{"73918462050017", "a7391", "12.7391", "0b-7391-44"} {
		if code.MatchString(text) {
			t.Errorf("found in %q", text)
		}
	}
}
