package page

import (
	"math"
	"testing"

	"github.com/countinghouse/countinghouse/billing/money"
)

// english is how pages speak unless told otherwise.
var english speech

func TestAmounts(t *testing.T) {
	t.Parallel()
	in := func(code string, minor int64) money.Amount {
		return money.Amount{Minor: minor, Currency: money.MustCurrency(code)}
	}
	for _, c := range []struct {
		amount                    money.Amount
		money, figure, open, side string
	}{
		{in("EUR", 124000), "1,240.00", `€1,240<span class="cents">.00</span>`, "1,240.00", "1,240.00"},
		{in("EUR", -4000), "−40.00", `−€40<span class="cents">.00</span>`, "−40.00", "−40.00"},
		{in("EUR", 0), "0.00", `€0<span class="cents">.00</span>`, `<span class="faint">–</span>`, ""},
		{in("JPY", 1234567), "1,234,567", "¥1,234,567", "1,234,567", "1,234,567"},
		{in("KWD", 1234), "1.234", "KWD\u00a01<span class=\"cents\">.234</span>", "1.234", "1.234"},
		{in("EUR", math.MinInt64), "−92,233,720,368,547,758.08", `−€92,233,720,368,547,758<span class="cents">.08</span>`, "−92,233,720,368,547,758.08", "−92,233,720,368,547,758.08"},
	} {
		if got := figures(c.amount); got != c.money {
			t.Errorf("money %v = %q, want %q", c.amount, got, c.money)
		}
		if got := string(english.figure(c.amount)); got != c.figure {
			t.Errorf("figure %v = %q, want %q", c.amount, got, c.figure)
		}
		if got := string(english.open(c.amount)); got != c.open {
			t.Errorf("open %v = %q, want %q", c.amount, got, c.open)
		}
		if got := english.side(c.amount); got != c.side {
			t.Errorf("side %v = %q, want %q", c.amount, got, c.side)
		}
	}
}

func TestQuantity(t *testing.T) {
	t.Parallel()
	for given, want := range map[any]string{
		"2.500": "2.5", "3.000": "3", "100": "100", "1240.50": "1,240.5", "-0.250": "−0.25", "0.000": "0", "-0.0": "0",
		"9.975": "9.975", 2240: "2,240", "12345678.00000001": "12,345,678.00000001",
	} {
		if got := quantity(given); got != want {
			t.Errorf("quantity(%v) = %q, want %q", given, got, want)
		}
	}
	if one, many := plural(1, "invoice", "invoices"), plural(2240, "invoice", "invoices"); one != "1 invoice" || many != "2,240 invoices" {
		t.Errorf("plural: %q, %q", one, many)
	}
}
