package tenant

import (
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPersonal(t *testing.T) {
	t.Parallel()
	const fromParty, fromProduct = "SELECT x FROM party p", "SELECT x FROM product"
	for _, c := range []struct {
		column, q string
		want      bool
	}{
		{"email", fromProduct, true}, {"customer.email", fromProduct, true}, {"owner_email", fromProduct, true},
		{"customer.street", fromProduct, true}, {"tax_number", "SELECT tax_number FROM settings", true}, {"billed_to", fromProduct, true},
		{"name", fromParty, true}, {"name", "SELECT name\n FROM\n member m", true}, {"name", fromProduct, false},
		{"customer.name", fromProduct, true}, {"customer_name", fromProduct, true}, {"posted_by_name", fromProduct, true}, {"something_new_name", fromProduct, true},
		{"account_name", fromParty, false}, {"base_currency_name", fromParty, false}, {"number", fromParty, false}, {"id", fromParty, false},
		{"total", fromParty, false}, {"country", fromParty, false}, {"network", "SELECT network FROM audit_log", true},
		{"before", "SELECT before FROM audit_private", true}, {"before", "SELECT before FROM audit_log", false},
	} {
		if got := personal(c.column, c.q); got != c.want {
			t.Errorf("%s in %q: %v", c.column, c.q, got)
		}
	}
}

func TestMaskValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "Hugh O’Reilly": "H••• O•••", "hugh@apple.example": masked, "+353 1 5550": masked, "Main Street 5": masked, "李 小龙": "李••• 小•••", "  ": "  ",
	} {
		if got := maskValue(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
		if got, ok := maskValue([]byte(in)).([]byte); !ok || string(got) != want {
			t.Errorf("%q as bytes becomes %q", in, got)
		}
	}
	object := string(maskValue([]byte(`{"name":"Hugh O’Reilly","company":"Apple","street":"Main 5","country":"IE","more":{"a":"Hugh"}}`)).([]byte))
	for _, secret := range []string{"Hugh", "Main", "Reilly"} {
		if strings.Contains(object, secret) {
			t.Errorf("the object shows %s: %s", secret, object)
		}
	}
	if !strings.Contains(object, `"country":"IE"`) || maskValue(nil) != nil || maskValue(int64(5)) != nil {
		t.Errorf("the object is %s", object)
	}
}

func TestCheckUnmasked(t *testing.T) {
	t.Parallel()
	if err := checkUnmasked([]driver.NamedValue{{Value: int64(1)}, {Value: "fine • here"}, {Value: nil}}); err != nil {
		t.Error(err)
	}
	for _, v := range []driver.Value{"A•••", []byte("x •••"), `{"name":"A•••"}`} {
		if err := checkUnmasked([]driver.NamedValue{{Value: v}}); !errors.Is(err, ErrMasked) {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func FuzzMaskText(f *testing.F) {
	f.Add("Hugh O’Reilly")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		for _, word := range strings.Fields(s) {
			if utf8.RuneCountInString(word) > 4 && strings.Contains(maskText(s), word) && !strings.Contains(word, "•") {
				t.Errorf("%q shows %q", s, word)
			}
		}
	})
}
