package page

import (
	"bytes"
	"errors"
	"html"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/locale"
	"github.com/countinghouse/countinghouse/web/templates"
	"github.com/countinghouse/countinghouse/web/words"
)

func TestFrenchIsComplete(t *testing.T) {
	t.Parallel()
	lost := map[string]bool{}
	_, err := parseIn(templates.Files, speechOf(locale.French), func(file, key string) {
		if !lost[key] {
			lost[key] = true
			t.Errorf("%s: no French for %q", file, key)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPagesInFrench(t *testing.T) {
	t.Parallel()
	french, err := parseIn(templates.Files, speechOf(locale.French), nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs := []string{"Inês", "Studio", "Archive", "It leaves the lists.", "Archive it", "Five orders within an hour", "Another country <b>", "We send you a link."} // what people wrote, and samples of other tests
	for name, data := range portalSamples() {
		if !strings.HasPrefix(name, "portal-") {
			continue
		}
		french[name].Funcs(map[string]any{"words": func(english string) string {
			said, known := words.In(locale.French).Say(english)
			if !known && !slices.Contains(theirs, english) {
				t.Errorf("%s: no French for %q", name, english)
			}
			return said
		}})
		if drawing := drawn(t, french, name, data); !strings.Contains(drawing, `<html lang="`) || strings.Contains(drawing, "Skip to content") {
			t.Errorf("%s is not in French: %s", name, drawing)
		}
	}
}

// TestReaderOfFrench is what a customer whose language is French sees of an invoice, as Render draws it for them.
func TestReaderOfFrench(t *testing.T) {
	t.Parallel()
	data := portalSamples()["portal-invoice"].(PortalInvoice)
	var english, french bytes.Buffer
	err := Render(&english, "", "portal-invoice", data)
	data.Language = locale.French
	if err := errors.Join(err, Render(&french, locale.English, "portal-invoice", data)); err != nil {
		t.Fatal(err)
	}
	total := data.Invoice.Open()
	for _, c := range []struct{ drawing, want string }{
		{english.String(), `<html lang="en">`}, {english.String(), "Payable by"}, {english.String(), symboled(total)},
		{french.String(), `<html lang="fr">`}, {french.String(), "À payer avant le"}, {french.String(), speechOf(locale.French).symboled(total)},
		{french.String(), `aria-label="Facture, comme votre client le voit"`}, {french.String(), "reste à payer, échéance le"},
		{french.String(), "<dt>Échéance</dt>"}, {french.String(), data.Invoice.Lines[0].Description},
	} {
		if !strings.Contains(c.drawing, html.EscapeString(c.want)) && !strings.Contains(c.drawing, c.want) {
			t.Errorf("it does not say %q:\n%s", c.want, c.drawing)
		}
	}
	if strings.Contains(french.String(), symboled(total)) {
		t.Errorf("an amount is written the English way: %s", symboled(total))
	}
}

func TestSpeech(t *testing.T) {
	t.Parallel()
	french := speechOf(locale.French)
	nov := time.Date(2026, 11, 9, 16, 41, 0, 0, time.UTC)
	long, err := french.longDate(nov)
	full, also := french.fullDate(nov)
	if err := errors.Join(err, also); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{french.figures(euros(124000)), "1\u202f240,00"},
		{french.symboled(euros(-124000)), "−1\u202f240,00\u00a0€"},
		{french.coded(euros(100)), "1,00\u00a0EUR"},
		{string(french.figure(euros(124050))), `1 240<span class="cents">,50` + "\u00a0€</span>"},
		{french.quantity("1234.500"), "1\u202f234,5"},
		{french.plural(0, "jour", "jours"), "0 jour"}, {french.plural(2, "jour", "jours"), "2 jours"}, {english.plural(0, "day", "days"), "0 days"},
		{string(long), `<time datetime="2026-11-09">9 nov. 2026</time>`},
		{string(full), `<time datetime="2026-11-09">lundi 9 novembre 2026</time>`},
		{string(french.when(nov.Add(time.Hour), nov)), `<time datetime="2026-11-09T16:41:00Z">Aujourd’hui, 16:41</time>`},
		{string(french.when(nov.AddDate(0, 0, 2), nov)), `<time datetime="2026-11-09T16:41:00Z">Lundi, 16:41</time>`},
		{french.say("Invoice INV-0007"), "Facture INV-0007"}, {french.say("3 things to put right."), "3 points à corriger."},
		{french.say("This cannot be empty. This is too long. Shorten it."), "Ce champ ne peut pas être vide. C’est trop long. Raccourcissez."},
		{french.say("invoices, pay"), "factures, payer"}, {french.say("Nothing of ours"), "Nothing of ours"}, {english.say("Paid"), "Paid"},
	} {
		if c.got != c.want {
			t.Errorf("it says %q, want %q", c.got, c.want)
		}
	}
}
