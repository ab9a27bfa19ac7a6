package billing_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/countinghouse/countinghouse/billing"
)

func TestParseIBAN(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"IE29 AIBK 9311 5212 3456 78": "IE29AIBK93115212345678", "de89370400440532013000": "DE89370400440532013000",
		" GB82 WEST 1234 5698 7654 32 ": "GB82WEST12345698765432", "MT84MALT011000012345MTLCAST001S": "MT84MALT011000012345MTLCAST001S",
	} {
		if got, err := billing.ParseIBAN(in); err != nil || got != want {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "IE29", "IE29AIBK93115212345679", "IE29AIBK9311521234567", "DE8937040044053201300", "1E29AIBK93115212345678",
		"IE2!AIBK93115212345678", "IE29AIBK9311521234567é", strings.Repeat("A", 1000), "DE00370400440532013000"} {
		if got, err := billing.ParseIBAN(in); !errors.Is(err, billing.ErrIBAN) || got != "" {
			t.Errorf("%q is taken as %q, %v", in, got, err)
		}
	}
}

// The check digits find every single wrong digit and every two neighbours in the wrong order (ISO 7064).
func TestIBANFindsSlips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		good := []byte("DE89370400440532013000")
		at := rapid.IntRange(4, len(good)-2).Draw(t, "at")
		slip := append([]byte(nil), good...)
		if rapid.Bool().Draw(t, "swapped") {
			slip[at], slip[at+1] = slip[at+1], slip[at]
		} else {
			slip[at] = '0' + byte(rapid.IntRange(0, 9).Draw(t, "digit"))
		}
		if _, err := billing.ParseIBAN(string(slip)); (err == nil) != (string(slip) == string(good)) {
			t.Errorf("%s: %v", slip, err)
		}
	})
}

func TestCheckRouting(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"011000015", "021000021", "122105155"} {
		if !billing.CheckRouting(good) {
			t.Errorf("%s is refused", good)
		}
		for i := range good {
			for d := byte('0'); d <= '9'; d++ {
				if bad := good[:i] + string(d) + good[i+1:]; bad != good && billing.CheckRouting(bad) {
					t.Errorf("%s is taken", bad)
				}
			}
		}
	}
	for _, bad := range []string{"", "000000000", "01100001", "0110000155", "01100001a"} {
		if billing.CheckRouting(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}
