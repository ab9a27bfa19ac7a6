package page

import "slices"

// settingsParts are the headings under which the settings stand, each with the keys of its entries. What is named in
// none stands under the last.
var settingsParts = []struct {
	title string
	keys  []string
}{
	{"General", []string{"settings", "plan"}},
	{"Selling", []string{"branding", "late-fees", "gateways", "portal", "phone-check", "order-review"}},
	{"Security", []string{"security", "security-events", "entries", "support"}},
	{"Data and programs", []string{"exports", "imports", "tokens", "webhooks"}},
}

// SettingsParts are the settings that the reader may see, under headings.
func (s Shell) SettingsParts() []NavSection {
	shown := make([]NavSection, len(settingsParts))
	for i, part := range settingsParts {
		shown[i].Title = part.title
	}
	for _, item := range settings {
		if !s.Can(item.right) {
			continue
		}
		part := len(settingsParts) - 1
		for i := range settingsParts {
			if slices.Contains(settingsParts[i].keys, item.key) {
				part = i
			}
		}
		shown[part].Entries = append(shown[part].Entries, NavEntry{Label: item.label, URL: s.At(item.path...), Current: s.Nav == item.key})
	}
	return slices.DeleteFunc(shown, func(section NavSection) bool { return len(section.Entries) == 0 })
}

// SettingsAt is which of the settings is current; empty where none is.
func (s Shell) SettingsAt() string {
	for _, item := range settings {
		if item.key == s.Nav {
			return item.label
		}
	}
	return ""
}
