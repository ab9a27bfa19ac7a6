package browser

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	demoEmail    = "jane@chinook.example"
	demoPassword = "records spin under a quiet lamp"
	longName     = "Kapodistrias-Konstantinopoulos & Daughters International Trading Company of the Ionian Islands"
)

// organization is the demo's, with more in it: one of every kind of thing that pages show.
type organization struct {
	*caller
	slug string
	ids  map[string]string // by the part of a path that names the kind
}

func (o organization) in(path string) string { return "/o/" + o.slug + path }

// furnish adds what the demo has none of. Names are long where a person may write a long one.
func furnish(t *testing.T, s service) organization {
	t.Helper()
	o := organization{call(t, s.home), "chinook", map[string]string{}}
	o.signIn(demoEmail, demoPassword)
	made := o.post(o.in("/tokens"), "name", "Walk", "scopes", "*:read", "scopes", "*:write")
	o.token = made.find(t, `<code id="secret">([^<]+)<`)
	o.sell()
	o.buy()
	o.bank()
	o.people()
	o.connect()
	return o
}

func line(description string, more ...any) map[string]any {
	l := map[string]any{"description": description, "quantity": "2", "unit_price": "120.50", "taxes": []string{"NYC"}}
	for i := 0; i < len(more); i += 2 {
		l[more[i].(string)] = more[i+1]
	}
	return l
}

func usd(amount string) map[string]string {
	return map[string]string{"amount": amount, "currency": "USD"}
}

// firstOf gives the id of the first thing of a list.
func (o organization) firstOf(path string) string {
	o.t.Helper()
	var all struct{ Items []struct{ ID string } }
	o.api("GET", path, nil, &all)
	if len(all.Items) == 0 {
		o.t.Fatalf("%s is empty", path)
	}
	return all.Items[0].ID
}

func (o organization) sell() {
	o.t.Helper()
	o.ids["customers"] = o.made("/v1/customers", map[string]any{"name": longName, "email": "accounts.payable.department@kapodistrias-konstantinopoulos.example"})
	o.ids["contacts"] = o.made("/v1/contacts", map[string]any{"customer_id": o.ids["customers"], "email": "ines@apple.example", "name": "Inês Prado",
		"rights": []string{"invoices", "pay", "order", "subscriptions", "methods", "people"}})
	o.made("/v1/contacts", map[string]any{"customer_id": o.ids["customers"], "email": "rui@apple.example", "name": "Rui Prado", "rights": []string{"invoices"}}) // who never joins
	o.ids["products"] = o.made("/v1/products", map[string]any{"name": "Remastered edition of " + longName, "unit_price": "10", "shop": map[string]any{"in_shop": true}})
	o.ids["shop"] = o.ids["products"]
	o.api("PUT", "/v1/portal", map[string]any{"sign_up": true, "shop_open": true}, nil)
	o.ids["orders"] = o.made("/v1/orders", map[string]any{"customer_id": o.ids["customers"], "lines": []any{map[string]any{"product_id": o.ids["products"], "quantity": 1}}})
	o.ids["taxes"] = o.made("/v1/tax-rates", map[string]any{"code": "VAT", "name": "Value added tax of the Ionian Islands", "percent": "20"})
	o.ids["percents"], o.ids["ready"] = "2020-01-01", "ca-qc"
	o.ids["invoices"] = o.made("/v1/invoices", map[string]any{"customer_id": o.ids["customers"], "lines": []any{line("Remastering of " + longName), line("Cutting", "quantity", "1.25")}})
	o.api("POST", "/v1/invoices/"+o.ids["invoices"]+"/issue", nil, nil)
	o.ids["drafts"] = o.made("/v1/invoices", map[string]any{"customer_id": o.ids["customers"], "lines": []any{line("Lacquer")}})
	o.ids["payments"] = o.made("/v1/payments", map[string]any{"invoice_id": o.ids["invoices"], "method": "cash", "amount": usd("20.00")})
	o.ids["credit-notes"] = o.made("/v1/credit-notes", map[string]any{"customer_id": o.ids["customers"], "lines": []any{line("Scratched")}})
	o.press(o.in("/credit-notes/"+o.ids["credit-notes"]), "/issue")
	o.ids["quotes"] = o.made("/v1/quotes", map[string]any{"customer_id": o.ids["customers"], "lines": []any{line("Box set")}})
	quote := o.in("/quotes/" + o.ids["quotes"])
	o.press(quote, "/issue")
	o.ids["quote"] = o.press(quote, "/link").find(o.t, `/quote/([^<"\s]+)`)
	for _, path := range []string{"/v1/quotes", "/v1/credit-notes"} { // drafts
		o.made(path, map[string]any{"customer_id": o.ids["customers"], "lines": []any{line("Test pressing")}})
	}
	o.ids["subscriptions"] = o.made("/v1/subscriptions", map[string]any{"customer_id": o.ids["customers"], "unit": "month", "every": 1, "items": []any{line("Record of the month")}})
}

func (o organization) buy() {
	o.t.Helper()
	o.ids["accounts"] = o.made("/v1/accounts", map[string]any{"code": "6999", "name": "Presents to customers and others whom we value", "kind": "expense"})
	o.ids["payees"] = o.made("/v1/payees", map[string]any{"name": "Pressing plant of " + longName, "expense_account_id": o.ids["accounts"]})
	body := func(more ...any) map[string]any {
		b := map[string]any{"payee_id": o.ids["payees"], "lines": []any{line("Vinyl")}}
		for i := 0; i < len(more); i += 2 {
			b[more[i].(string)] = more[i+1]
		}
		return b
	}
	o.ids["bills"] = o.made("/v1/bills", body("reference", "A-77"))
	o.ids["payee-credits"] = o.made("/v1/payee-credits", body())
	o.ids["recurring-bills"] = o.made("/v1/recurring-bills", body("every", 1, "unit", "month", "issue_date", "2030-01-01"))
	o.api("POST", "/v1/bills/"+o.ids["bills"]+"/enter", nil, nil)
	o.ids["draft bills"] = o.made("/v1/bills", body("reference", "A-78"))
	o.ids["bill-payments"] = o.made("/v1/bill-payments", map[string]any{"payee_id": o.ids["payees"], "method": "cash",
		"bills": []any{map[string]any{"bill_id": o.ids["bills"], "amount": usd("20.00")}}})
}

func (o organization) bank() {
	o.t.Helper()
	var accounts struct{ Items []struct{ ID, Code string } }
	o.api("GET", "/v1/accounts", nil, &accounts)
	byCode := map[string]string{}
	for _, a := range accounts.Items {
		byCode[a.Code] = a.ID
	}
	o.ids["bank"] = o.made("/v1/bank-accounts", map[string]any{"account_id": byCode["1010"], "currency": "USD"})
	at := "/v1/bank-accounts/" + o.ids["bank"]
	for day := 1; day <= 4; day++ {
		o.made(at+"/lines", map[string]any{"date": fmt.Sprintf("2026-01-%02d", day), "memo": strings.Repeat("TRANSFER/2026/0000"+fmt.Sprint(day)+" ", 4), "amount": usd("5.00")})
	}
	o.ids["lines"] = o.firstOf(at + "/lines")
	read := o.upload(o.in("/bank/"+o.ids["bank"]+"/files"), "january.csv", "Date,Memo,Amount\n2026-01-05,Interest,1.25\n")
	to := read.header.Get("Location")
	o.ids["files"] = to[strings.LastIndex(to, "/")+1:]
	o.ids["bank-rules"] = o.made("/v1/bank-rules", map[string]any{"words": "coffee", "way": "contains", "account_id": o.ids["accounts"]})
	o.ids["bank-statements"] = o.made(at+"/statements", map[string]any{"ends_on": "2026-01-31", "closing": usd("5.00")})
	o.ids["journal"] = o.made("/v1/journal-entries", map[string]any{"date": "2026-01-02", "description": "Capital paid in", "lines": []any{
		map[string]any{"account_id": byCode["1010"], "debit": usd("5.00")}, map[string]any{"account_id": byCode["3000"], "credit": usd("5.00")}}})
}

func (o organization) people() {
	o.t.Helper()
	o.ids["members"] = o.firstOf("/v1/members")
	o.ids["roles"] = o.made("/v1/roles", map[string]any{"name": "Warehouse and post room", "rights": []string{"invoices:read"}})
	o.ids["invitations"] = o.made("/v1/invitations", map[string]any{"email": "warehouse.and.post.room@chinook-music-international.example", "role": "own:" + o.ids["roles"]})
	o.ids["tokens"] = o.firstOf("/v1/tokens")
}

// connect adds what ties an organization to others: a gateway, a webhook, files, an export, a way to pay.
func (o organization) connect() {
	o.t.Helper()
	key := "practice_walk" + fmt.Sprint(time.Now().UnixNano())
	secret := sha256.Sum256([]byte("practice webhook " + key)) // as the practice gateway makes it
	a := o.post(o.in("/settings/gateways"), "kind", "practice", "name", "Card", "key", key, "webhook_secret", "whsec_"+hex.EncodeToString(secret[:12]))
	to := a.header.Get("Location")
	o.ids["gateways"] = to[strings.LastIndex(to, "/")+1:]
	invoice := o.in("/invoices/" + o.ids["invoices"])
	o.ids["pay"] = o.post(invoice+"/link").find(o.t, `/pay/([^<"\s]+)`)
	call(o.t, o.home).post("/pay/"+o.ids["pay"], "gateway", o.ids["gateways"])
	o.ids["charges"] = o.find(invoice, `/charges/([0-9a-f-]{36})"`)
	o.post(o.in("/customers/"+o.ids["customers"]+"/methods"), "kind", "us_bank", "routing_number", "011000015", "account_number", "12345678")
	o.upload(invoice+"/files", "sleeve-notes.txt", "With thanks to the players.")
	o.post(invoice+"/send", "to", "books@apple.example")
	o.ids["webhooks"] = o.made("/v1/webhooks", map[string]any{"name": "Warehouse", "url": "https://hooks.example.com/a", "events": []string{"*"}})
	texts := o.made("/v1/text-gateways", map[string]any{"kind": "vonage", "name": "Spare", "account": "k1", "key": "12345678", "sender": "Chinook", "sends": "text"})
	o.post(o.in("/settings/text-gateways/" + texts + "/disable")) // codes stay in the outbox
	checked := o.upload(o.in("/settings/imports/files"), "customers.csv", "external_id,name\n901,Apple\n902,"+longName+"\n,\n")
	o.ids["imports"] = checked.find(o.t, `/imports/([0-9a-f-]{36})/take"`)
	o.ids["exports"] = o.made("/v1/exports", map[string]any{"holds": "customers"})
}
