package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestWorkerProves has a worker prove the books of an organization, tampers with them, and looks for what its owner and the
// operator get to see the night after.
func TestWorkerProves(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	slug := "proved-" + tenanttest.Random(6)
	g.settle(slug, tenanttest.Random(6)+"@tidewater.example", "nine grey herons wade past "+tenanttest.Random(4))
	g.ownKey(slug)
	customer := g.made("/v1/customers", map[string]any{"name": "Oyster Bay"})
	invoice := g.made("/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{map[string]any{"description": "Rope", "quantity": "1", "unit_price": "100"}}})
	status, whole := g.call("POST", "/v1/invoices/"+invoice+"/issue", map[string]any{})
	g.must("issue", status, whole, http.StatusOK)
	overview := func() string {
		t.Helper()
		status, body := g.get("/o/" + slug)
		return g.must("overview", status, body, http.StatusOK)
	}
	if body := overview(); strings.Contains(body, "Books proved") || strings.Contains(body, "do not agree") {
		t.Error("before anything was proved the overview tells of it")
	}
	g.runJobs(slug, "books.prove")
	if body := overview(); !strings.Contains(body, "Books proved on") || strings.Contains(body, "do not agree") {
		t.Error("the overview does not say that the books were proved")
	}
	tenanttest.AsOwner(t, tenanttest.Organization{Slug: slug}, `UPDATE journal_line SET amount = amount * 2`)
	g.clock.Advance(25 * time.Hour)
	g.runJobs(slug, "books.prove")
	var out bytes.Buffer
	if err := proveBooks(t.Context(), g.db, slug, &out); err == nil || !strings.Contains(err.Error(), "do not agree") ||
		!strings.Contains(out.String(), "NO   Receivables and payables equal their documents\n     Invoice ") || !strings.Contains(out.String(), " comes to 100.00 ") {
		t.Errorf("by hand it says %v\n%s", err, out.String())
	}
	census, err := tenant.Count(t.Context(), g.db)
	if err != nil || census.Unproved == 0 || census.Events["disagreeing"] == 0 {
		t.Errorf("the operator's figures: %+v, %v", census, err)
	}
}
