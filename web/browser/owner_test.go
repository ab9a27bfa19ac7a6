package browser

import "testing"

// What an owner does beside selling, at one organization that has a history.
func TestAnOwnersAfternoons(t *testing.T) {
	s := serve(t, "--demo")
	t.Run("people come and go", func(t *testing.T) { letPeopleIn(t, s) })
	t.Run("support comes in and is shown out", func(t *testing.T) { letSupportIn(t, s) })
	t.Run("everything is taken along", func(t *testing.T) { takeEverything(t, s) })
	t.Run("an invoice without scripts", func(t *testing.T) { sellWithoutScripts(t, s) })
	t.Run("an invoice by keys alone", func(t *testing.T) { sellByKeys(t, s) })
}
