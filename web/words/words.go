// Package words holds what pages say in other languages than English, which they are written in.
//
// A catalogue is a gettext file, which translators and their tools know. Its keys are the English sentences themselves,
// so that a page is read and changed without looking anywhere else; what stands in a sentence is numbered, {0}, {1},
// and may stand elsewhere in another language. A sentence that is not there stays English: a test names each.
package words

import (
	_ "embed"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/leonelquinteros/gotext"

	"github.com/countinghouse/countinghouse/internal/locale"
)

//go:embed fr.po
var frenchFile []byte

// Catalogue is what is said in one language. A nil catalogue says everything in English.
type Catalogue struct {
	said   map[string]string
	spoken map[string]bool   // what is said already
	named  map[string]string // what ends in a name, by what goes before it
}

var french = sync.OnceValue(func() *Catalogue { return read(frenchFile) })

// In is the catalogue of a language; nil for English.
func In(language locale.Language) *Catalogue {
	if language == locale.French {
		return french()
	}
	return nil
}

func read(file []byte) *Catalogue {
	po := gotext.NewPo()
	po.Parse(file)
	c := &Catalogue{said: map[string]string{}, spoken: map[string]bool{}, named: map[string]string{}}
	for _, t := range po.GetDomain().GetTranslations() {
		if said := t.Get(); t.ID != "" && said != "" {
			c.said[t.ID], c.spoken[said] = said, true
			if before, ok := strings.CutSuffix(t.ID, anything); ok {
				c.named[before] = said
			}
		}
	}
	return c
}

// Find is the translation of a key as it stands in the catalogue, numbered parts and all.
func (c *Catalogue) Find(key string) (said string, known bool) {
	if c == nil {
		return key, true
	}
	said, known = c.said[key]
	return said, known
}

// Say translates a sentence that the program made: its figures are its numbered parts, in their order. Several
// sentences may follow each other. What is not known stays as it is, with known false; nothing at all, and what has no
// letter, is known. So is a list of what is known.
func (c *Catalogue) Say(english string) (said string, known bool) {
	if c == nil || !strings.ContainsFunc(english, isLetter) {
		return english, true
	}
	if said, known := c.sentence(english); known || c.spoken[english] {
		return said, true
	}
	if parts := sentences.FindAllString(english, -1); len(parts) > 1 {
		said, known := c.each(parts)
		return strings.Join(said, " "), known
	}
	if parts := strings.Split(english, ", "); len(parts) > 1 {
		if said, known := c.each(parts); known {
			return strings.Join(said, ", "), true
		}
	}
	return english, false
}

func (c *Catalogue) each(parts []string) (said []string, known bool) {
	known = true
	for len(parts) > 0 {
		run := len(parts) // a key may hold several sentences: the longest goes first
		s, ok := c.sentence(strings.TrimSpace(strings.Join(parts[:run], "")))
		for ; !ok && run > 1; s, ok = c.sentence(strings.TrimSpace(strings.Join(parts[:run], ""))) {
			run--
		}
		said, known, parts = append(said, s), known && ok, parts[run:]
	}
	return said, known
}

var (
	sentences = regexp.MustCompile(`[^.?!]*(?:[.?!](?:[^ ][^.?!]*)?)+ *|[^.?!]+$`)
	figures   = regexp.MustCompile(`\d+`)
	names     = regexp.MustCompile(`[^\s.,:;]*\d[^\s,:;]*[^\s.,:;]|\d`)
	places    = regexp.MustCompile(`\{\d+\}`)
)

func (c *Catalogue) sentence(english string) (string, bool) {
	if said, ok := c.said[english]; ok {
		return said, true
	}
	if said, ok := c.numbered(english, figures); ok {
		return said, true
	}
	if said, ok := c.numbered(english, names); ok { // "Invoice INV-0007"
		return said, true
	}
	for key, said := range c.named { // "Statement of Apple & Co"
		if name, ok := strings.CutPrefix(english, key); ok && name != "" {
			return strings.Replace(said, anything, name, 1), true
		}
	}
	return english, false
}

// anything stands at the end of a key for a name or another text that goes along as it is.
const anything = "{*}"

// numbered is a sentence in which what pattern finds is numbered.
func (c *Catalogue) numbered(english string, pattern *regexp.Regexp) (string, bool) {
	var found []string
	key := pattern.ReplaceAllStringFunc(english, func(figure string) string {
		found = append(found, figure)
		return "{" + strconv.Itoa(len(found)-1) + "}"
	})
	said, ok := c.said[key]
	if !ok || len(found) == 0 {
		return english, false
	}
	return places.ReplaceAllStringFunc(said, func(place string) string {
		if at, err := strconv.Atoi(place[1 : len(place)-1]); err == nil && at < len(found) {
			return found[at]
		}
		return place
	}), true
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
