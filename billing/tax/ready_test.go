package tax_test

import (
	"testing"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/billing/tax"
	"github.com/countinghouse/countinghouse/internal/civil"
)

// Prices with tax, worked by hand: the tax is price × percent / (100 + percent), and what is left is the net.
func TestReadyTaxesInPrices(t *testing.T) {
	t.Parallel()
	items := map[string]tax.Ready{}
	for _, list := range tax.ReadyLists() {
		for _, item := range list.Items {
			if _, twice := items[item.Key]; twice {
				t.Errorf("%s stands twice", item.Key)
			}
			items[item.Key] = item
		}
	}
	if len(items) != 27+2+13 {
		t.Errorf("%d entries: 27 member states with 2 more, and 13 provinces and territories", len(items))
	}
	for key, c := range map[string]struct {
		price, net string
		taxes      []string
	}{
		"eu-de":      {"19.99", "16.80", []string{"3.19"}},          // 379.81 / 119 = 3.19168
		"eu-fi":      {"299.00", "238.25", []string{"60.75"}},       // 7624.5 / 125.5 = 60.7530
		"eu-lu":      {"0.99", "0.85", []string{"0.14"}},            // 16.83 / 117 = 0.14385
		"eu-hu":      {"1000.00", "787.40", []string{"212.60"}},     // 27000 / 127 = 212.598
		"eu-fr":      {"10.00", "8.33", []string{"1.67"}},           // 200 / 120 = 1.66667
		"eu-reverse": {"10.00", "10.00", []string{"0.00"}},          //
		"ca-on":      {"20.00", "17.70", []string{"2.30"}},          // 260 / 113 = 2.30088
		"ca-qc":      {"100.00", "86.97", []string{"4.35", "8.68"}}, // 500 / 114.975 = 4.34877; 997.5 / 114.975 = 8.67580
		"ca-bc":      {"99.95", "89.24", []string{"4.46", "6.25"}},  // 499.75 / 112 = 4.46205; 699.65 / 112 = 6.24688
		"ca-ns":      {"57.50", "50.44", []string{"7.06"}},          // 805 / 114 = 7.06140
		"ca-yt":      {"1.00", "0.95", []string{"0.05"}},            // 5 / 105 = 0.04762
	} {
		terms := tax.Terms{Currency: money.MustCurrency("EUR"), Inclusive: true}
		var rates []tax.Rate
		for _, r := range items[key].Rates() {
			r.Percent = r.PercentOn(civil.On(2026, 1, 5))
			rates = append(rates, r.Rate)
		}
		result, err := tax.Calculate(terms, []tax.Line{line("1", c.price, "0", rates...)})
		if err != nil {
			t.Fatal(err)
		}
		if result.Total.String() != c.price || result.Net.String() != c.net || len(result.Rates) != len(c.taxes) {
			t.Errorf("%s: net %s, total %s, %d taxes, want %+v", key, result.Net, result.Total, len(result.Rates), c)
			continue
		}
		for i, want := range c.taxes {
			if got := result.Rates[i].Amount.String(); got != want {
				t.Errorf("%s: tax %d is %s, want %s", key, i+1, got, want)
			}
		}
	}
}
