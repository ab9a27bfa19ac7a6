//go:build pages

package browser

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a page may weigh with its stylesheet and scripts: compressed, as a proxy before the service may do it, and as
// the service itself sends it.
const (
	most     = 100_000
	mostSent = 125_000
)

// scale weighs pages.
type scale struct {
	pages []weighed
	files map[string]int // bytes on the wire, by address
}

type weighed struct {
	path               string
	text, packed, wire int // of the page alone, the same compressed, and all that is sent
}

var loaded = regexp.MustCompile(`<(?:script src|link rel="stylesheet" href)="([^"]+)"`)

// put weighs a page: what is sent for it, and what it names that blocks nothing less than its look and its behaviour.
// The page itself goes out as it is: what is compressed beside a secret can be guessed by its length (BREACH).
func (s *scale) put(r *reader, path, body string) {
	r.t.Helper()
	w := weighed{path: path, text: len(body), packed: packed(r.t, body), wire: len(body)}
	for _, found := range loaded.FindAllStringSubmatch(body, -1) {
		w.wire += s.file(r, found[1])
	}
	s.pages = append(s.pages, w)
	if w.wire-w.text+w.packed > most || w.wire > mostSent {
		r.t.Errorf("%s weighs %d bytes with its stylesheet and scripts, %d of them its own (%d compressed)", path, w.wire, w.text, w.packed)
	}
}

func (s *scale) file(r *reader, path string) int {
	r.t.Helper()
	if s.files == nil {
		s.files = map[string]int{}
	}
	if n, known := s.files[path]; known {
		return n
	}
	a := r.get(path)
	if a.status != 200 {
		r.t.Errorf("%s: %d", path, a.status)
	}
	if strings.HasPrefix(path, "/static/") {
		if got := a.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			r.t.Errorf("%s is kept as %q", path, got)
		}
		if a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Vary") != "Accept-Encoding" {
			r.t.Errorf("%s goes out as %q, by %q", path, a.header.Get("Content-Encoding"), a.header.Get("Vary"))
		}
	}
	s.files[path] = len(a.body)
	return len(a.body)
}

func packed(t *testing.T, text string) int {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// say reports what the heaviest weigh.
func (s *scale) say(t *testing.T) {
	t.Helper()
	slices.SortFunc(s.pages, func(a, b weighed) int { return b.wire - a.wire })
	var said strings.Builder
	for _, w := range s.pages[:min(len(s.pages), 8)] {
		fmt.Fprintf(&said, "\n%7d bytes on the wire, %6d of them the page (%6d compressed)  %s", w.wire, w.text, w.packed, w.path)
	}
	middle := s.pages[len(s.pages)/2]
	t.Logf("%d pages were weighed, the one in the middle at %d bytes. The heaviest:%s", len(s.pages), middle.wire, said.String())
}
