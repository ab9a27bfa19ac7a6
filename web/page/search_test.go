package page

import (
	"strings"
	"testing"
)

func searchSamples() map[string]any {
	return map[string]any{
		"search": Search{Shell: sampleShell("Search", ""), Words: "hugh", Find: Find{URL: "/o/tidewater/search", Search: "hugh", Label: "Number or name"},
			Groups: []SearchGroup{{Label: "Customers", Icon: "contact", All: "/o/tidewater/customers?q=hugh", Hits: []SearchHit{{URL: "/x", Title: "Hugh <b>", Say: "hugh@apple.ie"}}},
				{Label: "Invoices", Icon: "file-text", Hits: []SearchHit{{URL: "/y", Title: "INV-1", Say: "Hugh · PO-7", State: "void", Date: today, Amount: euros(124050)}}}},
			Ways: []NavEntry{{Label: "Tax report", Icon: "percent", URL: "/z"}}},
		"notices": Notices{Shell: sampleShell("Notices", ""), Unread: 1, Read: sampleAct(), Items: []NoticeRow{
			{URL: "/o/tidewater/orders/1", Icon: "inbox", Say: "Order ORD-0001 over €5.00 waits for you.", At: now, New: true}, {URL: "/y", Icon: "mail", Say: "INV-1 could not be mailed.", At: now}}},
		"keys": Keys{Gate: Gate{Title: "Keys", Person: mara}, Flash: Flash{Say: "The keys are off."}, Keys: KeyList(), Act: sampleAct()},
	}
}

func TestWaysAreThoseThatTheReaderMayGo(t *testing.T) {
	t.Parallel()
	all := sampleShell("", "")
	if got := all.Ways("  TAX "); len(got) != 2 || got[0].Label != "Taxes" || got[1].URL != "/o/tidewater/reports/taxes" {
		t.Errorf("tax leads to %+v", got)
	}
	all.May = func(right string) bool { return right == "taxes:read" }
	if got := all.Ways("tax"); len(got) != 1 || got[0].Label != "Taxes" {
		t.Errorf("who may see taxes alone is led to %+v", got)
	}
	if got := all.Ways(" "); got != nil {
		t.Errorf("nothing leads to %+v", got)
	}
}

// A letter that led to two entries would lead to one of them by chance.
func TestEachLetterLeadsToOneEntry(t *testing.T) {
	t.Parallel()
	known, letters := map[string]bool{}, map[string]bool{}
	for _, section := range navigation {
		for _, item := range section.entries {
			known[item.key] = true
		}
	}
	for key, letter := range goKeys {
		if !known[key] || letters[letter] || len(letter) != 1 || strings.ToLower(letter) != letter {
			t.Errorf("%s by %q", key, letter)
		}
		letters[letter] = true
	}
}

// What a page asks by itself comes back in parts that stand in the page already.
func TestFreshPartsHaveTheirPlaces(t *testing.T) {
	t.Parallel()
	whole := drawn(t, set, "notices", searchSamples()["notices"])
	var b strings.Builder
	err := RenderPart(&b, "", "notices", "fresh", Fresh{Bell: Bell{URL: "/o/tidewater/notices", Unread: 12}, URL: "/o/tidewater/fresh?visits=1", Going: "1 export, 40 %", GoURL: "/x", Moved: true,
		Visits: []VisitBanner{{Who: "Nadia Brandt", May: "read invoices", Until: now.Add(oneDay), Now: now, Whole: oneDay}}})
	if err != nil {
		t.Fatal(err)
	}
	part := b.String()
	for _, id := range []string{"fresh", "bell", "going", "visits"} {
		if place := `id="` + id + `"`; strings.Count(whole, place) != 1 || strings.Count(part, place) != 1 {
			t.Errorf("%s stands %d times on the page and %d times in what it asks for", id, strings.Count(whole, place), strings.Count(part, place))
		}
	}
	for _, want := range []string{"Notices, 12 not read", ">9+<", "Nadia Brandt", `hx-trigger="every 45s"`, "1 export, 40 %"} {
		if !strings.Contains(part, want) {
			t.Errorf("it lacks %q: %s", want, part)
		}
	}
	if !strings.Contains(whole, `hx-trigger="load"`) || VisitsKey(nil) == VisitsKey([]VisitBanner{{Who: "Nadia Brandt"}}) {
		t.Error("the page does not ask, or cannot tell visits apart")
	}
}
