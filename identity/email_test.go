package identity

import (
	"errors"
	"strings"
	"testing"
)

func TestNormalizeEmail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for in, want := range map[string]string{
		"mara@tidewater.example":            "mara@tidewater.example",
		" Mara@Tidewater.EXAMPLE \r\n":      "mara@tidewater.example",
		"mara+books@tidewater.example":      "mara+books@tidewater.example",
		"mara.o'neil@tidewater.example":     "mara.o'neil@tidewater.example",
		"mara@bücher.example":               "mara@xn--bcher-kva.example",
		"mara@xn--bcher-kva.example":        "mara@xn--bcher-kva.example",
		"mara@BÜCHER.example":               "mara@xn--bcher-kva.example",
		"františek@tidewater.example":       "františek@tidewater.example",
		"frantis\u030cek@tidewater.example": "františek@tidewater.example",
		"用户@tidewater.example":              "用户@tidewater.example",
		long + "@tidewater.example":         long + "@tidewater.example",
		"mara@tidewater。example":            "mara@tidewater.example",
	} {
		got, err := NormalizeEmail(in)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "@", "mara", "mara@", "@tidewater.example", "mara@localhost", "mara@tidewater.example.", "mara@.example",
		"mara@tidewater..example", "mara@tide water.example", "ma ra@tidewater.example", ".mara@tidewater.example",
		"mara.@tidewater.example", "ma..ra@tidewater.example", "mara@@tidewater.example", "a@mara@tidewater.example",
		"Mara <mara@tidewater.example>", "<mara@tidewater.example>", `"mara"@tidewater.example`, `"a b"@tidewater.example`,
		"mara(comment)@tidewater.example", "mara@[127.0.0.1]", "mara@[IPv6:::1]", "mara@tidewater.example,other@tidewater.example",
		"mara@tidewater.example\nBcc: x@tidewater.example", "mara\x00@tidewater.example", "mara\u200b@tidewater.example",
		"mara\u202e@tidewater.example", "mara@tide\u202ewater.example", "mara\xff@tidewater.example", "mara@-tidewater.example",
		"mara@tide_water.example", "mara@tidewater.example:25", long + "a@tidewater.example",
		"mara@" + strings.Repeat("a.", 124) + "example", "mara@" + long + ".example", strings.Repeat(" ", 2000) + "mara@tidewater.example",
	} {
		if got, err := NormalizeEmail(in); !errors.Is(err, ErrEmail) {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, s := range []string{"Mara@Tidewater.example", "františek@bücher.example", `"a b"@c.example`, "a@b.example\r\nBcc: x", "İ@b.example", "a@xn--.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := NormalizeEmail(s)
		if err != nil {
			if !errors.Is(err, ErrEmail) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if again, err := NormalizeEmail(got); err != nil || again != got {
			t.Errorf("%q became %q, and that %q, %v", s, got, again, err)
		}
		if len(got) > 254 || strings.ContainsAny(got, " \t\r\n\x00<>,;\"()") || strings.Count(got, "@") != 1 {
			t.Errorf("%q became %q", s, got)
		}
	})
}
