package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestImportByPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	at := o.inside("/settings/imports")
	o.browser.get(t, at).holds(t, "Choose a file", "Xero", "QuickBooks")
	send := func(name, content string) answer {
		return o.browser.do(t, uploadOf(t, at+"/files", name, []byte(content)))
	}
	const contacts = "*ContactName,AccountNumber,EmailAddress,POCountry\nRidgeway University,,office@ridgeway.example,Ireland\nBank West,,,\n"
	checked := send("Contacts.csv", contacts)
	if checked.status != http.StatusOK || !strings.Contains(string(checked.body), "A file of Xero") {
		t.Fatalf("%d %s", checked.status, checked.body)
	}
	customers := func() int {
		var all struct{ Items []struct{ Name string } }
		o.program.call(t, "GET", "/v1/customers", nil).decode(t, &all)
		return len(all.Items)
	}
	if n := customers(); n != 0 {
		t.Errorf("looking imported %d customers", n)
	}
	way := regexp.MustCompile(`action="([^"]*/take)"`).FindSubmatch(checked.body)
	if way == nil {
		t.Fatalf("there is no way to import on\n%s", checked.body)
	}
	for range 2 { // pressed twice
		if a := o.browser.post(t, string(way[1]), "idempotency_key", "yes"); a.status != http.StatusSeeOther {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if n := customers(); n != 2 {
		t.Errorf("there are %d customers", n)
	}
	if a := send("Contacts.csv", contacts); !strings.Contains(string(a.body), "nothing to import") {
		t.Errorf("again: %s", a.body)
	}
	if a := send("c.csv", "external_id,name,country\n1,Mara,Nowhere\n"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "Nothing of this file was imported") || !strings.Contains(string(a.body), "<small>country</small>") {
		t.Errorf("a bad row: %d %s", a.status, a.body)
	}
	if a := send("", ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", a.status)
	}
	o.browser.get(t, o.inside("/activity")).holds(t, "imported a file")
}

func TestImportByAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	send := func(query, content string) answer {
		return o.program.call(t, "POST", "/v1/imports/files?name=a.csv"+query, content, "Content-Type", "application/octet-stream", "Idempotency-Key", "k"+query)
	}
	var said struct {
		Taken bool
		Added int
		Shape string
	}
	const journal = "2026-01-02 Rent\n  expenses:rent  5.00 EUR\n  assets:1010 Bank\n"
	a := send("&dry_run=true", journal)
	if a.decode(t, &said); said.Taken || said.Added != 1 || said.Shape != "journal" {
		t.Errorf("tried: %s", a.body)
	}
	a = send("", journal)
	if a.decode(t, &said); !said.Taken || said.Added != 1 {
		t.Errorf("taken: %s", a.body)
	}
	a = send("&dry_run=true", "2026-01-02 Rent\n  expenses:rent  5.00 EUR\n  assets:1010 Bank  1 EUR\n\nfree\n")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "line 5, column 1") {
		t.Errorf("refused: %d %s", a.status, a.body)
	}
	for role, want := range map[string]int{"viewer": http.StatusForbidden, "bookkeeper": http.StatusOK, "sales": http.StatusForbidden} {
		member, _ := h.invitedAs(t, o, role)
		if a := member.browser.do(t, uploadOf(t, member.inside("/settings/imports/files"), "c.csv", []byte("external_id,name\n"+role+",Mara\n"))); a.status != want {
			t.Errorf("%s: %d", role, a.status)
		}
	}
	member, _ := h.invitedAs(t, o, "bookkeeper")
	if a := member.browser.do(t, uploadOf(t, member.inside("/settings/imports/files"), "c.csv", []byte("code,name,kind\n9999,Mara,asset\n"))); a.status != http.StatusForbidden {
		t.Errorf("accounts by a bookkeeper: %d", a.status)
	}
}
