package setting

import (
	"testing"
	"unicode/utf8"
)

// Whatever is sent for a setting, it is refused and changes nothing, or stands as what reads back the same and within
// its bounds.
func FuzzPut(f *testing.F) {
	for _, s := range []string{"", "yes", "no", "YES", "12", "-1", "012", "+12", "1e3", "9223372036854775808", "altcha", "turnstile ", "a\x00b", "\xff", "a\nb", "\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, g := range Groups() {
			for _, n := range g.Names {
				s := Defaults()
				before := n.raw(s)
				if n.put(&s, value) != nil {
					if is := n.raw(s); is != before {
						t.Errorf("%s refuses %q and is %q", n.Name, value, is)
					}
					continue
				}
				kept := n.raw(s)
				if !utf8.ValidString(kept) {
					t.Errorf("%s takes %q", n.Name, value)
				}
				if number, ok := n.value(&s).(*int); ok && (*number < n.Min || *number > n.Max) {
					t.Errorf("%s is %d", n.Name, *number)
				}
				again := Defaults()
				if err := n.put(&again, kept); err != nil || n.raw(again) != kept {
					t.Errorf("%s of %q does not read back: %v", n.Name, kept, err)
				}
			}
		}
	})
}
