package secretstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/countinghouse/countinghouse/secrets"
)

func opensWhatItSealed(s *suite) {
	p := at(s.organization())
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for name, plaintext := range map[string]string{
		"one byte": "x", "a NUL": "\x00", "every byte": string(every), "other scripts": "秘密 секрет",
		"an IBAN": "DE89370400440532013000", "the longest": rand.Text() + strings.Repeat("x", secrets.MaxLength-26),
	} {
		sealed := s.seal(p, plaintext)
		s.opens(p, sealed, plaintext)
		if s.version(sealed) != 1 {
			s.Errorf("%s: a new key seals with version %d", name, s.version(sealed))
		}
	}
}

func sealsDifferently(s *suite) {
	p, plaintext := at(s.organization()), "4242 4242 4242 4242"
	one, two := s.seal(p, plaintext), s.seal(p, plaintext)
	if one == two {
		s.Error("whoever reads the database sees which secrets are equal")
	}
	raw, err := base64.StdEncoding.DecodeString(one[strings.LastIndexByte(one, ':')+1:])
	if err != nil {
		s.Fatalf("%q does not end in base64: %v", one, err)
	}
	if bytes.Contains(raw, []byte(plaintext)) || strings.Contains(one, hex.EncodeToString([]byte(plaintext))) {
		s.Error("the plaintext shows in the sealed text")
	}
}

func refusesLength(s *suite) {
	p := at(s.organization())
	for _, plaintext := range [][]byte{nil, {}, make([]byte, secrets.MaxLength+1)} {
		if _, err := s.one.Seal(s.Context(), p, plaintext); !errors.Is(err, secrets.ErrLength) {
			s.Errorf("Seal of %d bytes: %v, want ErrLength", len(plaintext), err)
		}
		if err := s.one.SealAll(s.Context(), []secrets.Plain{{Place: p, Plaintext: plaintext}})[0].Err; !errors.Is(err, secrets.ErrLength) {
			s.Errorf("SealAll of %d bytes: %v, want ErrLength", len(plaintext), err)
		}
	}
}

func refusesMoved(s *suite) {
	mine, other := s.organization(), s.organization()
	from := secrets.Place{Organization: mine, Table: "ab", Column: "cd", Row: "ef"}
	sealed := s.seal(from, "secret")
	s.opens(from, sealed, "secret")
	for name, to := range map[string]secrets.Place{
		"organization":             {Organization: other, Table: "ab", Column: "cd", Row: "ef"},
		"table":                    {Organization: mine, Table: "ax", Column: "cd", Row: "ef"},
		"column":                   {Organization: mine, Table: "ab", Column: "cx", Row: "ef"},
		"row":                      {Organization: mine, Table: "ab", Column: "cd", Row: "ex"},
		"other case":               {Organization: mine, Table: "ab", Column: "cd", Row: "EF"},
		"exchanged":                {Organization: mine, Table: "cd", Column: "ab", Row: "ef"},
		"letter over to column":    {Organization: mine, Table: "a", Column: "bcd", Row: "ef"},
		"letter over to row":       {Organization: mine, Table: "ab", Column: "c", Row: "def"},
		"letter over to the left":  {Organization: mine, Table: "abc", Column: "d", Row: "ef"},
		"a separator in the row":   {Organization: mine, Table: "ab", Column: "cd", Row: "ef\x00"},
		"a separator in the table": {Organization: mine, Table: "ab/", Column: "cd", Row: "ef"},
	} {
		for _, use := range uses(sealed) {
			switch use.name {
			case "Open", "OpenAll", "Rewrap", "RewrapAll":
				if err := use.do(s.Context(), s.one, to); !errors.Is(err, secrets.ErrUnreadable) {
					s.Errorf("%s with another %s: %v, want ErrUnreadable", use.name, name, err)
				}
			}
		}
	}
}

// refusesShifted moves a separator, whichever the keyring may put between the parts of a place, from one part
// to the next.
func refusesShifted(s *suite) {
	organization := s.organization()
	for _, separator := range []string{"\x00", "\x00\x00\x00\x00", "/", ":", "|", ".", ",", " ", "\n", "\x1f", "\xff", `","`} {
		from := secrets.Place{Organization: organization, Table: "a", Column: "b" + separator + "c", Row: "d"}
		to := secrets.Place{Organization: organization, Table: "a" + separator + "b", Column: "c", Row: "d"}
		if _, err := s.one.Open(s.Context(), to, s.seal(from, "secret")); !errors.Is(err, secrets.ErrUnreadable) {
			s.Errorf("%+v opens at %+v: %v, want ErrUnreadable", from, to, err)
		}
	}
}

func refusesAltered(s *suite) {
	p := at(s.organization())
	sealed := s.seal(p, "secret")
	altered := []string{
		"", ":", "::", "v1", "secret", sealed + "=", sealed + "A", sealed + "\n", "\n" + sealed, sealed + " ",
		sealed[:len(sealed)-4], sealed + sealed, strings.ToUpper(sealed), strings.ToLower(sealed),
		strings.Replace(sealed, ":v1:", ":v01:", 1), strings.Replace(sealed, ":v1:", ":v+1:", 1),
		strings.Replace(sealed, ":v1:", ":v0:", 1), strings.Replace(sealed, ":v1:", ":v2:", 1),
		strings.Replace(sealed, ":v1:", ":v-1:", 1), strings.Replace(sealed, ":v1:", ":v99999999999999999999:", 1),
		strings.Replace(sealed, ":v1:", ":v1:\r\n", 1), strings.Replace(sealed, ":v1:", "::", 1),
		sealed[:strings.LastIndexByte(sealed, ':')+1], strings.Repeat("A", 1<<20), "other" + sealed[strings.IndexByte(sealed, ':'):],
	}
	for i := range len(sealed) {
		for _, bit := range []byte{0x01, 0x02, 0x04, 0x20} {
			text := []byte(sealed)
			text[i] ^= bit
			altered = append(altered, string(text))
		}
	}
	items := make([]secrets.Sealed, len(altered))
	for i, text := range altered {
		items[i] = secrets.Sealed{Place: p, Text: text}
	}
	for i, result := range s.one.OpenAll(s.Context(), items) {
		if !errors.Is(result.Err, secrets.ErrUnreadable) || result.Value != nil {
			s.Errorf("%.200q: %v, want ErrUnreadable", altered[i], result.Err)
		}
	}
	s.opens(p, sealed, "secret")
}

func refusesPlace(s *suite) {
	organization := s.organization()
	sealed := s.seal(at(organization), "secret")
	for _, name := range []string{
		"", "acme", "../../../etc/passwd", "master", "lock", strings.ToUpper(organization), "{" + organization + "}",
		"urn:uuid:" + organization, strings.ReplaceAll(organization, "-", ""), organization + "\x00", organization + "/",
		"00000000-0000-0000-0000-000000000000", "/" + organization[1:], organization[:35] + "\n", "../" + organization[3:],
	} {
		for _, use := range append(uses(sealed), createKey, deleteKey) {
			if err := use.do(s.Context(), s.one, at(name)); !errors.Is(err, secrets.ErrPlace) {
				s.Errorf("%s for organization %q: %v, want ErrPlace", use.name, name, err)
			}
		}
	}
	for _, p := range []secrets.Place{
		{}, {Organization: organization}, {Organization: organization, Table: "t", Column: "c"},
		{Organization: organization, Table: "t", Row: "r"}, {Organization: organization, Column: "c", Row: "r"},
		{Organization: organization, Table: "t", Column: "c", Row: strings.Repeat("r", 256)},
	} {
		for _, use := range uses(sealed)[:6] {
			if err := use.do(s.Context(), s.one, p); !errors.Is(err, secrets.ErrPlace) {
				s.Errorf("%s at %+v: %v, want ErrPlace", use.name, p, err)
			}
		}
	}
}

func answersBatch(s *suite) {
	one, two, gone, missing := s.organization(), s.organization(), s.organization(), NewOrganization()
	if err := s.one.DeleteKey(s.Context(), gone); err != nil {
		s.Fatalf("DeleteKey: %v", err)
	}
	plain := []secrets.Plain{
		{Place: at(one), Plaintext: []byte("first")},
		{Place: at(gone), Plaintext: []byte("second")},
		{Place: at(two), Plaintext: []byte("third")},
		{Place: at(missing), Plaintext: []byte("fourth")},
		{Place: at(one), Plaintext: nil},
		{Place: at("acme"), Plaintext: []byte("sixth")},
		{Place: at(one), Plaintext: []byte("seventh")},
	}
	want := []error{nil, secrets.ErrKeyGone, nil, secrets.ErrKeyMissing, secrets.ErrLength, secrets.ErrPlace, nil}
	sealed := s.one.SealAll(s.Context(), plain)
	if len(sealed) != len(plain) {
		s.Fatalf("SealAll gives %d results for %d items", len(sealed), len(plain))
	}
	for i, result := range sealed {
		if !errors.Is(result.Err, want[i]) || (result.Err == nil) != (want[i] == nil) {
			s.Errorf("SealAll, item %d: %v, want %v", i, result.Err, want[i])
		}
	}
	texts := []secrets.Sealed{
		{Place: at(two), Text: sealed[2].Value}, {Place: at(two), Text: sealed[0].Value}, {Place: at(one), Text: sealed[6].Value},
	}
	for i, result := range s.two.RewrapAll(s.Context(), texts) {
		if i != 1 && result.Err != nil || i == 1 && !errors.Is(result.Err, secrets.ErrUnreadable) {
			s.Errorf("RewrapAll, item %d: %v", i, result.Err)
		} else if i != 1 {
			texts[i].Text = result.Value
		}
	}
	opened := s.two.OpenAll(s.Context(), texts)
	if len(opened) != 3 || string(opened[0].Value) != "third" || string(opened[2].Value) != "seventh" ||
		!errors.Is(opened[1].Err, secrets.ErrUnreadable) {
		s.Errorf("OpenAll mixes up its items: %d results", len(opened))
	}
	if n := len(s.one.SealAll(s.Context(), nil)) + len(s.one.OpenAll(s.Context(), nil)) + len(s.one.RewrapAll(s.Context(), nil)); n != 0 {
		s.Errorf("%d results for no items", n)
	}
}

func endsWithContext(s *suite) {
	p := at(s.organization())
	sealed := s.seal(p, "secret")
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	for _, use := range append(uses(sealed), createKey, deleteKey) {
		if err := use.do(ctx, s.one, p); !errors.Is(err, context.Canceled) {
			s.Errorf("%s: %v, want the context's error", use.name, err)
		}
	}
	s.opens(p, sealed, "secret")
}
