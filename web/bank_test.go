package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/web"
)

// addBank adds a bank account with a line, a rule and a statement.
func (e estate) addBank(t testing.TB) {
	t.Helper()
	p := e.program
	var accounts struct{ Items []struct{ ID, Code string } }
	p.call(t, "GET", "/v1/accounts", nil).decode(t, &accounts)
	for _, a := range accounts.Items {
		if a.Code == "1010" {
			e.ids["bank"] = p.made(t, "/v1/bank-accounts", map[string]any{"account_id": a.ID, "currency": "EUR"})
		}
	}
	e.ids["bank-accounts"] = e.ids["bank"]
	e.ids["bank-lines"] = p.made(t, "/v1/bank-accounts/"+e.ids["bank"]+"/lines", map[string]any{"date": "2026-01-02", "memo": secretName, "amount": map[string]string{"amount": "5.00", "currency": "EUR"}})
	e.ids["bank-rules"] = p.made(t, "/v1/bank-rules", map[string]any{"words": secretName, "way": "contains", "account_id": e.ids["accounts"]})
	e.ids["bank-statements"] = p.made(t, "/v1/bank-accounts/"+e.ids["bank"]+"/statements", map[string]any{"ends_on": "2026-01-31", "closing": map[string]string{"amount": "5.00", "currency": "EUR"}})
}

// validBankBody is a body that would do; nil for what is not of the bank.
func validBankBody(r web.Route, e estate) any {
	amount := map[string]string{"amount": "5.00", "currency": "EUR"}
	switch {
	case r.Path == "/v1/bank-accounts":
		return map[string]any{"account_id": e.ids["bank"], "currency": "EUR"}
	case r.Path == "/v1/bank-accounts/:id":
		return map[string]any{"bank_name": "New"}
	case strings.HasPrefix(r.Path, "/v1/bank-accounts/:id/mapping"):
		return map[string]any{"divider": "comma", "skip": 1, "date": 1, "date_format": "yyyy-mm-dd", "amount": 3}
	case r.Path == "/v1/bank-accounts/:id/lines":
		return map[string]any{"date": "2026-01-02", "amount": amount}
	case r.Path == "/v1/bank-accounts/:id/statements", r.Path == "/v1/bank-statements/:id" && r.Method == "PUT":
		return map[string]any{"ends_on": "2026-01-31", "closing": amount}
	case r.Path == "/v1/bank-lines/:id/match":
		return map[string]any{"account_id": e.ids["accounts"]}
	case r.Path == "/v1/bank-rules", r.Path == "/v1/bank-rules/:id" && r.Method == "PUT":
		return map[string]any{"words": "New", "way": "contains", "account_id": e.ids["accounts"]}
	}
	return nil
}

// Someone imports what their bank says, matches it and reconciles, by the pages alone.
func TestBankPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, _ := o.issued(t)
	var sold struct{ Number string }
	o.call(t, "GET", "/v1/invoices/"+invoice, nil).decode(t, &sold)
	number := sold.Number
	chosen := regexp.MustCompile(`<option value="([0-9a-f-]{36})"[^>]*>1010 `).FindSubmatch(o.get(t, o.path("/bank/new")).body)
	if chosen == nil {
		t.Fatal("the current account cannot be chosen")
	}
	a := o.post(t, o.path("/bank"), "idempotency_key", "bank-1", "account_id", string(chosen[1]), "currency", "EUR", "bank_name", "AIB", "last_four", "56", "opening", "1,5")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "last four letters or digits") && !strings.Contains(string(a.body), "Write the amount in digits") {
		t.Errorf("a wrong form gets %d", a.status)
	}
	a = o.post(t, o.path("/bank"), "idempotency_key", "bank-2", "account_id", string(chosen[1]), "currency", "EUR", "bank_name", "AIB", "opening", "10.00")
	at := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(at, o.path("/bank/")) {
		t.Fatalf("adding it gets %d to %s", a.status, at)
	}
	csv := "Datum;Name;Verwendungszweck;Betrag\n02.11.2026;Halden Optics;" + number + ";100,00\n03.11.2026;AIB;=FEE();-4,50\n"
	a = o.browser.do(t, uploadOf(t, at+"/files", "export.CSV", []byte(csv)))
	preview := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.Contains(preview, "/files/") {
		t.Fatalf("uploading gets %d to %s: %s", a.status, preview, a.body)
	}
	page := string(o.get(t, preview).body)
	if !strings.Contains(page, "2 lines from ") || !strings.Contains(page, ": 2 new, 0 there already") || !strings.Contains(page, "Halden Optics") || !strings.Contains(page, `name="comma" type="checkbox" value="yes" checked`) {
		t.Errorf("the preview says %s", page)
	}
	sent := []string{"divider", "semicolon", "skip", "1", "date", "1", "date_format", "dd.mm.yyyy", "amount", "4", "party", "2", "memo", "3", "comma", "yes"}
	if a = o.post(t, preview, append(sent, "action", "look", "idempotency_key", "look", "amount", "3")...); a.status == http.StatusSeeOther {
		t.Error("looking takes it")
	}
	wrong := append([]string{"action", "import", "idempotency_key", "import-0"}, sent...)
	wrong[13] = "3" // the text for the amount
	if a = o.post(t, preview, wrong...); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "line 2, column 3") {
		t.Errorf("a wrong column gets %d: %s", a.status, a.body)
	}
	if a = o.post(t, preview, append(sent, "action", "import", "idempotency_key", "import-1")...); a.status != http.StatusSeeOther || a.header.Get("Location") != at {
		t.Fatalf("importing gets %d: %s", a.status, a.body)
	}
	if a = o.get(t, preview); a.status != http.StatusNotFound {
		t.Errorf("the file is still there: %d", a.status)
	}
	o.matchAndReconcile(t, at)
}

// More came than is open: one click pays the invoice and keeps the rest as the customer's credit.
func TestTheRestIsKeptInOneClick(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, customer := o.issued(t)
	var sold struct{ Number string }
	o.call(t, "GET", "/v1/invoices/"+invoice, nil).decode(t, &sold)
	account := o.program.made(t, "/v1/bank-accounts", map[string]any{"account_id": o.account(t, "1010"), "currency": "EUR"})
	o.program.made(t, "/v1/bank-accounts/"+account+"/lines", map[string]any{"date": "2026-11-02", "memo": sold.Number, "amount": map[string]string{"amount": "150.00", "currency": "EUR"}})
	form := regexp.MustCompile(`<form method="post" action="([^"]*/bank-lines/[^"]*/match)">((?:<input type="hidden"[^>]*>)*<input type="hidden" name="keep_rest" value="yes">)<button`).FindStringSubmatch(string(o.get(t, o.path("/bank/"+account)).body))
	if form == nil {
		t.Fatal("keeping the rest is not offered")
	}
	var sent []string
	for _, field := range regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form[2], -1) {
		sent = append(sent, field[1], field[2])
	}
	if a := o.post(t, form[1], sent...); a.status != http.StatusSeeOther {
		t.Fatalf("the click gets %d: %s", a.status, a.body)
	}
	var credits struct {
		Items []struct{ Left struct{ Amount string } }
	}
	o.program.call(t, "GET", "/v1/customers/"+customer+"/credits", nil).decode(t, &credits)
	if len(credits.Items) != 1 || credits.Items[0].Left.Amount != "50.00" {
		t.Errorf("the customer's credit is %+v", credits)
	}
	if page := string(o.get(t, o.path("/invoices/"+invoice)).body); !strings.Contains(page, "Paid") {
		t.Error("the invoice is not paid")
	}
}

func (o owner) matchAndReconcile(t *testing.T, at string) {
	t.Helper()
	page := string(o.get(t, at).body)
	offer := regexp.MustCompile(`action="([^"]*/bank-lines/[^"]*/match)"><input type="hidden" name="idempotency_key" value="[^"]*"><input type="hidden" name="version" value="1"><input type="hidden" name="invoice_ids" value="([0-9a-f-]{36})"`).FindStringSubmatch(page)
	if offer == nil || !strings.Contains(page, "Its number stands in the text. The amount is exactly what is open.") {
		t.Fatalf("no invoice is suggested: %s", page)
	}
	if a := o.post(t, offer[1], "idempotency_key", "match-1", "version", "1", "invoice_ids", offer[2]); a.status != http.StatusSeeOther {
		t.Fatalf("matching gets %d: %s", a.status, a.body)
	}
	if a := o.post(t, offer[1], "idempotency_key", "match-2", "version", "1", "invoice_ids", offer[2]); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict || !strings.Contains(string(a.body), "Someone else dealt with this line") {
		t.Errorf("matching it twice gets %d: %s", a.status, a.body)
	}
	begun := o.post(t, at+"/statements", "idempotency_key", "begin-1", "ends_on", "2026-11-03", "closing", "105.50")
	statement := begun.header.Get("Location")
	if a := o.post(t, statement+"/finish", "idempotency_key", "finish-1", "version", "1"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "-4.50 EUR are missing") {
		t.Errorf("finishing with a difference gets %d: %s", a.status, a.body)
	}
	page = string(o.get(t, at).body)
	line := regexp.MustCompile(`action="([^"]*/bank-lines/[^"]*/match)"`).FindStringSubmatch(page)
	fees := regexp.MustCompile(`<option value="([0-9a-f-]{36})">6000 `).FindStringSubmatch(page)
	if a := o.post(t, line[1], "idempotency_key", "book-1", "version", "1", "account_id", fees[1], "description", "Fee"); a.status != http.StatusSeeOther {
		t.Fatalf("booking gets %d: %s", a.status, a.body)
	}
	if a := o.post(t, statement+"/finish", "idempotency_key", "finish-2", "version", "1"); a.status != http.StatusSeeOther {
		t.Fatalf("finishing gets %d: %s", a.status, a.body)
	}
	if page = string(o.get(t, statement).body); !strings.Contains(page, "Reconciled") || !strings.Contains(page, "Its lines are locked") {
		t.Errorf("the statement says %s", page)
	}
	if a := o.post(t, strings.Replace(line[1], "/match", "/undo", 1), "idempotency_key", "undo-1", "version", "3"); !strings.Contains(string(a.body), "Reopen that first") {
		t.Errorf("undoing a locked line gets %d: %s", a.status, a.body)
	}
	if csv := string(o.get(t, at+"/outstanding.csv?date=2026-11-02").body); !strings.Contains(csv, "books,,2026-11-02,,EUR,100.00\n") || !strings.Contains(csv, "bank,,2026-11-02,,EUR,110.00\n") {
		t.Errorf("the file says %s", csv)
	}
}
