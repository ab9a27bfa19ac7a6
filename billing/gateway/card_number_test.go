package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/money"
)

func TestParseCardNumber(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"4242 4242 4242 4242": "visa", "4222222222222": "visa", "5555-5555-5555-4444": "mastercard", "2223003122003222": "mastercard",
		"2720999999999996": "mastercard", "3782 822463 10005": "amex", "341111111111111": "amex", "6011111111111117": "discover",
		"6440000000000005": "discover", "6500000000000002": "discover", "36227206271667": "diners", "3056930009020004": "diners",
		"3566002020360505": "jcb", "3528000000000007": "jcb", "6205500000000000004": "unionpay", "6200000000000005": "unionpay", "8100000000000000": "",
	} {
		digits, brand, err := gateway.ParseCardNumber(number)
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken as %s", number, brand)
			}
			continue
		}
		if err != nil || brand != want || digits != strings.NewReplacer(" ", "", "-", "").Replace(number) {
			t.Errorf("%s is %q of %q, %v; want %s", number, digits, brand, err, want)
		}
	}
	for number, want := range map[string]error{
		"": gateway.ErrCardNumber, "4242424242424241": gateway.ErrCardNumber, "42424242424242": gateway.ErrCardNumber, // 14 digits
		"4242x42424242424": gateway.ErrCardNumber, "４２４２４２４２４２４２４２４２": gateway.ErrCardNumber, strings.Repeat("0", 40): gateway.ErrCardNumber,
		"37828224631000": gateway.ErrCardNumber, "9999999999999995": gateway.ErrCardBrand, "0000000000000000": gateway.ErrCardBrand, "2221000000000008": gateway.ErrCardNumber,
	} {
		if digits, _, err := gateway.ParseCardNumber(number); !errors.Is(err, want) || digits != "" {
			t.Errorf("%q: %q, %v", number, digits, err)
		}
	}
}

// Luhn finds every single wrong digit, and neighbours in the wrong order but for 09 and 90 (ISO/IEC 7812-1, annex B).
func TestCardNumberFindsSlips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		good := []byte("4111111145551142")
		slip := append([]byte(nil), good...)
		at := rapid.IntRange(1, len(good)-2).Draw(t, "at")
		if rapid.Bool().Draw(t, "swapped") {
			slip[at], slip[at+1] = slip[at+1], slip[at]
		} else {
			slip[at] = '0' + byte(rapid.IntRange(0, 9).Draw(t, "digit"))
		}
		if _, _, err := gateway.ParseCardNumber(string(slip)); (err == nil) != bytes.Equal(slip, good) {
			t.Errorf("%s: %v", slip, err)
		}
	})
}

func TestParseExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 6, 0, 0, 0, time.UTC) // still November where it is earliest
	for in, want := range map[string]string{"04/31": "2031-04", "4/31": "2031-04", " 04 / 2031 ": "2031-04", "2031-04": "2031-04", "11/26": "2026-11", "12/26": "2026-12"} {
		if got, err := gateway.ParseExpiry(in, now); err != nil || got != want {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]error{"10/26": gateway.ErrCardExpired, "11/25": gateway.ErrCardExpired, "": gateway.ErrCardExpires, "13/31": gateway.ErrCardExpires,
		"00/31": gateway.ErrCardExpires, "0431": gateway.ErrCardExpires, "04/3": gateway.ErrCardExpires, "04/31/": gateway.ErrCardExpires, "04/99": gateway.ErrCardExpires, "-/31": gateway.ErrCardExpires} {
		if got, err := gateway.ParseExpiry(in, now); !errors.Is(err, want) {
			t.Errorf("%q is %q, %v; want %v", in, got, err, want)
		}
	}
	if _, err := gateway.ParseExpiry("11/26", now.Add(7*time.Hour)); !errors.Is(err, gateway.ErrCardExpired) {
		t.Errorf("when November is over everywhere: %v", err)
	}
}

func TestParseCVV(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		brand, in string
		ok        bool
	}{{"visa", "123", true}, {"visa", "", true}, {"visa", " 000 ", true}, {"visa", "1234", false}, {"amex", "1234", true}, {"amex", "123", false}, {"visa", "12a", false}} {
		got, err := gateway.ParseCVV(c.brand, c.in)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, gateway.ErrCVV) || c.ok && got.Digits() != strings.TrimSpace(c.in) {
			t.Errorf("%s %q: %v", c.brand, c.in, err)
		}
	}
}

// Whatever holds a card does not show it when it is printed, logged or written as JSON by mistake.
func TestCardsDoNotShow(t *testing.T) {
	t.Parallel()
	const number, code = "378282246310005", "9047"
	cvv, err := gateway.ParseCVV("amex", code)
	if err != nil {
		t.Fatal(err)
	}
	order := gateway.ChargeOrder{Key: "k", Amount: money.Amount{Minor: 100, Currency: money.MustCurrency("EUR")}, Card: gateway.Card{Number: gateway.NewCardNumber(number, "2031-04")}, CVV: cvv}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, held := range []any{order, &order, order.Card, order.Card.Number, order.CVV, []any{order}, fmt.Errorf("ordering %+v", order)} {
			fmt.Fprintf(&out, verb+"\n", held)
		}
	}
	timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { // its digits could be those of the code
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, timeless), slog.NewJSONHandler(&out, timeless)} {
		slog.New(handler).Info("ordering", "order", order, "number", order.Card.Number, "cvv", order.CVV)
	}
	if written, err := json.Marshal(order); err == nil {
		t.Errorf("written as %s", written)
	}
	for _, shown := range []string{"378282", code, fmt.Sprintf("%x", number), fmt.Sprintf("%x", code)} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("%s is in %s", shown, out.String())
		}
	}
}
