package page

import (
	"slices"
	"strings"
	"testing"
)

// Under its headings stands each of the settings once, and only those that the reader may see.
func TestSettingsStandUnderTheirHeadings(t *testing.T) {
	t.Parallel()
	shell := Shell{Nav: "tokens", Organization: Organization{Slug: "acme"}, May: func(string) bool { return true }}
	var shown []string
	for _, part := range shell.SettingsParts() {
		if part.Title == "" {
			t.Error("a part has no heading")
		}
		for _, entry := range part.Entries {
			shown = append(shown, entry.URL)
			if entry.Current != strings.HasSuffix(entry.URL, "/tokens") {
				t.Errorf("%s is current: %v", entry.URL, entry.Current)
			}
		}
	}
	var all []string
	for _, tab := range shell.SettingsTabs().Tabs {
		all = append(all, tab.URL)
	}
	slices.Sort(shown)
	slices.Sort(all)
	if !slices.Equal(shown, all) {
		t.Errorf("under headings stand %v, of %v", shown, all)
	}

	shell.May = func(right string) bool { return right == "tokens:read" }
	if parts := shell.SettingsParts(); len(parts) != 1 || len(parts[0].Entries) != 1 {
		t.Errorf("who may see tokens alone is shown %v", parts)
	}
}

func TestEachOfTheSettingsIsNamedOnce(t *testing.T) {
	t.Parallel()
	known := map[string]int{}
	for _, item := range settings {
		known[item.key] = 0
	}
	for _, part := range settingsParts {
		for _, key := range part.keys {
			if n, ok := known[key]; !ok || n > 0 {
				t.Errorf("%s is named twice, or leads nowhere", key)
			}
			known[key]++
		}
	}
}
