package place

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/internal/place/placetest"
)

// known is a database that knows 81.0.0.0/8.
func known(record []byte) []byte {
	return placetest.Database(placetest.Network{First: 81, Record: record})
}

func dublin() []byte {
	return placetest.Table("city", placetest.Table("names", placetest.Table("en", "Dublin")), "country", placetest.Table("iso_code", "IE", "names", placetest.Table("en", "Ireland")))
}

func TestOf(t *testing.T) {
	t.Parallel()
	p, err := Open(placetest.Write(t, known(dublin())))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"81.2.69.142": "Dublin, Ireland", "::ffff:81.2.69.142": "Dublin, Ireland", "82.2.69.142": "", "2001:db8::1": "", "": "", "mara": "", "81.2.69.142 ": "",
	} {
		if got := p.Of(address); got != want {
			t.Errorf("%q is in %q, want %q", address, got, want)
		}
	}
	country, err := Open(placetest.Write(t, known(placetest.Table("country", placetest.Table("names", placetest.Table("en", "Ireland"))))))
	if err != nil {
		t.Fatal(err)
	}
	if got := country.Of("81.2.69.142"); got != "Ireland" {
		t.Errorf("without a city: %q", got)
	}
	odd, err := Open(placetest.Write(t, known(placetest.Table("city", placetest.Table("names", placetest.Table("en", "Dub\nlin")), "country", placetest.Table("names", placetest.Number(5, 7))))))
	if err != nil {
		t.Fatal(err)
	}
	if got := odd.Of("81.2.69.142"); got != "" {
		t.Errorf("a name that no place has: %q", got)
	}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	p, err := Open(placetest.Write(t, placetest.Database(
		placetest.Network{First: 81, Record: placetest.City("Dublin", "Ireland", 53.3498, -6.2603, 0)},
		placetest.Network{First: 82, Record: placetest.City("Sydney", "Australia", -33.8688, 151.2093, 0)},
		placetest.Network{First: 83, Record: placetest.City("Cork", "Ireland", 51.8985, -8.4756, 50)},
		placetest.Network{First: 84, Record: placetest.Table("country", placetest.Table("names", placetest.Table("en", "Ireland")))},
		placetest.Network{First: 85, Record: placetest.City("Nowhere", "Nowhere", 91, 0, 0)},
		placetest.Network{First: 86, Record: placetest.City("Suva", "Fiji", -18.1248, 178.4501, 0)},
		placetest.Network{First: 87, Record: placetest.City("Apia", "Samoa", -13.8507, -171.7514, 0)},
		placetest.Network{First: 88, Record: placetest.City("Somewhere", "Ireland", 53, -8, 1000)},
	)))
	if err != nil {
		t.Fatal(err)
	}
	// Distances as the great circle calculators of the NHC and others give them, within the third of a percent by
	// which the Earth is no sphere.
	for _, c := range []struct {
		a, b        string
		least, most int
	}{
		{"81.0.0.1", "81.9.9.9", 0, 0},
		{"81.0.0.1", "82.0.0.1", 17_150, 17_250},
		{"82.0.0.1", "81.0.0.1", 17_150, 17_250},
		{"::ffff:81.0.0.1", "83.0.0.1", 165, 175}, // 219 km, less the 50 within which Cork may lie
		{"86.0.0.1", "87.0.0.1", 1_130, 1_160},    // across the date line
		{"81.0.0.1", "88.0.0.1", 0, 0},            // it may be the same place
	} {
		if got, ok := p.Between(c.a, c.b); !ok || got < c.least || got > c.most {
			t.Errorf("from %s to %s: %d km, %v", c.a, c.b, got, ok)
		}
	}
	for _, unknown := range []string{"84.0.0.1", "85.0.0.1", "10.0.0.1", "2001:db8::1", "", "mara"} {
		if got, ok := p.Between("81.0.0.1", unknown); ok || got != 0 {
			t.Errorf("to %q: %d km", unknown, got)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	good := known(dublin())
	for name, path := range map[string]string{
		"a file that is not there": filepath.Join(t.TempDir(), "none.mmdb"),
		"something else":           placetest.Write(t, []byte("not a database")),
		"an empty file":            placetest.Write(t, nil),
		"half a database":          placetest.Write(t, good[:len(good)/2]),
		"a pointer to nowhere":     placetest.Write(t, append(bytes.Repeat([]byte{0xff}, 48), good[48:]...)),
	} {
		_, err := Open(path)
		if !errors.Is(err, ErrFile) {
			t.Errorf("%s: got %v", name, err)
		} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "leave it out") {
			t.Errorf("%s: it does not say what to do: %v", name, err)
		}
	}
}

func FuzzOf(f *testing.F) {
	path := filepath.Join(f.TempDir(), "places.mmdb")
	if err := os.WriteFile(path, known(dublin()), 0o600); err != nil {
		f.Fatal(err)
	}
	p, err := Open(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"81.2.69.142", "::1", "fe80::1%eth0", "81.2.69.142/8", "", "\x00", "999.1.1.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := p.Of(s); got != "" && got != "Dublin, Ireland" {
			t.Errorf("%q is in %q", s, got)
		}
	})
}
