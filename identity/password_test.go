package identity

import (
	"errors"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/fault"
)

func TestValidatePassword(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]error{
		strong:               nil,
		"kůň žluťoučký úpěl": nil,
		"Übergrößenträgerin": nil,
		"七个很大的苹果树在我家后院里": nil,
		"x9#Lm2@qRt7!":                         nil,
		strings.Repeat("x9#Lm2@q", 7) + strong: nil,
		"":                                     ErrPasswordShort,
		"x9#Lm2@qRt7":                          ErrPasswordShort,
		"七个很大的苹果树在我":                           ErrPasswordShort, // ten characters, thirty bytes
		strong + strings.Repeat("x", 128):      ErrPasswordLong,
		strings.Repeat("x", 5_000_000):         ErrPasswordLong,
		"nine wet\x00otters dance":             ErrPasswordCharacters,
		"nine wet\notters dance":               ErrPasswordCharacters,
		"nine wet otters \xff dance":           ErrPasswordCharacters,
		"mara@tidewater.example":               ErrPasswordPersonal,
		"xMARA@TIDEWATER.exampleq81":           ErrPasswordPersonal,
		"Mara Lindqvist":                       ErrPasswordPersonal,
		"nine wet mara lindqvist otters":       ErrPasswordPersonal,
		"password1234":                         ErrPasswordGuessable,
		"Password123!":                         ErrPasswordGuessable,
		"qwertyuiop12":                         ErrPasswordGuessable,
		"000000000000":                         ErrPasswordGuessable,
		"123456789012":                         ErrPasswordGuessable,
		"letmeinplease":                        ErrPasswordGuessable,
		"Summer2025!!":                         ErrPasswordGuessable,
		"x7x7x7x7x7x7x7":                       ErrPasswordGuessable,
		strings.Repeat("p@ssw0rd", 16):         ErrPasswordGuessable,
	} {
		err := ValidatePassword(password, "mara@tidewater.example", "Mara Lindqvist")
		if !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%.40q: got %v, want %v", password, err, want)
		}
	}
	t.Run("leaves a short name alone", func(t *testing.T) {
		t.Parallel()
		if err := ValidatePassword("nine wet alpacas dance", "al@tidewater.example", "Al"); err != nil {
			t.Error(err)
		}
	})
	t.Run("says every rule that is broken, and none twice", func(t *testing.T) {
		t.Parallel()
		var all fault.List
		if err := ValidatePassword("Mara\x01", "x@tidewater.example", "Mara"); !errors.As(err, &all) || len(all) != 3 {
			t.Fatalf("got %v", err)
		}
		for _, f := range all {
			if f.Field != "password" {
				t.Errorf("%s points at %q", f.Code, f.Field)
			}
		}
	})
}

func FuzzValidatePassword(f *testing.F) {
	f.Add(strong, "mara@tidewater.example", "Mara")
	f.Add("4@3!14@3!14@3!1", "", "")
	f.Add("19900101 \xff\x00", "@", " ")
	f.Fuzz(func(t *testing.T, password, email, name string) {
		err := ValidatePassword(password, email, name)
		if plain, ok := normalizePassword(password); err == nil && (!ok || len([]rune(plain)) < 12 || len([]rune(plain)) > 128) {
			t.Errorf("%q was taken", password)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", password, err)
		}
	})
}
