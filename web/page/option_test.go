package page

import (
	"testing"
	"time"
	_ "time/tzdata" // so that the machine's own list, or its lack of one, does not decide

	"github.com/countinghouse/countinghouse/billing/money"
)

func TestChoices(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, zone := range Zones() {
		if _, err := time.LoadLocation(zone.Value); err != nil || zone.Label == "" || known[zone.Value] {
			t.Errorf("zone %+v: %v", zone, err)
		}
		known[zone.Value] = true
	}
	codes, proposing := map[string]bool{}, 0
	for _, country := range Countries() {
		if len(country.Value) != 2 || country.Label == "" || codes[country.Value] {
			t.Errorf("%+v is no country of its own", country)
		}
		codes[country.Value] = true
		if country.Currency == "" && country.Zone == "" {
			continue // nobody lives there
		}
		proposing++
		if _, err := money.ParseCurrency(country.Currency); err != nil {
			t.Errorf("%s proposes the currency %q: %v", country.Label, country.Currency, err)
		}
		if !known[country.Zone] {
			t.Errorf("%s proposes the time zone %q, which cannot be chosen", country.Label, country.Zone)
		}
	}
	if proposing < 240 || len(Currencies()) < 150 {
		t.Errorf("%d countries with proposals and %d currencies to choose from", proposing, len(Currencies()))
	}
}
