package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// The whole slice by program: customer, product, taxes, draft, issue, payment, and the books that come of it.
func TestBooksByProgram(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.signUp(t).program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Ζαχαρίας Καποδίστριας", "email": "z@example.gr", "country": "Greece"})
	product := p.made(t, "/v1/products", map[string]any{"name": "Mixing, per track", "unit_price": "145.00"})
	p.made(t, "/v1/tax-rates", map[string]any{"code": "GST", "name": "GST 5 %", "percent": "5"})
	p.made(t, "/v1/tax-rates", map[string]any{"code": "QST", "name": "QST 9.975 %", "percent": "9.975"})
	invoice := p.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{
		map[string]any{"product_id": product, "quantity": "2", "unit_price": "145.00", "discount_percent": "10", "taxes": []string{"GST", "QST"}},
	}})

	a := p.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil)
	if a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	// 2 × 145.00 less 10 % = 261.00; 5 % = 13.05; 9.975 % = 26.03475, 26.03; in all 300.08.
	var issued struct {
		Number, Standing string
		Net, Tax, Total  struct{ Amount, Currency string }
	}
	a.decode(t, &issued)
	if issued.Number != "INV-0001" || issued.Net.Amount != "261.00" || issued.Tax.Amount != "39.08" || issued.Total.Amount != "300.08" {
		t.Fatalf("%s", a.body)
	}
	pay := func(amount string) answer {
		return p.call(t, "POST", "/v1/payments", map[string]any{"invoice_id": invoice, "method": "bank_transfer",
			"amount": map[string]string{"amount": amount, "currency": "EUR"}})
	}
	if a := pay("100.08"); a.status != http.StatusCreated {
		t.Fatalf("payment: %d %s", a.status, a.body)
	}
	if a := pay("200.01"); a.status < 400 || a.status >= 500 {
		t.Fatalf("more than is owed: %d %s", a.status, a.body)
	}
	var balances struct {
		Items []struct{ Owed struct{ Amount string } }
	}
	p.call(t, "GET", "/v1/reports/customer-balances", nil).decode(t, &balances)
	if len(balances.Items) != 1 || balances.Items[0].Owed.Amount != "200.00" {
		t.Fatalf("%+v", balances)
	}
	if a := pay("200.00"); a.status != http.StatusCreated {
		t.Fatalf("payment: %d %s", a.status, a.body)
	}
	p.call(t, "GET", "/v1/invoices/"+invoice, nil).decode(t, &issued)
	if issued.Standing != "paid" {
		t.Fatalf("it stands %s", issued.Standing)
	}
	var trial struct {
		Rows []struct {
			Code, Name string
			Closing    struct{ Amount string }
		}
		Totals []struct{ Debit, Credit, Closing struct{ Amount string } }
	}
	p.call(t, "GET", "/v1/reports/trial-balance", nil).decode(t, &trial)
	got := map[string]string{}
	for _, r := range trial.Rows {
		got[r.Code] = r.Closing.Amount
	}
	for code, want := range map[string]string{"1010": "300.08", "1100": "0.00", "2200": "-39.08", "4000": "-261.00"} {
		if got[code] != want {
			t.Errorf("account %s stands at %q, not %s", code, got[code], want)
		}
	}
	if len(trial.Totals) != 1 || trial.Totals[0].Debit != trial.Totals[0].Credit || trial.Totals[0].Closing.Amount != "0.00" {
		t.Errorf("%+v", trial.Totals)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.signUp(t).program
	send := func(key, name string) answer {
		return p.call(t, "POST", "/v1/customers", map[string]any{"name": name}, "Idempotency-Key", key)
	}
	idOf := func(a answer) string {
		var v struct{ ID string }
		a.decode(t, &v)
		return v.ID
	}
	t.Run("answers the same request again and does it once", func(t *testing.T) {
		first, second := send("one", "Ada"), send("one", "Ada")
		if first.status != 201 || second.status != 201 || idOf(first) != idOf(second) {
			t.Fatalf("%d %s, then %d %s", first.status, first.body, second.status, second.body)
		}
		if first.header.Get("Idempotency-Replayed") != "" || second.header.Get("Idempotency-Replayed") != "true" {
			t.Fatal("it does not say which is the replay")
		}
	})
	t.Run("refuses another request under the same key", func(t *testing.T) {
		if a := send("one", "Grace"); a.status != 422 || a.problem(t).Code != "idempotency.reused" {
			t.Fatalf("%d %s", a.status, a.body)
		}
	})
	t.Run("does not keep a refusal", func(t *testing.T) {
		if a := send("two", ""); a.status != 422 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := send("two", "Grace"); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	})
	t.Run("does one of many at once", func(t *testing.T) {
		var wait sync.WaitGroup
		answers := make([]answer, 12)
		for i := range answers {
			wait.Go(func() { answers[i] = send("race", "Lin") })
		}
		wait.Wait()
		ids := map[string]bool{}
		for _, a := range answers {
			switch a.status {
			case 201:
				ids[idOf(a)] = true
			case 409:
				if a.problem(t).Code != "idempotency.in_flight" {
					t.Errorf("%s", a.body)
				}
			default:
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		if len(ids) != 1 {
			t.Fatalf("%d customers were made", len(ids))
		}
	})
	t.Run("does not reach another organization", func(t *testing.T) {
		q := h.signUp(t).program
		a := q.call(t, "POST", "/v1/customers", map[string]any{"name": "Ada"}, "Idempotency-Key", "one")
		if a.status != 201 || a.header.Get("Idempotency-Replayed") != "" {
			t.Fatalf("%d %s", a.status, a.body)
		}
	})
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	p := open(t).signUp(t).program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	seen := p.call(t, "GET", "/v1/customers/"+customer, nil).header.Get("ETag")
	change := func(name, version string) answer {
		return p.call(t, "PUT", "/v1/customers/"+customer, map[string]any{"name": name}, "If-Match", version)
	}
	if a := change("Grace", seen); a.status != 200 || a.header.Get("ETag") == seen {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := change("Lin", seen); a.status != 409 || a.problem(t).Code != "customer.changed" {
		t.Fatalf("a change that came between was overwritten: %d %s", a.status, a.body)
	}
	if a := change("Lin", "nonsense"); a.status != 422 {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestArchiveAndRestore(t *testing.T) {
	t.Parallel()
	p := open(t).signUp(t).program
	for kind, body := range map[string]any{
		"customers": map[string]any{"name": "Ada"}, "products": map[string]any{"name": "Mixing", "unit_price": "1"},
		"tax-rates": map[string]any{"code": "VAT", "name": "VAT", "percent": "20"},
	} {
		path := "/v1/" + kind + "/" + p.made(t, "/v1/"+kind, body)
		for _, way := range []string{"archive", "restore"} {
			var got struct{ Archived bool }
			a := p.call(t, "POST", path+"/"+way, nil)
			if a.decode(t, &got); a.status != 200 || got.Archived != (way == "archive") {
				t.Errorf("%s/%s: %d %s", path, way, a.status, a.body)
			}
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	p := open(t).signUp(t).program
	for _, name := range strings.Fields("Ada Bo Cy Di Ed Fay Gus") {
		p.made(t, "/v1/customers", map[string]any{"name": name})
	}
	type page struct {
		Items   []struct{ ID, Name string }
		HasMore bool `json:"has_more"`
	}
	names := func(query string) (string, page) {
		var got page
		a := p.call(t, "GET", "/v1/customers?"+query, nil)
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		a.decode(t, &got)
		var all []string
		for _, i := range got.Items {
			all = append(all, i.Name)
		}
		return strings.Join(all, " "), got
	}
	first, page1 := names("limit=3")
	second, page2 := names("limit=3&starting_after=" + page1.Items[2].ID)
	third, page3 := names("limit=3&starting_after=" + page2.Items[2].ID)
	back, page4 := names("limit=3&ending_before=" + page3.Items[0].ID)
	if first != "Ada Bo Cy" || second != "Di Ed Fay" || third != "Gus" || back != "Di Ed Fay" {
		t.Errorf("%q, %q, %q, and back %q", first, second, third, back)
	}
	if !page1.HasMore || !page2.HasMore || page3.HasMore || !page4.HasMore {
		t.Error("has_more lies")
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=-1", "limit=x", "starting_after=x", "nonsense=1",
		"starting_after=" + page1.Items[0].ID + "&ending_before=" + page1.Items[2].ID} {
		if a := p.call(t, "GET", "/v1/customers?"+query, nil); a.status != 422 {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

// What a program may send by mistake or malice, and what it is told; nothing changes by it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.signUp(t).program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Ada"})
	p.made(t, "/v1/tax-rates", map[string]any{"code": "VAT", "name": "VAT", "percent": "20"})
	line := func(pairs ...string) string {
		fields := map[string]string{"description": "Work", "quantity": "1", "unit_price": "10"}
		for i := 0; i+1 < len(pairs); i += 2 {
			fields[pairs[i]] = pairs[i+1]
		}
		text, _ := json.Marshal(fields)
		return string(text)
	}
	invoice := func(rest, lines string) string {
		return `{"customer_id":"` + customer + `"` + rest + `,"lines":[` + lines + `]}`
	}
	digits := strings.Repeat("9", 40)
	cases := map[string]struct{ path, body, field string }{
		"no JSON":                 {"/v1/customers", `{"name":`, ""},
		"two values":              {"/v1/customers", `{"name":"a"}{"name":"b"}`, ""},
		"an unknown key":          {"/v1/customers", `{"name":"a","admin":true}`, ""},
		"a key in other letters":  {"/v1/customers", `{"Name":"a"}`, ""},
		"a key twice":             {"/v1/customers", `{"name":"a","name":"b"}`, ""},
		"a key twice, deep":       {"/v1/invoices", invoice("", `{"quantity":"1","unit_price":"1","quantity":"2"}`), ""},
		"a NUL":                   {"/v1/customers", `{"name":"a\u0000b"}`, "name"},
		"a raw NUL":               {"/v1/customers", "{\"name\":\"a\x00b\"}", ""},
		"broken UTF-8":            {"/v1/customers", "{\"name\":\"a\xffb\"}", ""},
		"half a surrogate":        {"/v1/customers", `{"name":"a\ud800b"}`, "name"},
		"a line break in a name":  {"/v1/customers", `{"name":"a\nb"}`, "name"},
		"no name":                 {"/v1/customers", `{"name":"   "}`, "name"},
		"a name without end":      {"/v1/customers", `{"name":"` + strings.Repeat("a", 201) + `"}`, "name"},
		"no such country":         {"/v1/customers", `{"name":"a","country":"Atlantis"}`, "country"},
		"a number for a text":     {"/v1/customers", `{"name":1}`, ""},
		"no such currency":        {"/v1/invoices", invoice(`,"currency":"EUX"`, line()), "currency"},
		"a currency in small":     {"/v1/invoices", invoice(`,"currency":"eur"`, line()), "currency"},
		"a negative quantity":     {"/v1/invoices", invoice("", line("quantity", "-1")), "lines[0].quantity"},
		"a quantity of nothing":   {"/v1/invoices", invoice("", line("quantity", "0")), "lines[0].quantity"},
		"40 digits":               {"/v1/invoices", invoice("", line("quantity", digits)), "lines[0].quantity"},
		"an exponent":             {"/v1/invoices", invoice("", line("quantity", "1e400000000")), "lines[0].quantity"},
		"a price too exact":       {"/v1/invoices", invoice("", line("unit_price", "0.0000001")), "lines[0].unit_price"},
		"a negative price":        {"/v1/invoices", invoice("", line("unit_price", "-1")), "lines[0].unit_price"},
		"a product too large":     {"/v1/invoices", invoice("", line("quantity", "999999999999", "unit_price", "999999999999")), ""},
		"a discount of 101":       {"/v1/invoices", invoice("", line("discount_percent", "101")), "lines[0].discount_percent"},
		"a tax that is not there": {"/v1/invoices", invoice("", `{"description":"a","quantity":"1","unit_price":"1","taxes":["NO"]}`), "lines[0].taxes[0]"},
		"a tax twice":             {"/v1/invoices", invoice("", `{"description":"a","quantity":"1","unit_price":"1","taxes":["VAT","VAT"]}`), ""},
		"due before issue":        {"/v1/invoices", invoice(`,"issue_date":"2026-05-02","due_date":"2026-05-01"`, line()), "due_date"},
		"a date of no calendar":   {"/v1/invoices", invoice(`,"issue_date":"2026-02-30"`, line()), "issue_date"},
		"a date of long ago":      {"/v1/invoices", invoice(`,"issue_date":"0001-01-01"`, line()), "issue_date"},
		"another's customer":      {"/v1/invoices", `{"customer_id":"` + tenanttestID + `","lines":[]}`, "customer_id"},
		"an id that is none":      {"/v1/invoices", `{"customer_id":"1 OR 1=1","lines":[]}`, "customer_id"},
		"501 lines":               {"/v1/invoices", invoice("", strings.Repeat(line()+",", 500)+line()), ""},
		"an entry of one line":    {"/v1/journal-entries", `{"date":"2026-01-01","description":"a","lines":[]}`, "lines"},
	}
	before := p.call(t, "GET", "/v1/invoices", nil)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := p.call(t, "POST", c.path, c.body)
			if a.status != 400 && a.status != 422 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			problem := a.problem(t)
			if strings.Contains(string(a.body), digits) {
				t.Error("it echoes what was sent")
			}
			if c.field == "" {
				return
			}
			for _, f := range problem.Errors {
				if f.Field == c.field && f.Code != "" && f.Detail != "" {
					return
				}
			}
			t.Errorf("it does not point at %s: %s", c.field, a.body)
		})
	}
	if after := p.call(t, "GET", "/v1/invoices", nil); string(after.body) != string(before.body) {
		t.Error("a refused request left something behind")
	}
	var customers struct{ Items []any }
	if p.call(t, "GET", "/v1/customers", nil).decode(t, &customers); len(customers.Items) != 1 {
		t.Errorf("there are %d customers, not 1", len(customers.Items))
	}

	t.Run("amounts", func(t *testing.T) {
		made := p.made(t, "/v1/invoices", json.RawMessage(invoice("", line())))
		if a := p.call(t, "POST", "/v1/invoices/"+made+"/issue", nil); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for amount, code := range map[string]string{"1.001": "amount.too_precise", "1e2": "amount.malformed", "+1": "amount.malformed",
			"1,00": "amount.malformed", "": "amount.malformed", "0x1": "amount.malformed", "NaN": "amount.malformed", digits: "amount.too_large"} {
			a := p.call(t, "POST", "/v1/payments", map[string]any{"invoice_id": made, "method": "cash", "amount": map[string]string{"amount": amount, "currency": "EUR"}})
			if a.status != 422 || a.problem(t).Code != code {
				t.Errorf("%q: %d %s", amount, a.status, a.body)
			}
		}
		for amount, currency := range map[string]string{"-1.00": "EUR", "0.00": "EUR", "1.00": "USD", "10.01": "EUR", "1.0": "XXX"} {
			a := p.call(t, "POST", "/v1/payments", map[string]any{"invoice_id": made, "method": "cash", "amount": map[string]string{"amount": amount, "currency": currency}})
			if a.status != 422 && a.status != 409 {
				t.Errorf("%s %s: %d %s", amount, currency, a.status, a.body)
			}
		}
	})
	t.Run("another content type", func(t *testing.T) {
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "", "application/xml", "application/problem+json"} {
			if a := p.call(t, "POST", "/v1/customers", `{"name":"a"}`, "Content-Type", kind); a.status != http.StatusUnsupportedMediaType {
				t.Errorf("%q: %d %s", kind, a.status, a.body)
			}
		}
	})
	t.Run("an address that cannot be read", func(t *testing.T) {
		for _, path := range []string{"/v1/customers/%00", "/v1/customers?search=%ff", "/v1/customers/x", "/v1/nothing"} {
			if a := p.call(t, "GET", path, nil); a.status < 400 || a.status >= 500 {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
	})
}

const tenanttestID = "019f0000-0000-7000-8000-000000000000"

func TestTokenScopes(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	reader := program{h, h.tokenFor(t, o.browser, o.slug, "customers:read")}
	if a := reader.call(t, "GET", "/v1/customers", nil); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, path := range []string{"/v1/invoices", "/v1/settings", "/v1/tokens", "/v1/reports/trial-balance"} {
		if a := reader.call(t, "GET", path, nil); a.status != 403 || a.problem(t).Code != "right.missing" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := reader.call(t, "POST", "/v1/customers", map[string]any{"name": "a"}); a.status != 403 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := o.program.call(t, "POST", "/v1/tokens", map[string]any{"name": "more", "scopes": []string{"*:write"}}); a.status != 405 {
		t.Errorf("a token makes tokens: %d %s", a.status, a.body)
	}
	if a := reader.call(t, "GET", "/v1/customers", nil, "Authorization", "Bearer "+reader.token+"x"); a.status != 401 {
		t.Errorf("%d", a.status)
	}

	t.Run("a revoked one ends with the next request", func(t *testing.T) {
		short := program{h, h.tokenFor(t, o.browser, o.slug, "*:read")}
		var made struct{ Items []struct{ ID string } } // newest first
		o.program.call(t, "GET", "/v1/tokens", nil).decode(t, &made)
		if a := short.call(t, "GET", "/v1/customers", nil); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := o.program.call(t, "DELETE", "/v1/tokens/"+made.Items[0].ID, nil); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := short.call(t, "GET", "/v1/customers", nil); a.status != 401 {
			t.Fatalf("it still works: %d", a.status)
		}
	})
}

var parameter = regexp.MustCompile(`:(\w+)`)

// described is a route's path as the documentation writes it.
func described(path string) string { return parameter.ReplaceAllString(path, "{$1}") }

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.browser().get(t, "/openapi.json")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	a.decode(t, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("OpenAPI %q", doc.OpenAPI)
	}
	for _, r := range h.Routes() {
		if !strings.HasPrefix(r.Path, "/v1/") {
			continue
		}
		path := described(r.Path)
		if doc.Paths[path][strings.ToLower(r.Method)] == nil {
			t.Errorf("%s %s is not described", r.Method, path)
		}
	}
}

// A body that is too large is refused while it is still coming, over a real connection.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(h.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	body := `{"name":"` + strings.Repeat("a", 10<<20) + `"}`
	r, err := http.NewRequest("POST", "http://"+listener.Addr().String()+"/v1/customers", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = strings.TrimPrefix(origin, "http://")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+o.token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{response.StatusCode, response.Header, content}
	if a.status != http.StatusRequestEntityTooLarge || a.problem(t).Code != "request.too_large" {
		t.Fatalf("%d %.200s", a.status, a.body)
	}
	var customers struct{ Items []any }
	if o.program.call(t, "GET", "/v1/customers", nil).decode(t, &customers); len(customers.Items) != 0 {
		t.Error("something was kept of it")
	}
}
