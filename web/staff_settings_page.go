package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/web/page"
)

const (
	staffSettingsPath = "/staff/settings"
	settingsShown     = 12 // of the changes that were made
)

// showStaffSettings shows what is in force, or the refused form.
func showStaffSettings(v *staffVisit, status int, refused *page.Form) error {
	now, err := v.server.settings(v.ctx)
	if err != nil {
		return err
	}
	form := orFresh(refused, func() page.Form { return settingsForm(now) })
	data := page.StaffSettings{StaffShell: v.frame("Settings", "settings"), Form: form}
	if v.server.Till != nil {
		data.CardNumbers = v.server.Till.CardNumbers
	}
	for _, g := range setting.Groups() {
		group := page.SettingGroup{ID: strings.ToLower(strings.ReplaceAll(g.Title, " ", "-")) + "-h", Title: g.Title, Say: g.Say}
		for _, n := range g.Names {
			group.Fields = append(group.Fields, page.NewSettingField(form, n, now))
		}
		data.Groups = append(data.Groups, group)
	}
	if v.server.Settings != nil {
		if data.Past, err = v.server.Settings.History(v.ctx, settingsShown); err != nil {
			return err
		}
	}
	return render(v.c, status, "staff-settings", data)
}

func settingsForm(now setting.Settings) page.Form {
	form := page.NewForm("version", strconv.FormatInt(now.Version, 10))
	for _, g := range setting.Groups() {
		for _, n := range g.Names {
			switch value := now.Value(n); n.Kind {
			case setting.Switch:
				form.Values.Set(n.Name, box(value == "yes"))
			case setting.Secret: // never shown
			default:
				form.Values.Set(n.Name, value)
			}
		}
	}
	return form
}

// settingChanges are all settings as the form has them. A secret that is left empty stays as it is.
func settingChanges(sent url.Values) (changes []setting.Change) {
	for _, g := range setting.Groups() {
		for _, n := range g.Names {
			value := strings.TrimSpace(sent.Get(n.Name))
			switch {
			case n.Kind == setting.Secret && value == "":
				continue
			case n.Kind == setting.Switch && value != "yes":
				value = "no"
			}
			changes = append(changes, setting.Change{Name: n.Name, Value: &value})
		}
	}
	return changes
}

// sendStaffSettings takes a fresh proof: whoever found a console open must not let in whom they like.
func sendStaffSettings(v *staffVisit) error {
	if fresh, err := v.proved(); err != nil || !fresh {
		return orProve(v.c, err, staffSettingsPath)
	}
	if v.server.Settings == nil {
		return errNoPage
	}
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(sent.Get("version"), 10, 64)
	if err != nil || version < 0 {
		return errFormVersion
	}
	_, err = v.server.Settings.Set(v.ctx, v.staff.Person.ID, version, settingChanges(sent))
	form := page.FormOf(sent)
	if form.Refused(err) {
		if errors.Is(err, setting.ErrChanged) { // what was sent would undo the other's changes
			now, err := v.server.settings(v.ctx)
			if err != nil {
				return err
			}
			faults := form.Faults
			form = settingsForm(now)
			form.Faults = faults
		}
		return showStaffSettings(v, statusOf(form.Faults[0].Kind), &form)
	} else if err != nil {
		return err
	}
	say(v.c, "Settings saved. They hold everywhere within three seconds.")
	return v.c.Redirect(staffSettingsPath, http.StatusSeeOther)
}
