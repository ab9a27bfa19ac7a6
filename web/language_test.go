package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPortalSpeaksFrench comes as a browser that asks for French, and as a customer whose language is French.
func TestPortalSpeaksFrench(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	for asked, want := range map[string]string{
		"fr-CA,fr;q=0.9,en;q=0.8": "fr", "fr": "fr", "de;q=1, fr;q=0.3": "fr",
		"": "en", "en-GB, fr;q=0.5": "en", "de": "en", "*": "en", ";;": "en", strings.Repeat("fr,", 300): "en",
	} {
		r := httptest.NewRequest("GET", "/sign-in", nil)
		r.Header.Set("Accept-Language", asked)
		says := map[string]string{"en": "Forgot your password?", "fr": "Mot de passe oublié"}[want]
		if a := h.at(o.slug).do(t, r); a.status != http.StatusOK || !strings.Contains(string(a.body), `<html lang="`+want+`">`) || !strings.Contains(string(a.body), says) {
			t.Errorf("asked for %.40q: %d %s", asked, a.status, a.body)
		}
	}
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Garonne Conseil", "email": "livres@garonne.example", "language": "fr", "country": "FR"})
	inès := o.buyerOf(t, customer, allRights()...)
	for path, says := range map[string]string{"/": "Rien n’est dû.", "/invoices": "Aucune facture pour l’instant", "/people": "Inviter quelqu’un", "/company": "Allemagne"} {
		if a := inès.get(t, path); a.status != http.StatusOK || !strings.Contains(string(a.body), says) {
			t.Errorf("%s does not say %q: %d %s", path, says, a.status, a.body)
		}
	}
	// What was chosen at a browser goes before what it asks for, and ends nowhere else than here.
	reader := o.browser
	if a := reader.get(t, "/o/"+o.slug+"/invoices"); !strings.Contains(string(a.body), "No invoices yet") {
		t.Errorf("before any choice: %d %s", a.status, a.body)
	}
	choose := httptest.NewRequest("POST", "/language", strings.NewReader("language=fr"))
	choose.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	choose.Header.Set("Referer", "https://evil.example/o/"+o.slug+"/invoices?q=x")
	if a := reader.do(t, choose); a.status != http.StatusSeeOther || a.header.Get("Location") != "/o/"+o.slug+"/invoices?q=x" {
		t.Errorf("choosing French: %d %s", a.status, a.header)
	}
	if a := reader.get(t, "/o/"+o.slug+"/invoices"); !strings.Contains(string(a.body), `<html lang="fr">`) || !strings.Contains(string(a.body), "<h2>Encaissements</h2>") {
		t.Errorf("after it: %d %s", a.status, a.body)
	}
	if a := reader.post(t, "/language", "language", "xx"); a.status < 400 {
		t.Errorf("a language that we do not speak: %d", a.status)
	}
	if a := inès.post(t, "/people", "email", "nobody", "rights", "pay"); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "Un point à corriger.") {
		t.Errorf("a refused form: %d %s", a.status, a.body)
	}
	r := httptest.NewRequest("GET", "/quotes/none", nil)
	r.Header.Set("Accept-Language", "fr")
	if a := inès.do(t, r); a.status != http.StatusNotFound || !strings.Contains(string(a.body), "Aller au début") {
		t.Errorf("what is not there: %d %s", a.status, a.body)
	}
}
