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
		want      Masks
	}{
		{"email", fromProduct, MaskContact}, {"customer.email", fromProduct, MaskContact}, {"owner_email", fromProduct, MaskContact},
		{"customer.street", fromProduct, MaskAddresses}, {"tax_number", "SELECT tax_number FROM settings", MaskBank}, {"billed_to", fromProduct, MaskAll},
		{"name", fromParty, MaskNames}, {"name", "SELECT name\n FROM\n member m", MaskNames}, {"name", fromProduct, 0},
		{"customer.name", fromProduct, MaskNames}, {"customer_name", fromProduct, MaskNames}, {"posted_by_name", fromProduct, MaskNames}, {"something_new_name", fromProduct, MaskNames},
		{"account_name", fromParty, 0}, {"base_currency_name", fromParty, 0}, {"number", fromParty, 0}, {"id", fromParty, 0},
		{"total", fromParty, 0}, {"country", fromParty, 0}, {"network", "SELECT network FROM audit_log", MaskTraces},
		{"before", "SELECT before FROM audit_private", MaskAll}, {"before", "SELECT before FROM audit_log", 0},
		{"memo", "SELECT memo FROM journal_line", MaskNotes}, {"invoice.note", fromProduct, MaskNotes}, {"account_number", fromParty, MaskBank}, {"account_holder", fromParty, MaskBank},
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
		if got := maskValue(in, MaskAll); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
		if got, ok := maskValue([]byte(in), MaskAll).([]byte); !ok || string(got) != want {
			t.Errorf("%q as bytes becomes %q", in, got)
		}
	}
	object := string(maskValue([]byte(`{"name":"Hugh O’Reilly","company":"Apple","street":"Main 5","country":"IE","more":{"a":"Hugh"}}`), MaskAll).([]byte))
	for _, secret := range []string{"Hugh", "Main", "Reilly"} {
		if strings.Contains(object, secret) {
			t.Errorf("the object shows %s: %s", secret, object)
		}
	}
	if !strings.Contains(object, `"country":"IE"`) || maskValue(nil, MaskAll) != nil || maskValue(int64(5), MaskAll) != nil {
		t.Errorf("the object is %s", object)
	}
}

func TestMasksOfAnObject(t *testing.T) {
	t.Parallel()
	const object = `{"name":"Hugh","email":"h@x.example","street":"Main","city":"Cork","nickname":"Hughie","country":"IE"}`
	for masks, want := range map[Masks]string{
		MaskAll:       `{"city":"C•••","country":"IE","email":"•••","name":"H•••","nickname":"H•••","street":"M•••"}`,
		MaskNames:     `{"city":"Cork","country":"IE","email":"h@x.example","name":"H•••","nickname":"H•••","street":"Main"}`,
		MaskAddresses: `{"city":"C•••","country":"IE","email":"h@x.example","name":"Hugh","nickname":"H•••","street":"M•••"}`,
	} {
		if got := string(maskValue([]byte(object), masks).([]byte)); got != want {
			t.Errorf("%v: %s", masks.Words(), got)
		}
	}
}

func TestMaskChanges(t *testing.T) {
	t.Parallel()
	const changes = "name: Tidewater\ntax_number: IE 12\nstreet: Main Street\nemail~ 6f1c\npayment_terms_days: 30\n"
	for masks, want := range map[Masks]string{
		MaskBank:      strings.Replace(changes, "IE 12", masked, 1),
		MaskAddresses: strings.Replace(changes, "Main Street", "M••• S•••", 1),
		MaskNotes:     changes,
	} {
		if got := maskChanges(changes, masks); got != want {
			t.Errorf("%v: %q", masks.Words(), got)
		}
		if got := string(maskChanges([]byte(changes), masks).([]byte)); got != want {
			t.Errorf("%v as bytes: %q", masks.Words(), got)
		}
	}
}

func TestReadMasks(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]Masks{"": MaskAll, "names": MaskNames, "names notes": MaskNames | MaskNotes, "names unheard": MaskAll, "NAMES": MaskAll,
		strings.Join(MaskAll.Words(), " "): MaskAll} {
		if got := ReadMasks(words); got != want {
			t.Errorf("%q: %v", words, got.Words())
		}
	}
	var every Masks
	for _, g := range MaskGroups() {
		every |= g.Mask
	}
	if every != MaskAll {
		t.Errorf("the groups are %v", every.Words())
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
