package place

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The writers below make a database as MaxMind's format has it (maxmind.github.io/MaxMind-DB), as small as one can be.

func text(s string) []byte { return append(head(2, len(s)), s...) }

func number(kind int, v uint64) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, v), "\x00")
	return append(head(kind, len(b)), b...)
}

func head(kind, size int) []byte {
	if kind > 7 {
		return []byte{byte(size), byte(kind - 7)}
	}
	if size < 29 {
		return []byte{byte(kind<<5 | size)}
	}
	return []byte{byte(kind<<5 | 29), byte(size - 29)}
}

func table(pairs ...any) []byte {
	b := head(7, len(pairs)/2)
	for _, p := range pairs {
		switch v := p.(type) {
		case string:
			b = append(b, text(v)...)
		case []byte:
			b = append(b, v...)
		}
	}
	return b
}

// database knows one network of IPv4, first/8, and what is said of it.
func database(first byte, record []byte) []byte {
	const nodes = 8
	var b []byte
	add := func(v int) { b = append(b, byte(v>>16), byte(v>>8), byte(v)) }
	for bit := range nodes {
		next := bit + 1
		if next == nodes {
			next = nodes + 16
		}
		if first>>(7-bit)&1 == 0 {
			add(next)
			add(nodes)
		} else {
			add(nodes)
			add(next)
		}
	}
	b = append(append(b, make([]byte, 16)...), record...)
	b = append(b, "\xab\xcd\xefMaxMind.com"...)
	return append(b, table("binary_format_major_version", number(5, 2), "binary_format_minor_version", number(5, 0), "build_epoch", number(9, 1_700_000_000),
		"database_type", "Test-City", "description", table("en", "A test"), "ip_version", number(5, 4), "languages", append(head(11, 1), text("en")...),
		"node_count", number(6, nodes), "record_size", number(5, 24))...)
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func dublin() []byte {
	return table("city", table("names", table("en", "Dublin")), "country", table("iso_code", "IE", "names", table("en", "Ireland")))
}

func TestOf(t *testing.T) {
	t.Parallel()
	p, err := Open(write(t, database(81, dublin())))
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
	country, err := Open(write(t, database(81, table("country", table("names", table("en", "Ireland"))))))
	if err != nil {
		t.Fatal(err)
	}
	if got := country.Of("81.2.69.142"); got != "Ireland" {
		t.Errorf("without a city: %q", got)
	}
	odd, err := Open(write(t, database(81, table("city", table("names", table("en", "Dub\nlin")), "country", table("names", number(5, 7))))))
	if err != nil {
		t.Fatal(err)
	}
	if got := odd.Of("81.2.69.142"); got != "" {
		t.Errorf("a name that no place has: %q", got)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	good := database(81, dublin())
	for name, path := range map[string]string{
		"a file that is not there": filepath.Join(t.TempDir(), "none.mmdb"),
		"something else":           write(t, []byte("not a database")),
		"an empty file":            write(t, nil),
		"half a database":          write(t, good[:len(good)/2]),
		"a pointer to nowhere":     write(t, append(bytes.Repeat([]byte{0xff}, 48), good[48:]...)),
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
	if err := os.WriteFile(path, database(81, dublin()), 0o600); err != nil {
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
